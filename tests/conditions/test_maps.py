"""Maps: what is heard where nothing is said, fine maps on coarse grids, pictures that are heard as codes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import Bus, CodedCondition, ImageCondition, LabelCondition, MapCondition, TextCondition
from lienzo.core import Batch, ConditionError, ConfigurationError, Streams
from lienzo.families.diffusion import Diffusion
from lienzo.families.latent import Latent
from lienzo.families.vae import VAE
from lienzo.networks.transformer import PatchTransformer


def codes_model() -> Latent:
    torch.manual_seed(0)
    vae = VAE((3, 16, 16), codes=4, widths=(8, 16))
    bus = Bus({
        "text": TextCondition(length=4, depth=1, heads=2), "like": ImageCondition(size=16, patch=8),
        "style": LabelCondition(["ink", "oil"]), "parts": MapCondition("segmentation", 16, 3, grid=4, width=8),
        "lines": MapCondition("edges", 16, grid=4, width=8), "image": CodedCondition((4, 4, 4), 16, before=True),
    }, vector=16, token=16, drops={"lines": 1.0})  # fmt: skip
    network = PatchTransformer((4, 4, 4), bus.sizes, patch=1, width=16, depth=1, heads=2)
    family = Latent(vae, Diffusion(network, bus, (4, 4, 4), sigma_data=1.0))
    with torch.no_grad():
        for parameter in family.inner.network.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.05)
    return family


@pytest.fixture(scope="module")
def model() -> Latent:
    return codes_model()


def noise(seed: int, shape=(16, 16, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_what_is_unsaid_is_learnt_and_is_no_map_of_zeros(model: Latent):
    """Each null is a parameter of its own: a step changes it, and an empty map or picture sounds otherwise."""
    bus, zeros = model.bus, torch.zeros(3, 16, 16)
    empty = {"parts": zeros, "lines": zeros[:1], "image": zeros, "like": zeros}
    said = model.coded(bus.parse({name: [value] for name, value in empty.items()}, 1))
    heard, silence = bus(said), bus(model.coded(bus.parse({}, 1)))
    parts = {"parts": slice(0, 8), "lines": slice(9, 17), "image": slice(18, 22)}
    for name, channels in parts.items():
        assert not torch.equal(heard.maps[:, channels], silence.maps[:, channels]), name
        assert silence.maps[:, channels].abs().min() > 0, name
    assert not torch.equal(heard.vector, silence.vector)
    batch = Batch(torch.randn(2, 4, 4, 4), bus.parse({}, 2), Streams(0, range(2)))
    model.loss(batch).total.backward()
    nulls = [p for n, p in bus.named_parameters() if "null" in n]
    assert len(nulls) == 7
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in nulls)


def test_every_condition_has_its_own_probability_of_being_unsaid():
    names = ["a", "b", "c"]
    bus = Bus({n: LabelCondition(["x"]) for n in names}, vector=4, drop=0.3, drop_all=0.0, drops={"a": 0.9, "b": 0.0})
    count = 4000
    kept = bus.drop(bus.parse({n: ["x"] * count for n in names}, count), Streams(0, range(count)))
    shares = [float(kept[n].present.float().mean()) for n in names]
    assert shares[1] == 1
    assert abs(shares[0] - 0.1) < 0.02
    assert abs(shares[2] - 0.7) < 0.03
    with pytest.raises(ConditionError, match="'d'"):
        Bus({"a": LabelCondition(["x"])}, drops={"d": 0.5})


def test_bytes_and_numbers_are_heard_alike(model: Latent):
    parts, lines = noise(0, (16, 16, 1)) % 3, noise(1, (16, 16, 1))
    as_bytes = model.bus.parse({"parts": [parts, None], "lines": [lines, None]}, 2)
    hot = torch.nn.functional.one_hot(torch.from_numpy(parts[..., 0]).long(), 3).permute(2, 0, 1).float()
    grey = torch.from_numpy(lines[..., 0])[None] / 127.5 - 1
    as_numbers = model.bus.parse({"parts": [hot, None], "lines": [grey, None]}, 2)
    assert as_bytes["parts"].values[0].dtype == torch.uint8
    assert torch.equal(model.bus(as_bytes).maps, model.bus(as_numbers).maps)
    files = model.bus.parse({"parts": [Image.fromarray(parts[..., 0])], "lines": [Image.fromarray(lines[..., 0])]}, 1)
    assert torch.equal(model.bus(files).maps, model.bus(as_bytes.rows(slice(0, 1))).maps)
    with pytest.raises(ConditionError, match="up to 3"):
        model.bus.parse({"parts": [parts + 1]}, 1)


def test_a_line_of_one_pixel_is_heard_in_its_cell_alone_and_the_cells_beside_it(model: Latent):
    """On a grid four times as coarse nothing is averaged away, and cells farther off than one hear nothing of it."""
    blank, dot = np.zeros((16, 16, 1), np.uint8), np.zeros((16, 16, 1), np.uint8)
    dot[1, 1] = 255
    maps = [model.bus(model.bus.parse({"lines": [value]}, 1)).maps[0] for value in (blank, dot)]
    changed = (maps[0] != maps[1]).any(0)
    assert changed[0, 0]
    assert not changed[2:].any()
    assert not changed[:, 2:].any()


def test_a_picture_is_heard_as_the_codes_that_the_model_draws(model: Latent):
    x = torch.from_numpy(noise(2)).permute(2, 0, 1)[None] / 127.5 - 1
    said = model.coded(model.bus.parse({"image": [noise(2), None]}, 2))
    assert torch.allclose(said["image"].values[0][:1], model.encode(x), atol=1e-5)
    again = model.coded(said)
    assert torch.equal(again["image"].values[0], said["image"].values[0])
    batch = Batch(torch.randn(2, 4, 4, 4), said, Streams(0, range(2)))
    raw = replace(batch, conditions=model.bus.parse({"image": [noise(2), None]}, 2), streams=Streams(0, range(2)))
    assert torch.equal(model.loss(batch).total, model.loss(raw).total)
    with pytest.raises(ConfigurationError, match="nothing codes it"):
        model.bus(raw.conditions)


@pytest.mark.parametrize("order", [("text", "lines", "image"), ("image", "text", "lines"), ("lines", "image", "text")])
def test_a_weight_of_nought_takes_a_conditions_effect_away_exactly(model: Latent, order: tuple[str, ...]):
    """Wherever it stands in the nesting: the picture is that of a user who never said it."""
    told = {"text": ["a dog"], "image": [noise(3)], "lines": [noise(4, (16, 16, 1))]}
    weights = {name: 0.0 if name == "lines" else 2.0 + place for place, name in enumerate(order)}
    without = {name: weight for name, weight in weights.items() if name != "lines"}
    options = {"streams": Streams(0, [0]), "steps": 3}
    one = model.sample(model.bus.parse(told, 1), guidance=weights, **options)
    less = {name: value for name, value in told.items() if name != "lines"}
    other = model.sample(model.bus.parse(less, 1), guidance=without, **{**options, "streams": Streams(0, [0])})
    heard = model.sample(
        model.bus.parse(told, 1), guidance={**weights, "lines": 2.0}, **{**options, "streams": Streams(0, [0])}
    )
    assert torch.equal(one, other)
    assert not torch.equal(one, heard)
