"""A picture as a condition: a reference image, heard as tokens; and how any picture is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import where_said
from lienzo.conditions.reading import on_paper, squared
from lienzo.core import ConditionError, Said, configurable


def to_planes(value: Any, size: int, channels: int, *, smooth: bool = True) -> Tensor:
    """Bring a picture to (channels, size, size): bytes as they are, of a tensor of numbers in [-1, 1] these.

    Args:
        value: a file or a PIL image (turned upright, on white), an array (H, W[, C]) of bytes, or a tensor (C, H, W).
        size: of the sides.
        channels: 1, 3 or 4; any number of a tensor's, or of an array's that fits as it is.
        smooth: whether values may be mixed where it is resized.

    Raises:
        ConditionError: for anything else, or a wrong number of channels.
    """
    planes = _planes(value, size, channels, smooth)
    if planes.shape != (channels, size, size):
        raise ConditionError(f"expected a picture of shape {(channels, size, size)}, got {tuple(planes.shape)}")
    return planes


def _planes(value: Any, size: int, channels: int, smooth: bool) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.dtype == torch.uint8 else value.float()
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.shape == (size, size, channels):
        return torch.from_numpy(cast(NDArray[np.uint8], value).transpose(2, 0, 1))
    mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(channels)
    if mode is None:
        raise ConditionError(f"a picture has 1, 3 or 4 channels, this condition wants {channels}: give a tensor")
    image = on_paper(as_pil(value), mode)
    image = squared(image, size, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(image, np.uint8).reshape(size, size, channels)).permute(2, 0, 1)


def in_one(each: Sequence[Tensor | None], shape: tuple[int, ...]) -> Tensor:
    """Stack planes, blank where there are none: as bytes if all are bytes, which a device is given sooner, else not."""
    shape = next((tuple(planes.shape) for planes in each if planes is not None), shape)
    if any(planes is not None and planes.dtype != torch.uint8 for planes in each):
        blank = torch.zeros(shape)
        return torch.stack([blank if planes is None else as_numbers(planes) for planes in each])
    blank = torch.zeros(shape, dtype=torch.uint8)
    return torch.stack([blank if planes is None else planes for planes in each])


def as_numbers(planes: Tensor) -> Tensor:
    """Bring bytes 0 … 255 to [-1, 1]; numbers stay as they are."""
    return torch.div(planes, 127.5).sub_(1) if planes.dtype == torch.uint8 else planes


def as_pil(value: Any) -> Image.Image:
    """Open a picture that somebody gives.

    Raises:
        ConditionError: for no picture, or one that is damaged.
    """
    if isinstance(value, Image.Image):
        return _loaded(lambda: value, "the picture")
    if isinstance(value, np.ndarray):
        pixels: NDArray[Any] = value
        if pixels.dtype != np.uint8:
            raise ConditionError(f"an array of pixels must be uint8, got {pixels.dtype}", hint="0 to 255")
        return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels)
    if not isinstance(value, str | PathLike):
        raise ConditionError(f"a picture is a file, a PIL image, an array or a tensor, got {type(value).__name__}")
    return _loaded(lambda: Image.open(cast("str | PathLike[str]", value)), repr(value))


def _loaded(opened: Callable[[], Image.Image], name: str) -> Image.Image:
    try:
        image = opened()
        image.load()
        return image
    except Exception as error:  # decoders raise whatever they like, also for a file that is cut off or a bomb
        what = f"cannot read a picture from {name}: {error}"
        raise ConditionError(what, hint="a PNG, JPEG or WebP file") from None


@configurable("image")
class ImageCondition(Condition):
    """A reference picture, cut into patches and heard as tokens (and, pooled, in the vector channel).

    Args:
        size: the picture is resized to (size, size).
        channels: 1, 3 or 4.
        patch: side of a patch in pixels; there are (size / patch)² tokens.
    """

    def __init__(self, size: int = 64, channels: int = 3, patch: int = 16) -> None:
        super().__init__()
        if size % patch:
            raise ConditionError(f"the size {size} of a reference image must be a multiple of its patch {patch}")
        self.size, self.channels, self.patch = size, channels, patch

    def prepare(self, vector: int, token: int) -> None:
        """Create the patch embedding and the nulls."""
        self.embed = nn.Conv2d(self.channels, token, self.patch, self.patch)
        up, down = nn.Linear(token, 2 * token), nn.Linear(2 * token, token)
        self.mix = nn.Sequential(nn.LayerNorm(token), up, nn.GELU(), down)
        self.position = nn.Parameter(torch.randn((self.size // self.patch) ** 2, token) * 0.02)
        self.pool = nn.Linear(token, vector)
        self.null_token = nn.Parameter(torch.randn(token) * 0.02)
        self.null_vector = nn.Parameter(torch.zeros(vector))

    def sizes(self, vector: int, token: int) -> Sizes:
        """A reference picture uses the vector and the token channel."""
        return Sizes(vector=vector, token=token)

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn pictures (files, PIL, arrays, tensors) into (B, C, size, size): bytes, or numbers in [-1, 1]."""
        each = [None if v is None else to_planes(v, self.size, self.channels) for v in values]
        pictures = in_one(each, (self.channels, self.size, self.size))
        return Said((pictures,), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def encode(self, said: Said) -> Channels:
        """Return tokens (B, L, E), their mask, and the pooled picture (B, D)."""
        x = self.embed(as_numbers(said.values[0])).flatten(2).transpose(1, 2) + self.position
        x = x + self.mix(x)
        first = torch.arange(x.shape[1], device=x.device) == 0
        mask = said.present[:, None] | first  # an unsaid picture is one null token
        tokens = where_said(said.present, x, self.null_token)
        return Channels(where_said(said.present, self.pool(x.mean(1)), self.null_vector), tokens, mask)
