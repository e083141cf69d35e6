"""Flows: they are invertible, their determinants are right, and nothing looks ahead."""

import math

import pytest
import torch
from torch import nn

from lienzo.conditions import Bus, Channels, LabelCondition, MapCondition, TextCondition
from lienzo.conditions.base import Sizes
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.flow import Flow
from lienzo.networks import odds
from lienzo.networks.autoflow import AutoBlock, AutoFlow, Cache, CausalLayer
from lienzo.networks.coupling import ActNorm, Coupling, Glow, Heard, Mixing, Step
from lienzo.networks.dequantize import filled

SHAPE = (1, 8, 8)
SIZES = Sizes(vector=3, token=5, maps=2)
KINDS = {
    "glow": {"width": 8, "depth": 2, "levels": 2},
    "mixture": {"width": 8, "depth": 2, "levels": 2, "components": 3},
    "transformer": {"transform": "transformer", "width": 16, "depth": 2, "layers": 1, "patch": 4, "heads": 2},
}


def shaken(module, std=0.2):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
    return module


def numbers(*shape, seed=1, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def channels(count):
    mask = torch.tensor([[True, True, False]]).expand(count, -1)
    return Channels(numbers(count, 3), numbers(count, 3, 5, seed=2), mask, numbers(count, 2, 4, 4, seed=3))


def by_autograd(function, x):
    """The log-determinant of the Jacobian of one picture's map."""
    jacobian = torch.autograd.functional.jacobian(lambda flat: function(flat.view(x.shape)).flatten(), x.flatten())
    return torch.linalg.slogdet(jacobian)[1]


def right(forward, inverse, x):
    y, change = forward(x)
    assert torch.allclose(inverse(y), x, atol=1e-9)
    change = change.expand(len(x)) if change.ndim == 0 else change
    for row in range(len(x)):
        part = slice(row, row + 1)
        assert torch.allclose(change[row], by_autograd(lambda v, p=part: forward_of(forward, x, v, p), x[part]))


def forward_of(forward, x, v, part):
    whole = x.clone()
    whole[part] = v
    return forward(whole)[0][part]


HEARD = Heard(numbers(2, 6), numbers(2, 2, 2, 2, seed=3))


@pytest.mark.parametrize("make", [
    lambda: ActNorm(4), lambda: Mixing(4), lambda: Coupling(4, 8, 1, 6, 2, 2.0), lambda: Step(4, 8, 1, 6, 2, 2.0),
    lambda: Coupling(4, 8, 1, 6, 2, 2.0, 3, 4),
], ids=["actnorm", "mixing", "coupling", "step", "mixture"])  # fmt: skip
def test_each_layer_is_invertible_with_its_determinant(make):
    torch.manual_seed(0)
    layer, x = shaken(make()).double(), numbers(2, 4, 2, 2)
    if isinstance(layer, ActNorm):
        layer(numbers(5, 4, 2, 2, seed=7) * 3 + 1, measure=True)
    more = isinstance(layer, Coupling | Step)
    right(
        lambda v: layer(v, HEARD) if more else layer(v),
        lambda y: layer.inverse(y, [HEARD]) if more else layer.inverse(y), x
    )  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True])
