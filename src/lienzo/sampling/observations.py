"""What a decoder says of a picture: p(x | parameters), one row of `OBSERVATIONS` a likelihood."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import ConfigurationError, Streams
from lienzo.sampling import logistic
from lienzo.sampling.bounds import log_normal


class Observation(nn.Module, ABC):
    """p(x | parameters), independent by pixel.

    Args:
        channels: C.
        number: the row's own, see there.

    Attributes:
        scored: what log p is about, as in `lienzo.core.Scores`.
    """

    scored: ClassVar[Literal["dequantized", "8-bit", "binarized"]]

    def __init__(self, channels: int, number: float | None = None) -> None:
        super().__init__()
        self.channels, self.number = channels, number

    @property
    def parameters_a_pixel(self) -> int:
        """How many channels the decoder makes."""
        return self.channels

    def seen(self, x: Tensor, streams: Streams) -> Tensor:
        """Return the data that the likelihood is about, drawn from pictures x (B, C, H, W); again in [-1, 1]."""
        return x

    @abstractmethod
    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return log p(x | parameters) in nats, (B,), of what `seen` returned."""

    @abstractmethod
    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected picture, (B, C, H, W)."""

    @abstractmethod
    def sample(self, parameters: Tensor, streams: Streams) -> Tensor:
        """Draw a picture, (B, C, H, W)."""


class Gaussian(Observation):
    """N(x; x̂, σ²): the squared error over 2σ² up to a constant. A density on [-1, 1]^(CHW).

    Pictures are uniformly dequantized, x + (u − ½)/127.5, so that densities compare with those of a flow: add
    CHW · log(1/127.5) for a bound of the 8-bit picture's log P.

    `number` is σ; where None, one σ for all pixels is learnt, which sets the balance of error and KL by itself
    ("Simple and Effective VAE Training with Calibrated Decoders", Rybkin, Daniilidis & Levine, 2021).
    """

    scored = "dequantized"

    def __init__(self, channels: int, number: float | None = None) -> None:
        super().__init__(channels, number)
        self.log_sigma = nn.Parameter(torch.tensor(math.log(0.2))) if number is None else None

    def seen(self, x: Tensor, streams: Streams) -> Tensor:
        return x + (streams.uniform(*x.shape[1:]).to(x) - 0.5) / 127.5

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        return log_normal(x, parameters.float(), 2 * self._log_sigma(x)).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        return parameters.float()

    def sample(self, parameters: Tensor, streams: Streams) -> Tensor:
        mean = parameters.float()
        return mean + self._log_sigma(mean).exp() * streams.normal(*mean.shape[1:]).to(mean)

    def _log_sigma(self, like: Tensor) -> Tensor:
        if self.log_sigma is None:
            return like.new_tensor(math.log(self.number or 1.0))
        return self.log_sigma.clamp(-6, 2)


class Bernoulli(Observation):
    """P(x = 1) = sigmoid(parameter) for pixels of -1 and 1; other greys are tossed anew at every visit.

    A grey x is 1 with probability (x + 1)/2: "dynamic binarization" ("On the Quantitative Analysis of Deep Belief
    Networks", Salakhutdinov & Murray, 2008). log P is that of the binarized picture.
    """

    scored = "binarized"

    def seen(self, x: Tensor, streams: Streams) -> Tensor:
        return (streams.uniform(*x.shape[1:]).to(x) < (x + 1) / 2).to(x.dtype) * 2 - 1

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        return F.logsigmoid(parameters.float() * x).flatten(1).sum(1)

    def mean(self, parameters: Tensor) -> Tensor:
        return parameters.float().sigmoid() * 2 - 1

    def sample(self, parameters: Tensor, streams: Streams) -> Tensor:
        return self.seen(self.mean(parameters), streams)


class LogisticMixture(Observation):
    """A discretized mixture of logistics over the 256 levels (`lienzo.sampling.logistic`): log P of the 8-bit picture.

    `number` is how many components, by default 5.
    """

    scored = "8-bit"

    @property
    def parameters_a_pixel(self) -> int:
        return logistic.parameters_for(int(self.number or 5), self.channels)

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        return logistic.log_prob(parameters, x)

    def mean(self, parameters: Tensor) -> Tensor:
        return logistic.mean(parameters, self.channels)

    def sample(self, parameters: Tensor, streams: Streams) -> Tensor:
        uniforms = streams.uniform(1 + self.channels, *parameters.shape[2:]).to(parameters.device)
        return logistic.sample(parameters, uniforms)


OBSERVATIONS: dict[str, type[Observation]] = {
    "gaussian": Gaussian, "bernoulli": Bernoulli, "logistic-mixture": LogisticMixture,
}  # fmt: skip


def observation(said: str, channels: int) -> Observation:
    """Make a row of `OBSERVATIONS` from its name and, after a space, its number: "logistic-mixture 10".

    Raises:
        ConfigurationError: for an unknown name, or a number that is none or not positive.

    >>> observation("logistic-mixture 10", 3).parameters_a_pixel
    100
    """
    name, _, number = said.partition(" ")
    if name not in OBSERVATIONS:
        raise ConfigurationError(f"unknown likelihood {name!r}", hint=f"one of {', '.join(OBSERVATIONS)}")
    try:
        value = float(number) if number else None
    except ValueError:
        value = -1.0
    if value is not None and not value > 0:
        raise ConfigurationError(f"likelihood {said!r} wants a positive number after its name")
    return OBSERVATIONS[name](channels, value)
