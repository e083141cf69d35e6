"""From a recipe to objects: the data, the bus that hears it, the family that learns it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from lienzo.conditions import Bus, Condition, Sizes
from lienzo.core import ConfigurationError, Encodes, Family, build, derive_seed, require
from lienzo.core.registry import REGISTRY, class_named
from lienzo.data import Column, Dataset, open_source
from lienzo.training.recipes.parts import Data, Recipe

Shape = tuple[int, int, int]
NETWORKS = {"pixels": {"kind": "unet"}, "codes": {"kind": "transformer", "patch": 1}}


def open_data(data: Data, split: str | None = None) -> Dataset:
    """Open a recipe's source.

    Raises:
        ConfigurationError: if it names none.
        DataError: if it cannot be opened.
    """
    if data.source is None:
        raise ConfigurationError("which pictures shall it learn?", hint="name a source: emoji, or a folder of pictures")
    return open_source(
        data.source, size=data.size, channels=data.channels, split=split or data.split, policy=data.policy,
        max_bad_share=data.max_bad_share, where=data.where,
    )  # fmt: skip


def make_bus(recipe: Recipe, dataset: Dataset, grid: int | None = None) -> Bus:
    """Build the bus: the recipe's conditions, completed by what the data knows; all columns if it names none.

    Args:
        recipe: what shall be heard.
        dataset: whose columns are heard.
        grid: side of what the network sees, where that is not the picture: maps are brought to it.

    Raises:
        ConfigurationError: for a condition of which the data says nothing, unless weights are borrowed that know it.
    """
    asked = recipe.conditions
    if asked is None:
        asked = {name: {} for name in dataset.columns if worth_hearing(dataset, name)}
    side = grid or dataset.shape[0]
    borrows = recipe.start is not None
    conditions = {name: _condition(name, config, dataset, side, borrows) for name, config in asked.items()}
    with seeded(recipe.training.seed, "bus"):
        return Bus(conditions, **recipe.bus.model_dump())


def worth_hearing(dataset: Dataset, name: str) -> bool:
    """Tell whether a column distinguishes pictures: a label with one class that is said does not."""
    column = dataset.columns[name]
    if column.kind != "label" or name == "background":
        return True
    return len({value for value in dataset.values(name, range(len(dataset))) if value is not None}) > 1


def _condition(name: str, config: Mapping[str, Any], dataset: Dataset, side: int, borrows: bool) -> Condition:
    column = dataset.columns.get(name)
    if column is None and borrows and "kind" in config:
        return build("condition", config)  # of which these pictures say nothing, but the borrowed weights know it
    if column is None:
        known = ", ".join(dataset.columns) or "no columns at all"
        raise ConfigurationError(f"{dataset.name} says nothing of {name!r}", hint=f"a condition for {known}")
    return build("condition", {**_known(column, config.get("kind", column.kind), side), **config})


def _known(column: Column, kind: str, side: int) -> dict[str, Any]:
    """Return what the data knows of a condition's arguments."""
    known: dict[str, Any] = {"kind": kind}
    if kind == "label":
        known["classes"] = list(column.classes)
    if kind == "map":
        known |= {"map_kind": column.map_kind or "picture", "channels": column.channels or 3, "size": side}
    return known


def make_family(config: Mapping[str, Any], network: Mapping[str, Any] | None, bus: Bus, shape: Shape, seed: int,
                *, codes: bool = False) -> Family:  # fmt: skip
    """Build a family, filling in what it takes of network, bus, shape, and the spread of codes.

    Args:
        config: of the family.
        network: of its network, where it has just one; a family with several names them in its own configuration.
        bus: what may be said.
        shape: (C, H, W) of what it draws.
        seed: of its first weights.
        codes: whether it draws codes, which have standard deviation 1.

    Raises:
        ConfigurationError: for a name that does not exist or a value that does not fit.
    """
    if "kind" not in config:
        raise ConfigurationError("the recipe's [family] needs a 'kind'", hint=f"one of {', '.join(REGISTRY['family'])}")
    takes = inspect.signature(class_named("family", str(config["kind"])).__init__).parameters
    if network is not None and "network" not in takes:
        raise ConfigurationError(f"a {config['kind']} has no network to choose", hint="leave [network] out")
    given: dict[str, Any] = {"bus": bus} if "bus" in takes else {}
    values: dict[str, Any] = {"shape": list(shape)} if "shape" in takes else {}
    if codes and "sigma_data" in takes:
        values["sigma_data"] = 1.0
    values |= {name: _sized(value, bus.sizes, shape) for name, value in config.items()}
    if "network" in takes and "network" not in values:
        values["network"] = _sized(network or NETWORKS["codes" if codes else "pixels"], bus.sizes, shape)
    with seeded(seed, "family"):
        family = build("family", values, **given)
    assert isinstance(family, Family)
    return family


def _sized(value: Any, sizes: Sizes, shape: Shape) -> Any:
    """Return a network's configuration with the shape and the condition channels filled in; all else as it is."""
    if not isinstance(value, Mapping):
        return value
    config: dict[str, Any] = {str(name): entry for name, entry in value.items()}
    if config.get("kind") not in REGISTRY["network"]:
        return config
    takes = inspect.signature(class_named("network", config["kind"]).__init__).parameters
    known = {"shape": list(shape), "sizes": vars(sizes)}
    return {**{name: entry for name, entry in known.items() if name in takes}, **config}


@torch.no_grad()
def code_shape(outer: Family) -> Shape:
    """Return the shape of an outer family's codes.

    Raises:
        ConfigurationError: if they are no grid.
    """
    device = next((p.device for p in outer.parameters()), torch.device("cpu"))
    z = require(outer, Encodes).encode(torch.zeros(1, *outer.shape, device=device))
    if z.ndim != 4:
        raise ConfigurationError(f"{type(outer).__name__} codes a picture as {tuple(z.shape[1:])}, not as a grid",
                                 hint="an outer family such as vae")  # fmt: skip
    return (int(z.shape[1]), int(z.shape[2]), int(z.shape[3]))


class seeded:  # noqa: N801  (a context manager, named as it reads)
    """Within the block torch's global generator is seeded; afterwards it is as before."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._fork: Any = torch.random.fork_rng(devices=[])
        self._seed = derive_seed(seed, purpose)

    def __enter__(self) -> None:
        self._fork.__enter__()
        torch.manual_seed(self._seed)

    def __exit__(self, *error: Any) -> None:
        self._fork.__exit__(*error)
