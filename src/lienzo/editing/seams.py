"""The seam of a change: how much of what is new counts at each of its pixels, from its edge inwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lienzo.editing.masks import Mask

Lengths = NDArray[np.intp]


def soft(mask: Mask, feather: int) -> NDArray[np.float32]:
    """Return the weight of what is new: 0 where nothing may change, rising to 1 within `feather` pixels inside.

    A part that is thinner than its seam rises to 1 in its own middle: its seam is as much narrower.

    Args:
        mask: what may change, (H, W).
        feather: width of the seam in pixels.
    """
    if not feather:
        return mask.astype(np.float32)
    inwards = depth(mask, feather + 1)
    weight = inwards.astype(np.float32) / np.float32(feather + 1)
    first, last = _runs(mask)
    deepest = _deepest(inwards, first, last, parts_of(first, last, mask.shape[1] + 1))
    thin = deepest <= feather
    places = _ranges(_without_gaps(first, mask.shape[1])[thin], (last - first)[thin])
    weight.reshape(-1)[places] = inwards.reshape(-1)[places] / np.repeat(deepest[thin], (last - first)[thin])
    return weight


def depth(mask: Mask, most: int) -> NDArray[np.int16]:
    """Return how many pixels deep each lies in a mask: max(|Δx|, |Δy|) to the nearest one outside, at most `most`.

    What lies beyond the picture is not outside. Two passes over the rows, exact for this distance: "Distance
    transformations in digital images" (Borgefors, 1986), with both weights 1.
    """
    far = mask.astype(np.int16) * np.int16(min(most, np.iinfo(np.int16).max))
    steps = np.arange(mask.shape[1], dtype=np.int32)
    for rows in (far, far[::-1]):
        above = np.full(mask.shape[1], most, np.int32)
        for row in rows:
            around = above.copy()
            np.minimum(around[1:], above[:-1], out=around[1:])
            np.minimum(around[:-1], above[1:], out=around[:-1])
            np.minimum(row, around + 1, out=row)
            rising = np.minimum.accumulate(row - steps) + steps
            row[:] = (np.minimum.accumulate((rising + steps)[::-1])[::-1]) - steps
            above = row
    return far


def parts_of(first: Lengths, last: Lengths, width: int) -> Lengths:
    """Return the connected part, over edges and corners, of each run of a mask: the number of its first run.

    Args:
        first: where each run begins in a mask whose rows lie one after another, each with a gap after it; in order.
        last: where it ends, exclusive.
        width: of such a row with its gap.
    """
    count = len(first)
    lowest = np.searchsorted(last, first - width, "left")  # of the row above, those that meet the run or its corners
    beyond = np.searchsorted(first, last - width, "right")
    met = np.maximum(beyond - lowest, 0)
    own = np.repeat(np.arange(count), met)
    other = _ranges(lowest, met)
    part = np.arange(count)
    while (part[own] != part[other]).any():
        low = np.minimum(part[own], part[other])
        for ends in (part[own], part[other]):
            np.minimum.at(part, ends, low)
        while (part[part] != part).any():
            part = part[part]
    return part


def _runs(mask: Mask) -> tuple[Lengths, Lengths]:
    """Return where the runs of a mask begin and end in its rows, each followed by one pixel that is not meant."""
    flat = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int8)
    flat[:, :-1] = mask
    steps = np.diff(flat.reshape(-1), prepend=np.int8(0))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def _deepest(inwards: NDArray[np.int16], first: Lengths, last: Lengths, part: Lengths) -> NDArray[np.int16]:
    """Return for each run how deep its part is."""
    begins = _without_gaps(first, inwards.shape[1])
    ends = np.stack([begins, begins + (last - first)], 1).reshape(-1)
    deep = np.zeros(len(first), np.int16)
    np.maximum.at(deep, part, np.maximum.reduceat(np.append(inwards.reshape(-1), np.int16(0)), ends)[::2])
    return deep[part]


def _without_gaps(places: Lengths, width: int) -> Lengths:
    """Return where places of rows with one pixel after each lie in rows without."""
    return places - places // (width + 1)


def _ranges(first: Lengths, lengths: Lengths) -> Lengths:
    """Return the numbers first, first + 1 … of each range, one range after another."""
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(before - first, lengths)
