"""The hierarchical VAE: its bounds against quadrature, its KL against draws, its order of groups, what it hears."""

import pytest
import torch

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.hierarchical_vae import HierarchicalVAE
from lienzo.networks.spectral import kernels
from lienzo.sampling.bounds import kl_normal, log_normal
from lienzo.sampling.interpolate import interpolate


def make_bus():
    torch.manual_seed(1)
    conditions = {"label": LabelCondition(["a", "b"]), "like": ImageCondition(size=8, patch=4),
                  "outline": MapCondition("edges", size=8)}  # fmt: skip
    return Bus(conditions, vector=8, token=8)


def make(bus=None, **options):
    torch.manual_seed(0)
    options = {"likelihood": "logistic-mixture 2", "widths": (8, 8), "groups": (2, 1), "codes": 2} | options
    return HierarchicalVAE(options.pop("shape", (1, 8, 8)), bus or Bus({}), **options)


def shaken(family, size=0.1):
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn_like(parameter) * size)
    return family


def pictures(count, *shape):
    levels = torch.randint(256, (count, *(shape or (1, 8, 8))), generator=torch.Generator().manual_seed(1))
    return levels / 127.5 - 1


def spoken(count, label="a", value=0.5):
    return {"label": [label] * count, "like": [torch.full((3, 8, 8), value)] * count,
            "outline": [torch.full((1, 8, 8), value)] * count}  # fmt: skip


def batch(count, bus=None):
    said = bus.parse(spoken(count), count) if bus else Conditions(count=count)
    return Batch(pictures(count), said, Streams(0, range(count)))


@pytest.fixture(scope="module")
def two_numbers():
    """Two groups of one number each over a picture of 2 × 2: small enough to integrate over."""
    family = shaken(make(shape=(1, 2, 2), widths=(8,), groups=(2,), codes=1, likelihood="bernoulli"), 0.5).eval()
    with torch.no_grad():
        for rung in family.ladder.rungs:  # posteriors nearer to the prior than chance makes them: K need not be huge
            for layer in (rung.posterior.widen, rung.direct):
                layer.weight.mul_(0.1)
                layer.bias.mul_(0.1)
    return family


@torch.no_grad()
def integral(family, x):
    """Return log ∫ p(x | ε) N(ε; 0, I) dε by summing over a grid."""
    side = torch.linspace(-6, 6, 121)
    grid = torch.cartesian_prod(side, side)
    down = family.ladder.descend(family._split(grid), family.bus(Conditions(count=len(grid))))
    log_p = family.observation.log_prob(down.parameters, x.expand(len(grid), -1, -1, -1))
    return torch.logsumexp(log_p + log_normal(grid).sum(1) + 2 * (side[1] - side[0]).log(), 0)


def test_bounds_lie_below_the_integral_and_tighten_with_k(two_numbers):
    x = torch.tensor([1.0, -1.0, 1.0, 1.0]).view(1, 1, 2, 2)
    exact, many = integral(two_numbers, x), 2000
    rows, said = x.expand(many, -1, -1, -1), Conditions(count=many)
    bounds = [
        float(two_numbers.log_prob(rows, said, streams=Streams(0, range(many)), samples=k).mean()) for k in (1, 4, 64)
    ]
    assert bounds[0] + 0.005 < bounds[1] < bounds[2] < exact + 0.005
    assert bounds[2] == pytest.approx(float(exact), abs=0.02)


def test_what_is_drawn_is_what_is_scored(two_numbers):
    """Shares of all 16 binary pictures among draws against their integrals."""
    count = 8000
    drawn = two_numbers.sample(Conditions(count=count), streams=Streams(5, range(count)), pixels="draw", chunk=1000)
    number = ((drawn.flatten(1) > 0).long() * torch.tensor([8, 4, 2, 1])).sum(1)
    share = torch.bincount(number, minlength=16) / count
    each = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 4).view(16, 1, 1, 2, 2)
    said = torch.stack([integral(two_numbers, x) for x in each]).exp()
    assert float(said.sum()) == pytest.approx(1.0, abs=1e-3)
    assert torch.allclose(share, said, atol=0.02)


@torch.no_grad()
def test_the_kl_is_that_of_draws():
    family = shaken(make())
    count = 3000
    x = pictures(1).expand(count, -1, -1, -1)
    noise = family._split(Streams(0, range(count)).normal(*family.code_shape))
    down = family.ladder(x, noise, family.bus(Conditions(count=count)))
    for e, delta, r in zip(down.numbers, down.delta, down.r, strict=True):
        closed = kl_normal(delta, r).flatten(1).sum(1)
        drawn = (log_normal(e, delta, r) - log_normal(e)).flatten(1).sum(1)
        assert abs(float((closed - drawn).mean())) < 4 * float((closed - drawn).std()) / count**0.5
        assert bool((closed > 0).all())


