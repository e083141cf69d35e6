"""Few calls of a network on Fashion-MNIST: the few-step models, and their teacher by our solvers and by diffusers'.

    python benchmarks/families/few.py --minutes 10 --threads 1 --count 10000 --seeds 3

Takes what run.py trained at that length: `diffusion`, the teacher, and of `few_step`, from scratch, and
`few_step-distilled` what there is. One row an entry, a solver and a number of calls: FD-clf64 of the same classes from
the same seeds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import ROOT, Stamp, write
from torch import Tensor

import lienzo
from lienzo.core import Denoises, Streams
from lienzo.evaluation import fd_clf64, floor

Draw = Callable[[list[str], int, list[int], int], Tensor]  # classes, seed, numbers, calls → (B, 1, 28, 28)
CALLS = {"few": (1, 2, 4), "teacher": (4, 10), "full": (20,)}
AT_ONCE, CHUNK = 500, 100  # pictures; of them, a network call's


def sampled(model: lienzo.Model, solver: str, names: list[str], seed: int, numbers: list[int], calls: int) -> Tensor:
    """Draw by the family itself; a solver only for the teacher."""
    options: dict[str, Any] = {"steps": calls, "chunk": CHUNK, **({"solver": solver} if solver else {})}
    said = model.bus.parse({"label": names}, len(names))
    return model.family.sample(said, streams=Streams(seed, numbers), **options)


def by_diffusers(model: lienzo.Model, kind: str, names: list[str], seed: int, numbers: list[int], calls: int) -> Tensor:
    """Draw by a solver of diffusers from the same network: σ = 1 − t, and its velocity is noise less picture."""
    import diffusers

    schedulers: dict[str, Callable[[], Any]] = {
        "euler": diffusers.FlowMatchEulerDiscreteScheduler,
        "dpm++2m": lambda: diffusers.DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0
        ),
    }
    scheduler, family = schedulers[kind](), model.family
    assert isinstance(family, Denoises)
    scheduler.set_timesteps(calls)
    said = model.bus.parse({"label": names}, len(names))
    x = Streams(seed, numbers).child("noise").normal(*model.family.shape)
    for step, time_step in enumerate(scheduler.timesteps):
        sigma = float(scheduler.sigmas[step])
        clean = family.denoise(x, torch.full((len(x),), 1 - sigma), said)
        x = scheduler.step((x - clean) / sigma, time_step, x, return_dict=False)[0]
    return x


def measured(draw: Draw, calls: int, args: argparse.Namespace) -> dict[str, Any]:
    """Return FD-clf64 a seed, and the seconds a picture."""
    names = lienzo.open_source("fashion-mnist", size=28, channels=1).columns["label"].classes
    values, since = list[float](), time.process_time()
    for seed in range(args.seeds):
        parts: list[Tensor] = []
        for start in range(0, args.count, AT_ONCE):
            numbers = list(range(start, min(start + AT_ONCE, args.count)))
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=args.half):
                parts.append(draw([names[n % len(names)] for n in numbers], seed, numbers, calls).float())
        x = ((torch.cat(parts).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)[:, 0]
        values.append(fd_clf64(x.numpy()))
    seconds = (time.process_time() - since) / (args.seeds * args.count)
    return {"calls": calls, "FD-clf64": statistics.fmean(values), "values": values, "seconds_a_picture": seconds}


def main() -> None:
    """Measure all that is there, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--half", action="store_true", help="products in bfloat16")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "families")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    stamp, rows = Stamp("diffusers"), list[dict[str, Any]]()

    def run(name: str) -> Path:
        return args.work / f"{name}-{args.minutes:g}-{args.threads}" / "run"

    def row(name: str, solver: str, draw: Draw, calls: int) -> None:
        rows.append({"name": name, "solver": solver, **measured(draw, calls, args)})
        print(rows[-1], flush=True)
        told = {"minutes": args.minutes, "threads": args.threads, "count": args.count, "half": args.half}
        write("families_few", {**told, "real": floor(), "rows": rows}, stamp)

    teacher = lienzo.load(run("diffusion"))
    for calls in CALLS["full"]:
        row("diffusion", "dpm++2m", partial(sampled, teacher, "dpm++2m"), calls)
    for name in (n for n in ("few_step", "few_step-distilled") if run(n).is_dir()):
        for calls in CALLS["few"]:
            row(name, "", partial(sampled, lienzo.load(run(name)), ""), calls)
    for calls in CALLS["teacher"]:
        for solver in ("euler", "dpm++2m"):
            row("diffusion", solver, partial(sampled, teacher, solver), calls)
            row("diffusion", f"diffusers {solver}", partial(by_diffusers, teacher, solver), calls)


if __name__ == "__main__":
    main()
