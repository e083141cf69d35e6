"""A batch is a pure function of (seed, position), whoever asks for it."""

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import MapCondition
from lienzo.core import ConditionError, ConfigurationError, DataError
from lienzo.data import Loader
from lienzo.data.assemble import one_of
from lienzo.data.background import laid, papers
from lienzo.data.dataset import Column, Table, TableDataset

N = 37


@pytest.fixture
def dataset():
    return numbered(3)


def numbered(channels, count=N):
    """Pictures that show their number, with everything that can be said of them."""
    planes = np.zeros((count, channels, 4, 4), np.uint8)
    planes[:, 0] = np.arange(count)[:, None, None]
    planes[:, :, :, 0] = 255  # the left edge, so that a flip shows
    codes = np.arange(count) % 3
    codes[5:6] = -1
    maps = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    maps[:, :, :, 0] = 200
    table = Table(
        planes, {"label": (codes, ("a", "b", "c"))}, {"text": [[f"{n}", f"n{n}"] for n in range(count)]},
        {"mask": (maps, np.arange(count) != 6, Column("map", map_kind="mask", channels=1))},
    )  # fmt: skip
    return TableDataset("numbered", table)


def same(one, other):
    assert torch.equal(one.x, other.x)
    assert one.streams.indices == other.streams.indices
    assert torch.equal(one.streams.normal(2), other.streams.normal(2))
    assert all(torch.equal(one.conditions[n].present, other.conditions[n].present) for n in one.conditions)


def told(bus):
    return {name: [value for values in bus[name].told for value in values] for name in bus.names}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_batch_depends_on_seed_and_position_alone(bus_of, channels):
    names = ("label", "text", "mask", "background")
    data, first, second = numbered(channels), bus_of(*names), bus_of(*names)
    one = Loader(data, first, batch_size=8, seed=3, flip=0.5)
    for position in range(0, 80, 8):
        one.batch_at(position)
    other = Loader(data, second, batch_size=8, seed=3, flip=0.5)
    same(one.batch_at(72), other.batch_at(72))
    for name, values in told(second).items():
        assert all(np.array_equal(a, b) for a, b in zip(told(first)[name][-8:], values, strict=True)), name


@pytest.mark.parametrize("size", [8, 9])
def test_processes_share_a_batch(bus_of, size):
    data, buses = numbered(4), [bus_of("label", "text", "background") for _ in range(3)]
    whole = Loader(data, buses[0], batch_size=size, seed=1)
    parts = [Loader(data, bus, batch_size=size, seed=1, rank=r, world=2) for r, bus in enumerate(buses[1:])]
    for position in (0, size * 4):  # the second crosses the end of the epoch
        batch, shares = whole.batch_at(position), [part.batch_at(position) for part in parts]
        assert torch.equal(batch.x, torch.cat([share.x for share in shares]))
        assert batch.streams.indices == shares[0].streams.indices + shares[1].streams.indices
    for name in buses[0].names:
        assert Counter(told(buses[0])[name]) == Counter(told(buses[1])[name] + told(buses[2])[name])


def test_numbers_do_not_depend_on_the_batch_size(bus_of):
    one = Loader(numbered(4), bus_of("text"), batch_size=12, seed=1).batch_at(0)
    other = [Loader(numbered(4), bus_of("text"), batch_size=4, seed=1).batch_at(p) for p in (0, 4, 8)]
    assert torch.equal(one.x, torch.cat([batch.x for batch in other]))


def test_every_epoch_shows_every_picture_once_in_another_order(dataset, bus_of):
    loader = Loader(dataset, bus_of(), batch_size=5)
    rows = loader.rows_at(0, 3 * N).reshape(3, N)
    assert (np.sort(rows, axis=1) == np.arange(N)).all()
    assert not (rows[0] == rows[1]).all()
    assert not (rows[0] == Loader(dataset, bus_of(), batch_size=5, seed=1).rows_at(0, N)).all()
    shown = torch.cat([loader.batch_at(p).x for p in range(0, 3 * N, 5)])[: 3 * N, 0, 0, 1]
    assert (((shown + 1) * 127.5).round().numpy() == rows.ravel()).all()


def test_a_batch_may_be_larger_than_the_set(bus_of):
    assert len(Loader(numbered(3, 3), bus_of(), batch_size=16).batch_at(32)) == 16


def test_the_ends_of_the_range_are_exact(bus_of):
    planes = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1) * np.ones((1, 3, 2, 2), np.uint8)
    x = Loader(TableDataset("ends", Table(planes, {}, {}, {})), bus_of(), batch_size=2).batch_at(0).x
    assert sorted(x.unique().tolist()) == [-1.0, 1.0]


