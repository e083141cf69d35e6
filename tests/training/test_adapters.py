"""Adapters: the base stays, to the last bit; what is kept is the adapter alone; and it fits no other base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lienzo.conditions import Bus, LabelCondition, TextCondition
from lienzo.core import Batch, CheckpointError, Conditions, ConfigurationError, Family, Streams, config_of
from lienzo.families.diffusion import Diffusion
from lienzo.families.gan import GAN
from lienzo.families.latent import Latent
from lienzo.families.vae import VAE
from lienzo.networks import PatchTransformer, UNet
from lienzo.training import TrainingSettings, load, train
from lienzo.training.adapters import LOW_RANK, SHARE, Adapter, adapted, sized
from lienzo.training.checkpoint import CONFIG, WEIGHTS, plain, resolve, seal
from lienzo.training.folder import fingerprint
from lienzo.training.tensors import read_tensors, write_tensors

SETTINGS = TrainingSettings(batch_size=4, images=40, warmup=0, ema_half_life=10, precision="float32", threads=1,
                            checkpoint_every=0, device="cpu", learning_rate=1e-2)  # fmt: skip
SIDE = 8


def bus() -> Bus:
    conditions = {"text": TextCondition(length=4, depth=1, heads=2), "label": LabelCondition(["cat", "dog"])}
    return Bus(conditions, vector=32, token=16)


def over_pixels() -> Family:
    heard = bus()
    network = PatchTransformer((3, SIDE, SIDE), heard.sizes, patch=2, width=64, depth=2, heads=2)
    return Diffusion(network, heard, (3, SIDE, SIDE))


def over_codes() -> Family:
    heard = bus()
    network = UNet((4, SIDE, SIDE), heard.sizes, widths=(48, 64), depth=1, attention=(1,), heads=2)
    return Latent(VAE((3, 2 * SIDE, 2 * SIDE), codes=4, widths=(8,)), Diffusion(network, heard, (4, SIDE, SIDE)))


CASES = {"copy over pixels": (over_pixels, "copy"), "features over codes": (over_codes, "features"),
         "low rank over codes": (over_codes, LOW_RANK)}  # fmt: skip


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest):
    return CASES[request.param]


@pytest.fixture(scope="module")
def base(case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with untrained weights, none of them zero, as a folder."""
    torch.manual_seed(0)
    family, folder = case[0](), tmp_path_factory.mktemp("models") / "base"
    for parameter in family.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    folder.mkdir()
    write_tensors(family.state_dict(), folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(plain(config_of(family))))
    seal(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(case, base: Path) -> Adapter:
    told = {} if case[1] == LOW_RANK else {"name": "outline", "map_kind": "edges", "channels": 1}
    return sized(load(base), Adapter(str(base), fingerprint(base / WEIGHTS), case[1], **told))


@pytest.fixture
def fresh(base: Path, adapter: Adapter) -> Family:
    """The base with an adapter that has learnt nothing yet."""
    return adapted(load(base), adapter)


def said(family: Family, count: int, *, over: bool = True) -> Conditions:
    values = {"text": ["a cat"] * count, "label": ["dog"] * count}
    if over and "outline" in family.bus.names:
        side = family.shape[1]
        draw = lambda i: torch.randn(1, side, side, generator=torch.Generator().manual_seed(i))  # noqa: E731
        values["outline"] = [draw(i) for i in range(count)]
    return family.bus.parse(values, count)


def drawn(family: Family, *, over: bool = True) -> Tensor:
    return family.eval().sample(said(family, 3, over=over), streams=Streams(0, range(3)), steps=3, guidance=2.0)


def batch_at(family: Family):
    def make(seen: int) -> Batch:
        streams = Streams(5, range(seen, seen + 4))
        return Batch(streams.child("x").uniform(*family.shape) * 2 - 1, said(family, 4), streams)

    return make


def learn(family: Family, out: Path, **changes) -> Path:
    settings = TrainingSettings.checked(SETTINGS.model_dump() | changes)
    return train(family, batch_at(family), settings, out).folder


def test_a_fresh_adapter_draws_what_its_base_draws_bit_for_bit(fresh, base):
    family = fresh
    assert torch.equal(drawn(family), drawn(load(base), over=False))


def test_it_has_at_most_a_tenth_of_the_base_and_keeps_nothing_else(fresh, base, adapter):
    family = fresh
    of_base = sum(p.numel() for p in load(base).parameters())
    learnt = {name: p for name, p in family.named_parameters() if p.requires_grad}
    assert 0 < sum(p.numel() for p in learnt.values()) <= SHARE * of_base
    assert set(family.state_dict()) == set(learnt)
    assert config_of(family)["base"] == adapter.base


def test_training_changes_the_adapter_alone_and_without_its_map_the_base_still_draws(fresh, base, adapter, tmp_path):
    family = fresh
    before = drawn(family)
    first = {name: p.detach().clone() for name, p in family.named_parameters()}
    checkpoint = learn(family, tmp_path / "run")
    moved = {name for name, p in family.named_parameters() if not torch.equal(p, first[name])}
    assert moved
    assert moved <= set(family.state_dict())
    assert not torch.equal(drawn(family), before)
    again = load(checkpoint)
    assert torch.equal(drawn(again), drawn(family))
    assert (checkpoint / WEIGHTS).stat().st_size < 0.3 * (base / WEIGHTS).stat().st_size
    if adapter.name:
        assert torch.equal(drawn(again, over=False), drawn(load(base), over=False))


def test_a_run_that_was_stopped_ends_with_the_same_bits(fresh, base, adapter, tmp_path):
    family = fresh
    whole = read_tensors(learn(family, tmp_path / "whole") / WEIGHTS)
    steps = iter([False] * 4)
    settings, out = SETTINGS, tmp_path / "halves"
    other = adapted(load(base), adapter)
    train(other, batch_at(other), settings, out, stop=lambda: next(steps, True))
    other = adapted(load(base), adapter)
    found = read_tensors(train(other, batch_at(other), settings, out).folder / WEIGHTS)
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[name], whole[name]) for name in whole)


