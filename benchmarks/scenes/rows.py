"""The rows of the table: what is asked of a model, and how it is held against what it drew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from benchmarks.scenes.asked import SNOW, One
from PIL import Image
from torch import Tensor

from lienzo.api.edit.keep import split_keep
from lienzo.api.model import Model
from lienzo.core import Conditions, Streams
from lienzo.data.edges import edges
from lienzo.editing import (
    Walk,
    Way,
    instructed,
    inverted,
    load_finder,
    open_canvas,
    put_back,
    redrawn,
    regenerated,
    region_of,
    settled,
    space_of,
)
from lienzo.editing.finding import FOUND
from lienzo.evaluation.finders import HIGH, LOW
from lienzo.evaluation.maps import edge_score, keypoints_found, overlap, rank_correlation
from lienzo.evaluation.scene_judge import WEATHERS, SceneJudge, places_of

Scores = list[dict[str, float]]
Asked = Callable[[One], Mapping[str, Any]]
Judged = Callable[[SceneJudge, Sequence[One], np.ndarray], list[float]]
STRENGTHS = (0.5, 0.6, 0.7, 0.8, 0.9)
SETTLES = (0.0, 0.22)  # besides the usual one: what hardly changed is left as drawn, and more of it is left as it was
FEATHER = 1


@dataclass(frozen=True)
class Bench:
    """What is measured, and by whom.

    Attributes:
        model: in question.
        judge: tells what pictures show.
        seed: of the drawings.
    """

    model: Model
    judge: SceneJudge
    seed: int = 0

    def conditions(self, said: Sequence[Mapping[str, Any]]) -> Conditions:
        """Return what is heard; names that the model does not hear are an error."""
        names = list(dict.fromkeys(name for row in said for name in row))
        told = {name: [row.get(name) for row in said] for name in names}
        return self.model.bus.parse(told, len(said)).to(self.model.device)

    def streams(self, first: int, count: int, name: str = "") -> Streams:
        """Return one stream a picture, by its number."""
        return Streams(self.seed, range(first, first + count), name=name).to(self.model.device)

    def walk(self, **changed: Any) -> Walk:
        """Return how the model draws by default."""
        plain = {**self.model.defaults.get("options", {}), **changed}
        names = {"steps": "steps", "solver": "solver", "guidance": "guidance", "guidance_interval": "interval"}
        return Walk(**{names[name]: value for name, value in plain.items() if name in names})

    @torch.no_grad()
    def draw(self, said: Sequence[Mapping[str, Any]], first: int) -> np.ndarray:
        """Draw pictures (n, 64, 64, 3), each from the stream of its number."""
        options = self.model.defaults.get("options", {})
        with self.arithmetic():
            x = self.model.family.sample(self.conditions(said), streams=self.streams(first, len(said)), **options)
        return as_bytes(x)

    def arithmetic(self) -> torch.autocast:
        """Return the context in which products are of the model's type."""
        dtype = self.model.dtype
        return torch.autocast(self.model.device.type, dtype, enabled=dtype != torch.float32)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        what: in words.
        of: the name of the held-out scenes in `SETS`.
        measure: (bench, scenes, number of the first) → figures of each, those of the real picture as "real …".
        least: what is asked for, in words.
        most: scenes at most.
    """

    what: str
    of: str
    measure: Callable[[Bench, Sequence[One], int], Scores]
    least: str
    most: int = field(default=1 << 30)


def as_bytes(x: Tensor) -> np.ndarray:
    """Return (n, H, W, C) bytes of pictures in [-1, 1]."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def as_numbers(pictures: Sequence[np.ndarray]) -> Tensor:
    """Return (n, C, H, W) in [-1, 1] of pictures of bytes."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 127.5 - 1


def drawn_row(asked: Asked, judged: Judged, name: str) -> Callable[[Bench, Sequence[One], int], Scores]:
    """Return what draws under conditions, and judges what was drawn and the real pictures alike."""

    def measure(bench: Bench, scenes: Sequence[One], first: int) -> Scores:
        pictures = bench.draw([asked(one) for one in scenes], first)
        real = np.stack([one.picture for one in scenes])
        each = judged(bench.judge, scenes, pictures), judged(bench.judge, scenes, real)
        return [{name: a, f"real {name}": b} for a, b in zip(*each, strict=True)]

    return measure


def _iou(judge: SceneJudge, scenes: Sequence[One], pictures: np.ndarray) -> list[float]:
    shown = judge.see(pictures).segmentation.argmax(1).numpy()
    return [overlap(one.map("segmentation")[..., 0], each) for one, each in zip(scenes, shown, strict=True)]


def _lines(judge: SceneJudge, scenes: Sequence[One], pictures: np.ndarray) -> list[float]:
    pairs = zip(scenes, pictures, strict=True)
    return [edge_score(one.map("lines")[..., 0] > 127, edges(each, low=LOW, high=HIGH)) for one, each in pairs]


def _depth(judge: SceneJudge, scenes: Sequence[One], pictures: np.ndarray) -> list[float]:
    shown = judge.see(pictures).depth.numpy()
    return [rank_correlation(one.map("depth")[..., 0], each) for one, each in zip(scenes, shown, strict=True)]


def _pose(judge: SceneJudge, scenes: Sequence[One], pictures: np.ndarray) -> list[float]:
    shown = places_of(judge.see(pictures).joints)
    return [keypoints_found(one.drawn.keypoints(one.row), each) for one, each in zip(scenes, shown, strict=True)]


def _things(judge: SceneJudge, scenes: Sequence[One], pictures: np.ndarray) -> list[float]:
    there = (judge.see(pictures).things > 0).numpy()
    return [float(all(seen[kind] for kind in one.kinds())) for one, seen in zip(scenes, there, strict=True)]


def things(bench: Bench, scenes: Sequence[One], first: int) -> Scores:
    """Draw what words name; "chance" holds the same words against another scene's picture."""
    scores = drawn_row(lambda one: {"text": one.names(), "style": one.label("style")}, _things, "all there")(
        bench, scenes, first
    )
    others = np.stack([one.picture for one in [*scenes[1:], scenes[0]]])
    by_chance = _things(bench.judge, scenes, others)
    return [{**score, "chance": chance} for score, chance in zip(scores, by_chance, strict=True)]


