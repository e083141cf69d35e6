r"""Densities in closed form: probabilistic PCA and Gaussian mixtures, the baselines that a learnt family must beat."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.bus import Bus
from lienzo.conditions.label import LabelCondition
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
from lienzo.networks.mixtures import SubspaceMixtures, picked
from lienzo.networks.mixtures_fit import MODELS, fit, library
from lienzo.sampling.chunks import in_chunks

CHUNK = 4  # rows a call on a CPU, as in the other families
FIRST = 64  # pictures before the first fit
GREY = 127.5  # steps of an 8-bit value in a unit of x


@configurable("density")
class Density(Family, Scores, Encodes):
    r"""p(x | c) as a mixture of K Gaussians along q principal axes with round noise off them, one for each class c.

    x = μ_c + W_cᵀ z + σ_c (I − W_cᵀW_c) ε, z ~ Σ_k π_ck N(m_ck, e^{2s} Σ_ck). Without a label p(x) = Σ_c p(c) p(x | c).

    It is fitted, not trained: in training it keeps the first pictures that it sees in a buffer, and fits everything
    anew to what it has whenever that is four times as much, the last time when it has `pictures` of them; then the
    buffer is emptied. Until the first fit it is N(0, e^{2s} I). What gradient descent trains is s alone, one number:
    how much wider the world is than the pictures of the fit, learnt from those that came later (a fit starts at its
    value, whatever that is). The density is that of dequantized pictures, x + (u − ½)/127.5 with u uniform, over
    ℝ^(CHW); what lies outside of [-1, 1] is not cut off.

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said; one label of it is heard, everything else is ignored.
        model: "gmm", or "ppca", which is a single Gaussian.
        rank: q.
        components: K of a "gmm".
        covariance: Σ_ck "full", or "diag" where pictures are few.
        pictures: how many the last fit sees; a run's checkpoints have room for them, 2 CHW bytes each, exports do not.
        by: the label that is heard; by default the first.

    Raises:
        ConfigurationError: for sizes that do not fit, a label that is not there, several processes, or in training
            without scikit-learn.

    "Probabilistic Principal Component Analysis" (Tipping & Bishop, 1999); "Maximum Likelihood from Incomplete Data via
    the EM Algorithm" (Dempster, Laird & Rubin, 1977).
    """

    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "exact"
    hears: ClassVar[frozenset[str] | None] = frozenset({"label"})
    scored = "dequantized"
    round_trip: ClassVar[float] = 0.06
    scratch: ClassVar[frozenset[str]] = frozenset({"kept", "labels", "count"})
    rounded: ClassVar[frozenset[str]] = frozenset({"mixtures.basis"})

    def __init__(
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        model: Literal["gmm", "ppca"] = "gmm",
        rank: int = 64,
        components: int = 4,
        covariance: Literal["full", "diag"] = "full",
        pictures: int = 20_000,
        by: str | None = None,
    ) -> None:
        super().__init__()
        self.shape, self.values, self.least = shape, math.prod(shape), 2 * max(rank, components)
        if not 1 <= rank <= self.values or components < 1 or pictures < self.least:
            what = f"rank {rank} of {self.values} values with {components} components from {pictures} pictures"
            raise ConfigurationError(what, hint=f"at least {self.least} pictures, and a rank within the values")
        self.model, self.rank, self.covariance, self.pictures = model, rank, covariance, pictures
        self.code_shape = (rank, 1, 1)
        self.components = 1 if model == "ppca" else components
        self.bus = bus.requires_grad_(False)  # a label picks a distribution: no embedding of it is learnt
        self.by = _label(bus, by)
        self.classes = len(bus[self.by].classes) if self.by is not None else 0  # type: ignore[union-attr,arg-type]
        sizes = (self.classes + 1, self.values, rank, self.components)  # the last: of them all
        self.mixtures = SubspaceMixtures(*sizes, diagonal=model == "ppca" or covariance == "diag")
        self.spread = nn.Parameter(torch.zeros(1))
        self.register_buffer("share", torch.full((self.classes,), 1 / max(self.classes, 1)))
        self.register_buffer("kept", torch.zeros(pictures, self.values, dtype=torch.float16))
        self.register_buffer("labels", torch.full((pictures,), -1))
        self.register_buffer("count", torch.zeros(1, dtype=torch.int64))

    @classmethod
    def tiny(cls) -> dict[str, Any]:
        """Return arguments for a test."""
        return {"rank": 4, "components": 2, "pictures": 64}

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return −log p(x | c) in nats a value; `bits` is it in bits a value of an 8-bit picture."""
        if self.training:
            self.keep(batch)
        x = _dequantized(batch.x, batch.streams)
        nats = -self.log_density(x, batch.conditions).mean() / self.values
        bits = nats.detach() / math.log(2) + math.log2(GREY)
        return Loss(nats, {"bits": bits, "fitted_to": self._count().float().mean()})

    def fit(self, batches: Iterable[Batch]) -> None:
        """Fit to pictures at once, without a training loop: the first `pictures` of what the batches hold."""
        for batch in batches:
            self._append(batch)
        self._fit(int(self._count()))

    @torch.no_grad()
    def keep(self, batch: Batch) -> None:
        """Keep the pictures of a batch, as long as there is room, and fit when they are four times as many."""
        before = int(self._count())
        if before >= self.pictures:
            return
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            raise ConfigurationError("a density is fitted by one process", hint="the same command without torchrun")
        library("sklearn")  # missing, it should be missed now and not at the first fit
        self._append(batch)
        count = int(self._count())
        if count == self.pictures or _turn(count, self.least) > _turn(before, self.least):
            self._fit(count)

    def log_density(self, x: Tensor, conditions: Conditions) -> Tensor:
        """Return log p(x | c) in nats, (B,) float64, at the very x (B, C, H, W)."""
        each = self.mixtures.log_density(x.flatten(1), self.spread)
        if self.by is None:
            return each[:, 0]
        of_class, number = each[:, :-1], self._number(conditions, len(x))
        any_class = (of_class + self.get_buffer("share").double().log()).logsumexp(1)
        return torch.where(number < 0, any_class, of_class.gather(1, number.clamp_min(0)[:, None])[:, 0])

    @torch.no_grad()
    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams, dequantize: bool = True) -> Tensor:
        """Return log p(x | c) in nats, (B,), of dequantized pictures, or of x as it is."""
        x = _dequantized(x, streams) if dequantize else x
        return self.log_density(x, conditions).to(x.dtype)

    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return E[h | x] of probabilistic PCA, (B, q, 1, 1); without a label, along the axes of all pictures."""
        return self.mixtures.code(x.flatten(1), self._which(conditions, len(x)), self.spread)[..., None, None]

    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return E[x | h], (B, C, H, W), of codes h (B, q, 1, 1)."""
        x = self.mixtures.picture(z.flatten(1), self._which(conditions, len(z)), self.spread)
        return x.view(-1, *self.shape)

    @torch.no_grad()
    def sampling(
        self, conditions: Conditions, *, streams: Streams, noise: float = 1.0, **options: Any
    ) -> Iterator[Progress]:
        """Draw class, component and z, in one step.

        Args:
            conditions: B rows.
            streams: B rows.
            noise: factor of the noise off the axes: 1 draws from p, 0 leaves it out, which looks better.
            **options: none.
        """
        if options:
            raise ConfigurationError(f"a density has no option {next(iter(options))!r}", hint="noise")
        device = self.spread.device
        choice = streams.child("choice").uniform(2).to(device)
        normal = streams.child("code").normal(self.rank).to(device)
        off = streams.child("noise").normal(self.values).to(device) * noise
        which = self._number(conditions, conditions.count).to(device)
        drawn = picked(self.get_buffer("share"), choice[:, 0]) if self.classes else torch.zeros_like(which)
        which = torch.where(which < 0, drawn, which)
        component = self.mixtures.component(which, choice[:, 1])
        size = CHUNK if device.type == "cpu" else None

        def draw(model: Tensor, k: Tensor, z: Tensor, e: Tensor) -> Tensor:
            return self.mixtures.draw(model, k, z, e, self.spread)

        x = in_chunks(draw, size, which, component, normal, off, count=len(which)).view(-1, *self.shape)
        yield Progress(1, 1, x, x)

    def _append(self, batch: Batch) -> None:
        start = int(self._count())
        rows = min(len(batch), self.pictures - start)
        self.get_buffer("kept")[start : start + rows].copy_(batch.x[:rows].flatten(1))
        self.get_buffer("labels")[start : start + rows].copy_(self._number(batch.conditions, len(batch))[:rows])
        self._count().add_(rows)

    @torch.no_grad()
    def _fit(self, count: int) -> None:
        """Fit to the first `count` pictures; a class with too few of them is taken to be like all."""
        x, labels = self.get_buffer("kept")[:count].float().cpu(), self.get_buffer("labels")[:count].cpu()
        numbers = torch.bincount(labels[labels >= 0], minlength=self.classes)
        poor = self.classes == 0 or int(numbers.min()) < self.least
        every = self._fitted(x, self.model if poor else "ppca")  # where no class is poor, it only gives axes
        self.mixtures.set(self.classes, self.spread, **every)
        for number in range(self.classes):
            rich = int(numbers[number]) >= self.least
            part = self._fitted(x[labels == number], self.model) if rich else every
            self.mixtures.set(number, self.spread, **part)
        if self.classes and int(numbers.sum()):
            self.get_buffer("share").copy_(numbers / numbers.sum())
        if count == self.pictures:
            self.get_buffer("kept").zero_()  # a model need not carry the pictures that it was fitted to

    def _fitted(self, x: Tensor, model: str) -> dict[str, Tensor]:
        assert model in MODELS
        return fit(x, self.rank, self.components, model, self.covariance)

    def _number(self, conditions: Conditions | None, count: int) -> Tensor:
        """Return the number of each row's class, (B,); −1 where none is said."""
        said = conditions.get(self.by) if conditions is not None and self.by is not None else None
        if said is None:
            return torch.full((count,), -1, device=self.spread.device)
        return torch.where(said.present, said.values[0], -1)

    def _which(self, conditions: Conditions | None, count: int) -> Tensor:
        number = self._number(conditions, count)
        return torch.where(number < 0, self.classes, number)

    def _count(self) -> Tensor:
        return self.get_buffer("count")


def _label(bus: Bus, by: str | None) -> str | None:
    """Return the name of the label that is heard."""
    labels = [name for name in bus.names if isinstance(bus[name], LabelCondition)]
    if by is not None and by not in labels:
        raise ConfigurationError(f"no label {by!r} is heard", hint=f"one of {', '.join(labels) or 'none'}")
    return by or next(iter(labels), None)


def _dequantized(x: Tensor, streams: Streams) -> Tensor:
    return x + (streams.child("dequantize").uniform(*x.shape[1:]).to(x) - 0.5) / GREY


def _turn(count: int, least: int) -> int:
    """Return which fit so many pictures are enough for: 64 (or `least`) for the first, each four times the last."""
    return ((count // max(FIRST, least)).bit_length() + 1) // 2
