"""The VAE with a likelihood: its KL, its bounds against a closed-form marginal, its codes, what it hears."""

import pytest
import torch
from torch import nn

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import Batch, CapabilityError, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.vae import VAE
from lienzo.networks.coders import Pointwise
from lienzo.sampling.bounds import kl_normal, log_normal
from lienzo.sampling.interpolate import interpolate, linear, spherical

LIKELIHOODS = ["gaussian", "gaussian 0.5", "bernoulli", "logistic-mixture 2"]


def make_bus():
    torch.manual_seed(1)
    conditions = {"label": LabelCondition(["a", "b"]), "like": ImageCondition(size=8, patch=4),
                  "outline": MapCondition("edges", size=8)}  # fmt: skip
    return Bus(conditions, vector=8, token=8)


def make(bus=None, **options):
    torch.manual_seed(0)
    options = {"likelihood": "logistic-mixture 2", "latent": 5, "codes": 4, "widths": (8, 16), "fold": 2} | options
    return VAE((1, 8, 8), bus=bus, **options)


def shaken(family):
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return family


def pictures(count, *shape):
    levels = torch.randint(256, (count, *(shape or (1, 8, 8))), generator=torch.Generator().manual_seed(1))
    return levels / 127.5 - 1


def batch(count, bus=None):
    said = bus.parse(spoken(count), count) if bus else Conditions(count=count)
    return Batch(pictures(count), said, Streams(0, range(count)))


def spoken(count, label="a", value=0.5):
    return {"label": [label] * count, "like": [torch.full((3, 8, 8), value)] * count,
            "outline": [torch.full((1, 8, 8), value)] * count}  # fmt: skip


@pytest.mark.parametrize("said", [False, True])
def test_dense_coders_are_a_vae_like_any_other(said):
    """With a kernel of 1 and the whole picture folded; every pixel of the code's picture is reached by every pixel."""
    bus = make_bus() if said else None
    vae = shaken(make(bus, latent=0, fold=8, kernel=1, widths=(16,)))
    assert vae.code_shape == (4, 1, 1)
    assert not any(p.ndim == 4 and p.shape[-1] > 1 for n, p in vae.named_parameters() if "coder" in n)
    one = batch(3, bus)
    vae.loss(one).total.backward()
    silent = [n for n, p in vae.named_parameters() if p.grad is None or not p.grad.any()]
    assert [n for n in silent if not n.startswith("bus.")] == []
    x = one.x.clone().requires_grad_()
    vae.encode(x, one.conditions)[0].sum().backward()
    assert bool((x.grad[0] != 0).all())
    assert not x.grad[1:].any()


def test_single_pixels_are_mixed_as_a_convolution_would():
    torch.manual_seed(0)
    one, x = Pointwise(5, 3), torch.randn(2, 5, 4, 4)
    torch.testing.assert_close(one(x), nn.functional.conv2d(x, one.weight, one.bias))


def test_without_blocks_nothing_could_hear():
    with pytest.raises(ConfigurationError, match="depth 0"):
        make(make_bus(), depth=0)
    with pytest.raises(ConfigurationError, match="a kernel of 2"):
        make(kernel=2)


def linear_gaussian(sigma, skew=0.0):
    """x = A z + b + σ ε with orthogonal columns of A, so that the exact posterior is diagonal; `skew` spoils q."""
    vae = make(likelihood=f"gaussian {sigma}", latent=3, codes=2, widths=(8,), fold=4)  # a grid of 2 × 2 × 2
    generator = torch.Generator().manual_seed(3)
    a = torch.linalg.qr(torch.randn(64, 3, generator=generator))[0] * torch.tensor([0.5, 1.0, 2.0])
    b = torch.randn(64, generator=generator) * 0.1
    last = nn.Linear(8, 64)
    with torch.no_grad():
        vae.spread.weight.zero_()[:3].copy_(torch.eye(3))
        vae.spread.bias.zero_()
        last.weight.zero_()[:, :3].copy_(a)
        last.bias.copy_(b)
        variance = 1 / (1 + (a**2).sum(0) / sigma**2)
        weight = variance[:, None] * a.T / sigma**2
        vae.flatten = nn.Linear(64, 6)
        vae.flatten.weight.zero_()[:3].copy_(weight)
        vae.flatten.bias.copy_(torch.cat([skew - weight @ b, variance.log() + skew]))
    vae.encoder, vae.decoder = nn.Identity(), nn.Sequential(nn.Flatten(), last, nn.Unflatten(1, (1, 8, 8)))
    return vae, torch.distributions.MultivariateNormal(b.double(), (a @ a.T).double() + sigma**2 * torch.eye(64))


