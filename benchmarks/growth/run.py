"""How do time and memory grow with the side of the pictures, with the batch, and with the number of pictures?

    python benchmarks/growth/run.py                 # 10 to 20 minutes on two quiet cores; a million pictures take most
    python benchmarks/growth/run.py --most 60000    # without the million
    python benchmarks/growth/run.py --threads 1 --clock processor    # beside other work: seconds of computing

Networks keep their width and depth; only the side or the batch changes. Pictures are streamed from tars that are made
for the test (28 × 28, grey PNG), decoded once into the cache, opened again, and read at random by the loader. The
exponent is the slope of the straight line through the logarithms: 1 means "twice as much takes twice as long".
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from benchmarks.common import RESULTS, ROOT, Stamp, peak_mib, spread, write
from benchmarks.peak.measure import flops_of, seconds_of

SIDES, BATCHES, COUNTS = (28, 64, 128), (8, 16, 32, 64, 128), (1_000, 10_000, 60_000, 1_000_000)
AT_ONCE = 16  # pictures a step, where the side grows
NETWORKS = {
    "transformer": {"kind": "transformer", "patch": 4, "width": 192, "depth": 6, "heads": 3},
    "unet": {"kind": "unet", "widths": [32, 64, 96], "depth": 1, "attention": [2], "heads": 4},
}
TAR = 10_000  # pictures a tar
CLOCKS = {"wall": time.perf_counter, "processor": lambda: time.process_time() + sum(os.times()[2:4])}


def step(clock: str, name: str, side: int, batch: int, repeats: int) -> dict[str, Any]:
    """A training step, and a network call as sampling makes it, on pictures of noise."""
    from lienzo.conditions import Bus
    from lienzo.core import Batch, Streams
    from lienzo.training.pages import keep_pages
    from lienzo.training.recipes import make_family

    keep_pages()
    now = CLOCKS[clock]
    bus, shape = Bus({}), (3, side, side)
    family = make_family({"kind": "diffusion"}, NETWORKS[name], bus, shape, 0)
    fed = Batch(torch.randn(batch, *shape), bus.parse({}, batch), Streams(0, range(batch)))
    flops = flops_of(family, lambda: family.loss(fed).total)
    times = seconds_of(family, lambda: family.loss(fed).total, "float32", repeats, now)
    family.eval()
    drawn = list[float]()
    for _ in range(3):
        since = now()
        family.sample(bus.parse({}, batch), streams=Streams(0, range(batch)), steps=4, chunk=batch)
        drawn.append((now() - since) / 4)
    return {"network": name, "side": side, "batch": batch, "gflop_per_image": flops / batch / 1e9,
            "step": spread([t / batch for t in times]), "call": spread([t / batch for t in drawn[1:]]),
            "peak_mib": peak_mib()}  # fmt: skip


def tars(folder: Path, count: int) -> str:
    """Write tars of PNG that differ from one another; return how a source is called that has them all."""
    from PIL import Image

    base = np.random.default_rng(0).integers(0, 40, (28, 28), dtype=np.uint8)
    for number in range(math.ceil(count / TAR)):
        with tarfile.open(folder / f"{number:04d}.tar", "w") as tar:
            for row in range(number * TAR, min((number + 1) * TAR, count)):
                picture = base.copy()
                picture[4:8, 4:24] = np.frombuffer(f"{row:020d}".encode(), np.uint8) * 4
                content = io.BytesIO()
                Image.fromarray(picture).save(content, "PNG", compress_level=1)
                info = tarfile.TarInfo(f"{row:08d}.png")
                info.size = content.tell()
                content.seek(0)
                tar.addfile(info, content)
    return str(folder / "*.tar")


def data(clock: str, count: int) -> dict[str, Any]:
    """Make the tars, open them for the first time and again, and read batches at random."""
    from lienzo.conditions import Bus
    from lienzo.data import Loader, open_source

    with tempfile.TemporaryDirectory(prefix="lienzo-growth-") as place:
        made, cache = Path(place) / "tars", Path(place) / "cache"
        made.mkdir()
        source, seconds, now = tars(made, count), list[float](), CLOCKS[clock]
        for _ in range(2):
            since = now()
            dataset = open_source(source, size=28, channels=1, cache=cache, progress=False)
            seconds.append(now() - since)
        loader = Loader(dataset, Bus({}), batch_size=64, seed=0)
        loader.batch_at(0)
        since = now()
        for start in range(0, 64 * 200, 64):
            loader.batch_at(start)
        rows = 64 * 200 / (now() - since)
        return {"pictures": len(dataset), "of": count, "first_seconds": seconds[0], "again_seconds": seconds[1],
                "decoded_a_second": count / seconds[0], "loaded_a_second": rows, "peak_mib": peak_mib()}  # fmt: skip


def apart(args: argparse.Namespace, what: str, *told: Any) -> dict[str, Any]:
    """Measure one thing in a process of its own."""
    command = [sys.executable, str(Path(__file__)), f"--threads={args.threads}", f"--clock={args.clock}",
               "--one", json.dumps([what, *told])]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=dict(os.environ))
    print(what, *told, done.stdout.splitlines()[-1][:200], flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def exponent(x: list[float], y: list[float]) -> float:
    """The slope of the straight line through the logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def plot(result: dict[str, Any], file: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for name in NETWORKS:
        rows = [r for r in result["sides"] if r["network"] == name]
        told = f"{name}, pixels to the {result['exponents'][name + ' by pixels']:.2f}"
        axes[0].loglog([r["side"] for r in rows], [1000 * r["step"]["median"] for r in rows], "o-", label=told)
        rows = [r for r in result["batches"] if r["network"] == name]
        axes[1].semilogx([r["batch"] for r in rows], [1 / r["step"]["median"] for r in rows], "o-", label=name)
    rows = result["data"]
    for key, word in (("first_seconds", "first time: decoded"), ("again_seconds", "again")):
        told = f"{word}, count to the {result['exponents'][key]:.2f}"
        axes[2].loglog([r["of"] for r in rows], [r[key] for r in rows], "o-", label=told)
    words = (("side, pixels", "training, ms a picture"), ("pictures a step (64 × 64)", "training, pictures/s"),
             ("pictures in tars", "opening, s"))  # fmt: skip
    for axis, (x, y) in zip(axes, words, strict=True):
        axis.set(xlabel=x, ylabel=y)
        axis.legend(frameon=False, fontsize=8)
        axis.grid(alpha=0.3)
    axes[0].set_xticks(SIDES, [str(side) for side in SIDES])
    axes[1].set_xticks(BATCHES, [str(batch) for batch in BATCHES])
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="processor: seconds of a process's own computing"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=int, default=COUNTS[-1], help="pictures in tars")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.one:
        what, *told = args.one
        print(json.dumps({"step": step, "data": data}[what](args.clock, *told)))
        return
    stamp = Stamp()
    sides = [apart(args, "step", name, side, AT_ONCE, args.repeats) for name in NETWORKS for side in SIDES]
    batches = [apart(args, "step", name, 64, batch, args.repeats) for name in NETWORKS for batch in BATCHES]
    counts = [apart(args, "data", count) for count in COUNTS if count <= args.most]
    exponents = {f"{name} by pixels": exponent([r["side"] ** 2 for r in sides if r["network"] == name],
                                               [r["step"]["median"] for r in sides if r["network"] == name])
                 for name in NETWORKS}  # fmt: skip
    for key in ("first_seconds", "again_seconds"):
        exponents[key] = exponent([r["of"] for r in counts], [r[key] for r in counts])
    result = {
        "threads": args.threads,
        "clock": args.clock,
        "sides": sides,
        "batches": batches,
        "data": counts,
        "exponents": exponents,
    }
    write("growth", result, stamp)
    plot(result, RESULTS / "growth.svg")
    print(json.dumps(exponents))


if __name__ == "__main__":
    main()
