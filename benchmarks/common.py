"""What all benchmarks share: how a result is written, and what it says of the machine, the load and the spread.

A result is `benchmarks/results/NAME.json`: figures, and beside them when, where, with what and how they were measured.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import json
import os
import platform
import resource
import shlex
import statistics
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
if importlib.util.find_spec("lienzo") is None:  # an environment of the peers, in which it is not installed
    sys.path.insert(0, str(ROOT / "src"))


def hardware() -> dict[str, Any]:
    """Name the processor, its cores and the memory."""
    name, memory = platform.processor() or platform.machine(), 0
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    with contextlib.suppress(ValueError, OSError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": name, "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1)}


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, torch, numpy and `packages`; "" for what is not installed."""
    found = {"python": platform.python_version()}
    for name in ("torch", "numpy", *packages):
        found[name] = ""
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def load() -> list[float]:
    """Return the machine's load over 1, 5 and 15 minutes: above 0.1 at the start, others were at work."""
    return [round(value, 2) for value in os.getloadavg()]


def peak_mib() -> float:
    """Return the largest resident memory that this process has had, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def spread(values: list[float]) -> dict[str, Any]:
    """Summarise repeated measurements of one thing."""
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"n": len(values), "median": statistics.median(values), "mean": statistics.fmean(values),
            "min": min(values), "max": max(values), "deviation": deviation, "values": values}  # fmt: skip


class Stamp:
    """When, where and under which load something was measured; make one before measuring."""

    def __init__(self, *packages: str) -> None:
        self.before, self.packages = load(), packages
        self.since = dt.datetime.now(dt.UTC)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, with the load afterwards."""
        seconds = (dt.datetime.now(dt.UTC) - self.since).total_seconds()
        return {
            "date": self.since.isoformat(timespec="seconds"), "seconds": round(seconds, 1), "command": command(),
            "hardware": hardware(), "versions": versions(*self.packages),
            "load_before": self.before, "load_after": load(),
        }  # fmt: skip


def command() -> str:
    """Return the command that is running, from the repository's root, without this machine's paths."""
    script = Path(sys.argv[0]).resolve()
    name = script.relative_to(ROOT) if script.is_relative_to(ROOT) else script.name
    arguments = [Path(a).name if Path(a).is_absolute() else a for a in sys.argv[1:]]
    return shlex.join(["python", str(name), *arguments])


def read(name: str) -> dict[str, Any]:
    """Return a result; empty if it was not measured yet."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(name: str, result: dict[str, Any], stamp: Stamp) -> Path:
    """Write a result with its stamp, in the place of an earlier one."""
    return _save(name, {"benchmark": name, **result, "measured": stamp.plain()})


def append(name: str, entry: dict[str, Any], stamp: Stamp) -> Path:
    """Add an entry with its stamp to a result that has several."""
    entries = read(name).get("entries", [])
    return _save(name, {"benchmark": name, "entries": [*entries, {**entry, "measured": stamp.plain()}]})


def _save(name: str, result: dict[str, Any]) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    beside.replace(file)
    return file
