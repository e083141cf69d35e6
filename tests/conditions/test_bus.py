"""The condition bus: parsing, nulls, dropping, and the three channels."""

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition, TextCondition
from lienzo.core import ConditionError, Streams, build, config_of


@pytest.fixture
def bus():
    torch.manual_seed(0)
    return Bus({
        "text": TextCondition(length=6, depth=1, heads=2), "style": LabelCondition(["ink", "oil"]),
        "like": ImageCondition(size=16, patch=8), "layout": MapCondition("segmentation", size=16, channels=4),
        "depth": MapCondition("depth", size=16),
    }, vector=16, token=8)  # fmt: skip


def test_the_channels_have_the_sizes_that_the_bus_tells(bus):
    said = {"text": ["a dog", None], "depth": [np.zeros((16, 16), np.uint8), None]}
    channels, sizes = bus(bus.parse(said, 2)), bus.sizes
    assert channels.vector.shape == (2, sizes.vector)
    assert channels.tokens.shape == (2, 6 + 4, sizes.token)
    assert channels.maps.shape == (2, sizes.maps, 16, 16)
    assert channels.mask.any(1).all()


def test_what_is_unsaid_sounds_the_same_whatever_its_values(bus):
    said = bus.parse({"text": ["a dog"], "style": ["oil"], "like": [Image.new("RGB", (9, 9), "red")]}, 1)
    silent, nothing = said.without("text", "style", "like"), bus.parse({}, 1)
    for one, other in zip(vars(bus(silent)).values(), vars(bus(nothing)).values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("said", [
    {"text": ["a red dog"]}, {"style": ["oil"]}, {"like": [Image.new("RGB", (20, 20), "blue")]},
    {"layout": [np.full((16, 16), 2, np.uint8)]}, {"depth": [Image.new("L", (16, 16), 200)]},
])  # fmt: skip
def test_everything_that_is_said_is_heard(bus, said):
    heard, silence = bus(bus.parse(said, 1)), bus(bus.parse({}, 1))
    pairs = zip(vars(heard).values(), vars(silence).values(), strict=True)
    assert any(not torch.equal(one, other) for one, other in pairs)


def test_a_condition_left_out_of_the_mapping_is_unsaid(bus):
    full, part = bus.parse({"style": ["ink"]}, 1), {}
    part = type(full)({"style": full["style"]}, count=1)
    assert torch.equal(bus(part).vector, bus(full).vector)


def test_words_behind_the_mask_do_not_count(bus):
    said = bus.parse({"text": ["dog"]}, 1)
    words, mask = said["text"].values
    changed = words.clone()
    changed[~mask] = 7.0
    other = type(said)({**said, "text": type(said["text"])((changed, mask), said["text"].present)}, count=1)
    assert torch.allclose(bus(said).vector, bus(other).vector, atol=1e-6)


def test_dropping_is_by_row_and_by_condition_at_the_stated_rates():
    bus = Bus({"a": LabelCondition(["x"]), "b": LabelCondition(["x"])}, vector=4, drop=0.3, drop_all=0.2)
    count = 4000
    kept = bus.drop(bus.parse({"a": ["x"] * count, "b": ["x"] * count}, count), Streams(0, range(count)))
    a, b = kept["a"].present.float(), kept["b"].present.float()
    assert abs(a.mean() - 0.8 * 0.7) < 0.03
    assert abs((a * b).mean() - 0.8 * 0.49) < 0.03
    assert abs(((1 - a) * (1 - b)).mean() - (0.2 + 0.8 * 0.09)) < 0.03


def test_dropping_depends_on_the_row_alone():
    bus = Bus({"a": LabelCondition(["x"])}, vector=4, drop=0.5)
    many = bus.drop(bus.parse({"a": ["x"] * 8}, 8), Streams(0, range(8)))["a"].present
    one = bus.drop(bus.parse({"a": ["x"]}, 1), Streams(0, [5]))["a"].present
    assert many[5] == one[0]


@pytest.mark.parametrize(("said", "words"), [
    ({"colour": ["red"]}, "no condition 'colour'"), ({"style": ["oils"]}, "oil"), ({"text": [3]}, "must be a string"),
    ({"like": ["nowhere.png"]}, "nowhere.png"), ({"layout": [np.full((4, 4), 9, np.uint8)]}, "up to 9"),
])  # fmt: skip
def test_what_cannot_be_understood_is_named(bus, said, words):
    with pytest.raises(ConditionError, match=words):
        bus.parse(said, 1)


def test_a_bus_is_rebuilt_bit_for_bit(bus):
    again = build("bus", config_of(bus))
    again.load_state_dict(bus.state_dict())
    said = {"text": ["un perro"], "style": ["ink"]}
    assert torch.equal(bus(bus.parse(said, 1)).vector, again(again.parse(said, 1)).vector)


def test_a_column_may_be_called_anything():
    names = ["kind", "type", "keys", "training", "file.size", "", "said so", "größe"]
    bus = Bus({name: LabelCondition(["a", "b"]) for name in names}, vector=4)
    assert bus.names == names
    said = {name: ["b"] for name in names}
    again = build("bus", config_of(bus))
    again.load_state_dict(bus.state_dict())
    assert again.names == names
    assert torch.equal(again(again.parse(said, 1)).vector, bus(bus.parse(said, 1)).vector)
    assert {key.split(".")[1] for key in bus.state_dict()} >= {"kind", "größe"}, "weights are called as they were"
    with pytest.raises(ConditionError, match="no condition 'values'"):
        bus.parse({"values": ["a"]}, 1)


def test_every_parameter_hears_a_gradient(bus):
    picture, grey = Image.new("RGB", (16, 16), "red"), np.zeros((16, 16), np.uint8)
    said = {"text": ["a dog", None], "style": ["oil", None], "like": [picture, None], "layout": [grey, None]}
    channels = bus(bus.parse(said, 2))
    (channels.vector.square().sum() + channels.tokens.square().sum() + channels.maps.square().sum()).backward()
    silent = [n for n, p in bus.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
