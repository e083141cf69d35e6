from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lienzo
from lienzo.api.edit.hows import HOWS
from lienzo.api.edit.run import Edit, edit
from lienzo.api.model import Model
from lienzo.api.reproduce import reproduce
from lienzo.core import CapabilityError, ConditionError, ConfigurationError, DataError
from lienzo.data.scenes.groups import GROUPS
from lienzo.editing.finding import NAME
from lienzo.evaluation.shipped import is_there
from lienzo.training.recipes.stages import RECIPE


@pytest.fixture(scope="module")
def model(fake_model: Path) -> Model:
    return lienzo.load(fake_model)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A picture of 40 × 30 pixels with a mask of its left half beside it."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "house.png")
    mask = Image.new("L", (40, 30))
    mask.paste(255, (0, 0, 20, 30))
    mask.save(tmp_path / "left.png")
    return tmp_path / "house.png"


def pixels(image: Image.Image | Path) -> np.ndarray:
    return np.asarray(image if isinstance(image, Image.Image) else Image.open(image))


def left(house: Path) -> str:
    return str(house.with_name("left.png"))


def test_what_is_kept_is_the_same_and_the_rest_is_not(model: Model, house: Path):
    done = edit(house, "snow", model=model, keep=left(house))
    assert done.how == "inpaint"
    assert (pixels(done.images[0])[:, :20] == pixels(house)[:, :20]).all()
    assert (pixels(done.images[0])[:, 20:] != pixels(house)[:, 20:]).any()
    assert done.changes[0].kept_largest == 0
    assert done.changes[0].kept_share == 0.5
    assert done.mask is not None
    assert (pixels(done.mask)[:, 20:] == 255).all()
    assert len(done.met) == 1


@pytest.mark.parametrize("how", ["redraw", "variation", "invert", "style", "inpaint", "outpaint"])
def test_each_way_of_a_latent_diffusion(model: Model, house: Path, how: str):
    said = {"style": "noto"} if how == "style" else {}
    masked = {"change": left(house)} if how in ("inpaint", "redraw") else {}
    done = edit(house, "snow", model=model, how=how, said=said, **masked)
    before, after = pixels(house), pixels(done.images[0])
    if how == "outpaint":
        assert after.shape == (50, 60, 3)
        assert (after[10:40, 10:50] == before).all()
    else:
        assert after.shape == before.shape
        assert (after != before).any()
    if masked:
        assert (after[:, 20:] == before[:, 20:]).all()


def test_strength_nought_leaves_every_pixel(model: Model, house: Path):
    for how in ("redraw", "variation"):
        same = edit(house, "snow", model=model, how=how, strength=0.0)
        assert (pixels(same.images[0]) == pixels(house)).all()


def test_frames_and_twice_the_size(model: Model, house: Path):
    frames = edit(house, model=model, how="interpolate", like=str(house), count=3, options={"steps": 2})
    assert [image.size for image in frames.images] == [(16, 16)] * 3
    large = edit(house, model=model, how="upscale")
    assert large.images[0].size == (80, 60)
    means = pixels(large.images[0]).reshape(30, 2, 40, 2, 3).mean((1, 3))
    assert np.abs(means - pixels(house)).max() <= 1


def test_an_attribute_is_added_and_taken_away(model: Model, house: Path, tmp_path: Path):
    for name, colour in (("dark", "black"), ("bright", "white")):
        (tmp_path / name).mkdir()
        Image.new("RGB", (16, 16), colour).save(tmp_path / name / "a.png")
    folders = {"like": str(tmp_path / "dark"), "unlike": str(tmp_path / "bright")}
    none = edit(house, model=model, how="attribute", amount=0.0, **folders)
    assert (pixels(none.images[0]) == pixels(house)).all()
    some = edit(house, model=model, how="attribute", amount=1.0, **folders)
    assert (pixels(some.images[0]) != pixels(house)).any()


def test_the_same_seed_is_the_same_edit_however_many(model: Model, house: Path):
    several = edit(house, "snow", model=model, count=3, seed=5, keep=left(house))
    single = edit(house, "snow", model=model, count=1, seed=5, keep=left(house))
    assert (pixels(several.images[0]) == pixels(single.images[0])).all()
    assert (pixels(several.images[1]) != pixels(single.images[0])).any()


def test_an_edit_is_made_again_from_its_record(model: Model, house: Path, tmp_path: Path):
    done = edit(house, "snow", model=model, count=2, keep=left(house))
    file = lienzo.save(done.images[1], tmp_path / "out" / "edit.png")
    record = json.loads(Image.open(file).info["lienzo"])
    assert record["files"][str(house)]
    assert record["edit"]["words"] == "snow"
    assert reproduce(file).same
    Image.new("L", (40, 30), 255).save(left(house))
    with pytest.raises(DataError, match="covers the whole"):
        reproduce(file)
    mask = Image.new("L", (40, 30))
    mask.putpixel((0, 0), 255)
    mask.save(left(house))
    again = reproduce(file)
    assert not again.same
    assert any("left.png is not what it was" in line for line in again.differs)
    house.unlink()
    with pytest.raises(DataError, match="is gone"):
        reproduce(file)


