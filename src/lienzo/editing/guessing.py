"""Where in a picture words are: a guess by the model, from what the words change in its estimates."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import Conditions, Streams
from lienzo.editing.space import Space, knots_of, noised

LEVEL, DRAWS, THRESHOLD = 0.5, 10, 0.25  # the last: by the IoU with cut-outs of emoji


@torch.no_grad()
def guessed(
    space: Space, x: Tensor, said: Conditions, unsaid: Conditions, *, streams: Streams, draws: int = DRAWS
) -> Tensor:
    r"""Return how much the words matter at each pixel, (B, 1, H, W) in [0, 1]; above `THRESHOLD` is the guess.

    E_ε ‖D(α z + σ ε, said) − D(α z + σ ε, unsaid)‖ over channels, over `draws` noises at one level, clipped at three
    times its mean and scaled to [0, 1]. It says what the words would change, which need not be where the thing is.

    Args:
        space: of a family that denoises.
        x: (B, C, H, W) in [-1, 1].
        said: B rows, with the words.
        unsaid: B rows, without.
        streams: B rows.
        draws: how many noises.

    "DiffEdit: Diffusion-based semantic image editing with mask guidance" (Couairon, 2022), step 1.
    """
    z, at = space.enter(x), knots_of(space.schedule, 2, LEVEL)[0]
    with_words, without = space.denoiser(said), space.denoiser(unsaid)
    total, noise = z.new_zeros(len(z), 1, *z.shape[2:]), streams.child("guess")
    for _ in range(draws):
        z_t = noised(z, noise.normal(*space.shape).to(z), at)
        total += (with_words(z_t, at.t) - without(z_t, at.t)).square().sum(1, keepdim=True).sqrt()
    total = torch.minimum(total, 3 * total.mean((2, 3), keepdim=True))
    least, most = total.amin((2, 3), keepdim=True), total.amax((2, 3), keepdim=True)
    scaled = (total - least) / (most - least).clamp_min(1e-12)
    return F.interpolate(scaled, x.shape[2:], mode="bilinear", align_corners=False).clamp(0, 1)
