"""The diffusion family: four rows of a table, one network."""

import math
from itertools import islice

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from lienzo.conditions.base import Channels
from lienzo.conditions.bus import Bus
from lienzo.conditions.label import LabelCondition
from lienzo.core import (
    Batch,
    ConditionError,
    Conditions,
    ConfigurationError,
    Denoises,
    Scores,
    Streams,
    build,
    config_of,
    require,
)
from lienzo.families.diffusion import Diffusion
from lienzo.networks import UNet
from lienzo.sampling import PROCESSES, SCHEDULES, SOLVERS, TARGETS

SHAPE = (1, 4, 4)
ROWS = sorted(PROCESSES)
MEAN, STD = 0.2, 0.3


class Small(nn.Module):
    """A convolution, a linear layer and attention: kernels whose last bits depend on the size of a call."""

    def __init__(self, vector: int = 8) -> None:
        super().__init__()
        self.hear = nn.Linear(vector + 1, 24)
        self.first, self.last = nn.Conv2d(1, 24, 3, padding=1), nn.Conv2d(24, 1, 3, padding=1)
        self.attend = nn.MultiheadAttention(24, 2, batch_first=True)
        self.calls = 0

    def forward(self, x: Tensor, phi: Tensor, channels: Channels) -> Tensor:
        self.calls += 1
        assert channels.vector is not None
        h = self.first(x) + self.hear(torch.cat([channels.vector, phi[:, None]], 1))[:, :, None, None]
        words = nn.functional.silu(h).flatten(2).transpose(1, 2)
        words = words + self.attend(words, words, words, need_weights=False)[0]
        return self.last(words.transpose(1, 2).reshape(h.shape))


class Exact(nn.Module):
    """E[x | x_t] of pixels N(m, s²), from what every network hears: x_t/√(α² σ_d² + σ²) and the angle φ."""

    def __init__(self, sigma_data: float = 0.5) -> None:
        super().__init__()
        self.sigma_data, self.off = sigma_data, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, phi: Tensor, channels: Channels) -> Tensor:
        a, s = ((phi * (math.pi / 2)).cos(), (phi * (math.pi / 2)).sin())
        a, s = a.view(-1, 1, 1, 1), s.view(-1, 1, 1, 1)
        x_t = x * (a.square() * self.sigma_data**2 + s.square()).sqrt()  # of the schedule with α² + σ² = 1
        return MEAN + a * STD**2 / ((a * STD).square() + s.square()) * (x_t - a * MEAN) + self.off


def labels(drop: float = 0.1) -> Bus:
    return Bus({"shape": LabelCondition(["a", "b"]), "tone": LabelCondition(["c", "d"])}, vector=8, drop=drop)


def small(process: str = "flow-matching", **options) -> Diffusion:
    torch.manual_seed(0)
    return Diffusion(Small(), labels(0.4), SHAPE, process, **options)


def exact(process: str, **options) -> Diffusion:
    return Diffusion(Exact(), Bus(), SHAPE, process, target="data", **options)


def said(model: Diffusion, count: int) -> Conditions:
    return model.bus.parse({"shape": [("a", "b", None)[i % 3] for i in range(count)], "tone": ["c"] * count}, count)


def batch(model: Diffusion, count: int) -> Batch:
    x = Streams(5, range(count)).normal(*SHAPE) * STD + MEAN
    return Batch(x, said(model, count) if model.bus.names else Conditions(count=count), Streams(0, range(count)))


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", ROWS)
def test_gradients_reach_every_parameter(process: str):
    model = small(process)
    model.loss(batch(model, 32)).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert bool(parameter.grad.abs().max() > 0), name


@pytest.mark.parametrize("process", ROWS)
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_the_loss_of_the_exact_denoiser_is_the_posterior_variance(process: str, target: str):
    """E‖x − E[x | x_t]‖² = s² σ²/(α² s² + σ²) a pixel, and in the space of any target another network has more."""
    count = 1000
    model = exact(process, weighting=target)
    x = batch(model, count)
    t = model.times(x.streams.child("time"), model.schedule).double()
    a, s = model.schedule.alpha(t), model.schedule.sigma(t)
    variance = (STD * s) ** 2 / ((a * STD) ** 2 + s**2)
    seen = model.loss(x).parts["error"].item()
    assert seen == pytest.approx(variance.mean().item(), rel=0.05)
    (slope,) = torch.autograd.grad(model.loss(x).total, model.parameters_of())
    best = model.loss(x).total.item()
    with torch.no_grad():
        model.network.off += 0.05
    assert model.loss(x).total.item() > best
    assert abs(slope.item()) < 0.2 * abs(torch.autograd.grad(model.loss(x).total, model.parameters_of())[0].item())


