"""Scenes: drawn from their number alone, of emoji of one split, and described as they are."""

import dataclasses

import numpy as np
import pytest

from lienzo.core import DataError
from lienzo.data import open_source, sources
from lienzo.data.scenes import Layer, source
from lienzo.data.scenes.nouns import noun_of, together
from lienzo.data.scenes.weather import snow_on

SNOW = ("snow", "nieve", "nieva", "nevando")


@pytest.fixture(scope="module")
def scenes():
    return open_source("scenes:300")


def of_weather(dataset, weather):
    return [row for row in range(len(dataset)) if dataset.table.planes.scene(row).weather == weather]


def test_there_are_as_many_as_asked(scenes):
    assert len(scenes) == 300
    assert len(open_source("scenes:300", split="validation")) == 15
    assert len(open_source("scenes:300", split="train+validation+test")) == 330
    assert {info.name: info.count for info in sources()}["scenes"] == source.COUNT == 12_000
    for bad in ("scenes:0", "scenes:many", "edits:0", "edits:x", "combinations:0"):
        with pytest.raises(DataError, match="scenes"):
            open_source(bad)


def test_they_say_what_emoji_say(scenes):
    emoji = open_source("emoji")
    maps = {"segmentation", "depth", "lines", "pose"}
    assert set(scenes.columns) == {"style", "group", "subgroup", "text"} | maps
    assert {name for name, column in scenes.columns.items() if column.kind == "map"} == maps
    assert set(scenes.asides) == {"weather", "action", "instances", "reference"}
    for name in ("style", "group", "subgroup"):
        assert scenes.columns[name] == emoji.columns[name]
    assert scenes.licence == emoji.licence
    noto = open_source("scenes:300", where={"style": "noto"})
    assert set(noto.values("style", range(len(noto)))) == {"noto"}
    assert 0 < len(noto) < 300


def test_a_scene_depends_on_its_number_alone(scenes):
    again = open_source("scenes:20")
    rows = [7, 3, 11]
    assert (again.pictures(rows[::-1])[::-1] == scenes.pictures(rows)).all()
    assert again.values("text", rows) == scenes.values("text", rows)
    assert again.values("style", rows) == scenes.values("style", rows)
    assert len({picture.tobytes() for picture in scenes.pictures(range(20))}) == 20
    assert again.fingerprint != scenes.fingerprint


def test_nothing_is_transparent_at_any_size(scenes):
    assert scenes.shape == (64, 64, 4)
    assert (scenes.pictures(range(8))[..., 3] == 255).all()
    large, grey = open_source("scenes:9", size=96), open_source("scenes:9", channels=1)
    assert large.pictures([0]).shape == (1, 96, 96, 4)
    assert grey.pictures([0]).shape == (1, 64, 64, 1)
    small = large.pictures([0])[0, :, :, :3].reshape(32, 3, 32, 3, 3).mean((1, 3))
    same = scenes.pictures([0])[0, :, :, :3].reshape(32, 2, 32, 2, 3).mean((1, 3))
    other = scenes.pictures([1])[0, :, :, :3].reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(small - same).mean() < np.abs(small - other).mean() / 2


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_shows_emoji_of_that_split_and_of_one_style(split):
    scenes, emoji = open_source("scenes:300", split=split), open_source("emoji", split=split)
    styles, classes = emoji.table.labels["style"]
    there = set(emoji.rows.tolist())
    for row in range(min(len(scenes), 60)):
        scene = scenes.table.planes.scene(row)
        used = [layer.row for layer in scene.layers]
        assert set(used) <= there
        assert {classes[styles[each]] for each in used} == {scene.style} == {scenes.values("style", [row])[0]}


def test_layers_stand_on_the_ground_nearest_first(scenes):
    seen = [scenes.table.planes.scene(row) for row in range(300)]
    assert 0.5 < np.mean([len(scene.layers) == 1 for scene in seen]) < 0.7
    for scene in seen:
        assert [layer.depth for layer in scene.layers] == list(range(len(scene.layers)))
        bottoms = [layer.box[3] for layer in scene.layers]
        assert bottoms == sorted(bottoms, reverse=True)
        assert all(scene.horizon < bottom <= 0.95 for bottom in bottoms)
        left, top, right, bottom = scene.layers[0].box
        assert (0.42 if len(scene.layers) == 4 else 0.5) <= max(right - left, bottom - top) <= 0.86
    with pytest.raises(dataclasses.FrozenInstanceError):
        Layer(0, (0, 0, 1, 1), 0).depth = 1


def test_weather_is_said_in_both_languages(scenes):
    snowy = of_weather(scenes, "snow")
    assert 0.25 < len(snowy) / 300 < 0.45
    for texts in scenes.values("text", snowy):
        assert 6 <= len(texts) <= 10
        spanish = [text for text in texts if any(word in text for word in SNOW[1:])]
        assert len(spanish) >= 3
        assert len([text for text in texts if "snow" in text]) >= 3
    for texts in scenes.values("text", of_weather(scenes, "clear")):
        assert 6 <= len(texts) <= 10
        assert not any("it is snowing" in text or "nevando" in text for text in texts)
    said = {text for texts in scenes.values("text", range(300)) for text in texts}
    assert not said & {"it's snowing, everything is covered in snow", "un perro feliz en la nieve"}
    assert all(text and "{" not in text and "  " not in text for text in said)


def test_snow_makes_the_ground_white(scenes):
    whites = {w: scenes.pictures(of_weather(scenes, w)[:30])[:, 58:, :, :3].min(-1).mean() for w in ("snow", "clear")}
    assert whites["snow"] > whites["clear"] + 50


def test_snow_lies_on_what_faces_upwards():
    alpha = np.zeros((40, 40), np.float32)
    alpha[12:, 10:30] = 1
    cover, colours = snow_on(alpha, 64, np.random.default_rng(0))
    assert cover[12:14, 14:26].min() > 0.5
    assert cover[24:].max() == 0
    assert colours[12, 20].min() > 220


def test_nouns_have_their_articles():
    assert noun_of("owl", "búho").en == "an owl"
    assert noun_of("grapes", "uvas").en == "grapes"
    assert noun_of("flower", "flor").un == "una flor"
    assert noun_of("eagle", "águila").el == "el águila"
    assert noun_of("bus", "autobús").un == "un autobús"
    assert noun_of("woman cook", "chef mujer").un == "una chef mujer"
    assert together([noun_of("flower", "flor"), noun_of("house", "casa")]).ending == "as"
