"""The captions that a concept is taught beside: few, and none that asks for an edit."""

from __future__ import annotations

import pytest

from lienzo.api.adapt import concept
from lienzo.core import DataError
from lienzo.training.recipes.parts import Data


def test_nothing_is_drawn_to_read_captions(monkeypatch: pytest.MonkeyPatch):
    opened = list[Data]()

    def not_here(data: Data) -> None:
        opened.append(data)
        raise DataError("not here")

    monkeypatch.setattr(concept, "open_data", not_here)
    recipe = {"data": {"source": "emoji*6 + scenes:80000 + edits:80000", "size": 64, "prepare": True}}
    assert concept.captions_of(recipe, "my dog") == []
    assert (opened[0].source, opened[0].prepare) == ("emoji*6 + scenes:2000", False)
    monkeypatch.undo()
    scenes = concept.captions_of({"data": {"source": "scenes:40 + edits:40"}}, "dog")
    assert 20 < len(scenes) <= 40
    assert not any("dog" in text.split() for text in scenes)
    assert concept.captions_of({"data": {"source": "edits:40"}}, "dog") == []
