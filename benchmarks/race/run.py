"""Race designs for emoji-64 at equal time on equal cores, and judge all by the same scorer and distance.

    python benchmarks/race/run.py --minutes 30                    # all entries, one after the other
    python benchmarks/race/run.py --minutes 30 codes-patch1       # some
    python benchmarks/race/run.py --judge                         # what there is, again

Each entry trains with `lienzo train` and draws the same captions with the same seeds. The scorer, trained on real
pictures, then looks for each picture's caption among all: the share that it finds among the best five is the score.
Writes benchmarks/results/race.json and a sheet an entry beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
import common

HERE = Path(__file__).parent
RECIPE = common.ROOT / "recipes" / "emoji-64.toml"
STYLES = ("noto", "noto-blob", "twemoji", "fluent-flat", "fluent-3d")
SEEN, UNSEEN = 40, 40  # captions of each kind, each drawn in every style


def recipe_of(entry: dict[str, Any], common_values: dict[str, Any], coder: Path | None) -> dict[str, Any]:
    """Return the entry's whole recipe: the shipped model's, with what all entries share and what is its own."""
    recipe = tomllib.loads(RECIPE.read_text("utf-8"))
    for told in (common_values, entry):
        for table, values in told.items():
            if isinstance(values, dict):
                changed_kind = values.get("kind", recipe[table].get("kind")) != recipe[table].get("kind")
                recipe[table] = values if changed_kind else {**recipe[table], **values}
    if entry.get("coder"):
        recipe["codes"] = {"outer": str(coder), "variants": 8}
    else:
        recipe.pop("codes")
    recipe["training"].pop("images", None)
    return recipe


def train(name: str, entry: dict[str, Any], common_values: dict[str, Any], args: argparse.Namespace) -> None:
    """Train one entry for its time; an interrupted one goes on."""
    out = args.runs / name
    out.mkdir(parents=True, exist_ok=True)
    recipe = recipe_of(entry, common_values, args.coder)
    minutes = args.minutes - (args.coder_minutes if entry.get("coder") else 0)
    recipe["training"] |= {"threads": args.threads, "budget_seconds": 60 * minutes}
    file = out.with_suffix(".json")
    file.write_text(json.dumps(recipe, indent=2), "utf-8")
    command = [sys.executable, "-m", "lienzo", "train", "emoji", "--recipe", str(file), "--out", str(out),
               "--from", "scratch"]  # fmt: skip
    subprocess.run(command, check=True)


def captions() -> dict[str, list[str]]:
    """Return the captions that are drawn, evenly spread over each split."""
    from lienzo.data import open_source

    chosen: dict[str, list[str]] = {}
    for kind, split, count in (("seen", "train", SEEN), ("unseen", "test", UNSEEN)):
        data = open_source("emoji", split=split, where={"style": "twemoji", "skin_tone": ""}, progress=False)
        texts = sorted({said[0] for said in data.values("text", range(len(data)))})
        chosen[kind] = [texts[i] for i in np.linspace(0, len(texts) - 1, count).astype(int)]
    return chosen


def judge(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Draw with one entry and measure what it drew."""
    from PIL import Image

    import lienzo
    from lienzo.evaluation.scorer import load_scorer

    model, scorer = lienzo.load(str(args.runs / name)), load_scorer()
    result: dict[str, Any] = {}
    for kind, texts in captions().items():
        prompts = [text for text in texts for _ in STYLES]
        styles = list(STYLES) * len(texts)
        drawn = [p.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
                 for p in model.generate(text=prompts, style=styles, count=len(prompts), seed=0)]  # fmt: skip
        found = scorer.retrieves(drawn, prompts, k=5)
        result[kind] = {"top5": float(np.mean(found)), "n": len(drawn)}
        sheet(drawn, len(STYLES), HERE / f"{name}-{kind}.webp")
    log = [json.loads(line) for line in (args.runs / name / "log.jsonl").read_text("utf-8").splitlines()]
    last = next(line for line in reversed(log) if "seconds" in line)
    return {**result, "images_seen": last["images"], "seconds": last["seconds"], "threads": args.threads}


def sheet(pictures: list[Any], rows: int, file: Path) -> None:
    """Write pictures as a sheet, a column a caption."""
    from PIL import Image

    grid = np.stack([np.asarray(p) for p in pictures]).reshape(-1, rows, 64, 64, 3)[:20]
    Image.fromarray(grid.transpose(1, 2, 0, 3, 4).reshape(rows * 64, -1, 3)).save(file, quality=60, method=6)


def main() -> None:
    """Run the race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", help="names in race.toml; all if none is named")
    parser.add_argument("--minutes", type=float, default=30, help="training time an entry, coder included")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--coder", type=Path, help="a trained coder for the entries over codes")
    parser.add_argument("--coder-minutes", type=float, default=0, help="what the coder's training took")
    parser.add_argument("--runs", type=Path, default=common.ROOT / "runs" / "race")
    parser.add_argument("--judge", action="store_true", help="train nothing, measure what is there")
    args = parser.parse_args()
    told = tomllib.loads((HERE / "race.toml").read_text("utf-8"))
    entries = told["entries"]
    names = args.entries or [n for n in entries if not args.judge or (args.runs / n / "latest").exists()]
    for name in names:
        stamp = common.Stamp()
        if not args.judge:
            train(name, entries[name], told["common"], args)
        figures = judge(name, args)
        print(name, json.dumps(figures))
        entries_done = common.read("race").get("figures", {})
        common.write("race", {"figures": {**entries_done, name: {"about": entries[name]["about"], **figures}}}, stamp)


if __name__ == "__main__":
    main()
