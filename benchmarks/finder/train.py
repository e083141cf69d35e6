"""Make the finder of words, which tells where in a picture "the house" is: `lienzo edit --keep "the house"`.

    python benchmarks/finder/train.py --minutes 25 --ship           # one core

It learns from scenes and single drawings of training's emoji alone, so that what it is measured on (emoji and captions
of the split "test") is new to it. Each picture comes with a phrase: a thing's name or that of its kind or group, in
English or Spanish, the sky, the ground, two things at once, or a thing that is not there. Results go to
`benchmarks/results/finder.json`; it ships (`--ship`) if it finds held-out things as well as `ENOUGH` says.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, Stamp, read, write
from benchmarks.scenes.asked import SETS, One, found, kept

from lienzo.api.edit.keep import split_keep
from lienzo.data.emoji import open_emoji
from lienzo.data.pixels import Ask
from lienzo.data.reword import Reworder
from lienzo.data.scenes.cast import emoji_captions
from lienzo.data.scenes.drawn import Drawn
from lienzo.data.scenes.edits import EDITS
from lienzo.data.scenes.groups import GROUPS, PERSON, group_of
from lienzo.data.scenes.instruct import the
from lienzo.data.scenes.kinds import KINDS, kind_of
from lienzo.data.scenes.layout import Layer
from lienzo.data.scenes.nouns import noun_of
from lienzo.data.scenes.say import plain_name
from lienzo.data.scenes.source import SCENES
from lienzo.editing.finding import FOUND, NAME, WordFinder
from lienzo.evaluation.shipped import MODELS, rounded, ship

ENOUGH = 0.5  # mean IoU of held-out things by what instructions call them
SPANISH = {"building": "edificio", "animal": "animal", "person": "persona", "vehicle": "vehículo", "plant": "planta",
           "food": "comida"}  # fmt: skip
SKY, GROUND = ("sky", "cielo"), ("ground", "suelo")
GROUNDS = {"grass": ("grass", "hierba", "meadow", "prado"), "hills": ("hills", "colinas"),
           "sand": ("sand", "arena", "beach", "playa"), "street": ("street", "calle", "road", "carretera"),
           "snow": ("snow", "nieve")}  # fmt: skip
BEHIND = ("background", "fondo")
ABSENT, TWO, LAND = 0.03, 0.1, 0.12  # of the phrases name what is not there, two things, or sky, ground or both
OTHER, NOISE = 0.5, 0.5  # of the phrases are said in other words near to their own; length of what is added to words
GREYS = (255, 255, 40, 140)  # grounds of single drawings
CARD = """---
license: apache-2.0
library_name: lienzo
pipeline_tag: image-segmentation
---

# word-finder

One small network that tells where in a picture words are: what `lienzo edit --keep "the house"` keeps where no mask and
no map is given. Pictures of 64 × 64 pixels, English and Spanish.

- sha256: `{{sha256}}` (model.safetensors, {{bytes}} bytes, fp16)
- the thing that an instruction keeps ("it's snowing; keep the house") is found in {known[count]:,} scenes of emoji
  that it knows with a mean IoU of {known[iou]:.3f}, no pixel of it in {known[nowhere]:.1%}; of emoji and names that it
  has not seen, in {kept[count]:,} scenes, with {kept[iou]:.3f}, no pixel in {kept[nowhere]:.1%} (the whole picture as
  the mask: {kept[all]:.3f}); {emoji[count]} unseen single drawings by their captions with {emoji[iou]:.3f} (the whole
  picture {emoji[all]:.3f})
- training: {images:,} pictures and phrases from {scenes:,} scenes and {drawings:,} drawings of training's emoji,
  {minutes:g} minutes of {device}; seed {seed}
- data: Noto Emoji (Apache-2.0), Twemoji (CC BY 4.0), Fluent Emoji (MIT)
- made again by: `{command}`

