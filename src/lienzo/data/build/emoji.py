"""The emoji set: five styles of one vocabulary, 64 px, one Parquet shard a licence."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lienzo.data.build import iconify, render, shard
from lienzo.data.build.captions import Caption, captions, normalise
from lienzo.data.build.packages import Package, fetch, members, packages, read

BUDGET = 13_500_000  # bytes of all shards together: as many skin tones are added as fit
TONED_STYLE = "twemoji"  # its pictures are small, and it draws every skin tone
TONES = ("light", "dark", "medium", "medium-light", "medium-dark")  # in the order in which they are added
ROW_BYTES = 48  # of a further row of a known emoji, beside its picture
SCHEMA = {
    "image": "binary",
    "caption_en": "string",
    "caption_es": "string",
    "tags_en": "list<string>",
    "tags_es": "list<string>",
    "style": "string",
    "group": "string",
    "subgroup": "string",
    "gender": "string",
    "skin_tone": "string",
    "codepoints": "string",
    "base": "string",
    "split": "string",
}

Sources = Mapping[str, Path]  # short package name → tarball
Captions = Mapping[str, Caption]
Drawings = Iterator[tuple[str, Callable[[], render.Pixels]]]  # normalised codepoints, how to draw it


@dataclass(frozen=True)
class Style:
    """One artist's hand: what it is called, the package that it comes from, and how its pictures are found there."""

    name: str
    package: str
    drawings: Callable[[Sources, Captions], Drawings]


def _svg(source: str) -> Callable[[], render.Pixels]:
    return lambda: render.svg(source)


def _noto(sources: Sources, _: Captions) -> Drawings:
    return ((code, _svg(text)) for code, text in iconify.by_codepoint(sources["noto"]))


def _noto_blob(sources: Sources, known: Captions) -> Drawings:
    labels = {code: caption.caption_en for code, caption in known.items()}
    return ((code, _svg(text)) for code, text in iconify.by_label(sources["noto-v1"], labels))


def _twemoji(sources: Sources, _: Captions) -> Drawings:
    files = members(sources["twemoji"], r"dist/svg/(.+)\.svg")
    return ((normalise(name), _svg(content.decode())) for name, content in files)


def _fluent_flat(sources: Sources, _: Captions) -> Drawings:
    return ((code, _svg(text)) for code, text in iconify.by_codepoint(sources["fluent-flat"]))


def _fluent_3d(sources: Sources, _: Captions) -> Drawings:
    """Only what Microsoft's own MIT release has too: the package also holds pictures of other origins."""
    released = {normalise(code) for code in json.loads(read(sources["fluent-flat"], "chars.json"))}
    for name, content in members(sources["fluent-3d"], r"assets/(.+)\.webp"):
        if normalise(name) in released:
            yield normalise(name), lambda content=content: render.picture(content)


STYLES = (
    Style("noto", "noto", _noto),
    Style("noto-blob", "noto-v1", _noto_blob),
    Style("twemoji", "twemoji", _twemoji),
    Style("fluent-flat", "fluent-flat", _fluent_flat),
    Style("fluent-3d", "fluent-3d", _fluent_3d),
)


def build_emoji(out: Path, *, cache: Path) -> list[Path]:
    """Build the emoji shards and their manifest.

    Args:
        out: the folder that receives `<licence>.parquet` and `manifest.json`.
        cache: the folder of the npm tarballs; what is not there is fetched.

    Returns:
        The paths of the shards, in the order of their names.

    Raises:
        PackageError: if a package cannot be fetched or is not the pinned one.
    """
    table = packages()
    names = ["emojibase", *(style.package for style in STYLES)]
    sources = {name: fetch(table[name], cache) for name in names}
    known = captions(sources["emojibase"])
    rows = {style.name: list(_rows(style, sources, known, "")) for style in STYLES}
    _, size = _write(out, rows, table)
    tones = _add_tones(rows[TONED_STYLE], sources, known, BUDGET - size)
    shards, _ = _write(out, rows, table)
    _write_manifest(out, shards, {name: table[name] for name in names}, {TONED_STYLE: tones} if tones else {})
    return [out / name for name in sorted(shards)]


def _add_tones(rows: list[dict[str, Any]], sources: Sources, known: Captions, room: int) -> list[str]:
    """Add one skin tone after another to the toned style's rows until the next would not fit; return those added."""
    added: list[str] = []
    for tone in TONES:
        toned = list(_rows(style_named(TONED_STYLE), sources, known, tone))
        room -= sum(len(row["image"]) + ROW_BYTES for row in toned)
        if room < 0:
            break
        rows += toned
        added.append(tone)
    return added


def style_named(name: str) -> Style:
    """The style of that name."""
    return next(style for style in STYLES if style.name == name)


def _rows(style: Style, sources: Sources, known: Captions, skin_tone: str) -> Iterator[dict[str, Any]]:
    """The rows of one style and one skin tone ('' for the default) that show something."""
    seen: set[str] = set()
    for code, draw in style.drawings(sources, known):
        caption = known.get(code)
        if caption is None or code in seen or caption.skin_tone != skin_tone:
            continue
        seen.add(code)
        pixels = draw()
        if not render.is_blank(pixels):
            yield {**asdict(caption), "split": caption.split, "style": style.name, "image": render.webp(pixels)}


def _write(
    out: Path, rows: Mapping[str, list[dict[str, Any]]], table: Mapping[str, Package]
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Write one shard a licence; return the rows of each file, and the bytes of all together."""
    shards: dict[str, list[dict[str, Any]]] = {}
    for style in STYLES:
        ordered = sorted(rows[style.name], key=lambda row: (row["skin_tone"], row["codepoints"]))
        shards.setdefault(f"{table[style.package].licence.lower()}.parquet", []).extend(ordered)
    paths = [shard.write_shard(out / name, part, SCHEMA) for name, part in shards.items()]
    return shards, sum(path.stat().st_size for path in paths)


def _write_manifest(
    out: Path, shards: Mapping[str, list[dict[str, Any]]], used: Mapping[str, Package], tones: Mapping[str, list[str]]
) -> None:
    """Say what is in the shards: hashes, rows by style, group and split, packages, and the tools' versions."""
    every = [row for _, part in sorted(shards.items()) for row in part]
    by = ("style", "split", "skin_tone")
    parts = {name: shard.describe(out / name, part, by) for name, part in sorted(shards.items())}
    content = {
        "set": "emoji",
        "rows": len(every),
        "bytes": sum(part["bytes"] for part in parts.values()),
        "budget": BUDGET,
        "skin_tones": tones,
        "styles": shard.cross(every, "style", "split"),
        "groups": shard.cross(every, "group", "split"),
        "shards": parts,
        "packages": {name: asdict(package) for name, package in sorted(used.items())},
        "tools": shard.tools(),
    }
    shard.write_manifest(out / "manifest.json", content)
