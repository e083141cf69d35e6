"""How the pictures are looked at that all are held against: as everybody saw them in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lienzo.api.compare.entrants import Entrant
from lienzo.api.find import folder_of
from lienzo.api.view import View, learnt_view, recipe_in
from lienzo.core import ConfigurationError
from lienzo.training.checkpoint import resolve
from lienzo.training.recipes import read_recipe

VIEW = ("policy", "where", "stream", "sample")  # of a recipe's [data]


def common_view(takers: Sequence[Entrant], source: str, data: Mapping[str, Any]) -> View:
    """Return how all look at a source.

    Args:
        takers: who takes part.
        source: of the pictures.
        data: what is said of every recipe's [data]; it counts for all.

    Raises:
        ConfigurationError: if some have learnt it in another way than others, and nothing is said.
    """
    each = {taker.name: _view_of(taker, source).plain() for taker in takers}
    said = {name: data[name] for name in VIEW if name in data}
    (first, known), *rest = each.items()
    for name in (name for name in VIEW if name not in said):
        other = next((taker for taker, view in rest if view.get(name) != known.get(name)), None)
        if other is not None:
            two = f"{known.get(name)!r} and {each[other].get(name)!r}"
            what = f"{first} and {other} see the pictures in two ways: {name} {two}"
            raise ConfigurationError(what, hint=f"--set data.{name}=… for all, or one comparison each")
    return View(**{**known, **said})


def _view_of(taker: Entrant, source: str) -> View:
    """Return how one looks at it, if nothing else is said."""
    if taker.kind == "model":
        return learnt_view(recipe_in(resolve(folder_of(taker.run))), source)
    if taker.recipe is None:
        return View()
    data = read_recipe(taker.recipe).get("data", {})
    return View(**{name: data[name] for name in VIEW if name in data})
