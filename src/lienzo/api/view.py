"""How a source is looked at when a model is held against it: as the model saw it while it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lienzo.api.model import Model
from lienzo.data.built import SAMPLE
from lienzo.data.dataset import Dataset
from lienzo.data.open import open_source
from lienzo.data.pixels import Policy
from lienzo.data.splits import Where
from lienzo.training.folder import read_json
from lienzo.training.recipes.stages import RECIPE


@dataclass(frozen=True)
class View:
    """How pictures become square, and which are kept.

    Attributes:
        policy: "crop" the middle, "pad" with white, or "squash".
        where: label → the class or classes to keep.
        stream, sample: which part of tars stands for them, as in `open_source`; None: not said.
    """

    policy: Policy = "crop"
    where: Where = field(default_factory=dict[str, Any])
    stream: bool | None = None
    sample: int | None = None

    def open(self, source: str, shape: tuple[int, int, int], split: str, *, progress: bool = True) -> Dataset:
        """Open a source as pictures of a model's `shape` (C, H, W).

        Raises:
            DataError: if it cannot be opened.
        """
        channels, side, _ = shape
        return open_source(
            source, size=side, channels=channels, split=split, policy=self.policy, where=self.where, progress=progress,
            stream=self.stream, sample=self.sample or SAMPLE,
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        each = {name: [kept] if isinstance(kept, str) else list(kept) for name, kept in self.where.items()}
        part = {name: said for name, said in (("stream", self.stream), ("sample", self.sample)) if said is not None}
        return {"policy": self.policy, "where": each, **part}


def view_for(model: Model, source: str, policy: Policy | None = None, where: Where | None = None) -> View:
    """Return what is said, completed by the recipe that a model was trained with, if it is known.

    Args:
        model: who is measured.
        source: what it is held against. Which classes are kept is the recipe's matter only where that is its source.
        policy: how pictures become square; None: not said.
        where: label → the class or classes to keep; None: not said.
    """
    learnt = learnt_view(recipe_in(model.folder), source)
    return replace(learnt, **{name: said for name, said in (("policy", policy), ("where", where)) if said is not None})


def learnt_view(recipe: Mapping[str, Any], source: str) -> View:
    """Return how a recipe looks at a source; what of it is kept is its matter only where that is its source."""
    learnt = recipe.get("data", {})
    own = learnt if learnt.get("source") == source else {}
    return View(learnt.get("policy", "crop"), own.get("where", {}), own.get("stream"), own.get("sample"))


def recipe_in(folder: Path) -> dict[str, Any]:
    """Return the recipe of a checkpoint's run, or that which lies beside shipped weights; empty where there is none."""
    places = (folder / RECIPE, folder.parent.parent / RECIPE)
    return next((read_json(place) for place in places if place.is_file()), {})
