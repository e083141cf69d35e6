"""What an adapter has learnt, and what it has cost: pictures side by side, figures, and a section of the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.api.adapt.concept import Concept, on_white
from lienzo.api.files import write_text
from lienzo.api.find import card_of
from lienzo.api.model import Model
from lienzo.api.record import write_png
from lienzo.api.sheets import grid
from lienzo.core import DataError
from lienzo.data import Dataset
from lienzo.evaluation.finders import judge_of
from lienzo.evaluation.scorer import english_captions, load_scorer
from lienzo.training.adapters import Adapter
from lienzo.training.card import with_measured
from lienzo.training.checkpoint import CARD
from lienzo.training.recipes import Recipe, open_data

Tell = Callable[[str], None]
Images = Sequence[Image.Image]
JUDGED, SHOWN, DRAWN = 24, 8, 8
SHEET = "sheet.png"
SEEN_BY_SCORER = (3, 64, 64)


@dataclass(frozen=True)
class Drawn:
    """Pictures of the same rows, and how well each kind obeys the maps.

    Attributes:
        maps: what was asked for, (H, W, K) uint8 or None each.
        over: drawn over them.
        without: by the base without, from the same noise.
        real: the pictures that the maps are of.
        figure: what is measured, e.g. "edge-F"; "" where nothing here finds such a map.
        scores: of the three kinds; empty without a figure.
    """

    maps: Sequence[Any]
    over: Images
    without: Images
    real: Images
    figure: str
    scores: tuple[float, ...]


def looked_at_map(base: Model, now: Model, adapter: Adapter, recipe: Recipe, out: Path, tell: Tell) -> list[str]:
    """Draw over held-out maps, with and without; write `sheet.png` and the card; return what was found.

    Args:
        base: the model as it was.
        now: with the adapter.
        adapter: what it was given.
        recipe: whose source has the maps.
        out: the run's folder.
        tell: hears what is done.
    """
    data, where = held_out(recipe)
    tell(f"drawing over {min(JUDGED, len(data))} {where} maps …")
    found = drawn_over(base, now, adapter.name, data, JUDGED)
    names = ["map", "drawn over it", "without it", "real"]
    seen = [_seen(value, adapter.channels, found.real[0]) for value in found.maps]
    _sheet([each[:SHOWN] for each in (seen, found.over, found.without, found.real)], names, out)
    if not found.figure:
        return _on_card([], now, out)
    over, without, real = found.scores
    line = (f"{found.figure} of {adapter.name}, asked for and found, {len(seen)} {where} pictures: {over:.3f}; without "
            f"the map {without:.3f}; real pictures {real:.3f}")  # fmt: skip
    return _on_card([line], now, out)


def drawn_over(base: Model, now: Model, name: str, data: Dataset, count: int) -> Drawn:
    """Draw pictures over their maps, under their words if both models hear text, and hold them against the maps.

    Args:
        base: draws without.
        now: hears the map.
        name: of the map.
        data: has it.
        count: of pictures, evenly spread over the set.
    """
    rows = np.unique(np.linspace(0, len(data) - 1, count).astype(np.int64))
    maps, column = data.values(name, rows), data.columns[name]
    worded = "text" in data.columns and "text" in now.bus.names
    texts = data.values("text", rows) if worded else [None] * len(rows)
    usual = {n: v for n, v in now.defaults.get("conditions", {}).items() if n in now.bus.names}
    said = [{**usual, **({"text": text[0]} if text else {})} for text in texts]
    asked = [{**row, name: value} for row, value in zip(said, maps, strict=True)]
    over = now.draw(asked, seed=0, indices=range(len(rows)))
    kinds = (over, base.draw(said, seed=0, indices=range(len(rows))), on_white(data, rows))
    judge = judge_of(column.map_kind or "picture", None, column.classes)
    if judge is None or judge.finder is None:
        return Drawn(maps, *kinds, "", ())
    return Drawn(maps, *kinds, judge.figure, tuple(float(judge(_pixels(each), maps).nanmean()) for each in kinds))


def looked_at_concept(base: Model, now: Model, concept: Concept, out: Path, tell: Tell) -> list[str]:
    """Draw the concept, and captions that have nothing to do with it, before and after; return what was found.

    What was forgotten is the mean absolute difference of drawings from the same noise, beside that of the base's own
    drawings from other noise, which is as far as two pictures of one caption lie apart anyway.
    """
    tell("drawing before and after …")
    usual = base.defaults.get("conditions", {})
    wanted = [{**usual, "text": concept.words}] * DRAWN
    told = [{**usual, "text": caption} for caption in concept.others]
    was, becomes = (model.draw(wanted, seed=1, indices=range(DRAWN)) for model in (base, now))
    lines = _likeness(base, concept, was, becomes)
    rows, names = [concept.mine[:SHOWN], was, becomes], ["yours", f"{concept.words}: before", "after"]
    if told:
        before, after = (model.draw(told, seed=1, indices=range(len(told))) for model in (base, now))
        apart = distance(before, base.draw(told, seed=2, indices=range(len(told))))
        lines += forgotten(concept.others, before, after, apart, scored=tuple(base.family.shape) == SEEN_BY_SCORER)
        rows, names = [*rows, before[:SHOWN], after[:SHOWN]], [*names, "other words: before", "after"]
    else:
        lines.append("what was forgotten is not known: no caption of the base's own pictures could be read")
    _sheet(rows, names, out)
    return _on_card(lines, now, out)


def forgotten(captions: Sequence[str], before: Images, after: Images, apart: float, *, scored: bool) -> list[str]:
    """Say how far drawings of other captions have moved, and whether they still show what was asked for.

    Args:
        captions: one a picture.
        before: drawn by the base.
        after: drawn from the same noise with the adapter.
        apart: how far the base's own drawings of one caption lie apart.
        scored: whether the scorer of emoji knows such pictures.
    """
    moved = distance(before, after)
    share = moved / apart if apart else 0.0
    word = "next to nothing" if share < 0.1 else "little" if share < 0.35 else "some" if share < 0.7 else "much"
    lines = [f"forgotten: {word}. Drawings of {len(captions)} other captions moved by {moved:.1%} of the range; two "
             f"drawings of one caption by the base lie {apart:.1%} apart"]  # fmt: skip
    known = [number for number, caption in enumerate(captions) if caption in english_captions()] if scored else []
    if known:
        asked = [captions[number] for number in known]
        hits = [sum(load_scorer().retrieves([each[n] for n in known], asked)) for each in (before, after)]
        lines.append(f"the scorer finds {hits[0]} of {len(known)} of these captions among its first five before, "
                     f"{hits[1]} after")  # fmt: skip
    return lines


def distance(a: Images, b: Images) -> float:
    """Return the mean absolute difference of pictures, as a share of the range of a pixel."""
    return float(np.abs(_pixels(a).astype(np.float64) - _pixels(b)).mean() / 255)


def _likeness(base: Model, concept: Concept, was: Images, becomes: Images) -> list[str]:
    if tuple(base.family.shape) != SEEN_BY_SCORER:
        return []
    scorer = load_scorer()
    mine = scorer.see(concept.mine)
    before, after = (float((scorer.see(each) @ mine.T).amax(1).mean()) for each in (was, becomes))
    return [f"likeness of {concept.words!r} to your pictures, by the scorer (1: the same): {before:.2f} before, "
            f"{after:.2f} after"]  # fmt: skip


def held_out(recipe: Recipe) -> tuple[Dataset, str]:
    """Return pictures that were not learnt, or else those that were, and which of both they are."""
    try:
        data = open_data(recipe.data, "validation")
    except DataError:
        return open_data(recipe.data), "training"
    return (data, "held-out") if len(data) else (open_data(recipe.data), "training")


def _sheet(rows: Sequence[Images], names: Sequence[str], out: Path) -> None:
    """Write rows of pictures one below the other; a short row is filled up with white."""
    columns = max(len(row) for row in rows)
    blank = Image.new("RGB", rows[0][0].size, "white")
    cells = [picture for row in rows for picture in (*row, *[blank] * (columns - len(row)))]
    write_png(grid(cells, columns, rows_named=names), out / SHEET)


def _on_card(lines: list[str], now: Model, out: Path) -> list[str]:
    if lines:
        write_text(now.folder / CARD, with_measured(card_of(now.folder), [f"- {line}" for line in lines]))
    return [*lines, f"look: {out / SHEET}"]


def _seen(value: NDArray[np.uint8] | None, channels: int, like: Image.Image) -> Image.Image:
    """Return a map as a person sees it; classes as greys."""
    if value is None:
        return Image.new("RGB", like.size, "white")
    plane = value[..., 0] if value.shape[2] == 1 else value
    plane = plane * (255 // max(channels - 1, 1)) if value.shape[2] == 1 < channels else plane
    return Image.fromarray(np.ascontiguousarray(plane)).convert("RGB").resize(like.size, Image.Resampling.NEAREST)


def _pixels(pictures: Images) -> NDArray[np.uint8]:
    stacked = np.stack([np.asarray(picture) for picture in pictures])
    return stacked if stacked.ndim == 4 else stacked[..., None]
