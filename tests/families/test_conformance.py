"""What every family promises, asked of every family of the registry: one that is added tomorrow is tested unasked.

Each is built at 1 × 8 × 8 with a label of three classes. Arguments that a family takes and `SMALL` names are made
small; a family that wants others has a classmethod

    tiny() -> dict[str, Any]        # plain arguments, as a recipe's [family] would have them

and one that can decode what it encodes says how well, on 8-bit pictures with values in [-1, 1]:

    round_trip: ClassVar[float]     # the largest |decode(encode(x)) − x|

A family that asks for a package by "pip install" in an error is skipped where it is not installed.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import (
    Batch,
    CapabilityError,
    Conditions,
    ConfigurationError,
    Encodes,
    Family,
    Scores,
    Streams,
    build,
    config_of,
)
from lienzo.core.registry import REGISTRY, class_named
from lienzo.families.latent import Latent
from lienzo.training import TrainingSettings
from lienzo.training.checkpoint import plain
from lienzo.training.distributed import Team
from lienzo.training.recipes.make import code_shape, make_family
from lienzo.training.run import Chosen, Run, Snapshot, copy
from lienzo.training.step import advance
from lienzo.training.tensors import fill, read_tensors, write_tensors

SHAPE, CLASSES, ROWS, STEPS = (1, 8, 8), ["a", "b", "c"], 16, 24
SMALL: dict[str, Any] = {
    "network": {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2},
    "widths": [8, 16],
    "groups": [1, 1],
    "codes": 2,
    "width": 16,
    "depth": 1,
    "heads": 2,
}
SETTINGS = TrainingSettings(
    batch_size=ROWS, images=100_000, learning_rate=3e-3, warmup=0, ema_half_life=100, precision="float32", threads=1,
    device="cpu",
)  # fmt: skip

# Other tests enter families of their own, which are not the library's to keep.
kinds = pytest.mark.parametrize("kind", [k for k, t in REGISTRY["family"].items() if t.startswith("lienzo.")])


def listening(names: Mapping[str, list[str]]) -> Bus:
    torch.manual_seed(0)
    return Bus({name: LabelCondition(classes) for name, classes in names.items()}, vector=16, token=16)


def made(kind: str, *, heard: bool = True, shape: tuple[int, int, int] = SHAPE) -> Family:
    """Build a family at its smallest, always with the same weights."""
    cls = class_named("family", kind)
    if issubclass(cls, Latent):
        outer = made("vae")
        return Latent(outer, made("diffusion", heard=heard, shape=code_shape(outer)))
    takes = inspect.signature(cls.__init__).parameters
    config = {n: v for n, v in SMALL.items() if n in takes and alike(v, takes[n].default)} | getattr(
        cls, "tiny", dict
    )()
    network = config.pop("network", None)
    if network and "patch" in network:
        network = {**network, "patch": shape[1] // 2}  # one token alone would have nothing to attend to
    bus = listening({"label": CLASSES} if heard else {})
    family = make_family({"kind": kind, **config}, network, bus, shape, seed=0)
    assert family.shape == shape
    return family


def alike(value: Any, default: Any) -> bool:
    """Whether a value may take a default's place: two families may mean different things by a name."""
    plural = (list, tuple)
    return isinstance(value, dict) or isinstance(value, plural) == isinstance(default, plural)


def pictures(streams: Streams, brightness: Tensor) -> Tensor:
    """Return 8-bit pictures of a soft spot on a ground whose brightness (B,) is given."""
    grid = torch.linspace(-1, 1, 8)
    place = streams.child("place").uniform(2) - 0.5
    far = (grid[None, :, None] - place[:, :1, None]) ** 2 + (grid[None, None] - place[:, 1:, None]) ** 2
    x = brightness[:, None, None] + 0.5 * (-4 * far).exp() + 0.02 * streams.child("grain").normal(8, 8)
    return ((x.clamp(-1, 1) + 1) * 127.5).round()[:, None] / 127.5 - 1


def batch(family: Family, seen: int = 0, rows: int = ROWS) -> Batch:
    """Return pictures number `seen` and those after it, and what their classes are."""
    numbers, streams = range(seen, seen + rows), Streams(1, range(seen, seen + rows))
    x = pictures(streams.child("x"), torch.tensor([n % 3 * 0.4 - 0.7 for n in numbers]))
    return Batch(x, said(family, [CLASSES[n % 3] for n in numbers]), streams)


