"""Do pictures show what was said? Retrieval of the prompt's caption among all English captions, seen and held out.

    python benchmarks/text_to_picture/run.py --model emoji-64
    python benchmarks/text_to_picture/run.py --model runs/mine --captions 50 --held 20 --seeds 1 --trial

For each seed, one picture of every sampled seen caption in a style drawn at random, and one of every held-out caption
in every style. A caption is retrieved if it is among the five that the scorer (`lienzo.evaluation.scorer`, trained on
real pictures only) finds best, of all English captions of the set. Beside it, the same of the real pictures of the same
captions and styles; the figure is the share of that. The model is told the caption and the style, nothing else.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from benchmarks.common import RESULTS, Stamp, spread, write
from benchmarks.text_to_picture.sheet import contact_sheet
from PIL import Image

import lienzo
from lienzo.evaluation.scorer import english_captions, load_scorer

STYLES = ("noto", "noto-blob", "twemoji", "fluent-flat", "fluent-3d")
SPLITS = {"seen": "train", "held-out": "validation+test"}
AT_ONCE = 64


@dataclass(frozen=True)
class Asked:
    """One picture that is asked for."""

    caption: str
    style: str


def real_pictures(split: str) -> dict[Asked, np.ndarray]:
    """Every real picture of a split, on white."""
    data = lienzo.open_source("emoji", split=split)
    rows = range(len(data))
    rgba = data.pictures(rows).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    white = (rgba[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    said, styles = data.values("text", rows), data.values("style", rows)
    return {Asked(texts[0], style): white[n] for n, (texts, style) in enumerate(zip(said, styles, strict=True))}


def chosen(args: argparse.Namespace, real: dict[str, dict[Asked, np.ndarray]]) -> dict[str, list[Asked]]:
    """What is asked for: fixed by the seed of the sample, the same for every model."""
    draw = random.Random(args.sample_seed)
    seen = sorted({a.caption for a in real["seen"]} - {a.caption for a in real["held-out"]})
    held = sorted({a.caption for a in real["held-out"]} - {a.caption for a in real["seen"]})
    styles = args.style or STYLES
    few = sorted(draw.sample(seen, min(args.captions, len(seen))))
    some = sorted(draw.sample(held, min(args.held or len(held), len(held))))
    return {
        "seen": [Asked(caption, draw.choice(styles)) for caption in few],
        "held-out": [Asked(caption, style) for caption in some for style in styles],
    }


def drawn(model: Any, asked: list[Asked], seed: int, options: dict[str, Any]) -> list[Image.Image]:
    """One picture a request, in parts, each with its own seed made of `seed` and its place."""
    pictures: list[Image.Image] = []
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        texts, styles = [a.caption for a in part], [a.style for a in part]
        pictures += model.generate(text=texts, style=styles, seed=seed * 1000 + start // AT_ONCE, options=options)
        print(f"  seed {seed}: {len(pictures)} of {len(asked)}", flush=True)
    return pictures


def shares(pictures: Any, asked: list[Asked]) -> dict[str, Any]:
    """Top-1 and top-5, over all and by style."""
    found = load_scorer().ranks(pictures, [a.caption for a in asked])

    def of(which: torch.Tensor) -> dict[str, float]:
        return {f"top{k}": float((which < k).double().mean()) for k in (1, 5)} | {"n": len(which)}

    styles = sorted({a.style for a in asked})
    by_style = {s: of(found[torch.tensor([a.style == s for a in asked])]) for s in styles}
    return {**of(found), "by_style": by_style}


def measured(model: Any, kind: str, asked: list[Asked], real: dict[Asked, np.ndarray], args: argparse.Namespace):
    """A split's figures, and the first seed's pictures."""
    there = [a for a in asked if a in real]
    truth = shares(np.stack([real[a] for a in there]), there)
    each, first, since = list[dict[str, Any]](), list[Image.Image](), time.perf_counter()
    for seed in range(args.seeds):
        pictures = drawn(model, asked, seed, args.options)
        first = first or pictures
        each.append(shares(pictures, asked))
    top5 = [told["top5"] for told in each]
    share = [value / truth["top5"] for value in top5]
    print(f"{kind}: top-5 {np.mean(top5):.1%} of {len(asked)} pictures, real {truth['top5']:.1%}: {np.mean(share):.1%}")
    figures = {
        "captions": len({a.caption for a in asked}), "pictures_a_seed": len(asked), "seeds": list(range(args.seeds)),
        "real": truth, "top1": spread([told["top1"] for told in each]), "top5": spread(top5),
        "share_of_real": spread(share), "by_style": each[0]["by_style"],
        "seconds_a_picture": (time.perf_counter() - since) / (len(asked) * args.seeds),
    }  # fmt: skip
    return figures, first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="emoji-64", help="the name of one that ships, or a folder")
    parser.add_argument("--captions", type=int, default=200, help="seen captions")
    parser.add_argument("--held", type=int, default=0, help="held-out captions; 0: all")
    parser.add_argument("--style", action="append", choices=STYLES, help="one or more; all by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sample-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--trial", action="store_true", help="write to text_to_picture_trial.*")
    args = parser.parse_args()
    args.options = {k: v for k, v in (("steps", args.steps), ("guidance", args.guidance)) if v is not None}
    stamp, judge, model = Stamp(), load_scorer(), lienzo.load(args.model)
    real = {kind: real_pictures(split) for kind, split in SPLITS.items()}
    asked = chosen(args, real)
    name = "text_to_picture_trial" if args.trial else "text_to_picture"
    result: dict[str, Any] = {
        "model": Path(args.model).name, "weights": model.weights, "options": {**model.defaults, **args.options},
        "candidates": len(english_captions()), "chance_top5": 5 / len(english_captions()),
        "scorer_parameters": sum(p.numel() for p in judge.parameters()),
    }  # fmt: skip
    rows: list[tuple[str, list[Image.Image], list[str]]] = []
    for kind, wanted in asked.items():
        result[kind], pictures = measured(model, kind, wanted, real[kind], args)
        rows.append((kind, pictures, [f"{a.caption} · {a.style}" for a in wanted]))
    contact_sheet(rows, RESULTS / f"{name}.webp", sample_seed=args.sample_seed)
    write(name, result, stamp)


if __name__ == "__main__":
    main()
