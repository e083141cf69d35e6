"""How long does a person wait? Imports, the help, and 16 pictures at 64 × 64 from words, with and without the start.

    python benchmarks/speed/run.py --model emoji-64

Every figure is the median of several fresh processes, but "sampling", which is the median of several calls in one.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, Stamp, spread, write

SAMPLING = """
import sys, time
sys.path[:0] = {path}
import lienzo
since = time.perf_counter()
model = lienzo.load({model!r})
print(time.perf_counter() - since)
for number in range({repeats}):
    since = time.perf_counter()
    pictures = model.generate(text="a red apple", count={count}, seed=number)
    assert len(pictures) == {count}
    print(time.perf_counter() - since)
"""


def timed(command: list[str], repeats: int, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The wall time of whole processes; the first, which fills the disk's cache, does not count."""
    times = list[float]()
    for _ in range(repeats + 1):
        since = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - since)
    return spread(times[1:])


def lienzo_command() -> list[str]:
    """The program beside this Python; else the module."""
    program = Path(sys.executable).with_name("lienzo")
    return [str(program)] if program.is_file() else [sys.executable, "-m", "lienzo"]


def sampling(model: str, count: int, repeats: int) -> dict[str, Any]:
    code = SAMPLING.format(path=[str(ROOT / "src")], model=model, repeats=repeats, count=count)
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    load, first, *rest = (float(line) for line in out.split())
    return {"load_seconds": load, "first_call": first, **spread(rest or [first])}


def whole(model: str, count: int, repeats: int) -> dict[str, Any]:
    """`lienzo generate`, from the shell's point of view: start, load, sample, write."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [*lienzo_command(), "generate", "a red apple", "--model", model, "--count", str(count), "--seed", "0",
                   "--out", str(out)]  # fmt: skip
        told = timed(command, repeats)
        assert len(list(out.glob("0*.png"))) == count
        shutil.rmtree(out)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="emoji-64")
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--imports-only", action="store_true")
    parser.add_argument("--trial", action="store_true", help="write to speed_trial.json")
    args = parser.parse_args()
    stamp = Stamp()
    imported = f"import sys; sys.path[:0] = [{str(ROOT / 'src')!r}]; import lienzo"
    result: dict[str, Any] = {
        "model": args.model, "count": args.count,
        "python_alone": timed([sys.executable, "-c", "pass"], args.repeats),
        "import_lienzo": timed([sys.executable, "-c", imported], args.repeats),
        "import_torch": timed([sys.executable, "-c", "import torch"], args.repeats),
        "help": timed([*lienzo_command(), "--help"], args.repeats),
    }  # fmt: skip
    if not args.imports_only:
        result["generate"] = whole(args.model, args.count, args.repeats)
        result["sampling"] = sampling(args.model, args.count, args.repeats + 1)
    for name, told in result.items():
        if isinstance(told, dict):
            print(f"{name}: {told['median']:.2f} s (from {told['min']:.2f} to {told['max']:.2f}, n = {told['n']})")
    write("speed_trial" if args.trial else "speed", result, stamp)


if __name__ == "__main__":
    main()
