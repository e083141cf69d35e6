"""From a source and a budget to a recipe: another model's weights, or a size that this machine can feed.

The rule of size, batch and schedule is in `lienzo.training.budget`, the sizes of every family in `presets`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lienzo.conditions import Bus
from lienzo.core import Family
from lienzo.core.registry import class_named
from lienzo.data import Dataset, Loader
from lienzo.training.checkpoint import CONFIG, resolve
from lienzo.training.folder import read_json
from lienzo.training.recipes.fitting import Learnt, fitted
from lienzo.training.recipes.inner import Find, family_arguments, named_in, place_for, takes_coder
from lienzo.training.recipes.make import Shape, code_shape, heard_by, make_family, open_data
from lienzo.training.recipes.parts import Recipe
from lienzo.training.recipes.presets import CODER, CODES, HEARING, PRESETS, Ground, Preset
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.suits import Facts, halved

Tell = Callable[[str], None]
Values = dict[str, Any]
TUNING = 5e-4  # the largest step size where weights are borrowed
AFTERWARDS = 10_000  # images at least, for what is trained of a family that is fitted
UNMEASURED = "small"  # the size of a run without a budget


@dataclass(frozen=True)
class Lent:
    """A coder that need not begin from nothing.

    Attributes:
        model: the model over codes whose coder it is.
        shape: of its codes.
        coder: the configuration of one that goes on from it.
        faithful: whether it gives the pictures back well enough; otherwise it is trained on them first.
        outer: the coder itself.
    """

    model: str
    shape: Shape
    coder: Mapping[str, Any]
    faithful: bool
    outer: Family | None = None


Lend = Callable[[str, Recipe, Dataset], Lent | None]


def from_scratch(values: Mapping[str, Any], tell: Tell, find: Find = Path, lend: Lend | None = None) -> Values:
    """Choose size, batch and schedule for a budget; what `values` say already is kept.

    Args:
        values: a recipe's plain values with a source and `training.budget_seconds`; without a budget, a size is taken
            that is not measured.
        tell: hears what was measured and picked.
        find: a model's name → its folder, for families within the family.
        lend: kind of a coder, recipe, pictures → one that is there; None: every coder begins from nothing.

    Raises:
        ConfigurationError: for a family that does not exist, or if the source's size suits no network.
    """
    kind = str(values.get("family", {}).get("kind", "diffusion"))
    class_named("family", kind)
    preset = PRESETS.get(kind)
    if preset is None:
        tell(f"no sizes are known of the family {kind!r}: it is built as it comes")
        return dict(values)
    values = merged(values, {"family": {"kind": preset.kind or kind}})
    recipe = Recipe.checked(values)
    dataset, seconds = open_data(recipe.data), recipe.training.budget_seconds
    shape: Shape = (recipe.data.channels, recipe.data.size, recipe.data.size)
    facts = Facts(shape, dataset.whole, seconds or math.inf)
    taught = over_codes(recipe, find)
    ground = _ground(preset, facts, recipe.family, taught is not None)
    like = network_of_taught(recipe, find)
    if like and any("network" in size for size in ground.sizes.values()):
        ground = replace(ground, sizes={"the network of what it learns from": like})
    trains = taught is None and ground.coder is not None and not named_in(recipe.family)
    lent = None
    if trains and lend is not None and ground.coder is not None:
        lent = lend(str(ground.coder["family"]["kind"]), recipe, dataset)
        taught = (lent.model, lent.shape) if lent is not None and lent.faithful else None
        trains = taught is None
    base, learnt = _base(preset, ground, recipe, dataset), Learnt(dataset, shape, find=find, most=_most(ground, facts))
    if taught is not None and ground.coder is not None:
        base = merged(base, {"codes": {"outer": taught[0]}})
        outer = lent.outer if lent is not None else None
        learnt, facts = replace(learnt, shape=taught[1], coded=True, outer=outer), replace(facts, shape=taught[1])
    elif trains and ground.coder is not None:
        coding = _suited(ground.coder, halved, facts) if lent is None else _tuned(ground.coder, lent.model, lent.coder)
        base = merged(base, {"codes": {"recipe": coding, "share": ground.share}})
        learnt = _coded(learnt, recipe, make_family(coding["family"], None, Bus({}), shape, recipe.training.seed),
                        ground.share)  # fmt: skip
        facts = replace(facts, shape=learnt.shape)
    wanted = [
        (_described(name, size), merged(merged(base, _suited(merged(ground.common, size), ground.suit, facts)), values))
        for name, size in ground.sizes.items()
    ]
    for sentence in _said(preset, ground, kind, recipe, dataset, wanted[0][1], trains=trains):
        tell(sentence)
    if seconds is None:
        return next((v for name, v in wanted if name.startswith(UNMEASURED)), wanted[0][1])
    return fitted(wanted, ground.rate, learnt, tell, preset.shares)


def _ground(preset: Preset, facts: Facts, family: Mapping[str, Any], coded: bool) -> Ground:
    """Return the first ground that suits the pictures and what was said of the family; `coded`: one over codes."""
    cls, named = class_named("family", str(family["kind"])), named_in(family)

    def suits(ground: Ground) -> bool:
        least, multiple = ground.sides
        if coded:
            return ground.coder is not None
        if named and ground.coder is not None and not takes_coder(cls, str(ground.coder["family"]["kind"])):
            return False  # what is named, e.g. a teacher, was not trained over codes that are yet to come
        said = all(family.get(name, values[0]) in values for name, values in ground.when.items())
        return facts.shape[1] >= least and facts.shape[1] % multiple == 0 and said

    return next((ground for ground in preset.grounds if suits(ground)), preset.grounds[-1])


def over_codes(recipe: Recipe, find: Find) -> tuple[str, Shape] | None:
    """Return the model over codes that a recipe's family learns from, e.g. its teacher, and the shape of the codes.

    The family then learns the same codes. None where it names none, or brings codes of its own.
    """
    if recipe.codes is not None and recipe.codes.outer is None:
        return None
    for name, kind, config in _named_models(recipe, find):
        if config.get("kind") == "latent" and issubclass(class_named("family", str(config["inner"]["kind"])), kind):
            channels, height, width = config["inner"]["shape"]
            return name, (int(channels), int(height), int(width))
    return None


def network_of_taught(recipe: Recipe, find: Find) -> Values:
    """Return the network and the widths of the bus of the model that a family learns from, e.g. its teacher.

    A student like its teacher begins as it (`lienzo.families.few_step`). Nothing where no such model is named.
    """
    for _, _, config in _named_models(recipe, find):
        inner: Mapping[str, Any] = config.get("inner", config)
        if "network" in inner and "bus" in inner:
            network = {name: value for name, value in inner["network"].items() if name not in ("shape", "sizes")}
            return {"network": network, "bus": {name: inner["bus"][name] for name in ("vector", "token")}}
    return {}


def _named_models(recipe: Recipe, find: Find) -> Iterator[tuple[str, type, Mapping[str, Any]]]:
    """Yield the models that a recipe's family names: name, the class that is wanted there, configuration."""
    for argument, kind in family_arguments(class_named("family", str(recipe.family["kind"]))).items():
        name = recipe.family.get(argument)
        if isinstance(name, str):
            yield name, kind, read_json(resolve(find(name)) / CONFIG)


