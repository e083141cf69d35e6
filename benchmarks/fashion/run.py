"""Fashion-MNIST, class-conditional, equal time on the same cores: FD-clf64 of ours and of two peers.

    python benchmarks/fashion/run.py --search --minutes 3      # each contender's best batch, step size and width
    python benchmarks/fashion/run.py --minutes 20              # the contest, with what the search found

Each contender is a process of its own with the same threads; its way of sampling is the best of its few by 2,000
pictures (`--trial`) of another seed. Finished contenders are skipped, and one that was interrupted while sampling goes
on there (`--again` forgets both). The peers need `pip install diffusers ema-pytorch einops tqdm` and
`pip install --no-deps denoising-diffusion-pytorch`, here or in the environment of `--python`; then all run in that one.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from benchmarks.common import ROOT, Stamp, append, read, spread
from benchmarks.fashion.contender import CONTENDERS, TRIAL_SEED

from lienzo.core import derive_seed
from lienzo.data import open_source
from lienzo.evaluation import fd_clf64

FLOORS = 5  # sets of real pictures


def process(name: str, folder: Path, args: argparse.Namespace, choice: dict[str, Any] | None, draw: list[Any]) -> None:
    """Run a contender's process to its end."""
    command = [args.python, "benchmarks/fashion/contender.py", name, str(folder), "--minutes", str(args.minutes),
               "--clock", args.clock, "--threads", str(args.threads), "--draw", json.dumps(draw)]  # fmt: skip
    command += ["--choice", json.dumps(choice)] if choice else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)


def ways_of(name: str, python: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ask a contender, in the environment that has it, how it may sample and what may be searched."""
    code = (
        "import sys, json; sys.path.insert(0, '.')\n"
        "from benchmarks.fashion.contender import contender_class\n"
        f"c = contender_class({name!r}); print(json.dumps([c.WAYS, [k.plain() for k in c.CHOICES]]))"
    )
    out = subprocess.run([python, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    ways, choices = json.loads(out.splitlines()[-1])
    return ways, choices


def distance(folder: Path, name: str, count: int) -> float:
    return fd_clf64(np.load(folder / f"{name}.npy")[:count])


@functools.cache
def floor_at(count: int) -> float:
    """The mean distance of FLOORS sets of `count` real training pictures from the 10,000 of the test set."""
    training = open_source("fashion-mnist", size=28, channels=1, split="train+validation")
    order = np.random.default_rng(derive_seed(0, "benchmarks", "fashion", "floor")).permutation(len(training))
    parts = [np.sort(np.roll(order, -n * count)[:count]) for n in range(FLOORS)]
    return sum(fd_clf64(np.ascontiguousarray(training.pictures(rows))) for rows in parts) / FLOORS


def best_choice(name: str) -> dict[str, Any] | None:
    """What the longest search found best; None where there was none: then a contender's default is used."""
    tried = [e for e in read("fashion_search").get("entries", []) if e["contender"] == name]
    longest = max((e["minutes"] for e in tried), default=0)
    return min((e for e in tried if e["minutes"] == longest), key=lambda e: e["fd"])["choice"] if tried else None


def search(name: str, args: argparse.Namespace) -> None:
    ways, choices = ways_of(name, args.python)
    done = [(e["contender"], e["minutes"], e["choice"]) for e in read("fashion_search").get("entries", [])]
    for choice in choices[: args.tries]:
        if (name, args.minutes, choice) in done:
            continue
        folder, stamp = fresh(args.work / f"search-{name}"), Stamp()
        process(name, folder, args, choice, [["trial", TRIAL_SEED, args.trial, ways[0]]])
        told = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        entry = {"contender": name, "minutes": args.minutes, "choice": choice, "count": args.trial,
                 "fd": distance(folder, "trial", args.trial), **told}  # fmt: skip
        print(f"{name} {choice}: {entry['fd']:.2f} ({told['images']:,} images)", flush=True)
        append("fashion_search", {**entry, "minutes": args.minutes}, stamp)


def contest(name: str, args: argparse.Namespace) -> None:
    settings = {"contender": name, "minutes": args.minutes, "count": args.count, "clock": args.clock,
                "threads": args.threads}  # fmt: skip
    if not args.again and any(settings.items() <= e.items() for e in read("fashion").get("entries", [])):
        print(f"{name}: done already")
        return
    folder = args.work / f"{name}-{args.minutes:g}-{args.clock}-{args.threads}"
    folder = fresh(folder) if args.again else folder
    stamp, choice = Stamp("diffusers", "denoising-diffusion-pytorch"), best_choice(name)
    ways, choices = ways_of(name, args.python)
    trial = min(args.trial, args.count)
    names = [f"trial-{n}" for n in range(len(ways))]
    process(name, folder, args, choice, [[n, TRIAL_SEED, trial, w] for n, w in zip(names, ways, strict=True)])
    trials = [distance(folder, n, trial) for n in names]
    way = ways[int(np.argmin(trials))]
    seeds = list(range(args.seeds))
    process(name, folder, args, choice, [[f"seed-{s}", s, args.count, way] for s in seeds])
    fds = [distance(folder, f"seed-{s}", args.count) for s in seeds]
    told = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    drawn = json.loads((folder / "seed-0.json").read_text(encoding="utf-8"))
    entry = {
        **told, **settings, "trained_minutes": told["minutes"], "choice": choice or choices[0], "way": way,
        "floor": floor_at(args.count), "floor_count": args.count,
        "trials": [{"way": w, "fd": f, "count": trial} for w, f in zip(ways, trials, strict=True)],
        "seeds": seeds, "fd": spread(fds), "sampling_seconds": drawn["seconds"],
    }  # fmt: skip
    append("fashion", entry, stamp)
    print(f"{name}: FD-clf64 {entry['fd']['mean']:.3f} at {args.count:,} (real against real at as many: "
          f"{entry['floor']:.3f}); {told['images']:,} images, peak {told['peak_mib']:.0f} MiB", flush=True)  # fmt: skip


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contender", action="append", choices=CONTENDERS, help="one or more; all by default")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--count", type=int, default=10_000, help="pictures drawn for the figure")
    parser.add_argument(
        "--trial", type=int, default=2000, help="pictures by which a search or a way of sampling is judged"
    )
    parser.add_argument("--seeds", type=int, default=3, help="of sampling")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall", help="processor: beside other work")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--tries", type=int, default=None, help="of a search, at most")
    parser.add_argument("--again", action="store_true", help="even what is done already")
    parser.add_argument("--python", default=sys.executable, help="of an environment that has all contenders")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "fashion", help="folder for weights and pictures")
    args = parser.parse_args()
    failed = []
    for name in args.contender or CONTENDERS:
        try:
            (search if args.search else contest)(name, args)
        except subprocess.CalledProcessError as error:  # the night goes on with the next one
            failed.append(name)
            print(f"{name} failed: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
