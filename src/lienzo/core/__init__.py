"""The protocol that every other room speaks. Names are loaded when they are first used: errors need no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lienzo.core.batch import Batch, Conditions, Said
    from lienzo.core.errors import (
        CapabilityError,
        CheckpointError,
        ConditionError,
        ConfigurationError,
        DataError,
        LienzoError,
    )
    from lienzo.core.family import Denoises, Encodes, Family, Loss, Progress, Scores, require
    from lienzo.core.registry import build, checked, config_of, configurable, register
    from lienzo.core.streams import Streams, derive_seed

__all__ = [
    "Batch", "CapabilityError", "CheckpointError", "ConditionError", "Conditions", "ConfigurationError", "DataError",
    "Denoises", "Encodes", "Family", "LienzoError", "Loss", "Progress", "Said", "Scores", "Streams", "build",
    "checked", "config_of", "configurable", "derive_seed", "register", "require",
]  # fmt: skip

_HOMES = {
    "batch": ("Batch", "Conditions", "Said"),
    "family": ("Denoises", "Encodes", "Family", "Loss", "Progress", "Scores", "require"),
    "registry": ("build", "checked", "config_of", "configurable", "register"),
    "streams": ("Streams", "derive_seed"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "errors")
    value = getattr(import_module(f"lienzo.core.{home}"), name)
    globals()[name] = value
    return value
