"""Edits by families that encode and do not denoise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.api.edit.run import edit
from lienzo.api.model import Model
from lienzo.conditions import Bus, LabelCondition, TextCondition
from lienzo.core import Family
from lienzo.editing import recoded
from lienzo.families.gan import GAN
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.families.vae import VAE


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