def test_conditions_hear_the_columns_of_their_name(dataset, bus_of):
    bus = bus_of("label", "text", "mask", "nothing")
    loader = Loader(dataset, bus, batch_size=N)
    batch, rows = loader.batch_at(0), loader.rows_at(0, N).tolist()
    heard = told(bus)
    assert heard["label"] == [None if row == 5 else "abc"[row % 3] for row in rows]
    assert all(text in (f"{row}", f"n{row}") for text, row in zip(heard["text"], rows, strict=True))
    assert len({text[0] == "n" for text in heard["text"]}) == 2  # both candidates are heard
    assert all((mask is None) == (row == 6) for mask, row in zip(heard["mask"], rows, strict=True))
    assert not batch.conditions["nothing"].present.any()


@pytest.mark.parametrize(
    ("kind", "channels", "size"), [("segmentation", 5, 6), ("depth", 1, 6), ("mask", 1, 8), ("pose", 3, 6)]
)
def test_a_map_that_fits_is_heard_as_the_condition_would_hear_it(kind, channels, size):
    condition = MapCondition(kind, size, channels)
    high = channels if kind == "segmentation" else 256
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, high, (6, 6, 3 if kind == "pose" else 1), np.uint8), None]
    maps[0][: 4 if kind == "pose" else 0] = 0  # a skeleton stands on black
    files = [Image.fromarray(maps[0].squeeze()), None]  # read by Pillow, which resizes
    plain, fast = condition.parse(files), condition.parse(maps)
    assert torch.equal(plain.values[0], fast.values[0])
    assert torch.equal(plain.present, fast.present)


def test_a_class_number_that_is_too_high_is_still_refused():
    condition = MapCondition("segmentation", 6, 5)
    with pytest.raises(ConditionError, match="class numbers"):
        condition.parse([np.full((6, 6, 1), 9, np.uint8)])


def test_a_flip_takes_its_maps_along(dataset, bus_of):
    bus = bus_of("mask")
    loader = Loader(dataset, bus, batch_size=N, flip=0.5)
    flipped = loader.batch_at(0).x[:, 0, 0, 0] < 1
    masks = told(bus)["mask"]
    assert 5 < int(flipped.sum()) < N - 5
    for flip, mask in zip(flipped.tolist(), masks, strict=True):
        assert mask is None or (mask[0, 3, 0] if flip else mask[0, 0, 0]) == 200


def test_backgrounds_are_mixed_in_their_shares():
    names, colours = papers("mixed", torch.rand(8000, 4, generator=torch.Generator().manual_seed(0)))
    shares = {name: n / 8000 for name, n in Counter(names).items()}
    assert shares == pytest.approx({"white": 0.5, "dark": 0.125, "colour": 0.375}, abs=0.02)
    for name, colour in zip(names, colours, strict=True):
        assert name != "white" or bool((colour == 1).all())
        assert name != "dark" or float(colour.max()) < 0.1
    assert float(colours.std(0).min()) > 0.2


def test_compositing_is_the_mean_weighted_by_alpha():
    planes = torch.randint(0, 256, (5, 4, 3, 3), dtype=torch.uint8)
    paper = torch.rand(5, 3)
    alpha = planes[:, 3:].double() / 255
    expected = (planes[:, :3].double() / 255 * alpha + paper[:, :, None, None].double() * (1 - alpha)) * 2 - 1
    assert torch.allclose(laid(planes, paper).double(), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["white", "dark", "colour"])
def test_one_background_is_told_for_all(bus_of, name):
    bus = bus_of("background")
    x = Loader(numbered(4), bus, batch_size=N, background=name).batch_at(0).x
    assert set(told(bus)["background"]) == {name}
    below = x[:, :, :, 1]  # transparent there
    assert {"white": bool((below == 1).all()), "dark": bool((below < -0.79).all()), "colour": True}[name]


def test_an_opaque_set_has_no_background_to_tell(dataset, bus_of):
    bus = bus_of("background")
    Loader(dataset, bus, batch_size=4).batch_at(0)
    assert told(bus)["background"] == [None] * 4


def test_one_of_reaches_every_text():
    texts = ["a", "b", "c"]
    assert {one_of(texts, draw) for draw in (0.0, 0.4, 0.999999)} == set(texts)
    assert one_of(None, 0.5) is None


@pytest.mark.parametrize(
    "wrong", [{"background": "blue"}, {"rank": 2, "world": 2}, {"batch_size": 1, "world": 2}, {"flip": 2.0}]
)
def test_what_cannot_be(dataset, bus_of, wrong):
    with pytest.raises(ConfigurationError, match="\n  try: "):
        Loader(dataset, bus_of(), **{"batch_size": 4} | wrong)


def test_an_empty_set_and_a_negative_position(dataset, bus_of):
    with pytest.raises(DataError, match="empty"):
        Loader(TableDataset("none", dataset.table, np.zeros(0, np.int64)), bus_of(), batch_size=1)
    with pytest.raises(ConfigurationError, match="position -1"):
        Loader(dataset, bus_of(), batch_size=4).batch_at(-1)


def test_an_unknown_column_is_named(dataset):
    with pytest.raises(KeyError, match="no column 'lable'; it has label, text, mask"):
        dataset.values("lable", [0])
