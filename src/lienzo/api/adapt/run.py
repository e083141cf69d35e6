"""Teach a trained model something more, and leave the model as it is: a map to draw over, or a thing of one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lienzo.api.adapt.concept import Concept, concept_of
from lienzo.api.find import folder_of
from lienzo.api.model import Model, load
from lienzo.core import ConfigurationError, Family
from lienzo.data import Dataset
from lienzo.data.columns import map_kind
from lienzo.editing import pairs_of
from lienzo.networks.control import DESIGNS
from lienzo.training.adapters import LOW_RANK, Adapter, adapted, sized
from lienzo.training.budget import seconds_of
from lienzo.training.folder import read_json, write_json
from lienzo.training.loop import TrainResult
from lienzo.training.recipes import Listeners, Recipe, open_data
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.stages import GENERATE, RECIPE
from lienzo.training.recipes.teach import teach

Values = dict[str, Any]
Tell = Callable[[str], None]
WISH = "adapt.json"  # in a run's folder: what was asked for
MAP_TRAINING: Values = {"batch_size": 32, "learning_rate": 1e-3, "warmup": 1000, "ema_half_life": 10_000,
                        "budget_seconds": 1200}  # fmt: skip
LIMITS = ("Everything else is the base's: what that cannot draw, this cannot either.",)


@dataclass(frozen=True)
class Wish:
    """What is to be taught.

    Attributes:
        model: the base, by name or folder.
        source: the pictures.
        map: the column, or the kind, of a map that shall be heard.
        concept: words that shall mean the pictures; one of `map` and `concept` is said.
        prior: words for the kind of thing that a concept is; "": the concept's own but for the first.
        design: a row of `DESIGNS`, for a map.
    """

    model: str
    source: str
    map: str = ""
    concept: str = ""
    prior: str = ""
    design: str = "features"

    def __post_init__(self) -> None:
        if bool(self.map) == bool(self.concept):
            what = "both a map and a concept" if self.map else "neither a map nor a concept"
            raise ConfigurationError(f"{what} to teach", hint='map="depth", or concept="my dog"')
        if self.design not in DESIGNS:
            raise ConfigurationError(f"no design {self.design!r}", hint=f"one of {', '.join(DESIGNS)}")


@dataclass(frozen=True)
class Lesson:
    """What is taught, ready to begin.

    Attributes:
        wish: what was asked for.
        base: the model, as it was.
        adapter: what it is given.
        family: the model with the adapter.
        dataset: what it learns from.
        recipe: how.
        concept: what is checked afterwards; None for a map.
    """

    wish: Wish
    base: Model
    adapter: Adapter
    family: Family
    dataset: Dataset
    recipe: Recipe
    concept: Concept | None


def adapt(
    model: str | Path, source: str | Path, *, map: str = "", concept: str = "",  # noqa: A002  (what users call it)
    out: str | Path | None = None, budget: str | float | None = None, design: str = "features", prior: str = "",
    resume: bool = True, tell: Tell = print, training: Mapping[str, Any] | None = None,
) -> Model:  # fmt: skip
    """Teach a diffusion model a map, or a thing of one's own, and leave all its weights as they are.

    Args:
        model: the base: a name of `lienzo.models`, or a run's folder.
        source: pictures with the map as a column; or a handful of pictures of the thing.
        map: the map's column, or its kind ("depth", "edges", "segmentation", "pose" …).
        concept: words that shall mean the thing, e.g. "my dog".
        out: the run's folder; a run that it holds is gone on with. By default in runs/, named after both.
        budget: how long it may take: "20m", or seconds. By default 20 minutes for a map, 10 for a concept.
        design: "features" or "copy", for a map: see `lienzo.networks.control.DESIGNS`.
        prior: words for the kind of thing that a concept is; by default the concept's own but for the first.
        resume: go on with what `out` holds; False demands that it holds no run.
        tell: hears what is chosen and done.
        training: settings of training, e.g. `{"batch_size": 16}`.

    Returns:
        the model with the adapter, ready to generate; `lienzo.load(out)` gives it again.

    Raises:
        LienzoError: for a model, a source or a value that does not do, naming it.
    """
    wish = Wish(str(model), str(source), map, concept, prior, design)
    folder = Path(out) if out is not None else default_out(wish)
    lesson = begun(wish, folder, budget=budget, training=training or {}, tell=tell)
    again = f"lienzo.adapt(…, out={str(folder)!r})"
    result = taught(lesson, folder, resume=resume, listeners=Listeners(tell=tell), again=again)
    if result.finished:
        for sentence in checked(lesson, folder, tell):
            tell(sentence)
    return load(folder)


def begun(
    wish: Wish, out: Path, *, budget: str | float | None, training: Mapping[str, Any], tell: Tell
) -> Lesson:  # fmt: skip
    """Open the base and the pictures, and give the base its adapter.

    Args:
        wish: what is to be taught.
        out: the run's folder.
        budget: how long it may take.
        training: settings that are said.
        tell: hears what was chosen, and why.

    Raises:
        LienzoError: for whatever does not do.
    """
    _must_be_the_same(wish, out)
    base = load(wish.model)
    if wish.concept:
        adapter = sized(base.family, Adapter(wish.model, base.weights, LOW_RANK))
        concept = concept_of(base, wish.source, wish.concept, wish.prior, recipe_of(base), out, tell)
        dataset, how = concept.dataset, concept.values
    else:
        concept, how = None, {"data": data_of(base, wish.source), "training": MAP_TRAINING}
        dataset = open_data(Recipe.checked(how).data)
        adapter = sized(base.family, mapped(dataset, wish, base))
    if budget is not None:
        training = {"budget_seconds": seconds_of(str(budget)), **training}
    plain: Values = {
        "name": out.name, "summary": summary(wish, adapter), "limits": list(LIMITS),
        "generate": {"conditions": base.defaults.get("conditions", {}), "options": options_of(base)},
    }  # fmt: skip
    recipe = Recipe.checked(merged(merged(plain, how), {"training": training}))
    before = sum(parameter.numel() for parameter in base.family.parameters())
    family = adapted(base.family, adapter)
    learnt = sum(parameter.numel() for parameter in family.parameters() if parameter.requires_grad)
    tell(f"{wish.model} stays as it is; {learnt:,} parameters are added and learnt, {learnt / before:.1%} of its own "
         f"({adapter.design}, size {adapter.size})")  # fmt: skip
    tell(f"{dataset.name}: {len(dataset):,} pictures")
    return Lesson(wish, base, adapter, family, dataset, recipe, concept)


def taught(lesson: Lesson, out: Path, *, resume: bool, listeners: Listeners, again: str) -> TrainResult:
    """Train the adapter; the run's folder is then a model by itself, which finds its base by name and hash."""
    out.mkdir(parents=True, exist_ok=True)
    generate = lesson.recipe.generate
    write_json(out / WISH, asdict(lesson.wish))
    write_json(out / GENERATE, {"name": out.name, "conditions": generate.conditions, "options": generate.options})
    return teach(lesson.family, lesson.adapter.sha256, lesson.dataset, lesson.recipe, out, resume=resume,
                 listeners=listeners, again=again)  # fmt: skip


