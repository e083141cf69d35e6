"""Instruction editing: two guidances over a model that has heard pairs, and what it is told by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.adapt.run import options_of
from lienzo.conditions import Bus, LabelCondition, MapCondition, TextCondition
from lienzo.core import CapabilityError, ConfigurationError, Streams
from lienzo.editing import Pairs, Walk, Way, instructed, space_of
from lienzo.editing.instructing import two_guidances
from lienzo.families.diffusion import Diffusion
from lienzo.networks.transformer import PatchTransformer

SIDE = 8
X = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1


def painter(before: bool = True) -> Diffusion:
    torch.manual_seed(0)
    bus = Bus({
        "style": LabelCondition(["noto", "twemoji"]), "text": TextCondition(length=6, depth=1, heads=2),
        "image": MapCondition("picture", SIDE, 3, before=before), "mask": MapCondition("mask", SIDE),
    }, vector=16, token=16)  # fmt: skip
    network = PatchTransformer((3, SIDE, SIDE), bus.sizes, patch=4, width=16, depth=1, heads=2)
    family = Diffusion(network, bus, (3, SIDE, SIDE)).eval()
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return family


@pytest.fixture(scope="module")
def family() -> Diffusion:
    return painter()


def keep(share: float) -> torch.Tensor:
    mask = torch.zeros(2, 1, SIDE, SIDE)
    mask[..., : int(share * SIDE)] = 1
    return mask


def edited(
    family: Diffusion, guidance, share: float = 0.0, words: str = "it is snowing", settle: float = 0.0
) -> torch.Tensor:
    said = family.bus.parse({"text": [words] * 2}, 2)
    walk = Walk(4, guidance=guidance)
    streams, way = Streams(3, range(2)), Way(settle=settle)
    return instructed(space_of(family), X, keep(share), said, streams=streams, walk=walk, way=way)


def test_with_both_weights_one_it_is_the_conditional_model(family: Diffusion):
    told = family.bus.parse({"text": ["it is snowing"] * 2, "image": [*X]}, 2)
    plain = family.sample(told, streams=Streams(3, range(2)), steps=4, guidance=1.0)
    for guidance in (1.0, {"image": 1.0, "text": 1.0}):
        assert torch.allclose(edited(family, guidance).clamp(-1, 1), plain, atol=1e-5)


def test_each_weight_weighs_its_own_difference(family: Diffusion):
    """D = D₀ + s_I (D_I − D₀) + s_T (D_IT − D_I), in one step from pure noise."""
    said = family.bus.parse({"text": ["rain"] * 2}, 2)
    space, noise = space_of(family), Streams(3, range(2)).child("start").normal(3, SIDE, SIDE)
    both = family.bus.parse({"text": ["rain"] * 2, "image": [*X]}, 2)
    knot = space.schedule.knots(space.schedule.grid(1))[0]
    d = [
        space.denoiser(each)(noise * knot.sigma, knot.t)
        for each in (both.without("text", "image"), both.without("text"), both)
    ]
    expected = d[0] + 1.7 * (d[1] - d[0]) + 4.0 * (d[2] - d[1])
    walk = Walk(1, guidance={"text": 4.0, "image": 1.7})
    y = instructed(space, X, keep(0), said, streams=Streams(3, range(2)), walk=walk, way=Way(settle=0))
    assert torch.allclose(y, expected.clamp(-1, 1), atol=1e-5)


def test_what_is_kept_agrees_and_the_model_is_told_where(family: Diffusion):
    half = edited(family, 2.0, share=0.5)
    assert torch.allclose(half[..., :4], X[..., :4], atol=1e-6)
    assert (half[..., 4:] - X[..., 4:]).abs().max() > 0.05
    assert not torch.allclose(half[..., 4:], edited(family, 2.0)[..., 4:], atol=1e-3)


def test_what_hardly_changed_is_as_it_was_and_the_rest_as_drawn(family: Diffusion):
    drawn = edited(family, 2.0)
    assert torch.equal(edited(family, 2.0, settle=1.0), X)
    half = edited(family, 2.0, share=0.5)
    assert torch.equal(edited(family, 2.0, share=0.5, settle=1.0), half)  # a mask has said what stays
    change = (drawn - X).abs().mean(1) / 2
    some = edited(family, 2.0, settle=float(change.median()))
    alike, new = torch.isclose(some, X, atol=1e-6), torch.isclose(some, drawn, atol=1e-6)
    assert alike.all(1).any()
    assert new.all(1).any()
    assert (alike | new).all(1).float().mean() > 0.9
    assert change[alike.all(1)].mean() < change[new.all(1)].mean()


def test_how_much_is_hardly_is_a_share():
    with pytest.raises(ConfigurationError, match="settle"):
        Way(settle=1.5)


def test_a_model_that_has_heard_no_pairs_says_so():
    with pytest.raises(CapabilityError, match="no pairs"):
        edited(painter(before=False), 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, family: Diffusion) -> Path:
    import json

    from lienzo.core import config_of
    from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, plain, seal
    from lienzo.training.tensors import write_tensors

    made = tmp_path_factory.mktemp("pairs") / "model"
    made.mkdir()
    write_tensors(family.state_dict(), made / WEIGHTS)
    (made / CONFIG).write_text(json.dumps(plain(config_of(family))))
    (made / CARD).write_text("# pairs\n")
    (made / "generate.json").write_text(json.dumps({"options": {"steps": 3, "guidance": 2.0}}))
    seal(made)
    return made


def test_an_adapter_leaves_the_weights_of_the_picture_and_its_mask(folder: Path):
    weights = options_of(lienzo.load(folder, device="cpu"))["guidance"]
    assert weights == {"style": 2.0, "text": 2.0}
    assert two_guidances(weights, Pairs("image", "text", "mask")) == {"image": 2.5, "mask": 2.5, **weights}


def test_an_edit_takes_this_way_by_itself_and_keeps_what_it_keeps(folder: Path, tmp_path: Path):
    model = lienzo.load(folder, device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "house.png")
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, :4] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    done = lienzo.edit(tmp_path / "house.png", "it is snowing", model=model, keep=str(tmp_path / "mask.png"))
    assert done.how == "instruct"
    assert done.changes[0].kept_largest == 0
    assert (np.asarray(done.images[0])[:, :4] == pixels[:, :4]).all()
    assert lienzo.edit(tmp_path / "house.png", "it is snowing", model=model).how == "instruct"
    assert lienzo.edit(tmp_path / "house.png", "snow", model=model, how="redraw").how == "redraw"
    assert lienzo.edit(tmp_path / "house.png", how="variation", model=model).how == "variation"
