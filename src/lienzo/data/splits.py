"""Which rows a caller asked for: by split, and by what a label says."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lienzo.core.errors import DataError
from lienzo.data.alike import place_of
from lienzo.data.dataset import Table

NAMES = ("train", "validation", "test", "all")
HELD_OUT = 0.05  # of the training pictures, where a source has no validation split of its own
Where = Mapping[str, str | Sequence[str]]


def rows_of(split: str, said: Sequence[str], groups: Sequence[str], name: str) -> NDArray[np.int64]:
    """Return the rows of a split, in order.

    A source without a validation split gives 5 % of its training pictures to it, chosen by their content and never
    cutting a group of look-alikes; "train+validation" is then all of them.

    Args:
        split: "train", "validation", "test", "all", or several joined by "+".
        said: what the source says of each row; "" counts as training.
        groups: which rows look alike.
        name: of the source, for errors.

    Raises:
        DataError: for an unknown split or one without a picture.
    """
    wanted = wanted_in(split)
    each = np.array([s or "train" for s in said], dtype=object)
    if "validation" not in said:
        each[_held_out(each == "train", groups)] = "validation"
    rows = np.flatnonzero(np.isin(each, wanted) | ("all" in wanted))
    if not len(rows):
        there = [n for n in NAMES if n in each]
        hint = f"it has {', '.join(there) or 'none at all'}"
        raise DataError(f"{name} has no picture in the split {split!r}", hint=hint)
    return rows


def wanted_in(split: str) -> list[str]:
    """Read which splits are asked for.

    Raises:
        DataError: for an unknown one.
    """
    wanted = [part.strip() for part in split.split("+")]
    unknown = [part for part in wanted if part not in NAMES]
    if unknown:
        raise DataError(f"no split {unknown[0]!r}", hint=f"one of {', '.join(NAMES)}, or several joined by '+'")
    return wanted


def held_below(said: Sequence[str], groups: Sequence[str]) -> float:
    """Return the place (`place_of`) below which `rows_of` holds a training picture out; 0 where it holds out none."""
    if "validation" in said:
        return 0.0
    return _below([place_of(group) for s, group in zip(said, groups, strict=True) if (s or "train") == "train"])


def _held_out(train: NDArray[np.bool_], groups: Sequence[str]) -> NDArray[np.bool_]:
    places = {group: place_of(group) for group in dict.fromkeys(groups[i] for i in np.flatnonzero(train).tolist())}
    below = _below(places.values())
    return np.array([bool(t) and places[group] < below for t, group in zip(train, groups, strict=True)])


def _below(places: Collection[float]) -> float:
    lowest, highest = min(places, default=0.0), max(places, default=1.0)
    return min(max(HELD_OUT, float(np.nextafter(lowest, 1))), highest)  # a small set still gives one, and keeps one


def matching(table: Table, where: Where, name: str) -> NDArray[np.bool_]:
    """Tell which rows have the labels that are asked for; "" stands for unsaid.

    Args:
        table: the set.
        where: label column → a class or several.
        name: of the source, for errors.

    Raises:
        DataError: for a column that is no label, or a class that it does not have.
    """
    keep = np.ones(len(table), bool)
    for column, asked in where.items():
        if column not in table.labels:
            raise DataError(f"{name} has no label {column!r} to choose by", hint=_close(column, list(table.labels)))
        codes, classes = table.labels[column]
        names = [asked] if isinstance(asked, str) else list(asked)
        unknown = [n for n in names if n and n not in classes]
        if unknown:
            raise DataError(f"{column} has no class {unknown[0]!r} in {name}", hint=_close(unknown[0], list(classes)))
        keep &= np.isin(codes, [classes.index(n) if n else -1 for n in names])
    return keep


def _close(name: str, known: list[str]) -> str:
    return "one of " + ", ".join(difflib.get_close_matches(name, known, n=3) or known[:12] or ["(none)"])
