"""Sources of pictures in the terminal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lienzo.api.record import write_png
from lienzo.api.words import read_pairs
from lienzo.cli.preview import SHOWN, Screen
from lienzo.core import ConfigurationError
from lienzo.data import Dataset, map_sheet, open_source, sheet, take


def show_source(
    source: str, split: str, where: Sequence[str], size: int, count: int, seed: int, out: Path, *, preview: bool
) -> None:
    """Open a source, draw a sheet of it, say what is known of it."""
    dataset = open_source(source, size=size, split=split, where=read_pairs(where, "label", "style=noto"))
    chosen = sorted(random.Random(seed).sample(range(len(dataset)), min(count, len(dataset))))
    console = Console(highlight=False)
    console.print(Text.assemble((dataset.name, "bold cyan"), f"  {len(dataset):,} pictures, split {split}"))
    if dataset.licence:
        console.print(Text(f"  licence: {dataset.licence}"))
    for name in dataset.columns:
        console.print(Text(f"  {name}: {known_of(dataset, name)}"))
    for name, column in dataset.asides.items():
        kinds = {"map": "drawn below", "image": "a picture, heard where a recipe names it"}
        told = kinds.get(column.kind, f"for --where: {', '.join(column.classes)}")
        console.print(Text(f"  ({name}: {told})"))
    if preview:
        pictures = [sheet(dataset, [index]).crop((4, 4, 4 + size, 4 + size)) for index in chosen[:SHOWN]]
        Screen(console, live=False).show(pictures)
    drawn = (map_sheet if any(column.kind == "map" for column in dataset.columns.values()) else sheet)(dataset, chosen)
    console.print(Text(f"  {len(chosen)} of them: {write_png(drawn, out)}"))


def take_some(source: str, folder: Path, split: str, where: Sequence[str], size: int, count: int, seed: int) -> None:
    """Write some pictures of a source into a folder, and say how to go on."""
    dataset = open_source(source, size=size, split=split, where=read_pairs(where, "label", "style=noto"))
    chosen = sorted(random.Random(seed).sample(range(len(dataset)), min(count, len(dataset))))
    table, console = take(dataset, chosen, folder), Console(highlight=False)
    console.print(Text(f"{len(chosen)} of {len(dataset):,} pictures, and what is known of them: {table}"))
    if dataset.licence:
        console.print(Text(f"  licence: {dataset.licence}"))
    console.print(Text(f"  look at them: lienzo data show {folder}"))


def known_of(dataset: Dataset, name: str) -> str:
    """Say what a column holds."""
    column = dataset.columns[name]
    if name == "background":
        return f"drawn in training: {', '.join(column.classes)}"
    values = dataset.values(name, range(len(dataset))) if column.kind != "map" else []
    if column.kind == "label":
        counts = Counter(value for value in values if value is not None)
        common = ", ".join(f"{value} {n}" for value, n in counts.most_common(8))
        return f"{len(counts)} classes: {common}{' …' if len(counts) > 8 else ''}"
    if column.kind == "text":
        texts = [text for candidates in values for text in candidates or ()]
        return f"{len(set(texts)):,} different texts, e.g. {texts[0]!r}" if texts else "no texts"
    return f"maps: {column.map_kind}, {column.channels} channels"


def map_folder(
    folder: Path, models: Mapping[str, str | None], size: int, *, edges: bool, lines: bool, again: bool
) -> None:
    """Make maps of a folder's pictures and say where they are.

    Raises:
        ConfigurationError: for no map at all, or a model that is missing.
        DataError: for a folder without pictures, or something that would be overwritten.
    """
    from rich.progress import Progress

    from lienzo.data.mapping import MODELS, Maker, edge_map, line_art, make_maps

    drawn: dict[str, tuple[bool, str, Maker]] = {
        "edges": (edges, "edges", edge_map), "lines": (lines, "difference of Gaussians", line_art),
    }  # fmt: skip
    makers: dict[str, tuple[str, Maker]] = {kind: (about, make) for kind, (said, about, make) in drawn.items() if said}
    makers |= {kind: (model, MODELS[kind](model)) for kind, model in models.items() if model is not None}
    if not makers:
        raise ConfigurationError("no map to make", hint="--edges, --lines, --depth, --segmentation or --pose MODEL")
    console = Console(highlight=False)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"maps of {folder}")
        made = make_maps(
            folder, makers, size=size, again=again, tell=lambda done, of: bar.update(task, completed=done, total=of)
        )
    for key, reason in made.unread.items():
        console.print(Text(f"  not read: {key}: {reason}"))
    console.print(Text(f"{made.table}: {made.pictures:,} pictures with {', '.join(makers)}"))
    console.print(Text(f"  look at them: lienzo data show {folder}"))


def build_sets(sets: Sequence[str], out: Path | None, cache: Path | None) -> None:
    """Build embedded sets.

    Raises:
        ConfigurationError: for a set that does not exist.
    """
    from lienzo.data.build.__main__ import ASSETS, CACHE
    from lienzo.data.build.emoji import build_emoji
    from lienzo.data.build.openmoji import build_openmoji_maps

    unknown = [name for name in sets if name not in ("emoji", "openmoji-maps")]
    if unknown:
        raise ConfigurationError(f"no set {unknown[0]!r} to build", hint="emoji, openmoji-maps")
    for name in sets:
        folder, packages = (out or ASSETS) / name, cache or CACHE
        built = (
            build_emoji(folder, cache=packages) if name == "emoji" else [build_openmoji_maps(folder, cache=packages)]
        )
        for path in built:
            Console(highlight=False).print(Text(f"{path}: {path.stat().st_size:,} bytes"))
