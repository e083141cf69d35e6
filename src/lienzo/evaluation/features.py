"""Feature extractors: what a figure's name names. FD-clf64 and FD-emoji are different things, and neither is FID."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import ConfigurationError
from lienzo.evaluation.classifier import NAME as CLASSIFIER
from lienzo.evaluation.classifier import as_pictures, load_classifier
from lienzo.evaluation.devices import CPU, exact
from lienzo.evaluation.scorer import NAME as SCORER
from lienzo.evaluation.scorer import load_scorer
from lienzo.evaluation.shipped import WEIGHTS, folder_of
from lienzo.training.folder import fingerprint

Bytes = NDArray[np.uint8]  # (N, H, W, C), C = 1 or 3
AT_ONCE = 256
COMPONENTS, PIXELS = 64, 32  # of the PCA: D, and the side that pictures are brought to
INCEPTION = "inception"  # the extractor whose distance is called FID
FITTED = 2000  # pictures, at most


class Extractor(ABC):
    """Turns pictures into features.

    Attributes:
        name: as figures bear it, e.g. "clf64".
        dimension: D.
        sha256: of whatever decides the features.
        device: on which it may compute, e.g. "cuda"; set once, before the first picture.
        at_once: pictures of a batch; 0: as many as usual, 256.
    """

    name: str
    dimension: int
    sha256: str
    device: str = CPU
    at_once: int = 0

    @abstractmethod
    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, D) float32 of a few pictures (n, H, W, C) uint8, on any device."""

    @torch.no_grad()
    def features(self, pictures: Bytes) -> Tensor:
        """Return the features (N, D) float32 of pictures (N, H, W, C) uint8, a batch at a time, on the CPU."""
        size = self.at_once or AT_ONCE
        with exact(self.device):
            parts = [self.batch(pictures[start : start + size]).cpu() for start in range(0, len(pictures), size)]
        return torch.cat(parts) if parts else torch.zeros(0, self.dimension)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.dimension} features, {self.sha256[:12]})"


class Clf64(Extractor):
    """The shipped classifier of Fashion-MNIST: grey pictures of 28 × 28."""

    def __init__(self, device: str = CPU) -> None:
        self.name, self.network, self.device = "clf64", load_classifier(device), device
        self.dimension, self.sha256 = 64, fingerprint(folder_of(CLASSIFIER) / WEIGHTS)

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, 64).

        Raises:
            ConfigurationError: for other pictures than grey ones of 28 × 28.
        """
        if pictures.shape[1:] != (28, 28, 1):
            height, width, channels = pictures.shape[1:]
            raise ConfigurationError(
                f"clf64 knows grey pictures of 28 × 28, not {width} × {height} × {channels}", hint="--features pca"
            )
        return self.network.features(as_pictures(pictures).to(self.device))


class EmojiSide(Extractor):
    """The image side of the shipped scorer: unit vectors of colour pictures, which are brought to 64 × 64."""

    def __init__(self, device: str = CPU) -> None:
        self.name, self.network, self.device = "emoji", load_scorer(device), device
        self.dimension, self.sha256 = int(self.network.image.out.out_features), fingerprint(folder_of(SCORER) / WEIGHTS)

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, 128)."""
        return self.network.see(np.ascontiguousarray(coloured(pictures)), batch=len(pictures))


class PixelPCA(Extractor):
    """The main axes of real pictures, no larger than 32 × 32: no network, and nothing learnt elsewhere.

    It always computes on the CPU, which takes no longer for it than to send the pictures to a GPU.

    Args:
        real: pictures (N, H, W, C) uint8 to fit; of more than 2,000, as many evenly spaced ones.
        dimension: D; no more than pictures less one.
    """

    def __init__(self, real: Bytes, dimension: int = COMPONENTS) -> None:
        self.mean, self.axes = principal_axes(_small(real[evenly(len(real))]), dimension)
        self.dimension = self.axes.shape[1]
        self.name = f"pca{self.dimension}"
        self.sha256 = hashlib.sha256(self.mean.numpy().tobytes() + self.axes.numpy().tobytes()).hexdigest()

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the coordinates (n, D)."""
        return (_small(pictures) - self.mean) @ self.axes


def principal_axes(x: Tensor, dimension: int) -> tuple[Tensor, Tensor]:
    """Return the mean (D,) of rows x (N, D) and their axes of largest variance (D, K), K at most N - 1; float32."""
    x = x.double()
    mean = x.mean(0)
    x = x - mean
    dimension = min(dimension, len(x) - 1, x.shape[1])
    values, vectors = torch.linalg.eigh(x @ x.T)  # N × N: the axes are combinations of the rows
    kept = vectors[:, -dimension:].flip(1) / values[-dimension:].flip(0).clamp_min(1e-12).sqrt()
    axes = x.T @ kept
    sign = torch.where(axes.gather(0, axes.abs().argmax(0)[None]) < 0, -1.0, 1.0)
    return mean.float(), (axes * sign).float()


def evenly(count: int) -> NDArray[np.int64]:
    """Return which of `count` rows something is fitted to: 2,000 at most, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, FITTED).round().astype(np.int64))


def coloured(pictures: Bytes) -> Bytes:
    """Return pictures (N, H, W, C) with three channels."""
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3)) if pictures.shape[3] == 1 else pictures


def _small(pictures: Bytes) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2) / 127.5 - 1
    if max(x.shape[2:]) > PIXELS:
        x = F.interpolate(x, (PIXELS, PIXELS), mode="area")
    return x.flatten(1)
