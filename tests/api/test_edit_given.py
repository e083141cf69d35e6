"""What an edit is given besides files, and sizes that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.edit.run import edit
from lienzo.api.edit.seen import pictures_in
from lienzo.api.model import Model
from lienzo.conditions import Bus, TextCondition
from lienzo.core import ConfigurationError
from lienzo.families.diffusion import Diffusion
from lienzo.networks import PatchTransformer


@pytest.fixture(scope="module")
def model(fake_model: Path) -> Model:
    return lienzo.load(fake_model)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / "house.png")
    return tmp_path / "house.png"


def pixels(image: Image.Image | Path) -> np.ndarray:
    return np.asarray(image if isinstance(image, Image.Image) else Image.open(image))


def left() -> np.ndarray:
    mask = np.zeros((30, 40), np.bool_)
    mask[:, :20] = True
    return mask


def test_pictures_and_masks_in_memory_are_edited_as_files_are(model: Model, house: Path):
    Image.fromarray(left().astype(np.uint8) * 255).save(house.with_name("left.png"))
    filed = edit(house, "snow", model=model, keep=str(house.with_name("left.png")))
    assert "lienzo" in filed.images[0].info
    masks = (left(), left().astype(np.uint8), Image.fromarray(left()))
    for picture, mask in zip((Image.open(house), pixels(house), house), masks, strict=True):
        done = edit(picture, "snow", model=model, keep=mask)
        assert (pixels(done.images[0]) == pixels(filed.images[0])).all()
        assert "lienzo" not in done.images[0].info
        assert any("no record" in note for note in done.notes)
    assert "lienzo" in edit(str(house), model=model, how="inpaint", keep=house.with_name("left.png")).images[0].info


def test_what_is_no_picture_is_said(model: Model, house: Path):
    for picture, mask in ((3, ""), (house, 3.0), (house, np.zeros((30, 40))), (np.zeros((4, 4, 2), np.uint8), "")):
        with pytest.raises(ConfigurationError, match="a file, a PIL image, or an array"):
            edit(picture, "snow", model=model, keep=mask)


def test_a_cut_out_that_is_not_changed_gets_no_white_box(model: Model, house: Path):
    cut = Image.open(house).convert("RGB")
    cut.putalpha(Image.fromarray(left().astype(np.uint8) * 255))
    cut.save(house)
    same = edit(house, model=model, how="variation", strength=0.0)
    assert (pixels(same.images[0]) == pixels(house)).all()


def test_how_far_what_was_drawn_is_enlarged_is_said(model: Model, house: Path):
    assert any("enlarged 2.5 times" in note for note in edit(house, "snow", model=model).notes)
    small = np.zeros((30, 40), np.uint8)
    small[:8, :8] = 255
    assert not any("enlarged" in note for note in edit(house, "snow", model=model, change=small).notes)


def test_a_margin_too_large_to_be_held(model: Model, house: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lienzo.api.edit.masks.MOST", 120 * 110 - 1)
    with pytest.raises(ConfigurationError, match="120 × 110 pixels"):
        edit(house, "snow", model=model, how="outpaint", margin=1.0)
    monkeypatch.setattr("lienzo.api.edit.double.LARGEST", 4799)
    with pytest.raises(ConfigurationError, match="twice 40 × 30"):
        edit(house, model=model, how="upscale")


def test_pictures_to_take_after_are_not_squeezed(tmp_path: Path):
    pictures = np.zeros((8, 16, 3), np.uint8)
    pictures[2:6, 4:8] = 255
    Image.fromarray(pictures).save(tmp_path / "a.png")
    seen = (pictures_in(str(tmp_path), (3, 16, 16))[0, 0] > 0).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [4, 4]


def test_a_model_of_wide_pictures_sees_a_wide_one_as_it_is(fake_model: Path):
    torch.manual_seed(0)
    bus = Bus({"text": TextCondition(length=4, depth=1, heads=2)}, vector=8, token=8)
    network = PatchTransformer((3, 8, 12), bus.sizes, patch=4, width=16, depth=1, heads=2)
    model = Model(Diffusion(network, bus, (3, 8, 12)).eval(), name="wide", folder=fake_model, weights="0")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8))
    same = edit(picture, model=model, how="variation", strength=0.0)
    assert (pixels(same.images[0]) == pixels(picture)).all()
    mask = np.zeros((20, 30), np.bool_)
    mask[4:9, 20:26] = True
    done = edit(picture.resize((30, 20)), "a dog", model=model, change=mask)
    assert done.changes[0].kept_largest == 0
    assert done.changes[0].mean > 0
