"""One contender in a process of its own: trains, samples, and leaves figures and pictures in a folder.

    python benchmarks/fashion/contender.py ours OUT --minutes 20 --threads 2

Called by run.py. What the folder holds already is not done again, so that a night that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from benchmarks.common import peak_mib
from benchmarks.fashion.contest import CLASSES, Choice, Clock, Contender
from torch import Tensor

from lienzo.data.fashion import open_fashion_mnist
from lienzo.data.pixels import Ask

CONTENDERS = {"ours": "ours:Ours", "diffusers": "peer_diffusers:Diffusers", "ddpt": "peer_ddpt:Ddpt"}
CHUNK = 250  # pictures drawn at once
TRIAL_SEED = 999  # of the pictures by which the way of sampling is chosen; never used for the figures


def contender_class(name: str) -> Any:
    module, _, cls = CONTENDERS[name].partition(":")
    return getattr(importlib.import_module(f"benchmarks.fashion.{module}"), cls)


def pictures() -> tuple[Tensor, Tensor]:
    data = open_fashion_mnist(Ask(28, "crop", 1), "train+validation", None)
    rows = range(len(data))
    x = torch.from_numpy(data.pictures(rows).copy()).reshape(-1, 1, 28, 28)
    numbers = {name: n for n, name in enumerate(data.columns["label"].classes)}
    return x, torch.tensor([numbers[name] for name in data.values("label", rows)])


def trained(contender: Contender, args: argparse.Namespace) -> None:
    file = args.out / "training.json"
    if file.is_file():
        contender.load(args.out)
        return
    before, clock = peak_mib(), Clock(args.minutes, args.clock, args.threads)
    cpu, wall = time.process_time(), time.perf_counter()
    told = contender.train(pictures, clock, args.out)
    told |= {
        "minutes": (clock.now() - clock.since) / 60, "wall_minutes": (time.perf_counter() - wall) / 60,
        "cpu_minutes": (time.process_time() - cpu) / 60, "peak_mib": peak_mib(), "before_mib": before,
        "parameters": contender.parameters,
    }  # fmt: skip
    file.write_text(json.dumps(told), encoding="utf-8")
    print(f"trained: {told}", flush=True)


def drawn(contender: Contender, out: Path, name: str, seed: int, count: int, way: dict[str, Any]) -> None:
    """Draw `count` pictures, as many of each class, into NAME.npy, the seconds beside; go on with what is there."""
    file, about = out / f"{name}.npy", out / f"{name}.json"
    told: dict[str, Any] = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    known = file.is_file() and told["way"] == way
    pictures, before = (np.load(file), told["seconds"]) if known else (np.zeros((0, 28, 28), np.uint8), 0.0)
    since, classes = time.perf_counter(), torch.arange(count) % CLASSES
    for start in range(len(pictures) // CHUNK * CHUNK, count, CHUNK):
        x = contender.sample(classes[start : start + CHUNK], seed * 1_000_000 + start, way)
        part = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)[:, 0].numpy()
        pictures = np.concatenate([pictures[:start], part])
        told = {"way": way, "seed": seed, "count": len(pictures), "seconds": before + time.perf_counter() - since}
        np.save(file.with_suffix(".new.npy"), pictures)
        file.with_suffix(".new.npy").replace(file)
        about.write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--choice", type=json.loads, default=None, help="batch, lr, width, depth as JSON")
    parser.add_argument("--draw", type=json.loads, default=[], help="a list of [name, seed, count, way] as JSON")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    args.out.mkdir(parents=True, exist_ok=True)
    cls = contender_class(args.name)
    contender = cls(Choice(**args.choice) if args.choice else cls.CHOICES[0])
    trained(contender, args)
    for name, seed, count, way in args.draw:
        drawn(contender, args.out, name, seed, count, way)


if __name__ == "__main__":
    main()
