"""From a recipe to objects: the data, the bus that hears it, the family that learns it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from lienzo.conditions import Bus, Condition, Sizes
from lienzo.core import ConfigurationError, Encodes, Family, build, config_of, require
from lienzo.core.registry import REGISTRY, class_named
from lienzo.data import Column, Dataset, open_source
from lienzo.families.latent import as_grid
from lienzo.training.recipes.inner import Find, family_arguments, named_families
from lienzo.training.recipes.parts import Data, Recipe
from lienzo.training.seeding import seeded

Shape = tuple[int, int, int]
KINDS = frozenset(REGISTRY["condition"])
NETWORKS = {"pixels": {"kind": "unet"}, "codes": {"kind": "transformer", "patch": 1}}


def open_data(data: Data, split: str | None = None) -> Dataset:
    """Open a recipe's source; of tars that are streamed, the `Sampled` set that stands for them.

    Raises:
        ConfigurationError: if it names none, or one that cannot be streamed and shall.
        DataError: if it cannot be opened.
    """
    if data.source is None:
        raise ConfigurationError("which pictures shall it learn?", hint="name a source: emoji, or a folder of pictures")
    return open_source(
        data.source, size=data.size, channels=data.channels, split=split or data.split, policy=data.policy,
        max_bad_share=data.max_bad_share, where=data.where, prepare=data.prepare,
        stream=data.stream, sample=data.sample,
    )  # fmt: skip


def make_bus(recipe: Recipe, dataset: Dataset, code: Shape | None = None) -> Bus:
    """Build the bus: the recipe's conditions, completed by what the data knows; if it names none, all that is heard.

    Args:
        recipe: what shall be heard.
        dataset: whose columns are heard; what it sets aside, if the recipe names it.
        code: (C, h, w) of what the network sees, where that is not the picture: maps are folded to its grid.

    Raises:
        ConfigurationError: for a condition of which the data says nothing, unless weights are borrowed that know it, or
            of a kind to which the family is deaf.
    """
    asked, heard = recipe.conditions, heard_by(recipe.family)
    if asked is None:
        known = {name: {} for name in dataset.columns if worth_hearing(dataset, name)}
        asked = {name: config for name, config in known.items() if dataset.columns[name].kind in heard}
    borrows = recipe.start is not None
    conditions = {name: _condition(name, config, dataset, code, borrows) for name, config in asked.items()}
    for name, condition in conditions.items():
        _check_heard(str(recipe.family.get("kind")), name, str(config_of(condition)["kind"]), heard)
    with seeded(recipe.training.seed, "bus"):
        return Bus(conditions, **recipe.bus.model_dump())


def heard_by(family: Mapping[str, Any]) -> frozenset[str]:
    """Return the kinds of conditions that a family listens to; none where it has no bus."""
    if "kind" not in family:
        return KINDS
    cls = class_named("family", str(family["kind"]))
    if "bus" not in inspect.signature(cls.__init__).parameters and "inner" not in family_arguments(cls):
        return frozenset()
    own: frozenset[str] | None = getattr(cls, "hears", None)
    return KINDS if own is None else own


def _check_heard(family: str, name: str, kind: str, heard: frozenset[str]) -> None:
    kind = "map" if kind == "codes" else kind  # a map that a family over codes codes
    if kind in heard or kind not in KINDS:
        return
    able = sorted(other for other in REGISTRY["family"] if kind in heard_by({"kind": other}))
    what = f"the family {family!r} does not hear {name!r}: it listens to {', '.join(sorted(heard)) or 'nothing'}"
    raise ConfigurationError(what, hint=f"leave [conditions.{name}] out, or a family that hears a {kind}: "
                             + ", ".join(able))  # fmt: skip


def worth_hearing(dataset: Dataset, name: str) -> bool:
    """Tell whether a column distinguishes pictures: a label with one class that is said does not."""
    column = dataset.columns[name]
    if column.kind != "label" or name == "background":
        return True
    return len({value for value in dataset.values(name, range(len(dataset))) if value is not None}) > 1


def _condition(name: str, config: Mapping[str, Any], dataset: Dataset, code: Shape | None, borrows: bool) -> Condition:
    column = {**dataset.asides, **dataset.columns}.get(name)
    if column is None and borrows and "kind" in config:
        return build("condition", config)  # of which these pictures say nothing, but the borrowed weights know it
    if column is None:
        known = ", ".join([*dataset.columns, *dataset.asides]) or "no columns at all"
        raise ConfigurationError(f"{dataset.name} says nothing of {name!r}", hint=f"a condition for {known}")
    kind = config.get("kind", column.kind)
    if kind == "codes" and code is None:
        hint = "kind = 'map', or a table [codes]"
        raise ConfigurationError(
            f"[conditions.{name}] is to be heard as codes, but the family learns pixels", hint=hint
        )
    return build("condition", {**_known(column, kind, dataset.shape[0], code), **config})


def _known(column: Column, kind: str, side: int, code: Shape | None) -> dict[str, Any]:
    """Return what the data knows of a condition's arguments."""
    known: dict[str, Any] = {"kind": kind}
    if kind == "label":
        known["classes"] = list(column.classes)
    if kind in ("map", "codes"):
        known |= {"channels": column.channels or 3, "size": side}
        known |= {"before": True} if column.before else {}
    if kind == "codes" and code is not None:
        known["code"] = list(code)
    if kind == "map":
        known["map_kind"] = column.map_kind or "picture"
    if kind == "map" and code is not None:
        known |= {"grid": code[1]} if side % code[1] == 0 else {"size": code[1]}
    return known


