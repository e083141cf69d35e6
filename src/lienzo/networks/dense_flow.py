"""A coupling flow for codes without a grid: fully connected steps over all of their values at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks.bijections import Bijection, Listener
from lienzo.networks.coupling import CouplingNet, Heard, Step


class Dense(Bijection):
    """`depth` steps of normalisation, mixing and affine coupling over the C·H·W values of x as one vector.

    "Density estimation using Real NVP" (Dinh et al., 2017), with the steps of "Glow" (Kingma & Dhariwal, 2018). For
    codes of 1 × 1 places, where a grid cannot be halved and there is one patch alone.

    Args:
        shape: (C, H, W) of x; two values at least.
        sizes: widths of the condition channels; maps are heard as their means.
        width: of the coupling networks.
        depth: steps.
        layers: hidden layers of a coupling network.
        bound: b, of the log-scales.
        components: logistics a value in every coupling; 0: affine ones.

    Raises:
        ConfigurationError: for a single value, of which no part can tell of another.
    """

    def __init__(
        self, shape: tuple[int, int, int], sizes: Sizes, width: int = 64, depth: int = 8, layers: int = 1,
        bound: float = 2.0, components: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        values = shape[0] * shape[1] * shape[2]
        if values < 2:
            raise ConfigurationError(f"a coupling needs two values at least, codes are {shape}", hint="a larger code")
        self.listen = Listener(sizes, width)
        vector = width if sizes.vector or sizes.token else 0
        self.steps = nn.ModuleList(
            Step(values, width, layers, vector, sizes.maps, bound, 1, components) for _ in range(depth)
        )

    def forward(self, x: Tensor, channels: Channels, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return z (B, C, H, W) and log |det ∂z/∂x|, (B,)."""
        heard, total = self._heard(channels), x.new_zeros(len(x))
        z = x.flatten(1)[:, :, None, None]
        for step in self.steps:
            z, change = step(z, heard, measure)
            total = total + change
        return z.reshape(x.shape), total

    def undo(self, stage: int, z: Tensor, heard: Sequence[Channels], weights: Sequence[float] = ()) -> Tensor:
        """Return x, in one stage."""
        said, x = [self._heard(c) for c in heard], z.flatten(1)[:, :, None, None]
        for step in reversed(list(self.steps)):
            x = cast(Step, step).inverse(x, said, weights)
        return x.reshape(z.shape)

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the coupling networks."""
        return tuple(m for m in self.modules() if isinstance(m, CouplingNet))

    def _heard(self, channels: Channels) -> Heard:
        maps = None if channels.maps is None else channels.maps.mean((2, 3), keepdim=True)
        return Heard(self.listen(channels), maps)