Limits: it knows emoji, alone and in composed scenes, not photographs. It takes for granted that what is asked for is
there: where it is not, something else may be found; look at the mask that lies beside every edit.
"""


Named = list[tuple[tuple[str, ...], tuple[int, ...]]]


@dataclass(frozen=True)
class Shown:
    """Pictures, what is seen in each of their pixels, and what that is called.

    Attributes:
        x: (N, 3, 64, 64) uint8.
        ids: (N, 64, 64) uint8, a number for what is seen.
        named: of each picture: (names, numbers that they mean).
    """

    x: Tensor
    ids: Tensor
    named: list[Named]

    def __len__(self) -> int:
        return len(self.named)


def called(english: str, spanish: str) -> tuple[str, ...]:
    """What people call a thing, with and without articles."""
    noun = noun_of(english, spanish)
    return tuple(name for name in (english, the(noun), noun.en, spanish, noun.el) if name)


def names_of(layer: Layer, cast: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Return (what tells it from others, what it is called by that) of a thing: name, kind and group."""
    noun = plain_name(layer, cast)
    bare = the(noun).removeprefix("the ")
    found = [(noun.en, (bare, the(noun), noun.en, *((noun.un, noun.el) if noun.el else ())))]
    subgroup, caption = cast.subgroups[layer.row], cast.captions[layer.row][0]
    kind = ("person", "persona") if layer.figure else kind_of(subgroup, caption)
    group = GROUPS[PERSON if layer.figure else group_of(subgroup, caption)]
    found.append((f"kind {kind[0]}", called(*kind)))
    if group in SPANISH and group != kind[0]:
        found.append((f"group {group}", called(group, SPANISH[group])))
    return found


def scenes(numbers: range) -> Shown:
    """Draw scenes of training's emoji."""
    table = SCENES.table([SCENES.part("train", numbers)], Ask(64))
    drawn = table.planes
    assert isinstance(drawn, Drawn)
    x, ids, named = list[Any](), list[Any](), list[Any]()
    for row in range(len(numbers)):
        scene, cast = drawn.scene(row), drawn.cast(row)
        meant = dict[str, tuple[tuple[str, ...], list[int]]]()
        for number, layer in enumerate(scene.layers, 2):
            for key, names in names_of(layer, cast):
                meant.setdefault(key, (names, []))[1].append(number)
        land = [(SKY, (0,)), ((*GROUND, *GROUNDS[scene.ground]), (1,)), (BEHIND, (0, 1))]
        named.append([(names, tuple(numbers)) for names, numbers in meant.values()] + land)
        x.append(drawn.one(row)[:3])
        ids.append(drawn.ids(row))
    return Shown(torch.from_numpy(np.stack(x)), torch.from_numpy(np.stack(ids)), named)


def drawings(split: str) -> tuple[Shown, list[str]]:
    """Return single emoji on plain grounds, and their English captions."""
    emoji, captions = open_emoji(Ask(64), split, None), emoji_captions()
    codes, classes = emoji.table.labels["subgroup"]
    planes = torch.from_numpy(np.asarray(emoji.table.planes[emoji.rows]).copy())
    alpha = planes[:, 3:].float() / 255
    ground = torch.tensor([GREYS[row % len(GREYS)] for row in range(len(planes))]).view(-1, 1, 1, 1)
    x = (planes[:, :3] * alpha + ground * (1 - alpha)).round().to(torch.uint8)
    named, plain = list[Any](), list[str]()
    for row in emoji.rows.tolist():
        english, spanish = captions[row]
        subgroup = classes[codes[row]] if codes[row] >= 0 else ""
        names = [(called(english, spanish), (2,)), (BEHIND, (0,))]
        names += [(called(*kind_of(subgroup, english)), (2,))] if subgroup in KINDS else []
        named.append(names)
        plain.append(english)
    return Shown(x, (alpha[:, 0] > 0.5).to(torch.uint8) * 2, named), plain


