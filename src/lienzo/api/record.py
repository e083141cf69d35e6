"""What a picture remembers: everything that makes it again, as text inside the PNG."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from lienzo.core import DataError

KEY = "lienzo"  # the PNG's text chunk, and the entry of `Image.info`


@dataclass(frozen=True)
class Remembered:
    """What every record is: plain data, as text inside a picture."""

    def text(self) -> str:
        """Return the record as JSON on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Record(Remembered):
    """Where a picture comes from.

    Attributes:
        model: the name or folder that it was loaded by.
        weights: SHA-256 of its `model.safetensors`.
        conditions: name → what was said; pictures and maps as the text that `lienzo.api.packed` makes of them.
        seed, index: its stream.
        options: of the family's `sample`, with every default spelt out.
        device, threads: what computed it: other kernels may give other last bits.
        lienzo, torch: versions.
    """

    model: str
    weights: str
    conditions: dict[str, Any]
    seed: int
    index: int
    options: dict[str, Any]
    device: str
    threads: int
    lienzo: str
    torch: str

    def spoken(self) -> dict[str, str]:
        """Return what was said in words; a picture is only named."""
        return {n: "a picture" if isinstance(v, Mapping) else str(v) for n, v in self.conditions.items()}

    @classmethod
    def of(cls, image: Image.Image, name: str = "the picture") -> Record:
        """Read the record of a picture.

        Raises:
            DataError: if it has none.
        """
        try:
            plain: Any = json.loads(str(image.info[KEY]))
            return cls(**{field.name: plain[field.name] for field in fields(cls)})
        except (KeyError, ValueError, TypeError):
            hint = "a single picture that `lienzo generate` wrote, as it was written"
            raise DataError(f"{name} carries no record of how it was made", hint=hint) from None


def save(image: Image.Image, path: Path | str) -> Path:
    """Write a picture as PNG with its record, there in one instant or not at all.

    Args:
        image: from `Model.generate`; its `info` holds the record.
        path: a `.png`.

    Raises:
        DataError: if it cannot be written.
    """
    return write_png(image, Path(path), str(image.info.get(KEY, "")))


def write_png(image: Image.Image, path: Path, text: str = "") -> Path:
    """Write a PNG, with a text under lienzo's key if there is one.

    Raises:
        DataError: if it cannot be written.
    """
    about = PngImagePlugin.PngInfo()
    if text:
        about.add_text(KEY, text)
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(beside, format="PNG", pnginfo=about)
        beside.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write {path}: {error.strerror or error}", hint="a folder that you may write to"
        ) from None
    return path