def test_the_same_stream_makes_the_same_noise_in_any_batch():
    model = small("edm")
    whole = batch(model, 6)
    losses = [model.loss(whole.rows(i, i + 1)).total for i in range(6)]
    torch.testing.assert_close(torch.stack(losses).mean(), model.loss(whole).total)


# -- one process, four rows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", ROWS)
def test_rows_agree_at_equal_ratio(process: str):
    """With one network and a target that no schedule scales, rows differ by a factor on x_t alone."""
    network, bus = Small(), labels()
    one = Diffusion(network, bus, SHAPE, "edm")
    other = Diffusion(network, bus, SHAPE, process, target="preconditioned")
    x, lam = torch.randn(5, *SHAPE), torch.linspace(-2, 2, 5)
    conditions = said(one, 5)
    estimates: list[Tensor] = []
    for model in (one, other):
        t = model.schedule.at(lam)
        a = model.schedule.alpha(t).view(-1, 1, 1, 1)
        estimates.append(model.denoise(a * x, t, conditions))
    torch.testing.assert_close(*estimates, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("process", ROWS)
def test_a_network_of_one_row_samples_with_the_schedule_of_another(process: str):
    """Trained with any row and run on any schedule: the same pictures, up to the steps' error."""
    model, conditions, streams = exact(process), Conditions(count=4), Streams(0, range(4))
    own = model.sample(conditions, streams=streams, steps=60, solver="heun", spacing="karras")
    for schedule in sorted(SCHEDULES):
        other = model.sample(conditions, streams=streams, steps=60, solver="heun", spacing="karras", schedule=schedule)
        torch.testing.assert_close(own, other, atol=0.02, rtol=0)


@pytest.mark.parametrize("process", ROWS)
@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_samples_have_the_moments_of_the_data(process: str, solver: str):
    """Up to the steps' error, which is the larger where the order is 1 or Langevin's walk is short."""
    order = SOLVERS[solver].order
    count = 100 if order else 50
    steps, error = {1: (150, 0.06), 2: (40, 0.05), None: (40, 0.15)}[order]
    options = {"chunk": count, "steps": steps, "solver": solver}
    y = exact(process).sample(Conditions(count=count), streams=Streams(1, range(count)), **options)
    assert y.mean().item() == pytest.approx(MEAN, abs=0.03)
    assert y.std().item() == pytest.approx(STD, rel=error)


@pytest.mark.parametrize("process", ROWS)
def test_likelihood_of_gaussian_data(process: str):
    model, x = exact(process, sigma_data=0.5), torch.randn(4, *SHAPE) * STD + MEAN
    found = require(model, Scores).log_prob(x, Conditions(count=4), streams=Streams(0, range(4)))
    torch.testing.assert_close(found, Normal(MEAN, STD).log_prob(x).sum((1, 2, 3)), atol=0.05, rtol=0)
    assert model.likelihood == "estimate"


class Untrained(Exact):
    """Knows nothing of less noise than its training times have: there it returns what it hears, many times over."""

    def forward(self, x: Tensor, phi: Tensor, channels: Channels) -> Tensor:
        return torch.where((phi < 0.1).view(-1, 1, 1, 1), 50 * x, super().forward(x, phi, channels))


def test_likelihood_asks_no_network_where_it_was_not_trained():
    model = Diffusion(Untrained(), Bus(), SHAPE, target="data", times="logit-normal -0.8 0.8")
    x = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0)) * STD + MEAN
    found = model.log_prob(x, Conditions(count=4), streams=Streams(0, range(4)))
    torch.testing.assert_close(found, Normal(MEAN, STD).log_prob(x).sum((1, 2, 3)), atol=0.05, rtol=0)


# -- sampling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["dpm++2m", "ancestral", "heun"])
@pytest.mark.parametrize("guidance", [1.0, 3.0, {"tone": 2.0, "shape": 4.0}])
def test_the_same_stream_gives_the_same_picture_in_any_batch(solver: str, guidance):
    model, count = small(), 9
    conditions = said(model, count)
    options = {"solver": solver, "guidance": guidance, "steps": 4}
    whole = model.sample(conditions, streams=Streams(7, range(count)), **options)
    for rows in ([0], [5], [2, 1], [8, 3, 4, 0, 7], list(range(8))):
        part = model.sample(conditions.rows(torch.tensor(rows)), streams=Streams(7, rows), **options)
        assert torch.equal(part, whole[rows]), rows


