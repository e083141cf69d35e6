"""Train a model of one's own pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lienzo.api.choose import chosen
from lienzo.api.find import folder_of
from lienzo.api.model import Model, load
from lienzo.core import ConfigurationError
from lienzo.training.budget import seconds_of
from lienzo.training.recipes import Listeners, Recipe, carry_out, read_recipe
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.stages import RECIPE

Values = dict[str, Any]
Tell = Callable[[str], None]
HOW = "lienzo train ./photos --budget 30m"


def train(
    source: str | Path | None = None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, start: str | None = None, resume: bool = True, tell: Tell = print,
    **overrides: Any,
) -> Model:  # fmt: skip
    """Train a model on a source of pictures.

    Args:
        source: "emoji", a folder of pictures, a table, tars, or "hub:NAME"; None: as the recipe says.
        out: the run's folder; a run that it holds is gone on with.
        recipe: a TOML file, or plain values; None: one is chosen that fits the pictures, the machine and the time.
        budget: how long it may take: "30m", "1h30m", or seconds.
        start: a model whose weights to begin with, "scratch" for none; None: what fits.
        resume: go on with what `out` holds; False demands that it holds no run.
        tell: hears what is chosen and done.
        overrides: tables of the recipe, e.g. `training={"batch_size": 32}`.

    Returns:
        the model, ready to generate.

    Raises:
        LienzoError: for a source, a recipe or a value that does not do, naming it.
    """
    checked = planned(source, out=out, recipe=recipe, budget=budget, start=start, overrides=overrides, tell=tell)
    again = f"lienzo.train(out={str(out)!r})"
    carry_out(checked, out, resume=resume, again=again, find=folder_of, listeners=Listeners(tell=tell))
    return load(str(out))


def planned(
    source: str | Path | None, *, out: str | Path, recipe: str | Path | Mapping[str, Any] | None = None,
    budget: str | float | None = None, start: str | None = None, overrides: Mapping[str, Any] | None = None,
    tell: Tell = lambda sentence: None,
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
        ConfigurationError: if it is not said what to learn or for how long, or a value does not fit.
    """
    said: Values = {"data": {"source": str(source)}} if source is not None else {}
    said = merged(said, overrides or {})
    stored, seconds = Path(out) / RECIPE, seconds_of(str(budget)) if budget is not None else None
    if recipe is None and not stored.is_file():
        return Recipe.checked(_new(source, out, said, seconds, start, tell))
    if recipe is not None:
        values = merged(recipe, {}) if isinstance(recipe, Mapping) else read_recipe(recipe)
        said = merged(said, {"start": None if start == "scratch" else start}) if start is not None else said
    else:
        values = _same_source(read_recipe(stored), source, Path(out))
    if seconds is not None:
        whole = recipe is not None  # a run that is under way keeps its schedule
        said = merged(said, {"training": {"budget_seconds": seconds, **({"images": None} if whole else {})}})
    return Recipe.checked(merged(values, said))


def _new(
    source: str | Path | None, out: str | Path, said: Values, seconds: float | None, start: str | None, tell: Tell
) -> Values:
    """Return the values of a run that has no recipe yet.

    Raises:
        ConfigurationError: if it is not said what to learn or for how long, or nobody speaks for all processes.
    """
    if source is None:
        raise ConfigurationError(f"{out} holds no run to go on with, and no source is named", hint=HOW)
    if seconds is not None:
        said = merged(said, {"training": {"budget_seconds": seconds}})
    said = merged({"name": Path(out).name or "a lienzo model"}, said)
    training = said.get("training", {})
    if training.get("budget_seconds") is None and training.get("images") is None:
        raise ConfigurationError("how long may it take?", hint=f"{HOW}, or --set training.images=100000")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        hint = "let one process choose: lienzo train … --dry > plan.json; then torchrun … --recipe plan.json"
        raise ConfigurationError("several processes would measure, and choose, each for itself", hint=hint)
    return chosen(said, start, tell)


def default_out(source: str | None, recipe: Path | None) -> Path:
    """Return the folder of a run that was given none: runs/ and the recipe's name, or the source's.

    Raises:
        ConfigurationError: if there is neither.

    >>> default_out("./my photos/", None).as_posix()
    'runs/my-photos'
    """
    if source is None and recipe is None:
        raise ConfigurationError("what shall it learn?", hint=HOW)
    name = recipe.stem if recipe is not None else Path(str(source)).name.partition(".")[0]
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model")


def _same_source(values: Values, source: str | Path | None, out: Path) -> Values:
    """Return a stored recipe, if it learns what is asked for.

    Raises:
        ConfigurationError: if it learns something else.
    """
    before = values.get("data", {}).get("source")
    if source is not None and str(source) != str(before):
        raise ConfigurationError(f"{out} holds a run that learns {before}, not {source}", hint="another --out")
    return values
