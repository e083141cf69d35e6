"""What sets there are, and how one looks."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lienzo.data.compressed import ASSETS
from lienzo.data.dataset import Dataset
from lienzo.data.fashion import VARIABLE, found_at
from lienzo.data.poses import figures
from lienzo.data.scenes import COUNT as SCENES
from lienzo.data.scenes import UNSEEN

LICENCES = "Apache-2.0 AND CC-BY-4.0 AND MIT"  # of the emoji, and of all that is made of them
GAP, LINE = 4, 12  # pixels between pictures, and of a line of text
CHECKS = (8, 255, 224)  # side of the checkerboard under transparent pictures, and its two greys


@dataclass(frozen=True)
class SourceInfo:
    """One kind of source.

    Attributes:
        name: what `open_source` takes.
        what: it holds.
        count: pictures; 0 if that depends on the user's files.
        licence: of the pictures; "" if that depends.
        available: whether it can be opened on this machine.
        why_not: what is missing otherwise.
    """

    name: str
    what: str
    count: int
    licence: str
    available: bool
    why_not: str = ""


def sources() -> list[SourceInfo]:
    """List the built-in sets and the kinds of sources, with what this machine lacks; opens none of them."""
    emoji, openmoji = _rows("emoji"), _rows("openmoji-maps")
    hub = importlib.util.find_spec("datasets") is not None
    fashion = "" if found_at() or hub else f"apt-get install dataset-fashion-mnist, or {VARIABLE}=FOLDER"
    extra = "" if hub else "pip install 'lienzo[hub]'"
    reinstall = "its shards are missing: reinstall lienzo"
    return [
        _info("emoji", "emoji in five styles, captions in English and Spanish, labels; transparent", emoji,
              LICENCES, "" if emoji else reinstall),
        _info("openmoji-maps", "emoji with line art, silhouette, segmentation and painter's order", openmoji,
              "CC-BY-SA-4.0", "" if openmoji else reinstall),
        _info("emoji-poses", "full-body emoji with their skeletons, found by BlazePose", figures(), "MIT",
              "" if emoji and figures() else reinstall),
        _info("fashion-mnist", "articles of clothing, 28 × 28, grey, 10 classes", 70_000, "MIT", fashion),
        _info("scenes", "emoji and figures in landscapes and weathers, captions in English and Spanish, segmentation, "
              "depth, line art, pose; scenes:N for N of them", SCENES if emoji else 0, LICENCES,
              "" if emoji else reinstall),
        _info("edits", "pairs of scenes that differ in one thing, what asks for it in English and Spanish, where they "
              "may differ, the maps; edits:N", SCENES if emoji else 0, LICENCES, "" if emoji else reinstall),
        _info("combinations", "scenes whose thing no training scene shows in that weather and style (splits "
              "validation, test); combinations:N", 2 * UNSEEN if emoji else 0, LICENCES, "" if emoji else reinstall),
        _info("A + B, A*3 + B", "several sources as one; *N repeats one, as in emoji*3 + scenes", 0, "", ""),
        _info("FOLDER", "pictures: subfolders are labels, or metadata.csv, .jsonl, .parquet, .txt beside", 0, "", ""),
        _info("FILE.parquet", "a table with pictures' bytes", 0, "", ""),
        _info("NAME-{000..010}.tar", "WebDataset tars; those that are larger than 16 GiB, or with data.stream=true, "
              "training streams", 0, "", ""),
        _info("hub:OWNER/NAME", "a set of the Hugging Face hub", 0, "", extra),
    ]  # fmt: skip


def sheet(dataset: Dataset, indices: Sequence[int] | NDArray[np.int64], *, columns: int = 0) -> Image.Image:
    """Draw pictures side by side, each over its first text or label; transparency shows as a checkerboard.

    Args:
        dataset: where they are from.
        indices: which.
        columns: pictures a line; by default as many as make the sheet about square.
    """
    height, width, _ = dataset.shape
    columns = columns or max(1, math.ceil(math.sqrt(len(indices))))
    lines = math.ceil(len(indices) / columns)
    paper = Image.new("RGB", (columns * (width + GAP) + GAP, lines * (height + LINE + GAP) + GAP), "white")
    draw = ImageDraw.Draw(paper)
    captions = captions_of(dataset, indices)
    for number, pixels in enumerate(dataset.pictures(indices)):
        left, top = GAP + number % columns * (width + GAP), GAP + number // columns * (height + LINE + GAP)
        paper.paste(shown(pixels), (left, top))
        draw.text((left, top + height), cut(captions[number], width, draw), "black")
    return paper


def _info(name: str, what: str, count: int, licence: str, why_not: str) -> SourceInfo:
    return SourceInfo(name, what, count, licence, not why_not, why_not)


def _rows(folder: str) -> int:
    files = sorted((ASSETS / folder).glob("*.parquet"))
    if not files:
        return 0
    import pyarrow.parquet as pq

    return sum(int(pq.ParquetFile(file).metadata.num_rows) for file in files)


def captions_of(dataset: Dataset, indices: Sequence[int] | NDArray[np.int64]) -> list[str]:
    """Say what each picture is called: its first text, its label, or its number."""
    kinds = {column.kind: name for name, column in reversed(list(dataset.columns.items())) if name != "background"}
    name = kinds.get("text") or kinds.get("label")
    if name is None:
        return [str(int(i)) for i in indices]
    return [(v[0] if isinstance(v, list) else v) or "" for v in dataset.values(name, indices)]


def cut(text: str, width: int, draw: ImageDraw.ImageDraw) -> str:
    """Shorten a text until it fits a width in pixels."""
    while text and draw.textlength(text) > width:
        text = text[:-1]
    return text


def shown(pixels: NDArray[np.uint8]) -> Image.Image:
    """Turn pixels into what a person sees; transparency shows as a checkerboard."""
    if pixels.shape[2] == 1:
        return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0]))
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.mode != "RGBA":
        return image
    side, light, dark = CHECKS
    y, x = np.indices(pixels.shape[:2]) // side
    board = Image.fromarray(np.where((x + y) % 2, dark, light).astype(np.uint8)).convert("RGBA")
    return Image.alpha_composite(board, image).convert("RGB")
