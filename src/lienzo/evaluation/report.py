"""Figures as people read them: never without what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing.

    Attributes:
        what: was measured, and how.
        value: with its unit and its spread.
        goal: what it is held against.
        met: whether it reaches the goal; None where there is none, or nothing was measured yet.
        command: that measures it again.
    """

    what: str
    value: str
    goal: str = ""
    met: bool | None = None
    command: str = ""


def table(figures: Sequence[Figure]) -> str:
    """Return figures as a Markdown table.

    >>> print(table([Figure("sum", "3", "≤ 4", True, "make sum")]))
    | what | measured | at least | |
    |---|---|---|---|
    | sum | 3 | ≤ 4 ✓ | `make sum` |
    """
    marks = {True: " ✓", False: " ✗", None: ""}
    rows = [
        f"| {f.what} | {f.value} | {f.goal}{marks[f.met]} | {f'`{f.command}`' if f.command else ''} |" for f in figures
    ]
    return "\n".join(["| what | measured | at least | |", "|---|---|---|---|", *rows])


def with_spread(values: Sequence[float], digits: int = 2, unit: str = "") -> str:
    """Return the mean of repeated measurements with their range.

    >>> with_spread([1.0, 2.0, 3.0], 1, " s")
    '2.0 s (1.0 to 3.0, n = 3)'
    """
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}{unit}"
    return f"{mean:.{digits}f}{unit} ({min(values):.{digits}f} to {max(values):.{digits}f}, n = {len(values)})"
