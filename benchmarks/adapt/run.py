"""Which small branch teaches a frozen model a map best in equal time: `python benchmarks/adapt/run.py [--budget 20m]`.

Every design of `lienzo.networks.control.DESIGNS` is taught the same map from the same pictures for the same time, in a
process of its own, one after the other; encoding the pictures counts. Then held-out maps are drawn over: edge-F of the
lines asked for and found, beside what the base draws without the map, and real pictures. `--joint MODEL` measures a
model that hears the map by itself on the same maps. Results go to `benchmarks/results/adapt.json`, an entry a design.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import common

import lienzo
from lienzo.api.adapt.look import drawn_over
from lienzo.networks.control import DESIGNS
from lienzo.training.checkpoint import CONFIG, resolve, stored
from lienzo.training.folder import read_json


def taught(design: str, asked: argparse.Namespace, work: Path) -> Path:
    """Teach one design in a process of its own, or take the run that is there."""
    out = work / design
    words = ["adapt", asked.model, asked.source, "--map", asked.map, "--design", design, "--budget", asked.budget]
    words += ["--out", str(out), "--threads", str(asked.threads)]
    subprocess.run([sys.executable, "-m", "lienzo", *words], check=True)
    return out


def measured(base: Any, now: Any, name: str, asked: argparse.Namespace) -> dict[str, Any]:
    data = lienzo.open_source(asked.source, size=now.family.shape[1], channels=now.family.shape[0], split="validation")
    found = drawn_over(base, now, name, data, asked.count)
    return dict(zip(("over", "without", "real"), found.scores, strict=False)) | {
        "figure": found.figure, "pictures": len(found.maps)
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="emoji-64")
    parser.add_argument("--source", default="openmoji-maps")
    parser.add_argument("--map", default="line_art")
    parser.add_argument("--budget", default="20m")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--joint", default="", help="a model that hears the map by itself")
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=DESIGNS)
    parser.add_argument("--work", type=Path, default=common.ROOT / "runs" / "adapt")
    asked = parser.parse_args()
    base = lienzo.load(asked.model)
    about = {name: getattr(asked, name) for name in ("model", "source", "map", "budget", "threads")}
    for design in asked.designs:
        stamp = common.Stamp()
        out = taught(design, asked, asked.work)
        now, checkpoint = lienzo.load(out), resolve(out)
        adapter, counters = read_json(checkpoint / CONFIG), stored(checkpoint)[0]
        learnt = sum(t.numel() for t in now.family.state_dict().values())
        whole = sum(p.numel() for p in base.family.parameters())
        entry = {
            **about, "design": design, "size": adapter["size"], "parameters": learnt, "share": learnt / whole,
            "images": counters.seen, "seconds": round(counters.seconds, 1),
            **measured(base, now, adapter["name"], asked),
        }  # fmt: skip
        print(entry)
        common.append("adapt", entry, stamp)
    if asked.joint:
        stamp, joint = common.Stamp(), lienzo.load(asked.joint)
        common.append("adapt", {**about, "design": f"joint: {asked.joint}",
                                **measured(joint, joint, asked.map, asked)}, stamp)  # fmt: skip


if __name__ == "__main__":
    main()
