"""What a condition type is, and the three channels in which a network can hear one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lienzo.core import Said


@dataclass(frozen=True)
class Channels:
    """What a network hears. Every entry is None where no condition uses that channel.

    Attributes:
        vector: (B, D), for labels, styles and pooled text.
        tokens: (B, L, E), for text and reference images.
        mask: (B, L) bool, True where a token says something; at least one is True in every row.
        maps: (B, K, H, W), for segmentation, depth, pose, edges, masks, images to keep.
    """

    vector: Tensor | None = None
    tokens: Tensor | None = None
    mask: Tensor | None = None
    maps: Tensor | None = None


@dataclass(frozen=True)
class Sizes:
    """The widths of the channels, by which a network is built; 0 where a channel is silent.

    Attributes:
        vector: D of `Channels.vector`.
        token: E of `Channels.tokens`.
        maps: K of `Channels.maps`.
    """

    vector: int = 0
    token: int = 0
    maps: int = 0


class Condition(nn.Module, ABC):
    """One kind of thing that a user may say: it parses it, knows what "unsaid" is, and encodes both."""

    @abstractmethod
    def parse(self, values: Sequence[Any]) -> Said:
        """Turn one user value a row (None: unsaid) into tensors.

        Raises:
            ConditionError: for a value that it cannot understand, naming it and what would do.
        """

    @abstractmethod
    def sizes(self, vector: int, token: int) -> Sizes:
        """Say which channels it uses, given the widths that the bus offers."""

    @abstractmethod
    def prepare(self, vector: int, token: int) -> None:
        """Create the parameters, once the bus has said how wide its channels are."""

    @abstractmethod
    def encode(self, said: Said) -> Channels:
        """Turn parsed values into channels, with the learnt null where nothing is said."""
