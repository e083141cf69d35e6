"""Models of `transformers`, from a local folder or the hub, with their own preprocessing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lienzo.core import ConfigurationError


@dataclass(frozen=True)
class Opened:
    """A model that was read.

    Attributes:
        name: the last part of its folder, or of its name on the hub.
        model: on the CPU, in float32.
        processor: of pictures.
        tokenizer: of texts; None where none was asked for.
        missing: weights that its file lacks.
    """

    name: str
    model: Any
    processor: Any
    tokenizer: Any
    missing: Sequence[str]


def opened(place: Path | str, what: str, *, texts: bool = False) -> Opened:
    """Read a model.

    Args:
        place: a local folder, from which nothing is downloaded; or the name of a model on the hub.
        what: it shall be, in words.
        texts: whether it reads texts, too.

    Raises:
        ConfigurationError: if `transformers` is not installed, or cannot read it.
    """
    try:
        transformers = import_module("transformers")
    except ImportError:
        hint = "pip install 'lienzo[pretrained]'"
        raise ConfigurationError(f"{place} needs the package transformers", hint=hint) from None
    local = isinstance(place, Path)
    try:
        processor = _processor(transformers, place, local)
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, local_files_only=local) if texts else None
        model, told = transformers.AutoModel.from_pretrained(
            place, local_files_only=local, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise ConfigurationError(f"{place} is no {what}: {error}", hint="a folder as saved by transformers") from None
    name = Path(place).resolve().name if local else str(place).rpartition("/")[2]
    return Opened(name, model.float().eval(), processor, tokenizer, sorted(told["missing_keys"]))


def all_there(name: str, missing: Iterable[str]) -> bool:
    """Tell whether a model's pooling may be used: a layer of it that the file lacks has random weights.

    Raises:
        ConfigurationError: if anything else is missing.
    """
    absent = sorted(missing)
    other = [key for key in absent if "pooler" not in key]
    if other:
        what = f"{name} lacks {len(other)} of its weights, e.g. {other[0]}: its features would be random"
        raise ConfigurationError(what, hint="the whole model, as saved by transformers")
    return not absent


def _processor(transformers: Any, place: Path | str, local: bool) -> Any:
    """Return a model's own preprocessing, by Pillow where there is a choice: torchvision need not be there."""
    try:
        return transformers.AutoImageProcessor.from_pretrained(place, local_files_only=local, backend="pil")
    except TypeError:  # releases that know no backends
        return transformers.AutoImageProcessor.from_pretrained(place, local_files_only=local, use_fast=False)
