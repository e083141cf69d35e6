r"""Normalising flows: an invertible network between pictures and noise, and so an exact likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.base import Channels, Sizes
from lienzo.conditions.bus import Bus
from lienzo.core import (
    Batch,
    Conditions,
    ConfigurationError,
    Encodes,
    Family,
    Loss,
    Progress,
    Scores,
    Streams,
    configurable,
)
from lienzo.networks.autoflow import AutoFlow
from lienzo.networks.bijections import Bijection, log_normal
from lienzo.networks.coupling import Glow
from lienzo.networks.dense_flow import Dense
from lienzo.networks.dequantize import LEVELS, Dequantizer, filled
from lienzo.sampling import in_chunks, named
from lienzo.sampling.guidance import branched

CHUNK = 16  # rows a network call on a CPU, where the size of a call changes a result's last bits
MEASURED = "measured"  # the buffer that says whether the first batch has been seen
Make = Callable[["Sized"], Bijection]


class Sized:
    """The numbers by which a transform is built; `Flow` documents them."""

    def __init__(self, shape: tuple[int, int, int], sizes: Sizes, **numbers: Any) -> None:
        self.shape, self.sizes, self.numbers = shape, sizes, numbers

    def __call__(self, kind: type[Bijection], *names: str) -> Bijection:
        """Build a transform with the numbers that it takes."""
        return kind(self.shape, self.sizes, **{name: self.numbers[name] for name in names})


COMMON = ("width", "depth", "layers", "bound")
TRANSFORMS: dict[str, Make] = {
    "glow": lambda sized: sized(Glow, *COMMON, "levels", "components"),
    "transformer": lambda sized: sized(AutoFlow, *COMMON, "patch", "heads"),
    "dense": lambda sized: sized(Dense, *COMMON, "components"),
}
ROWS: dict[str, Literal["density", "dequantized", "noisy"]] = {
    "none": "density", "uniform": "dequantized", "variational": "dequantized", "gaussian": "noisy",
}  # fmt: skip
REACH = 127.5 / 128  # takes a level and the half levels beside it into [-1, 1]


@configurable("flow")
class Flow(Family, Scores, Encodes):
    r"""p(v | c) = N(f(v; c); 0, I) |det ∂f/∂v|, f invertible: exact density, exact codes, sampling by f⁻¹.

    A picture x = k/127.5 − 1 has 8 bits and is no continuous quantity; v is made of it by a row of `ROWS`:
    "uniform" and "variational" fill its level, v = x + (u − ½)/127.5 (`lienzo.networks.dequantize`); "gaussian" is
    v = x + σε, whose noise is removed from samples by the flow's own score (Tweedie), x ≈ v + σ² ∂log p(v)/∂v
    (Zhai et al., 2024); "none" is v = x, for codes. It minimises E[−log p(v) + log q(u | x)] a value, in nats.

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said.
        transform: f: "glow", multi-scale coupling (Kingma & Dhariwal, 2018); "transformer", blocks of causal
            transformers over patches (Zhai et al., 2024); "dense", coupling of all values, for codes without a grid.
        dequantization: a row of `ROWS`; "gaussian" with its σ on the scale of [-1, 1], e.g. "gaussian 0.05".
        width: channels of the coupling networks, or width of a token.
        depth: coupling steps a level, or blocks.
        layers: hidden layers of a coupling network, or transformer layers a block.
        levels: of "glow": how often the grid is halved.
        patch, heads: of "transformer": side of a patch, attention heads.
        bound: the largest log-scale of one affine map.
        components: of "glow" and "dense": each value is pushed through a mixture of so many logistics (Ho et al.,
            2019) before its affine map; 0: it is not.
        logit: α; where > 0, f starts with atanh(r v), r = (1 − α) 127.5/128, so that samples stay inside [-1/r, 1/r].

    Raises:
        ConfigurationError: for a name that a table does not have, or sizes that do not fit.
    """

    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "exact"
    round_trip: ClassVar[float] = 1e-4

    def __init__(  # noqa: PLR0913 (three kinds of transform)
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        transform: str = "glow",
        dequantization: str = "uniform",
        width: int = 64,
        depth: int = 8,
        layers: int = 1,
        levels: int = 2,
        patch: int = 4,
        heads: int = 4,
        bound: float = 2.0,
        logit: float = 0.0,
        components: int = 0,
    ) -> None:
        super().__init__()
        channels, height, columns = shape
        self.shape, self.bus = (channels, height, columns), bus
        self.dequantization, self.noise = _row(dequantization)
        self.scored = ROWS[self.dequantization]  # type: ignore[misc]
        self.logit, self.reach = logit, (1 - logit) * REACH
        if not 0 <= logit < 1 or (logit and self.dequantization not in ("uniform", "variational")):
            raise ConfigurationError(f"logit {logit} with {dequantization!r}", hint="0, or below 1 with 'uniform'")
        if components < 0:
            raise ConfigurationError(f"components {components}", hint="0 for affine couplings, or 4")
        sized = Sized(
            self.shape, bus.sizes, width=width, depth=depth, layers=layers, levels=levels, patch=patch, heads=heads,
            bound=bound, components=components,
        )  # fmt: skip
        self.transform = named(TRANSFORMS, "transform", transform)(sized)
        self.dequantizer = Dequantizer(self.shape) if self.dequantization == "variational" else None
        if self.dequantizer is not None:
            self.likelihood = "bound"  # type: ignore[misc]  # log p(v) − log q(u | x), not log p(v)
        self.register_buffer(MEASURED, torch.zeros(()))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fusible(self) -> Iterable[nn.Module]:
        """Return the networks inside the transforms."""
        return (*self.transform.fusible(), *(self.dequantizer.fusible() if self.dequantizer is not None else ()))

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return −log p a value, in nats; the first batch sets the normalisation.

        `parts` has bits a dimension where levels are filled, else nats a value.
        """
        measure = self.training and not bool(self.get_buffer(MEASURED))
        channels = self.bus(self.bus.drop(batch.conditions, batch.streams))
        log_p = self._scored(batch.x, channels, batch.streams, measure)
        if measure:
            self.get_buffer(MEASURED).fill_(1)
        nats = -log_p.mean() / math.prod(self.shape)
        if self.scored == "dequantized":
            return Loss(nats, {"bits": self.bits_per_dimension(log_p.detach()).mean()})
        return Loss(nats, {"nats": nats.detach()})  # of codes or noisy pictures: there are no levels to count bits by

    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams) -> Tensor:
        """Return log p(v | c) in nats, (B,), of one draw v a picture; less log q(u | x) under "variational".

        Exact as a density at v, in units of x; its mean over u is a lower bound of log P(k) + D log 127.5, P of 8-bit
        pictures, to which x is rounded first. Under "gaussian" it is the density of noisy pictures.
        """
        return self._scored(x, self.bus(conditions), streams)

    def density(self, v: Tensor, channels: Channels, measure: bool = False) -> Tensor:
        """Return log p(v | c) in nats, (B,), at v (B, C, H, W) itself."""
        z, change = self._forward(v, channels, measure)
        return log_normal(z) + change

    def bits_per_dimension(self, log_prob: Tensor) -> Tensor:
        """Return log₂ 127.5 − log p/(D ln 2), bits a value of 8-bit pictures, of `log_prob` in nats."""
        return math.log2(LEVELS) - log_prob / (math.prod(self.shape) * math.log(2))

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return z = f(x; c), (B, C, H, W), of x as it is; `decode` undoes it within rounding."""
        channels = self.bus(conditions or Conditions(count=len(x)))
        return self._forward(x, channels)[0]

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the picture with that code, (B, C, H, W)."""
        channels = self.bus(conditions or Conditions(count=len(z)))
        return self._picture(self.transform.inverse(z, [channels]))

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        temperature: float = 1.0,
        guidance: float | Mapping[str, float] = 1.0,
        denoise: bool = True,
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Yield the way back from noise: one step for coupling, one a block for "transformer", one for the denoising.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            temperature: standard deviation of z; below 1, likelier and less various pictures.
            guidance: w, one weight for all that is said, or one a condition: μ and s of every affine map are
                μ₀ + w (μ_c − μ₀), the latter before its bound.
            denoise: of "gaussian", whether the noise is taken away at the end.
            chunk: rows a network call; by default 16 on a CPU and all elsewhere. Pictures are the same bit for bit only
                at the same value.
            **options: none are known.

        Raises:
            ConfigurationError: for an option that it does not have.
            ConditionError: for a guided condition that the model does not have.
        """
        if options:
            raise ConfigurationError(f"a flow has no option {next(iter(options))!r}", hint="temperature, guidance")
        device, count = self.get_buffer(MEASURED).device, conditions.count
        size = chunk or (CHUNK if device.type == "cpu" else None)
        channels, weights = self._branches(conditions.to(device), guidance, size)
        z = streams.child("start").normal(*self.shape).to(device) * temperature
        last = denoise and self.dequantization == "gaussian"
        steps = self.transform.stages + last
        for stage in range(self.transform.stages):

            def undo(z: Tensor, *heard: Channels, stage: int = stage) -> Tensor:
                return self.transform.undo(stage, z, heard, weights)

            z = in_chunks(undo, size, z, *channels, count=count)
            yield Progress(stage + 1, steps, z, self._picture(z))
        if last:
            z = in_chunks(self._denoised, size, z, channels[-1], count=count)
            yield Progress(steps, steps, z, z)

    def _branches(
        self, conditions: Conditions, guidance: float | Mapping[str, float], size: int | None
    ) -> tuple[list[Channels], list[float]]:
        """Return what each branch of guidance hears, and the weights between them."""
        heard, weights = branched(conditions, guidance, self.bus.__getitem__)
        return [in_chunks(self.bus, size, c, count=conditions.count) for c in heard], weights

    def _scored(self, x: Tensor, channels: Channels, streams: Streams, measure: bool = False) -> Tensor:
        """Return log p(v) − log q(v | x), (B,), of one draw."""
        draws = streams.child("dequantization")
        if self.dequantization == "none":
            return self.density(x, channels, measure)
        if self.dequantization == "uniform":
            return self.density(filled(x, draws.uniform(*self.shape).to(x.device)), channels, measure)
        noise = draws.normal(*self.shape).to(x)
        if self.dequantizer is None:
            return self.density(x + self.noise * noise, channels, measure)
        u, log_q = self.dequantizer(x, noise, measure)
        return self.density(filled(x, u), channels, measure) - log_q

    def _forward(self, v: Tensor, channels: Channels, measure: bool = False) -> tuple[Tensor, Tensor]:
        if not self.logit:
            return self.transform(v, channels, measure)
        y = torch.atanh(self.reach * v)
        # log dy/dv = log r − log(1 − tanh² y), and 1 − tanh² y = 4 σ(2y) σ(−2y)
        change = math.log(self.reach / 4) - F.logsigmoid(2 * y) - F.logsigmoid(-2 * y)
        z, more = self.transform(y, channels, measure)
        return z, more + change.flatten(1).sum(1)

    def _picture(self, y: Tensor) -> Tensor:
        """Return v of what the transform was given."""
        return torch.tanh(y) / self.reach if self.logit else y

    def _denoised(self, v: Tensor, channels: Channels) -> Tensor:
        """Return v + σ² ∂log p(v | c)/∂v."""
        with torch.enable_grad():
            v = v.detach().requires_grad_()
            (score,) = torch.autograd.grad(self.density(v, channels).sum(), v)
        return (v + self.noise**2 * score).detach()


def _row(entry: str) -> tuple[str, float]:
    """Read "name" or "gaussian σ"."""
    name, *numbers = entry.split() or [""]
    named(ROWS, "dequantization", name)
    try:
        (noise,) = [float(n) for n in numbers] if name == "gaussian" else [0.0][: 1 - len(numbers)]
    except ValueError:
        raise ConfigurationError(f"dequantization {entry!r}", hint='a name; for "gaussian" then σ, e.g. 0.05') from None
    return name, noise
