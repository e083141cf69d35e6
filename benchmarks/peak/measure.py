"""One network's training step in a process of its own: FLOPs, seconds, GFLOP/s. Called by run.py."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import ROOT, peak_mib
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lienzo.training.pages import keep_pages

Loss = Callable[[], Tensor]


def of_recipe(file: Path, batch: int) -> tuple[nn.Module, Loss, int]:
    """The family of a recipe, on pictures or codes of noise; the time does not depend on what they show."""
    from lienzo.conditions import Bus
    from lienzo.core import Batch, Streams
    from lienzo.training.recipes import Recipe, make_bus, make_family, open_data, read_recipe

    recipe = Recipe.checked(read_recipe(file))
    data = open_data(recipe.data)
    shape, coded = (recipe.data.channels, recipe.data.size, recipe.data.size), recipe.codes is not None
    if recipe.codes is not None:
        assert recipe.codes.recipe is not None
        coder: Any = make_family(recipe.codes.recipe.family, None, Bus({}), shape, 0)
        shape = coder.code_shape
    bus = make_bus(recipe, data, shape[1])
    family = make_family(recipe.family, recipe.network, bus, shape, 0, codes=coded)
    size = batch or recipe.training.batch_size
    rows = range(size)
    said = {name: [(v[0] if isinstance(v, list) else v) for v in data.values(name, rows)] for name in bus.names}
    fed = Batch(torch.randn(size, *shape), bus.parse(said, size), Streams(0, rows))
    return family, lambda: family.loss(fed).total, size


def of_peer(name: str, batch: int) -> tuple[nn.Module, Loss, int]:
    module, cls = {"diffusers": ("peer_diffusers", "Diffusers"), "ddpt": ("peer_ddpt", "Ddpt")}[name]
    peer_class = getattr(importlib.import_module(f"benchmarks.fashion.{module}"), cls)
    peer = peer_class(peer_class.CHOICES[0])
    size = batch or peer_class.CHOICES[0].batch
    x, y = torch.rand(size, 1, 28, 28) * 2 - 1, torch.randint(10, (size,))
    if name == "diffusers":
        return peer.model, lambda: peer.loss(x, y), size
    return peer.diffusion, lambda: peer.diffusion((x + 1) / 2, classes=y), size


MADE: dict[str, Callable[[int], tuple[nn.Module, Loss, int]]] = {
    "transformer": lambda b: of_recipe(ROOT / "recipes" / "emoji-64.toml", b),
    "unet": lambda b: of_recipe(ROOT / "benchmarks" / "peak" / "unet.toml", b),
    "fashion": lambda b: of_recipe(ROOT / "recipes" / "fashion-mnist" / "diffusion.toml", b),
    "diffusers": lambda b: of_peer("diffusers", b),
    "ddpt": lambda b: of_peer("ddpt", b),
}


def flops_of(model: nn.Module, loss: Loss) -> int:
    """Multiplications and additions of a forward and a backward pass; attention as the products that it is."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        loss().backward()
    model.zero_grad()
    return counter.get_total_flops()


def seconds_of(
    model: nn.Module, loss: Loss, precision: str, repeats: int, now: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Whole steps: loss, gradient, clipping, AdamW."""
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5, fused=True)
    times = list[float]()
    for _ in range(repeats + 2):
        since = now()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            total = loss()
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        times.append(now() - since)
    return sorted(times[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MADE)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=0, help="pictures a step; 0: as its recipe or example says")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    keep_pages()  # as lienzo's training does; the peers, whose loops do not, are given it too
    model, loss, batch = MADE[args.name](args.batch)
    model.train()
    flops = flops_of(model, loss)
    told: dict[str, Any] = {
        "name": args.name, "parameters": sum(p.numel() for p in model.parameters()), "batch": batch,
        "gflop_per_image": flops / batch / 1e9,
    }  # fmt: skip
    for precision in ("float32", "bfloat16"):
        times = seconds_of(model, loss, precision, args.repeats)
        middle = times[len(times) // 2]
        told[precision] = {"seconds": middle, "times": times, "images_per_second": batch / middle,
                           "gflops": flops / middle / 1e9}  # fmt: skip
    told["peak_mib"] = peak_mib()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
