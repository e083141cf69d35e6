"""The same row, bit for bit, at any batch size: evaluation in chunks of one fixed size.

Matrix products and convolutions choose their code path by the size of the batch, and paths differ in the last bits. A
function that is only ever called with `size` rows takes one path.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from lienzo.core import Conditions

T = TypeVar("T")


def rows_of(tree: T, index: Tensor) -> T:
    """Pick rows of every tensor in a tensor, conditions, a dataclass of tensors or None."""
    return _mapped([tree], lambda each: each[0][index.to(each[0].device)])


def joined(trees: Sequence[T]) -> T:
    """Put trees of the same form together, row after row."""
    return trees[0] if len(trees) == 1 else _mapped(trees, torch.cat)


def _mapped(trees: Sequence[T], change: Callable[[list[Tensor]], Tensor]) -> T:
    first: Any = trees[0]
    if isinstance(first, Tensor):
        return cast(T, change(cast(list[Tensor], list(trees))))
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        names = [f.name for f in dataclasses.fields(first)]
        entries = {n: _mapped([getattr(t, n) for t in trees], change) for n in names}
        return cast(T, dataclasses.replace(first, **entries))
    if first is None:
        return cast(T, None)
    raise TypeError(f"rows of a {type(first).__name__} are not known")


def in_chunks(function: Callable[..., T], size: int | None, *trees: Any, count: int) -> T:
    """Call `function` on `size` rows at a time, the last chunk padded with its last row, and join the results.

    Args:
        function: from trees of rows to a tree of rows, each row on its own.
        size: rows a call; None for all in one call.
        trees: tensors, conditions, dataclasses of tensors or None, `count` rows each.
        count: B.
    """
    if size is None or count == 0:
        return function(*trees)
    parts: list[T] = []
    for start in range(0, count, size):
        index = torch.arange(start, start + size).clamp(max=count - 1)
        parts.append(function(*(_rows(tree, index) for tree in trees)))
    return rows_of(joined(parts), torch.arange(count))


def _rows(tree: Any, index: Tensor) -> Any:
    return tree.rows(index) if isinstance(tree, Conditions) else rows_of(tree, index)
