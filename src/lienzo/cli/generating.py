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

from lienzo.api.earlier import REPORT, drop, listed, refuse_strangers
from lienzo.api.model import Model, load
from lienzo.api.record import Record, save, write_png
from lienzo.api.sheets import grid
from lienzo.api.words import read_guidance, read_pairs
from lienzo.cli.preview import Screen
from lienzo.conditions import TextCondition
from lienzo.core import ConfigurationError

GRID = "grid.png"


@dataclass(frozen=True)
class Order:
    """What `lienzo generate` was told.

    Attributes:
        prompts: texts; none draws without.
        named: labels by the option of their own name.
        labels: NAME=VALUE, or VALUE.
        image: a file.
        maps: KIND=FILE.
        count, seed, steps, solver, guidance, options, best_of, judge: as in `Model.generate`.
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
    judge: str | None = None

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
            "options": self.options, "best_of": self.best_of, "judge": self.judge,
        }  # fmt: skip


def run(order: Order, *, model: str, out: Path, preview: bool, as_json: bool, threads: int | None) -> None:
    """Draw what was ordered, write it, report it."""
    arguments = order.arguments()
    refuse_strangers(out, [*names(order.count * max(len(order.prompts), 1)), GRID])
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    begun, used = time.monotonic(), load(model)
    loaded, images = time.monotonic(), list[Image.Image]()
    for sentence in unheard(used, order.prompts):
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(sentence)
    screen = Screen(Console(stderr=as_json), live=preview and not as_json)
    for prompt in order.prompts or [None]:
        with screen.showing(prompt or ""):
            images += used.generate(prompt, previews=screen.step if screen.live else None, **arguments)
    seconds = time.monotonic() - loaded
    if preview:
        screen.show(images)
    before = listed(out)
    report = written(images, out, seconds, columns=order.count if len(order.prompts) > 1 else None)
    new = names(len(images))
    replaced = drop(out, before, [*new, GRID]) + sum(name in before for name in new)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        tell(used, images, out, seconds, loaded - begun)
        if replaced:
            print(f"  replaced {replaced} pictures of an earlier command")


def names(count: int) -> list[str]:
    """Return the files' names of so many pictures."""
    return [f"{number:04d}.png" for number in range(count)]


def unheard(model: Model, prompts: Sequence[str]) -> list[str]:
    """Say which words of the prompts a model does not understand, and which come too late for it."""
    condition = model.bus["text"] if "text" in model.bus.names else None
    if not isinstance(condition, TextCondition):
        return []
    found: list[str] = []
    for prompt in dict.fromkeys(prompts):
        strange, late = condition.unheard(prompt)
        found += [f"not understood: {', '.join(strange)}"] if strange else []
        found += [f"not heard, after {condition.length} words: {' '.join(late)}"] if late else []
    return found


def written(images: Sequence[Image.Image], out: Path, seconds: float, columns: int | None = None) -> dict[str, Any]:
    """Write the pictures, their grid and record.json; return what record.json says."""
    pictures: list[dict[str, Any]] = []
    for name, image in zip(names(len(images)), images, strict=True):
        path = save(image, out / name)
        pictures.append({"file": path.name, **Record.of(image).plain()})
    write_png(grid(images, columns), out / GRID, json.dumps({"grid": len(images)}))  # by which it is known as ours
    words = [word for word in sys.argv[1:] if word not in ("--json", "--preview")]
    command = shlex.join(["lienzo", *words])
    report = {"command": command, "seconds": round(seconds, 3), "grid": GRID, "pictures": pictures}
    (out / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return report


def tell(model: Model, images: Sequence[Image.Image], out: Path, seconds: float, loading: float) -> None:
    """Say what lies where, and how to make it again."""
    first = Record.of(images[0])
    said = ", ".join(f"{name} {value}" for name, value in first.spoken().items()) or "nothing said"
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{len(images)} pictures by {model.name} in {seconds:.1f} s (loading {loading:.1f} s): {said}")
    console.print(f"  {out / '0000.png'} … and {out / GRID}, {out / REPORT}")
    console.print(f"  again: {shlex.join(['lienzo', 'reproduce', str(out / '0000.png')])}")