def both(bench: Bench, scenes: Sequence[One], first: int) -> Scores:
    """Draw a segmentation under words that say another weather."""
    hours = [one.change.hour for one in scenes]
    said = [{**_map("segmentation")(one), "text": SNOW[one.change.hour]} for one in scenes]
    pictures, real = bench.draw(said, first), np.stack([one.picture for one in scenes])
    found = {"": pictures, "real ": real}
    iou = {name: _iou(bench.judge, scenes, each) for name, each in found.items()}
    shown = {name: _weather(bench.judge, each) for name, each in found.items()}
    return [
        {f"{name}{what}": value for name in found
         for what, value in (("iou", iou[name][n]), ("weather", float(shown[name][n] == hours[n])))}
        for n in range(len(scenes))
    ]  # fmt: skip


def _weather(judge: SceneJudge, pictures: np.ndarray) -> list[str]:
    return [WEATHERS[number] for number in judge.see(pictures).weather.argmax(1).tolist()]


def kept_by(how: str, x: Tensor, masks: Sequence[np.ndarray], words: Sequence[str]) -> Tensor:
    """Return what is kept of x (n, C, H, W) as (n, 1, H, W): nothing, by masks, or what words are found to name."""
    if how == "words":
        return (load_finder().find(x, [split_keep(text)[1] for text in words]) > FOUND).float()
    own = torch.from_numpy(~np.stack(masks))[:, None].float()
    return own if how == "mask" else torch.zeros_like(own)


