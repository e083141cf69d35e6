"""The protocol that every other room speaks."""

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
