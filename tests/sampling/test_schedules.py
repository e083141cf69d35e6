"""Schedules: derivatives, inverses and grids."""

import pytest
import torch

from lienzo.core import ConfigurationError
from lienzo.sampling import EDM, SPACINGS, Cosine, Linear, Schedule, VarianceExploding, VariancePreserving, retimed

TIMES = torch.linspace(0.02, 0.98, 49, dtype=torch.float64)


def test_derivatives_are_those_of_autograd(schedule: Schedule):
    for value, derivative in ((schedule.alpha, schedule.alpha_dot), (schedule.sigma, schedule.sigma_dot)):
        t = TIMES.clone().requires_grad_()
        y = value(t)
        expected = torch.zeros_like(t) if not y.requires_grad else torch.autograd.grad(y.sum(), t)[0]
        torch.testing.assert_close(derivative(TIMES), expected)


def test_lambda_rises_and_at_is_its_inverse(schedule: Schedule):
    lam = schedule.lam(TIMES)
    assert bool((lam.diff() > 0).all())
    torch.testing.assert_close(schedule.at(lam), TIMES)
    torch.testing.assert_close(schedule.snr(TIMES), (2 * lam).exp())


def test_known_ends():
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert EDM().sigma(ends).tolist() == pytest.approx([80, 0.002])
    assert VarianceExploding().sigma(ends).tolist() == pytest.approx([50, 0.01])
    assert Linear().sigma(ends).tolist() == [1, 0]
    assert VariancePreserving().alpha(ends).tolist() == pytest.approx([0.00657, 1], abs=1e-4)
    for row in (VariancePreserving(), Cosine()):
        torch.testing.assert_close(row.alpha(TIMES) ** 2 + row.sigma(TIMES) ** 2, torch.ones_like(TIMES))


def test_linear_beta_is_the_limit_of_ddpms_thousand_levels():
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    signal = (1 - beta).cumprod(0).sqrt()  # of levels 1 … 1000
    t = 1 - torch.arange(1, 1001, dtype=torch.float64) / 1000
    torch.testing.assert_close(VariancePreserving().alpha(t), signal, atol=2e-3, rtol=0)


def test_the_angle_is_the_same_at_equal_ratio(schedule: Schedule):
    lam = torch.linspace(-3, 3, 7, dtype=torch.float64)
    torch.testing.assert_close(schedule.phi(schedule.at(lam)), Linear().phi(Linear().at(lam)))


@pytest.mark.parametrize("spacing", sorted(SPACINGS))
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_grid_goes_from_start_to_one_without_turning_back(schedule: Schedule, spacing: str, steps: int):
    times = schedule.grid(steps, spacing)
    assert len(times) == steps + 1
    assert times[0] == schedule.t_min
    assert times[-1] == 1
    assert bool((times.diff()[:-1] > 0).all())
    knots = schedule.knots(times)
    assert knots[-1] == (1, 1, 0)
    assert all(k.sigma > 0 for k in knots[:-1])


def test_edm_in_its_own_time_is_karras_grid():
    n, a, b = 8, 80 ** (1 / 7), 0.002 ** (1 / 7)
    expected = [(a + i / (n - 1) * (b - a)) ** 7 for i in range(n)] + [0]
    assert [k.sigma for k in EDM().knots(EDM().grid(n))] == pytest.approx(expected)
    other = VariancePreserving()
    ratios = [k.sigma / k.alpha for k in other.knots(other.grid(n, "karras"))[1:-1]]
    assert ratios == pytest.approx(expected[1:-1], rel=1e-3)


@pytest.mark.parametrize(("steps", "spacing", "start"), [(0, "time", 0.0), (4, "even", 0.0), (4, "time", 1.0)])
def test_a_grid_that_cannot_be_is_refused(steps: int, spacing: str, start: float):
    with pytest.raises(ConfigurationError, match="try"):
        Linear().grid(steps, spacing, start)


def test_retimed_twice_is_the_denoiser_again(schedule: Schedule, gaussian):
    own = Linear()
    there = retimed(gaussian.denoiser(own), own, schedule)
    back = retimed(there, schedule, own)
    x = torch.randn(5, 2, 1, 1, dtype=torch.float64)
    torch.testing.assert_close(back(x, 0.6), gaussian.denoiser(own)(x, 0.6))
    torch.testing.assert_close(there(x, 0.6), gaussian.denoiser(schedule)(x, 0.6))
