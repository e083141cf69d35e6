"""The job "nearest": the training pictures that lie nearest to everybody's first samples, in pixels and in features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lienzo.api.compare.drawing import SAMPLES, sheet
from lienzo.api.compare.work import Voice
from lienzo.api.evaluate.examined import on_paper
from lienzo.api.record import write_png
from lienzo.api.view import View
from lienzo.core import derive_seed
from lienzo.data import Dataset
from lienzo.evaluation.devices import usual_device
from lienzo.evaluation.extractors import extractor_named, usual
from lienzo.evaluation.features import FITTED

Values = dict[str, Any]
Bytes = NDArray[np.uint8]
Space = Callable[[Bytes], Tensor]
AT_ONCE, MOST, HELD = 1000, 60_000, 200  # training pictures at once and at most; held-out ones for the typical distance


def nearest(job: Values, voice: Voice) -> Values:
    """Find them, and write `near-pixels.png` and `near-features.png` beside each entrant's samples.

    Args:
        job: "source", "view" (how it is looked at), "split", "features", "entrants" (name → "folder", "shape" (C, H,
            W), "columns").
        voice: tells how it goes.

    Returns:
        name → "features" (the extractor), "among" (how many were looked through), "pixels" and "features": "distances",
        "typical".
    """
    told: Values = {}
    shapes = {tuple(entrant["shape"]) for entrant in job["entrants"].values()}
    for number, shape in enumerate(sorted(shapes)):
        ours = {name: e for name, e in job["entrants"].items() if tuple(e["shape"]) == shape}
        progress = voice.part(number / len(shapes), (number + 1) / len(shapes))
        told |= _of_shape(job, shape, ours, progress)
    return told


def _of_shape(job: Values, shape: tuple[int, ...], entrants: Values, progress: Callable[..., None]) -> Values:
    channels, side, _ = shape
    held, training = (
        View(**job["view"]).open(job["source"], (channels, side, side), split, progress=False)
        for split in (job["split"], "train")
    )
    rows = _some(training, MOST)
    few = np.sort(_some(training, FITTED))
    name = job["features"] or usual(held.name, (side, side, channels))
    extractor = extractor_named(name, on_paper(training.pictures(few)), usual_device())
    first = {n: first_row(Path(e["folder"]) / SAMPLES, shape, e["columns"]) for n, e in entrants.items()}
    asked = np.concatenate([*first.values(), on_paper(held.pictures(_some(held, HELD)))])
    spaces: dict[str, Space] = {"pixels": in_pixels, "features": lambda x: extractor.features(x).float()}
    found = {space: Nearest(see(asked)) for space, see in spaces.items()}
    for part in _parts(rows):
        pictures = on_paper(training.pictures(part))
        for space, see in spaces.items():
            found[space].look(see(pictures), part)
        progress("", int(np.searchsorted(rows, part[-1])) + 1, len(rows))
    told: Values = {}
    start, count = 0, sum(len(pictures) for pictures in first.values())
    for n, pictures in first.items():
        mine = slice(start, start := start + len(pictures))
        told[n] = {"extractor": extractor.name, "among": len(rows)}
        for space, seen in found.items():
            images = on_paper(training.pictures(seen.where[mine]))
            write_png(sheet(list(images), len(images)), Path(entrants[n]["folder"]) / f"near-{space}.png")
            typical = float(seen.distance[count:].median())
            told[n][space] = {"distances": seen.distance[mine].tolist(), "typical": typical}
    return told


class Nearest:
    """The nearest of many pictures that are looked at in parts.

    Args:
        asked: (N, D), of which the nearest are looked for.

    Attributes:
        distance: (N,), Euclidean.
        where: (N,), the number of the nearest.
    """

    def __init__(self, asked: Tensor) -> None:
        self.asked = asked
        self.distance = torch.full((len(asked),), torch.inf)
        self.where = np.zeros(len(asked), np.int64)

    def look(self, part: Tensor, numbers: NDArray[np.int64]) -> None:
        """Look through some more (M, D) with their numbers."""
        exact = "donot_use_mm_for_euclid_dist"  # a copy has distance nought, not what rounding leaves
        distance, which = torch.cdist(self.asked, part, compute_mode=exact).min(1)
        nearer = distance < self.distance
        self.distance = torch.where(nearer, distance, self.distance)
        self.where = np.where(nearer.numpy(), numbers[which.numpy()], self.where)


def in_pixels(pictures: Bytes) -> Tensor:
    """Return pictures (N, H, W, C) as vectors whose distance is the root mean square difference in levels of 255."""
    flat = torch.from_numpy(np.ascontiguousarray(pictures)).flatten(1).float()
    return flat / flat.shape[1] ** 0.5


def first_row(path: Path, shape: tuple[int, ...], columns: int) -> Bytes:
    """Return the first row (N, H, W, C) of a sheet."""
    channels, height, width = shape
    with Image.open(path) as image:
        row = np.asarray(image)[:height].reshape(height, columns, width, channels)
    return row.transpose(1, 0, 2, 3)


def _some(data: Dataset, count: int) -> NDArray[np.int64]:
    order = np.random.default_rng(derive_seed(0, "compare", "nearest")).permutation(len(data))
    return np.sort(order[:count])


def _parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