def test_words_name_a_class_of_a_map_or_are_looked_for(model: Model, house: Path):
    classes = house.with_name("map.png")
    Image.fromarray(np.repeat([[0, 1]], 30, 0).repeat(20, 1).astype(np.uint8)).save(classes)
    classes.with_name("map.png.json").write_text('["building", "sky"]')
    done = edit(house, "snow; keep the building", model=model, map=str(classes))
    assert (pixels(done.images[0])[:, :20] == pixels(house)[:, :20]).all()
    assert not done.guessed
    guess = edit(house, "snow", model=model, change="the dog")
    assert guess.guessed
    assert any("guessed" in note for note in guess.notes)
    assert guess.mask is not None
    kept = pixels(guess.mask) == 0
    assert (pixels(guess.images[0])[kept] == pixels(house)[kept]).all()


def refused(error: type[Exception], says: str, house: Path, model: Model, words: str = "snow", **asked: object) -> None:
    with pytest.raises(error, match=says):
        edit(house, words, model=model, **asked)


def test_what_cannot_be_done_is_said(model: Model, house: Path, seeing_model: Path):
    Image.new("L", (40, 30)).save(house.with_name("empty.png"))
    refused(DataError, "selects no pixel", house, model, keep=str(house.with_name("empty.png")))
    refused(DataError, "--keep forbids", house, model, keep=left(house), change=left(house))
    refused(DataError, "there is no mask", house, model, keep="nowhere.png")
    refused(ConditionError, "Latin letters", house, model, words="下雪了")
    refused(ConfigurationError, "nothing was asked for", house, model, words="")
    refused(ConfigurationError, "one of redraw", house, model, how="magic")
    refused(ConfigurationError, "needs --keep or --change", house, model, how="inpaint")
    refused(ConfigurationError, "no option 'colour'", house, model, colour="red")
    refused(ConfigurationError, "strength", house, model, strength=2.0)
    refused(CapabilityError, "style_gan", house, model, how="mix", like=str(house))
    refused(CapabilityError, "autoregressive", house, model, how="complete", keep=left(house))
    refused(ConfigurationError, "hears no words", house, lienzo.load(seeing_model))


def test_a_thing_is_laid_into_the_hole_alone(model: Model, house: Path, tmp_path: Path):
    done = edit(house, "snow", model=model, how="insert", change=left(house), said={"style": "noto"}, count=2)
    for image in done.images:
        assert (pixels(image)[:, 20:] == pixels(house)[:, 20:]).all()
        assert (pixels(image) != pixels(house)).any()
    assert done.changes[0].kept_largest == 0
    lienzo.save(done.images[1], tmp_path / "1.png")
    assert reproduce(tmp_path / "1.png").same
    with pytest.raises(ConfigurationError, match="needs --keep or --change"):
        edit(house, "snow", model=model, how="insert")


def test_a_long_instruction_is_cut_with_a_word(model: Model, house: Path):
    done: Edit = edit(house, "snow " * 5000, model=model)
    assert any("first 8 words of 5,000" in note for note in done.notes)


def test_every_way_has_an_example_that_names_it():
    for name, row in HOWS.items():
        assert row.example.startswith("lienzo edit ")
        assert name in row.example or name in ("redraw", "inpaint")


@pytest.mark.skipif(not is_there(NAME), reason="an installation without the finder of words")
def test_words_are_found_in_drawings_where_the_model_has_learnt_from_such(fake_model: Path, tmp_path: Path):
    """Of a held-out scene the sky is kept by its name alone; a model of other pictures guesses."""
    scenes = lienzo.open_source("scenes:100", split="test")
    sky = np.asarray(scenes.values("segmentation", [0])[0])[..., 0] == GROUPS.index("sky")
    file = tmp_path / "scene.png"
    Image.fromarray(scenes.pictures([0])[0, ..., :3]).save(file)
    drawings = Path(shutil.copytree(fake_model, tmp_path / "drawings"))
    (drawings / RECIPE).write_text(json.dumps({"data": {"source": "emoji*3 + scenes:100"}}))
    done = edit(file, "snow; keep the sky", model=lienzo.load(drawings))
    assert any(NAME in note for note in done.notes)
    assert done.guessed
    assert done.mask is not None
    kept = pixels(done.mask) == 0
    assert (kept & sky).sum() / (kept | sky).sum() > 0.7
    assert (pixels(done.images[0])[kept] == pixels(file)[kept]).all()
    (drawings / RECIPE).write_text(json.dumps({"data": {"source": "emoji + ./photos"}}))
    other = edit(file, "snow", model=lienzo.load(drawings), change="the sky")
    assert any("guessed by" in note for note in other.notes)
