"""Make the judge of scenes: segmenter, depth and pose estimator, detector of weather and of kinds of things, in one.

    python benchmarks/judges/train.py --minutes 10 --ship           # one core, on which nothing else runs

It is trained on real scenes only, of the emoji of all splits, never on generated ones: so it knows what the emoji of
the held-out captions look like, and a generator that it judges does not. What it is measured on (the first 1,000 scenes
of the split "test") it has not seen. It is shipped (`--ship`) if it is at least as good as `ENOUGH` says.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, Stamp, append

from lienzo.data.pixels import Ask
from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.kinds import kind_of
from lienzo.data.scenes.source import SCENES
from lienzo.evaluation.maps import keypoints_found, overlap, rank_correlation
from lienzo.evaluation.scene_judge import GRID, JOINTS, NAME, THINGS, WEATHERS, SceneJudge, Seen, places_of
from lienzo.evaluation.shipped import MODELS, rounded, ship

MEASURED, BEYOND = 1000, 2000  # scenes of "test" that are measured on; numbers from which scenes are learnt
ENOUGH = {"iou": 0.75, "depth": 0.9, "pck": 0.8, "weather": 0.95, "things": 0.6}
POSED = 3  # times as often is a scene with a figure seen
CARD = """---
license: apache-2.0
library_name: lienzo
pipeline_tag: image-segmentation
---

# scene-judge

One small network that tells what a composed scene of 64 × 64 pixels shows: segmentation in nine groups, nearness, 17
joints of a figure, the weather, and which kinds of things are there. It is a measuring instrument for generated scenes.

- sha256: `{{sha256}}` (model.safetensors, {{bytes}} bytes, fp16)
- on {measured} real scenes that it has not seen, of emoji that a generator has not seen either: mean IoU {iou:.3f};
  Spearman's correlation of depth {depth:.3f}; PCK@0.1 {pck:.3f}; weather {weather:.1%}; all kinds of things that are
  there are found in {things:.1%}, and in {chance:.1%} of pictures of other scenes
- training: {images:,} pictures from {scenes:,} scenes of the emoji of all splits, {minutes:.1f} minutes of {device};
  seed {seed}
- data: Noto Emoji (Apache-2.0), Twemoji (CC BY 4.0), Fluent Emoji (MIT)
- made again by: `{command}`

Limits: it knows composed scenes of emoji at one size, one figure a picture, and kinds ("animal"), not single things.
"""


def truth(split: str, numbers: range) -> dict[str, Any]:
    """Draw scenes; return pictures, maps, joints (NaN where there is no figure), weather and kinds."""
    table = SCENES.table([SCENES.part(split, numbers)], Ask(64))
    drawn = table.planes
    assert isinstance(drawn, Drawn)
    rows, count = np.arange(len(numbers)), len(numbers)
    joints, things = np.full((count, JOINTS, 3), np.nan, np.float32), np.zeros((count, len(THINGS)), np.float32)
    for row in rows.tolist():
        scene, cast = drawn.scene(row), drawn.cast(row)
        points = drawn.keypoints(row)
        if len(points):
            joints[row] = points[0]
        for layer in scene.layers:
            kind = "person" if layer.figure else kind_of(cast.subgroups[layer.row], cast.captions[layer.row][0])[0]
            things[row, THINGS.index(kind)] = 1
    codes, classes = table.labels["weather"]
    weather = np.array([WEATHERS.index(classes[code]) for code in codes])
    planes = {name: table.maps[name][0][rows][:, 0] for name in ("segmentation", "depth")}
    found = {"x": drawn[rows][:, :3], **planes, "joints": joints, "weather": weather, "things": things}
    return {name: torch.from_numpy(value.copy()) for name, value in found.items()}


def several(parts: list[tuple[str, range]]) -> dict[str, Tensor]:
    """Put the truth of several parts together, drawn a thousand at a time."""
    found = list[dict[str, Any]]()
    for split, numbers in parts:
        for first in range(numbers.start, numbers.stop, 1000):
            found.append(truth(split, range(first, min(first + 1000, numbers.stop))))
            print(f"drawn: {sum(len(each['x']) for each in found)}", flush=True)
    return {name: torch.cat([each[name] for each in found]) for name in found[0]}


def mirrored(batch: dict[str, Tensor], which: Tensor) -> dict[str, Tensor]:
    """Mirror some of a batch's rows, maps with them; rows with a figure stay, since its sides have names."""
    which = which & batch["joints"].isnan().all(2).all(1)
    out = dict(batch)
    for name in ("x", "segmentation", "depth"):
        wide = which.view(-1, *[1] * (batch[name].ndim - 1))
        out[name] = torch.where(wide, batch[name].flip(-1), batch[name])
    return out


