"""One peer in a process of its own: trained for the same time, then judged as ours are; called by run.py.

OUT/training.json holds the cost, OUT/judged.json the figures, as ours.py says.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import peak_mib
from benchmarks.families.entries import PEERS
from benchmarks.families.shared import arguments
from benchmarks.fashion.contender import pictures
from benchmarks.fashion.contest import CLASSES, Choice, Clock
from torch import Tensor

from lienzo.data.fashion import open_fashion_mnist
from lienzo.data.pixels import Ask
from lienzo.evaluation import fd_clf64, floor

AT_ONCE, DRAWN, REPEATS = 100, 64, 5


def peer_class(name: str) -> Any:
    module, _, cls = PEERS[name].partition(":")
    return getattr(importlib.import_module(f"benchmarks.families.{module}"), cls)


def held_out(count: int) -> tuple[Tensor, Tensor]:
    data = open_fashion_mnist(Ask(28, "crop", 1), "test", None)
    rows = range(min(count, len(data)))
    numbers = {name: n for n, name in enumerate(data.columns["label"].classes)}
    x = torch.from_numpy(data.pictures(rows).copy()).reshape(-1, 1, 28, 28)
    return x, torch.tensor([numbers[name] for name in data.values("label", rows)])


def train(peer: Any, args: argparse.Namespace) -> None:
    file = args.out / "training.json"
    if file.is_file():
        peer.load(args.out)
        return
    before, clock = peak_mib(), Clock(args.minutes, args.clock, args.threads)
    wall, cpu = time.perf_counter(), time.process_time()
    told = peer.train(*pictures(), clock, args.out)
    told |= {"wall_minutes": (time.perf_counter() - wall) / 60, "cpu_minutes": (time.process_time() - cpu) / 60,
             "peak_mib": peak_mib(), "before_mib": before, "parameters": peer.parameters}  # fmt: skip
    file.write_text(json.dumps(told), encoding="utf-8")


def nats(peer: Any, args: argparse.Namespace) -> dict[str, Any]:
    each = peer.nats(*held_out(args.scored), seed=0, samples=args.samples)
    error = statistics.stdev(each) / len(each) ** 0.5
    return {"nats": {"nats": statistics.fmean(each), "error": error, "samples": args.samples, "pictures": len(each)}}


def bits(peer: Any, args: argparse.Namespace) -> dict[str, Any]:
    x, y = held_out(args.scored)
    parts = zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True)
    each = [value for seed, part in enumerate(parts) for value in peer.bits(*part, seed)]
    error = statistics.stdev(each) / len(each) ** 0.5
    return {"likelihood": {"mean": statistics.fmean(each), "error": error, "kind": "exact", "pictures": len(each)}}


def drawn(peer: Any, args: argparse.Namespace) -> dict[str, Any]:
    times, values = list[float](), list[float]()
    for _ in range(REPEATS + 1):
        since = time.perf_counter()
        peer.sample(torch.arange(DRAWN) % CLASSES, 0)
        times.append((time.perf_counter() - since) / DRAWN)
    for seed in range(args.seeds):
        classes = torch.arange(args.count) % CLASSES
        parts = [peer.sample(part, 1_000_000 * seed + n) for n, part in enumerate(classes.split(AT_ONCE))]
        x = ((torch.cat(parts).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)[:, 0]
        values.append(fd_clf64(x.numpy()))
    return {"sampling": {"seconds_a_picture": statistics.median(times[1:]), "times": times[1:], "drawn": DRAWN},
            "figures": {"FD-clf64": {"mean": statistics.fmean(values), "values": values,
                                     "floor": {"mean": floor()}}}}  # fmt: skip


JUDGED = {"nats": nats, "bits": bits, "pictures": drawn}


def main() -> None:
    args = arguments(__doc__, PEERS)
    cls = peer_class(args.name)
    peer = cls(Choice(**args.choice) if args.choice else cls.CHOICES[0])
    train(peer, args)
    told = JUDGED[peer.measures](peer, args)
    (args.out / "judged.json").write_text(json.dumps(told), encoding="utf-8")
    print(told, flush=True)


if __name__ == "__main__":
    main()
