"""The openmoji-maps set: OpenMoji's pictures with the maps that their layers give, in one CC BY-SA shard."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lienzo.data.build import layers, render, shard
from lienzo.data.build.captions import Caption, captions, normalise
from lienzo.data.build.packages import Package, fetch, members, packages

SCHEMA = {
    "codepoints": "string",
    "base": "string",
    "caption_en": "string",
    "caption_es": "string",
    "tags_en": "list<string>",
    "tags_es": "list<string>",
    "group": "string",
    "subgroup": "string",
    "gender": "string",
    "split": "string",
    "image": "binary",
    "line_art": "binary",
    "silhouette": "binary",
    "segmentation": "binary",
    "order": "binary",
}


def build_openmoji_maps(out: Path, *, cache: Path) -> Path:
    """Build the shard of pictures with their maps, and its manifest.

    Args:
        out: the folder that receives `cc-by-sa-4.0.parquet` and `manifest.json`.
        cache: the folder of the npm tarballs; what is not there is fetched.

    Returns:
        The path of the shard.

    Raises:
        PackageError: if a package cannot be fetched or is not the pinned one.
    """
    used = {name: packages()[name] for name in ("emojibase", "openmoji")}
    sources = {name: fetch(package, cache) for name, package in used.items()}
    rows = list(_rows(sources["openmoji"], captions(sources["emojibase"])))
    path = shard.write_shard(out / f"{used['openmoji'].licence.lower()}.parquet", rows, SCHEMA)
    _write_manifest(path, rows, used)
    return path


def draw(colour: str, black: str) -> dict[str, bytes] | None:
    """The five pictures of one drawing, encoded, from its colour and its black SVG; None if nothing is to be seen.

    `image` RGBA; `line_art` grey, 255 where all is ink; `silhouette` 1 bit, alpha > 127; `segmentation` grey, an index
    into `layers.CLASSES`; `order` grey, the rank in the painter's order. The last two are 0 where the silhouette is.
    """
    image = render.svg(colour)
    if render.is_blank(image):
        return None
    silhouette = image[..., 3] > 127
    segmentation, order = layers.maps(colour, silhouette)
    return {
        "image": render.webp(image),
        "line_art": render.png(render.ink(render.svg(black))),
        "silhouette": render.png(silhouette.astype(np.uint8), bits=1),
        "segmentation": render.png(segmentation.astype(np.uint8)),
        "order": render.png(order.astype(np.uint8) if order.max() < 256 else order.astype(np.uint16)),
    }


def _rows(tarball: Path, known: Mapping[str, Caption]) -> Iterator[dict[str, Any]]:
    """The rows of all emoji with the default skin tone, in the order of their codepoints."""
    black = dict(members(tarball, r"black/svg/(.+)\.svg"))
    drawings = {normalise(name): (content, black[name]) for name, content in members(tarball, r"color/svg/(.+)\.svg")}
    for code, (colour, line) in sorted(drawings.items()):
        caption = known.get(code)
        if caption is None or caption.skin_tone:
            continue
        pictures = draw(colour.decode(), line.decode())
        if pictures is not None:
            yield {**asdict(caption), "split": caption.split, **pictures}


def _write_manifest(path: Path, rows: list[dict[str, Any]], used: Mapping[str, Package]) -> None:
    content = {
        "set": "openmoji-maps",
        "rows": len(rows),
        "bytes": path.stat().st_size,
        "skin_tones": "left out, as are flags and symbols",
        "classes": list(layers.CLASSES),
        "groups": shard.cross(rows, "group", "split"),
        "shards": {path.name: shard.describe(path, rows, ("split",))},
        "packages": {name: asdict(package) for name, package in sorted(used.items())},
        "tools": shard.tools(),
    }
    shard.write_manifest(path.with_name("manifest.json"), content)
