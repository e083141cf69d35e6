"""What is kept of a set of pictures: features and projections. The pictures themselves pass by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lienzo.evaluation.features import Bytes, Extractor
from lienzo.evaluation.sliced import details, noise_level, slices

ALWAYS = ("features", "pixels", "details", "noise")


@dataclass(frozen=True)
class Part:
    """Some pictures, and what was said of them.

    Attributes:
        pictures: (n, H, W, C) uint8, C = 1 or 3.
        labels: class numbers (n,), or None.
        texts: one a picture, None where nothing was said; or None.
        maps: name → what was asked for, (H, W, K) uint8, or None where nothing was.
    """

    pictures: Bytes
    labels: NDArray[np.int64] | None = None
    texts: Sequence[str | None] | None = None
    maps: Mapping[str, Sequence[Bytes | None]] = field(default_factory=dict[str, Sequence[Bytes | None]])


@dataclass(frozen=True)
class Sketch:
    """A set of N pictures, as far as the figures need it: 50,000 of 64 × 64 take some 200 MiB.

    Attributes:
        features: (N, D).
        pixels: whole pictures on random directions, (N, P).
        details: patches of their finest details, (4 N, P).
        noise: level of each, (N, 1).
        labels: class numbers that were asked for or are known, (N,), or None.
        found: class numbers that a classifier sees, (N,), or None.
        ranks: how many captions fit better than its own, (N,), −1 where it has none; or None.
        obeyed: name of a map → its score for each, (N,), NaN where none was asked for.
    """

    features: Tensor
    pixels: Tensor
    details: Tensor
    noise: Tensor
    labels: Tensor | None = None
    found: Tensor | None = None
    ranks: Tensor | None = None
    obeyed: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Judges:
    """Who looks at pictures as they pass.

    Attributes:
        extractor: of features.
        classify: pictures (n, H, W, C) and their features → class numbers (n,), if there is a classifier.
        rank: pictures and their texts → ranks (n,), if there is a scorer of texts.
        maps: name of a map → pictures and what was asked for → scores (n,).
    """

    extractor: Extractor
    classify: Callable[[Bytes, Tensor], Tensor] | None = None
    rank: Callable[[Bytes, Sequence[str | None]], Tensor] | None = None
    maps: Mapping[str, Callable[[Bytes, Sequence[Bytes | None]], Tensor]] = field(
        default_factory=dict[str, Callable[[Bytes, Sequence[Bytes | None]], Tensor]]
    )


@torch.no_grad()
def sketch(parts: Iterable[Part], judges: Judges) -> Sketch:
    """Let pictures pass by, and keep what the figures need."""
    kept: dict[str, list[Tensor]] = {n: [] for n in (*ALWAYS, "labels", "found", "ranks")}
    obeyed: dict[str, list[Tensor]] = {name: [] for name in judges.maps}
    for number, part in enumerate(parts):
        x = torch.from_numpy(np.ascontiguousarray(part.pictures.transpose(0, 3, 1, 2))).float() / 127.5 - 1
        features = judges.extractor.features(part.pictures).float()
        kept["features"].append(features)
        kept["pixels"].append(slices(x.flatten(1)))
        kept["details"].append(slices(details(x, seed=number)))
        kept["noise"].append(noise_level(x))
        if part.labels is not None:
            kept["labels"].append(torch.from_numpy(part.labels))
        if judges.classify is not None:
            kept["found"].append(judges.classify(part.pictures, features))
        if judges.rank is not None and part.texts is not None:
            kept["ranks"].append(judges.rank(part.pictures, part.texts))
        for name, score in judges.maps.items():
            obeyed[name].append(score(part.pictures, part.maps[name]))
    if not kept["features"]:
        raise ValueError("no pictures")
    seen, pixels, fine, noise = (torch.cat(kept[name]) for name in ALWAYS)
    labels, found, ranks = (torch.cat(kept[n]) if kept[n] else None for n in ("labels", "found", "ranks"))
    scores = {name: torch.cat(each) for name, each in obeyed.items()}
    return Sketch(seen, pixels, fine, noise, labels, found, ranks, scores)
