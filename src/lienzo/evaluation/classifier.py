"""The classifier of Fashion-MNIST on whose 64 features FD-clf64 is measured."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.evaluation.devices import CPU, blockwise
from lienzo.evaluation.distances import Moments, frechet_distance, moments
from lienzo.evaluation.shipped import config_of, folder_of, restored

NAME = "fashion-classifier"
REFERENCE = "reference.safetensors"
Pictures = Tensor | NDArray[np.uint8]


class FashionClassifier(nn.Module):
    """Three convolutions, 64 features of unit variance over the training pictures, ten classes.

    The features see the whole 7 × 7 grid, so that they notice where things are, not only whether they are there.

    Args:
        widths: channels of the convolutions.
        features: D, the width of the feature layer.
        classes: how many.

    >>> FashionClassifier(widths=(8, 8, 8)).eval().features(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 64])
    """

    def __init__(self, widths: tuple[int, int, int] = (32, 48, 64), features: int = 64, classes: int = 10) -> None:
        super().__init__()
        inside, layers = 4, list[nn.Module]()
        for number, width in enumerate(widths):
            stride = 2 if number == 1 else 1
            layers += [nn.Conv2d(inside, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.GELU()]
            inside = width
        self.layers = nn.Sequential(*layers)
        self.embed = nn.Linear(7 * 7 * inside, features, bias=False)
        self.scale = nn.BatchNorm1d(features, affine=False)
        self.head = nn.Linear(features, classes)

    def features(self, x: Tensor) -> Tensor:
        """Return the features (B, D) of pictures (B, 1, 28, 28) in [-1, 1]."""
        return self.scale(self.embed(self.layers(F.pixel_unshuffle(x, 2)).flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, classes) of pictures (B, 1, 28, 28) in [-1, 1]."""
        return self.head(F.gelu(self.features(x)))


def load_classifier(device: str = CPU) -> FashionClassifier:
    """Return the classifier that ships with lienzo, frozen; one for each device."""
    return _loaded(device)


@functools.cache
def _loaded(device: str) -> FashionClassifier:
    folder = folder_of(NAME)
    config = config_of(folder)
    widths: Any = tuple(config["widths"])
    return restored(FashionClassifier(widths, config["features"], config["classes"]), folder).to(device)


def as_pictures(images: Pictures) -> Tensor:
    """Return (N, 1, 28, 28) in [-1, 1] from such a tensor, or from uint8 (N, 28, 28) or (N, 28, 28, 1).

    Floating-point pictures are brought to 8 bits, as any file would bring them: features of what nobody can see do not
    count.

    Raises:
        ValueError: for another shape.
    """
    x = torch.as_tensor(images)
    if x.dtype == torch.uint8:
        x = x.reshape(-1, 1, 28, 28) if x.numel() == len(x) * 28 * 28 else x
    else:
        x = ((x.clamp(-1, 1) + 1) * 127.5).round()
    if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
        raise ValueError(f"expected grey pictures of 28 × 28, got {tuple(x.shape)}")
    return x.float() / 127.5 - 1


def features_of(images: Pictures, batch: int = 500, *, device: str = CPU) -> Tensor:
    """Return the shipped classifier's features (N, 64) of pictures, as in `as_pictures`; on the CPU, like all below."""
    return blockwise(load_classifier(device).features, as_pictures(images), device, batch)


def classes_of(images: Pictures, batch: int = 500, *, device: str = CPU) -> Tensor:
    """Return the class numbers (N,) that the shipped classifier sees in pictures, as in `as_pictures`."""
    return blockwise(load_classifier(device), as_pictures(images), device, batch).argmax(1)


def fd_clf64(images: Pictures, reference: Pictures | Moments | None = None) -> float:
    """Return the Fréchet distance on the 64 features of the shipped classifier.

    Print it beside `floor()`, the distance of as many real pictures. It is not FID, and not comparable with it.

    Args:
        images: as in `as_pictures`; 10,000 for figures that are shown.
        reference: pictures or their moments; by default those of the 10,000 test pictures.
    """
    if not isinstance(reference, Moments):
        reference = shipped_reference() if reference is None else moments(features_of(reference))
    return frechet_distance(moments(features_of(images)), reference)


@functools.cache
def shipped_reference() -> Moments:
    """Return the moments of the 10,000 test pictures, measured when the classifier was made."""
    file: Path = folder_of(NAME) / REFERENCE
    tensors = load_file(file)
    return Moments(tensors["mean"], tensors["covariance"], int(tensors["count"]))


def floor() -> float:
    """Return the distance of 10,000 real pictures of the training set from the 10,000 of the test set."""
    return float(config_of(folder_of(NAME))["floor"])
