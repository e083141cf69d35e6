"""Weights in fewer bytes: half precision, or 8- or 6-bit integers with a scale a row; and back again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Precision = Literal["float32", "float16", "int8", "int6"]
LARGEST = {"int8": 127, "int6": 31}  # of the integers; zero is one of them
SMALL = 1024  # numbers of a tensor below which 6 bits would save nothing worth a name


def rounded(name: str, tensor: Tensor, precision: Precision) -> dict[str, Tensor]:
    """Return one weight in fewer bytes, under names that `restored` knows.

    "float16", where it does not overflow; "int8" and "int6": w ≈ s · q of matrices and kernels, with integers q in
    [-127, 127] or [-31, 31] and s the largest |w| of a row (of an output channel) over 127 or 31; four 6-bit integers
    take three bytes. What is no matrix is kept at 16 bits.
    """
    if precision == "float32" or not tensor.is_floating_point():
        return {name: tensor}
    if precision == "float16" or tensor.ndim < 2 or tensor.numel() == 0:
        half = tensor.half()
        return {name: half if bool(half.isfinite().all()) else tensor}
    six = precision == "int6" and tensor.numel() >= SMALL
    most = LARGEST["int6" if six else "int8"]
    rows = tensor.float().flatten(1)
    scale = rows.abs().amax(1) / most
    scale = scale.half() if six and bool(scale.half().isfinite().all()) else scale
    whole = (rows / scale.float().clamp_min(1e-12)[:, None]).round().clamp(-most, most).to(torch.int8)
    if six:
        shape = torch.tensor(tensor.shape, dtype=torch.int32)
        return {f"{name}.six": _packed(whole), f"{name}.scale": scale, f"{name}.shape": shape}
    return {name: whole.view(tensor.shape), f"{name}.scale": scale}


def restored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in which what `rounded` made integers of are numbers again."""
    found = dict(tensors)
    for packed in [n for n in found if n.endswith(".six")]:
        name = packed.removesuffix(".six")
        shape = found.pop(f"{name}.shape").tolist()
        found[name] = _unpacked(found.pop(packed))[: math.prod(shape)].view(shape)
    for name in [n for n, t in found.items() if t.dtype == torch.int8 and f"{n}.scale" in found]:
        scale = found.pop(f"{name}.scale").float()
        found[name] = found[name].float() * scale.view(-1, *[1] * (found[name].ndim - 1))
    return found


def _packed(whole: Tensor) -> Tensor:
    """Return integers in [-31, 31], (R, C) int8, four in three bytes, (3 ⌈RC/4⌉,); zeros may follow the last."""
    flat = F.pad(whole.flatten() + 32, (0, -whole.numel() % 4)).to(torch.int32).view(-1, 4)
    word = flat[:, 0] | flat[:, 1] << 6 | flat[:, 2] << 12 | flat[:, 3] << 18
    return torch.stack([word & 255, word >> 8 & 255, word >> 16], 1).to(torch.uint8).flatten()


def _unpacked(packed: Tensor) -> Tensor:
    low, middle, high = packed.view(-1, 3).to(torch.int32).unbind(1)
    word = low | middle << 8 | high << 16
    four = torch.stack([word & 63, word >> 6 & 63, word >> 12 & 63, word >> 18], 1)
    return (four.flatten() - 32).to(torch.int8)
