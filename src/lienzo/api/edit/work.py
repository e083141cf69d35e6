"""What an operation on a picture is given: the model, what was asked for, and what the model sees of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from lienzo.api.asked import rows_asked
from lienzo.api.edit.asked import Asked
from lienzo.api.model import Model
from lienzo.core import Conditions, Streams
from lienzo.editing import Space, Walk, Way, space_of
from lienzo.editing.space import silent

WALK = {"steps": "steps", "solver": "solver", "guidance": "guidance", "guidance_interval": "interval"}
WAY = ("by", "repeats", "length", "rounds", "eta", "settle")


@dataclass(frozen=True)
class Work:
    """Everything that an operation needs.

    Attributes:
        model: in use.
        asked: by the user.
        x: (1, C, H, W) in [-1, 1], what the model sees.
        keep: (1, 1, H, W), 1 where it may not change.
        strength: of this operation.
        indices: the numbers of the edits within the seed.
        called: once a network call.
    """

    model: Model
    asked: Asked
    x: Tensor
    keep: Tensor
    strength: float
    indices: Sequence[int]
    called: Callable[[], None] = field(default=silent, repr=False)

    @property
    def rows(self) -> Tensor:
        """What the model sees, once an edit."""
        return self.x.expand(len(self.indices), -1, -1, -1)

    @property
    def streams(self) -> Streams:
        """The randomness of each edit."""
        return Streams(self.asked.seed, list(self.indices), name="edit")

    @property
    def space(self) -> Space:
        """Where the family denoises."""
        return space_of(self.model.family, self.called)

    @property
    def walk(self) -> Walk:
        """How: the model's own defaults, and what was asked for."""
        plain = {**self.model.defaults.get("options", {}), **self.asked.options}
        return Walk(**{WALK[name]: value for name, value in plain.items() if name in WALK})

    @property
    def way(self) -> Way:
        """How what is kept is heard."""
        return Way(**{name: value for name, value in self.asked.options.items() if name in WAY})

    def said(self, words: str, count: int | None = None, **unsaid: None) -> Conditions:
        """Return what the model hears: words and labels."""
        return heard(self.model, {"text": words or None, **self.asked.said, **unsaid}, count or len(self.indices))


def heard(model: Model, said: dict[str, Any], count: int) -> Conditions:
    """Return conditions of `count` equal rows; without the model's defaults: the picture says what it stands on."""
    said = {name: value for name, value in said.items() if value is not None}
    rows = rows_asked(model.bus, said, count, {})
    return model.bus.parse({name: [row.get(name) for row in rows] for name in model.bus.names}, count).to(model.device)
