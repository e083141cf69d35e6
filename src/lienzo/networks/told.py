"""How networks without an input for it come to hear what is said."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.networks.coders import Residual
from lienzo.networks.heard import pooled


class Ear(nn.Module):
    """One vector (B, D) from all that is said in vectors and words; words are pooled under their mask.

    Args:
        sizes: widths of the channels; one of `vector` and `token` at least.
        width: D.
    """

    def __init__(self, sizes: Sizes, width: int) -> None:
        super().__init__()
        self.vector = nn.Linear(sizes.vector, width) if sizes.vector else None
        self.words = nn.Linear(sizes.token, width) if sizes.token else None
        self.mix = nn.Linear(width, width)

    def forward(self, channels: Channels) -> Tensor:
        """Hear channels of B rows."""
        heard: list[Tensor] = []
        if self.vector is not None and channels.vector is not None:
            heard.append(self.vector(channels.vector))
        if self.words is not None and channels.tokens is not None:
            heard.append(self.words(pooled(channels.tokens, channels.mask)))
        return F.silu(self.mix(F.silu(torch.stack(heard).sum(0))))


class Told(nn.Module):
    """A convolutional coder that hears: maps join its input, the rest scales and shifts its residual blocks' results.

    Args:
        coder: an `Encoder` or a `Decoder`, built for as many more channels as `folded_maps` says.
        sizes: widths of the channels.
        width: of the vector in which vectors and words are heard.
    """

    def __init__(self, coder: nn.Sequential, sizes: Sizes, width: int = 128) -> None:
        super().__init__()
        self.coder = coder
        self.ear = Ear(sizes, width) if sizes.vector or sizes.token else None
        widths = [part.conv1.out_channels for part in coder if isinstance(part, Residual)] if self.ear else []
        self.hear = nn.ModuleList(nn.Linear(width, 2 * each) for each in widths)
        for layer in self.hear.parameters():
            nn.init.zeros_(layer)

    def forward(self, x: Tensor, channels: Channels) -> Tensor:
        """Code x (B, C, H, W), hearing channels of B rows."""
        if channels.maps is not None:
            maps = F.pixel_unshuffle(channels.maps, channels.maps.shape[-1] // x.shape[-1])
            x = torch.cat([x, maps.to(x.dtype)], 1)
        vector, hear = None if self.ear is None else self.ear(channels), iter(self.hear)
        for part in self.coder:
            x = part(x)
            if vector is not None and isinstance(part, Residual):
                scale, shift = next(hear)(vector).to(x.dtype)[:, :, None, None].chunk(2, 1)
                x = torch.addcmul(shift, x, 1 + scale)
        return x


class ToldPrior(nn.Module):
    """μ(c) and log σ(c) of codes (B, n, …), both (B, n, 1 …) and zero at first, from vectors and words.

    Args:
        sizes: widths of the channels; one of `vector` and `token` at least.
        codes: n.
        places: how many dimensions of a code follow n.
        width: of the vector in which vectors and words are heard.
    """

    def __init__(self, sizes: Sizes, codes: int, places: int, width: int = 128) -> None:
        super().__init__()
        self.ear, self.out, self.places = Ear(sizes, width), nn.Linear(width, 2 * codes), places
        for layer in self.out.parameters():
            nn.init.zeros_(layer)

    def forward(self, channels: Channels) -> tuple[Tensor, Tensor]:
        """Hear channels of B rows."""
        both = self.out(self.ear(channels)).float()
        shift, scale = both.reshape(*both.shape, *(1,) * self.places).chunk(2, 1)
        return shift, scale


def folded_maps(sizes: Sizes, factor: int) -> int:
    """Return how many channels maps make on a grid that is `factor` times as coarse as the picture."""
    return sizes.maps * factor**2
