"""Which feature extractor a name means: one of ours, one that others trained, or a class of the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from lienzo.core import ConfigurationError
from lienzo.evaluation import vision
from lienzo.evaluation.devices import CPU
from lienzo.evaluation.features import INCEPTION, Bytes, Clf64, EmojiSide, Extractor, PixelPCA

KNOWN = ("clf64", "emoji", "pca", "efficientnet-lite0", "inception:FILE")
FITTING = ("pca", "efficientnet-lite0")  # to real pictures


def extractor_named(name: str, real: Bytes, device: str = CPU) -> Extractor:
    """Return an extractor.

    Args:
        name: "clf64", "emoji", "pca", "efficientnet-lite0", "inception:FILE", the folder of a `transformers` model or
            "hub:OWNER/NAME", or "module:Class" of one's own.
        real: training pictures (N, H, W, C) uint8, which those of `FITTING` are fitted to.
        device: on which it computes.

    Raises:
        ConfigurationError: if there is none, or it needs what is not installed.
    """
    kind, _, rest = name.partition(":")
    makers: dict[str, Callable[[], Extractor]] = {
        "clf64": lambda: Clf64(device), "emoji": lambda: EmojiSide(device), "pca": lambda: PixelPCA(real),
        "efficientnet-lite0": lambda: vision.Reduced(vision.EfficientNet(device), real),
        "inception": lambda: vision.Inception(Path(rest).expanduser(), device),
        "hub": lambda: vision.Transformer(rest, device),
    }  # fmt: skip
    if (Path(name).expanduser() / "config.json").is_file():
        return vision.Transformer(Path(name).expanduser(), device)
    if kind in makers and bool(rest) == (kind in ("inception", "hub")):
        return makers[kind]()
    if rest:
        return _own(name, device)
    hint = f"one of {', '.join(KNOWN)}, the folder of a transformers model, hub:OWNER/NAME, or module:Class"
    raise ConfigurationError(f"no feature extractor {name!r}", hint=hint)


def usual(source: str, shape: tuple[int, int, int]) -> str:
    """Return the name of the extractor that suits pictures (H, W, C) of a source."""
    if "fashion-mnist" in source and shape == (28, 28, 1):
        return "clf64"
    return "emoji" if any(word in source for word in ("emoji", "scenes")) and shape[2] == 3 else "pca"


def _own(name: str, device: str) -> Extractor:
    module, _, attribute = name.partition(":")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"no feature extractor {name!r}: {error}", hint="module:Class") from None
    if not (inspect.isclass(cls) and issubclass(cls, Extractor)):
        hint = "a subclass of lienzo.evaluation.Extractor"
        raise ConfigurationError(f"{name} is no feature extractor", hint=hint)
    made = cls()
    if made.name == INCEPTION:
        raise ConfigurationError(f"{name} calls itself {INCEPTION}, on which alone a distance is called FID")
    made.device = device
    return made
