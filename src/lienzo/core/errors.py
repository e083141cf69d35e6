"""The errors that a user can cause. Each names the wrong value, what was expected, and the next thing to try."""


class LienzoError(Exception):
    """A mistake that a person can mend: the doors print it without a traceback.

    Args:
        what: the value that was wrong, and what was expected instead.
        hint: the next thing to try; printed on a line of its own.
    """

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what if not hint else f"{what}\n  try: {hint}")
        self.what = what
        self.hint = hint


class ConfigurationError(LienzoError):
    """A recipe, an option or an argument that does not fit."""


class ConditionError(LienzoError):
    """Something that a user said which a condition cannot understand."""


class DataError(LienzoError):
    """A source of images that is missing, damaged or too small."""


class CheckpointError(LienzoError):
    """A checkpoint that cannot be written, read or trusted."""


class CapabilityError(LienzoError):
    """A verb that this family's mathematics does not allow."""
