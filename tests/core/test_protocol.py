"""The protocol: streams that samples do not share, configurations that rebuild, capabilities that are declared."""

import json

import pytest
import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import (
    Batch,
    CapabilityError,
    Conditions,
    ConfigurationError,
    Denoises,
    Encodes,
    Said,
    Scores,
    Streams,
    build,
    config_of,
    derive_seed,
    require,
)
from lienzo.families.vae import VAE
from lienzo.networks import PatchTransformer


def test_a_row_draws_the_same_whoever_is_beside_it():
    together, alone = Streams(3, [5, 6, 7]), Streams(3, [6])
    for draw in (lambda s: s.normal(2, 3), lambda s: s.uniform(4), lambda s: s.integers(10, 5)):
        assert torch.equal(draw(together)[1], draw(alone)[0])


def test_seeds_indices_names_and_draws_all_change_the_numbers():
    drawn = [Streams(0, [0]), Streams(1, [0]), Streams(0, [1]), Streams(0, [0]).child("a"), Streams(0, [0]).child("b")]
    numbers = [s.normal(8) for s in drawn] + [drawn[0].normal(8)]
    assert all(not torch.equal(a, b) for i, a in enumerate(numbers) for b in numbers[:i])


def test_a_child_does_not_disturb_its_parent():
    parent, other = Streams(0, [0]), Streams(0, [0])
    parent.child("x").normal(100)
    assert torch.equal(parent.normal(4), other.normal(4))


def test_seed_parts_do_not_run_together():
    assert derive_seed("a", "b") != derive_seed("ab") != derive_seed("a/b")
    assert derive_seed(1) != derive_seed("1")


def test_streams_are_standard_normal_and_uncorrelated():
    rows = Streams(0, range(400)).normal(100)
    assert abs(rows.mean()) < 0.02
    assert abs(rows.std() - 1) < 0.02
    assert torch.corrcoef(rows[:50]).fill_diagonal_(0).abs().max() < 0.5


def test_conditions_of_one_batch_have_the_same_rows():
    with pytest.raises(ValueError, match="same number of rows"):
        Conditions({"a": Said((torch.zeros(2),), torch.ones(2).bool())}, count=3)


def test_rows_and_repeats_pick_what_they_say():
    said = Conditions({"a": Said((torch.arange(3),), torch.tensor([True, False, True]))})
    assert said.rows(torch.tensor([2, 0]))["a"].values[0].tolist() == [2, 0]
    assert said.repeat(2)["a"].values[0].tolist() == [0, 1, 2, 0, 1, 2]
    assert not said.without("a")["a"].present.any()


def test_a_part_of_a_batch_draws_what_the_whole_would():
    batch = Batch(torch.zeros(4, 1, 2, 2), Conditions(count=4), Streams(0, range(4)))
    whole = batch.streams.normal(3)
    assert torch.equal(batch.rows(1, 3).streams.normal(3), whole[1:3])


def test_a_configuration_rebuilds_the_object():
    bus = Bus({"kind_of": LabelCondition(["a", "b"])}, vector=16)
    net = PatchTransformer((1, 8, 8), bus.sizes, patch=4, width=32, depth=1, heads=2)
    written = json.loads(json.dumps(config_of(net)))
    again = build("network", written)
    assert config_of(again) == config_of(net)
    again.load_state_dict(net.state_dict())


@pytest.mark.parametrize(("config", "said"), [
    ({"kind": "nonsense"}, "nonsense"),
    ({"kind": "transformer", "shape": (1, 8, 8), "widht": 3}, "widht"),
    ({"kind": "transformer", "shape": (1, 8, 8), "width": "wide"}, "width"),
    ({"shape": (1, 8, 8)}, "kind"),
])  # fmt: skip
def test_a_wrong_configuration_is_named(config, said):
    with pytest.raises(ConfigurationError, match=said):
        build("network", config)


def test_a_missing_capability_names_the_families_that_have_it():
    vae = VAE((1, 16, 16), codes=2, widths=(8, 8))
    assert require(vae, Encodes) is vae
    assert require(vae, Scores) is vae
    with pytest.raises(CapabilityError, match="diffusion"):
        require(vae, Denoises)
