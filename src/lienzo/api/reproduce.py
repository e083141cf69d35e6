"""Make a picture again from what it remembers, and compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from lienzo.api.edit.asked import EditRecord
from lienzo.api.model import Model, load
from lienzo.api.record import Record
from lienzo.core import CheckpointError, DataError
from lienzo.training.card import version


@dataclass(frozen=True)
class Reproduction:
    """How a picture made again compares with the one in the file.

    Attributes:
        same: whether every pixel is the same.
        largest, mean: absolute difference of pixel values, of 255.
        differs: what is not as it was when the picture was made, in words.
        record: the file's.
        image: made again.
    """

    same: bool
    largest: int
    mean: float
    differs: list[str]
    record: Record | EditRecord
    image: Image.Image = field(repr=False)


def reproduce(file: Path | str, *, model: str | Path | None = None) -> Reproduction:
    """Make a picture again from its own record.

    Args:
        file: a PNG that `lienzo generate`, `lienzo edit` or `lienzo.save` wrote.
        model: where its model is now, if it is not where the record says.

    Raises:
        DataError: for a file without a record.
        CheckpointError: if its model is not there.
    """
    path = Path(file).expanduser()
    image, record = _opened(path)
    threads = torch.get_num_threads()
    torch.set_num_threads(record.threads)
    try:
        again, used, changed = _again(record, model)
    finally:
        torch.set_num_threads(threads)
    return _compared(image, again, record, [*_changes(record, used.weights, used.device.type), *changed])


def _again(record: Record | EditRecord, model: str | Path | None) -> tuple[Image.Image, Model, list[str]]:
    """Return the picture made again, by which model, and which files have changed."""

    def used() -> Model:
        try:
            return load(model or record.model, device=record.device if _has(record.device) else "cpu")
        except CheckpointError as error:
            raise CheckpointError(error.what, hint=f"{error.hint}; --model says where {record.model} is now") from None

    if isinstance(record, EditRecord):
        from lienzo.api.edit.again import again as edited_again  # late: few pictures are edits

        return edited_again(record, used)
    drawing = used()
    row, options = record.conditions, record.options
    return drawing.draw([row], seed=record.seed, indices=[record.index], options=options)[0], drawing, []


def _opened(path: Path) -> tuple[Image.Image, Record | EditRecord]:
    try:
        with Image.open(path) as image:
            image.load()
            return image, EditRecord.of(image) or Record.of(image, str(path))
    except (OSError, UnidentifiedImageError) as error:
        reason = getattr(error, "strerror", None) or "it is no picture"
        raise DataError(f"cannot read {path}: {reason}", hint="a PNG that `lienzo generate` wrote") from None


def _changes(record: Record | EditRecord, weights: str, device: str) -> list[str]:
    now = {"lienzo": version(), "torch": str(torch.__version__), "device": device}
    then = {"lienzo": record.lienzo, "torch": record.torch, "device": record.device}
    found = [f"{name}: {then[name]} then, {now[name]} now" for name in now if then[name] != now[name]]
    if weights != record.weights:
        found.insert(0, f"the model's weights: {record.weights[:12]}… then, {weights[:12]}… now")
    return found


def _compared(image: Image.Image, again: Image.Image, record: Record | EditRecord, differs: list[str]) -> Reproduction:
    if (image.size, image.mode) != (again.size, again.mode):
        text = f"the picture: {image.mode} {image.size} in the file, {again.mode} {again.size} made again"
        return Reproduction(False, 255, 255.0, [text, *differs], record, again)
    gap = np.abs(np.asarray(image, np.int16) - np.asarray(again, np.int16))
    return Reproduction(not gap.any(), int(gap.max()), float(gap.mean()), differs, record, again)


def _has(device: str) -> bool:
    return device == "cpu" or (device == "cuda" and torch.cuda.is_available())
