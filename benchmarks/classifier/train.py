"""Make the classifier behind FD-clf64 again: python benchmarks/classifier/train.py (some minutes of one core)."""

import argparse
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from lienzo.data.fashion import open_fashion_mnist
from lienzo.data.pixels import Ask
from lienzo.evaluation.classifier import REFERENCE, FashionClassifier
from lienzo.evaluation.distances import frechet_distance, moments
from lienzo.evaluation.shipped import MODELS, rounded, ship

CARD = """---
license: apache-2.0
library_name: lienzo
pipeline_tag: image-classification
datasets: [fashion-mnist]
---

# fashion-classifier

A frozen classifier of Fashion-MNIST. Its 64-wide feature layer is what **FD-clf64** measures a Fréchet distance on:
a small, offline stand-in that ranks generators of this set. It is not FID, and is comparable only with itself.

- sha256: `{{sha256}}` (model.safetensors, {{bytes}} bytes, fp16)
- test accuracy: {accuracy:.2%} of 10,000; training accuracy of the same weights: {train:.2%}
- floor: {floor:.3f}, the FD-clf64 of 10,000 training pictures, 1,000 a class, against the 10,000 test pictures
  (`reference.safetensors`); other draws of the training pictures: {others}
- training: {epochs} epochs of 60,000 pictures, shifted by up to a pixel; AdamW, one-cycle step size up to {lr:g}, batch
  {batch}; {minutes:.1f} CPU-minutes; seed {seed}
- data: Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017), MIT
- made again by: `python benchmarks/classifier/train.py`

Limits: it knows ten kinds of clothes at 28 × 28 in grey, and has seen the training pictures, so that real training
pictures are not quite at distance 0 from real test pictures: hence the floor.
"""


def pictures(split):
    data = open_fashion_mnist(Ask(28, "crop", 1), split, None)
    rows = range(len(data))
    x = torch.from_numpy(data.pictures(rows).copy()).reshape(-1, 1, 28, 28).float() / 127.5 - 1
    classes = {name: number for number, name in enumerate(data.columns["label"].classes)}
    return x, torch.tensor([classes[name] for name in data.values("label", rows)])


def shifted(x, generator):
    """Move each picture by up to a pixel."""
    padded = F.pad(x, (1, 1, 1, 1), value=-1)
    dy, dx = (torch.randint(3, (len(x), 1, 1), generator=generator) for _ in range(2))
    rows, columns = torch.arange(28)[None, :, None] + dy, torch.arange(28)[None, None, :] + dx
    return padded[torch.arange(len(x))[:, None, None], 0, rows, columns][:, None]


@torch.no_grad()
def evaluate(model, x):
    model.eval()
    parts = [(model(p), model.features(p)) for p in x.split(1000)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def fit(model, x, y, args):
    generator = torch.Generator().manual_seed(args.seed)
    steps = args.epochs * (len(x) // args.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.lr, total_steps=steps, pct_start=0.2)
    loss = torch.zeros(())
    for epoch in range(args.epochs):
        model.train()
        for rows in torch.randperm(len(x), generator=generator)[: len(x) // args.batch * args.batch].split(args.batch):
            logits = model(shifted(x[rows], generator).contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(
            f"epoch {epoch + 1}: loss {float(loss.detach()):.3f}, {time.process_time() / 60:.1f} CPU-minutes",
            flush=True,
        )


def draws(features, y, count=5, each=1000):
    """The features of `count` disjoint draws with `each` pictures a class."""
    order = [torch.nonzero(y == c).flatten() for c in range(10)]
    shuffled = [rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))] for rows in order]
    return [features[torch.cat([rows[n * each : (n + 1) * each] for rows in shuffled])] for n in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=MODELS / "fashion-classifier")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    (x, y), (test_x, test_y) = pictures("train+validation"), pictures("test")
    model = FashionClassifier().to(memory_format=torch.channels_last)
    assert isinstance(model, nn.Module)
    fit(model, x, y, args)
    minutes = time.process_time() / 60
    rounded(model)
    (train_logits, train_features), (test_logits, test_features) = evaluate(model, x), evaluate(model, test_x)
    accuracy = float((test_logits.argmax(1) == test_y).float().mean())
    train = float((train_logits.argmax(1) == y).float().mean())
    reference = moments(test_features)
    floors = [frechet_distance(moments(part), reference) for part in draws(train_features, y)]
    print(f"accuracy {accuracy:.4f} (training {train:.4f}), floors {floors}")
    config = {"kind": "fashion-classifier", "widths": [32, 48, 64], "features": 64, "classes": 10,
              "accuracy": round(accuracy, 4), "floor": round(floors[0], 4)}  # fmt: skip
    others = ", ".join(f"{floor:.3f}" for floor in floors[1:])
    card = CARD.format(accuracy=accuracy, train=train, floor=floors[0], others=others,
                       epochs=args.epochs, lr=args.lr, batch=args.batch, minutes=minutes, seed=args.seed)  # fmt: skip
    ship(model, args.out, config, card)
    count = torch.tensor(reference.count)
    save_file({"mean": reference.mean, "covariance": reference.covariance, "count": count}, args.out / REFERENCE)
    (args.out / REFERENCE).chmod(0o644)


if __name__ == "__main__":
    main()
