"""What a family's `sample` may be told, read off its signature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from lienzo.core import ConfigurationError, Family
from lienzo.core.registry import classes_of
from lienzo.families.latent import Latent

NOT_PLAIN = ("conditions", "streams", "start", "previews")
ROOM, WORTH = 1 << 18, 16  # places of pictures or codes that a large network call holds, and rows from which it is one


def checked_options(family: Family, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for, or say what the family does not know.

    A family with a choice of solvers leaves names that it does not have to them.

    Raises:
        ConfigurationError: for an option that it does not have, naming the families that do.
    """
    known = all_options(family, {})
    unknown = next((name for name in asked if name not in known and "solver" not in known), None)
    if unknown is not None:
        has = ", ".join(known) or "no options at all"
        able = [name for name, cls in classes_of("family").items() if unknown in _named(cls)]
        others = f"; {unknown} is for {', '.join(able)}" if able else ""
        name = type(drawing(family)).__name__
        what = f"{'an' if name[0] in 'AEIO' else 'a'} {name} has no option {unknown!r}"
        raise ConfigurationError(what, hint=f"it has {has}{others}")
    if "steps" in asked and (not isinstance(asked["steps"], int) or asked["steps"] < 1):
        raise ConfigurationError(f"{asked['steps']!r} steps", hint="a whole number from 1, e.g. 30")
    return dict(asked)


def all_options(family: Family, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option that a family is sampled with: the asked ones, and its own defaults by name."""
    layers = [family.sampling, drawing(family).sampling]
    defaults = {
        name: parameter.default
        for layer in layers for name, parameter in inspect.signature(layer).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name not in NOT_PLAIN
    }  # fmt: skip
    return {**defaults, **asked}


def judging(family: Family, said: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return options by which pictures are drawn that are only judged: with `rows` of them a network call.

    A family's own calls are small on a CPU, so that a picture is the same however few are asked for. What is judged has
    to be the same in the next evaluation alone, and in large calls some families draw it twice as fast and more.

    Args:
        family: that draws.
        said: options that are said; a `chunk` among them stays.
        rows: as many as are drawn together; fewer of large pictures, and where that is few, the family's own calls.
    """
    _, high, wide = drawing(family).shape
    chunk = min(rows, ROOM // (high * wide))
    large = chunk >= WORTH and "chunk" in all_options(family, {})
    return {**({"chunk": chunk} if large else {}), **said}


def decodes_previews(family: Family) -> bool:
    """Tell whether a family decodes the estimate of every step only when it is asked to."""
    return "previews" in inspect.signature(family.sampling).parameters


def drawing(family: Family) -> Family:
    """Return the family that draws: of one over codes, the inner one."""
    return family.inner if isinstance(family, Latent) else family


def _named(cls: type) -> Mapping[str, inspect.Parameter]:
    """Return the options that a family's `sampling` names."""
    return inspect.signature(cls.sampling).parameters if issubclass(cls, Family) else {}
