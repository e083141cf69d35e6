r"""Discretized mixtures of logistics: a distribution over 8-bit pixels with closed-form probabilities.

Every pixel has K components; within one, each channel is a logistic distribution whose mass is collected at 256 levels,

    P(x_c | k) = σ((x_c + 1/255 − μ)/s) − σ((x_c − 1/255 − μ)/s),    μ = m_c + Σ_{j<c} tanh(a_cj) x_j,

with everything below the first level and above the last one counted there, so that the levels sum to one.

"PixelCNN++" (Salimans, Karpathy, Chen & Kingma, 2017). The difference of two sigmoids is computed as the product
σ(a) σ(−b) (1 − exp(b − a)), which is the same number without cancellation, so that no case has to be told apart.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import ConfigurationError

HALF = 1 / 255  # half the distance between two levels of [-1, 1]
COLDEST = 1e-3  # a temperature at which a logistic is one level
NARROWEST, WIDEST = -7.0, 5.0  # bounds of log s: below, one level has all the mass; above, all levels have the same


def parameters_for(mixtures: int, channels: int, coupled: bool = True) -> int:
    """Return how many numbers a pixel of C channels needs: K (1 + 2C), and K C(C − 1)/2 more where they are coupled.

    >>> parameters_for(10, 3), parameters_for(5, 1)
    (100, 15)
    """
    return mixtures * (1 + 2 * channels + (channels * (channels - 1) // 2 if coupled else 0))


def log_prob(parameters: Tensor, x: Tensor, coupled: bool = True) -> Tensor:
    """Return log P(x) of the 8-bit picture next to x, (B,) in nats.

    Args:
        parameters: (B, `parameters_for(K, C, coupled)`, H, W); by component: logit, C means, C log s, coefficients.
        x: (B, C, H, W) in [-1, 1].
        coupled: whether a channel's mean depends on the channels before it.

    Raises:
        ConfigurationError: if the number of parameters is that of no mixture.
    """
    return log_prob_pixels(parameters, x, coupled).flatten(1).sum(1)


def log_prob_pixels(parameters: Tensor, x: Tensor, coupled: bool = True) -> Tensor:
    """Return log P of every pixel, (B, H, W): as `log_prob`, not yet summed."""
    logits, means, log_scales, coefficients = _parts(parameters, x.shape[1], coupled)
    x = (((x.float() + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1)[:, None]  # (B, 1, C, H, W): (B, K, C, H, W)
    each = _mass(x, _shifted(means, coefficients, x), (-log_scales).exp())
    return torch.logsumexp(F.log_softmax(logits, 1) + each.sum(2), 1)


def sample(parameters: Tensor, uniforms: Tensor, coupled: bool = True, temperature: float = 1.0) -> Tensor:
    """Draw an 8-bit picture, (B, C, H, W) in [-1, 1], each value one of the 256 levels.

    Args:
        parameters: as in `log_prob`.
        uniforms: (B, 1 + C, H, W) numbers in [0, 1), the first of which chooses the component.
        coupled: as in `log_prob`.
        temperature: factor of every s.
    """
    channels = uniforms.shape[1] - 1
    logits, means, log_scales, coefficients = _parts(parameters, channels, coupled)
    edges = logits.softmax(1).cumsum(1)[:, :-1]
    chosen = (uniforms[:, :1] >= edges).sum(1, keepdim=True)[:, :, None]  # (B, 1, 1, H, W)
    means, log_scales, coefficients = (
        part.gather(1, chosen.expand(-1, -1, part.shape[2], -1, -1))[:, 0] for part in (means, log_scales, coefficients)
    )
    noise = torch.logit(uniforms[:, 1:].float().clamp(2.0**-25, 1 - 2.0**-24)) * log_scales.exp() * temperature
    drawn: list[Tensor] = []
    for channel in range(channels):
        value = means[:, channel] + noise[:, channel]
        for before in range(channel if coupled else 0):
            value = value + coefficients[:, _place(channel, before)] * drawn[before]
        level = ((value + 1) * 127.5).round().clamp(0, 255)
        drawn.append(level / 127.5 - 1)
    return torch.stack(drawn, 1)


def level_log_probs(parameters: Tensor, before: Tensor, channels: int, temperature: float = 1.0) -> Tensor:
    """Return log P of each level of the next channel, given those of the same pixel before it, (B, 256).

    Args:
        parameters: (B, `parameters_for(K, C)`), of one pixel a row.
        before: (B, c), the first c channels in [-1, 1], c < C.
        channels: C.
        temperature: factor of every s.
    """
    pixel = parameters[..., None, None]
    logits, means, log_scales, coefficients = _parts(pixel, channels, True)
    steepness = (-log_scales[..., 0, 0]).exp() / max(temperature, COLDEST)  # (B, K, C)
    weights, c = F.log_softmax(logits[..., 0, 0], 1), before.shape[1]
    whole = torch.cat([before, before.new_zeros(len(before), channels - c)], 1)
    centres = _shifted(means, coefficients, whole[:, None, :, None, None])[..., 0, 0]
    for channel in range(c):
        weights = weights + _mass(before[:, channel, None], centres[:, :, channel], steepness[:, :, channel])
    levels = torch.arange(256, device=parameters.device) / 127.5 - 1
    each = _mass(levels[None, None], centres[:, :, c, None], steepness[:, :, c, None])  # (B, K, 256)
    return torch.log_softmax(torch.logsumexp(weights[..., None] + each, 1), 1)


def _mass(x: Tensor, centre: Tensor, steepness: Tensor) -> Tensor:
    """Return log P of the level x of one logistic."""
    level = ((x + 1) * 127.5).round()
    centred = x - centre
    below = F.logsigmoid((centred + HALF) * steepness) * (level < 255)
    above = F.logsigmoid((HALF - centred) * steepness) * (level > 0)
    return below + above + (-torch.expm1(-2 * HALF * steepness)).log() * ((level > 0) & (level < 255))


def mean(parameters: Tensor, channels: int, coupled: bool = True) -> Tensor:
    """Return the mixture's mean, (B, C, H, W), leaving aside what the ends of [-1, 1] cut off."""
    logits, means, _, coefficients = _parts(parameters, channels, coupled)
    expected: list[Tensor] = []
    for channel in range(channels):
        value = means[:, :, channel]
        for before in range(channel if coupled else 0):
            value = value + coefficients[:, :, _place(channel, before)] * expected[before]
        expected.append(value)
    return (logits.softmax(1)[:, :, None] * torch.stack(expected, 2)).sum(1).clamp(-1, 1)


