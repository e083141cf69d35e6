"""Pictures as conditions: a reference image heard as tokens, and maps that lie over the picture."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import where_said
from lienzo.core import ConditionError, Said, configurable

MapKind = Literal["segmentation", "depth", "pose", "edges", "mask", "picture"]


def to_pixels(value: Any, size: int, channels: int, *, smooth: bool = True) -> Tensor:
    """Bring a PIL image, an array (H, W[, C]) or a tensor (C, H, W) in [-1, 1] to (C, size, size) in [-1, 1].

    Raises:
        ConditionError: for anything else, or a wrong number of channels.
    """
    if isinstance(value, Tensor):
        tensor = value.float()
    else:
        mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(channels)
        if mode is None:
            raise ConditionError(f"a picture has 1, 3 or 4 channels, this condition wants {channels}: give a tensor")
        image = _pil(value).convert(mode)
        image = image.resize((size, size), Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
        array = np.asarray(image, np.float32).reshape(size, size, channels)
        tensor = torch.from_numpy(array).permute(2, 0, 1) / 127.5 - 1
    if tensor.shape != (channels, size, size):
        raise ConditionError(f"expected a picture of shape {(channels, size, size)}, got {tuple(tensor.shape)}")
    return tensor


def _pil(value: Any) -> Image.Image:
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, np.ndarray):
        pixels: NDArray[Any] = value
        if pixels.dtype != np.uint8:
            raise ConditionError(f"an array of pixels must be uint8, got {pixels.dtype}", hint="0 to 255")
        return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels)
    if not isinstance(value, str | PathLike):
        raise ConditionError(f"a picture is a file, a PIL image, an array or a tensor, got {type(value).__name__}")
    try:
        return Image.open(cast("str | PathLike[str]", value))
    except (OSError, ValueError) as error:
        what = f"cannot read a picture from {value!r}: {error}"
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
        """Turn pictures (files, PIL, arrays, tensors) into (B, C, size, size) in [-1, 1]."""
        blank = torch.zeros(self.channels, self.size, self.size)
        pictures = [blank if v is None else to_pixels(v, self.size, self.channels) for v in values]
        return Said((torch.stack(pictures),), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def encode(self, said: Said) -> Channels:
        """Return tokens (B, L, E), their mask, and the pooled picture (B, D)."""
        x = self.embed(said.values[0]).flatten(2).transpose(1, 2) + self.position
        x = x + self.mix(x)
        first = torch.arange(x.shape[1], device=x.device) == 0
        mask = said.present[:, None] | first  # an unsaid picture is one null token
        tokens = where_said(said.present, x, self.null_token)
        return Channels(where_said(said.present, self.pool(x.mean(1)), self.null_vector), tokens, mask)


@configurable("map")
class MapCondition(Condition):
    """A map that lies over the picture: segmentation, depth, pose, edges or line art, a mask, a picture to keep.

    It is heard in the map channel, with one more channel that tells where it is said.

    Args:
        map_kind: what it shows. Segmentation is one-hot and resized to the nearest; the others are smooth.
        size: of the picture that is drawn.
        channels: of the map; for segmentation the number of classes.
    """

    def __init__(self, map_kind: MapKind, size: int = 64, channels: int = 1) -> None:
        super().__init__()
        self.map_kind, self.size, self.channels = map_kind, size, channels

    def prepare(self, vector: int, token: int) -> None:
        """A map has no parameters: the network's first layer hears it."""

    def sizes(self, vector: int, token: int) -> Sizes:
        """Its channels, and one that tells whether it is said."""
        return Sizes(maps=self.channels + 1)

    def parse(self, values: Sequence[Any]) -> Said:
        """Turn maps (files, PIL, arrays, tensors) into (B, K, size, size)."""
        blank = torch.zeros(self.channels, self.size, self.size)
        maps = [blank if v is None else self._map(v) for v in values]
        return Said((torch.stack(maps),), torch.tensor([v is not None for v in values], dtype=torch.bool))

    def encode(self, said: Said) -> Channels:
        """Return the maps with a channel of ones where they are said, (B, K + 1, H, W)."""
        x = where_said(said.present, said.values[0], torch.zeros_like(said.values[0]))
        told = said.present.to(x.dtype).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return Channels(maps=torch.cat([x, told], 1))

    def _map(self, value: Any) -> Tensor:
        if self.map_kind != "segmentation":
            return to_pixels(value, self.size, self.channels, smooth=self.map_kind != "mask")
        if isinstance(value, Tensor) and value.ndim == 3:
            return to_pixels(value, self.size, self.channels)
        image = value if isinstance(value, np.ndarray) else np.asarray(_pil(value))
        indices = np.asarray(Image.fromarray(image.squeeze().astype(np.uint8)).resize((self.size, self.size), 0))
        if indices.ndim != 2 or int(indices.max()) >= self.channels:
            raise ConditionError(
                f"a segmentation map holds class numbers 0..{self.channels - 1}, got shape {indices.shape} with "
                f"values up to {int(indices.max())}", hint="an 8-bit grey or palette PNG whose values are classes",
            )  # fmt: skip
        numbers = torch.from_numpy(indices.astype(np.int64))
        return nn.functional.one_hot(numbers, self.channels).permute(2, 0, 1).float()
