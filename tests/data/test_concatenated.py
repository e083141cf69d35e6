"""Several sources as one: rows one after the other, columns together."""

import numpy as np
import pytest

from lienzo.core import DataError
from lienzo.data import Column, Loader, open_source
from lienzo.data.concatenated import Concatenated, parts_of
from lienzo.data.dataset import Dataset


class Plain(Dataset):
    """Pictures of one value each."""

    def __init__(self, name, values, columns, *, licence="", side=4):
        self.name, self.licence, self.shape, self.fingerprint = name, licence, (side, side, 3), name
        self._values, self._said = values, {n: said for n, (_, said) in columns.items()}
        self.columns = {n: column for n, (column, _) in columns.items()}

    def __len__(self):
        return len(self._values)

    def pictures(self, indices):
        return np.stack([np.full(self.shape, self._values[i], np.uint8) for i in indices])

    def values(self, column, indices):
        return [self._said[column][i] for i in indices]


@pytest.fixture
def first():
    label, text = Column("label", ("a", "b")), Column("text")
    return Plain("one", [1, 2], {"kind": (label, ["a", "b"]), "text": (text, [["x"], ["y"]])}, licence="MIT AND X")


@pytest.fixture
def second():
    label, also = Column("label", ("c", "b")), Column("label", ("z",))
    return Plain("two", [7], {"kind": (label, ["c"]), "also": (also, ["z"])}, licence="X AND CC0")


def test_rows_follow_one_another_and_repeat(first, second):
    both = Concatenated([(first, 2), (second, 1)])
    assert len(both) == 5
    assert both.pictures(range(5))[:, 0, 0, 0].tolist() == [1, 2, 1, 2, 7]
    assert both.pictures(np.array([4, 0, 4]))[:, 3, 3, 2].tolist() == [7, 1, 7]
    assert both.pictures([]).shape == (0, 4, 4, 3)
    assert both.name == "one*2 + two"


def test_columns_are_those_of_all_parts(first, second):
    both = Concatenated([(first, 1), (second, 2)])
    assert both.columns["kind"].classes == ("a", "b", "c")
    assert both.values("kind", [0, 1, 2, 3]) == ["a", "b", "c", "c"]
    assert both.values("text", [2, 1]) == [None, ["y"]]
    assert both.values("also", [3, 0]) == ["z", None]
    assert both.licence == "MIT AND X AND CC0"
    with pytest.raises(KeyError, match="no column 'depth'"):
        both.values("depth", [0])


def test_the_fingerprint_is_that_of_parts_and_repeats(first, second):
    prints = {Concatenated(p).fingerprint for p in ([(first, 1)], [(first, 2)], [(first, 1), (second, 1)])}
    assert len(prints) == 3
    assert Concatenated([(first, 2)]).fingerprint in prints


def test_parts_must_fit(first, second):
    with pytest.raises(DataError, match="4 × 4 × 3, but wide of 5 × 5 × 3"):
        Concatenated([(first, 1), (Plain("wide", [1], {}, side=5), 1)])
    with pytest.raises(DataError, match="'kind' is not of one kind"):
        Concatenated([(first, 1), (Plain("odd", [1], {"kind": (Column("text"), [["x"]])}), 1)])
    for none in ([], [(first, 0)]):
        with pytest.raises(DataError, match="missing"):
            Concatenated(none)


def test_specifications_of_several_parts(tmp_path):
    assert parts_of("emoji*3+scenes:50 + x") == [("emoji*3+scenes:50", 1), ("x", 1)]  # spaces decide
    assert parts_of("emoji * 3+scenes:50") == [("emoji", 3), ("scenes:50", 1)]
    assert parts_of("emoji*2") == [("emoji", 2)]
    assert parts_of("a-*.tar") == parts_of("./c++/a.tar") == parts_of("hub:x") == []
    path = tmp_path / "a+b"
    path.mkdir()
    assert parts_of(str(path)) == []


def test_emoji_and_scenes_give_batches(bus_of):
    both = open_source("emoji*2 + scenes:40")
    emoji = open_source("emoji")
    assert len(both) == 2 * len(emoji) + 40
    assert both.columns["style"] == emoji.columns["style"]
    assert both.licence == emoji.licence
    assert both.citation == emoji.citation
    assert both.values("gender", [len(both) - 1]) == [None]
    bus = bus_of("text", "style", "gender", "background")
    batch = Loader(open_source("emoji + scenes:2000", where={"group": "travel-places"}), bus, batch_size=16).batch_at(0)
    assert batch.x.shape == (16, 3, 64, 64)
    assert all(isinstance(text, str) for text in bus["text"].told[0])


def test_sources_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="64 × 64 × 4, but fashion"):
        Concatenated([(open_source("emoji"), 1), (Plain("fashion", [1], {}), 1)])
    with pytest.raises(DataError, match="no source 'nothing'"):
        open_source("emoji + nothing")