def test_guidance_of_weight_one_is_the_conditional_model():
    model, streams = small(), Streams(0, range(3))
    conditions = said(model, 3)
    plain = model.sample(conditions, streams=streams, steps=4)
    for weights in (1, {"shape": 1.0, "tone": 1.0}):
        model.network.calls = 0
        assert torch.equal(model.sample(conditions, streams=Streams(0, range(3)), steps=4, guidance=weights), plain)
        assert model.network.calls == 4  # one a step: nothing unconditional is asked
    outside = {"guidance": 5.0, "guidance_interval": (2.0, 3.0)}
    assert torch.equal(model.sample(conditions, streams=Streams(0, range(3)), steps=4, **outside), plain)
    assert not torch.equal(model.sample(conditions, streams=Streams(0, range(3)), steps=4, guidance=2.0), plain)


def test_guidance_is_the_formula_of_its_denoisers():
    model, x, t = small(), torch.randn(2, *SHAPE), torch.full((2,), 0.4)
    c = model.bus.parse({"shape": ["a", "b"], "tone": ["c", "d"]}, 2)
    d = [model.denoise(x, t, each) for each in (c.without("shape", "tone"), c.without("tone"), c)]
    expected = d[0] + 1.5 * (d[1] - d[0]) + 4.0 * (d[2] - d[1])
    start = {"start": (x, 0.4), "steps": 3}
    first = next(model.sampling(c, streams=Streams(0, [0, 1]), guidance={"shape": 1.5, "tone": 4.0}, **start))
    torch.testing.assert_close(first.estimate, expected)


def test_conditions_are_encoded_once():
    model, encoded = small(), []
    model.bus.register_forward_hook(lambda *_: encoded.append(1))
    model.sample(said(model, 3), streams=Streams(0, range(3)), steps=6, guidance=2.0)
    assert len(encoded) == 2  # the branch that hears and the one that does not


def test_every_step_is_shown_and_the_last_is_the_picture():
    model = small()
    walk = list(model.sampling(said(model, 2), streams=Streams(0, [0, 1]), steps=5))
    assert [(p.step, p.steps) for p in walk] == [(i, 5) for i in range(1, 6)]
    assert torch.equal(walk[-1].x, walk[-1].estimate)
    assert not walk[-1].x.requires_grad


def test_sampling_may_start_on_the_way():
    """From the state of a picture near the data's end, what comes out is near the picture."""
    model, x = exact("flow-matching"), torch.full((1, *SHAPE), 0.3)
    t = 0.98
    state = t * x + (1 - t) * torch.randn(1, *SHAPE)
    y = model.sample(Conditions(count=1), streams=Streams(0, [0]), start=(state, t), steps=5)
    torch.testing.assert_close(y, x, atol=0.1, rtol=0)


def test_the_estimate_at_time_one_is_finite_and_near_the_picture():
    for process in ROWS:
        model, x = exact(process), torch.rand(2, *SHAPE)
        near = require(model, Denoises).denoise(x, torch.ones(2), Conditions(count=2))
        torch.testing.assert_close(near, x, atol=0.05, rtol=0)


def test_it_is_rebuilt_from_its_configuration():
    bus = labels()
    model = Diffusion(UNet(SHAPE, bus.sizes, widths=[8], depth=1, attention=[], heads=1), bus, SHAPE, target="data")
    again = build("family", config_of(model))
    again.load_state_dict(model.state_dict())
    conditions = said(model, 2)
    pictures = [m.sample(conditions, streams=Streams(0, [0, 1]), steps=2) for m in (model, again)]
    assert torch.equal(*pictures)
    assert again.process == model.process


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same_pictures_but_for_rounding():
    model = small()
    conditions, options = said(model, 5), {"steps": 4, "guidance": 2.0}
    here = model.sample(conditions, streams=Streams(0, range(5)), **options)
    there = model.cuda().sample(conditions, streams=Streams(0, range(5), device="cuda"), **options)
    torch.testing.assert_close(there.cpu(), here, atol=0.02, rtol=0)
    model.loss(batch(model, 8).to("cuda")).total.backward()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"solver": "rk4"}, ConfigurationError),
        ({"solver": "heun", "eta": 0.5}, ConfigurationError),
        ({"spacing": "even"}, ConfigurationError),
        ({"schedule": "lineal"}, ConfigurationError),
        ({"steps": 0}, ConfigurationError),
        ({"guidance": {"colour": 2.0}}, ConditionError),
    ],
)
def test_mistakes_are_named(options: dict, error: type[Exception]):
    model = small()
    with pytest.raises(error):
        list(islice(model.sampling(said(model, 1), streams=Streams(0, [0]), **options), 1))
