"""The discretized mixture of logistics against sums over all levels and its own definition."""

import math

import pytest
import torch

from lienzo.core import ConfigurationError, Streams
from lienzo.sampling import logistic

LEVELS = torch.arange(256) / 127.5 - 1


def made(count, channels, mixtures=4, side=1, coupled=True, seed=0, spread=2.0):
    generator = torch.Generator().manual_seed(seed)
    numbers = logistic.parameters_for(mixtures, channels, coupled)
    return torch.randn(count, numbers, side, side, generator=generator) * spread


def test_the_levels_of_one_channel_sum_to_one():
    parameters = made(7, 1, spread=4.0)
    x = LEVELS.view(256, 1, 1, 1)
    for row in parameters:
        total = logistic.log_prob(row.expand(256, -1, -1, -1), x).exp().sum()
        assert total == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("coupled", [True, False])
def test_the_levels_of_two_channels_sum_to_one(coupled):
    parameters = made(1, 2, coupled=coupled)
    x = torch.cartesian_prod(LEVELS, LEVELS)[:, :, None, None]
    total = logistic.log_prob(parameters.expand(len(x), -1, -1, -1), x, coupled).double().exp().sum()
    assert float(total) == pytest.approx(1.0, abs=1e-4)


def test_probabilities_are_differences_of_the_distribution_function():
    parameters = torch.tensor([0.0, 0.1, -1.0]).view(1, 3, 1, 1).expand(256, -1, -1, -1)  # μ = 0.1, s = 1/e
    edges = ((torch.arange(257).double() - 0.5) / 127.5 - 1 - 0.1) * torch.e
    function = torch.sigmoid(edges)
    function[0], function[-1] = 0, 1
    got = logistic.log_prob(parameters, LEVELS.view(256, 1, 1, 1)).double().exp()
    assert torch.allclose(got, function.diff(), atol=1e-7)


def test_gradients_are_finite_at_any_scale():
    parameters = made(64, 3, side=2, spread=30.0).requires_grad_()
    x = torch.where(torch.arange(64)[:, None, None, None] % 2 == 0, 1.0, -1.0).expand(-1, 3, 2, 2)
    logistic.log_prob(parameters, x).sum().backward()
    assert parameters.grad is not None
    assert bool(parameters.grad.isfinite().all())


def test_samples_have_the_probabilities_that_are_said():
    parameters, count = made(1, 1, spread=1.0), 40_000
    uniforms = Streams(0, [0]).uniform(count, 2).view(count, 2, 1, 1)
    drawn = logistic.sample(parameters.expand(count, -1, -1, -1), uniforms)
    share = torch.bincount(((drawn.flatten() + 1) * 127.5).round().long(), minlength=256) / count
    said = logistic.log_prob(parameters.expand(256, -1, -1, -1), LEVELS.view(256, 1, 1, 1)).exp()
    assert (share.cumsum(0) - said.cumsum(0)).abs().max() < 0.012  # Kolmogorov-Smirnov: 1 % at 0.008


def test_coupled_channels_are_drawn_as_they_are_scored():
    """E[−log P] of samples is the entropy, found by summing over all pairs of levels."""
    parameters, count = made(1, 2, mixtures=2, seed=3), 20_000
    uniforms = Streams(1, [0]).uniform(count, 3).view(count, 3, 1, 1)
    drawn = logistic.sample(parameters.expand(count, -1, -1, -1), uniforms)
    met = -logistic.log_prob(parameters.expand(count, -1, -1, -1), drawn)
    pairs = torch.cartesian_prod(LEVELS, LEVELS)[:, :, None, None]
    log_p = logistic.log_prob(parameters.expand(len(pairs), -1, -1, -1), pairs).double()
    entropy = -(log_p.exp() * log_p).sum()
    assert abs(float(met.mean() - entropy)) < 4 * float(met.std()) / count**0.5


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_channel_by_channel_the_levels_have_the_probability_of_the_pixel(temperature):
    parameters, x = made(6, 3), LEVELS[torch.arange(18) * 14].view(6, 3, 1, 1)
    each = [logistic.level_log_probs(parameters[..., 0, 0], x[:, :c, 0, 0], 3, temperature) for c in range(3)]
    assert all(torch.allclose(logs.exp().sum(1), torch.ones(6), atol=1e-4) for logs in each)
    levels = ((x[..., 0, 0] + 1) * 127.5).round().long()
    total = sum(logs.gather(1, levels[:, c, None])[:, 0] for c, logs in enumerate(each))
    cooled = parameters.clone().unflatten(1, (4, -1))
    cooled[:, :, 4:7] += math.log(temperature)
    assert torch.allclose(total, logistic.log_prob(cooled.flatten(1, 2), x), atol=1e-3)


def test_the_mean_is_that_of_samples():
    parameters, count = made(1, 2, spread=0.3, seed=5), 20_000
    per = logistic.parameters_for(1, 2)
    parameters.view(1, -1, per, 1, 1)[:, :, 3:5] = -4.0  # narrow enough that the ends cut nothing off
    uniforms = Streams(2, [0]).uniform(count, 3).view(count, 3, 1, 1)
    drawn = logistic.sample(parameters.expand(count, -1, -1, -1), uniforms)
    assert torch.allclose(drawn.mean(0, keepdim=True), logistic.mean(parameters, 2), atol=0.01)


def test_wrong_numbers_of_parameters_are_refused():
    with pytest.raises(ConfigurationError, match="mixture"):
        logistic.log_prob(torch.zeros(1, 7, 1, 1), torch.zeros(1, 3, 1, 1))
