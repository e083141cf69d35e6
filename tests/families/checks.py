"""What every family promises, as functions of a `Subject` that raise AssertionError where one does not hold.

`test_conformance.py` asks them of the whole registry, `test_planted_faults.py` whether they see what they are for. How
well a family that encodes gives pictures back, it says itself (`Encodes.round_trip`); `plane.py` holds it to that.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from in_order import pixels_in_order, tokens_in_order
from subject import (
    CLASSES,
    ROWS,
    SHAPE,
    Subject,
    batch,
    draw,
    go,
    hears,
    options,
    players,
    running,
    said,
)
from torch import Tensor

from lienzo.core import CapabilityError, Conditions, Encodes, Family, Scores, Streams, build, config_of
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.orders import Pixels, Tokens
from lienzo.training.checkpoint import plain
from lienzo.training.run import Snapshot, copy
from lienzo.training.tensors import fill, read_tensors, write_tensors

Check = Callable[[Subject], None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Enter a check in the table by which the suite runs."""
    CHECKS[function.__name__] = function
    return function


@check
def a_few_steps_lower_the_loss_of_each_player(subject: Subject) -> None:
    assert subject.trained  # skips what cannot be trained here
    for player in players(subject.made()):
        family = subject.made().train()
        optimiser, losses = torch.optim.AdamW(family.parameters_of(player), 3e-3, weight_decay=0.0), list[float]()
        for _ in range(16):  # the same pictures and the same noise, with the other players standing still
            family.zero_grad()
            loss = family.loss(batch(family), player).total
            assert loss.isfinite()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0], f"{player}: {losses}"


@check
def gradients_reach_every_parameter_of_every_player(subject: Subject) -> None:
    family = subject.made()
    family.load_state_dict(subject.shaken.state_dict())
    names = {p: n for n, p in family.named_parameters()}
    untrained = {n for p, n in names.items() if p.requires_grad}
    for player, own in players(family.train()).items():
        family.zero_grad(set_to_none=True)
        for number in range(4):  # gradients add up
            family.loss(batch(family, number * ROWS), player).total.backward()
        assert [names[p] for p in own if p.grad is None or not p.grad.any()] == [], player
        untrained -= {names[p] for p in own}
    assert untrained == set(), "parameters of no player"


@check
def a_player_trains_its_own_parameters_and_no_others(subject: Subject) -> None:
    assert subject.trained
    family = subject.made()
    run = running(family)
    everyone = [p for own in players(family).values() for p in own]
    assert len(everyone) == len(set(everyone)), "players share parameters"
    for player in run.players:
        before = copy(run.raw())
        family.zero_grad(set_to_none=True)
        family.loss(batch(family), player).total.backward()
        reached = {n for n, p in run.trained.items() if p.grad is not None and p.grad.any()}
        assert reached <= set(run.players[player]), f"{player} sends gradients to {reached - set(run.players[player])}"
        for optimiser in run.optimisers[player]:
            optimiser.step()
        moved = {n for n, p in run.raw().items() if not torch.equal(p, before[n])}
        assert moved
        assert moved <= set(run.players[player]), player


@check
def a_loss_is_a_function_of_its_batch_alone(subject: Subject) -> None:
    state, losses = subject.trained.state_dict(), list[list[Tensor]]()
    for seed in (1, 2):
        family = subject.made()
        family.load_state_dict(state)
        torch.manual_seed(seed)
        losses.append([family.train().loss(batch(family), player).total for player in players(family)])
        assert torch.equal(torch.rand(3), _after(seed)), "it has drawn from torch's global generator"
    assert all(torch.equal(a, b) for a, b in zip(*losses, strict=True))


