"""Sheets of samples on the disk, at intervals and at the end."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from lienzo.core import Conditions, Family, Streams
from lienzo.data.telling import EVERY
from lienzo.training.card import version
from lienzo.training.observers import Observer, Record
from lienzo.training.run import Run

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _unheard(sentence: str) -> None:
    return


class SampleGrid(Observer):
    """Writes `samples/step-N.png`: always the same streams under the same conditions, so that sheets compare.

    Args:
        conditions: what is said, one row a picture.
        seed: of the pictures.
        columns: of the sheet; None: as square as it gets.
        scale: how many pixels a pixel is drawn with; None: so that pictures are at least 64 wide.
        tell: hears of the last sheet, which is drawn when no bar moves any more.
        options: of the family's `sample`.
    """

    def __init__(
        self, conditions: Conditions, seed: int = 0, columns: int | None = None, scale: int | None = None,
        tell: Callable[[str], None] = _unheard, **options: Any
    ) -> None:  # fmt: skip
        self.conditions, self.seed, self.columns, self.scale, self.options = conditions, seed, columns, scale, options
        self.tell = tell
        self._out = Path()
        self._last = 0.0

    def started(self, run: Run, out: Path) -> None:
        """Remember where to write."""
        self._out, self._last = out / "samples", run.counters.seconds

    def stepped(self, run: Run, record: Record) -> None:
        """Draw a sheet if it is time."""
        if record.seconds - self._last >= run.settings.samples_every:
            with run.average.applied():
                self.draw(run)
            self._last = run.counters.seconds

    def ended(self, run: Run, finished: bool) -> None:
        """Draw the last sheet; the family holds the averages already."""
        count = self.conditions.count
        self.tell(f"drawing the last sheet: {count} sample{'s' * (count > 1)} …")
        self.draw(run, self.tell)

    def draw(self, run: Run, tell: Callable[[str], None] = _unheard) -> Path:
        """Sample with the weights that the family holds, and write the sheet; `tell` hears how it goes."""
        family, device, training = run.family, run.team.device, run.family.training
        streams = Streams(self.seed, range(self.conditions.count), device=device)
        family.eval()
        try:
            with torch.no_grad():
                pictures = self._sampled(family, streams, tell)
        finally:
            family.train(training)
        path = self._out / f"step-{run.counters.step:09d}.png"
        record = {"lienzo": version(), "step": run.counters.step, "seed": self.seed, "options": self.options}
        write_sheet(pictures, path, record, self.columns, self.scale)
        return path

    def _sampled(self, family: Family, streams: Streams, tell: Callable[[str], None]) -> Tensor:
        """Return the pictures; say from time to time at which step they are."""
        said, pictures = time.monotonic(), torch.empty(0)
        for progress in family.sampling(self.conditions.to(streams.device), streams=streams, **self.options):
            pictures = progress.estimate
            if time.monotonic() - said >= EVERY:
                said = time.monotonic()
                tell(f"drawing the last sheet: step {progress.step} of {progress.steps}")
        return pictures


def write_sheet(
    pictures: Tensor, path: Path, record: Mapping[str, Any], columns: int | None = None, scale: int | None = None
) -> None:
    """Write pictures (B, C, H, W) in [-1, 1] as one PNG with its record, there in one instant or not at all."""
    array = sheet(pictures, columns, scale or max(1, math.ceil(64 / pictures.shape[-1])))
    text = PngImagePlugin.PngInfo()
    text.add_text("lienzo", json.dumps(record, default=str))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array, MODES[array.shape[2]])
    image.save(beside, format="PNG", pnginfo=text)
    beside.replace(path)


def sheet(pictures: Tensor, columns: int | None = None, scale: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Put pictures (B, C, H, W) in [-1, 1] side by side on white, (rows·H, columns·W, C) bytes with thin gaps."""
    count, channels, height, width = pictures.shape
    channels = channels if channels in MODES else min(channels, 3) if channels != 2 else 1
    bytes_ = ((pictures[:, :channels].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
    tiles = bytes_.permute(0, 2, 3, 1).numpy().repeat(scale, 1).repeat(scale, 2)
    height, width, gap = height * scale, width * scale, max(scale, 2)
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    paper = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        paper[top : top + height, left : left + width] = tile
    return paper
