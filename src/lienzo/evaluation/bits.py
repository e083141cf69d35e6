"""Likelihood in bits per dimension."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lienzo.core import CapabilityError, Conditions, Scores, Streams

AT_ONCE = 32
SAMPLES = "samples"  # what `log_prob` of a family with an importance-weighted bound calls K
LEVELS = 127.5  # an 8-bit value's levels in a unit of x
# What `Scores.scored` says → how 8-bit values became what is scored, and whether that is a density.
SCORED = {
    "density": ("uniform, one level wide", True),
    "dequantized": ("uniform, one level wide, by the family", True),
    "noisy": ("the family's own noise: of noisy pictures", True),
    "8-bit": ("none: the probability of 8-bit pictures", False),
    "binarized": ("none: the probability of binarized pictures", False),
    "tokens": ("none: the probability of the tokens, a value of the picture", False),
}


@dataclass(frozen=True)
class Bits:
    """How many bits a value of a picture costs.

    Attributes:
        mean: bits/dim over pictures.
        error: its standard error; None of a single picture.
        kind: "exact", a "bound" (the truth is no more), such a bound of K samples ("IWAE-K"), or an "estimate".
        pictures: how many.
        dequantization: how 8-bit values became a density's.
    """

    mean: float
    error: float | None
    kind: str
    pictures: int
    dequantization: str = SCORED["density"][0]


@torch.no_grad()
def bits_per_dimension(
    family: Scores, pictures: NDArray[np.uint8], conditions: Conditions, *, seed: int = 0, device: str = "cpu",
    samples: int = 1,
) -> Bits:  # fmt: skip
    r"""Return bits/dim of 8-bit pictures.

    Of a probability, b = −log₂ P(x)/D. Of a density, b = −log₂ p(x + u)/D + log₂ 127.5, since levels are 1/127.5 apart
    in [-1, 1]; with u uniform in ±½ level an upper bound of the discrete distribution's wherever log p is exact. "A
    note on the evaluation of generative models" (Theis, van den Oord & Bethge, 2016), section 3.1.

    Args:
        family: that scores.
        pictures: (N, H, W, C).
        conditions: N rows.
        seed: of u, and of the family's own randomness.
        device: of the family.
        samples: K of the importance-weighted bound, which is tighter with more, of a family with codes; 1: as it is.
            "Importance Weighted Autoencoders" (Burda, Grosse & Salakhutdinov, 2016), eq. 8.

    Raises:
        CapabilityError: for several samples of a family that has no such bound.
    """
    if samples > 1 and SAMPLES not in inspect.signature(family.log_prob).parameters:
        what = f"{type(family).__name__} has no bound of {samples} samples"
        raise CapabilityError(what, hint="a vae or a hierarchical_vae, or no --samples")
    more = {SAMPLES: samples} if samples > 1 else {}
    x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float()
    words, is_density = SCORED[family.scored]
    width = float(family.scored == "density")  # of u, in levels: others see to it themselves
    each: list[float] = []
    for start in range(0, len(x), AT_ONCE):
        part = x[start : start + AT_ONCE]
        streams = Streams(seed, range(start, start + len(part)))
        noisy = (part + width * (streams.child("dequantize").uniform(*part.shape[1:]) - 0.5)) / LEVELS - 1
        heard = conditions.rows(slice(start, start + len(part))).to(device)
        found = family.log_prob(noisy.to(device), heard, streams=streams.to(device), **more).double().cpu()
        each += (-found / (math.log(2) * part[0].numel()) + is_density * math.log2(LEVELS)).tolist()
    told = torch.tensor(each, dtype=torch.float64)
    error = float(told.std() / len(told) ** 0.5) if len(told) > 1 else None
    kind = f"IWAE-{samples}" if samples > 1 else family.likelihood
    return Bits(float(told.mean()), error, kind, len(told), words)