def _parts(parameters: Tensor, channels: int, coupled: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Split into logits (B, K, H, W), means and log s (B, K, C, H, W), coefficients (B, K, C(C−1)/2, H, W)."""
    each = parameters_for(1, channels, coupled)
    if parameters.shape[1] % each:
        raise ConfigurationError(f"{parameters.shape[1]} parameters a pixel do not make a mixture over {channels} "
                                 f"channels", hint=f"a multiple of {each}")  # fmt: skip
    parts = parameters.float().unflatten(1, (-1, each))
    logits, means, log_scales, rest = parts.split((1, channels, channels, each - 1 - 2 * channels), 2)
    return logits[:, :, 0], means, log_scales.clamp(NARROWEST, WIDEST), rest.tanh()


def _shifted(means: Tensor, coefficients: Tensor, x: Tensor) -> Tensor:
    """Return the means of (B, K, C, H, W) given the channels before each, x (B, 1, C, H, W)."""
    if not coefficients.shape[2]:
        return means
    shifted = [means[:, :, 0]]
    for channel in range(1, means.shape[2]):
        terms = [coefficients[:, :, _place(channel, before)] * x[:, :, before] for before in range(channel)]
        shifted.append(means[:, :, channel] + torch.stack(terms).sum(0))
    return torch.stack(shifted, 2)


def _place(channel: int, before: int) -> int:
    """Return where the coefficient of `channel` for the channel `before` it stands."""
    return channel * (channel - 1) // 2 + before
