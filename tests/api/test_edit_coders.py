"""Edits by families that encode and do not denoise."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.edit.able import Makeup, who_can
from lienzo.api.edit.hows import WAYS
from lienzo.api.edit.run import edit
from lienzo.api.find import described
from lienzo.api.model import Model
from lienzo.conditions import Bus, LabelCondition, TextCondition
from lienzo.core import CapabilityError, Family
from lienzo.editing import recoded
from lienzo.families.gan import GAN
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.families.vae import VAE
from lienzo.training.checkpoint import CONFIG
from lienzo.training.folder import read_json


def held(family: Family, folder: Path) -> Model:
    """A family with shaken weights as a loaded model, with the card of another."""
    generator = torch.Generator().manual_seed(0)
    for parameter in family.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return Model(family.eval(), name="held", folder=folder, weights="0")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / "house.png")
    return tmp_path / "house.png"


def pixels(image: Image.Image | Path) -> np.ndarray:
    return np.asarray(image if isinstance(image, Image.Image) else Image.open(image))


def folders(tmp_path: Path) -> dict[str, str]:
    for name, colour in (("dark", "black"), ("bright", "white")):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (16, 8), colour).save(tmp_path / name / "a.png")
    return {"like": str(tmp_path / "dark"), "unlike": str(tmp_path / "bright")}


def coder(bus: Bus | None = None) -> VAE:
    torch.manual_seed(0)
    return VAE((3, 16, 16), codes=4, widths=(8, 16), bus=bus)


CODERS: list[Callable[[], Family]] = [
    coder,
    lambda: StyleGAN((3, 8, 8), Bus({}), latent=4, style=8, widths=(8, 8), steps=2),
    lambda: Latent(coder(), GAN((4, 4, 4), Bus({}), latent=4, widths=(8, 8))),
]


@pytest.mark.parametrize("make", CODERS)
def test_no_attribute_is_no_change_for_every_family_that_encodes(
    make: Callable[[], Family], tmp_path: Path, house: Path, fake_model: Path
):
    model = held(make(), fake_model)
    none = edit(house, model=model, how="attribute", amount=0.0, **folders(tmp_path))
    assert (pixels(none.images[0]) == pixels(house)).all()
    some = edit(house, model=model, how="attribute", amount=3.0, **folders(tmp_path))
    assert (pixels(some.images[0]) != pixels(house)).any()


def words() -> Bus:
    return Bus({"text": TextCondition(length=4, depth=1, heads=2)}, vector=8, token=8)


def test_a_family_that_encodes_hears_other_words_by_its_code(fake_model: Path, house: Path):
    model = held(coder(words()), fake_model)
    same = edit(house, "a dog", model=model, how="invert", was="a dog")
    assert (pixels(same.images[0]) == pixels(house)).all()
    other = edit(house, "a cat", model=model, how="invert", was="a dog")
    assert (pixels(other.images[0]) != pixels(house)).any()


def test_styles_move_as_the_mean_styles_of_the_words_do():
    torch.manual_seed(0)
    bus = Bus({"label": LabelCondition(["cat", "dog"])}, vector=8, token=8)
    family = StyleGAN((3, 8, 8), bus, latent=4, style=8, widths=(8, 8, 8), steps=2)
    for parameter in family.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    x, said = torch.rand(2, 3, 8, 8) * 2 - 1, [family.bus.parse({"label": [name] * 2}, 2) for name in ("cat", "dog")]
    plain = family.decode(family.encode(x, said[0]), said[0]).clamp(-1, 1)
    assert torch.equal(recoded(family, x, said[0], said[0]), plain)
    assert not torch.allclose(recoded(family, x, said[0], said[1]), plain, atol=1e-3)
    alone = recoded(family, x[1:], *(each.rows(slice(1, 2)) for each in said))
    assert torch.allclose(alone, recoded(family, x, *said)[1:], atol=1e-5)


def clothes() -> Bus:
    return Bus({"label": LabelCondition(["shirt", "shoe"])}, vector=8, token=8)


MASK = np.eye(30, 40, dtype=np.bool_)
REFUSED: list[tuple[Callable[[], Family], dict[str, Any], str, str]] = [
    (coder, {"words": "snow"}, "cannot edit by redraw: .*a family that denoises .* is vae", "interpolate, attribute"),
    (coder, {"how": "variation"}, "cannot edit by variation: .*its family is vae", "interpolate, attribute"),
    (coder, {"words": "snow", "keep": MASK}, "cannot edit by inpaint: .*its family is vae", "interpolate, attribute"),
    (lambda: coder(clothes()), {"how": "upscale"}, "cannot edit by upscale", "style, interpolate, attribute"),
    (lambda: coder(words()), {"words": "snow"}, "cannot edit by redraw", "invert, interpolate, attribute"),
    (lambda: GAN((3, 8, 8), clothes(), latent=4, widths=(8, 8)), {"words": "snow"},
     "cannot edit by redraw: .*its family is gan", "this one can draw, but not edit"),
    (lambda: GAN((3, 8, 8), Bus({}), latent=4, widths=(8, 8)), {"how": "attribute", "like": ".", "unlike": "."},
     "cannot edit by attribute: .*a code for every picture", "this one can draw, but not edit"),
    (lambda: Latent(coder(), GAN((4, 4, 4), Bus({}), latent=4, widths=(8, 8))), {"how": "invert", "words": "snow"},
     "cannot edit by invert: .*its family is gan, over codes", "interpolate, attribute"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "asked", "what", "instead"), REFUSED)
def test_what_a_model_cannot_do_is_said_with_who_can_and_what_it_can(
    make: Callable[[], Family], asked: dict[str, Any], what: str, instead: str, fake_model: Path, house: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    runs = house.parent / "runs" / "mine"
    shutil.copytree(fake_model, runs / "checkpoints" / "step-000000001")
    (runs / "latest").write_text("step-000000001")
    monkeypatch.chdir(house.parent)
    monkeypatch.setattr("lienzo.api.find.SHIPPED", fake_model.parent)
    with pytest.raises(CapabilityError, match=f"held {what}") as refusal:
        edit(house, model=held(make(), fake_model), **asked)
    assert "--model emoji-64 or runs/mine" in refusal.value.hint
    assert f"this one can --how {instead} (" in refusal.value.hint or refusal.value.hint.endswith(instead)
    assert "VAE" not in str(refusal.value), "a family is called by its name"


def test_every_model_that_ships_is_known_without_its_weights():
    for name, folder in described("nowhere"):
        model = lienzo.load(name)
        assert Makeup.written(read_json(folder / CONFIG)) == Makeup.of(model)


def test_who_can_go_a_way_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert who_can(WAYS["instruct"], words=True) == ["scenes-64"]
    assert who_can(WAYS["mix"]) == ["fashion-mnist/style_gan"]
    assert "fashion-mnist/autoregressive" in who_can(WAYS["complete"])
    assert who_can(WAYS["redraw"], but="emoji-64") == ["scenes-64"]


def test_words_that_are_sought_by_a_family_that_cannot_look(fake_model: Path, house: Path, tmp_path: Path):
    with pytest.raises(CapabilityError, match="cannot look for 'the dog'"):
        edit(house, model=held(coder(words()), fake_model), how="attribute", keep="the dog", **folders(tmp_path))