def edited(bench: Bench, scenes: Sequence[One], first: int, keep: str = "", strength: float = 0.0) -> Scores:
    """Edit as `lienzo edit` does: by instruction (without a mask for each of `SETTLES`), or image to image.

    Args:
        bench: the model.
        scenes: pairs.
        first: number of the first.
        keep: how it is said what is kept, and so put back: by its "mask", or by "words" alone, which are looked for;
            "": not.
        strength: of image to image; 0: by instruction.
    """
    model, space = bench.model, space_of(bench.model.family)
    before = [one.map("image") for one in scenes]
    masks = [one.map("mask")[..., 0] > 127 for one in scenes]
    x = as_numbers(before)
    words = [one.table.texts["text"][one.row][0] for one in scenes]
    kept = kept_by(keep, x, masks, words)
    allowed = (kept[:, 0] < 0.5).numpy()
    said, streams = bench.conditions([{"text": text} for text in words]), bench.streams(first, len(x), "edit")
    with bench.arithmetic():
        if strength:
            y = redrawn(space, x, said, strength, streams=streams, walk=bench.walk())
        else:
            y = instructed(space, x, kept, said, streams=streams, walk=bench.walk(), way=Way(settle=0))
    y, still = y.float().cpu(), space.leave(space.enter(x)).float().cpu()
    real = _weather(bench.judge, np.stack([one.picture for one in scenes]))
    scores: Scores = [{"real met": float(shown == "snow")} for shown in real]
    if keep == "words":
        for score, mask, open_ in zip(scores, masks, allowed, strict=True):
            score["iou of what is kept"] = float((~mask & ~open_).sum() / (~mask | ~open_).sum())
    ways = [(0.0, "")]  # what is settled: edits by instruction without a mask
    if not (keep or strength):
        ways = [(Way().settle, ""), *((each, f", settle {each:g}") for each in SETTLES)]
    for least, name in ways:
        done = settled(y, still, least)
        after = list[np.ndarray]()
        for n, picture in enumerate(before):
            canvas = open_canvas(Image.fromarray(picture))
            region = region_of(canvas.size, allowed[n] if keep else None, model.family.shape[2])
            after.append(np.asarray(put_back(canvas, region, x[n], done[n], FEATHER, still[n]).colour))
            gap = np.abs(after[-1].astype(int) - picture)[~masks[n]]
            scores[n] |= {
                f"largest change of what stays{name}": float(gap.max()),
                f"change of what stays{name}": gap.mean() / 255,
            }
        for score, shown in zip(scores, _weather(bench.judge, np.stack(after)), strict=True):
            score[f"met{name}"] = float(shown == "snow")
    return scores


def inversion(bench: Bench, scenes: Sequence[One], first: int) -> Scores:
    """Go to noise and back in 50 steps, without guidance."""
    space, x = space_of(bench.model.family), as_numbers([one.picture for one in scenes])
    said, plain = bench.conditions([{"style": one.label("style")} for one in scenes]), Walk(50)
    back = regenerated(space, inverted(space, x, said, walk=plain), said, walk=plain)
    error = (back - space.leave(space.enter(x))).square().flatten(1).mean(1)
    return [{"psnr": min(200.0, 10 * math.log10(4 / max(float(each), 1e-20)))} for each in error]


def _map(name: str) -> Asked:
    return lambda one: {name: one.map(name), "style": one.label("style")}


REAL = "85 % of the real row"
ROWS: dict[str, Row] = {
    "segmentation": Row(
        "segmentation → picture: mean IoU", "scenes", drawn_row(_map("segmentation"), _iou, "iou"), REAL
    ),
    "lines": Row("line art → picture: edge F-score", "scenes", drawn_row(_map("lines"), _lines, "F"), REAL),
    "depth": Row("depth → picture: Spearman", "scenes", drawn_row(_map("depth"), _depth, "rank"), REAL),
    "pose": Row("pose → picture: PCK@0.1", "posed", drawn_row(_map("pose"), _pose, "pck"), REAL),
    "one thing": Row("one thing by words: is it there", "1 things", things, "90 %"),
    "two things": Row("two things by words: are both there", "2 things", things, "75 %"),
    "three things": Row("three things by words: are all there", "3 things", things, "60 %"),
    "both": Row("segmentation and a weather by words: both met", "weathered", both, "75 %"),
    "keep": Row(
        "it's snowing; keep …, under the mask",
        "kept",
        partial(edited, keep="mask"),
        "met 85 %, what is kept changed by 0",
    ),
    "found": Row(
        "the same by words alone: what stays is looked for", "kept", partial(edited, keep="words"), "change ≤ 0.03"
    ),
    "alone": Row("the same by the model alone", "kept", edited, "change ≤ 0.03, half of image to image"),
    **{
        f"redraw {s:g}": Row(f"image to image from {s:g}", "kept", partial(edited, strength=s), "for comparison")
        for s in STRENGTHS
    },
    "inversion": Row("to noise and back, 50 steps: PSNR, dB", "scenes", inversion, "40 dB", 16),
}
