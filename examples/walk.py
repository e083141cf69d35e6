"""A drawn building, snow, the same building kept to the pixel, and a dog beside it: `make walk`.

    python examples/walk.py [--model NAME] [--out out/walk] [--seed 0] [--tries 6] [--picture FILE --map FILE]

Every step is one call of `lienzo.edit`, which is one command of `lienzo edit`. Of several tries the one is taken that
the words fit best, by the scorer that ships. The page that is written shows the pictures and commands, and what was
measured: what had to stay has stayed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import time
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

import lienzo
from lienzo.data import open_source
from lienzo.data.dataset import TableDataset
from lienzo.data.scenes import Drawn
from lienzo.data.scenes.draw import drawn
from lienzo.data.scenes.groups import GROUPS
from lienzo.data.scenes.maps import instances, segmentation
from lienzo.editing import open_canvas, pairs_of, read_class, sheet

Mask = NDArray[np.bool_]
SNOW, DOG, KEEP = "it's snowing, everything is covered in snow", "a dog", "building"
SIDE, HOUSE = 128, 1143  # of the drawn picture; the scene whose house it shows
PLACE = (0.04, 0.36, 0.52, 0.84)  # of the house: left, top, right, bottom
PAINTERS = {"scenes-64": "emoji-64"}  # who draws a thing alone better than it
# of a model of emoji: it sees the square alone, which its things fill, on white as on snow
FILLS: dict[str, Any] = {"how": "insert", "said": {"style": "twemoji"}}
HIGHEST = 0.35  # share of the picture above which there is no dog


@dataclass
class Step:
    """One picture of the walk: its file, what was asked for, the command, what was measured, and the sheet's file."""

    file: str
    title: str
    command: str = ""
    told: list[str] = field(default_factory=list)
    sheet: str = ""


def building(folder: Path) -> None:
    """Draw a house in a meadow, with room beside it, and write where it is: its rim, half of it meadow, left out."""
    scenes = open_source("scenes:2000", size=SIDE, progress=False)
    assert isinstance(scenes, TableDataset)
    planes = scenes.table.planes
    assert isinstance(planes, Drawn)
    row = int(scenes.rows[HOUSE])
    scene, cast = planes.laid_out(row), planes.cast(row)
    scene = replace(scene, layers=(replace(scene.layers[0], box=PLACE),))
    drawing = drawn(scene, cast, SIDE)
    classes = segmentation(scene, cast, instances(scene, cast, drawing.skyline))
    number = GROUPS.index(KEEP)
    inside = Image.fromarray((classes == number).astype(np.uint8)).filter(ImageFilter.MinFilter(3))
    Image.fromarray(drawing.pixels).save(folder / "building.png")
    named = np.where((classes == number) & (np.asarray(inside) == 0), GROUPS.index("other"), classes)
    Image.fromarray(named.astype(np.uint8)).save(folder / "map.png")
    (folder / "map.png.json").write_text(json.dumps(GROUPS), encoding="utf-8")


def free_square(free: Mask) -> tuple[int, int, int]:
    """Return left, top and side of the largest square of free pixels, the lowest of several."""
    sides = np.zeros((free.shape[0] + 1, free.shape[1] + 1), np.int64)
    for y in range(free.shape[0]):
        for x in range(free.shape[1]):
            if free[y, x]:
                sides[y + 1, x + 1] = 1 + min(sides[y, x], sides[y, x + 1], sides[y + 1, x])
    y, x = max(zip(*np.nonzero(sides == sides.max()), strict=True))
    side = int(sides.max())
    return int(x) - side, int(y) - side, side


def spot(folder: Path, kept: Mask) -> None:
    """Write the mask of where the dog may be: the largest square without the building."""
    low = np.arange(kept.shape[0])[:, None] > HIGHEST * kept.shape[0]
    left, top, side = free_square(~kept & low)
    mask = Image.new("L", (kept.shape[1], kept.shape[0]))
    mask.paste(255, (left, top, left + side, top + side))
    mask.save(folder / "spot.png")


def edited(model: lienzo.Model, folder: Path, source: str, file: str, words: str, **asked: Any) -> Step:
    """Edit a picture and say what that did."""
    begun = time.monotonic()
    files = {name: str(folder / value) for name, value in asked.items() if (folder / str(value)).is_file()}
    done = lienzo.edit(folder / source, words, model=model, **{**asked, **files})
    best = max(range(len(done.images)), key=lambda n: done.met[n].after) if done.met else 0
    lienzo.save(done.images[best], folder / file)
    mask = None if done.mask is None else np.asarray(done.mask) > 0
    before = Image.open(folder / source).convert("RGB")
    name = f"{Path(file).stem}-sheet.png"
    sheet(before, done.images[best].convert("RGB"), mask).save(folder / name)
    change, told = done.changes[best], [f"{done.how}, {time.monotonic() - begun:.1f} s", *done.notes]
    if change.kept_largest is not None:
        told.append(f"kept {change.kept_share:.0%} of the picture: changed by {change.kept_largest} of 255 at most")
    told.append(f"the rest changed by {change.mean:.1f} of 255 on average")
    if done.met:
        met = done.met[best]
        told.append(f"{done.words!r} fits better than {met.rank_before:.0%} of the emoji's captions before, "
                    f"{met.rank_after:.0%} after, by the scorer that ships")  # fmt: skip
    if len(done.images) > 1:
        told.append(f"number {best} of {len(done.images)} tries, {Path(file).stem}-{best}.png of that command: the one "
                    "that the words fit best, by that scorer")  # fmt: skip
    return Step(file, words, command(model, folder, source, file, words, asked), told, name)


