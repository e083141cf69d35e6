"""The protocol: a family of distributions p(x | c), and the capabilities that it may declare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from torch import Tensor, nn

from lienzo.core.batch import Batch, Conditions
from lienzo.core.errors import CapabilityError
from lienzo.core.streams import Streams


@dataclass(frozen=True)
class Loss:
    """What a player minimises, and the parts of it that the log shows.

    Attributes:
        total: scalar with gradient, the mean over the batch.
        parts: detached scalars by name.
    """

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict[str, Tensor])


@dataclass(frozen=True)
class Progress:
    """One step on the way from noise to picture.

    Attributes:
        step, steps: this step's number from 1, and how many there are.
        x: (B, C, H, W), the state.
        estimate: (B, C, H, W), the picture that the family expects at this point, or the code of one over codes; it is
            not clamped: `sample` does that, with pictures.
    """

    step: int
    steps: int
    x: Tensor
    estimate: Tensor


class Family(nn.Module, ABC):
    """A family of distributions p(x | c) over pictures x given conditions c.

    `loss` and `sample` are all that every family has; what else one can do it declares by inheriting a capability
    (`Scores`, `Encodes`, `Denoises`).

    Attributes:
        players: whom the loop trains in turn. A GAN has ("critic", "generator"); repeat a name for extra steps.
        shape: (C, H, W) of a picture.
        hears: the kinds of conditions that it listens to; None: all, if it takes a bus.
        scratch: names of weights, or of whole parts, that its training alone needs: exports leave them out, and where
            they are missing they stay as they are built.
        rounded: names of buffers that exports round as they round weights.
    """

    players: ClassVar[tuple[str, ...]] = ("model",)
    hears: ClassVar[frozenset[str] | None] = None
    scratch: ClassVar[frozenset[str]] = frozenset()
    rounded: ClassVar[frozenset[str]] = frozenset()
    shape: tuple[int, int, int]

    @abstractmethod
    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return what `player` minimises on `batch`."""

    def parameters_of(self, player: str = "model") -> Iterable[nn.Parameter]:
        """Return the parameters that `player` may change: by default, all that ask for a gradient."""
        return (p for p in self.parameters() if p.requires_grad)

    def lean(self) -> dict[str, Any]:
        """Return arguments to build a model with that only draws, where they differ from its own.

        A part that is None then is left out of exports. By default there is none.
        """
        return {}

    def fusible(self) -> Iterable[nn.Module]:
        """Return the networks that a compiler may fuse: those that do the work, and compute tensors from tensors."""
        return ()

    def lacks(self, capability: type) -> str:
        """Return why it has not a capability, for people: the end of a sentence."""
        return "its mathematics does not give one"

    @abstractmethod
    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        """Yield every step from noise to picture; the last one's `estimate` is the sample."""

    def sample(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Tensor:
        """Draw one picture a stream.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size.
            options: the family's own (steps, solver, guidance …).

        Returns:
            (B, C, H, W) in [-1, 1].
        """
        last = deque(self.sampling(conditions, streams=streams, **options), maxlen=1)
        if not last:
            raise ValueError("sampling ended without a step; ask for at least one")
        return last[0].estimate.clamp(-1, 1)


class Scores(ABC):
    """A family that can say how likely a picture is.

    Attributes:
        likelihood: "exact", a lower "bound", or an "estimate" with sampling or discretisation error.
        scored: what `log_prob` is about: a "density" at x as it is, or at a "dequantized" or "noisy" x that the family
            makes of it; or the logarithm of a probability: of the "8-bit" or "binarized" picture, or of its "tokens".
    """

    likelihood: ClassVar[Literal["exact", "bound", "estimate"]]
    scored: ClassVar[Literal["density", "dequantized", "noisy", "8-bit", "binarized", "tokens"]] = "density"

    @abstractmethod
    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams) -> Tensor:
        """Return log p(x | c) in nats, (B,), of pictures x (B, C, H, W), of the kind that `scored` says."""


class Encodes(ABC):
    """A family with a code z for every picture.

    Attributes:
        round_trip: how well a code keeps a picture: the largest mean of |decode(encode(x)) − x|, a value, over pictures
            like those that it has learnt, in [-1, 1]. The suite holds a small trained model of every family to it.
    """

    round_trip: ClassVar[float]

    @abstractmethod
    def encode(self, x: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the code of x (B, C, H, W)."""

    @abstractmethod
    def decode(self, z: Tensor, conditions: Conditions | None = None) -> Tensor:
        """Return the picture (B, C, H, W) of a code."""


class Denoises(ABC):
    """A family that can estimate the clean picture behind a noisy one: what solvers, guidance and editing use.

    Attributes:
        schedule: α(t), σ(t) of the noisy picture x_t = α x + σ ε: a `lienzo.sampling.Schedule`.
    """

    schedule: Any

    @abstractmethod
    def denoise(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Return E[x | x_t, c], (B, C, H, W), at times t (B,) in [0, 1], from noise (0) to data (1)."""


C = TypeVar("C")


def require(model: object, capability: type[C]) -> C:
    """Return `model` as one that has `capability`, or say which families do.

    Raises:
        CapabilityError: if the model's class does not declare it.
    """
    if isinstance(model, capability):
        return model
    from lienzo.core.registry import classes_of  # late: the registry may import families

    able = sorted(name for name, cls in classes_of("family").items() if issubclass(cls, capability))
    verb = capability.__name__.lower()
    why = model.lacks(capability) if isinstance(model, Family) else "its mathematics does not give one"
    raise CapabilityError(
        f"{type(model).__name__} has no '{verb}' capability: {why}",
        hint=f"a family that has it: {', '.join(able) or 'none yet'}",
    )