def test_the_kl_is_that_of_draws():
    mean, log_variance = torch.tensor([0.7, -1.0]), torch.tensor([-0.5, 0.8])
    z = mean + (0.5 * log_variance).exp() * Streams(0, range(200_000)).normal(2)
    drawn = (log_normal(z, mean, log_variance) - log_normal(z)).mean(0)
    assert torch.allclose(kl_normal(mean, log_variance), drawn, atol=0.02)


@pytest.mark.parametrize("latent", [5, 0])
def test_with_a_conditional_prior_codes_are_moved_and_the_bound_is_that_of_the_moved_codes(latent):
    bus = make_bus()
    vae = shaken(make(bus, latent=latent, prior="conditional"))
    plain = make(bus, latent=latent)
    plain.load_state_dict({name: value for name, value in vae.state_dict().items() if not name.startswith("prior.")})
    heard, x = bus(bus.parse(spoken(3), 3)), pictures(3)
    (mean, log_variance), (shift, scale) = plain.posterior(x, heard), vae.prior(heard)
    assert shift.abs().max() > 0.01
    between = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(shift, scale.exp())
    )
    assert torch.allclose(kl_normal(*vae.posterior(x, heard)), between, rtol=1e-3, atol=1e-4)
    z = Streams(0, range(3)).normal(*vae.code_shape)
    said = bus.parse(spoken(3), 3)
    assert torch.allclose(vae.decode(z, said), plain.decode(shift + scale.exp() * z, said), atol=1e-5)
    other = bus.parse(spoken(3, label="b"), 3)
    assert not torch.allclose(vae.prior(bus(other))[0], shift)


def test_a_conditional_prior_is_the_standard_one_where_nothing_is_said_in_vectors_or_words():
    assert make(prior="conditional").prior is None
    assert make(make_bus()).prior is None


def test_with_the_exact_posterior_every_weight_is_the_marginal():
    vae, marginal = linear_gaussian(0.4)
    x = pictures(6) * 0.5
    seen = vae.observation.seen(x, Streams(0, range(6)).child("seen"))
    bound = vae.log_prob(x, Conditions(count=6), streams=Streams(0, range(6)), samples=2)
    assert torch.allclose(bound.double(), marginal.log_prob(seen.flatten(1).double()), atol=0.01)


def bound_of_seen(vae, seen, number, samples=1):
    vae.observation.seen = lambda x, streams: x
    count = len(seen)
    streams = Streams(number, range(count))
    return vae.log_prob(seen, Conditions(count=count), streams=streams, samples=samples).double()


def test_bounds_lie_below_the_marginal_and_tighten_with_k():
    vae, marginal = linear_gaussian(0.4, skew=0.3)
    x = marginal.sample((8,)).float().view(8, 1, 8, 8)
    exact = marginal.log_prob(x.flatten(1).double()).mean()
    means = [
        torch.stack([bound_of_seen(vae, x, n, k) for n in range(draws)]).mean()
        for k, draws in ((1, 300), (4, 100), (64, 10))
    ]
    assert means[0] + 0.3 < means[1] + 0.15 < means[2] < exact + 0.05
    assert means[2] == pytest.approx(float(exact), abs=0.15)


def test_l_mse_plus_l_kl_is_a_gaussian_of_variance_one_half():
    vae = make(likelihood="gaussian 0.70710678")
    x, y = pictures(3), pictures(3).flip(0)
    drawn = vae.observation.log_prob(y, x) - vae.observation.log_prob(x, x)
    assert torch.allclose(drawn, -(x - y).square().flatten(1).sum(1), rtol=1e-4)


def test_binarization_has_the_mean_of_the_greys_and_keeps_black_and_white():
    likelihood = make(likelihood="bernoulli").observation
    grey = torch.full((4000, 1, 2, 2), 0.4)
    assert likelihood.seen(grey, Streams(0, range(4000))).mean() == pytest.approx(0.4, abs=0.03)
    ends = torch.tensor([-1.0, 1.0]).expand(100, 1, 1, 2)
    assert torch.equal(likelihood.seen(ends, Streams(0, range(100))), ends)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_gradients_reach_every_parameter(likelihood):
    bus = make_bus()
    vae = shaken(make(bus, likelihood=likelihood))
    vae.loss(batch(8, bus)).total.backward()
    assert [n for n, p in vae.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("latent", [0, 5])
def test_a_picture_does_not_depend_on_how_many_are_drawn(latent):
    bus = make_bus()
    vae = shaken(make(bus, latent=latent))
    said = bus.parse(spoken(5), 5)
    for pixels in ("mean", "draw"):
        many = vae.sample(said, streams=Streams(0, range(5)), pixels=pixels)
        one = vae.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), pixels=pixels)
        assert torch.equal(many[3], one[0])


