"""What an edit is told: words that keep something, maps over a part of the picture, and what nothing hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lienzo
from lienzo.api.edit.asked import Asked
from lienzo.api.edit.keep import split_keep
from lienzo.api.edit.run import edit
from lienzo.api.edit.said import over_region
from lienzo.api.edit.told import instruction
from lienzo.api.model import Model
from lienzo.conditions import Bus, ImageCondition, MapCondition
from lienzo.core import ConditionError, ConfigurationError
from lienzo.editing import region_of


@pytest.fixture(scope="module")
def model(fake_model: Path) -> Model:
    return lienzo.load(fake_model)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "house.png")
    return tmp_path / "house.png"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("it's snowing; keep the building", "building"), ("nieva, pero conserva el edificio", "edificio"),
        ("snow; leave the house as it was", "house"), ("snow without touching the house", "house"),
        ("nieva, sin tocar la casa", "casa"), ("nieva; deja la casa igual", "casa"),
        ("snow and keep the house and the tree as it is in the picture.", "house and the tree"),
        ("a dog keep smiling", ""), ("a castle keep at night", ""), ("snow; keep everything else", ""),
        ("nieva; conserva todo lo demás", ""), ("snow, keep the rest as it is", ""), ("nieva, deja el resto igual", ""),
        ("snow; keep the house and make it night", ""), ("keep the house", ""),
    ],
)  # fmt: skip
def test_what_words_keep(said: str, kept: str):
    words, what = split_keep(said)
    assert what == kept
    assert bool(kept) == (words != said)


def test_what_is_kept_is_said_once():
    assert instruction(Asked("snow", keep="house")) == "snow; keep the house"
    assert instruction(Asked("snow; keep the house", keep="house")) == "snow; keep the house"
    assert instruction(Asked("nieva, sin tocar la casa", keep="casa")) == "nieva, sin tocar la casa"


def test_a_folder_of_the_same_name_is_no_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("building", "noto"):
        (tmp_path / name).mkdir()
    (tmp_path / "snowy").write_text("")
    Image.new("L", (4, 4)).save("dog.png")
    asked = Asked(keep="building", change="sky", like="noto", said={"style": "snowy", "reference": Path("dog.png")})
    settled = asked.settled()
    assert (settled.keep, settled.change, settled.like) == ("building", "sky", str(tmp_path / "noto"))
    assert settled.said == {"style": "snowy", "reference": str(tmp_path / "dog.png")}
    assert settled.files() == [tmp_path / "dog.png"]


def test_a_map_is_cut_as_the_picture_is(tmp_path: Path):
    pixels = np.arange(40 * 40, dtype=np.uint32).reshape(40, 40) % 97
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "depth.png")
    bus = Bus({"depth": MapCondition("depth", 8), "reference": ImageCondition(size=8, patch=4)}, vector=8, token=8)
    mask = np.zeros((40, 40), np.bool_)
    mask[10:14, 28:32] = True
    region = region_of((40, 40), mask, 8)
    asked = Asked(said={"depth": str(tmp_path / "depth.png"), "reference": str(tmp_path / "depth.png")})
    left, top, right, bottom = region.box
    cut = over_region(asked, bus, region, (40, 40)).said
    assert (cut["depth"] == pixels[top:bottom, left:right]).all()
    assert cut["reference"] == asked.said["reference"]  # which lies over nothing
    with pytest.raises(ConditionError, match="40 × 40, the picture 40 × 20"):
        over_region(asked, bus, region, (40, 20))


def test_what_is_asked_for_in_vain_is_said(model: Model, house: Path):
    done = edit(house, "snow", model=model, how="redraw", options={"by": "state", "steps": 2}, margin=0.5, was="rain")
    told = [note for note in done.notes if "was not heard" in note]
    assert [note.split()[0] for note in told] == ["--was", "--margin", "--by"]
    outside = edit(house, "snow", model=model, how="outpaint", keep="house", options={"steps": 2})
    assert "--keep was not heard: outpaint has no use for it" in outside.notes
    none = edit(house, "snow", model=model, how="redraw", options={"steps": 2}, strength=0.5)
    assert not [note for note in none.notes if "was not heard" in note]


def test_what_would_break_a_promise_is_refused(model: Model, house: Path):
    def refused(says: str, error: type[Exception] = ConfigurationError, words: str = "snow", **asked: object) -> None:
        with pytest.raises(error, match=says):
            edit(house, words, model=model, **asked)

    refused("upscale keeps no part", how="upscale", keep="house")
    refused("interpolate keeps no part", how="interpolate", like=str(house), change="house")
    refused("no option stepps", options={"stepps": 3})
    refused("style is said as a Image", said={"style": Image.new("L", (2, 2))})
    refused("Latin letters", ConditionError, keep="房子")


def test_what_is_seen_around_the_change_is_asked_for(model: Model, house: Path):
    mask = np.zeros((30, 40), np.bool_)
    mask[5:25, 10:30] = True
    near, far = (
        edit(house, "snow", model=model, change=mask, context=context, options={"steps": 2}) for context in (1, 2)
    )
    assert "the model looked at 20 × 20 pixels of 40 × 30" in near.notes
    assert not [note for note in far.notes if "looked at" in note]  # all of it
    before = np.asarray(Image.open(house), np.int16)
    soft, hard = (
        np.abs(np.asarray(edit(house, "snow", model=model, change=mask, context=1, feather=feather,
                               options={"steps": 2}).images[0], np.int16) - before)[5, 10:30].mean()
        for feather in (6, 0)
    )  # fmt: skip
    assert soft < 0.5 * hard  # the edge of what is seen is a seam too
    none = edit(house, "snow", model=model, how="redraw", context=2, feather=3, options={"steps": 2})
    said = [f"--{name} was not heard: no mask was named" for name in ("context", "feather")]
    assert {*said} <= {*none.notes}
    with pytest.raises(ConfigurationError, match=r"context of 0\.5"):
        Asked("snow", context=0.5)


def test_what_is_kept_is_not_among_the_words_that_are_judged(model: Model, house: Path):
    left = np.arange(40)[None].repeat(30, 0) < 20
    done = edit(house, "snow; keep the house", model=model, keep=left, options={"steps": 2})
    assert done.words == "snow"
