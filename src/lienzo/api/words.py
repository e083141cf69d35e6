"""Small things that a person writes: names with values, weights."""

from __future__ import annotations

from collections.abc import Iterable

from lienzo.core.errors import ConfigurationError


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
