"""Every family of lienzo on Fashion-MNIST, and the libraries that do one of them: equal time on the same cores.

    python benchmarks/families/run.py --search --minutes 3       # each peer's best batch, step size and size
    python benchmarks/families/run.py --minutes 30               # all, with what the search found
    python benchmarks/families/run.py --minutes 30 --only flow --only normflows-glow

Ours are trained by `recipes/fashion-mnist/FAMILY.toml`, unless they were searched too (`--search --only NAME`). Figures
by kind: −log P of binarized test pictures in nats (IWAE-K, nobody hears the class), bits/dim of 8-bit ones, FD-clf64.
What is finished is skipped, what was interrupted goes on (`--again` forgets it). The peers need
`pip install pythae zuko normflows` and `pip install --no-deps torch-mimicry`, here or in the environment of `--python`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, Stamp, append, read
from benchmarks.families.entries import OURS, PEERS

BATCHES = tuple({"batch_size": b, "learning_rate": lr} for b in (32, 64, 128) for lr in (1e-3, 2e-3, 5e-4))


def process(name: str, folder: Path, args: argparse.Namespace, choice: dict[str, Any] | None) -> dict[str, Any]:
    """Run one process to its end; return the cost and the figures."""
    script = "ours.py" if name in OURS else "peer.py"
    told = [
        f"--{n}={getattr(args, n)}"
        for n in ("minutes", "clock", "threads", "count", "seeds", "scored", "samples", "dtype")
    ]
    command = [args.python, f"benchmarks/families/{script}", name, str(folder), *told]
    command += ["--choice", json.dumps(choice)] if choice else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    training, judged = (json.loads((folder / f"{part}.json").read_text("utf-8")) for part in ("training", "judged"))
    return {**training, **judged}


def score(told: dict[str, Any]) -> float:
    """The figure that is better when it is smaller, by what there is."""
    if "nats" in told:
        return told["nats"]["nats"]
    if told.get("figures", {}).get("FD-clf64"):
        return told["figures"]["FD-clf64"]["mean"]
    return told["likelihood"]["mean"]


def choices_of(name: str, python: str) -> list[dict[str, Any]]:
    if name in OURS:
        return list(BATCHES)
    code = ("import sys, json; sys.path.insert(0, '.')\nfrom benchmarks.families.peer import peer_class\n"
            f"print(json.dumps([c.plain() for c in peer_class({name!r}).CHOICES]))")  # fmt: skip
    out = subprocess.run([python, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def best_choice(name: str) -> dict[str, Any] | None:
    """What the longest search found best; None: the recipe, or a peer's default."""
    tried = [e for e in read("families_search").get("entries", []) if e["name"] == name]
    longest = max((e["minutes"] for e in tried), default=0)
    return min((e for e in tried if e["minutes"] == longest), key=lambda e: e["score"])["choice"] if tried else None


def search(name: str, args: argparse.Namespace) -> None:
    done = [(e["name"], e["minutes"], e["choice"]) for e in read("families_search").get("entries", [])]
    for choice in choices_of(name, args.python)[: args.tries]:
        if (name, args.minutes, choice) in done:
            continue
        folder, stamp = args.work / f"search-{name}", Stamp()
        shutil.rmtree(folder, ignore_errors=True)
        told = process(name, folder, args, choice)
        told.pop("classes", None)
        entry = {"name": name, "minutes": args.minutes, "choice": choice, "score": score(told)}
        counts = {"images": told["images"], "count": args.count, "scored": args.scored}
        append("families_search", entry | counts, stamp)
        print(f"{name} {choice}: {score(told):.3f} ({told['images']:,} images)", flush=True)


def measure(name: str, args: argparse.Namespace) -> None:
    settings = {n: getattr(args, n) for n in ("minutes", "clock", "threads", "count", "dtype")} | {"name": name}
    if not args.again and any(settings.items() <= e.items() for e in read("families").get("entries", [])):
        print(f"{name}: done already")
        return
    folder, stamp = args.work / f"{name}-{args.minutes:g}-{args.threads}", Stamp("pythae", "normflows", "zuko")
    if args.again:
        shutil.rmtree(folder, ignore_errors=True)
    choice = best_choice(name)
    told = process(name, folder, args, choice)
    append("families", {**settings, "ours": name in OURS, "choice": choice, **told}, stamp)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[*OURS, *PEERS], help="one or more; all by default")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall", help="what the minutes are: of a "
                        "machine to itself, or of a process's own computing a thread, beside other work")  # fmt: skip
    parser.add_argument("--count", type=int, default=10_000, help="pictures drawn a seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scored", type=int, default=10_000, help="test pictures whose likelihood is measured")
    parser.add_argument("--samples", type=int, default=1000, help="K of the importance samples")
    parser.add_argument("--dtype", default="float32", help="in which ours draw what is judged")
    parser.add_argument("--search", action="store_true", help="try choices; without --only, of the peers")
    parser.add_argument("--tries", type=int, default=None, help="of a search, at most")
    parser.add_argument("--again", action="store_true", help="even what is done already")
    parser.add_argument("--python", default=sys.executable, help="of an environment that has all")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "families", help="folder for weights")
    args = parser.parse_args()
    failed = []
    for name in args.only or (PEERS if args.search else [*OURS, *PEERS]):
        try:
            (search if args.search else measure)(name, args)
        except subprocess.CalledProcessError as error:  # the night goes on with the next one
            failed.append(name)
            print(f"{name} failed: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
