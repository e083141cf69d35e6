"""A sheet of what a family draws of Fashion-MNIST, and of what only it can do: the pictures of docs/families/.

    python examples/families.py docs/families [--only gan] [--models fashion-mnist] [--seed 0]

A column a class. The first rows are drawn from the class alone; the rest is the family's own: steps from noise, fewer
calls of the network, other temperatures, a given half completed, the way between two real pictures, styles exchanged.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import lienzo
from lienzo.api.model import to_image
from lienzo.api.sheets import grid
from lienzo.core import Conditions, Encodes, Streams
from lienzo.editing import Walk, between
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.style_gan import StyleGAN

Row = tuple[str, list[Image.Image]]
ROWS, QUALITY = 3, 90


def classes_of(model: lienzo.Model) -> list[str]:
    """Return the classes: the columns."""
    return list(lienzo.open_source("fashion-mnist", size=28, channels=1).columns["label"].classes)


def drawn(model: lienzo.Model, seed: int, number: int = 0, title: str = "", **options: Any) -> Row:
    """Draw a picture of each class, from the streams of row `number`."""
    names = classes_of(model)
    said = [{"label": name} if "label" in model.bus.names else {} for name in names]
    indices = [number * len(names) + n for n in range(len(names))]
    return title, model.draw(said, seed=seed, indices=indices, options=options)


def real(model: lienzo.Model, number: int = 0) -> Tensor:
    """Return a held-out picture of each class, (10, 1, 28, 28) in [-1, 1]: the `number`-th."""
    data = lienzo.open_source("fashion-mnist", size=28, channels=1, split="test")
    labels = data.values("label", range(2000))
    rows = [[n for n, label in enumerate(labels) if label == name][number] for name in classes_of(model)]
    return torch.from_numpy(data.pictures(np.array(rows)).copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


def heard(model: lienzo.Model) -> Conditions:
    """Return what is said: each class once."""
    names = classes_of(model)
    return model.bus.parse({"label": names} if "label" in model.bus.names else {}, len(names))


def images(x: Tensor) -> list[Image.Image]:
    """Return pictures of x (B, 1, 28, 28)."""
    return [to_image(each) for each in x.clamp(-1, 1)]


def steps(model: lienzo.Model, seed: int) -> list[Row]:
    """What the network makes of ever less noise."""
    streams, options = Streams(seed, list(range(len(classes_of(model))))), model.defaults.get("options", {})
    seen = [progress.estimate for progress in model.family.sampling(heard(model), streams=streams, **options)]
    chosen = [0, len(seen) // 4, len(seen) // 2, len(seen) - 1]
    return [(f"after {n + 1} of {len(seen)} steps", images(seen[n])) for n in chosen]


def fewer(model: lienzo.Model, seed: int) -> list[Row]:
    """The same noise in more calls of the network."""
    return [drawn(model, seed, 0, f"{n} network call{'s' * (n > 1)}", steps=n) for n in (1, 2, 4)]


def temperatures(model: lienzo.Model, seed: int) -> list[Row]:
    """The same noise, more and less of it."""
    return [drawn(model, seed, 0, f"temperature {t}", temperature=t) for t in (0.4, 0.7, 1.0)]


def coded(model: lienzo.Model, seed: int) -> list[Row]:
    """Real pictures and what their codes keep of them."""
    assert isinstance(model.family, Encodes)
    x, said = real(model), heard(model)
    back = model.family.decode(model.family.encode(x, said), said)
    return [("held-out pictures", images(x)), ("from their codes", images(back))]


def ways(model: lienzo.Model, seed: int) -> list[Row]:
    """From a real picture to another one of its class, in codes."""
    first, second, said = real(model), real(model, 1), heard(model)
    frames = between(model.family, first, second, 5, said, walk=Walk())
    return [("held-out pictures", images(first)),
            *((f"{share:.0%} of the way", images(frames[:, n])) for n, share in enumerate((0.0, 0.25, 0.5, 0.75, 1.0))),
            ("other held-out pictures", images(second))]  # fmt: skip


def completed(model: lienzo.Model, seed: int) -> list[Row]:
    """The upper half of real pictures, completed."""
    assert isinstance(model.family, Autoregressive)
    x = real(model)
    keep = torch.zeros_like(x, dtype=torch.bool)
    keep[:, :, : x.shape[2] // 2] = True
    streams = Streams(seed, list(range(len(x))))
    done = model.family.complete(x, keep, heard(model), streams=streams)
    half = torch.where(keep, x, torch.full_like(x, 0.6))
    return [("held-out pictures", images(x)), ("their upper halves", images(half)), ("completed", images(done))]


def styles(model: lienzo.Model, seed: int) -> list[Row]:
    """Two pictures of a class, and the first with some of the second's styles."""
    family = model.family
    assert isinstance(family, StyleGAN)
    count, said = len(classes_of(model)), heard(model)
    own = family.styles(said, streams=Streams(seed, list(range(count))))
    other = family.styles(said, streams=Streams(seed, list(range(count, 2 * count))))
    rows = [("own styles", family.draw(own, said)), ("others", family.draw(other, said))]
    rows += [(f"{part} styles of the others", family.draw(family.mixed(own, other, (part,)), said))
             for part in ("coarse", "middle", "fine")]  # fmt: skip
    return [(title, images(x)) for title, x in rows]


OWN: dict[str, Sequence[Callable[[lienzo.Model, int], list[Row]]]] = {
    "density": (coded,), "vae": (ways,), "hierarchical_vae": (temperatures, coded), "vector_quantized": (coded,),
    "flow": (temperatures,), "autoregressive": (completed,), "gan": (), "style_gan": (styles,), "diffusion": (steps,),
    "few_step": (fewer,),
}  # fmt: skip


@torch.no_grad()
def sheet(name: str, model: lienzo.Model, seed: int) -> Image.Image:
    """Draw the sheet of a family."""
    rows = [] if name == "vector_quantized" else [drawn(model, seed, n, "drawn" * (n == 0)) for n in range(ROWS)]
    rows += [row for own in OWN[name] for row in own(model, seed)]
    columns = classes_of(model)
    pictures = [picture for _, pictures in rows for picture in pictures]
    return grid(pictures, len(columns), scale=2, rows_named=[title for title, _ in rows], columns_named=columns)


def main() -> None:
    """Draw the sheets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", action="append", choices=OWN)
    parser.add_argument("--models", default="fashion-mnist", help="shipped ones, or a folder of runs; {} is the family")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for name in args.only or OWN:
        place = args.models if "{}" in args.models else args.models + "/{}"
        file = args.out / f"{name}.webp"
        sheet(name, lienzo.load(place.format(name)), args.seed).save(file, quality=QUALITY, method=6)
        print(file)


if __name__ == "__main__":
    main()
