"""How exact and how good edits by emoji-64 are: `python benchmarks/editing/run.py [--count 16]`.

On held-out emoji (split "test", on white), each with its caption:
- inversion of the sampling ODE in 50 steps and back: PSNR of the codes' pictures;
- half a picture drawn anew, by three ways to hear the other half: fit to the caption, likeness to the original and the
  network calls that it took;
- 32 → 64 pixels: PSNR beside bicubic interpolation;
- a mask guessed from the caption: IoU with the drawing's own cut-out, beside that of the whole picture.
Results go to `benchmarks/results/editing.json`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
import common

import lienzo
from lienzo.core import Conditions, Streams
from lienzo.data import open_source
from lienzo.editing import Space, Walk, Way, guessed, inpainted, inverted, regenerated, space_of, upscaled
from lienzo.editing.guessing import THRESHOLD
from lienzo.editing.upscaling import small
from lienzo.evaluation.scorer import load_scorer

WAYS = {
    "state, 16 steps": (16, Way("state")),
    "estimate, 16 steps": (16, Way("estimate")),
    "estimate, 5 steps × 3": (5, Way("estimate", repeats=3)),
    "moments, 8 steps, 1 round": (8, Way("moments", rounds=1)),
}  # of "moments", each step has two products with the Jacobian besides its call: at least as costly as the others


def psnr(a: Tensor, b: Tensor) -> Tensor:
    return 10 * torch.log10(4 / (a - b).square().flatten(1).mean(1))


def measured(count: int) -> dict[str, Any]:
    calls = [0]

    def called() -> None:
        calls[0] += 1

    model = lienzo.load("emoji-64", device="cpu")
    space = space_of(model.family, called)
    data = open_source("emoji", split="test")
    rows = np.linspace(0, len(data) - 1, count).astype(int)
    rgba = np.asarray(data.pictures(rows), np.float32)
    alpha = rgba[..., 3:] / 255
    x = torch.from_numpy(rgba[..., :3] * alpha + 255 * (1 - alpha)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1
    captions = [texts[0] for texts in data.values("text", rows)]
    said, unsaid = (model.bus.parse({"text": texts}, count) for texts in (captions, [None] * count))
    own = torch.from_numpy(alpha[..., 0] > 0.5)[:, None]
    found: dict[str, Any] = {"count": count, "inversion": _inversion(space, x, said)}
    found["inpainting"] = {}
    keep = torch.ones(count, 1, 64, 64)
    keep[..., 32:] = 0
    scorer, streams, walk = load_scorer(), Streams(0, range(count)), Walk(16, guidance=3.0, interval=(0.0, 0.7))
    words, real = scorer.read(captions), scorer.see(x)
    for name, (steps, way) in WAYS.items():
        calls[0] = 0
        y = inpainted(space, x, keep, said, streams=streams, walk=replace(walk, steps=steps), way=way)
        seen = scorer.see(keep * x + (1 - keep) * y)
        fit, likeness = (float((seen * other).sum(1).mean()) for other in (words, real))
        found["inpainting"][name] = {"fit": fit, "likeness": likeness, "calls": calls[0]}
    found["inpainting"]["real pictures"] = {"fit": float((real * words).sum(1).mean()), "likeness": 1.0, "calls": 0}
    low = small(x)
    bicubic = F.interpolate(low, scale_factor=2, mode="bicubic").clamp(-1, 1)
    large = upscaled(space, low, said, 0.4, streams=streams, walk=walk, way=Way())
    found["upscaling"] = {"psnr": float(psnr(large, x).mean()), "bicubic": float(psnr(bicubic, x).mean())}
    guess = guessed(space, x, said, unsaid, streams=streams) > THRESHOLD
    union = (guess | own).flatten(1).sum(1)
    found["guess"] = {
        "iou": float(((guess & own).flatten(1).sum(1) / union).mean()), "iou_of_all": float(own.float().mean())
    }  # fmt: skip
    return found


def _inversion(space: Space, x: Tensor, said: Conditions) -> dict[str, float]:
    x, said, plain = x[:4], said.rows(slice(0, 4)), Walk(50)
    back = regenerated(space, inverted(space, x, said, walk=plain), said, walk=plain)
    each = psnr(back, space.leave(space.enter(x)))
    return {"psnr_mean": float(each.mean()), "psnr_least": float(each.min())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=16)
    asked = parser.parse_args()
    stamp = common.Stamp()
    result = measured(asked.count)
    print(result)
    common.write("editing", result, stamp)
