"""Train a model of one's own pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lienzo.api.find import folder_of
from lienzo.api.model import Model, load
from lienzo.api.words import read_duration
from lienzo.core import ConfigurationError
from lienzo.training.recipes import Listeners, Recipe, carry_out, read_recipe
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.stages import RECIPE


def train(
    source: str | Path | None = None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, resume: bool = True, **overrides: Any,
) -> Model:  # fmt: skip
    """Train a model on a source of pictures.

    Args:
        source: "emoji", a folder of pictures, a table, tars, or "hub:NAME"; None: as the recipe says.
        out: the run's folder; a run that it holds is gone on with.
        recipe: a TOML file, or plain values; None: a recipe is chosen that fits the pictures, the machine and the time.
        budget: how long it may take: "30m", "1h30m", or seconds.
        resume: go on with what `out` holds; False demands that it holds no run.
        overrides: tables of the recipe, e.g. `training={"batch_size": 32}`.

    Returns:
        the model, ready to generate.

    Raises:
        LienzoError: for a source, a recipe or a value that does not do, naming it.
    """
    checked = planned(source, out=out, recipe=recipe, budget=budget, overrides=overrides)
    again = f"lienzo.train(out={str(out)!r})"
    carry_out(checked, out, resume=resume, again=again, find=folder_of)
    return load(str(out))


def planned(
    source: str | Path | None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, overrides: Mapping[str, Any] | None = None,
) -> Recipe:  # fmt: skip
    """Return the recipe that these words mean, checked.

    Raises:
        ConfigurationError: if it is not said how long to train, or a value does not fit.
    """
    values = _values(recipe, Path(out), fresh=source is not None)
    if source is not None:
        values = merged(values, {"data": {"source": str(source)}})
    values = merged(values, overrides or {})
    if budget is not None:
        values = merged(values, {"training": {"budget_seconds": read_duration(budget), "images": None}})
    return Recipe.checked(values)


def _values(recipe: str | Path | Mapping[str, Any] | None, out: Path, *, fresh: bool) -> dict[str, Any]:
    """Return a recipe's plain values: those given, or else what the run's folder was begun with."""
    if isinstance(recipe, Mapping):
        return merged({}, recipe)
    if recipe is not None:
        return read_recipe(recipe)
    if (out / RECIPE).is_file():
        return read_recipe(out / RECIPE)
    if not fresh:
        raise ConfigurationError(f"{out} holds no run to go on with, and no source is named",
                                 hint="lienzo train ./photos --budget 30m")  # fmt: skip
    return {}
