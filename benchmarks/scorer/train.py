"""Make the scorer of emoji pictures against words again, from real pictures of all splits and styles.

    python benchmarks/scorer/train.py                         # both towers, then ship
    python benchmarks/scorer/train.py --text-only             # after a change of the word table: the text tower alone
    python benchmarks/scorer/train.py --without fluent-3d     # what does it know of a style that it never saw?

Two stages. The image tower learns together with one free vector a caption, by a softmax over *all* captions: a
contrastive loss whose negatives are the whole set instead of a batch. Then the text tower learns to put whatever may be
said of an emoji (English, Spanish, with tags) where those vectors and the pictures are.
"""

import argparse
import math
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, Stamp, append, read
from benchmarks.scorer.looks import blurred, plain, varied

from lienzo.data import open_source
from lienzo.evaluation.scorer import NAME, EmojiScorer, meanings, words
from lienzo.evaluation.shipped import MODELS, rounded, ship

SCALE = 20.0  # of cosines in a softmax
CARD = """---
license: apache-2.0
library_name: lienzo
pipeline_tag: zero-shot-image-classification
---

# emoji-scorer

Two small towers, pictures (64 × 64) and words (English, Spanish), into one space of {width} numbers: it judges whether
an emoji drawing shows what was said. Trained on real pictures only, of all splits and styles, never on generated ones;
so it knows what the emoji of the held-out captions look like, and a generator that it judges does not.

- sha256: `{{sha256}}` (model.safetensors, {{bytes}} bytes, fp16)
- the caption of a real picture on white is among the best 5 of all {captions:,} English captions for {top5:.1%} of
  {pictures:,} pictures (best 1: {top1:.1%}); of the same pictures blurred to 32 × 32, {soft5:.1%}
- in a style that it was not trained on: {without}
- training: {epochs} epochs with shifts, turns, any background, blur, noise and changed colours; {minutes:.1f}
  CPU-minutes; seed {seed}
- data: Noto Emoji (Apache-2.0), Twemoji (CC BY 4.0), Fluent Emoji (MIT); names from Unicode CLDR by emojibase; words
  by lienzo's own table
- made again by: `python benchmarks/scorer/train.py`

Limits: it knows emoji, at one size. It is a measuring instrument for pictures of that kind, not a general CLIP.
"""


def data(without):
    """Pictures (N, 64, 64, 4), caption numbers (N,), captions, what else may be said of each, which are held out."""
    source = open_source("emoji", split="all")
    rows = range(len(source))
    pictures = torch.from_numpy(source.pictures(rows).copy())
    said, style = source.values("text", rows), source.values("style", rows)
    captions = sorted({texts[0] for texts in said})
    number = {text: n for n, text in enumerate(captions)}
    others = [[] for _ in captions]
    for texts in said:
        others[number[texts[0]]] = list(dict.fromkeys([*others[number[texts[0]]], *texts]))
    held = torch.tensor([s == without for s in style])
    return pictures, torch.tensor([number[texts[0]] for texts in said]), captions, others, held


def one_cycle(share, peak):
    return peak * (share / 0.15 if share < 0.15 else 0.5 * (1 + math.cos(math.pi * (share - 0.15) / 0.85)))