def frequency(things: Tensor, often: Tensor) -> Tensor:
    """Return how often each kind is there where scenes are drawn by weights, (kinds,), never 0."""
    return (0.5 + (things * often[:, None]).sum(0)) / (1 + often.sum())


def loss_of(seen: Seen, batch: dict[str, Tensor], prior: Tensor) -> Tensor:
    """Return the sum of what each head is asked for.

    Kinds of things are asked for as log odds above those of their frequency, `prior` (kinds,): else rare ones would
    never be told ("Long-tail Learning via Logit Adjustment", Menon, 2021, eq. 10).
    """
    joints = batch["joints"]
    posed = (joints[..., 2] > 0) & ~joints[..., 0].isnan()
    at = (torch.arange(GRID, device=joints.device) + 0.5) * 64 / GRID
    gap = (at[None, None, None, :] - joints[..., 0, None, None]) ** 2 + (
        at[None, None, :, None] - joints[..., 1, None, None]
    ) ** 2
    goal = torch.where(posed[..., None, None], (-gap / (2 * 2.5**2)).exp(), 0.0).flatten(2)
    goal = goal / goal.sum(2, keepdim=True).clamp_min(1e-6)
    pose = -(goal * seen.joints.flatten(2).log_softmax(2)).sum(2)
    pose = (pose * posed).sum() / posed.sum().clamp_min(1)
    things = F.binary_cross_entropy_with_logits(seen.things + prior.logit(), batch["things"]) * 20
    segments = F.cross_entropy(seen.segmentation, batch["segmentation"].long())
    depth = F.l1_loss(seen.depth, batch["depth"] / 255) * 5
    return segments + depth + 0.3 * pose + 0.3 * F.cross_entropy(seen.weather, batch["weather"]) + things


def learn(judge: SceneJudge, data: dict[str, Tensor], args: argparse.Namespace) -> int:
    """Train until the time is over; return how many pictures were seen."""
    now = time.process_time if args.device == "cpu" else time.monotonic
    g, seen, since, step = torch.Generator().manual_seed(args.seed), 0, now(), 0
    often = torch.where(data["joints"].isnan().all(2).all(1), 1.0, float(POSED))
    rarity = frequency(data["things"], often).rsqrt()
    often = often * (data["things"] * rarity).amax(1).clamp_min(1.0)
    prior = frequency(data["things"], often).to(args.device)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=args.lr, weight_decay=0.02)
    judge.train().to(args.device, memory_format=torch.channels_last)
    while (share := (now() - since) / (60 * args.minutes)) < 1:
        rate = share / 0.08 if share < 0.08 else 0.5 * (1 + math.cos(math.pi * (share - 0.08) / 0.92))
        for group in optimiser.param_groups:
            group["lr"] = args.lr * rate
        rows = torch.multinomial(often, args.batch, generator=g)
        batch = mirrored({n: v[rows] for n, v in data.items()}, torch.rand(args.batch, generator=g) < 0.5)
        batch = {name: value.to(args.device) for name, value in batch.items()}
        x = torch.div(batch["x"], 127.5).sub_(1)
        x = (
            x + 0.1 * torch.rand(len(x), 1, 1, 1, generator=g).to(x) * torch.randn(x.shape, generator=g).to(x)
        ).contiguous(memory_format=torch.channels_last)
        with torch.autocast(args.device, torch.bfloat16):
            found = judge(x)
        loss = loss_of(found, batch, prior)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 2.0)
        optimiser.step()
        step, seen = step + 1, seen + len(rows)
        if step % 100 == 0:
            print(f"{seen:,} pictures, {share:.0%} of the time: {float(loss.detach()):.3f}", flush=True)
    judge.eval().cpu()
    return seen


