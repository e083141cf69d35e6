"""Does a model obey maps, words and instructions on held-out scenes? The table of control and editing.

    python benchmarks/scenes/run.py --model runs/scenes-64                 # 1,000 of each row
    python benchmarks/scenes/run.py --model runs/scenes-64 --count 64 --rows segmentation,keep --trial

Each row draws from conditions of held-out scenes (split "test": emoji that training does not show; for words
`combinations`: known emoji in a weather and style in which no training scene shows them) and judges what was drawn and,
beside it, the real pictures, by `scene-judge` (benchmarks/judges/train.py), which has seen real scenes only. What is
measured is kept picture by picture (runs/benchmarks/scenes), so that the same command goes on where it was stopped.
Results go to `benchmarks/results/scenes.json`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from benchmarks.common import RESULTS, ROOT, Stamp, read, write
from benchmarks.scenes.asked import SETS
from benchmarks.scenes.rows import ROWS, STRENGTHS, Bench, Row, Scores
from PIL import Image

import lienzo
from lienzo.core import CheckpointError
from lienzo.data.cache import key_of
from lienzo.evaluation.scene_judge import NAME, load_judge
from lienzo.evaluation.shipped import WEIGHTS, folder_of
from lienzo.training.folder import fingerprint

TRAINED = ROOT / "runs" / NAME  # a judge that was trained, but is not shipped


def measured(bench: Bench, row: Row, count: int, file: Path, at_once: int) -> Scores:
    """Measure a row, going on behind what its file holds."""
    scores: Scores = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []
    count = min(count, row.most)
    scenes = itertools.islice(SETS[row.of](), len(scores), count) if len(scores) < count else iter(())
    with file.open("a", encoding="utf-8") as out:
        while part := list(itertools.islice(scenes, at_once)):
            new = row.measure(bench, part, len(scores))
            out.writelines(json.dumps(score) + "\n" for score in new)
            out.flush()
            scores += new
            print(f"  {len(scores)} of {count}", flush=True)
    return scores[:count]


def summary(scores: Scores) -> dict[str, Any]:
    """Return the mean of each figure, its standard error, the largest, and the shares of the real row's."""
    names = list(scores[0])
    found: dict[str, Any] = {"n": len(scores)}
    for name in names:
        values = np.array([score[name] for score in scores], float)
        values = values[~np.isnan(values)]
        error = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
        found[name] = {"mean": float(values.mean()), "error": error, "largest": float(values.max())}
    for name in names:
        real = found.get(f"real {name}")
        if real is not None and real["mean"]:
            found[f"share of real {name}"] = found[name]["mean"] / real["mean"]
    return found


def joined(rows: dict[str, Any], kept: dict[str, Scores]) -> dict[str, Any]:
    """Return what follows from several figures: both conditions met, and image to image that obeys as well."""
    found: dict[str, Any] = {}
    if "both" in kept:
        least = 0.85 * rows["both"]["real iou"]["mean"]
        for name in ("", "real "):
            each = [score[f"{name}weather"] * (score[f"{name}iou"] >= least) for score in kept["both"]]
            found[f"{name}both met"] = float(np.mean(each))
    tried = [(s, rows[f"redraw {s:g}"]) for s in STRENGTHS if f"redraw {s:g}" in rows]
    if "alone" in rows and tried:
        met = rows["alone"]["met"]["mean"]
        alike = next((each for each in tried if each[1]["met"]["mean"] >= met), tried[-1])
        change = "change of what stays"
        found |= {
            "image to image that obeys as well": alike[0], "its met": alike[1]["met"]["mean"],
            "change of the model alone over its": rows["alone"][change]["mean"] / max(alike[1][change]["mean"], 1e-9),
        }  # fmt: skip
    return found


def seconds(model: str, times: int) -> dict[str, Any]:
    """Time `lienzo edit` on one 64-pixel scene with two threads, the start of the process included."""
    scene = next(SETS["kept"]())
    found = list[float]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scene.png"
        Image.fromarray(scene.map("image")).save(file)
        words = ["it's snowing", "--model", model, "--threads", "2", "--out", str(Path(folder) / "done.png")]
        for _ in range(times):
            since = time.perf_counter()
            subprocess.run([sys.executable, "-m", "lienzo", "edit", str(file), *words], check=True, capture_output=True)
            found.append(time.perf_counter() - since)
    return {"median": statistics.median(found), "values": found}


def judge_at(folder: Path | None) -> Path:
    """Return the folder that is named; else that of the judge which ships, else of the one that was trained here."""
    if folder is not None:
        return folder
    try:
        return folder_of(NAME)
    except CheckpointError:
        if (TRAINED / WEIGHTS).is_file():
            return TRAINED
        raise CheckpointError("there is no judge of scenes", hint="python benchmarks/judges/train.py") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="runs/scenes-64")
    parser.add_argument("--count", type=int, default=1000, help="scenes a row")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--judge", type=Path, default=None, help="a judge's folder")
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="float32", help="bfloat16: of the products, but for the inversion")
    parser.add_argument("--times", type=int, default=3, help="of timing an edit; 0: none")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "benchmarks" / "scenes")
    parser.add_argument("--trial", action="store_true", help="write to scenes_trial.json")
    args = parser.parse_args()
    asked = [name.strip() for name in args.rows.split(",")]
    if unknown := [name for name in asked if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; one of {', '.join(ROWS)}")
    stamp, model = Stamp(), lienzo.load(args.model, device=args.device, dtype=args.dtype)
    folder = judge_at(args.judge)
    judge = fingerprint(folder / WEIGHTS)
    bench = Bench(model, load_judge(folder).to(model.device), args.seed)
    name = "scenes_trial" if args.trial else "scenes"
    work = args.work / key_of(model.weights, judge, args.seed, args.dtype, dict(model.defaults))[:16]
    work.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Any] = {}
    kept: dict[str, Scores] = {}
    for each in asked:
        row = ROWS[each]
        print(f"{each}: {row.what}", flush=True)
        kept[each] = measured(bench, row, args.count, work / f"{each.replace(' ', '-')}.jsonl", args.at_once)
        rows[each] = {"what": row.what, "asked": row.least, **summary(kept[each])}
        before = read(name)
        same = before.get("rows", {}) if before.get("weights") == model.weights else {}
        rows = {**same, **rows}
        together = before.get("together", {}) if same else {}
        result: dict[str, Any] = {
            "model": Path(args.model).name, "weights": model.weights, "judge": judge, "seed": args.seed,
            "dtype": args.dtype,
            "options": dict(model.defaults), "rows": rows, "together": {**together, **joined(rows, kept)},
            "edit_seconds": before.get("edit_seconds"),
        }  # fmt: skip
        write(name, result, stamp)  # after each row: what is measured is not lost
    if args.times:
        write(name, {**result, "edit_seconds": seconds(args.model, args.times)}, stamp)
    print(f"{RESULTS / name}.json")


if __name__ == "__main__":
    main()
