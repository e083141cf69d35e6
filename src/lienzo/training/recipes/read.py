"""A recipe's file, and what the command line says differently."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lienzo.core import ConfigurationError


def read_recipe(file: Path | str) -> dict[str, Any]:
    """Read a recipe's plain values from TOML, or from the JSON that a run wrote.

    Raises:
        ConfigurationError: for a file that is missing or is neither.
    """
    path = Path(file).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"cannot read the recipe {path}: {reason}", hint="a .toml file") from None
    try:
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            f"the recipe {path} is not valid: {error}", hint="see recipes/quickstart.toml"
        ) from None


def overridden(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return a recipe with some values said differently.

    Args:
        values: plain values.
        settings: "path.of.value=VALUE" each, VALUE as in TOML; what is no TOML is taken as a text.

    Raises:
        ConfigurationError: for anything else.

    >>> overridden({"training": {"batch_size": 8}}, ["training.learning_rate=3e-4", "name=boats"])
    {'training': {'batch_size': 8, 'learning_rate': 0.0003}, 'name': 'boats'}
    """
    result = merged({}, values)
    for setting in settings:
        path, equals, text = setting.partition("=")
        names = [name.strip() for name in path.split(".")]
        if not equals or not all(names):
            raise ConfigurationError(f"cannot set {setting!r}", hint="NAME=VALUE, e.g. training.learning_rate=3e-4")
        result = merged(result, nested(names, parsed(text.strip())))
    return result


def nested(names: list[str], value: Any) -> dict[str, Any]:
    """Return {a: {b: value}} for names a, b."""
    for name in reversed(names):
        value = {name: value}
    return value


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, tables within tables; where both say something the second one counts."""
    result = dict(first)
    for name, value in second.items():
        before = result.get(name)
        inside: Mapping[str, Any] = before if isinstance(before, Mapping) else {}
        result[name] = merged(inside, value) if isinstance(value, Mapping) else value
    return result


def parsed(text: str) -> Any:
    """Read a value as TOML would, "none" as nothing, and else as a text.

    >>> parsed("3e-4"), parsed("[1, 2]"), parsed("adamw"), parsed("none")
    (0.0003, [1, 2], 'adamw', None)
    """
    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
