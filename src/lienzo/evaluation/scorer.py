"""A contrastive scorer of emoji pictures against words: is a picture what its caption says?"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions.words import WordTable
from lienzo.data.open import open_source
from lienzo.evaluation.devices import CPU, blockwise
from lienzo.evaluation.shipped import config_of, folder_of, restored

NAME = "emoji-scorer"
SIDE = 64
LENGTH = 12  # words of a caption that are read
Pictures = Sequence[Image.Image] | NDArray[np.uint8] | Tensor


@functools.cache
def words() -> WordTable:
    """Return the table of word vectors that ships with lienzo."""
    return WordTable.load()


class ImageTower(nn.Module):
    """Convolutions from 64 × 64 to a 4 × 4 grid, all of which is heard.

    Args:
        width: D of the joint space.
        widths: channels at 16, 8, 8, 4 and 4 pixels a side.
    """

    def __init__(self, width: int = 128, widths: tuple[int, ...] = (48, 64, 64, 128, 128)) -> None:
        super().__init__()
        layers, inside = list[nn.Module](), 12
        for outside, stride in zip(widths, (2, 2, 1, 2, 1), strict=True):
            layers += [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.GELU()]
            inside = outside
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(16 * inside, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return unit vectors (B, D) of pictures (B, 3, 64, 64) in [-1, 1]."""
        x = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        return F.normalize(self.out(self.layers(x).flatten(1)).float(), dim=1)


class TextTower(nn.Module):
    """What a text's words mean together, through two layers.

    Args:
        width: D of the joint space.
        dimension: W of a word's vector.
        hidden: width of the layer between.
    """

    def __init__(self, width: int = 128, dimension: int = 256, hidden: int = 384) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * dimension, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, meanings: Tensor) -> Tensor:
        """Return unit vectors (B, D) of texts given by their `meanings` (B, 2W)."""
        return F.normalize(self.layers(meanings), dim=1)


def meanings(texts: Sequence[str]) -> Tensor:
    """Return two means of each text's word vectors side by side (N, 2W): with rare words weighing more, and plain.

    The first holds what a text is about, the second keeps apart texts that differ in little words.
    """
    vectors, mask = words().encode(texts, LENGTH)
    plain = vectors.sum(1) / mask.sum(1, keepdim=True).clamp_min(1)
    return torch.cat([words().pool(texts), plain], 1) * vectors.shape[2] ** 0.5


class EmojiScorer(nn.Module):
    """Two towers into one space, in which a picture lies near what may be said of it.

    "Learning Transferable Visual Models From Natural Language Supervision" (Radford et al., 2021), in small.

    Args:
        width: D of the joint space.
        dimension: of a word's vector.
    """

    def __init__(self, width: int = 128, dimension: int = 256) -> None:
        super().__init__()
        self.image, self.text = ImageTower(width), TextTower(width, dimension)

    @property
    def device(self) -> torch.device:
        """Where it computes; what it finds comes back to the CPU."""
        return self.image.out.weight.device

    def see(self, pictures: Pictures, batch: int = 256) -> Tensor:
        """Return unit vectors (N, D) of pictures, as in `as_pictures`."""
        return blockwise(self.image, as_pictures(pictures), self.device, batch)

    def read(self, texts: Sequence[str], batch: int = 512) -> Tensor:
        """Return unit vectors (N, D) of texts, in English or Spanish."""
        parts = [texts[start : start + batch] for start in range(0, len(texts), batch)]
        return torch.cat([blockwise(self.text, meanings(part), self.device, batch) for part in parts])

    def ranks(self, pictures: Pictures, captions: Sequence[str], candidates: Sequence[str] | None = None) -> Tensor:
        """Return how many candidates fit each picture better than the caption that it was made from, (N,) from 0.

        Args:
            pictures: N of them, as in `as_pictures`.
            captions: one a picture, each among the candidates.
            candidates: all that might have been said; by default every English caption of the emoji.

        Raises:
            ValueError: for a caption that is no candidate, or a number of captions that is not N.
        """
        candidates = english_captions() if candidates is None else candidates
        number = {text: n for n, text in enumerate(candidates)}
        unknown = [text for text in captions if text not in number]
        if unknown:
            raise ValueError(f"the caption {unknown[0]!r} is not among the {len(candidates)} candidates")
        scores = self.see(pictures) @ self.read(candidates).T
        if len(scores) != len(captions):
            raise ValueError(f"{len(captions)} captions for {len(scores)} pictures")
        own = scores.gather(1, torch.tensor([number[text] for text in captions])[:, None])
        return (scores > own).sum(1)

    def retrieves(
        self, pictures: Pictures, captions: Sequence[str], k: int = 5, candidates: Sequence[str] | None = None
    ) -> list[bool]:
        """Tell for each picture whether its caption is among the k candidates that fit it best; see `ranks`."""
        return (self.ranks(pictures, captions, candidates) < k).tolist()


def load_scorer(device: str = CPU) -> EmojiScorer:
    """Return the scorer that ships with lienzo, frozen; one for each device."""
    return _loaded(device)


@functools.cache
def _loaded(device: str) -> EmojiScorer:
    folder: Path = folder_of(NAME)
    config = config_of(folder)
    return restored(EmojiScorer(config["width"], config["dimension"]), folder).to(device)


def as_pictures(pictures: Pictures) -> Tensor:
    """Return (N, 3, 64, 64) in [-1, 1] from such a tensor, from uint8 (N, H, W, 3), or from PIL pictures.

    Transparent PIL pictures are laid on white; other sizes are resampled (Lanczos).

    Raises:
        ValueError: for another shape.
    """
    if isinstance(pictures, Tensor):
        x = pictures.float()
    elif isinstance(pictures, np.ndarray):
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    else:
        return as_pictures(np.stack([_pixels(picture) for picture in pictures]))
    if x.ndim != 4 or x.shape[1] != 3:
        raise ValueError(f"expected colour pictures, got {tuple(x.shape)}")
    if x.shape[2:] != (SIDE, SIDE):
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return x.clamp(-1, 1)


@functools.cache
def english_captions() -> tuple[str, ...]:
    """Return every English caption of the emoji, sorted: the candidates of the project's figures."""
    data = open_source("emoji", split="all")
    return tuple(sorted({texts[0] for texts in data.values("text", range(len(data))) if texts}))


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in colour, laid on white where it is transparent."""
    if picture.mode == "RGB":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    picture = on_white(picture)
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)