def checked(lesson: Lesson, out: Path, tell: Tell) -> list[str]:
    """Look at what was learnt: draw, measure, write a sheet and the card's section; return what was found, in words."""
    from lienzo.api.adapt.look import looked_at_concept, looked_at_map  # late: it brings judges

    base, now = load(lesson.adapter.base), load(out)
    if lesson.concept is not None:
        return looked_at_concept(base, now, lesson.concept, out, tell)
    return looked_at_map(base, now, lesson.adapter, lesson.recipe, out, tell)


def options_of(base: Model) -> Values:
    """Return what a base is sampled with, its guidance for its own conditions alone.

    A new map is heard with and without words, and so weighs 1: weighed like words, it makes lines thick and colours
    loud. The picture that an edit begins from, and its mask, are weighed by `two_guidances`.
    """
    options: Values = dict(base.defaults.get("options", {}))
    weight = options.get("guidance")
    pairs = pairs_of(base.family)
    own = () if pairs is None else (pairs.before, pairs.mask)
    names = [name for name in base.bus.names if name not in own]
    named = isinstance(weight, int | float) and names
    return {**options, "guidance": dict.fromkeys(names, weight)} if named else options


def default_out(wish: Wish) -> Path:
    """Return the folder of a run that was given none.

    >>> default_out(Wish("runs/faces", "./photos", concept="my dog")).as_posix()
    'runs/faces-my-dog'
    """
    name = f"{Path(wish.model).name}-{wish.map or wish.concept}"
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "adapter")


def summary(wish: Wish, adapter: Adapter) -> str:
    """Return the card's sentence."""
    if wish.concept:
        return f"{wish.model} that knows {wish.concept!r} from a handful of pictures."
    return f"{wish.model} that draws over a map, {adapter.name!r} ({adapter.map_kind})."


def mapped(dataset: Dataset, wish: Wish, base: Model) -> Adapter:
    """Return an adapter for the map that a person means: a column by its name, else the only one of its kind.

    Raises:
        ConfigurationError: if the source has no such map, or several.
    """
    maps = {name: column for name, column in dataset.columns.items() if column.kind == "map"}
    kinds = {wish.map, map_kind(wish.map)} - ({"picture"} if wish.map != "picture" else set())  # what no name tells
    alike = [name for name, column in maps.items() if column.map_kind in kinds]
    found = [wish.map] if wish.map in maps else alike
    if len(found) != 1:
        what = f"{wish.source} has no map {wish.map!r}" if not found else f"{wish.map!r} may mean {', '.join(found)}"
        hint = ", ".join(found or maps) or "a source with maps, such as openmoji-maps, or `lienzo data maps FOLDER`"
        raise ConfigurationError(what, hint=hint)
    column = maps[found[0]]
    return Adapter(wish.model, base.weights, wish.design, 0, found[0], column.map_kind or "picture", column.channels)


def data_of(base: Model, source: str) -> Values:
    """Return a recipe's [data] for pictures that a base shall see, on the backgrounds that it knows."""
    channels, side, _ = base.family.shape
    known: Values = recipe_of(base).get("data", {})
    usual = known.get("background", "mixed" if "background" in base.bus.names else "white")
    return {"source": source, "size": side, "channels": channels, "background": usual}


def recipe_of(base: Model) -> Values:
    """Return the recipe that a model was trained by; nothing if it has none."""
    for folder in (base.folder, folder_of(base.name), base.folder.parent.parent):
        if (folder / RECIPE).is_file():
            return dict(json.loads((folder / RECIPE).read_text("utf-8")))
    return {}


def _must_be_the_same(wish: Wish, out: Path) -> None:
    """Check that a folder's run, if it holds one, teaches what is asked for.

    Raises:
        ConfigurationError: if it teaches something else.
    """
    before: Values = read_json(out / WISH) if (out / WISH).is_file() else asdict(wish)
    other = next((name for name, value in asdict(wish).items() if before.get(name) != value), None)
    if other is not None:
        what = f"{out} holds a run with {other} {before.get(other)!r}, not {asdict(wish)[other]!r}"
        raise ConfigurationError(what, hint="another --out")