def said(family: Family, labels: list[str | None]) -> Conditions:
    bus = getattr(family, "bus", None)
    return bus.parse({"label": labels}, len(labels)) if hears(family) else Conditions(count=len(labels))


def hears(family: Family) -> bool:
    return bool(getattr(getattr(family, "bus", None), "names", []))


def options(family: Family) -> dict[str, Any]:
    """Return two steps, where a family's samples take steps."""
    inner = family.inner if isinstance(family, Latent) else family
    return {"steps": 2} if "steps" in inspect.signature(inner.sampling).parameters else {}


def running(family: Family) -> Run:
    return Run(family.train(), SETTINGS, Chosen(100_000, "float32", "cpu", 1, 1), Team.alone("cpu"))


def go(run: Run, steps: int) -> None:
    for _ in range(steps):
        try:
            advance(run, batch(run.family, run.counters.seen))
        except ConfigurationError as error:
            if "pip install" in error.hint:
                pytest.skip(str(error))
            raise


@functools.cache
def trained(kind: str) -> Family:
    """Return a family after a few steps; it is shared, and stays as it is."""
    run = running(made(kind))
    go(run, STEPS)
    run.family.zero_grad(set_to_none=True)
    return run.family.eval()


@functools.cache
def shaken(kind: str) -> Family:
    """Return the trained family with its weights a little off, so that layers which started at zero count."""
    family, generator = made(kind), torch.Generator().manual_seed(0)
    family.load_state_dict(trained(kind).state_dict())
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return family.eval()


def draw(family: Family, labels: list[str | None], indices: list[int]) -> Tensor:
    with torch.no_grad():
        return family.sample(said(family, labels), streams=Streams(3, indices), **options(family))


def players(family: Family) -> dict[str, list[torch.nn.Parameter]]:
    return {player: list(family.parameters_of(player)) for player in dict.fromkeys(family.players)}


@kinds
def test_a_few_steps_lower_the_loss_of_each_player(kind: str) -> None:
    trained(kind)  # skips what cannot be trained here
    for player in players(made(kind)):
        family = made(kind).train()
        optimiser, losses = torch.optim.AdamW(family.parameters_of(player), 3e-3, weight_decay=0.0), list[float]()
        for _ in range(16):  # the same pictures and the same noise, with the other players standing still
            family.zero_grad()
            loss = family.loss(batch(family), player).total
            assert loss.isfinite()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0], f"{player}: {losses}"


@kinds
def test_gradients_reach_every_parameter_of_every_player(kind: str) -> None:
    family = made(kind)
    family.load_state_dict(shaken(kind).state_dict())
    names = {p: n for n, p in family.named_parameters()}
    untrained = {n for p, n in names.items() if p.requires_grad}
    for player, own in players(family.train()).items():
        family.zero_grad(set_to_none=True)
        for number in range(4):  # gradients add up
            family.loss(batch(family, number * ROWS), player).total.backward()
        assert [names[p] for p in own if p.grad is None or not p.grad.any()] == [], player
        untrained -= {names[p] for p in own}
    assert untrained == set(), "parameters of no player"


@kinds
def test_players_share_no_parameters_and_move_only_their_own(kind: str) -> None:
    trained(kind)
    family = made(kind)
    run = running(family)
    everyone = [p for own in players(family).values() for p in own]
    assert len(everyone) == len(set(everyone))
    for player in run.players:
        before = copy(run.raw())
        family.zero_grad(set_to_none=True)
        family.loss(batch(family), player).total.backward()
        for optimiser in run.optimisers[player]:
            optimiser.step()
        moved = {n for n, p in run.raw().items() if not torch.equal(p, before[n])}
        assert moved
        assert moved <= set(run.players[player]), player


@kinds
def test_a_loss_is_a_function_of_its_batch_alone(kind: str) -> None:
    state, losses = trained(kind).state_dict(), list[list[Tensor]]()
    for seed in (1, 2):
        family = made(kind)
        family.load_state_dict(state)
        torch.manual_seed(seed)
        losses.append([family.train().loss(batch(family), player).total for player in players(family)])
        assert torch.equal(torch.rand(3), _after(seed)), "it has drawn from torch's global generator"
    assert all(torch.equal(a, b) for a, b in zip(*losses, strict=True))


def _after(seed: int) -> Tensor:
    torch.manual_seed(seed)
    return torch.rand(3)


