"""The recipe of scenes-64, without training it: what it hears, how many bytes it takes, that it begins as emoji-64."""

from pathlib import Path

import pytest
import torch

import lienzo
from lienzo.api.find import folder_of
from lienzo.core import Batch, Streams
from lienzo.data import open_source
from lienzo.editing import pairs_of
from lienzo.families.latent import Latent
from lienzo.training.checkpoint import resolve
from lienzo.training.recipes import CodeLoader, Recipe, make_bus, make_family, open_data, overridden, read_recipe
from lienzo.training.recipes.start import borrowed
from lienzo.training.rounding import rounded

RECIPE = Path(__file__).parents[2] / "recipes" / "scenes-64.toml"
HEARD = {"text", "style", "group", "background", "segmentation", "depth", "lines", "pose", "image", "mask", "reference"}


@pytest.fixture(scope="module")
def made() -> tuple[Recipe, Latent, Latent]:
    small = ["data.source=emoji + emoji-poses + scenes:4 + edits:4", "data.prepare=false"]
    recipe = Recipe.checked(overridden(read_recipe(RECIPE), small))
    shipped = lienzo.load("emoji-64", device="cpu").family
    assert isinstance(shipped, Latent)
    code = tuple(shipped.inner.shape)
    bus = make_bus(recipe, open_data(recipe.data), code=code)
    inner = make_family(recipe.family, recipe.network, bus, code, 0, codes=True)
    borrowed(inner, resolve(folder_of("emoji-64")), "emoji-64")
    made = Latent(shipped.outer, inner)
    for name in ("shift", "scale"):
        made.get_buffer(name).copy_(shipped.get_buffer(name))
    return recipe, made.eval(), shipped


def test_it_hears_every_condition_and_says_that_it_learns_from_pairs(made):
    _, family, shipped = made
    assert set(family.bus.names) == HEARD
    assert pairs_of(family).before == "image"
    assert pairs_of(family).mask == "mask"
    assert pairs_of(shipped) is None
    assert family.bus["lines"].size == 64


def test_its_weights_take_no_more_than_14_megabytes(made):
    _, family, _ = made
    packed = [t for n, p in family.state_dict().items() for t in rounded(n, p, "int8").values()]
    assert 9e6 < sum(t.numel() * t.element_size() for t in packed) < 14e6


@torch.no_grad()
def test_it_begins_as_the_model_that_it_starts_from(made):
    """New maps are heard with weights of nought: under words and labels alone it draws much the same picture."""
    _, family, shipped = made
    said = {"text": ["a dog"], "style": ["noto"], "background": ["white"]}
    z = Streams(0, [0]).normal(*shipped.inner.shape)
    t = torch.tensor([0.5])
    one, other = (f.inner.denoise(z, t, f.coded(f.bus.parse(said, 1))) for f in (family, shipped))
    plain = shipped.inner.denoise(z, t, shipped.bus.parse({}, 1))
    assert float((one - other).square().mean()) < 0.25 * float((plain - other).square().mean())


def test_maps_that_will_be_unsaid_need_not_be_read(made, tmp_path: Path):
    """A batch hears the same, bit for bit, whether its loader reads what will be left unsaid or spares it."""
    _, family, _ = made
    read: dict[bool, Batch] = {}
    data = open_source("edits:6 + scenes:6")
    loader = CodeLoader(data, family.bus, family.outer, tmp_path, mark="x", batch_size=24, reword=0.2, variants=1)
    for spare in (False, True):
        loader.spare = spare
        read[spare] = loader.batch_at(0)
    kept = {spare: family.bus.drop(b.conditions, Streams(0, range(24))) for spare, b in read.items()}
    assert read[False].conditions["lines"].present.all()
    assert 0 < read[True].conditions["lines"].present.sum() < 12
    for name, said in kept[False].items():
        assert torch.equal(said.present, kept[True][name].present), name
    one, other = (family.bus(family.coded(each)) for each in kept.values())
    for name, heard in vars(one).items():
        assert torch.equal(heard, vars(other)[name]), name
