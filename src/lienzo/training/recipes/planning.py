"""From a source and a budget to a recipe: another model's weights, or a size that this machine can feed.

The rule of size, batch and schedule is in `lienzo.training.budget`; here are the candidates and the data to measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from lienzo.conditions import Bus
from lienzo.core import Batch, ConfigurationError, Family, Streams
from lienzo.data import Dataset, Loader
from lienzo.training.budget import Candidate, Plan, pace_of, plan
from lienzo.training.recipes.make import Shape, make_bus, make_family, open_data
from lienzo.training.recipes.parts import Recipe
from lienzo.training.recipes.read import merged

Tell = Callable[[str], None]
Values = dict[str, Any]

CODER_SHARE = 0.3  # of a budget, for an autoencoder
FOLD = 8  # pixels of a code's side
TUNING = 5e-4  # the largest step size where weights are borrowed
BATCH = 64  # that candidates are measured with
GENERATE = {"steps": 20, "solver": "dpm++2m"}
CODER: Values = {
    "family": {"kind": "vae", "codes": 8, "widths": [48, 96, 160]},
    "training": {"batch_size": 32, "learning_rate": 2e-3, "warmup": 1000, "ema_half_life": 2000},
}
UNETS = {"tiny": (24, 48, 64), "small": (32, 64, 96), "medium": (48, 96, 144), "large": (64, 128, 192)}
TRANSFORMERS = {"tiny": (128, 4, 4), "small": (192, 6, 4), "medium": (256, 6, 4), "large": (320, 8, 5)}


def from_scratch(values: Mapping[str, Any], tell: Tell) -> Values:
    """Choose size, batch and schedule for a budget; what `values` say already is kept.

    Args:
        values: a recipe's plain values with a source and `training.budget_seconds`.
        tell: hears what was measured and picked.

    Raises:
        ConfigurationError: if the source's size suits no network.
    """
    recipe = Recipe.checked(values)
    dataset, size = open_data(recipe.data), recipe.data.size
    coded = size >= 6 * FOLD and size % FOLD == 0
    networks = _transformers() if coded else _unets(size)
    shape = (8, size // FOLD, size // FOLD) if coded else (recipe.data.channels, size, size)
    base = merged({"codes": {"recipe": CODER, "share": CODER_SHARE}} if coded else {}, _usual(recipe, dataset))
    tell(f"a diffusion over the codes of an autoencoder, which gets {CODER_SHARE:.0%} of the time" if coded
         else "a diffusion over pixels")  # fmt: skip
    return _fitted(merged(base, values), networks, dataset, shape, coded, CODER_SHARE if coded else 0.0, tell)


def fine_tuned(values: Mapping[str, Any], model: str, config: Mapping[str, Any], options: Mapping[str, Any],
               tell: Tell, *, coder: bool) -> Values:  # fmt: skip
    """Go on from a model over codes, with its network and everything that it hears, and what the data says besides.

    Args:
        values: as in `from_scratch`.
        model: whose weights.
        config: its configuration.
        options: that it is sampled with.
        tell: hears what was measured and picked.
        coder: train its autoencoder on these pictures, too.
    """
    recipe = Recipe.checked(values)
    dataset, inner = open_data(recipe.data), dict(config["inner"])
    network, bus, shape = dict(inner.pop("network")), dict(inner.pop("bus")), tuple(inner.pop("shape"))
    for known in ("shape", "sizes"):
        network.pop(known, None)
    coding = {k: v for k, v in config["outer"].items() if k not in ("shape", "bus")}
    own = merged(CODER, {"family": coding, "start": model, "training": {"learning_rate": TUNING}})
    base: Values = {
        "codes": {"recipe": own, "share": CODER_SHARE} if coder else {"outer": model},
        "conditions": _heard(dict(bus.pop("conditions")), dataset),
        "bus": {name: bus[name] for name in ("vector", "token", "drop", "drop_all") if name in bus},
        "family": inner, "start": model, "generate": {"options": dict(options)},
    }  # fmt: skip
    networks = {f"the network of {model}": (network, TUNING)}
    share = CODER_SHARE if coder else 0.0
    return _fitted(merged(base, values), networks, dataset, shape, True, share, tell)


def _heard(conditions: Values, dataset: Dataset) -> dict[str, Values]:
    """Return a model's conditions, with new classes after its own, and those that only the data has."""
    heard: dict[str, Values] = {name: dict(config) for name, config in conditions.items()}
    for name, column in dataset.columns.items():
        classes = heard.get(name, {}).get("classes")
        if classes is not None:
            heard[name]["classes"] = [*classes, *(c for c in column.classes if c not in classes)]
        heard.setdefault(name, {})
    return heard


