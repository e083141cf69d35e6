"""Race designs for emoji-64 at equal time on equal cores, and judge all by the same scorer and distance.

    python benchmarks/race/run.py --minutes 30                    # all entries, one after the other
    python benchmarks/race/run.py --minutes 30 codes-patch1       # some
    python benchmarks/race/run.py --judge                         # what there is, again

Each entry trains with `lienzo train`, for so many minutes of the processor's own time a thread, and draws the same
captions with the same seeds. An entry of several stages shares its time out among them. The scorer, trained on real
pictures, then looks for each picture's caption among all: the share that it finds among the best five is the score.
Beside it stand the caption's mean rank, in hundredths of all (chance: 50; it tells weak models apart), and the Frechet
distance to real pictures in the scorer's features. What was drawn stays beside the run, and is judged again at no cost.
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
STYLES: tuple[str, ...] = ("noto", "noto-blob", "twemoji", "fluent-flat", "fluent-3d")
SEEN, UNSEEN = 40, 16  # captions of each kind, each drawn in every style


def recipe_of(entry: dict[str, Any], common_values: dict[str, Any], coder: Path | None) -> dict[str, Any]:
    """Return the entry's whole recipe: the shipped model's, with what all entries share and what is its own."""
    recipe = tomllib.loads(RECIPE.read_text("utf-8"))
    for told in (common_values, entry):
        for table, values in told.items():
            if isinstance(values, dict):
                changed_kind = values.get("kind", recipe[table].get("kind")) != recipe[table].get("kind")
                recipe[table] = values if changed_kind else {**recipe[table], **values}
    if entry.get("coder"):
        recipe["codes"] = {"outer": str(coder), "variants": 2}
    else:
        recipe.pop("codes")
    recipe["training"].pop("images", None)
    return recipe


def stages_of(name: str, told: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the runs that an entry consists of, name and values: itself, or its stages."""
    entry = told["entries"][name]
    return [(f"{name}/{stage}", told["stages"][stage]) for stage in entry.get("stages", ())] or [(name, entry)]


def train(name: str, told: dict[str, Any], args: argparse.Namespace) -> None:
    """Train one entry for its time, each stage for its share; an interrupted one goes on."""
    before: Path | None = None
    for folder, stage in stages_of(name, told):
        out = args.runs / folder
        out.parent.mkdir(parents=True, exist_ok=True)
        recipe = recipe_of(stage, told["common"], args.coder)
        minutes = args.minutes * stage.get("share", 1.0) - (args.coder_minutes if stage.get("coder") else 0)
        recipe["training"] |= {"threads": args.threads, "budget_seconds": 60 * minutes, "clock": "processor"}
        file = out.with_suffix(".json")
        file.write_text(json.dumps(recipe, indent=2), "utf-8")
        command = [sys.executable, "-m", "lienzo", "train", "emoji", "--recipe", str(file), "--out", str(out)]
        subprocess.run([*command, "--from", str(before) if stage.get("continues") else "scratch"], check=True)
        before = out


def captions() -> dict[str, list[str]]:
    """Return the captions that are drawn, evenly spread over each split."""
    from lienzo.data import open_source

    chosen: dict[str, list[str]] = {}
    for kind, split, count in (("seen", "train", SEEN), ("unseen", "test", UNSEEN)):
        data = open_source("emoji", split=split, where={"style": "twemoji", "skin_tone": ""}, progress=False)
        texts = sorted({said[0] for said in data.values("text", range(len(data)))})
        chosen[kind] = [texts[i] for i in np.linspace(0, len(texts) - 1, count).astype(int)]
    return chosen


def drawn_by(name: str, told: dict[str, Any], prompts: list[str], styles: list[str], runs: Path) -> list[Any]:
    """Return the pictures of an entry: drawn by its last run, or by its first and enlarged by each later one."""
    from PIL import Image

    import lienzo

    models = [lienzo.load(str(runs / folder)) for folder, _ in stages_of(name, told)]
    if not told["entries"][name].get("enlarges"):
        models = models[-1:]
    pictures = models[0].generate(text=prompts, style=styles, count=len(prompts), seed=0)
    for model in models[1:]:
        pictures = enlarged(model, pictures, prompts, styles)
    return [p.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS) for p in pictures]