def measured(judge: SceneJudge, data: dict[str, Tensor]) -> dict[str, float]:
    """Return each figure on real scenes; `chance` holds things against other scenes' pictures."""
    seen = judge.see(data["x"].permute(0, 2, 3, 1).numpy())
    asked, count = data["segmentation"].numpy(), len(data["x"])
    iou = [overlap(asked[n], seen.segmentation[n].argmax(0).numpy()) for n in range(count)]
    ranks = [rank_correlation(data["depth"][n].numpy(), seen.depth[n].numpy()) for n in range(min(300, count))]
    joints, places = data["joints"].numpy(), places_of(seen.joints)
    posed = np.flatnonzero(~np.isnan(joints).all((1, 2)))
    pck = [keypoints_found(joints[n], places[n]) for n in posed.tolist()]
    there = (seen.things > 0) | (data["things"] == 0)
    elsewhere = (seen.things > 0) | (data["things"].roll(1, 0) == 0)
    figures = {
        "iou": np.mean(iou), "depth": np.nanmean(ranks), "pck": np.nanmean(pck) if pck else math.nan,
        "weather": (seen.weather.argmax(1) == data["weather"]).float().mean(),
        "things": there.all(1).float().mean(), "chance": elsewhere.all(1).float().mean(),
    }  # fmt: skip
    return {name: float(value) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scenes", type=int, default=8000, help="of the training split; half as many of the others")
    parser.add_argument("--measured", type=int, default=MEASURED)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--width", type=int, default=56)
    parser.add_argument("--deep", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / NAME)
    parser.add_argument("--ship", action="store_true", help="into the package, if it is good enough")
    parser.add_argument("--trial", action="store_true", help="leave benchmarks/results alone")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    stamp, judge = Stamp(), SceneJudge(args.width, args.deep)
    others = range(BEYOND, BEYOND + args.scenes // 4)
    data = several([("train", range(args.scenes)), ("validation", others), ("test", others)])
    images = learn(judge, data, args)
    rounded(judge)
    found = measured(judge, several([("test", range(args.measured))]))
    count = sum(p.numel() for p in judge.parameters())
    print(found, f"{count:,} parameters")
    entry = {
        **found, "images": images, "scenes": len(data["x"]), "minutes": args.minutes, "device": args.device,
        "measured_on": args.measured, "parameters": count, "width": args.width, "deep": args.deep, "seed": args.seed,
    }  # fmt: skip
    asked = f"--minutes {args.minutes:g} --scenes {args.scenes} --device {args.device}"
    command = f"python benchmarks/judges/train.py {asked}"
    card = CARD.format(**{**entry, "measured": args.measured, "command": command})
    config = {"kind": NAME, "width": args.width, "deep": args.deep, **{n: round(v, 4) for n, v in found.items()}}
    ship(judge, args.out, config, card)
    if not args.trial:
        append("judges", entry, stamp)
    short = [name for name, least in ENOUGH.items() if not found[name] >= least]
    if args.ship and short:
        print(f"not shipped: {', '.join(f'{n} {found[n]:.3f} < {ENOUGH[n]}' for n in short)}")
    elif args.ship:
        ship(judge, MODELS / NAME, config, card)


if __name__ == "__main__":
    main()
