"""Weights for shipping: half the bytes, a quarter or less, without the state of training."""

from __future__ import annotations

import shutil
from pathlib import Path

from torch import Tensor

from lienzo.core import CheckpointError
from lienzo.training.card import with_rounded
from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, resolve, seal
from lienzo.training.opening import load
from lienzo.training.rounding import LARGEST, Precision, rounded
from lienzo.training.tensors import called, read_tensors, write_tensors


def export(run: Path | str, to: Path | str, precision: Precision = "float16") -> Path:
    """Write a checkpoint's family, without the state of its training or scratch buffers, as a checkpoint of its own.

    Args:
        run: a checkpoint or a run's folder.
        to: a folder that does not exist yet, or is empty.
        precision: "float16"; "int8" or "int6" for matrices and kernels, with a scale a row, and "float16" for the rest.
            Buffers keep theirs, but for those that the family calls `rounded`.

    Returns:
        `to`.

    Raises:
        CheckpointError: if there is nothing to export, or `to` holds something.
    """
    found, to = resolve(Path(run)), Path(to)
    if to.exists() and any(to.iterdir()):
        raise CheckpointError(f"{to} is not empty", hint="a new folder")
    family = load(found)
    names = set(dict(family.named_parameters(remove_duplicate=False))) | called(family, "rounded")
    spare = called(family, "scratch")
    fresh = to.with_name(f".{to.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    packed: dict[str, Tensor] = {}
    for name, tensor in read_tensors(found / WEIGHTS).items():
        if name not in spare:
            packed |= rounded(name, tensor, precision) if name in names else {name: tensor}
    write_tensors(packed, fresh / WEIGHTS)
    if (found / CONFIG).is_file():
        shutil.copyfile(found / CONFIG, fresh / CONFIG)
    if (found / CARD).is_file():
        card = (found / CARD).read_text("utf-8")
        (fresh / CARD).write_text(with_rounded(card, precision) if precision in LARGEST else card, "utf-8")
    seal(fresh)
    if to.exists():
        to.rmdir()
    fresh.rename(to)
    return to