def _base(preset: Preset, ground: Ground, recipe: Recipe, dataset: Dataset) -> Values:
    """Return what a planned model hears and does, unless somebody says otherwise."""
    heard = heard_by(recipe.family)
    told = [n for n, column in dataset.columns.items() if n != "background" and column.kind in heard]
    options = {**preset.options, **(preset.guided if told else {})}
    return {"bus": HEARING, "training": preset.training, "generate": {"options": options}}


def _suited(values: Mapping[str, Any], suit: Callable[[Values, Facts], Values], facts: Facts) -> Values:
    """Return recipe values with those of the family and of the network brought to the pictures."""
    return {**values, **{part: suit(values[part], facts) for part in ("family", "network") if part in values}}


def _coded(learnt: Learnt, recipe: Recipe, coder: Family, share: float) -> Learnt:
    """Return what is learnt where a family codes the pictures: codes, or pictures by a family that takes the coder."""
    place = place_for(class_named("family", str(recipe.family["kind"])), recipe.family, coder)
    if place is not None:
        return Learnt(learnt.dataset, learnt.shape, share=share, find=learnt.find, inner={place: coder})
    return Learnt(learnt.dataset, code_shape(coder), coded=True, share=share, find=learnt.find, outer=coder)


def _most(ground: Ground, facts: Facts) -> int | None:
    """Return after how many images a family that is fitted has nothing more to learn."""
    fitted_to = _suited(next(iter(ground.sizes.values())), ground.suit, facts).get("family", {}).get("pictures")
    return None if fitted_to is None else max(2 * int(fitted_to), AFTERWARDS)


