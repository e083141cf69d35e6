"""Train a model of one's own pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lienzo.api.find import folder_of
from lienzo.api.model import Model, load
from lienzo.training.budget import seconds_of
from lienzo.core import ConfigurationError
from lienzo.training.recipes import Recipe, carry_out, read_recipe
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.stages import RECIPE

SCRATCH = "scratch"


def train(
    source: str | Path | None = None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, start: str | None = None, resume: bool = True, **overrides: Any,
) -> Model:  # fmt: skip
    """Train a model on a source of pictures.

    Args:
        source: "emoji", a folder of pictures, a table, tars, or "hub:NAME"; None: as the recipe says.
        out: the run's folder; a run that it holds is gone on with.
        recipe: a TOML file, or plain values; None: a recipe is chosen that fits the pictures, the machine and the time.
        budget: how long it may take: "30m", "1h30m", or seconds.
        start: a model whose weights to begin with, "scratch" for none; None: what fits.
        resume: go on with what `out` holds; False demands that it holds no run.
        overrides: tables of the recipe, e.g. `training={"batch_size": 32}`.

    Returns:
        the model, ready to generate.

    Raises:
        LienzoError: for a source, a recipe or a value that does not do, naming it.
    """
    checked = planned(source, out=out, recipe=recipe, budget=budget, start=start, overrides=overrides)
    again = f"lienzo.train(out={str(out)!r})"
    carry_out(checked, out, resume=resume, again=again, find=folder_of)
    return load(str(out))


def planned(
    source: str | Path | None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, start: str | None = None, overrides: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Recipe:  # fmt: skip
    """Return the recipe that these words mean, checked.

    Args:
        source: as in `train`, like `out`, `recipe`, `budget` and `start`.
        out: the run's folder.
        recipe: a file, or plain values.
        budget: how long it may take.
        start: a model to begin with.
        overrides: tables of a recipe.
        tell: hears what was chosen, and why.

    Raises:
        ConfigurationError: if it is not said how long to train, or a value does not fit.
    """
    stored = Path(out) / RECIPE
    said: dict[str, Any] = {"data": {"source": str(source)}} if source is not None else {}
    if budget is not None:
        said = merged(said, {"training": {"budget_seconds": seconds_of(str(budget)), "images": None}})
    said = merged(said, overrides or {})
    if recipe is not None:
        values = merged(recipe, {}) if isinstance(recipe, Mapping) else read_recipe(recipe)
    elif stored.is_file():
        values = _same_source(read_recipe(stored), source, Path(out))
        start = None  # whatever it was, the weights are under way
    elif source is None:
        raise ConfigurationError(f"{out} holds no run to go on with, and no source is named",
                                 hint="lienzo train ./photos --budget 30m")  # fmt: skip
    else:
        values = {}
    if start is not None:
        said = merged(said, {"start": None if start == SCRATCH else start})
    return Recipe.checked(merged(values, said))


def default_out(source: str | None, recipe: Path | None) -> Path:
    """Return the folder of a run that was given none: runs/ and the source's name, or the recipe's."""
    if source is None and recipe is None:
        raise ConfigurationError("what shall it learn?", hint="lienzo train ./photos --budget 30m")
    name = recipe.stem if recipe is not None else Path(str(source).rstrip("/")).name.partition(".")[0]
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model")


def _same_source(values: dict[str, Any], source: str | Path | None, out: Path) -> dict[str, Any]:
    """Return a stored recipe, if it learns what is asked for.

    Raises:
        ConfigurationError: if it learns something else.
    """
    before = values.get("data", {}).get("source")
    if source is not None and str(source) != str(before):
        raise ConfigurationError(f"{out} holds a run that learns {before}, not {source}", hint="another --out")
    return values
