"""Pictures from the command line: what was asked for, the files, the report."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console

from lienzo.api.model import Model, load
from lienzo.api.record import Record, save, write_png
from lienzo.api.sheets import grid
from lienzo.api.words import read_guidance, read_pairs
from lienzo.cli.preview import Screen
from lienzo.core import ConfigurationError


@dataclass(frozen=True)
class Order:
    """What `lienzo generate` was told.

    Attributes:
        prompts: texts; none draws without.
        named: labels by the option of their own name.
        labels: NAME=VALUE, or VALUE.
        image: a file.
        maps: KIND=FILE.
        count, seed, steps, solver, guidance, options, best_of: as in `Model.generate`.
    """

    prompts: Sequence[str]
    named: dict[str, str]
    labels: Sequence[str]
    image: Path | None
    maps: Sequence[str]
    count: int
    seed: int
    steps: int | None
    solver: str | None
    guidance: str | None
    options: dict[str, Any]
    best_of: int = 1

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `Model.generate`, but for the text."""
        nameless = [label for label in self.labels if "=" not in label]
        if len(nameless) > 1:
            raise ConfigurationError(f"labels without names: {', '.join(nameless)}", hint="NAME=VALUE for each")
        pairs = read_pairs([label for label in self.labels if "=" in label], "label", "gender=woman")
        if nameless and pairs:
            raise ConfigurationError(f"the label {nameless[0]!r} has no name", hint="NAME=VALUE for each")
        return {
            **self.named, "label": nameless[0] if nameless else pairs or None, "image": self.image,
            "map": read_pairs(self.maps, "map", "edges=house.png") or None, "count": self.count, "seed": self.seed,
            "steps": self.steps, "solver": self.solver,
            "guidance": read_guidance(self.guidance) if self.guidance is not None else None,
            "options": self.options, "best_of": self.best_of,
        }  # fmt: skip


def run(order: Order, *, model: str, out: Path, preview: bool, as_json: bool, threads: int | None) -> None:
    """Draw what was ordered, write it, report it."""
    arguments = order.arguments()
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    begun, used = time.monotonic(), load(model)
    loaded, images = time.monotonic(), list[Image.Image]()
    screen = Screen(Console(stderr=as_json), live=preview and not as_json)
    for prompt in order.prompts or [None]:
        with screen.showing(prompt or ""):
            images += used.generate(prompt, previews=screen.step if screen.live else None, **arguments)
    seconds = time.monotonic() - loaded
    if preview:
        screen.show(images)
    report = written(images, out, seconds, columns=order.count if len(order.prompts) > 1 else None)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        tell(used, images, out, seconds, loaded - begun)


def written(images: Sequence[Image.Image], out: Path, seconds: float, columns: int | None = None) -> dict[str, Any]:
    """Write the pictures, their grid and record.json; return what record.json says."""
    pictures: list[dict[str, Any]] = []
    for number, image in enumerate(images):
        path = save(image, out / f"{number:04d}.png")
        pictures.append({"file": path.name, **Record.of(image).plain()})
    write_png(grid(images, columns), out / "grid.png")
    words = [word for word in sys.argv[1:] if word not in ("--json", "--preview")]
    command = shlex.join(["lienzo", *words])
    report = {"command": command, "seconds": round(seconds, 3), "grid": "grid.png", "pictures": pictures}
    (out / "record.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return report


def tell(model: Model, images: Sequence[Image.Image], out: Path, seconds: float, loading: float) -> None:
    """Say what lies where, and how to make it again."""
    first = Record.of(images[0])
    said = ", ".join(f"{name} {value}" for name, value in first.spoken().items()) or "nothing said"
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{len(images)} pictures by {model.name} in {seconds:.1f} s (loading {loading:.1f} s): {said}")
    console.print(f"  {out / '0000.png'} … and {out / 'grid.png'}, {out / 'record.json'}")
    console.print(f"  again: {shlex.join(['lienzo', 'reproduce', str(out / '0000.png')])}")
