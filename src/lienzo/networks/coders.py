"""Convolutional coders between pictures and small grids of codes."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A convolution of single pixels as the matrix product that it is: on a grid of 1 × 1 several times as fast."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 1)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (as torch calls it)
        """Mix the channels of (B, C, H, W)."""
        return F.linear(input.movedim(1, -1), self.weight.flatten(1), self.bias).movedim(-1, 1)


def convolution(channels: int, out: int, kernel: int) -> nn.Conv2d:
    """Return a convolution with an odd kernel that keeps the sides."""
    return Pointwise(channels, out) if kernel == 1 else nn.Conv2d(channels, out, kernel, padding=kernel // 2)


class Residual(nn.Module):
    """Two convolutions around which the input is added; the second starts at zero."""

    def __init__(self, width: int, groups: int = 8, kernel: int = 3) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, width), nn.GroupNorm(groups, width)
        self.conv1, self.conv2 = (convolution(width, width, kernel) for _ in range(2))
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Refine x (B, width, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(h)))


class Encoder(nn.Sequential):
    """(B, C, H, W) → (B, codes, H/f, W/f).

    The first layer folds f₀ × f₀ pixels into channels, so that no convolution runs at full resolution, where a CPU
    would spend most of its time on few channels; then each level halves the grid.

    Args:
        channels: C.
        codes: channels of the result.
        widths: channels of each level, from large grid to small; f = fold · 2^(levels − 1).
        fold: f₀.
        depth: residual blocks a level.
        kernel: side of the convolutions, odd. With 1, one level and the whole picture folded the layers are dense.
    """

    def __init__(
        self, channels: int, codes: int, widths: tuple[int, ...], fold: int = 2, depth: int = 1, kernel: int = 3
    ) -> None:
        first = convolution(channels * fold**2, widths[0], kernel)
        parts: list[nn.Module] = [nn.PixelUnshuffle(fold), first]
        for level, width in enumerate(widths):
            if level:
                parts += [nn.PixelUnshuffle(2), nn.Conv2d(4 * widths[level - 1], width, 1)]
            parts += [Residual(width, kernel=kernel) for _ in range(depth)]
        last = widths[-1]
        super().__init__(*parts, nn.GroupNorm(8, last), nn.SiLU(), nn.Conv2d(last, codes, 1))


class Decoder(nn.Sequential):
    """(B, codes, H/f, W/f) → (B, C, H, W); the mirror of `Encoder`, with the same arguments."""

    def __init__(
        self, channels: int, codes: int, widths: tuple[int, ...], fold: int = 2, depth: int = 1, kernel: int = 3
    ) -> None:
        parts: list[nn.Module] = [convolution(codes, widths[-1], kernel)]
        for level in reversed(range(len(widths))):
            parts += [Residual(widths[level], kernel=kernel) for _ in range(depth)]
            if level:
                parts += [nn.Conv2d(widths[level], 4 * widths[level - 1], 1), nn.PixelShuffle(2)]
        last = convolution(widths[0], channels * fold**2, kernel)
        super().__init__(*parts, nn.GroupNorm(8, widths[0]), nn.SiLU(), last, nn.PixelShuffle(fold))