@check
def a_loss_is_the_mean_over_rows(subject: Subject) -> None:
    """Held in evaluation: in training a family may measure its first batch, or count."""
    family = subject.trained
    if "path_share" in config_of(family):  # a penalty on some rows alone is one on other rows in each part
        family = subject.made(path_share=1.0).eval()
        family.load_state_dict(subject.trained.state_dict())
    whole = batch(family)
    for player in players(family):
        total = family.loss(whole, player).total
        parts = [family.loss(whole.rows(start, start + ROWS // 2), player).total for start in (0, ROWS // 2)]
        assert torch.allclose(torch.stack(parts).mean(), total, rtol=1e-4, atol=1e-5), f"{player}: {parts}, {total}"


@check
def the_same_stream_gives_the_same_sample_at_any_batch_size(subject: Subject) -> None:
    family, labels = subject.shaken, [*CLASSES, None, "a"]
    many = draw(family, labels, list(range(5)))
    assert many.shape == (5, *SHAPE)
    assert many.isfinite().all()
    assert many.abs().max() <= 1
    for row, label in enumerate(labels):
        assert torch.equal(draw(family, [label], [row])[0], many[row]), f"row {row}"
    assert not torch.equal(many[0], many[4]), "another stream gives another sample"


@check
def saved_and_loaded_it_draws_the_same_bits(subject: Subject) -> None:
    family = subject.trained
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        write_tensors(family.state_dict(), file)
        again = build("family", json.loads(json.dumps(plain(config_of(family)))))
        fill(again, read_tensors(file), file)
    again.eval()
    assert plain(config_of(again)) == plain(config_of(family))
    assert torch.equal(draw(family, ["a", None], [0, 1]), draw(again, ["a", None], [0, 1]))
    assert again.state_dict().keys() == family.state_dict().keys()
    if isinstance(family, Encodes):
        x = batch(family).x
        assert torch.equal(family.encode(x), again.encode(x))


@check
def training_goes_on_from_a_snapshot_with_the_same_bits(subject: Subject) -> None:
    assert subject.trained
    whole = running(subject.made())
    go(whole, 3)
    kept = Snapshot.of(whole)
    go(whole, 3)
    resumed = running(subject.made())
    kept.restore(resumed)
    go(resumed, 3)
    ours, theirs = Snapshot.of(resumed), Snapshot.of(whole)
    for part in ("raw", "average", "buffers", "optimisers"):
        a, b = getattr(ours, part), getattr(theirs, part)
        assert a.keys() == b.keys()
        assert [n for n in a if not torch.equal(a[n], b[n])] == [], part
    assert ours.counters == theirs.counters


@check
def conditions_change_the_sample_and_need_not_be_said(subject: Subject) -> None:
    family = subject.shaken
    if not hears(family):
        pytest.skip("it hears nothing")
    rows = [0, 1, 2, 3]
    drawn = {label: draw(family, [label] * 4, rows) for label in ("a", "b", None)}
    assert not torch.equal(drawn["a"], drawn["b"])
    assert not torch.equal(drawn["a"], drawn[None])
    with torch.no_grad():
        unsaid = family.sample(Conditions(count=4), streams=Streams(3, rows), **options(family))
    assert torch.equal(unsaid, drawn[None])


@check
def with_nothing_to_hear_it_learns_and_draws(subject: Subject) -> None:
    assert subject.trained
    run = running(subject.made(heard=False))
    go(run, 2)
    drawn = run.family.eval().sample(Conditions(count=2), streams=Streams(0, [0, 1]), **options(run.family))
    assert drawn.shape == (2, *SHAPE)
    assert drawn.isfinite().all()


@check
def what_is_encoded_can_be_decoded(subject: Subject) -> None:
    family = subject.trained
    if not isinstance(family, Encodes):
        pytest.skip("it has no codes")
    seen = batch(family, 5000)
    with torch.no_grad():
        for conditions in (None, seen.conditions):
            x = family.decode(family.encode(seen.x, conditions), conditions)
            assert x.shape == seen.x.shape
            assert x.isfinite().all()


@check
def pictures_like_those_it_learns_are_likelier_than_noise(subject: Subject) -> None:
    family, seen = subject.trained, batch(subject.trained, 5000)
    noise = (Streams(9, range(ROWS)).uniform(*SHAPE) * 255).round() / 127.5 - 1
    for labels in ((CLASSES * 6)[:ROWS], [None] * ROWS):
        data, other = (scores(family, x, said(family, labels)) for x in (seen.x, noise))
        assert data.shape == (ROWS,)
        assert data.isfinite().all()
        if family.likelihood == "exact":
            assert other.isfinite().all()
            assert data.mean() > other.mean()


@check
def how_likely_a_picture_is_does_not_depend_on_others(subject: Subject) -> None:
    family, seen = subject.trained, batch(subject.trained, 5000)
    together = scores(family, seen.x, seen.conditions)
    alone = [scores(family, seen.x[n : n + 1], seen.conditions.rows(slice(n, n + 1)), n) for n in (0, 3)]
    assert torch.allclose(torch.cat(alone), together[[0, 3]], rtol=1e-3, atol=0.05)  # nats, of some hundred


@check
def an_exact_density_is_that_of_its_codes(subject: Subject) -> None:
    r"""log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|, the determinant by autograd, of x that nothing is added to."""
    if "dequantization" not in config_of(subject.trained):
        pytest.skip("its density is not that of codes")
    family = subject.made(shape=(1, 4, 4), dequantization="none")
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)) * 0.05)
    assert isinstance(family.eval(), Encodes)
    family.double()
    x = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5
    jacobian = torch.autograd.functional.jacobian(lambda v: family.encode(v).flatten(), x).reshape(16, 16)
    z = family.encode(x)
    known = torch.distributions.Normal(0, 1).log_prob(z).sum() + torch.linalg.slogdet(jacobian).logabsdet
    assert torch.allclose(scores(family, x, Conditions(count=1)), known.float().to(x), rtol=1e-4, atol=1e-3)


@check
def an_exact_probability_sums_to_one(subject: Subject) -> None:
    """Over all pictures of four pixels of two levels, of families that can be given so few."""
    if not {"levels", "order"} <= set(config_of(subject.trained)):
        pytest.skip("it cannot be given two levels")
    family = subject.made(shape=(1, 2, 2), order="tokens", levels=2).eval()
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)) * 0.3)
    bits = torch.arange(16)[:, None].bitwise_right_shift(torch.arange(4)).bitwise_and(1)
    every = (bits * 2.0 - 1).view(16, 1, 2, 2)
    total = float(scores(family, every, Conditions(count=16)).exp().sum())
    assert abs(total - 1) < 1e-4, f"{total:.4f}"


@check
def what_is_drawn_in_order_hears_what_is_before_it_alone(subject: Subject) -> None:
    """By gradient, and by what is remembered from part to part against what is computed anew."""
    family = subject.shaken
    if not isinstance(family, Autoregressive) or family.likelihood != "exact":
        pytest.skip("it draws in no order")
    order, x = family.order, batch(family).x[:2]
    channels = family.bus(said(family, ["a", None]))
    if isinstance(order, Pixels):
        pixels_in_order(order, x, channels)
    elif isinstance(order, Tokens):
        tokens_in_order(order, x, channels)


def scores(family: Family, x: Tensor, conditions: Conditions, first: int = 0) -> Tensor:
    """Return log p, (B,); skip where there is none, or a variant has none."""
    if not isinstance(family, Scores):
        pytest.skip("it gives no likelihood")
    try:
        with torch.no_grad():
            return family.log_prob(x, conditions, streams=Streams(4, range(first, first + len(x))))
    except CapabilityError as error:
        pytest.skip(str(error))


def _after(seed: int) -> Tensor:
    torch.manual_seed(seed)
    return torch.rand(3)
