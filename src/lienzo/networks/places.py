"""Where something may be added inside a backbone, and a copy of its first part that shares its weights."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor, nn

from lienzo.conditions import Channels

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Place:
    """A hidden state of a backbone.

    Attributes:
        width: D, its channels.
        grid: (h, w).
    """

    width: int
    grid: tuple[int, int]


class Controllable(nn.Module, ABC):
    """A backbone that takes something added to its hidden states: what a control branch needs.

    Attributes:
        places: the states, in the order in which they are computed, from fine grids to coarse ones.
    """

    places: tuple[Place, ...]

    @abstractmethod
    def forward(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> Tensor:
        """Map x (B, C, H, W) at times t (B,) to a tensor of its shape; `added[i]` (B, D, h, w) joins place i."""

    @abstractmethod
    def states(self, x: Tensor, t: Tensor, channels: Channels, added: Sequence[Tensor] = ()) -> list[Tensor]:
        """Return the state (B, D, h, w) at every place, what is added included."""

    @abstractmethod
    def early(self) -> Controllable:
        """Return its first part, good for `states` alone; it shares all of its weights."""


def shared(module: M) -> M:
    """Return a copy of a module that holds the very same parameters and buffers."""
    return copy.deepcopy(module, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})


def plus(h: Tensor, added: Sequence[Tensor], place: int) -> Tensor:
    """Return h with what is added at a place, if anything is."""
    return h + added[place].to(h.dtype) if place < len(added) else h
