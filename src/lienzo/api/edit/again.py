"""Make an edit again from what its picture remembers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from lienzo.api.edit.asked import EditRecord
from lienzo.api.edit.run import edited
from lienzo.api.model import Model
from lienzo.core import DataError
from lienzo.training.folder import fingerprint


def again(record: EditRecord, load: Callable[[], Model]) -> tuple[Image.Image, Model, list[str]]:
    """Return the picture made again, the model, and which of its files are not as they were.

    Raises:
        DataError: if the picture that was edited is gone.
    """
    source = Path(record.source)
    if not source.is_file():
        hint = f"put it back where it was; its SHA-256 is {record.files.get(record.source, '')[:12]}…"
        raise DataError(f"the picture that was edited, {source}, is gone", hint=hint)
    changed = [name for name, digest in record.files.items() if not _is(Path(name), digest)]
    model, frames = load(), record.asked.how == "interpolate"
    images = edited(model, source, record.asked, None if frames else [record.index]).images
    return images[record.index if frames else 0], model, [f"the file {name} is not what it was" for name in changed]


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and fingerprint(path) == digest