def test_another_base_is_refused_and_a_missing_one_named(fresh, base, tmp_path):
    family = fresh
    checkpoint = learn(family, tmp_path / "run")
    config = json.loads((checkpoint / CONFIG).read_text())
    other = load(base)
    with torch.no_grad():
        next(iter(other.parameters())).add_(1)
    (tmp_path / "other").mkdir()
    write_tensors(other.state_dict(), tmp_path / "other" / WEIGHTS)
    (tmp_path / "other" / CONFIG).write_bytes((base / CONFIG).read_bytes())
    for name, words in (("other", "fits no other base"), ("nowhere", "nowhere, which is not here")):
        (checkpoint / CONFIG).write_text(json.dumps({**config, "base": name}))
        seal(checkpoint)
        with pytest.raises(CheckpointError, match=words):
            load(resolve(tmp_path / "run"))


@pytest.mark.parametrize("case", ["copy over pixels"], indirect=True)
def test_an_adapter_on_an_adapter_hears_both_maps(base, tmp_path):
    checkpoint = base
    for name in ("outline", "depth"):
        family = load(checkpoint)
        adapter = Adapter(str(checkpoint), fingerprint(checkpoint / WEIGHTS), "features", 4, name, "edges", 1)
        checkpoint = learn(adapted(family, adapter), tmp_path / name)
    both = load(checkpoint)
    assert both.bus.names == ["text", "label", "outline", "depth"]
    assert torch.equal(drawn(both), drawn(load(tmp_path / "outline")))  # of the two, "outline" alone is said
    with pytest.raises(ConfigurationError, match="hears 'depth' already"):
        adapted(both, Adapter("both", "", "copy", 4, "depth", "depth", 1))


def test_what_cannot_be_adapted_says_what_can():
    with pytest.raises(ConfigurationError, match="a GAN cannot be adapted"):
        adapted(GAN((3, 8, 8), Bus({})), Adapter("it", "", "features", 4, "outline", "edges", 1))