def phrase(rng: random.Random, named: Named, elsewhere: Named) -> tuple[str, tuple[int, ...]]:
    """Draw what is asked for in a picture, and the numbers that it means; things more often than the land."""
    things = [each for each in named if each[1][0] >= 2]
    what = rng.random()
    if what < ABSENT:
        names, numbers = rng.choice([each for each in elsewhere if each[1][0] >= 2])
        there = {name for each in things for name in each[0]}
        return rng.choice(names), (
            () if not there & set(names) else next(n for s, n in things if there & set(s) & set(names))
        )
    if what < ABSENT + TWO and len(things) > 1:
        (first, some), (second, others) = rng.sample(things, 2)
        return f"{rng.choice(first)} {rng.choice(('and', 'y', ','))} {rng.choice(second)}", (*some, *others)
    names, numbers = rng.choice(things if what < 1 - LAND else [each for each in named if each not in things])
    return rng.choice(names), numbers


def batch_of(
    rng: random.Random, sets: Sequence[Shown], shares: Sequence[float], size: int, reword: Reworder
) -> tuple[Tensor, list[str], Tensor]:
    """Draw pictures (B, 3, 64, 64), phrases, and what they mean, (B, 64, 64); half of the pictures mirrored.

    Words that no caption has are met as those they are nearest to: what nobody drew is found where its like is.
    """
    x, said, goal = list[Tensor](), list[str](), list[Tensor]()
    for shown in rng.choices(sets, shares, k=size):
        row = rng.randrange(len(shown))
        words, numbers = phrase(rng, shown.named[row], shown.named[rng.randrange(len(shown))])
        picture, mask = shown.x[row], torch.isin(shown.ids[row], torch.tensor(numbers, dtype=torch.uint8))
        if rng.random() < 0.5:
            picture, mask = picture.flip(-1), mask.flip(-1)
        x.append(picture)
        said.append(reword(words, rng.random()) if rng.random() < OTHER else words)
        goal.append(mask)
    return torch.stack(x), said, torch.stack(goal).float()


def loss_of(logits: Tensor, goal: Tensor) -> Tensor:
    """Cross-entropy, and Dice's loss, which counts a small thing as much as a large one (Milletari, 2016)."""
    p = logits.sigmoid()
    dice = 1 - (2 * (p * goal).sum((1, 2)) + 1) / (p.sum((1, 2)) + goal.sum((1, 2)) + 1)
    return F.binary_cross_entropy_with_logits(logits, goal) + 0.5 * dice.mean()


