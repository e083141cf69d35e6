"""Small things that a person writes: durations, sizes, names with values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lienzo.core.errors import ConfigurationError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_duration(text: str | float) -> float:
    """Read a duration in seconds.

    Raises:
        ConfigurationError: for what is none, or is not longer than nothing.

    >>> read_duration("1h30m"), read_duration("45s"), read_duration("90"), read_duration("0.5h")
    (5400.0, 45.0, 90.0, 1800.0)
    """
    plain = str(text).strip().lower().replace(" ", "")
    parts = re.findall(r"(\d+(?:\.\d+)?)([a-z]*)", plain)
    whole = "".join(number + unit for number, unit in parts)
    units = [_unit(unit) for _, unit in parts]
    if not parts or whole != plain or None in units:
        raise ConfigurationError(f"{text!r} is no duration", hint="30m, 1h30m, 45s, or a number of seconds")
    seconds = sum(float(number) * (unit or 0) for (number, _), unit in zip(parts, units, strict=True))
    if seconds <= 0:
        raise ConfigurationError(f"the duration {text!r} is nothing", hint="at least 1s")
    return seconds


def _unit(text: str) -> float | None:
    if text in ("", "sec", "secs", "second", "seconds"):
        return 1.0
    if text in ("min", "mins", "minute", "minutes"):
        return 60.0
    return UNITS.get({"hour": "h", "hours": "h", "day": "d", "days": "d"}.get(text, text))


def read_pairs(texts: Iterable[str], what: str, example: str) -> dict[str, str]:
    """Read NAME=VALUE each.

    Raises:
        ConfigurationError: for what has no "=".

    >>> read_pairs(["edges=house.png"], "map", "edges=FILE")
    {'edges': 'house.png'}
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ConfigurationError(f"the {what} {text!r} names nothing", hint=example)
        pairs[name] = value
    return pairs


def read_guidance(text: str) -> float | dict[str, float]:
    """Read one weight for all that is said, or one a condition.

    Raises:
        ConfigurationError: for anything else.

    >>> read_guidance("5"), read_guidance("text=5,style=2")
    (5.0, {'text': 5.0, 'style': 2.0})
    """
    try:
        if "=" not in text:
            return float(text)
        pairs = read_pairs(text.split(","), "guidance", "text=5,style=2")
        return {name.strip(): float(value) for name, value in pairs.items()}
    except ValueError:
        raise ConfigurationError(f"guidance {text!r} is no number", hint="5, or text=5,style=2") from None
