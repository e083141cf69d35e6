"""Pairs of scenes that differ in one thing: nothing else changes, what is kept stays, the words say what was done."""

import re

import numpy as np
import pytest

from lienzo.data import open_source
from lienzo.data.scenes.combinations import combination
from lienzo.data.scenes.edits import Edited
from lienzo.data.scenes.pairs import seen_whole
from lienzo.data.scenes.wordings import KEEP, PALABRAS

COUNT = 200
OPERATIONS = ("weather", "add", "remove", "replace", "recolour", "move")


@pytest.fixture(scope="module")
def edits():
    return open_source(f"edits:{COUNT}")


@pytest.fixture(scope="module")
def drawn(edits) -> Edited:
    return edits.table.planes


def of_operation(edits, *names):
    return [row for row, name in enumerate(edits.values("operation", range(COUNT))) if name in names]


def pair(edits, row):
    before, mask = edits.values("image", [row])[0], edits.values("mask", [row])[0][:, :, 0]
    return before, edits.pictures([row])[0, :, :, :3], mask


def test_a_pair_is_a_row(edits):
    assert set(edits.columns) == {"style", "text", "image", "mask", "segmentation", "depth", "lines", "pose"}
    assert edits.shape == (64, 64, 4)
    assert edits.columns["image"].map_kind == "picture"
    assert set(edits.values("operation", range(COUNT))) == set(OPERATIONS)
    moved = of_operation(edits, "move")
    again = open_source(f"edits:{COUNT}", where={"operation": "move"})
    assert again.rows.tolist() == moved
    assert (again.pictures([1, 0]) == edits.pictures([moved[1], moved[0]])).all()
    assert again.values("text", [1, 0]) == edits.values("text", [moved[1], moved[0]])


def test_nothing_changes_outside_of_the_mask_and_something_inside(edits):
    for row in range(COUNT):
        before, after, mask = pair(edits, row)
        assert set(np.unique(mask)) <= {0, 255}
        assert (before[mask == 0] == after[mask == 0]).all()
        assert (before != after).any(-1).mean() > 0.001, edits.values("text", [row])


def test_what_is_drawn_afterwards_needs_no_cutting_but_for_what_is_kept(drawn):
    """The pictures are equal outside of the mask since they are drawn so, not because one is pasted over the other."""
    for row in range(COUNT):
        change, done = drawn.change(row), drawn._pair(row)
        if change.kept is None:
            assert (done.drawing.pixels == done.after).all()


def test_a_mask_says_little_of_a_things_shape(edits):
    for row in of_operation(edits, "add", "remove"):
        before, after, mask = pair(edits, row)
        changed = (before != after).any(-1)
        assert (mask > 0).mean() < 1
        assert (mask > 0).sum() > 1.05 * changed.sum()


def test_what_is_kept_is_the_same_to_the_last_pixel_and_bare_of_snow(edits, drawn):
    kept = [row for row in range(COUNT) if drawn.change(row).kept is not None]
    assert len(kept) > 15
    for row in kept:
        change = drawn.change(row)
        before, after, mask = pair(edits, row)
        whole = seen_whole(change.kept, change.before, drawn.cast(row), 64)
        assert whole.sum() > 10
        assert (before[whole] == after[whole]).all()
        assert (mask[whole] == 0).all()
        assert (mask[~whole] == 255).all()
        assert change.before.weather in ("clear", "night")
        tails = [tail.split("{")[0].strip(" ;,.") for tails in KEEP for tail in tails]
        assert all(any(tail in text for tail in tails) for text in edits.values("text", [row])[0])


def test_a_change_of_weather_leaves_things_and_hills_where_they_are(edits, drawn):
    for row in of_operation(edits, "weather")[:40]:
        change = drawn.change(row)
        assert [layer.box for layer in change.after.layers] == [layer.box for layer in change.before.layers]
        assert (change.after.weather, change.after.sky) != (change.before.weather, change.before.sky)
        assert (change.after.ground == "snow") == (change.after.weather == "snow")
    rows = of_operation(edits, "weather")[:8]
    for first, last in zip(open_source(f"scenes:{COUNT}").values("segmentation", rows),
                           edits.values("segmentation", rows), strict=True):  # fmt: skip
        assert (first == last).all()


def test_no_training_pair_shows_a_combination_that_is_held_out(drawn):
    for row in range(COUNT):
        for scene in (drawn.change(row).before, drawn.change(row).after):
            assert {combination(scene, layer, drawn.cast(row)) for layer in scene.layers} <= {"train"}


def test_each_operation_does_what_it_says(drawn):
    for row in range(COUNT):
        change = drawn.change(row)
        first = {layer.depth: layer for layer in change.before.layers}
        last = {layer.depth: layer for layer in change.after.layers}
        if change.operation == "weather":
            continue
        assert change.before.weather == change.after.weather
        same = [depth for depth in first if last.get(depth) == first[depth]]
        (depth,) = change.depths
        assert depth not in same
        assert len(set(first) | set(last)) - len(same) == 1
        gone, come = depth not in last, depth not in first
        assert (gone, come) == (change.operation == "remove", change.operation == "add")
        if change.operation == "move":
            by = last[depth].box[0] - first[depth].box[0]
            assert abs(by) > 0.16
            assert (by > 0) == (change.word == "right")
        if change.operation == "replace":
            assert first[depth].row != last[depth].row


def test_instructions_are_said_in_both_languages_in_several_ways(edits, drawn):
    for row in range(COUNT):
        texts, change = edits.values("text", [row])[0], drawn.change(row)
        assert 5 <= len(texts) <= 9
        assert len(set(texts)) == len(texts)
        assert not any(re.search(r"[{}]|  |\ba a\b|\bel el\b|\bde el\b|\bthe an?\b", text) for text in texts)
        if change.hour == "snow":
            assert any("snow" in text for text in texts)
            assert any("niev" in text or "nev" in text for text in texts)
        if change.operation == "move":
            assert any(change.word in text for text in texts)
            assert any(PALABRAS[change.word] in text for text in texts)
    said = {text for texts in edits.values("text", range(COUNT)) for text in texts}
    assert len(said) > 4 * COUNT
    assert any("keep everything else" in text or "the rest" in text for text in said)


def test_edits_join_scenes_and_emoji():
    both = open_source("emoji + scenes:20 + edits:20")
    rows = [0, len(both) - 30, len(both) - 1]
    assert [image is None for image in both.values("image", rows)] == [True, True, False]
    assert both.pictures(rows).shape == (3, 64, 64, 4)
