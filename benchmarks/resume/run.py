"""Does a run that is killed again and again end with the weights of one that is not, bit for bit?

python benchmarks/resume/run.py                                        a tiny family, 20 kills
python benchmarks/resume/run.py --name emoji -- emoji --recipe FILE --set training.images=5000     any `lienzo train`

The command runs once in peace; then again, killed with SIGKILL at random instants (while it starts, computes, writes)
and started again each time. Every tensor of both last checkpoints (weights, averages, optimiser) is compared. Adds an
entry to benchmarks/results/resume.json.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import common
import torch

from lienzo.training.checkpoint import checkpoints, resolve
from lienzo.training.tensors import read_tensors

WORKER = common.ROOT / "tests" / "training" / "worker.py"
FILES = ("model.safetensors", "state/raw.safetensors", "state/optimiser.safetensors")


def start(arguments: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Start the command that is put to the test."""
    paths = os.pathsep.join([str(common.ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    if arguments:
        command = [sys.executable, "-m", "lienzo", "train", *arguments, "--out", str(out)]
    else:
        command = [sys.executable, str(WORKER), str(out), "8000", "slow"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=quiet, stderr=quiet)


def in_peace(arguments: list[str], out: Path) -> tuple[float, float]:
    """Run to the end; return how long it took to begin, and to train."""
    begun, started, process = time.monotonic(), 0.0, start(arguments, out)
    while process.poll() is None:
        time.sleep(0.02)
        if not started and (out / "log.jsonl").exists():
            started = time.monotonic() - begun
    if process.returncode:
        sys.exit(f"the command failed with {process.returncode}; run it by hand to see why")
    return started, time.monotonic() - begun - started


def kill(arguments: list[str], out: Path, after: float) -> dict[str, Any] | None:
    """Start and kill after some seconds; return what the kill left, None if the run was over before."""
    process = start(arguments, out)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        newest = next(iter(checkpoints(out)), None)
        half = any((out / "checkpoints").glob(".*.new"))
        return {"after": round(after, 2), "checkpoint": newest.name if newest else None, "half_written": half}
    return None


def tensors(out: Path) -> dict[str, torch.Tensor]:
    """Return every tensor of a run's newest checkpoint."""
    found = resolve(out)
    return {f"{file}:{name}": t for file in FILES for name, t in read_tensors(found / file).items()}


def storm(arguments: list[str], out: Path, instants: Iterator[float]) -> list[dict[str, Any]]:
    """Run to the end under kills at these instants of each life, s; return what each kill left."""
    kills: list[dict[str, Any]] = []
    for after in instants:
        left = kill(arguments, out, after)
        if left is None:
            return kills
        kills.append(left)
    if start(arguments, out).wait():
        sys.exit("the killed run did not come to its end")
    return kills


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="tiny")
    parser.add_argument("arguments", nargs="*", help="of `lienzo train`, after --")
    asked = parser.parse_args()
    stamp, chance, kills, runs, same = common.Stamp(), random.Random(asked.seed), list[dict[str, Any]](), 0, True
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        beginning, training = in_peace(asked.arguments, whole)
        expected = tensors(whole)
        while len(kills) < asked.kills:  # where a run is over before the last kill, another one takes the rest
            runs, out, left = runs + 1, Path(folder) / f"killed{runs}", asked.kills - len(kills)
            instants = (
                chance.uniform(0.3, 1) * beginning + chance.uniform(0, 2) * training / left for _ in range(left)
            )
            kills += storm(asked.arguments, out, instants)
            found = tensors(out)
            same &= found.keys() == expected.keys() and all(torch.equal(found[n], expected[n]) for n in found)
        result = {
            "name": asked.name,
            "same_bits": same,
            "killed_runs": runs,
            "kills": len(kills),
            "kills_while_writing": sum(k["half_written"] for k in kills),
            "tensors": len(expected),
            "numbers": sum(t.numel() for t in expected.values()),
            "last_checkpoint": resolve(whole).name,
            "seconds_to_begin": round(beginning, 1),
            "seconds_to_train": round(training, 1),
            "each": kills,
        }
    common.append("resume", result, stamp)
    print({k: v for k, v in result.items() if k != "each"})
    sys.exit(not same)


if __name__ == "__main__":
    main()
