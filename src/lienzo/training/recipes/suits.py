"""Recipe values brought to the pictures at hand: levels that can be halved, patches that tile, ranks they allow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lienzo.core import ConfigurationError

Values = dict[str, Any]
LEAST = 4  # the smallest side of a grid
SECOND = 1e6  # values of pictures that a density is fitted to in a second, about
FITTING = 0.3  # of a budget may go into that
MOST = 20_000  # pictures
FEW, SLOWLY = 5_000, 500_000  # pictures that a critic learns by heart, and images over which augmentation may rise to 1
MEMORY = 32e6  # values that it keeps until then, two bytes each, and in every checkpoint


@dataclass(frozen=True)
class Facts:
    """What is known of the pictures.

    Attributes:
        shape: (C, H, W) of what is learnt.
        pictures: how many.
        seconds: the budget.
    """

    shape: tuple[int, int, int]
    pictures: int
    seconds: float


def halved(values: Mapping[str, Any], facts: Facts) -> Values:
    """Return values with as many levels as the side can be halved exactly, and with patches that tile it.

    >>> halved({"kind": "unet", "widths": [8, 16, 24, 32], "attention": [3]}, Facts((3, 28, 28), 1, 1.0))
    {'kind': 'unet', 'widths': [8, 16, 24], 'attention': [2]}
    """
    return _suited(values, facts, exact=True)


def halved_rounding(values: Mapping[str, Any], facts: Facts) -> Values:
    """Return the same, where a side that is odd is rounded up.

    >>> halved_rounding({"widths": [8, 16, 24, 32], "fold": 2}, Facts((3, 28, 28), 1, 1.0))
    {'widths': [8, 16, 24], 'fold': 2}
    """
    return _suited(values, facts, exact=False)


def folded(values: Mapping[str, Any], facts: Facts) -> Values:
    """Return `halved_rounding`'s values, with a fold that divides the side and leaves a grid worth halving.

    >>> folded({"widths": [8, 16, 24], "fold": 4}, Facts((3, 30, 30), 1, 1.0))
    {'widths': [8, 16, 24], 'fold': 2}
    """
    side, most = facts.shape[1], int(values.get("fold", 1))
    fold = next(n for n in range(most, 0, -1) if n == 1 or (side % n == 0 and most % n == 0 and side >= LEAST * n))
    return halved_rounding({**values, "fold": fold}, facts)


def guarded(values: Mapping[str, Any], facts: Facts) -> Values:
    """Return `halved_rounding`'s values of a duel, with adaptive augmentation where the pictures are few.

    >>> guarded({"widths": [8, 16], "rules": {"r1": 0.5}}, Facts((3, 32, 32), 900, 1.0))["rules"]
    {'r1': 0.5, 'adapt': 500000}
    """
    suited = halved_rounding(values, facts)
    few: Values = {"adapt": SLOWLY} if facts.pictures < FEW else {}
    return {**suited, "rules": {**values.get("rules", {}), **few}}


def counted(values: Mapping[str, Any], facts: Facts) -> Values:
    """Return a density's values with as many pictures and axes as data, memory and time allow.

    >>> counted({}, Facts((1, 28, 28), 60_000, 1200.0))
    {'rank': 128, 'components': 4, 'pictures': 20000}
    """
    size = math.prod(facts.shape)
    pictures = int(min(MOST, 0.8 * facts.pictures, MEMORY / size, FITTING * facts.seconds * SECOND / size))
    pictures = max(pictures, 8)
    rank = max(min(128, pictures // 8, size // 2), 1)
    return {**values, "rank": rank, "components": min(4, pictures // 2), "pictures": pictures}


def _suited(values: Mapping[str, Any], facts: Facts, *, exact: bool) -> Values:
    side, result = facts.shape[1], dict(values)
    if "widths" in values:
        fold = values.get("fold", 1 if values.get("kind") == "unet" else 2)  # as the classes have it
        count = _levels(side / fold, len(values["widths"]), exact=exact)
        if side % fold or (count < min(2, len(values["widths"])) and side > LEAST * fold):
            raise ConfigurationError(f"pictures of side {side} cannot be halved", hint="--size with a multiple of 4")
        result |= {name: list(values[name])[:count] for name in ("widths", "groups") if name in values}
        result |= {"attention": [count - 1]} if "attention" in values else {}
    if "patch" in values:
        result["patch"] = math.gcd(side, values["patch"])
    if isinstance(values.get("levels"), int):
        if side % 2 and side > 1:
            raise ConfigurationError(f"pictures of side {side} cannot be halved", hint="--size with a multiple of 4")
        result["levels"] = next((n for n in range(values["levels"], 1, -1) if side % 2**n == 0), 1)
    return result


def _levels(side: float, most: int, *, exact: bool) -> int:
    count = 1
    while count < most and side / 2 > LEAST - 1 and (side % 2 == 0 or not exact):
        side, count = math.ceil(side / 2), count + 1
    return count
