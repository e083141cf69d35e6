"""One of our families in a process of its own: trained by its recipe as a user would, then judged; called by run.py.

    python benchmarks/families/ours.py vae OUT --minutes 30 --count 10000 --scored 10000

OUT/training.json holds the cost, OUT/judged.json the figures; what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import ROOT, peak_mib
from benchmarks.families.codes import coded, write_down
from benchmarks.families.entries import OURS, Entry
from benchmarks.families.shared import arguments

import lienzo
from lienzo.core import Scores, Streams
from lienzo.training.recipes import read_recipe

DRAWN, REPEATS = 64, 5  # pictures of which the speed of sampling is measured
ESTIMATED = 100  # pictures whose likelihood is an estimate: a differential equation each, hundreds of network calls


def recipe_of(entry: Entry, changes: dict[str, Any], minutes: float) -> dict[str, Any]:
    values = read_recipe(ROOT / "recipes" / "fashion-mnist" / f"{entry.family}.toml")
    for told in (*entry.told(minutes), changes):
        for table, entries in told.items():
            values[table] = {**values.get(table, {}), **entries}
    if not entry.hears:
        values["conditions"] = {}
    values["training"].pop("budget_seconds", None)
    return values


def trained(entry: Entry, args: argparse.Namespace) -> lienzo.Model:
    file, before = args.out / "training.json", peak_mib()
    if not file.is_file():
        wall, cpu = time.perf_counter(), time.process_time()
        changes = {"training": {**(args.choice or {}), "clock": args.clock, "threads": args.threads}, "family": {
            argument: str(args.out.with_name(args.out.name.replace(args.name, row)) / "run")
            for argument, row in entry.built_on.items()
        }}  # fmt: skip
        recipe = recipe_of(entry, changes, args.minutes)
        budget = None if recipe["training"].get("images") else 60 * args.minutes  # one that is fitted ends by itself
        model = lienzo.train(None, out=args.out / "run", recipe=recipe, budget=budget, tell=print)
        seconds = time.perf_counter() - wall
        lines = (args.out / "run" / "log.jsonl").read_text("utf-8").splitlines()
        if str(json.loads(lines[-1]).get("said", "")).startswith("stopped"):
            sys.exit("stopped before its end: the same command goes on")
        steps = [line for line in map(json.loads, lines) if "images" in line]
        told = {"wall_minutes": seconds / 60, "cpu_minutes": (time.process_time() - cpu) / 60, "peak_mib": peak_mib(),
                "before_mib": before, "images": max((line["images"] for line in steps), default=0),
                "parameters": sum(p.numel() for p in model.family.parameters())}  # fmt: skip
        file.write_text(json.dumps(told), encoding="utf-8")
    return lienzo.load(args.out / "run", dtype=args.dtype)


def nats(model: lienzo.Model, count: int, samples: int) -> dict[str, Any]:
    """−log P of binarized test pictures, by K importance samples (IWAE-K)."""
    family = model.family
    assert isinstance(family, Scores)
    data = lienzo.open_source("fashion-mnist", size=28, channels=1, split="test")
    rows = range(min(count, len(data)))
    x = torch.from_numpy(data.pictures(rows).copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    each = list[float]()
    for start in range(0, len(x), 1000):
        part = x[start : start + 1000].to(model.device)
        streams = Streams(0, range(start, start + len(part))).to(model.device)
        said = model.bus.parse({}, len(part)).to(model.device)
        with torch.no_grad():
            each += (-family.log_prob(part, said, streams=streams, samples=samples)).tolist()
    error = statistics.stdev(each) / len(each) ** 0.5
    return {"nats": statistics.fmean(each), "error": error, "samples": samples, "pictures": len(each)}


def speed(model: lienzo.Model) -> dict[str, Any]:
    labels = [{"label": c} for c in model.bus["label"].classes] if model.bus.names else [{}]
    rows = [labels[n % len(labels)] for n in range(DRAWN)]
    times = list[float]()
    for _ in range(REPEATS + 1):
        since = time.perf_counter()
        model.draw(rows, seed=0, indices=range(DRAWN))
        times.append((time.perf_counter() - since) / DRAWN)
    return {"seconds_a_picture": statistics.median(times[1:]), "times": times[1:], "drawn": DRAWN}


def judged(model: lienzo.Model, entry: Entry, args: argparse.Namespace) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if not entry.hears:
        return {"nats": nats(model, args.scored, args.samples)}
    if entry.family == "vector_quantized":  # a tokenizer: what it draws by itself is not meant to be looked at
        told["codes"] = coded(model, args.scored)
        write_down(args.out / "run", told["codes"])
        return told
    told["sampling"] = speed(model)
    estimated = isinstance(model.family, Scores) and model.family.likelihood == "estimate"
    scored = min(args.scored, ESTIMATED) if estimated else args.scored
    report = lienzo.evaluate(
        model, "fashion-mnist", count=args.count, seeds=args.seeds, scored=scored, features="clf64", split="test"
    )  # which stands in the run's card, too
    figures = {n: {k: f[k] for k in ("mean", "deviation", "values", "floor")} for n, f in report["figures"].items()}
    classes = report["seeds"]["0"]["drawn"].get("classes", {})
    return {**told, "figures": figures, "likelihood": report["likelihood"], "classes": classes}


def main() -> None:
    args = arguments(__doc__, OURS)
    entry = OURS[args.name]
    model = trained(entry, args)
    told = judged(model, entry, args)
    (args.out / "judged.json").write_text(json.dumps(told), encoding="utf-8")
    print({name: told[name] for name in told if name != "classes"}, flush=True)


if __name__ == "__main__":
    main()
