"""Which pictures are the same, or nearly: exact by decoded content, near by a difference hash and a thumbnail."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BITS = 6  # of the 64 of a difference hash that may differ
SHADE = 5.0  # mean absolute difference of the 8 × 8 thumbnails, of 255
NEIGHBOURS = 32  # that a picture is compared with in each quarter of the hash
BLOCK = 1 << 16  # pairs whose thumbnails are compared at a time
CHAIN = 0.01  # of a set: a longer chain of look-alikes says that the set is uniform, not that it repeats


def near_pairs(looks: NDArray[np.uint64], thumbs: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find pictures that look alike.

    Two hashes that differ in at most three bits share one quarter of their bits, so only pictures that share a quarter
    are compared, and of those the nearest in the order of their hashes: O(N), not O(N²).

    Args:
        looks: (N,) difference hashes.
        thumbs: (N, 192) thumbnails.

    Returns:
        (M, 2) rows i < j, each pair once.
    """
    found = [np.zeros((0, 2), np.int64)]
    brightness = thumbs.sum(1, dtype=np.int64)
    for quarter in range(4):
        key = (looks >> np.uint64(16 * quarter)) & np.uint64(0xFFFF)
        order = np.lexsort((brightness, looks, key))
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            i, j = order[:-step], order[step:]
            same = key[i] == key[j]
            if not same.any():
                break
            i, j = i[same], j[same]
            close = np.abs(brightness[i] - brightness[j]) <= SHADE * thumbs.shape[1]  # else they cannot be alike
            i, j = i[close], j[close]
            close = _bits(looks[i] ^ looks[j]) <= BITS
            found.append(_alike(i[close], j[close], thumbs))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits are set in each of (N,) words."""
    return np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1).sum(1, dtype=np.int64)


def _alike(i: NDArray[np.int64], j: NDArray[np.int64], thumbs: NDArray[np.uint8]) -> NDArray[np.int64]:
    alike = np.zeros(len(i), bool)
    for start in range(0, len(i), BLOCK):
        part = slice(start, start + BLOCK)
        alike[part] = np.abs(thumbs[i[part]].astype(np.int16) - thumbs[j[part]]).mean(1) <= SHADE
    return np.stack([i, j], 1)[alike]


def groups_of(contents: Sequence[str], looks: NDArray[np.uint64], thumbs: NDArray[np.uint8]) -> list[str]:
    """Name for each picture the group of look-alikes that it belongs to: what a split must not cut.

    Args:
        contents: hashes of the decoded pixels.
        looks: as in `near_pairs`.
        thumbs: as in `near_pairs`.
    """
    parent = list(range(len(contents)))
    first: dict[str, int] = {}
    pairs = [(first.setdefault(content, i), i) for i, content in enumerate(contents)]
    alone = np.array(sorted(first.values()), np.int64)
    near = alone[near_pairs(looks[alone], thumbs[alone])] if len(alone) else np.zeros((0, 2), np.int64)
    for i, j in near.tolist():
        parent[_top(parent, i)] = _top(parent, j)
    sizes = Counter(_top(parent, i) for i in alone.tolist())
    longest = max(20, CHAIN * len(alone))
    names: dict[int, str] = {}
    for i in alone.tolist():
        top = _top(parent, i)
        names[i] = str(contents[i] if sizes[top] > longest else contents[top])
    return [names[representative] for representative, _ in pairs]


def _top(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def place_of(group: str) -> float:
    """A number in [0, 1) that belongs to a group, uniform over groups."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=8).digest(), "big") / 2**64