def _usual(recipe: Recipe, dataset: Dataset) -> Values:
    """Return what a planned model hears and does, unless somebody says otherwise."""
    told = [name for name in dataset.columns if name != "background"]
    return {
        "bus": {"vector": 256, "token": 192},
        "family": {"kind": "diffusion", "process": "flow-matching"},
        "generate": {"options": {**GENERATE, "guidance": 2.5 if told else 1.0}},
    }


def _fitted(
    values: Values, networks: Mapping[str, tuple[Values, float]], dataset: Dataset, shape: Any, coded: bool,
    share: float, tell: Tell,
) -> Values:  # fmt: skip
    """Measure the networks, and return the values with the one that fits and its schedule."""
    recipe, families = Recipe.checked(values), dict[str, Values]()
    whole = recipe.training.budget_seconds
    assert whole is not None
    grid: Shape = (int(shape[0]), int(shape[1]), int(shape[2]))
    candidates: list[Candidate] = []
    for name, (network, rate) in networks.items():
        families[name] = recipe.network or network
        make = partial(_built, recipe, families[name], dataset, grid, coded)
        candidates.append(Candidate(name, make, rate))
    tell("measuring this machine …")
    settings = recipe.training.model_copy(update={"budget_seconds": whole * (1 - share)})
    feed = partial(_feed, dataset, recipe, grid if coded else None)
    found: Plan = plan(
        candidates, len(dataset), settings, partial(pace_of, feed=feed, settings=settings),
        reserve=min(30.0, 0.05 * whole),
    )  # fmt: skip
    for sentence in found.why:
        tell(f"  {sentence}")
    training = found.settings.model_dump(mode="json", exclude_defaults=True)
    training["budget_seconds"] = float(training["budget_seconds"]) + share * whole
    return merged(values, {"network": families[found.candidate.name], "training": training})


def _built(recipe: Recipe, network: Values, dataset: Dataset, shape: Shape, coded: bool) -> Family:
    bus = make_bus(recipe, dataset, grid=shape[1] if coded else None)
    return make_family(recipe.family, network, bus, shape, recipe.training.seed, codes=coded)


def _feed(dataset: Dataset, recipe: Recipe, codes: Shape | None, family: Family) -> Callable[[int], Batch]:
    """Return batches to measure with: the real ones, or noise for codes under the real conditions."""
    bus, data = getattr(family, "bus", None), recipe.data
    size = min(BATCH, max(8, len(dataset)))
    size = recipe.training.batch_size if "batch_size" in recipe.training.model_fields_set else size
    loader = Loader(dataset, bus if isinstance(bus, Bus) else Bus({}), batch_size=size, background=data.background)
    if codes is None:
        return loader.batch_at
    first = loader.batch_at(0)
    noise = Streams(0, range(size)).normal(*codes)
    return lambda seen: replace(first, x=noise, streams=Streams(0, range(seen, seen + size)))


def _unets(size: int) -> dict[str, tuple[Values, float]]:
    levels = next((n for n in (3, 2) if size % 2 ** (n - 1) == 0), 0)
    if not levels:
        raise ConfigurationError(f"pictures of side {size} cannot be halved", hint="--size with a multiple of 4")
    return {
        f"{name}: a U-Net of widths {', '.join(map(str, widths[:levels]))}": (
            {"kind": "unet", "widths": list(widths[:levels]), "depth": 1, "attention": [levels - 1], "heads": 4}, 2e-3,
        )
        for name, widths in UNETS.items()
    }  # fmt: skip


def _transformers() -> dict[str, tuple[Values, float]]:
    return {
        f"{name}: a transformer of {depth} blocks of width {width}": (
            {"kind": "transformer", "patch": 1, "width": width, "depth": depth, "heads": heads}, 1e-3,
        )
        for name, (width, depth, heads) in TRANSFORMERS.items()
    }  # fmt: skip


@torch.no_grad()
def fidelity(outer: Any, dataset: Dataset, background: str) -> float:
    """Return how well a coder gives pictures back: their peak signal-to-noise ratio, dB.

    10 log₁₀(4 / mean squared error), pictures being in [-1, 1].
    """
    count = min(64, len(dataset))
    x = Loader(dataset, Bus({}), batch_size=count, background=background).batch_at(0).x
    error = float((outer.decode(outer.encode(x)).clamp(-1, 1) - x).square().mean())
    return 10 * math.log10(4 / max(error, 1e-12))