def test_an_autoregressive_block_is_invertible_with_its_determinant(backwards):
    torch.manual_seed(0)
    block = shaken(AutoBlock((2, 2), 3, Sizes(), 4, 8, 1, 2, 2.0, backwards)).double()
    forward = lambda x: block(x, Channels(), None)  # noqa: E731
    right(forward, lambda z: block.inverse(z, [Channels()], [None]), numbers(2, 4, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_is_invertible_with_its_determinant(kind):
    torch.manual_seed(0)
    flow = shaken(Flow((1, 4, 4), Bus({}), **(KINDS[kind] | {"patch": 2}), logit=0.05)).double()
    flow.transform.requires_grad_(False)
    x = numbers(2, 1, 4, 4).tanh() * 0.9
    right(lambda v: flow._forward(v, Channels()), lambda z: flow._picture(flow.transform.inverse(z, [Channels()])), x)


@pytest.mark.parametrize("make", [
    lambda: Glow(SHAPE, SIZES, 8, 2, 2), lambda: AutoFlow(SHAPE, SIZES, 4, 16, 2, 2, 2)
], ids=["glow", "transformer"])  # fmt: skip
def test_it_is_invertible_under_all_three_channels(make):
    torch.manual_seed(0)
    transform, x, said = shaken(make()).double(), numbers(3, *SHAPE), channels(3)
    z, change = transform(x, said)
    assert torch.allclose(transform.inverse(z, [said]), x, atol=1e-8)
    for name in ("vector", "tokens", "maps"):
        other = Channels(**{**vars(said), name: getattr(said, name) + 1})
        assert not torch.allclose(transform(x, other)[1], change), name
    unheard = said.tokens.clone()
    unheard[:, 2] += 5
    assert torch.equal(transform(x, Channels(said.vector, unheard, said.mask, said.maps))[1], change)


def test_the_log_odds_of_a_mixture_are_monotone_and_what_leads_back_has_its_derivatives():
    raw, x = numbers(2, 3 * 4 * 2, 1, 1), torch.linspace(-10, 10, 2001, dtype=torch.float64)
    y, log_slope = odds.odds(x[:, None, None, None].expand(-1, 2, 1, 1), raw[:1].expand(2001, -1, 1, 1))
    assert (y.diff(dim=0) > 0).all()
    steps = (y[2:] - y[:-2]) / (x[2] - x[0])
    assert torch.allclose(log_slope[1:-1].exp(), steps, rtol=0.05)
    one = raw.clone().requires_grad_()
    assert torch.autograd.gradcheck(odds.value, (numbers(2, 2, 1, 1, seed=4).requires_grad_(), one))
    single = numbers(2, 3 * 2, 1, 1)
    affine = (numbers(2, 2, 1, 1) - single[:, 2:4]) * torch.exp(-5 * torch.tanh(single[:, 4:] / 5))
    assert torch.allclose(odds.odds(numbers(2, 2, 1, 1), single)[0], affine)  # a mixture of one is affine


def test_the_density_of_a_tiny_flow_integrates_to_one():
    torch.manual_seed(0)
    flow = shaken(Flow((1, 1, 2), Bus({}), "transformer", width=8, depth=3, layers=1, patch=1, heads=2, bound=0.5))
    flow, n, reach = flow.double(), 120, 12.0
    edge = (torch.arange(n, dtype=torch.float64) + 0.5) / n * 2 * reach - reach
    v = torch.stack(torch.meshgrid(edge, edge, indexing="ij"), -1).view(-1, 1, 1, 2)
    with torch.no_grad():
        mass = flow.density(v, Channels()).exp().sum() * (2 * reach / n) ** 2
    assert abs(float(mass) - 1) < 2e-3


def test_the_variational_dequantizer_is_a_density_on_the_cube():
    torch.manual_seed(0)
    flow = shaken(Flow((1, 2, 2), Bus({}), dequantization="variational", width=8, depth=1, levels=1)).double()
    x, noise = torch.full((1, 1, 2, 2), -1.0, dtype=torch.float64), numbers(1, 1, 2, 2)
    u, log_q = flow.dequantizer(x, noise)
    assert bool(((u > 0) & (u < 1)).all())
    change = by_autograd(lambda e: flow.dequantizer(x, e)[0], noise)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum() - change
    assert torch.allclose(log_q[0], expected)
    assert flow.likelihood == "bound"
    assert Flow.likelihood == "exact"


@pytest.mark.parametrize("backwards", [False, True])
def test_no_patch_looks_ahead(backwards):
    torch.manual_seed(0)
    block = shaken(AutoBlock((2, 3), 2, SIZES, 1, 8, 2, 2, 2.0, backwards)).double()
    x, said = numbers(1, 6, 2), channels(1)
    jacobian = torch.autograd.functional.jacobian(lambda v: block(v, said, None)[0], x)[0, :, :, 0]
    heard = jacobian.abs().sum((1, 3)) > 1e-12  # (patch of z, patch of x)
    lower = torch.ones(6, 6, dtype=torch.bool).tril()
    assert torch.equal(heard, lower.T if backwards else lower)


def test_the_cached_inverse_is_the_uncached_one():
    torch.manual_seed(0)
    block, said = shaken(AutoBlock((2, 3), 2, SIZES, 1, 8, 2, 2, 2.0, True)).double(), channels(2)
    z, x = numbers(2, 6, 2), numbers(2, 6, 2, seed=5)
    for _ in range(6):  # every pass of x = z e^s(x) + μ(x) puts one more patch right
        z_of, _ = block(x, said, None)
        x = x + (z - z_of) * _slope(block, x, said)
    assert torch.allclose(block.inverse(z, [said], [None]), x, atol=1e-9)


def _slope(block, x, said):
    """e^s of every value, as ∂x/∂z of its own."""
    jacobian = torch.autograd.functional.jacobian(lambda v: block(v, said, None)[0].sum(0), x)
    return 1 / torch.stack([jacobian[:, :, b].flatten(2).flatten(0, 1).diagonal().view(6, 2) for b in range(len(x))])


def test_layers_with_a_cache_agree_with_layers_without():
    torch.manual_seed(0)
    layer, x, said, cache = shaken(CausalLayer(8, 2, 5)).double(), numbers(2, 6, 8), channels(2), Cache(6)
    one_by_one = torch.cat([layer(x[:, i : i + 1], said, cache) for i in range(6)], 1)
    assert torch.allclose(layer(x, said), one_by_one)


def full_bus():
    text = TextCondition(length=4, depth=1, heads=2)
    conditions = {"kind_of": LabelCondition(["a", "b"]), "text": text, "outline": MapCondition("edges", size=8)}
    return Bus(conditions, vector=8, token=8)


def pictures(count, shape=SHAPE):
    levels = torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(1))
    return (levels / 255).square() * 2 - 1


def batch(count, bus):
    drawn = [*numbers(count - 1, 1, 8, 8, dtype=torch.float32).sigmoid(), None]  # a row in which it is left unsaid
    said = {"kind_of": ["a", "b"] * (count // 2), "text": ["a red cat"] * count, "outline": drawn} if bus.names else {}
    return Batch(pictures(count), bus.parse(said, count), Streams(0, range(count)))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter(kind):
    bus = full_bus()
    torch.manual_seed(0)
    flow = shaken(Flow(SHAPE, bus, dequantization="variational", **KINDS[kind]), 0.05)
    flow.loss(batch(4, bus)).total.backward()
    reached = {n for n, p in flow.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert sorted({n for n, _ in flow.named_parameters()} - reached) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_does_not_depend_on_how_many_are_drawn(kind):
    bus = full_bus()
    flow = shaken(Flow(SHAPE, bus, **KINDS[kind]), 0.1).eval()
    said = bus.parse({"kind_of": ["a"] * 5}, 5)
    many = flow.sample(said, streams=Streams(0, range(5)), guidance=1.5)
    one = flow.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), guidance=1.5)
    assert torch.equal(many[3], one[0])


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_and_guidance_and_temperature_change_the_sample(kind):
    bus = full_bus()
    flow = shaken(Flow(SHAPE, bus, **KINDS[kind]), 0.1).eval()

    def draw(said, **options):
        return flow.sample(bus.parse(said, 1), streams=Streams(0, [0]), **options)

    plain = draw({"kind_of": ["a"]})
    others = [draw({"kind_of": ["b"]}), draw({}), draw({"kind_of": ["a"]}, guidance=3.0),
              draw({"kind_of": ["a"]}, temperature=0.7)]  # fmt: skip
    assert all(not torch.equal(plain, other) for other in others)
    assert torch.equal(draw({}), draw({}, guidance=3.0))  # nothing is said: nothing is guided
    with pytest.raises(ConfigurationError, match="stepps"):
        draw({}, stepps=3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ["none", "uniform", "variational", "gaussian 0.1"])
def test_it_is_rebuilt_bit_for_bit_and_encodes_exactly(kind, row):
    flow = shaken(Flow(SHAPE, Bus({}), dequantization=row, **KINDS[kind]), 0.05)
    flow.loss(batch(4, flow.bus))
    again = build("family", config_of(flow))
    again.load_state_dict(flow.state_dict())
    nothing = Conditions(count=2)
    one, other = (f.eval().sample(nothing, streams=Streams(0, [0, 1])) for f in (flow, again))
    assert torch.equal(one, other)
    with torch.no_grad():
        x = pictures(2)
        assert torch.allclose(flow.decode(flow.encode(x)), x, atol=1e-4)
        assert torch.equal(*(f.log_prob(x, nothing, streams=Streams(0, [0, 1])) for f in (flow, again)))


def test_the_first_batch_and_no_other_sets_the_normalisation():
    flow = Flow(SHAPE, Bus({}), **KINDS["glow"])
    norms = [m for m in flow.modules() if isinstance(m, ActNorm)]
    flow.eval().loss(batch(4, flow.bus))
    assert not any(bool(m.mean.any()) for m in norms)
    flow.train().loss(batch(8, flow.bus))
    kept = [m.mean.clone() for m in norms]
    v = filled(pictures(8), Streams(0, range(8)).child("dequantization").uniform(*SHAPE))
    y, _ = norms[0](nn.functional.pixel_unshuffle(v, 2))
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
    assert torch.allclose(y.std((0, 2, 3), unbiased=False), torch.ones(4), atol=1e-4)
    flow.loss(batch(2, flow.bus))
    assert all(torch.equal(m.mean, k) for m, k in zip(norms, kept, strict=True))


def test_bits_of_a_uniform_density_are_eight():
    flow = Flow(SHAPE, Bus({}), **KINDS["glow"])
    uniform = torch.tensor([-64 * math.log(256 / 127.5)])  # over 256 levels, 1/127.5 apart, 64 values
    assert torch.allclose(flow.bits_per_dimension(uniform), torch.tensor([8.0]))


def test_denoising_follows_the_score_of_a_gaussian():
    flow = Flow(
        SHAPE, Bus({}), dequantization="gaussian 0.5", **KINDS["transformer"]
    )  # starts as the identity: N(0, I)
    nothing = Conditions(count=2)
    noisy = flow.sample(nothing, streams=Streams(0, [0, 1]), denoise=False, temperature=0.3)
    clean = flow.sample(nothing, streams=Streams(0, [0, 1]), temperature=0.3)
    inside = noisy.abs() < 1
    assert torch.allclose(clean[inside], noisy[inside] * 0.75, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_lower_the_loss(kind):
    torch.manual_seed(0)
    flow, first = Flow(SHAPE, Bus({}), **KINDS[kind]), math.inf
    optimiser = torch.optim.AdamW(flow.parameters(), 3e-3)
    for step in range(12):
        optimiser.zero_grad()
        loss = flow.loss(batch(8, flow.bus)).total
        first = loss.item() if step == 0 else first
        loss.backward()
        optimiser.step()
    assert loss.item() < first - 0.05


def test_what_does_not_fit_is_refused():
    for wrong in (
        {"transform": "sphere"}, {"dequantization": "gaussian"}, {"dequantization": "uniform 1"}, {"levels": 5},
        {"components": -1},
        *({"transform": "transformer", "patch": p} for p in (3, 8)), {"dequantization": "none", "logit": 0.1},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError):
            Flow(SHAPE, Bus({}), **wrong)


def test_the_log_counts_bits_where_there_are_levels():
    for row, part in (("uniform", "bits"), ("variational", "bits"), ("none", "nats"), ("gaussian 0.1", "nats")):
        flow = Flow(SHAPE, Bus({}), dequantization=row, **KINDS["glow"])
        assert set(flow.loss(batch(2, flow.bus)).parts) == {part}
