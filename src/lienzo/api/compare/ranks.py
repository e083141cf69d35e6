"""Who is best by a figure, and how numbers are written for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lienzo.api.compare.figures import LOWER


@dataclass(frozen=True)
class Seen:
    """A figure of one entrant.

    Attributes:
        name: whose.
        mean: its mean.
        low, high: its interval.
    """

    name: str
    mean: float
    low: float
    high: float

    def overlaps(self, other: Seen) -> bool:
        """Tell whether both intervals have a value in common."""
        return self.low <= other.high and other.low <= self.high

    def words(self, *, share: bool = False) -> str:
        """Return the mean with its interval.

        >>> Seen("vae", 12.34, 11.9, 12.8).words(), Seen("vae", 0.5, 0.4, 0.6).words(share=True)
        ('12.3 (11.9 to 12.8)', '50.0% (40.0% to 60.0%)')
        """
        mean, low, high = (written(value, share=share) for value in (self.mean, self.low, self.high))
        return f"{mean} ({low} to {high})"


def best(seen: Sequence[Seen], better: str) -> tuple[list[Seen], list[Seen]]:
    """Return those between whom there is no difference to see at the top, and the rest, each from the best mean on.

    >>> first, rest = best([Seen("a", 3, 2, 4), Seen("b", 9, 8, 10), Seen("c", 4, 3, 5)], "lower")
    >>> [s.name for s in first], [s.name for s in rest]
    (['a', 'c'], ['b'])
    """
    order = sorted(seen, key=lambda s: s.mean if better == LOWER else -s.mean)
    first = [s for s in order if s.overlaps(order[0])]
    return first, [s for s in order if s not in first]


def number(value: float, digits: int = 3) -> str:
    """Write a number with some significant digits, and no exponent.

    >>> number(0.012345), number(12.345), number(123456), number(0.0)
    ('0.0123', '12.3', '123,456', '0')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 6)}f}"


def written(value: float, *, share: bool) -> str:
    """Write a figure, a share in percent."""
    return f"{value:.1%}" if share else number(value)


def seconds(value: float) -> str:
    """Write a short time.

    >>> seconds(0.00042), seconds(0.048), seconds(2.5), seconds(93)
    ('0.42 ms', '48 ms', '2.5 s', '93 s')
    """
    if value < 1:
        return f"{number(value * 1000, 2)} ms"
    return f"{number(value, 2)} s"


def joined(parts: Sequence[str], last: str = "and") -> str:
    """Join words as people do.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def named(name: str) -> str:
    """Return a name as sentences bear it."""
    return f"`{name}`"