def test_a_group_hears_those_before_it_and_no_later_one():
    family = shaken(make())
    up = family.ladder.climb(pictures(1), family.bus(Conditions(count=1)))
    noise = [part.requires_grad_() for part in family._split(torch.zeros(1, *family.code_shape))]
    down = family.ladder.descend(noise, family.bus(Conditions(count=1)), up)
    for number, delta in enumerate(down.delta):
        heard = torch.autograd.grad(delta.square().sum(), noise, retain_graph=True, allow_unused=True)
        assert [g is not None and bool(g.any()) for g in heard] == [before < number for before in range(len(noise))]


def test_gradients_reach_every_parameter():
    bus = make_bus()
    family = shaken(make(bus))
    family.loss(batch(8, bus)).total.backward()
    assert [n for n, p in family.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    bus = make_bus()
    family = shaken(make(bus))
    said = bus.parse(spoken(5), 5)
    many = family.sample(said, streams=Streams(0, range(5)), pixels="draw")
    one = family.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), pixels="draw")
    assert torch.equal(many[3], one[0])


def test_conditions_change_the_picture_and_may_be_absent():
    bus = make_bus()
    family = shaken(make(bus))
    base = spoken(1)
    before = family.sample(bus.parse(base, 1), streams=Streams(0, [0]))
    for name, value in spoken(1, "b", -0.5).items():
        other = family.sample(bus.parse({**base, name: value}, 1), streams=Streams(0, [0]))
        assert not torch.allclose(before, other), name
    unsaid = family.sample(Conditions(count=1), streams=Streams(0, [0]))
    assert torch.equal(unsaid, family.sample(bus.parse({}, 1), streams=Streams(0, [0])))


def test_it_is_rebuilt_bit_for_bit():
    bus = make_bus()
    family = shaken(make(bus, warmup=10))
    family.loss(batch(4, bus))
    again = build("family", config_of(family))
    again.load_state_dict(family.state_dict())
    said = bus.parse(spoken(1), 1)
    assert torch.equal(*(f.sample(said, streams=Streams(0, [0])) for f in (family, again)))


def test_balancing_keeps_the_mean_weight_and_ends_with_the_warm_up():
    family = shaken(make(warmup=16))
    kl = torch.tensor([1.0, 0.0, 3.0])
    gamma = family._balance(kl, torch.tensor(0.5))
    assert gamma.mean() == pytest.approx(1.0)
    assert gamma[1] < 0.01
    for _ in range(2):
        family.loss(batch(8))
    loss = family.loss(batch(8))
    assert torch.allclose(loss.total, (loss.parts["error"] + loss.parts["kl"]) / 64)


def test_codes_begin_and_end_a_way_between_pictures():
    family = shaken(make())
    x, y = pictures(2), pictures(2).flip(0)
    way = interpolate(family, x, y, 3)
    assert torch.allclose(way[:, 0], family.decode(family.encode(x)), atol=1e-5)
    assert torch.allclose(way[:, -1], family.decode(family.encode(y)), atol=1e-5)


def test_temperature_zero_draws_one_picture():
    family = shaken(make())
    drawn = family.sample(Conditions(count=3), streams=Streams(0, range(3)), temperature=0.0)
    assert torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("likelihood", ["bernoulli", "logistic-mixture 2"])
def test_steps_lower_the_loss(likelihood):
    family, losses = make(likelihood=likelihood), []
    optimiser = torch.optim.AdamW(family.parameters(), 3e-3)
    for _ in range(12):
        optimiser.zero_grad()
        losses.append(family.loss(batch(8)).total)
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.99 * losses[0]


def test_levels_that_do_not_fit_are_refused():
    with pytest.raises(ConfigurationError, match="groups"):
        make(groups=(1,))


def test_spectral_regularisation_is_the_sum_of_the_largest_singular_values():
    family = shaken(make(spectral=0.5)).train()
    weights = kernels(family.ladder)
    loss = family.loss(batch(4))
    for _ in range(20):
        family.spectral(weights)  # a few more iterations from where it was
    exact = sum(torch.linalg.svdvals(w.detach().flatten(1))[0] for w in weights)
    assert torch.allclose(family.spectral(weights), exact, rtol=1e-2)
    plain = shaken(make()).train().loss(batch(4))
    assert torch.allclose(loss.total, plain.total + 0.5 * loss.parts["spectral"], rtol=1e-4)
    (gradient,) = torch.autograd.grad(family.spectral(weights), weights[0])
    u, _, v = torch.linalg.svd(weights[0].detach().flatten(1), full_matrices=False)
    assert torch.allclose(gradient.flatten(1).abs(), torch.outer(u[:, 0], v[0]).abs(), atol=5e-2)
