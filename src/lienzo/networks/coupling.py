"""Multi-scale coupling flows: steps of normalisation, mixing and affine coupling on ever smaller grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks import odds
from lienzo.networks.bijections import Bijection, Listener, mixed, shift_and_log_scale


@dataclass(frozen=True)
class Heard:
    """What the couplings of one level hear: `vector` (B, D) and `maps` (B, K, h, w), each None where silent."""

    vector: Tensor | None
    maps: Tensor | None


class ActNorm(nn.Module):
    """y = e^s (x − m)/d + t by channel; m and d are the first batch's mean and deviation, s and t are learnt.

    m and d are buffers and not the start of s and t, so that they are saved, agree on all processes, and an average of
    the weights does not mix them with what they were before. "Glow" (Kingma & Dhariwal, 2018).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return y and log |det ∂y/∂x|, the same for every row, ()."""
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        if measure:
            with torch.no_grad():
                mean.copy_(x.mean((0, 2, 3))[:, None, None])
                deviation.copy_(x.std((0, 2, 3), unbiased=False)[:, None, None].clamp_min(1e-4))
        scale = self.log_scale.exp() / deviation
        return (x - mean) * scale + self.shift, (self.log_scale - deviation.log()).sum() * x.shape[2] * x.shape[3]

    def inverse(self, y: Tensor) -> Tensor:
        """Return x."""
        return (y - self.shift) * self.get_buffer("deviation") * torch.exp(-self.log_scale) + self.get_buffer("mean")


class Mixing(nn.Module):
    """y = W x at every place, W = P L (U + diag(±e^s)), L, U triangular, so that log |det W| = Σ s.

    Starts as a random rotation. "Glow" (Kingma & Dhariwal, 2018), eq. 10.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))[0]
        permutation, lower, upper = (part.float() for part in torch.linalg.lu(rotation))
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", upper.diagonal().sign())
        self.lower, self.upper = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.log_scale = nn.Parameter(upper.diagonal().abs().log())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return y and log |det ∂y/∂x|, the same for every row, ()."""
        return _mix(x, self._matrix(x.dtype)), self.log_scale.sum() * x.shape[2] * x.shape[3]

    def inverse(self, y: Tensor) -> Tensor:
        """Return x; W is inverted in double precision."""
        return _mix(y, torch.linalg.inv(self._matrix(torch.float64)).to(y.dtype))

    def _matrix(self, dtype: torch.dtype) -> Tensor:
        p, sign = self.get_buffer("permutation").to(dtype), self.get_buffer("sign").to(dtype)
        lower = self.lower.to(dtype).tril(-1) + torch.eye(len(p), dtype=dtype, device=p.device)
        with torch.autocast(p.device.type, enabled=False):
            return p @ lower @ (self.upper.to(dtype).triu(1) + torch.diag(sign * self.log_scale.to(dtype).exp()))


def _mix(x: Tensor, matrix: Tensor) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):  # in bfloat16 the map would not be the one that is inverted
        return F.conv2d(x, matrix[:, :, None, None])


class CouplingNet(nn.Module):
    """A small convolutional network, its features scaled and shifted by what is said; its result starts at zero.

    With a kernel of one place it is a perceptron, the same one at every place.
    """

    def __init__(
        self, inside: int, outside: int, width: int, layers: int, vector: int, maps: int, kernel: int = 3
    ) -> None:
        super().__init__()
        sides: dict[str, Any] = {"kernel_size": kernel, "padding": kernel // 2}
        self.first = nn.Conv2d(inside + maps, width, **sides)
        self.norms = nn.ModuleList(nn.GroupNorm(_groups(width), width) for _ in range(layers + 1))
        self.layers = nn.ModuleList(nn.Conv2d(width, width, **sides) for _ in range(layers))
        self.hear = nn.Linear(vector, 2 * width * (layers + 1)) if vector else None
        self.last = nn.Conv2d(width, outside, **sides)
        for module in (self.last, self.hear):
            if module is not None:
                nn.init.zeros_(module.weight)
                nn.init.zeros_(cast(Tensor, module.bias))

    def forward(self, x: Tensor, heard: Heard) -> Tensor:
        """Map x (B, inside, h, w) to (B, outside, h, w)."""
        h = self.first(x if heard.maps is None else torch.cat([x, heard.maps.to(x.dtype)], 1))
        films: list[Tensor] = []
        if self.hear is not None and heard.vector is not None:
            films = list(self.hear(heard.vector).to(h.dtype)[:, :, None, None].chunk(2 * len(self.norms), 1))
        for number, norm in enumerate(self.norms):
            g = norm(h)
            if films:
                g = torch.addcmul(films[2 * number], g, 1 + films[2 * number + 1])
            g = F.silu(g)
            h = h + self.layers[number](g) if number < len(self.layers) else g
        return self.last(h)


class Coupling(nn.Module):
    """(a, b) → (a, (g(b) − μ(a)) e^−s(a)), |s| < bound. As the end of a level, a learnt prior of b.

    With no components g(b) = b: affine. "Density estimation using Real NVP" (Dinh et al., 2017). Else g(b) are the log
    odds of b in a mixture of so many logistics, which depends on a: `lienzo.networks.odds`, "Flow++" (Ho et al., 2019).
    """

    def __init__(
        self, channels: int, width: int, layers: int, vector: int, maps: int, bound: float, kernel: int = 3,
        components: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kept, self.bound, self.components = channels // 2, bound, components
        self.affine = 2 * (channels - self.kept)
        bends = odds.PARTS * components * (channels - self.kept)
        self.net = CouplingNet(self.kept, self.affine + bends, width, layers, vector, maps, kernel)
        if components:
            with torch.no_grad():
                cast(Tensor, self.net.last.bias)[self.affine :] = odds.first(components, channels - self.kept)

    def forward(self, x: Tensor, heard: Heard) -> tuple[Tensor, Tensor]:
        """Return (B, C, h, w) and the log-determinant, (B,)."""
        a, b = x[:, : self.kept], x[:, self.kept :]
        raw = self.net(a, heard)
        shift, s = shift_and_log_scale(raw[:, : self.affine], self.bound, 1)
        change = -s
        if self.components:
            b, slope = odds.odds(b, raw[:, self.affine :])
            change = slope - s
        return torch.cat([a, (b - shift) * torch.exp(-s)], 1), change.flatten(1).sum(1)

    def inverse(self, y: Tensor, heard: Sequence[Heard], weights: Sequence[float] = ()) -> Tensor:
        """Return x, under guidance where there are weights."""
        a, b = y[:, : self.kept], y[:, self.kept :]
        raw = mixed([self.net(a, h) for h in heard], weights)
        shift, s = shift_and_log_scale(raw[:, : self.affine], self.bound, 1)
        b = b * s.exp() + shift
        return torch.cat([a, odds.value(b, raw[:, self.affine :]) if self.components else b], 1)


class Step(nn.Module):
    """Normalise, mix, couple."""

    def __init__(
        self, channels: int, width: int, layers: int, vector: int, maps: int, bound: float, kernel: int = 3,
        components: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm, self.mixing = ActNorm(channels), Mixing(channels)
        self.coupling = Coupling(channels, width, layers, vector, maps, bound, kernel, components)

    def forward(self, x: Tensor, heard: Heard, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return (B, C, h, w) and the log-determinant, (B,)."""
        x, first = self.norm(x, measure)
        x, second = self.mixing(x)
        x, third = self.coupling(x, heard)
        return x, first + second + third

    def inverse(self, y: Tensor, heard: Sequence[Heard], weights: Sequence[float] = ()) -> Tensor:
        """Return x."""
        return self.norm.inverse(self.mixing.inverse(self.coupling.inverse(y, heard, weights)))