def learn_pictures(tower, pictures, targets, count, args):
    """Train the image tower; return the captions' vectors (count, D)."""
    anchors = nn.Parameter(0.1 * torch.randn(count, args.width))  # short vectors turn quickly
    parameters = [{"params": tower.parameters()}, {"params": [anchors], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(parameters, lr=args.lr, weight_decay=0.05, fused=True)
    g, steps = torch.Generator().manual_seed(args.seed), args.epochs * (len(pictures) // args.batch)
    whole = len(pictures) // args.batch * args.batch
    step, total = 0, 0.0
    tower.train().to(memory_format=torch.channels_last)
    for epoch in range(args.epochs):
        for rows in torch.randperm(len(pictures), generator=g)[:whole].split(args.batch):
            for group in optimiser.param_groups:
                group["lr"] = one_cycle(step / steps, args.lr)
            x = varied(pictures[rows], g)
            with torch.autocast("cpu", torch.bfloat16):
                seen = tower(x)
            logits = SCALE * seen @ F.normalize(anchors, dim=1).T
            loss = F.cross_entropy(logits, targets[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step, total = step + 1, total + float(loss.detach())
        mean, minutes = total * args.epochs / steps, time.process_time() / 60
        print(f"epoch {epoch + 1}: {mean:.3f}, {minutes:.1f} CPU-min", flush=True)
        total = 0.0
    tower.eval()
    return F.normalize(anchors.detach(), dim=1)


def learn_words(tower, anchors, others, args):
    """Train the text tower to put each thing that may be said of a caption at the caption's vector."""
    texts = [(text, n) for n, several in enumerate(others) for text in several]
    heard = meanings([text for text, _ in texts])
    targets = torch.tensor([n for _, n in texts])
    weight = torch.tensor([3.0 if text == others[n][0] else 1.0 for text, n in texts])  # the English caption counts
    optimiser = torch.optim.AdamW(tower.parameters(), lr=2e-3, weight_decay=0.01)
    g, steps = torch.Generator().manual_seed(args.seed), args.text_steps
    tower.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = one_cycle(step / steps, 2e-3)
        rows = torch.multinomial(weight, 256, generator=g)
        logits = SCALE * tower(heard[rows]) @ anchors.T
        loss = F.cross_entropy(logits, targets[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 500 == 499:
            print(f"words, step {step + 1}: {float(loss.detach()):.3f}", flush=True)
    tower.eval()


@torch.no_grad()
def retrieved(scorer, pictures, targets, captions, look=lambda x: x):
    """The shares of pictures whose caption is the best, and among the best five, of all English captions."""
    seen = torch.cat([scorer.image(look(plain(part))) for part in pictures.split(256)])
    scores = seen @ scorer.read(captions).T
    ranks = (scores > scores.gather(1, targets[:, None])).sum(1)
    return float((ranks < 1).float().mean()), float((ranks < 5).float().mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--text-steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", default="", help="a style to leave out; the result is measured on it, not shipped")
    parser.add_argument("--text-only", action="store_true")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "scorer")
    parser.add_argument("--out", type=Path, default=MODELS / NAME)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    stamp = Stamp()
    pictures, targets, captions, others, held = data(args.without)
    scorer = EmojiScorer(args.width, words().dimension)
    args.work.mkdir(parents=True, exist_ok=True)
    kept = args.work / f"images{'-without-' + args.without if args.without else ''}.safetensors"
    anchors = image_stage(scorer, kept, pictures[~held], targets[~held], len(captions), args)
    learn_words(scorer.text, anchors, others, args)
    rounded(scorer)
    shown = held if args.without else ~held
    top1, top5 = retrieved(scorer, pictures[shown], targets[shown], captions)
    soft5 = retrieved(scorer, pictures[shown], targets[shown], captions, blurred)[1]
    entry = {"without": args.without, "pictures": int(shown.sum()), "captions": len(captions), "top1": top1,
             "top5": top5, "top5_blurred": soft5, "chance_top5": 5 / len(captions), "epochs": args.epochs,
             "seed": args.seed}  # fmt: skip
    print(entry)
    append("scorer", entry, stamp)
    if not args.without:
        deliver(scorer, entry, args)


def image_stage(scorer, kept, pictures, targets, count, args):
    if args.text_only:
        state = load_file(kept)
        anchors = state.pop("anchors")
        scorer.image.load_state_dict(state)
        scorer.eval()
        return anchors
    anchors = learn_pictures(scorer.image, pictures, targets, count, args)
    state = {name: tensor.contiguous() for name, tensor in scorer.image.state_dict().items()}
    save_file({**state, "anchors": anchors.contiguous()}, kept)
    return anchors


def deliver(scorer, entry, args):
    tried = [e for e in read("scorer")["entries"] if e["without"]]
    without = "not measured" if not tried else (
        f"{tried[-1]['top5']:.1%} among the best 5 ({tried[-1]['pictures']:,} pictures of {tried[-1]['without']}; by "
        f"chance {tried[-1]['chance_top5']:.2%})")  # fmt: skip
    table = words()
    config = {"kind": "emoji-scorer", "width": args.width, "dimension": table.dimension, "words": len(table),
              "top5_real": round(entry["top5"], 4), "captions": entry["captions"]}  # fmt: skip
    card = CARD.format(width=args.width, captions=entry["captions"], top5=entry["top5"], top1=entry["top1"],
                       pictures=entry["pictures"], soft5=entry["top5_blurred"], without=without, epochs=args.epochs,
                       minutes=time.process_time() / 60, seed=args.seed)  # fmt: skip
    ship(scorer, args.out, config, card)


if __name__ == "__main__":
    main()
