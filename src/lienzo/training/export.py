"""Weights for shipping: half the bytes, or a quarter, without the state of training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from lienzo.core import CheckpointError
from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, resolve, seal
from lienzo.training.opening import load
from lienzo.training.tensors import read_tensors, scratch, write_tensors

Precision = Literal["float32", "float16", "int8"]


def export(run: Path | str, to: Path | str, precision: Precision = "float16") -> Path:
    """Write a checkpoint's family, without the state of its training or scratch buffers, as a checkpoint of its own.

    Args:
        run: a checkpoint or a run's folder.
        to: a folder that does not exist yet, or is empty.
        precision: "float16"; "int8" for matrices and kernels, with a scale a row, and "float16" for the rest. Buffers
            keep theirs.

    Returns:
        `to`.

    Raises:
        CheckpointError: if there is nothing to export, or `to` holds something.
    """
    found, to = resolve(Path(run)), Path(to)
    if to.exists() and any(to.iterdir()):
        raise CheckpointError(f"{to} is not empty", hint="a new folder")
    family = load(found)
    names, spare = set(dict(family.named_parameters(remove_duplicate=False))), scratch(family)
    fresh = to.with_name(f".{to.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    packed: dict[str, Tensor] = {}
    for name, tensor in read_tensors(found / WEIGHTS).items():
        if name not in spare:
            packed |= pack(name, tensor, precision) if name in names else {name: tensor}
    write_tensors(packed, fresh / WEIGHTS)
    for name in (CONFIG, CARD):
        if (found / name).is_file():
            shutil.copyfile(found / name, fresh / name)
    seal(fresh)
    if to.exists():
        to.rmdir()
    fresh.rename(to)
    return to


def pack(name: str, tensor: Tensor, precision: Precision) -> dict[str, Tensor]:
    """Return one weight in fewer bytes; where half precision would overflow, as it is.

    "int8": w ≈ s · q with q in [-127, 127], and s the largest |w| of a row (of an output channel) over 127.
    """
    if precision == "float32" or not tensor.is_floating_point():
        return {name: tensor}
    if precision == "int8" and tensor.ndim >= 2 and tensor.shape[0] > 0:
        scale = tensor.float().flatten(1).abs().amax(1).clamp_min(1e-12) / 127
        rows = tensor.float() / scale.view(-1, *[1] * (tensor.ndim - 1))
        return {name: rows.round().clamp(-127, 127).to(torch.int8), f"{name}.scale": scale}
    half = tensor.half()
    return {name: half if bool(half.isfinite().all()) else tensor}
