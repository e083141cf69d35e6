"""A family within a family that was trained before: a recipe names it, and its weights become part of the new one."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from lienzo.conditions import Bus
from lienzo.core import ConfigurationError, Family, build, config_of
from lienzo.core.registry import REGISTRY, class_named
from lienzo.families.latent import Latent
from lienzo.training.checkpoint import CONFIG, newest_sound, plain
from lienzo.training.folder import read_json
from lienzo.training.opening import load

Find = Callable[[str], Path]
Values = Mapping[str, Any]


def family_arguments(cls: type) -> dict[str, type[Family]]:
    """Return the arguments of a constructor that are families, by their annotations: name → class."""
    found: dict[str, type[Family]] = {}
    for name, hint in get_type_hints(cls.__init__).items():  # type: ignore[misc]
        union = get_origin(hint) in (Union, types.UnionType)
        kinds = [k for k in (get_args(hint) if union else (hint,)) if isinstance(k, type) and issubclass(k, Family)]
        if kinds and name != "return":
            found[name] = kinds[0]
    return found


def named_in(config: Values) -> list[str]:
    """Return the names and paths by which a recipe's family calls trained ones."""
    within = family_arguments(class_named("family", str(config.get("kind"))))
    return [value for name, value in config.items() if name in within and isinstance(value, str)]


def place_for(cls: type, config: Values, coder: Family) -> str | None:
    """Return the argument that takes a coder, e.g. the `tokenizer` of token models; None where there is none to fill.

    Args:
        cls: of the family that learns.
        config: what a recipe says of it.
        coder: what codes pictures for it.
    """
    able = [name for name, kind in family_arguments(cls).items() if isinstance(coder, kind) and kind is not Family]
    return next((name for name in able if config.get(name) is None), None)


def takes_coder(cls: type, kind: str) -> bool:
    """Tell whether a family has a place of its own for a coder of another family."""
    coder = class_named("family", kind)
    return any(issubclass(coder, wanted) and wanted is not Family for wanted in family_arguments(cls).values())


def named_families(config: Values, bus: Bus, find: Find, stored: Values) -> dict[str, Family]:
    """Return the trained families that a recipe names by path or name: argument → family.

    Args:
        config: what a recipe says of a family.
        bus: what may be said to it.
        find: a model's name → its folder.
        stored: the configuration that a run was begun with, if it was: it holds the inner families whole, and a
            checkpoint their weights, so that nothing has to be found again.

    Raises:
        CheckpointError: for a name without a model.
        ConfigurationError: for a model that does not fit.
    """
    found: dict[str, Family] = {}
    stored = stored if stored.get("kind") == config["kind"] else {}
    for argument, kind in family_arguments(class_named("family", str(config["kind"]))).items():
        value = config.get(argument)
        if not isinstance(value, str):
            continue
        before = stored.get(argument)
        inner = build("family", before) if isinstance(before, Mapping) else _fitting(load(find(value)), kind)
        if not isinstance(inner, kind):
            wants = next((name for name, at in REGISTRY["family"].items() if at.endswith(f":{kind.__name__}")), "other")
            what = f"the {argument} {value!r} is a {type(inner).__name__}, not a {kind.__name__}"
            raise ConfigurationError(what, hint=f"a model of the family {wants}")
        _agree(inner, bus, f"the {argument} {value!r}")
        found[argument] = inner
    return found


def stored_family(out: Path) -> dict[str, Any]:
    """Return the configuration of the family that a run's checkpoints hold; of one over codes, of what draws them."""
    folder = newest_sound(out)[0] if out.is_dir() else None
    config: dict[str, Any] = read_json(folder / CONFIG) if folder is not None else {}
    return config["inner"] if config.get("kind") == "latent" else config


def _fitting(family: Family, kind: type[Family]) -> Family:
    """Return a model itself or, of one over codes, the part of it that fits."""
    parts = [family, family.inner, family.outer] if isinstance(family, Latent) else [family]
    return next((part for part in parts if isinstance(part, kind)), family)


def _agree(inner: Family, bus: Bus, who: str) -> None:
    """Check that an inner family understands what is said to the new one: it is told the same numbers."""
    own = getattr(inner, "bus", None)
    if not isinstance(own, Bus):
        return
    for name in bus.names:
        if name not in own.names:
            hint = f"[conditions] with {', '.join(own.names) or 'nothing'}"
            raise ConfigurationError(f"{who} does not hear {name!r}", hint=hint)
        if plain(config_of(bus[name])) != plain(config_of(own[name])):
            raise ConfigurationError(f"{who} hears {name!r} in other words than the new model would",
                                     hint=f"[conditions.{name}] as the other model's config.json has it")  # fmt: skip