def enlarged(model: Any, pictures: list[Any], prompts: list[str], styles: list[str]) -> list[Any]:
    """Return pictures at twice the size, drawn by a model of that size under the same words."""
    import torch

    from lienzo.api.model import to_image
    from lienzo.core import Streams
    from lienzo.editing import Walk, Way, space_of, upscaled

    space, found = space_of(model.family), list[Any]()
    usual = {**model.defaults["conditions"]}
    for start in range(0, len(pictures), 8):
        part = slice(start, start + 8)
        low = torch.from_numpy(np.stack([np.asarray(p.convert("RGB")) for p in pictures[part]])) / 127.5 - 1
        said = {n: [usual.get(n)] * len(low) for n in model.bus.names} | {"text": prompts[part], "style": styles[part]}
        conditions = model.bus.parse(said, len(low))
        streams = Streams(0, list(range(start, start + len(low))), name="stage")
        large = upscaled(
            space, low.permute(0, 3, 1, 2), conditions, streams=streams, walk=Walk(steps=16, guidance=1.0), way=Way()
        )
        found += [to_image(x) for x in large]
    return found


def judge(name: str, told: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Draw with one entry and measure what it drew."""
    from PIL import Image

    from lienzo.evaluation.scorer import english_captions, load_scorer

    scorer, pictures = load_scorer(), list[Any]()
    result: dict[str, Any] = {}
    for kind, texts in captions().items():
        prompts = [text for text in texts for _ in STYLES]
        kept = args.runs / f"{name}-{kind}.npy"
        if not kept.exists():
            drawn = drawn_by(name, told, prompts, list(STYLES) * len(texts), args.runs)
            np.save(kept, np.stack([np.asarray(p) for p in drawn]))
        drawn = [Image.fromarray(x) for x in np.load(kept)]
        ranks = scorer.ranks(drawn, prompts).numpy()
        share = 100 * ranks / len(english_captions())
        result[kind] = {"top5": float(np.mean(ranks < 5)), "percentile": float(share.mean()), "n": len(drawn)}
        sheet(drawn, len(STYLES), HERE / f"{name}-{kind}.webp")
        pictures += drawn
    result["fd"] = distance(scorer, pictures)
    runs = [(folder, stage) for folder, stage in stages_of(name, told)]
    logs = {folder: (args.runs / folder / "log.jsonl").read_text("utf-8").splitlines() for folder, _ in runs}
    last = [next(r for r in map(json.loads, reversed(log)) if "seconds" in r) for log in logs.values()]
    coder = 60 * args.coder_minutes if any(stage.get("coder") for _, stage in runs) else 0.0
    seen, seconds = [r["images"] for r in last], [round(r["seconds"], 1) for r in last]
    return {
        **result,
        "images_seen": seen,
        "processor_seconds": seconds,
        "coder_seconds": coder,
        "threads": args.threads,
    }


def distance(scorer: Any, pictures: list[Any]) -> dict[str, Any]:
    """Return the Frechet distance to real pictures in the scorer's features, and what as many real ones have."""
    from lienzo.data import open_source
    from lienzo.evaluation.distances import frechet_distance, moments

    each = [open_source("emoji", where={"style": style, "skin_tone": ""}, progress=False) for style in STYLES]
    rgba = np.concatenate([data.pictures(range(len(data))) for data in each])
    opacity = rgba[..., 3:] / 255.0
    real = (rgba[..., :3] * opacity + 255 * (1 - opacity)).round().astype(np.uint8)
    features = scorer.see(real)
    chosen = np.random.default_rng(0).permutation(len(real))[: len(pictures)]
    rest = moments(features[np.setdiff1d(np.arange(len(real)), chosen)])
    fd, floor = (frechet_distance(moments(x), rest) for x in (scorer.see(pictures), features[chosen]))
    return {"extractor": "emoji-scorer", "n": len(pictures), "value": fd, "floor": floor}


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
    names = args.entries or [n for n in entries if not args.judge or (args.runs / n).is_dir()]
    for name in names:
        stamp = common.Stamp()
        if not args.judge:
            train(name, told, args)
        figures = judge(name, told, args)
        print(name, json.dumps(figures))
        entries_done = common.read("race").get("figures", {})
        common.write("race", {"figures": {**entries_done, name: {"about": entries[name]["about"], **figures}}}, stamp)


if __name__ == "__main__":
    main()
