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
from lienzo.data.open import BUILT_IN, home
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
        budget: how long it may take: "30m", "1h30m", or seconds; with a recipe that says how many images it shall see,
            it ends with what comes first.
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
    before = read_recipe(stored) if stored.is_file() else None
    if recipe is None and before is None:
        return Recipe.checked(_new(source, out, said, seconds, start, tell))
    if recipe is not None:
        values = merged(recipe, {}) if isinstance(recipe, Mapping) else read_recipe(recipe)
        said = merged(said, {"start": None if start == "scratch" else start}) if start is not None else said
    else:
        values = before or {}
    if seconds is not None:
        training: Values = merged(values, said).get("training", {})
        anew = recipe is not None  # a run that is under way keeps its schedule
        said = merged(said, {"training": {"budget_seconds": seconds, **(_open_ended(training) if anew else {})}})
    whole = _over_codes(merged(values, said))
    if before is not None:
        _demand_same(before, whole, Path(out))
    return Recipe.checked(whole)


def _open_ended(training: Values) -> Values:
    """Return settings by which a budget plans how many images are seen: at most as many as a recipe says.

    What a plan within another budget wrote down, with `extend`, says no such thing.
    """
    said = None if training.get("extend") else training.get("images")
    return {"images": None, "most": said or training.get("most")}


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
    """Return the folder of a run that was given none: runs/ and the recipe's name, the source's, or both.

    A recipe names its own source; only another one is part of the name.

    Raises:
        ConfigurationError: if there is neither, or no such recipe.

    >>> default_out("./my photos/", None).as_posix()
    'runs/my-photos'
    """
    if source is None and recipe is None:
        raise ConfigurationError("what shall it learn?", hint=HOW)
    names = [] if recipe is None else [recipe.stem]
    if source is not None and (recipe is None or not _same(source, _source_of(read_recipe(recipe)))):
        names.append(Path(source).name.partition(".")[0])
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", "-".join(names)).strip("-.") or "model")


def _demand_same(before: Values, now: Values, out: Path) -> None:
    """Demand that a run goes on with the source and the family that it was begun with.

    Raises:
        ConfigurationError: if it would learn something else.
    """
    learnt, asked = _source_of(before), _source_of(now)
    if asked is not None and not _same(asked, learnt):
        hint = f"another --out; --from {out} begins there with what this one has learnt"
        raise ConfigurationError(f"{out} holds a run that learns {learnt}, not {asked}", hint=hint)
    was, wished = _kind_of(before), _kind_of(now)
    if was != wished:
        raise ConfigurationError(f"{out} holds a run of the family {was!r}, not {wished!r}", hint="another --out")


def _over_codes(values: Values) -> Values:
    """Return values in which `latent`, said of a recipe with a table [codes], is what draws the codes."""
    coded = values.get("codes") is not None and _kind_of(values) == "latent"
    return merged(values, {"family": {"kind": "diffusion"}}) if coded else values


def _kind_of(values: Values) -> str:
    return str(values.get("family", {}).get("kind", "diffusion"))


def _source_of(values: Values) -> str | None:
    source = values.get("data", {}).get("source")
    return None if source is None else str(source)


def _same(one: str | None, other: str | None) -> bool:
    """Tell whether two sources are the same: by name, or as one place on the disk."""
    if one is None or other is None or {one, other} & set(BUILT_IN):
        return one == other
    first, second = home(one), home(other)
    return one == other or (first.exists() and second.exists() and first.samefile(second))
