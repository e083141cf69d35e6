"""Named tensors in a safetensors file: shared ones once, damaged or unwritable files with a clear error."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lienzo.core import CheckpointError, Family
from lienzo.training.rounding import restored


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors by name; of names that are one tensor only the first is written.

    Raises:
        OSError: ENOSPC for a full disk, EIO for anything else that the writer could not do.
    """
    held, storages = dict[str, Tensor](), set[int]()
    for name, tensor in once(tensors).items():
        value = tensor.detach().cpu().contiguous()
        place = value.untyped_storage().data_ptr()
        held[name] = value.clone() if place in storages else value  # a part of another's memory
        storages.add(place)
    try:
        save_file(held, path)
    except SafetensorError as error:
        full = "No space left" in str(error) or "quota" in str(error)
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `write_tensors` wrote, rounded weights as numbers again (see `lienzo.training.rounding`).

    Raises:
        CheckpointError: for a file that is missing or damaged.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"cannot read weights from {path}: {error}", hint="an earlier checkpoint") from error
    return restored(tensors)


def once(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without second names for the same memory."""
    seen: set[tuple[object, ...]] = set()
    kept: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        key = (tensor.device, tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if tensor.numel() == 0 or key not in seen:
            seen.add(key)
            kept[name] = tensor
    return kept


def called(module: nn.Module, what: Literal["scratch", "rounded"]) -> set[str]:
    """Return the names of the weights that families within a module call so, one by one or by the part they are in."""
    inside = ((prefix, part) for prefix, part in module.named_modules() if isinstance(part, Family))
    named = tuple(f"{prefix}.{name}".lstrip(".") for prefix, part in inside for name in getattr(part, what))
    parts = tuple(f"{name}." for name in named)
    return {name for name in module.state_dict() if name in named or name.startswith(parts)}


@torch.no_grad()
def fill(module: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Copy weights into a module, in its own precision; second names of shared weights may be missing, and scratch.

    Raises:
        CheckpointError: naming the first weight that is missing, has no place, or has another shape.
    """
    own, spare = module.state_dict(), called(module, "scratch")
    for name in sorted(set(tensors) - set(own)):
        raise CheckpointError(f"{source} holds weights {name!r}, for which {type(module).__name__} has no place")
    for name in sorted(set(once(own)) - set(tensors) - spare):
        raise CheckpointError(f"{source} lacks the weights {name!r} of {type(module).__name__}")
    for name, tensor in tensors.items():
        if own[name].shape != tensor.shape:
            raise CheckpointError(
                f"weights {name!r} in {source} have shape {tuple(tensor.shape)}, expected {tuple(own[name].shape)}"
            )
        own[name].copy_(tensor)