def make_family(config: Mapping[str, Any], network: Mapping[str, Any] | None, bus: Bus, shape: Shape, seed: int,
                *, codes: bool = False, find: Find = Path, stored: Mapping[str, Any] | None = None,
                inner: Mapping[str, Family] | None = None) -> Family:  # fmt: skip
    """Build a family, filling in what it takes of network, bus, shape, trained families, and the spread of codes.

    Args:
        config: of the family; where an argument is a family, the name or the folder of a trained one.
        network: of its network, where it has just one; a family with several names them in its own configuration.
        bus: what may be said.
        shape: (C, H, W) of what it draws.
        seed: of its first weights.
        codes: whether it draws codes, which have standard deviation 1.
        find: a model's name → its folder.
        stored: see `named_families`.
        inner: families that are there already, by argument.

    Raises:
        CheckpointError: for the name of a family that is not there.
        ConfigurationError: for a name that does not exist or a value that does not fit.
    """
    inner = inner or {}
    check_family(config, network, inner)
    takes = _takes(str(config["kind"]))
    given: dict[str, Any] = {"bus": bus} if "bus" in takes else {}
    given |= {**named_families(config, bus, find, stored or {}), **inner}
    values: dict[str, Any] = {"shape": list(shape)} if "shape" in takes else {}
    if codes and "sigma_data" in takes:
        values["sigma_data"] = 1.0
    values |= {name: _sized(value, bus.sizes, shape) for name, value in config.items() if name not in given}
    if "network" in takes and "network" not in values:
        values["network"] = _sized(network or NETWORKS["codes" if codes else "pixels"], bus.sizes, shape)
    with seeded(seed, "family"):
        family = build("family", values, **given)
    assert isinstance(family, Family)
    return family


def _takes(kind: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(class_named("family", kind).__init__).parameters


def check_family(config: Mapping[str, Any], network: Mapping[str, Any] | None, inner: Iterable[str] = ()) -> None:
    """Check what can be checked of a recipe's family before anything is opened or trained.

    Args:
        config: of the family.
        network: of its network, if one is said.
        inner: arguments that are given as families.

    Raises:
        ConfigurationError: for a family that does not exist, that has no network to choose, or that needs another one.
    """
    if "kind" not in config:
        raise ConfigurationError("the recipe's [family] needs a 'kind'", hint=f"one of {', '.join(REGISTRY['family'])}")
    kind = str(config["kind"])
    takes = _takes(kind)
    if network is not None and "network" not in takes:
        able = ", ".join(sorted(name for name in REGISTRY["family"] if "network" in _takes(name)))
        raise ConfigurationError(f"the family {kind!r} has no network to choose: its own arguments say its size",
                                 hint=f"leave [network] out, or a family that has one: {able}")  # fmt: skip
    needs = [n for n in family_arguments(class_named("family", kind)) if takes[n].default is inspect.Parameter.empty]
    if any(config.get(name) is None and name not in inner for name in needs):
        raise ConfigurationError(f"a recipe's [family] is what draws the codes, not {kind!r}",
                                 hint="kind = 'diffusion', and a table [codes] that says what codes them")  # fmt: skip


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
    """Return the shape of an outer family's codes; (D, 1, 1) of one vector.

    Raises:
        ConfigurationError: if they are neither a grid nor a vector.
    """
    device = next((p.device for p in outer.parameters()), torch.device("cpu"))
    z = as_grid(require(outer, Encodes).encode(torch.zeros(1, *outer.shape, device=device)))
    if z.ndim != 4:
        raise ConfigurationError(f"{type(outer).__name__} codes a picture as {tuple(z.shape[1:])}, which is neither a "
                                 "grid nor one vector", hint="an outer family such as vae or density")  # fmt: skip
    return (int(z.shape[1]), int(z.shape[2]), int(z.shape[3]))
