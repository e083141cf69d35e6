"""What an edit was told that its way cannot hear: refused where it would break a promise, else said in a note."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.hows import HOWS
from lienzo.api.edit.told import denoises
from lienzo.api.edit.work import WALK, WAY
from lienzo.api.model import Model
from lienzo.conditions import MapCondition
from lienzo.core import ConfigurationError
from lienzo.editing import pairs_of

WITH_STRENGTH = tuple(name for name, row in HOWS.items() if row.strength is not None)
WITH_MASK = tuple(name for name, row in HOWS.items() if row.gives == "pictures")
MASKED = tuple(name for name in WITH_MASK if name != "outpaint")  # which keeps all there is
# of `Asked`, or of its options, and the ways that hear it
HEARD: Mapping[str, tuple[str, ...]] = {
    "words": tuple(name for name in HOWS if name not in ("attribute", "mix")), "was": ("invert", "style"),
    "keep": MASKED, "change": MASKED, "like": ("interpolate", "mix", "attribute"), "unlike": ("attribute",),
    "amount": ("attribute",),
    "margin": ("outpaint",), "context": MASKED, "feather": WITH_MASK, "strength": (*WITH_STRENGTH, "instruct"),
    "by": ("inpaint", "outpaint", "upscale", "instruct"), "take": ("mix",), "settle": ("instruct",),
}  # fmt: skip
AROUND = ("context", "feather")  # what is said of a mask's surroundings
PLAIN = (str, Path, int, float, list, type(None))


def unheard(asked: Asked, how: str, model: Model, masked: bool = False) -> list[str]:
    """Return what has to be said about what was asked for in vain.

    Args:
        asked: for what.
        how: the way that is taken.
        model: in use.
        masked: whether there is a mask that `asked` does not name.

    Raises:
        ConfigurationError: for a part that shall stay where none can, an option that nothing hears, or a map that lies
            over no picture.
    """
    _check(asked, how, model, masked)
    usual = Asked()
    told = [name for name in HEARD if name in asked.options or getattr(asked, name, None) != getattr(usual, name, None)]
    deaf = [name for name in told if how not in HEARD[name]]
    # drawn from noise, beside the picture; or from a code
    whole = denoises(model) if how == "instruct" else HOWS[how].recodes and not denoises(model)
    if whole and "strength" in told:
        deaf.append("strength")
    notes = [f"{_spelt(name)} was not heard: {how} has no use for it" for name in deaf]
    open_wide = how in MASKED and not (masked or asked.keep or asked.change)
    notes += [f"{_spelt(name)} was not heard: no mask was named" for name in told if name in AROUND and open_wide]
    if asked.map and not (asked.keep or asked.change):
        notes.append("--map was not heard: it is for what --keep or --change names; to draw over, --said NAME=FILE")
    return notes


def _check(asked: Asked, how: str, model: Model, masked: bool) -> None:
    gives, known = HOWS[how].gives, {*WALK, *WAY, *HEARD}
    by_family = how in ("complete", "mix") or not denoises(model)  # these are checked by the family that hears them
    unknown = [] if by_family else [name for name in asked.options if name not in known]
    maps = [n for n in asked.said if n in model.bus.names and isinstance(model.bus[n], MapCondition)]
    strange = next((n for n, value in asked.said.items() if not isinstance(value, PLAIN)), "")
    taught = pairs_of(model.family) if denoises(model) else None
    own = [] if taught is None else [name for name in maps if name in (taught.before, taught.mask)]
    for wrong, what, hint in (
        (gives != "pictures" and (masked or asked.keep or asked.change), f"{how} keeps no part of a picture",
         "leave --keep and --change out"),
        (unknown, f"an edit has no option {', '.join(unknown)}", f"one of {', '.join(sorted({*WALK, *WAY}))}"),
        (strange, f"{strange} is said as a {type(asked.said.get(strange)).__name__}", "a file's path, or a label"),
        (gives == "double" and maps, f"{how} goes part by part: {', '.join(maps)} lies over none", "leave it out"),
        (own, f"{', '.join(own)} is the picture that is edited, and its mask", "--keep or --change FILE for the mask"),
    ):  # fmt: skip
        if wrong:
            raise ConfigurationError(what, hint=hint)


def _spelt(name: str) -> str:
    spelt = {"words": "the instruction", "settle": "--set settle"}
    return spelt.get(name, f"--{name}")