def learn(finder: WordFinder, sets: Sequence[Shown], args: argparse.Namespace) -> int:
    """Train until the time is over; return how many pictures were seen."""
    now = time.process_time if args.device == "cpu" else time.monotonic
    rng, noise, seen, step, since = random.Random(args.seed), torch.Generator().manual_seed(args.seed), 0, 0, now()
    reword = Reworder({name for shown in sets for named in shown.named for names, _ in named for name in names}, 0.7)
    optimiser = torch.optim.AdamW(finder.parameters(), lr=args.lr, weight_decay=0.02)
    finder.train().to(args.device)
    while (share := (now() - since) / (60 * args.minutes)) < 1:
        rate = share / 0.05 if share < 0.05 else 0.5 * (1 + math.cos(math.pi * (share - 0.05) / 0.95))
        for group in optimiser.param_groups:
            group["lr"] = args.lr * rate
        x, said, goal = batch_of(rng, sets, (0.75, 0.25), args.batch, reword)
        x = torch.div(x, 127.5).sub_(1)
        light = 0.15 * torch.randn(len(x), 3, 1, 1, generator=noise)
        x = x + light + 0.08 * torch.rand(len(x), 1, 1, 1, generator=noise) * torch.randn(x.shape, generator=noise)
        vectors, there = finder.read(said)
        far = NOISE * torch.rand(len(x), 1, 1, generator=noise) * vectors.shape[2] ** -0.5
        vectors = vectors + far * torch.randn(vectors.shape, generator=noise)
        with torch.autocast(args.device, torch.bfloat16):
            logits = finder(*(each.to(args.device) for each in (x, vectors, there)))
        loss = loss_of(logits, goal.to(args.device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(finder.parameters(), 2.0)
        optimiser.step()
        step, seen = step + 1, seen + len(x)
        if step % 100 == 0:
            print(f"{seen:,} pictures, {share:.0%} of the time: {float(loss.detach()):.3f}", flush=True)
    finder.eval().cpu()
    return seen


def overlaps(found: Tensor, goal: Tensor) -> dict[str, float]:
    """Return the mean IoU, that of the whole picture, and how often none of the goal was found."""
    both, either = (found & goal).flatten(1).sum(1), (found | goal).flatten(1).sum(1)
    return {
        "iou": float((both / either.clamp_min(1)).mean()), "all": float(goal.float().mean()),
        "nowhere": float((both == 0).float().mean()), "missed": float(1 - (both / goal.flatten(1).sum(1)).mean()),
        "count": len(goal),
    }  # fmt: skip


def kept_things(pairs: Iterator[One], count: int) -> tuple[Tensor, list[str], Tensor]:
    """Return pictures before an edit (n, 3, 64, 64), what their first wording keeps, and its own pixels."""
    pairs = itertools.islice(pairs, count)
    pairs = list(pairs)
    said = [split_keep(one.table.texts["text"][one.row][0])[1] for one in pairs]
    x = torch.from_numpy(np.stack([one.map("image") for one in pairs])).permute(0, 3, 1, 2) / 127.5 - 1
    goal = torch.from_numpy(np.stack([one.map("mask")[..., 0] <= 127 for one in pairs]))[:, None]
    return x, said, goal


def measured(finder: WordFinder, count: int, seen: int) -> dict[str, dict[str, float]]:
    """Return how well things are found in scenes, by what instructions call them, and alone.

    Args:
        finder: in question.
        count: of scenes.
        seen: scenes of training's emoji that it has learnt from; those behind them show what it knows anew.
    """
    shown, captions = drawings("test")
    alone = finder.find(torch.div(shown.x, 127.5).sub_(1), captions) > FOUND
    sets = {"kept": SETS["kept"](), "known": found(EDITS, kept, "train", first=seen)}
    scenes = {name: kept_things(pairs, count) for name, pairs in sets.items()}
    return {
        **{name: overlaps(finder.find(x, said) > FOUND, goal) for name, (x, said, goal) in scenes.items()},
        "emoji": overlaps(alone, (shown.ids > 0)[:, None]),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--scenes", type=int, default=16_000)
    parser.add_argument("--measured", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--deep", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / NAME)
    parser.add_argument("--ship", action="store_true", help="into the package, if it is good enough")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    stamp, finder = Stamp(), WordFinder(args.width, args.deep)
    sets = [scenes(range(args.scenes)), drawings("train")[0]]
    print(f"{len(sets[0]):,} scenes, {len(sets[1]):,} drawings", flush=True)
    images = learn(finder, sets, args)
    rounded(finder)
    figures = measured(finder, args.measured, args.scenes)
    print(figures, f"{sum(p.numel() for p in finder.parameters()):,} parameters")
    settings = {name: getattr(args, name) for name in ("minutes", "device", "seed", "width", "deep")}
    entry = {**settings, **figures, "images": images, "scenes": len(sets[0]), "drawings": len(sets[1])}
    command = (
        f"python benchmarks/finder/train.py --minutes {args.minutes:g} --scenes {args.scenes} --device {args.device}"
    )
    card = CARD.format(**entry, command=command)
    ship(finder, args.out, {"kind": NAME, "width": args.width, "deep": args.deep}, card)
    write("finder", {**read("finder"), "trained": entry}, stamp)
    if args.ship and figures["kept"]["iou"] < ENOUGH:
        print(f"not shipped: IoU {figures['kept']['iou']:.3f} < {ENOUGH}")
    elif args.ship:
        ship(finder, MODELS / NAME, {"kind": NAME, "width": args.width, "deep": args.deep}, card)


if __name__ == "__main__":
    main()
