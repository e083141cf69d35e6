"""What a family's `sample` may be told, read off its signature."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pydantic

from lienzo.core import ConfigurationError, Family
from lienzo.core.registry import classes_of
from lienzo.families.latent import Latent

NOT_PLAIN = ("conditions", "streams", "start", "previews")
WORDS: Mapping[Any, str] = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}
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
    hints = {**_hints(type(family)), **_hints(type(drawing(family)))}
    return {name: _fitting(name, value, hints.get(name)) for name, value in asked.items()}


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """Return a value as it is, or the numbers that a text lists with commas, if it is what the option's type asks for.

    Raises:
        ConfigurationError: if it is not.
    """
    if hint is None:
        return value
    listed = isinstance(value, str) and "," in value and hint is not str
    given = [part.strip() for part in value.split(",")] if listed else value
    try:
        fitting = pydantic.TypeAdapter[Any](hint).validate_python(given)
    except pydantic.ValidationError as error:
        what = f"{name} {value!r}: {error.errors()[0]['msg'][:1].lower()}{error.errors()[0]['msg'][1:]}"
        raise ConfigurationError(what, hint=f"it takes {_plain(hint)}") from None
    return list(fitting) if listed else value


def _plain(hint: Any) -> str:
    """Return a type in words that a user may read: "0.3,0.7" for two numbers."""
    if get_origin(hint) is tuple:
        return f"{len(get_args(hint))} numbers, e.g. 0.3,0.7"
    return WORDS.get(hint) or str(hint).replace("collections.abc.", "")


@functools.cache
def _hints(cls: type[Family]) -> Mapping[str, Any]:
    """Return the types of the options that a family's `sampling` names."""
    return {n: h for n, h in get_type_hints(cls.sampling).items() if n not in (*NOT_PLAIN, "return", "options")}


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
