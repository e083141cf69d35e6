"""Where judges compute: pictures go to the network's device a block at a time, and what is found comes back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

CPU = "cpu"


def usual_device() -> str:
    """Return where one computes if nothing else is said: on a GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else CPU


@contextmanager
def exact(device: str | torch.device) -> Generator[None]:
    """Within it convolutions on a GPU keep the digits of float32, and give the same bits every time.

    Unasked, cuDNN rounds their factors to 10 bits (TF32) and picks an algorithm by its speed: figures would depend on
    the machine, in the third digit.
    """
    if torch.device(device).type != "cuda":
        yield
        return
    flags: Any = torch.backends.cudnn.flags  # untyped in torch
    with flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@torch.no_grad()
def blockwise(see: Callable[[Tensor], Tensor], x: Tensor, device: str | torch.device, batch: int) -> Tensor:
    """Return what a network finds in rows x (N, …), `batch` of them on its device at a time, (N, …) on the CPU."""
    with exact(device):
        return torch.cat([see(part.to(device)).cpu() for part in x.split(batch)])
