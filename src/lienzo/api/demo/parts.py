"""What a page of pictures is made of."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from lienzo.api.find import DEFAULT

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A picture on the page.

    Attributes:
        image: the picture.
        file: where it lies, relative to the page; "" for a step on the way.
        says: what it shows, in words, for those who cannot see it.
        command: makes it again.
    """

    image: Image.Image = field(repr=False)
    file: str
    says: str
    command: str


@dataclass(frozen=True)
class Section:
    """Pictures that belong together.

    Attributes:
        name: of its file, `NAME.png`.
        title, about: in words.
        rows, columns: the names of both; pictures lie row after row.
        shown: the pictures.
        seed: of all.
        seconds: that they took together.
    """

    name: str
    title: str
    about: str
    rows: Sequence[str]
    columns: Sequence[str]
    shown: Sequence[Shown]
    seed: int
    seconds: float


def command(model: str, row: Row, seed: int, options: Mapping[str, Any], usual: Row, of: int = 1) -> str:
    """Return the command that draws one row of conditions as the first picture of a seed.

    >>> command("emoji-64", {"text": "a beagle", "style": "noto"}, 7, {}, {})
    "lienzo generate 'a beagle' --style noto --seed 7 --count 1"
    """
    words = ["lienzo", "generate", *([str(row["text"])] if "text" in row else [])]
    for name, value in row.items():
        if name == "text" or usual.get(name) == value:
            continue
        words += [f"--{name}", str(value)] if name in ("style", "group") else ["--label", f"{name}={value}"]
    words += ["--seed", str(seed), "--count", "1"]
    words += [part for name in ("steps", "solver") if name in options for part in (f"--{name}", str(options[name]))]
    words += ["--best-of", str(of)] if of > 1 else []
    words += [] if model == DEFAULT else ["--model", model]
    return shlex.join(words)


def says(row: Row, model: str) -> str:
    """Say what a picture is meant to show.

    >>> says({"text": "a beagle", "style": "noto", "background": "white"}, "emoji-64")
    'a beagle; style noto; background white; drawn by emoji-64'
    """
    parts = [str(value) if name == "text" else f"{name} {value}" for name, value in row.items()]
    return "; ".join([*parts, f"drawn by {model}"])


def file_name(row: Row, number: int) -> str:
    """Return a picture's file name: its number and what it shows."""
    words = "-".join(str(value) for name, value in row.items() if name != "background")
    plain = "".join(c if c.isalnum() else "-" for c in words.lower())
    return f"{number:02d}-{'-'.join(part for part in plain.split('-') if part)[:60]}.png"


def pictures_in(folder: str, row: Row, number: int) -> Path:
    """Return a picture's path, relative to the page."""
    return Path("pictures") / folder / file_name(row, number)
