"""How a run shows itself: the sheet of samples while it goes on, and what the card says of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lienzo.conditions import Bus
from lienzo.core import ConfigurationError
from lienzo.data import Dataset, Loader, Sampled
from lienzo.training.card import About, amount
from lienzo.training.grid import SampleGrid
from lienzo.training.recipes.parts import Recipe

SHOWN = 12  # classes that a card lists
FEW = 20  # pictures
CELL = 4  # of what every network can halve or cover, a side is a multiple


def sheet(recipe: Recipe, dataset: Dataset, bus: Bus, tell: Callable[[str], None]) -> SampleGrid:
    """Return who draws samples: prompts down, values across; without either, what the first pictures say.

    Args:
        recipe: whose samples they are.
        dataset: that is learnt.
        bus: what the model hears.
        tell: hears when the last ones are drawn.

    Raises:
        ConfigurationError: if the recipe's samples say what the model does not hear.
    """
    samples, usual = recipe.samples, recipe.generate.conditions
    lines = [{"text": prompt} for prompt in samples.prompts] or [dict[str, str]()]
    rows = lines
    for name, values in samples.across.items():
        rows = [{**row, name: value} for row in rows for value in values]
    options = {**recipe.generate.options, **samples.options}
    if not samples.prompts and not samples.across:
        data = recipe.data
        loader = Loader(dataset, bus, batch_size=samples.count, background=data.background, flip=data.flip)
        return SampleGrid(loader.batch_at(0).conditions, seed=samples.seed, tell=tell, **options)
    unknown = sorted({name for row in rows for name in row} - set(bus.names))
    if unknown:
        hint = ", ".join(bus.names) or "it hears nothing: leave [samples] out"
        raise ConfigurationError(f"[samples] speaks of {unknown[0]!r}, which the model does not hear", hint=hint)
    said = {name: [{**usual, **row}.get(name) for row in rows] for name in bus.names}
    columns = len(rows) // len(lines)
    return SampleGrid(bus.parse(said, len(rows)), seed=samples.seed, columns=columns, tell=tell, **options)


def about(recipe: Recipe, data: Dataset, bus: Bus, name: str = "") -> About:
    """Return what the model card says of a recipe's model, or of a part of it by another name."""
    return About(
        name=name or recipe.name, summary=recipe.summary, data=known(data), data_licence=data.licence or "not recorded",
        data_fingerprint=data.fingerprint or "not recorded", licence=recipe.licence,
        pictures=None if isinstance(data, Sampled) else len(data),
        conditions={n: said_in(bus[n]) for n in bus.names}, limits=tuple(recipe.limits),
    )  # fmt: skip


def known(data: Dataset) -> str:
    """Say what a model learns from."""
    return f"{data.name}, streamed: {data.told}" if isinstance(data, Sampled) else data.name


def opened(data: Dataset) -> str:
    """Say what was opened."""
    count, side, said = len(data), data.shape[0], ", ".join(data.columns) or "no captions or labels"
    if not isinstance(data, Sampled):
        few = (
            "\nso few pictures are learnt by heart: `lienzo adapt MODEL FOLDER --concept` teaches one that knows more; "
            "some are held out to measure with, --set data.split=all learns every one"
        )
        return f"{data.name}: {amount(count, 'picture')} of {side} × {side}; {said}" + (few if count < FEW else "")
    return (f"{known(data)}; a sample of {count:,} that are decoded beforehand, {side} × {side}, tells what there is, "
            f"and what is held out: {said}")  # fmt: skip


def enlarged(data: Dataset) -> str:
    """Say that pictures are enlarged, and how to leave them as they are; nothing where they are not."""
    native, side, square = data.native, data.shape[0], "{0} × {0}".format
    if not 0 < native < side:
        return ""
    own = max(native - native % CELL, CELL)
    return f"most of them are no larger than {square(native)}, and enlarged to {square(side)}: not with --size {own}"


def said_in(condition: Any) -> str:
    """Say in which words a condition is told."""
    classes = getattr(condition, "classes", None)
    if classes:
        more = f" … ({len(classes)} in all)" if len(classes) > SHOWN else ""
        return f"one of {', '.join(classes[:SHOWN])}{more}"
    kind = getattr(condition, "map_kind", None)
    plain = type(condition).__name__.removesuffix("Condition").lower()
    return f"a map: {kind}" if kind else {"text": "free text", "image": "a picture"}.get(plain, plain)