@kinds
def test_the_same_stream_gives_the_same_sample_at_any_batch_size(kind: str) -> None:
    family, labels = shaken(kind), [*CLASSES, None, "a"]
    many = draw(family, labels, list(range(5)))
    assert many.shape == (5, *SHAPE)
    assert many.isfinite().all()
    assert many.abs().max() <= 1
    for row, label in enumerate(labels):
        assert torch.equal(draw(family, [label], [row])[0], many[row]), f"row {row}"
    assert not torch.equal(many[0], many[4]), "another stream gives another sample"


@kinds
def test_saved_and_loaded_it_draws_the_same_bits(kind: str, tmp_path: Any) -> None:
    family = trained(kind)
    write_tensors(family.state_dict(), tmp_path / "model.safetensors")
    again = build("family", json.loads(json.dumps(plain(config_of(family)))))
    fill(again, read_tensors(tmp_path / "model.safetensors"), tmp_path / "model.safetensors")
    again.eval()
    assert plain(config_of(again)) == plain(config_of(family))
    assert torch.equal(draw(family, ["a", None], [0, 1]), draw(again, ["a", None], [0, 1]))
    assert again.state_dict().keys() == family.state_dict().keys()
    if isinstance(family, Encodes):
        x = batch(family).x
        assert torch.equal(family.encode(x), again.encode(x))


@kinds
def test_training_goes_on_from_a_snapshot_with_the_same_bits(kind: str) -> None:
    trained(kind)
    whole = running(made(kind))
    go(whole, 3)
    kept = Snapshot.of(whole)
    go(whole, 3)
    resumed = running(made(kind))
    kept.restore(resumed)
    go(resumed, 3)
    ours, theirs = Snapshot.of(resumed), Snapshot.of(whole)
    for part in ("raw", "average", "buffers", "optimisers"):
        a, b = getattr(ours, part), getattr(theirs, part)
        assert a.keys() == b.keys()
        assert [n for n in a if not torch.equal(a[n], b[n])] == [], part
    assert ours.counters == theirs.counters


@kinds
def test_conditions_change_the_sample_and_need_not_be_said(kind: str) -> None:
    family = shaken(kind)
    if not hears(family):
        pytest.skip("it hears nothing")
    rows = [0, 1, 2, 3]
    drawn = {label: draw(family, [label] * 4, rows) for label in ("a", "b", None)}
    assert not torch.equal(drawn["a"], drawn["b"])
    assert not torch.equal(drawn["a"], drawn[None])
    with torch.no_grad():
        unsaid = family.sample(Conditions(count=4), streams=Streams(3, rows), **options(family))
    assert torch.equal(unsaid, drawn[None])


@kinds
def test_with_nothing_to_hear_it_learns_and_draws(kind: str) -> None:
    trained(kind)
    run = running(made(kind, heard=False))
    go(run, 2)
    drawn = run.family.eval().sample(Conditions(count=2), streams=Streams(0, [0, 1]), **options(run.family))
    assert drawn.shape == (2, *SHAPE)
    assert drawn.isfinite().all()


@kinds
def test_what_is_encoded_can_be_decoded(kind: str) -> None:
    family = trained(kind)
    if not isinstance(family, Encodes):
        pytest.skip("it has no codes")
    seen = batch(family, 5000)
    with torch.no_grad():
        for conditions in (None, seen.conditions):
            x = family.decode(family.encode(seen.x, conditions), conditions)
            assert x.shape == seen.x.shape
            assert x.isfinite().all()
            tolerance = getattr(type(family), "round_trip", None)
            if tolerance is not None:
                assert (x - seen.x).abs().max() <= tolerance


@kinds
def test_pictures_like_those_it_learns_are_likelier_than_noise(kind: str) -> None:
    family = trained(kind)
    if not isinstance(family, Scores):
        pytest.skip("it gives no likelihood")
    seen = batch(family, 5000)
    noise = replace(seen, x=(Streams(9, range(ROWS)).uniform(*SHAPE) * 255).round() / 127.5 - 1)
    for labels in ((CLASSES * 6)[:ROWS], [None] * ROWS):
        conditions = said(family, labels)
        with torch.no_grad():
            try:
                data, other = (family.log_prob(b.x, conditions, streams=Streams(4, range(ROWS))) for b in (seen, noise))
            except CapabilityError as error:
                pytest.skip(str(error))  # a variant without
        assert data.shape == (ROWS,)
        assert data.isfinite().all()
        if family.likelihood == "exact":
            assert other.isfinite().all()
            assert data.mean() > other.mean()
