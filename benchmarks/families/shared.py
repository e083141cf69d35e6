"""What the processes share: their arguments; and the peers: noise one level wide, and weights as they are kept."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn


def dequantized(pictures: Tensor) -> Tensor:
    """Return (level + u) / 256 of pictures in [-1, 1]; log p of that plus 8 bits a value is that of the picture."""
    levels = ((pictures + 1) * 127.5).round()
    return (levels + torch.rand_like(levels)) / 256


def kept(model: nn.Module) -> dict[str, Tensor]:
    """Return a model's weights, none of which shares its memory with another."""
    return {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}


def arguments(about: str | None, names: Iterable[str]) -> argparse.Namespace:
    """Read what run.py tells one process, and make ready for it."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("name", choices=list(names))
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--choice", type=json.loads, default=None, help="as JSON: what was searched")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scored", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--dtype", default="float32", help="in which ours draw")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    return args
