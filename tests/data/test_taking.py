"""What is taken out of a source is the same source again, as a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lienzo.core import DataError
from lienzo.data import open_source, take
from lienzo.data.dataset import Dataset


@pytest.mark.parametrize("source", ["emoji", "openmoji-maps"])
def test_a_folder_says_what_the_source_said(source: str, tmp_path: Path) -> None:
    there = open_source(source, size=64, progress=False)
    rows = [3, 50, 200]
    take(there, rows, tmp_path / "some")
    here = open_source(str(tmp_path / "some"), size=64, split="all", progress=False)
    order = sorted(range(3), key=lambda n: f"{n:04}")
    assert len(here) == 3
    before, after = there.pictures(rows), here.pictures(order)
    assert np.array_equal(seen(before), seen(after))
    maps = [name for name, column in there.columns.items() if column.kind == "map"]
    assert set(maps) == {name for name, column in here.columns.items() if column.kind == "map"}
    for name in maps:
        assert_alike(there, here, name, rows, order)
    assert [set(t) for t in there.values("text", rows)] == [set(t) for t in here.values("text", order)]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        take(open_source("emoji", progress=False), [0], tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def seen(pictures: np.ndarray) -> np.ndarray:
    """Return colours on white: what lies under full transparency is nobody's."""
    share = pictures[..., 3:] / 255.0 if pictures.shape[-1] == 4 else 1.0
    return (pictures[..., :3] * share + 255 * (1 - share)).round()


def assert_alike(there: Dataset, here: Dataset, name: str, rows: list[int], order: list[int]) -> None:
    for one, other in zip(there.values(name, rows), here.values(name, order), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert np.array_equal(one[..., 0], other[..., 0])