def command(model: lienzo.Model, folder: Path, source: str, file: str, words: str, asked: dict[str, Any]) -> str:
    """Return the command that does the same; it writes each of several tries."""
    said = dict(asked.get("said", {}))
    own = {name: said.pop(name) for name in ("style",) if name in said}  # an option of its own
    options = {**asked, **own, "model": model.name, "out": str(folder / file)}
    options.pop("said", None)
    named = {name: folder / str(value) for name, value in options.items()}
    spelt = [str(each) for name, value in options.items()
             for each in (f"--{name}", named[name] if named[name].is_file() else value)]  # fmt: skip
    spelt += [each for name, value in said.items() for each in ("--said", f"{name}={value}")]
    return shlex.join(["lienzo", "edit", str(folder / source), words, *spelt])


def walk(model: lienzo.Model, folder: Path, seed: int, tries: int) -> list[Step]:
    """Go the walk in a folder with `building.png` and `map.png`."""
    with Image.open(folder / "building.png") as image:
        kept = read_class(folder / "map.png", KEEP, image.size).mask
    spot(folder, kept)
    several: dict[str, Any] = {"seed": seed, "count": tries}
    steps = [Step("building.png", "the building, as it is")]
    mapped = {"map": "map.png", **several}
    snowed, with_dog = (f"{words}; keep the {KEEP}" for words in (SNOW, DOG))
    of_house = {"said": {"style": "twemoji"}} if "style" in model.bus.names else {}
    painter = lienzo.load(PAINTERS[model.name]) if model.name in PAINTERS else model
    of_dog: dict[str, Any] = FILLS if {*FILLS["said"]} <= {*painter.bus.names} else {"strength": 0.75}
    redrawn = {} if pairs_of(model.family) else {"strength": 0.9}  # from noise, where it has learnt instructions
    steps.append(edited(model, folder, "building.png", "snow.png", SNOW, **redrawn, **several, **of_house))
    steps.append(edited(model, folder, "building.png", "kept.png", snowed, **mapped, **of_house))
    steps.append(edited(painter, folder, "kept.png", "dog.png", with_dog, change="spot.png", **mapped, **of_dog))
    ends = (np.asarray(Image.open(folder / name).convert("RGB"), np.int16) for name in ("building.png", "dog.png"))
    most = int(np.abs(next(ends) - next(ends))[kept].max())
    count = f"{int(kept.sum()):,}"
    steps[-1].told.append(f"from the first picture to this one the {KEEP}'s {count} pixels changed by {most} of 255")
    return steps


def page(steps: list[Step], model: lienzo.Model, seconds: float) -> str:
    """Return the page that shows the walk."""
    parts = [
        f"<section><h2>{escape(step.title)}</h2><img src='{step.sheet or step.file}' alt='{escape(step.title)}'>"
        + (f"<pre>{escape(step.command)}</pre>" if step.command else "")
        + "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in step.told) + "</ul></section>"
        for step in steps
    ]  # fmt: skip
    style = ("body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem}"
             ":root{color-scheme:light dark}pre{white-space:pre-wrap}"
             "img{max-width:100%;min-width:20rem;image-rendering:pixelated}")  # fmt: skip
    return ("<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
            f"<title>A walk with lienzo</title><style>{style}</style><h1>A walk: snow, the same building, a dog</h1>"
            f"<p>By {escape(model.name)}, in {seconds:.0f} s. What is kept is the original's own, pixel for pixel; the "
            f"figures are measured on the pictures.</p>{''.join(parts)}</html>\n")  # fmt: skip


def main() -> None:
    """Read the command line, go the walk, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="scenes-64", help="a name, a folder, or a pretrained pipeline")
    parser.add_argument("--out", type=Path, default=Path("out/walk"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tries", type=int, default=6)
    parser.add_argument("--picture", type=Path, help="another picture than the drawn building")
    parser.add_argument("--map", type=Path, help=f"its segmentation, beside FILE.json with names: one is {KEEP}")
    said = parser.parse_args()
    if (said.picture is None) != (said.map is None):
        parser.error(f"--picture and --map belong together: the map says where the {KEEP} is")
    begun = time.monotonic()
    said.out.mkdir(parents=True, exist_ok=True)
    if said.picture is None:
        building(said.out)
    else:
        open_canvas(said.picture).seen.save(said.out / "building.png")
        names = said.map.with_name(f"{said.map.name}.json")
        classes, named = said.map.read_bytes(), names.read_bytes() if names.is_file() else b""
        (said.out / "map.png").write_bytes(classes)
        (said.out / "map.png.json").write_bytes(named)  # empty: the PNG names its classes itself
    model = lienzo.load(said.model)
    steps = walk(model, said.out, said.seed, said.tries)
    (said.out / "index.html").write_text(page(steps, model, time.monotonic() - begun), encoding="utf-8")
    for step in steps:
        print(f"{said.out / step.file}: {step.title}")
        for line in step.told:
            print(f"  {line}")
    print(f"{said.out / 'index.html'}, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