class Glow(Bijection):
    """At each level: fold 2 × 2 pixels into channels, `depth` steps, and leave half of the channels behind.

    What is left behind is brought to N(0, I) by a coupling, whose μ and s are a learnt prior given the other half and
    all that is said. "Glow: Generative Flow with Invertible 1×1 Convolutions" (Kingma & Dhariwal, 2018).

    Args:
        shape: (C, H, W) of x; H and W multiples of 2^levels.
        sizes: widths of the condition channels.
        width: channels of the coupling networks.
        depth: steps a level.
        levels: how many.
        layers: hidden convolutions of a coupling network.
        bound: b, of the log-scales.
        components: logistics a value in every coupling; 0: affine ones.

    Raises:
        ConfigurationError: if the grid cannot be halved so often.
    """

    def __init__(
        self, shape: tuple[int, int, int], sizes: Sizes, width: int = 64, depth: int = 8, levels: int = 2,
        layers: int = 1, bound: float = 2.0, components: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        channels, height, columns = shape
        if levels < 1 or height % 2**levels or columns % 2**levels:
            hint = "transform 'dense'" if height == columns == 1 else "fewer levels"
            raise ConfigurationError(f"{height}×{columns} cannot be halved {levels} times", hint=hint)
        self.listen = Listener(sizes, width)
        self.steps, self.splits = nn.ModuleList(), nn.ModuleList()
        vector = width if sizes.vector or sizes.token else 0
        for level in range(levels):
            channels *= 4
            plain = (channels, width, layers, vector, sizes.maps, bound, 3, components)
            self.steps.append(nn.ModuleList(Step(*plain) for _ in range(depth)))
            if level + 1 < levels:
                self.splits.append(Coupling(*plain))
                channels //= 2

    def forward(self, x: Tensor, channels: Channels, measure: bool = False) -> tuple[Tensor, Tensor]:
        """Return z (B, C, H, W) and log |det ∂z/∂x|, (B,)."""
        vector, total, left = self.listen(channels), x.new_zeros(len(x)), list[Tensor]()
        for level, steps in enumerate(self.steps):
            x = F.pixel_unshuffle(x, 2)
            heard = _heard(vector, channels, x)
            for step in cast("nn.ModuleList", steps):
                x, change = step(x, heard, measure)
                total = total + change
            if level < len(self.splits):
                x, change = self.splits[level](x, heard)
                total = total + change
                x, rest = x.chunk(2, 1)
                left.append(rest)
        for rest in reversed(left):
            x = torch.cat([F.pixel_shuffle(x, 2), rest], 1)
        return F.pixel_shuffle(x, 2), total

    def undo(self, stage: int, z: Tensor, heard: Sequence[Channels], weights: Sequence[float] = ()) -> Tensor:
        """Return x, in one stage."""
        vectors, left, x = [self.listen(c) for c in heard], list[Tensor](), F.pixel_unshuffle(z, 2)
        for _ in self.splits:
            x, rest = x.chunk(2, 1)
            left.append(rest)
            x = F.pixel_unshuffle(x, 2)
        for level in reversed(range(len(self.steps))):
            said = [_heard(v, c, x) for v, c in zip(vectors, heard, strict=True)]
            if level < len(self.splits):
                x = cast(Coupling, self.splits[level]).inverse(torch.cat([x, left[level]], 1), said, weights)
            for step in reversed(list(cast("nn.ModuleList", self.steps[level]))):
                x = cast(Step, step).inverse(x, said, weights)
            x = F.pixel_shuffle(x, 2)
        return x

    def fusible(self) -> tuple[nn.Module, ...]:
        """Return the coupling networks."""
        return tuple(m for m in self.modules() if isinstance(m, CouplingNet))


def _heard(vector: Tensor | None, channels: Channels, x: Tensor) -> Heard:
    maps = None if channels.maps is None else F.adaptive_avg_pool2d(channels.maps, (x.shape[2], x.shape[3]))
    return Heard(vector, maps)


def _groups(width: int) -> int:
    return next(g for g in (8, 4, 2, 1) if width % g == 0)
