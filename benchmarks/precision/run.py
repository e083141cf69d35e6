"""Is a training in bfloat16 as good in the end as one in float32? Equal pictures, first weights and noise; two seeds.

    python benchmarks/precision/run.py                         # 15 to 20 minutes of one core
    python benchmarks/precision/run.py --images 20000 --seeds 1

The pixel transformer of `recipes/fashion-mnist/diffusion.toml`, at the width of the families' bench, sees as many
pictures in each precision; the pictures of both are drawn in float32, from the same noise. What is said: FD-clf64 by
training seed, the mean of the last losses, and the core's time. `benchmarks/results/precision.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import ROOT, Stamp, spread, write
from benchmarks.families.entries import SMALL

import lienzo
from lienzo.training.recipes import read_recipe

PRECISIONS, TAIL = ("float32", "bfloat16"), 0.1


def trained(precision: str, seed: int, images: int, out: Path) -> dict[str, Any]:
    """Train and judge one model; return its cost and figures."""
    recipe = read_recipe(ROOT / "recipes" / "fashion-mnist" / "diffusion.toml")
    for table, entries in SMALL.items():
        recipe[table] = {**recipe[table], **entries}
    recipe["training"] = {k: v for k, v in recipe["training"].items() if k != "budget_seconds"} | {
        "images": images, "precision": precision, "seed": seed, "threads": 1,
    }  # fmt: skip
    since = time.process_time()
    lienzo.train(None, out=out, recipe=recipe, tell=lambda *_: None)
    seconds = time.process_time() - since
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]
    losses = [line["loss"] for line in lines if line.get("images", 0) > (1 - TAIL) * images and "loss" in line]
    return {"precision": precision, "seed": seed, "core_seconds": seconds, "images_a_core_second": images / seconds,
            "loss": statistics.fmean(losses)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40_000, help="that each training sees")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--count", type=int, default=2000, help="pictures drawn of each model")
    args = parser.parse_args()
    torch.set_num_threads(1)
    stamp, rows = Stamp(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="lienzo-precision-") as place:
        for seed in range(args.seeds):
            for precision in PRECISIONS:
                out = Path(place) / f"{precision}-{seed}"
                row = trained(precision, seed, args.images, out)
                model = lienzo.load(out, dtype="float32")
                report = lienzo.evaluate(
                    model, "fashion-mnist", count=args.count, seeds=1, scored=0, features="clf64", split="test"
                )
                row["fd"] = report["figures"]["FD-clf64"]["mean"]
                row["floor"] = report["figures"]["FD-clf64"]["floor"]["mean"]
                rows.append(row)
                print(row, flush=True)
    each = {p: {name: spread([r[name] for r in rows if r["precision"] == p])
                for name in ("fd", "loss", "images_a_core_second")} for p in PRECISIONS}  # fmt: skip
    told = {"images": args.images, "count": args.count, "floor": rows[0]["floor"], "rows": rows, **each}
    write("precision", told, stamp)


if __name__ == "__main__":
    main()
