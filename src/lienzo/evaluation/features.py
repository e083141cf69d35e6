"""Feature extractors: what a figure's name names. FD-clf64 and FD-emoji are different things, and neither is FID."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import ConfigurationError
from lienzo.evaluation.classifier import NAME as CLASSIFIER
from lienzo.evaluation.classifier import as_pictures, load_classifier
from lienzo.evaluation.scorer import NAME as SCORER
from lienzo.evaluation.scorer import load_scorer
from lienzo.evaluation.shipped import WEIGHTS, folder_of, sha256

Bytes = NDArray[np.uint8]  # (N, H, W, C), C = 1 or 3
AT_ONCE = 256
KNOWN = ("clf64", "emoji", "pca")
COMPONENTS, PIXELS, FITTED = (
    64,
    32,
    2000,
)  # of the PCA: D, side that pictures are brought to, pictures that it is fit to


class Extractor(ABC):
    """Turns pictures into features.

    Attributes:
        name: as figures bear it, e.g. "clf64".
        dimension: D.
        sha256: of whatever decides the features.
    """

    name: str
    dimension: int
    sha256: str

    @abstractmethod
    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, D) float32 of a few pictures (n, H, W, C) uint8."""

    @torch.no_grad()
    def features(self, pictures: Bytes) -> Tensor:
        """Return the features (N, D) float32 of pictures (N, H, W, C) uint8, a batch at a time."""
        parts = [self.batch(pictures[start : start + AT_ONCE]) for start in range(0, len(pictures), AT_ONCE)]
        return torch.cat(parts) if parts else torch.zeros(0, self.dimension)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.dimension} features, {self.sha256[:12]})"


class Clf64(Extractor):
    """The shipped classifier of Fashion-MNIST: grey pictures of 28 × 28."""

    def __init__(self) -> None:
        self.name, self.network = "clf64", load_classifier()
        self.dimension, self.sha256 = 64, sha256(folder_of(CLASSIFIER) / WEIGHTS)

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
        return self.network.features(as_pictures(pictures))


class EmojiSide(Extractor):
    """The image side of the shipped scorer: unit vectors of colour pictures, which are brought to 64 × 64."""

    def __init__(self) -> None:
        self.name, self.network = "emoji", load_scorer()
        self.dimension, self.sha256 = int(self.network.image.out.out_features), sha256(folder_of(SCORER) / WEIGHTS)

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, 128)."""
        return self.network.see(np.ascontiguousarray(coloured(pictures)), batch=len(pictures))


class PixelPCA(Extractor):
    """The main axes of real pictures, no larger than 32 × 32: no network, and nothing learnt elsewhere.

    Args:
        real: pictures (N, H, W, C) uint8 to fit; of more than 2,000, as many evenly spaced ones.
        dimension: D; no more than pictures less one.
    """

    def __init__(self, real: Bytes, dimension: int = COMPONENTS) -> None:
        rows = np.unique(np.linspace(0, len(real) - 1, FITTED).round().astype(np.int64))
        x = _small(real[rows]).double()
        self.mean = x.mean(0)
        x = x - self.mean
        values, vectors = torch.linalg.eigh(x @ x.T)  # N × N: the axes are combinations of the pictures
        self.dimension = min(dimension, len(x) - 1, x.shape[1])
        kept = vectors[:, -self.dimension :].flip(1) / values[-self.dimension :].flip(0).clamp_min(1e-12).sqrt()
        axes = x.T @ kept
        sign = torch.where(axes.gather(0, axes.abs().argmax(0)[None]) < 0, -1.0, 1.0)
        self.axes = (axes * sign).float()
        self.name, self.mean = f"pca{self.dimension}", self.mean.float()
        self.sha256 = hashlib.sha256(self.mean.numpy().tobytes() + self.axes.numpy().tobytes()).hexdigest()

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the coordinates (n, D)."""
        return (_small(pictures) - self.mean) @ self.axes


class Vision(Extractor):
    """A vision model of `transformers` in a local folder (DINOv2, CLIP, ViT …): its pooled output, or its first token.

    Args:
        folder: with config.json, preprocessor_config.json and model.safetensors; nothing is downloaded.

    Raises:
        ConfigurationError: if `transformers` is not installed, or cannot read the folder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            transformers = import_module("transformers")
        except ImportError:
            raise ConfigurationError(
                f"{folder} needs the package transformers", hint="pip install 'lienzo[pretrained]'"
            ) from None
        try:
            self.processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
            model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{folder} is no vision model: {error}", hint="a folder as saved by it") from None
        self.network = getattr(model, "vision_model", model).eval()
        self.name = folder.resolve().name
        self.dimension, self.sha256 = int(self.network.config.hidden_size), sha256(folder / WEIGHTS)

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, D)."""
        found = self.network(**self.processor(images=list(coloured(pictures)), return_tensors="pt"))
        pooled = getattr(found, "pooler_output", None)
        return pooled if pooled is not None else found.last_hidden_state[:, 0]


def extractor_named(name: str, real: Bytes) -> Extractor:
    """Return an extractor.

    Args:
        name: "clf64", "emoji", "pca", the folder of a `transformers` model, or "module:Class" of one's own.
        real: training pictures (N, H, W, C) uint8, which "pca" is fitted to.

    Raises:
        ConfigurationError: if there is none.
    """
    if name == "clf64":
        return Clf64()
    if name == "emoji":
        return EmojiSide()
    if name == "pca":
        return PixelPCA(real)
    if (Path(name).expanduser() / "config.json").is_file():
        return Vision(Path(name).expanduser())
    if ":" in name:
        return _own(name)
    hint = f"one of {', '.join(KNOWN)}, the folder of a transformers model, or module:Class"
    raise ConfigurationError(f"no feature extractor {name!r}", hint=hint)


def usual(source: str, shape: tuple[int, int, int]) -> str:
    """Return the name of the extractor that suits pictures (H, W, C) of a source."""
    if "fashion-mnist" in source and shape == (28, 28, 1):
        return "clf64"
    return "emoji" if any(word in source for word in ("emoji", "scenes")) and shape[2] == 3 else "pca"


def coloured(pictures: Bytes) -> Bytes:
    """Return pictures (N, H, W, C) with three channels."""
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3)) if pictures.shape[3] == 1 else pictures


def _own(name: str) -> Extractor:
    module, _, attribute = name.partition(":")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"no feature extractor {name!r}: {error}", hint="module:Class") from None
    if not (inspect.isclass(cls) and issubclass(cls, Extractor)):
        hint = "a subclass of lienzo.evaluation.Extractor"
        raise ConfigurationError(f"{name} is no feature extractor", hint=hint)
    return cls()


def _small(pictures: Bytes) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2) / 127.5 - 1
    if max(x.shape[2:]) > PIXELS:
        x = F.interpolate(x, (PIXELS, PIXELS), mode="area")
    return x.flatten(1)
