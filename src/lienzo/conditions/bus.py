"""The condition bus: any number of named conditions → three channels, each of which may be dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.core import ConditionError, Conditions, Streams, configurable

TAKEN = frozenset(dir(nn.ModuleDict()))  # names that a dictionary of modules has for itself, e.g. "type" and "keys"
HIDDEN, DOT = "said ", "\u2024"  # before such a name, and for a dot in it


@configurable("bus")
class Bus(nn.Module):
    """Everything that may be said to a model, by name.

    Args:
        conditions: name → condition. The name is also the column of the data that it is learnt from.
        vector: D, the width of the vector channel.
        token: E, the width of the token channel.
        drop: probability with which each condition is unsaid in training, independently of the others.
        drop_all: probability with which all are unsaid at once: what classifier-free guidance needs
            (Ho & Salimans, 2022).
        drops: name → its own probability in the place of `drop`.

    >>> from lienzo.conditions import LabelCondition
    >>> bus = Bus({"style": LabelCondition(["noto", "twemoji"])}, vector=8)
    >>> bus(bus.parse({"style": ["noto", None]}, count=2)).vector.shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        conditions: Mapping[str, Condition] | None = None,
        vector: int = 256,
        token: int = 256,
        drop: float = 0.1,
        drop_all: float = 0.1,
        drops: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.vector, self.token, self.drop_each, self.drop_all = vector, token, drop, drop_all
        self.conditions = nn.ModuleDict({_key(name): condition for name, condition in (conditions or {}).items()})
        self.drops = dict(drops or {})
        for name in self.drops:
            self[name]  # raises for a name that no condition has
        for condition in self._each():
            condition.prepare(vector, token)

    def __getitem__(self, name: str) -> Condition:
        if _key(name) not in self.conditions:
            known = ", ".join(self.names) or "nothing: it is unconditional"
            raise ConditionError(f"this model has no condition {name!r}", hint=f"what it hears is {known}")
        condition = self.conditions[_key(name)]
        assert isinstance(condition, Condition)
        return condition

    @property
    def names(self) -> list[str]:
        """The names of what may be said."""
        return [_name(key) for key in self.conditions]

    @property
    def sizes(self) -> Sizes:
        """The widths of the channels, by which a network is built."""
        each = [condition.sizes(self.vector, self.token) for condition in self._each()]
        return Sizes(
            max((s.vector for s in each), default=0), max((s.token for s in each), default=0), sum(s.maps for s in each)
        )

    def parse(self, said: Mapping[str, Sequence[Any]], count: int) -> Conditions:
        """Turn what a user says, one value a row (None: unsaid), into a batch's conditions.

        Conditions that are not named are unsaid.

        Raises:
            ConditionError: for an unknown name or a value that its condition cannot understand.
        """
        for name in said:
            self[name]  # raises for a name that no condition has
        unsaid = [None] * count
        return Conditions({n: self[n].parse(said.get(n, unsaid)) for n in self.names}, count=count)

    def drop(self, conditions: Conditions, streams: Streams) -> Conditions:
        """Unsay conditions at random, by row and by condition, as training needs it."""
        keeps = self.keeps(list(conditions), streams)
        return Conditions(
            {name: said.dropped(keeps[name]) for name, said in conditions.items()}, count=conditions.count
        )

    def keeps(self, names: Sequence[str], streams: Streams) -> dict[str, Tensor]:
        """Return which rows `drop` leaves said, (B,) by name: what a loader need not read is what is not."""
        draws = streams.child("drop").uniform(1 + len(names))  # (B, 1 + n)
        some = draws[:, 0] >= self.drop_all
        each = {name: self.drops.get(name, self.drop_each) for name in names}
        return {name: (draws[:, n] >= each[name]) & some for n, name in enumerate(names, start=1)}

    def forward(self, conditions: Conditions) -> Channels:
        """Encode a batch's conditions: vectors are added, tokens and maps are put side by side."""
        if conditions.count and any(name not in conditions for name in self.names):
            device = next(self.parameters()).device
            nothing = self.parse({}, conditions.count).to(device)
            conditions = Conditions({**nothing, **conditions}, count=conditions.count)
        each = [self[name].encode(conditions[name]) for name in self.names]
        vectors = [c.vector for c in each if c.vector is not None]
        tokens = [c.tokens for c in each if c.tokens is not None]
        masks = [c.mask for c in each if c.mask is not None]
        maps = [c.maps for c in each if c.maps is not None]
        return Channels(
            vector=torch.stack(vectors).sum(0) if vectors else None,
            tokens=torch.cat(tokens, 1) if tokens else None,
            mask=torch.cat(masks, 1) if masks else None,
            maps=torch.cat(maps, 1) if maps else None,
        )

    def _each(self) -> list[Condition]:
        return [self[name] for name in self.names]


def _key(name: str) -> str:
    """Return what a condition's weights are called: its name, unless no module may be called so."""
    hidden = name in TAKEN or "." in name or not name or name.startswith(HIDDEN)
    return HIDDEN + name.replace(".", DOT) if hidden else name


def _name(key: str) -> str:
    """Return the name of a condition by what its weights are called."""
    return key.removeprefix(HIDDEN).replace(DOT, ".") if key.startswith(HIDDEN) else key


def where_said(present: Tensor, said: Tensor, null: Tensor) -> Tensor:
    """Take `said` where a row says something and `null` elsewhere; `present` is (B,)."""
    return torch.where(present.view(-1, *[1] * (said.ndim - 1)), said, null)
