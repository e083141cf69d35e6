"""Codes of every picture, computed once: what a latent family is trained on.

Each of N pictures is encoded with V looks (a background, mirrored or not), drawn from streams of their own; a batch
picks one of the V by the row's stream. So a batch stays a pure function of the number of pictures seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Encodes, Streams
from lienzo.data import Dataset, Loader
from lienzo.data.assemble import DRAWS, one_of, spoken
from lienzo.data.background import laid, opaque, papers
from lienzo.data.cache import DONE, key_of, once
from lienzo.data.reword import voice_of
from lienzo.families.latent import as_grid

CHUNK = 64  # pictures that are encoded at once
LEAST = 0.2  # of a budget is left for learning, however long encoding took
FILE = "codes.f16"
STREAMS = 2  # the generation of streams that looks were drawn from
LOOKS = "looks"  # the stream of backgrounds and mirrorings
Tell = Callable[[int, int], None]
Codes = NDArray[np.float16]


def looks_of(dataset: Dataset, background: str, flip: float, variants: int) -> int:
    """Return with how many looks each picture is encoded: one is enough for opaque ones that are not mirrored."""
    varied = (dataset.shape[2] == 4 and background in ("mixed", "colour", "dark")) or flip > 0
    return variants if varied else 1


class CodeLoader:
    """Batches of ready codes with their conditions; see `lienzo.data.Loader`, whose order it keeps.

    Attributes:
        codes: (V·N, *shape) float16, as the outer family gives them.
        shift, scale: what batches are normalised with, (C, 1, 1): the codes' mean and standard deviation by channel.
        seconds: that computing them took, by the clock of whoever did.
        spare: whether maps are not even read where the bus will leave them unsaid: for a family with one player, which
            drops conditions once a batch.

    Args:
        dataset: the pictures.
        bus: what is told of them.
        outer: encodes them.
        folder: gets a folder that keeps the codes, named by all that they depend on.
        mark: what the codes depend on besides the data: the outer family's hash.
        batch_size, seed, background, flip, reword: as in `Loader`.
        variants: V, where `looks_of` sees any.
        tell: hears how many of how many are encoded.
        now: the clock that a budget is counted by, s.
    """

    def __init__(  # noqa: PLR0913 (the data, how it is shown, and who hears of it)
        self, dataset: Dataset, bus: Bus, outer: Encodes, folder: Path, *, mark: str, batch_size: int, seed: int = 0,
        background: str = "mixed", flip: float = 0.0, reword: float = 0.0, variants: int = 8,
        tell: Tell = lambda done, of: None, now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.dataset, self.bus, self.seed, self.flip, self.background = dataset, bus, seed, flip, background
        self.order = Loader(dataset, Bus({}), batch_size=batch_size, seed=seed, background=background, flip=flip)
        self.voice, self.columns = voice_of(dataset, reword), {**dataset.asides, **dataset.columns}
        self.transparent = dataset.shape[2] == 4
        self.variants, self.batch_size, self.spare = looks_of(dataset, background, flip, variants), batch_size, False
        about = {"data": dataset.fingerprint, "pictures": len(dataset), "variants": self.variants, "seed": seed,
                 "background": background, "flip": flip, "outer": mark, "streams": STREAMS}  # fmt: skip
        self.seconds, self._now = 0.0, now
        self.codes = self._stored(folder, about, outer, tell)
        self.shift, self.scale = self._spread()

    def batch_at(self, position: int) -> Batch:
        """Return the batch that begins after `position` pictures: normalised codes and what is said of them."""
        stop = position + self.batch_size
        rows, streams = self.order.rows_at(position, stop), Streams(self.seed, range(position, stop))
        draws = streams.child("codes").uniform(2)
        which = (draws[:, 0].double() * self.variants).long().numpy() * len(self.dataset) + rows
        x = torch.from_numpy(self.codes[which].astype(np.float32))
        told, mirrored, _ = self._look(which)
        keeps = self.bus.keeps(self.bus.names, Streams(self.seed, range(position, stop))) if self.spare else {}
        said = {name: self._said(name, rows, told, mirrored, draws[:, 1], keeps.get(name)) for name in self.bus.names}
        if "text" in said:
            said["text"] = spoken(said["text"], self.voice, streams)
        return Batch((x - self.shift) / self.scale, self.bus.parse(said, len(rows)), streams)

    def _said(
        self, name: str, rows: NDArray[np.int64], told: list[str], mirrored: Tensor, draws: Tensor, keep: Tensor | None
    ) -> list[Any]:
        if name == "background" and self.transparent:
            return told
        if name not in self.columns:  # a borrowed model hears more than these pictures say
            return [None] * len(rows)
        kind = self.columns[name].kind
        keep = keep if kind in ("map", "image") else None  # what costs time to read
        values = self.dataset.values(name, rows) if keep is None else self._some(name, rows, keep.numpy())
        if kind == "text":
            return [one_of(texts, draw) for texts, draw in zip(values, draws.tolist(), strict=True)]
        if kind in ("map", "image") and self.flip > 0:
            pairs = zip(values, mirrored.tolist(), strict=True)
            return [np.ascontiguousarray(v[:, ::-1]) if flipped and v is not None else v for v, flipped in pairs]
        return values

    def _some(self, name: str, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> list[Any]:
        """Return what a column says in the rows that are heard, and None elsewhere."""
        found: list[Any] = [None] * len(rows)
        for place, value in zip(np.flatnonzero(keep).tolist(), self.dataset.values(name, rows[keep]), strict=True):
            found[place] = value
        return found

    def _look(self, numbers: NDArray[np.int64]) -> tuple[list[str], Tensor, Tensor]:
        """Return each look's background by name, whether it is mirrored, and the background's colour."""
        draws = Streams(self.seed, numbers.tolist(), name=LOOKS).uniform(DRAWS)
        told, paper = papers(self.background, draws[:, :4])
        return told, draws[:, 5] < self.flip, paper

    def pictures(self, numbers: NDArray[np.int64]) -> Tensor:
        """Return looks by number (variant · N + picture), (B, C, H, W) in [-1, 1]."""
        planes = np.ascontiguousarray(self.dataset.pictures(numbers % len(self.dataset)).transpose(0, 3, 1, 2))
        _, mirrored, paper = self._look(numbers)
        x = laid(torch.from_numpy(planes), paper) if self.transparent else opaque(torch.from_numpy(planes))
        x[mirrored] = x[mirrored].flip(-1)
        return x

    def _stored(self, folder: Path, about: dict[str, Any], outer: Encodes, tell: Tell) -> Codes:
        """Open the codes, computing them first where they are not there."""
        found = once(folder, f"codes-{key_of(about)[:16]}", lambda part: self._fill(part, about, outer, tell))
        known = json.loads((found / DONE).read_text("utf-8"))
        self.seconds = float(known["seconds"])
        mapped: Codes = np.memmap(found / FILE, np.float16, "r", shape=tuple(known["shape"]))
        return mapped.view(np.ndarray)

    @torch.no_grad()
    def _fill(self, folder: Path, about: dict[str, Any], outer: Encodes, tell: Tell) -> None:
        since, count, shape = self._now(), self.variants * len(self.dataset), tuple[int, ...]()
        device = next(outer.parameters()).device if isinstance(outer, torch.nn.Module) else "cpu"
        with (folder / FILE).open("wb") as out:
            for start in range(0, count, CHUNK):
                numbers = np.arange(start, start + CHUNK).clip(max=count - 1)  # always as many: the same bits
                codes = as_grid(outer.encode(self.pictures(numbers).to(device)))[: min(CHUNK, count - start)]
                shape = (count, *codes.shape[1:])
                out.write(codes.half().cpu().contiguous().numpy().tobytes())
                tell(min(start + CHUNK, count), count)
        meta = {**about, "shape": shape, "seconds": self._now() - since}
        (folder / DONE).write_text(json.dumps(meta, indent=1), "utf-8")

    def _spread(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the codes by channel, each (C, 1, 1)."""
        sums = np.zeros((2, self.codes.shape[1]))
        for start in range(0, len(self.codes), 4096):
            part = self.codes[start : start + 4096].astype(np.float64)
            sums += np.stack([part.sum((0, 2, 3)), np.square(part).sum((0, 2, 3))])
        mean, square = sums / (len(self.codes) * self.codes.shape[2] * self.codes.shape[3])
        spread = np.sqrt(np.maximum(square - mean**2, 1e-12))
        shift, scale = (torch.from_numpy(v).float()[:, None, None] for v in (mean, spread))
        return shift, scale