def _described(name: str, size: Mapping[str, Any]) -> str:
    """Return a size in words, e.g. "tiny: width 128, depth 4"."""
    numbers = {name: value for part in size.values() for name, value in part.items()}
    words = [f"{n} {' '.join(map(str, v)) if isinstance(v, list | tuple) else v}" for n, v in numbers.items()]
    return f"{name}: {', '.join(words)}"


def _said(preset: Preset, ground: Ground, kind: str, recipe: Recipe, dataset: Dataset, values: Values, *,
          trains: bool) -> list[str]:  # fmt: skip
    """Return what a person should know of the choice; `values` are those of one size, `trains`: a coder first."""
    what = f"{recipe.family['kind']} over {ground.what}"
    lines = [what + (f", which gets {ground.share:.0%} of the time" if trains else "")]
    lines += [note for note in (preset.note, ground.note) if note]
    if values.get("family", {}).get("rules", {}).get("adapt"):
        lines.append("the pictures are few: as the critic learns them by heart, it sees them changed more often")
    heard = heard_by(recipe.family)
    deaf = [name for name, column in dataset.columns.items() if name != "background" and column.kind not in heard]
    lines += [f"a {kind} does not hear {', '.join(deaf)}: what they say is not learnt"] if deaf else []
    return lines


def fine_tuned(values: Mapping[str, Any], model: str, config: Mapping[str, Any], options: Mapping[str, Any],
               tell: Tell, *, coder: bool, outer: Family | None = None) -> Values:  # fmt: skip
    """Go on from a model over codes, with its network and everything that it hears, and what the data says besides.

    Args:
        values: as in `from_scratch`.
        model: whose weights.
        config: its configuration.
        options: that it is sampled with.
        tell: hears what was measured and picked.
        coder: train its autoencoder on these pictures, too.
        outer: its autoencoder.
    """
    recipe = Recipe.checked(values)
    dataset, inner = open_data(recipe.data), dict(config["inner"])
    network, bus, shape = dict(inner.pop("network")), dict(inner.pop("bus")), tuple(inner.pop("shape"))
    for known in ("shape", "sizes"):
        network.pop(known, None)
    tuned = {"recipe": _tuned(CODER, model, config["outer"]), "share": CODES.share}
    base: Values = {
        "codes": tuned if coder else {"outer": model},
        "conditions": _heard(dict(bus.pop("conditions")), dataset),
        "bus": {name: bus[name] for name in ("vector", "token", "drop", "drop_all") if name in bus},
        "family": inner, "start": model, "generate": {"options": dict(options)},
    }  # fmt: skip
    base = merged(base, {"network": network})
    wanted = [(f"the network of {model}", merged(base, values))]
    grid: Shape = (int(shape[0]), int(shape[1]), int(shape[2]))
    learnt = Learnt(dataset, grid, coded=True, share=CODES.share if coder else 0.0, outer=outer)
    return fitted(wanted, TUNING, learnt, tell)


def _tuned(usual: Mapping[str, Any], model: str, coder: Mapping[str, Any]) -> Values:
    """Return the recipe of a coder that goes on from a model's, else as `usual`; of another kind, with larger steps."""
    family = {name: value for name, value in coder.items() if name not in ("shape", "bus")}
    rate = TUNING if coder["kind"] == CODER["family"]["kind"] else 2 * TUNING
    return merged(usual, {"family": family, "start": model, "training": {"learning_rate": rate}})


def _heard(conditions: Values, dataset: Dataset) -> dict[str, Values]:
    """Return a model's conditions, with new classes after its own, and those that only the data has."""
    heard: dict[str, Values] = {name: dict(config) for name, config in conditions.items()}
    for name, column in dataset.columns.items():
        classes = heard.get(name, {}).get("classes")
        if classes is not None:
            heard[name]["classes"] = [*classes, *(c for c in column.classes if c not in classes)]
        heard.setdefault(name, {})
    return heard


@torch.no_grad()
def fidelity(outer: Any, dataset: Dataset, background: str) -> float:
    """Return how well a coder gives pictures back: their peak signal-to-noise ratio, dB.

    10 log₁₀(4 / mean squared error), pictures being in [-1, 1].
    """
    count = min(64, len(dataset))
    x = Loader(dataset, Bus({}), batch_size=count, background=background).batch_at(0).x
    error = float((outer.decode(outer.encode(x)).clamp(-1, 1) - x).square().mean())
    return 10 * math.log10(4 / max(error, 1e-12))