def test_conditions_change_the_picture_and_may_be_absent():
    bus = make_bus()
    vae = shaken(make(bus))
    base = spoken(1)
    before = vae.sample(bus.parse(base, 1), streams=Streams(0, [0]))
    for name, value in spoken(1, "b", -0.5).items():
        assert not torch.allclose(before, vae.sample(bus.parse({**base, name: value}, 1), streams=Streams(0, [0]))), (
            name
        )
    assert torch.equal(
        vae.sample(Conditions(count=1), streams=Streams(0, [0])), vae.sample(bus.parse({}, 1), streams=Streams(0, [0]))
    )
    assert vae.decode(vae.encode(pictures(2))).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("likelihood", ["edges", "logistic-mixture 2"])
def test_it_is_rebuilt_bit_for_bit(likelihood):
    bus = make_bus()
    vae = shaken(make(bus, likelihood=likelihood, warmup=10))
    vae.loss(batch(4, bus))
    again = build("family", config_of(vae))
    again.load_state_dict(vae.state_dict())
    assert float(again.warm_up.seen) == 4
    said = bus.parse(spoken(1), 1)
    assert torch.equal(*(f.sample(said, streams=Streams(0, [0])) for f in (vae, again)))


def test_beta_warms_up_with_the_images_seen_in_training():
    vae = make(warmup=16, beta=2.0)
    losses = [vae.loss(batch(8)) for _ in range(3)]
    kl, error = losses[0].parts["kl"] / 64, losses[0].parts["error"] / 64
    assert torch.allclose(torch.stack([x.total for x in losses]), torch.stack([error, error + kl, error + 2 * kl]))
    vae.eval().loss(batch(8))
    assert float(vae.warm_up.seen) == 16


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_steps_lower_the_loss(likelihood):
    vae, losses = make(likelihood=likelihood), []
    optimiser = torch.optim.AdamW(vae.parameters(), 3e-3)
    for _ in range(15):
        optimiser.zero_grad()
        losses.append(vae.loss(batch(8)).total)
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < losses[0] - 0.01 * losses[0].abs()


def test_the_first_stage_says_that_it_has_no_density():
    vae = make(likelihood="edges", latent=0)
    with pytest.raises(CapabilityError, match="edges"):
        vae.log_prob(pictures(1), Conditions(count=1), streams=Streams(0, [0]))


@pytest.mark.parametrize("said", ["cauchy", "gaussian wide", "gaussian -1"])
def test_wrong_likelihoods_are_refused(said):
    with pytest.raises(ConfigurationError, match="likelihood"):
        make(likelihood=said)


def test_a_great_arc_keeps_lengths_and_a_line_does_not():
    a, b = (torch.randn(4, 50, generator=torch.Generator().manual_seed(n)) for n in (0, 1))
    a, b = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
    assert torch.allclose(spherical(a, b, 0.3).norm(dim=1), torch.ones(4), atol=1e-5)
    assert bool((linear(a, b, 0.3).norm(dim=1) < 0.95).all())
    assert torch.allclose(spherical(a, b, 0.0), a, atol=1e-6)
    assert torch.allclose(spherical(a, a, 0.5), a, atol=1e-6)
    angle = ((spherical(a, b, 0.3) * a).sum(1)).acos() / (a * b).sum(1).acos()
    assert torch.allclose(angle, torch.full((4,), 0.3), atol=1e-4)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ways_begin_and_end_at_the_two_pictures(path):
    vae = shaken(make())
    x, y = pictures(2), pictures(2).flip(0)
    way = interpolate(vae, x, y, 5, path)
    assert way.shape == (2, 5, 1, 8, 8)
    assert torch.allclose(way[:, 0], vae.decode(vae.encode(x)), atol=1e-5)
    assert torch.allclose(way[:, -1], vae.decode(vae.encode(y)), atol=1e-5)
