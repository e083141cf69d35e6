"""A label: one of a closed list of names (a class, a style, a group)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.core import ConditionError, Said, configurable


@configurable("label")
class LabelCondition(Condition):
    """One of `classes`, heard in the vector channel; an embedding each, and one more for "unsaid".

    Args:
        classes: the names, in the order of their numbers.

    >>> LabelCondition(["cat", "dog"]).parse(["dog", None]).values[0]
    tensor([1, 2])
    """

    def __init__(self, classes: list[str]) -> None:
        super().__init__()
        if len(set(classes)) != len(classes) or not classes:
            raise ConditionError(f"the classes of a label must be distinct and at least one, got {classes!r}")
        self.classes = list(classes)
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self.embedding = nn.Embedding(len(classes) + 1, 1)  # replaced by `prepare` with the bus's width

    def prepare(self, vector: int, token: int) -> None:
        """Create the embeddings, (classes + 1, D)."""
        self.embedding = nn.Embedding(len(self.classes) + 1, vector)
        nn.init.normal_(self.embedding.weight, std=0.5)

    def sizes(self, vector: int, token: int) -> Sizes:
        """A label is heard in the vector channel alone."""
        return Sizes(vector=vector)

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn names, or their numbers, into indices (B,)."""
        numbers = [len(self.classes) if v is None else self._number(v) for v in values]
        return Said((torch.tensor(numbers),), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def encode(self, said: Said) -> Channels:
        """Return the embedding of each row's label, (B, D)."""
        nothing = torch.full_like(said.values[0], len(self.classes))
        return Channels(vector=self.embedding(torch.where(said.present, said.values[0], nothing)))

    def _number(self, value: Any) -> int:
        if str(value) in self._numbers:
            return self._numbers[str(value)]
        if isinstance(value, int) and 0 <= value < len(self.classes):
            return value
        close = difflib.get_close_matches(str(value), self.classes, n=3)
        raise ConditionError(
            f"no label {value!r} among {len(self.classes)} classes", hint=" or ".join(close or self.classes[:8])
        )
