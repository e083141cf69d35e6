"""Who tells whether a picture is what its words say: the scorer that ships, a user's CLIP, or a class of their own."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import ConfigurationError
from lienzo.evaluation.devices import CPU, exact
from lienzo.evaluation.features import Bytes, coloured
from lienzo.evaluation.opened import all_there, opened
from lienzo.evaluation.scorer import NAME, load_scorer
from lienzo.evaluation.shipped import WEIGHTS, digest, folder_of
from lienzo.training.folder import fingerprint

EMOJI = "emoji"  # the one that ships, by the name of its image side among the extractors
AT_ONCE, TEXTS = 32, 256  # pictures and texts that pass through a network together
LONGEST = 77  # tokens of a text that are read, at most: CLIP's
WORDS = "the folder of a contrastive transformers model (CLIP, SigLIP), hub:OWNER/NAME, or module:Class"


class Scorer(ABC):
    """Puts pictures and texts into one space, in which a picture lies near what may be said of it.

    Attributes:
        name: as the report bears it.
        sha256: of whatever decides the vectors.
        device: on which it may compute, e.g. "cuda"; set once, before the first picture.
    """

    name: str
    sha256: str
    device: str = CPU

    @abstractmethod
    def see(self, pictures: Bytes) -> Tensor:
        """Return unit vectors (N, D) float32 of pictures (N, H, W, C) uint8, C = 1 or 3, on the CPU."""

    @abstractmethod
    def read(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors (N, D) float32 of texts, on the CPU."""


class EmojiWords(Scorer):
    """The shipped scorer of emoji and scenes, English and Spanish; pictures are brought to 64 × 64.

    Args:
        device: on which it computes.
    """

    def __init__(self, device: str = CPU) -> None:
        self.name, self.network, self.device = NAME, load_scorer(device), device
        self.sha256 = fingerprint(folder_of(NAME) / WEIGHTS)

    def see(self, pictures: Bytes) -> Tensor:
        """Return unit vectors (N, 128)."""
        return self.network.see(np.ascontiguousarray(coloured(pictures)))

    def read(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors (N, 128)."""
        return self.network.read(texts)


class Contrastive(Scorer):
    """A model of `transformers` with two towers (CLIP, SigLIP …), with its own preprocessing and tokenizer.

    All texts are filled up to one length, as SigLIP has learnt them. "Learning Transferable Visual Models From Natural
    Language Supervision" (Radford et al., 2021); "Sigmoid Loss for Language Image Pre-Training" (Zhai et al., 2023).

    Args:
        place: a local folder with config.json, preprocessor_config.json, the tokenizer's files and model.safetensors,
            from which nothing is downloaded; or the name of a model on the hub.
        device: on which it computes.

    Raises:
        ConfigurationError: if `transformers` is not installed, or cannot read the model, or weights of it are missing,
            or it has no side that reads.
    """

    def __init__(self, place: Path | str, device: str = CPU) -> None:
        found = opened(place, "contrastive model of pictures and texts", texts=True)
        sides = [getattr(found.model, f"get_{side}_features", None) for side in ("image", "text")]
        if None in sides:
            what = f"{found.name} is a {type(found.model).__name__}, which does not hold pictures against texts"
            raise ConfigurationError(what, hint=WORDS)
        if not all_there(found.name, found.missing):
            what = f"{found.name} lacks weights of its pooling: its scores would be random"
            raise ConfigurationError(what, hint="the whole model, as saved by transformers")
        self.name, self.processor, self.tokenizer, self.device = found.name, found.processor, found.tokenizer, device
        self.sha256 = digest(found.model.state_dict())
        self.model = found.model.to(device)
        places = getattr(found.model.config.text_config, "max_position_embeddings", LONGEST)
        self.length = min(places, LONGEST)

    @torch.no_grad()
    def see(self, pictures: Bytes) -> Tensor:
        """Return unit vectors (N, D)."""
        images = [Image.fromarray(picture) for picture in np.ascontiguousarray(coloured(pictures))]
        parts = [images[start : start + AT_ONCE] for start in range(0, len(images), AT_ONCE)]
        with exact(self.device):
            return torch.cat([self._seen(part) for part in parts])

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors (N, D)."""
        parts = [list(texts[start : start + TEXTS]) for start in range(0, len(texts), TEXTS)]
        with exact(self.device):
            return torch.cat([self._read(part) for part in parts])

    def _seen(self, images: list[Image.Image]) -> Tensor:
        inputs = self.processor(images=images, return_tensors="pt").to(self.device)
        return _unit(self.model.get_image_features(**inputs))

    def _read(self, texts: list[str]) -> Tensor:
        filled = {"padding": "max_length", "truncation": True, "max_length": self.length}
        inputs = self.tokenizer(texts, return_tensors="pt", **filled).to(self.device)
        return _unit(self.model.get_text_features(**inputs))


def scorer_named(name: str, device: str = CPU) -> Scorer:
    """Return a scorer.

    Args:
        name: "emoji", the folder of a contrastive `transformers` model or "hub:OWNER/NAME", or "module:Class" of one's
            own, a `Scorer`.
        device: on which it computes.

    Raises:
        ConfigurationError: if there is none, or it needs what is not installed.
    """
    kind, _, rest = name.partition(":")
    if name == EMOJI:
        return EmojiWords(device)
    if (Path(name).expanduser() / "config.json").is_file():
        return Contrastive(Path(name).expanduser(), device)
    if kind == "hub" and rest:
        return Contrastive(rest, device)
    if not rest:
        raise ConfigurationError(f"no judge of words {name!r}", hint=f"{EMOJI}, {WORDS}")
    try:
        found = getattr(import_module(kind), rest)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"no judge of words {name!r}: {error}", hint="module:Class") from None
    if not (inspect.isclass(found) and issubclass(found, Scorer)):
        raise ConfigurationError(f"{name} is no judge of words", hint="a subclass of lienzo.evaluation.Scorer")
    made = found()
    made.device = device
    return made


def _unit(found: Tensor | object) -> Tensor:
    """Return unit vectors on the CPU of what a side returns: vectors, or in later releases what holds them."""
    vectors: Tensor = found if isinstance(found, Tensor) else getattr(found, "pooler_output")  # noqa: B009
    return F.normalize(vectors.float(), dim=1).cpu()
