"""Solvers against closed forms: their orders, moments of a mixture, and one process under four schedules."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from lienzo.core import Streams
from lienzo.sampling import SCHEDULES, SOLVERS, Knot, Linear, Schedule, VarianceExploding, retimed
from lienzo.sampling.solvers import ddim, langevin

ODE = [name for name, solver in SOLVERS.items() if not solver.stochastic]
SDE = [name for name, solver in SOLVERS.items() if solver.stochastic and solver.order]
NONE = Streams(0, [])


def last(steps) -> Tensor:
    return list(steps)[-1][0]


def knots_between(schedule: Schedule, steps: int, start: float = 0.2, end: float = 0.8) -> list[Knot]:
    return schedule.knots(schedule.grid(steps, "time", start, end))


@pytest.mark.parametrize("name", ODE)
def test_order_of_the_path(name: str, schedule: Schedule, gaussian):
    """On Gaussian data (x_t − mean)/std is constant along the ODE; halving the steps divides the error by 2^order."""
    start, end = 0.2, 0.8
    (m_0, s_0), (m_1, s_1) = gaussian.at(schedule, start), gaussian.at(schedule, end)
    z = torch.tensor([[1.3, -0.7]], dtype=torch.float64)
    errors = [
        (
            last(SOLVERS[name].run(gaussian.denoiser(schedule), (m_0 + z * s_0)[..., None, None], knots, NONE)).flatten(
                1
            )
            - (m_1 + z * s_1)
        ).norm()
        for knots in (knots_between(schedule, steps) for steps in (128, 256))
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(SOLVERS[name].order, abs=0.2)


def moments(name: str, schedule: Schedule, gaussian, pulses, steps: int, **options) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (D,) after the steps, exactly: with Gaussian data a solver is affine in its draws."""
    knots = knots_between(schedule, steps)
    mean, std = gaussian.at(schedule, knots[0].t)
    draws = steps * options.get("repeats", 1)
    x = mean.expand(draws + 2, 2).clone()
    x[-1] += std  # rows: one a draw, none drawn, the start moved by one standard deviation
    y = last(SOLVERS[name].run(gaussian.denoiser(schedule), x[..., None, None], knots, pulses(draws + 2), **options))
    y = y.flatten(1)
    return y[-2], (y - y[-2]).square().sum(0).sqrt()


@pytest.mark.parametrize("name", SDE)
def test_order_of_the_moments(name: str, schedule: Schedule, gaussian, pulses):
    mean, std = gaussian.at(schedule, 0.8)
    errors: list[Tensor] = []
    for steps in (128, 256):
        m, s = moments(name, schedule, gaussian, pulses, steps)
        errors.append((s - std).abs())
        assert bool(((m - mean).abs() <= 1.5 * (s - std).abs() + 1e-9).all())
    orders = (errors[0] / errors[1]).log2()
    torch.testing.assert_close(orders, torch.full_like(orders, SOLVERS[name].order), atol=0.2, rtol=0)


def test_langevin_rests_in_the_density_of_its_level(schedule: Schedule, gaussian, pulses):
    """x ← (1 − r σ²/2V) x + √r σ z comes to rest with variance V/(1 − r σ²/4V), V the variance of x_t."""
    rate, repeats = 0.3, 300
    knots = knots_between(schedule, 1, end=0.2001)
    variance = gaussian.at(schedule, 0.2)[1].square()
    x = gaussian.at(schedule, 0.2)[0].expand(repeats + 1, 2).clone()[..., None, None]
    run = langevin(gaussian.denoiser(schedule), x, knots, pulses(repeats + 1), repeats=repeats, rate=rate)
    y = last(run).flatten(1) * (knots[0].alpha / knots[1].alpha)
    expected = variance / (1 - rate * knots[0].sigma ** 2 / (4 * variance))
    torch.testing.assert_close((y[:-1] - y[-1]).square().sum(0), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_moments_of_a_mixture(name: str, schedule: Schedule, three, together):
    """From noise, with the exact score of a mixture: its mean, its covariance and the weights of its components."""
    count, steps, options = 2000, 50, {}
    if name == "langevin":  # many calls at each of fewer levels
        steps, options = 20, {"repeats": 40}
    streams = together(count)
    x = streams.normal(2, 1, 1) * schedule.prior_scale()
    walk = SOLVERS[name].run(three.denoiser(schedule), x, schedule.knots(schedule.grid(steps)), streams, **options)
    y = last(walk).flatten(1)
    w, m = three.weights[:, None], three.means
    mean = (w * m).sum(0)
    covariance = torch.diag((w * three.stds**2).sum(0)) + (w * m).T @ m - mean[:, None] * mean
    torch.testing.assert_close(y.mean(0), mean, atol=0.06, rtol=0)
    torch.testing.assert_close(y.T.cov(), covariance, atol=0.04, rtol=0)
    nearest = torch.cdist(y, m).argmin(1).bincount(minlength=3) / count
    torch.testing.assert_close(nearest.double(), three.weights, atol=0.06, rtol=0)


@pytest.mark.parametrize("name", ["ddim", "ancestral", "dpm++2m", "sde-dpm++2m"])
def test_one_process_under_every_schedule(name: str, schedule: Schedule, three):
    """At equal λ these solvers take the same path under every schedule, but for the factor of x_t."""
    lam = torch.linspace(-2, 3, 12, dtype=torch.float64)
    reference, streams = Linear(), Streams(0, range(6))
    noise = streams.normal(2, 1, 1).double()
    paths: list[list[Tensor]] = []
    for each in (reference, schedule):
        knots = each.knots(each.at(lam))
        walk = SOLVERS[name].run(three.denoiser(each), noise * knots[0].sigma, knots, streams.child("solver"))
        paths.append([x / k.alpha for (x, _), k in zip(walk, knots[1:], strict=True)])
    for a, b in zip(*paths, strict=True):
        torch.testing.assert_close(a, b)


def test_a_retimed_denoiser_samples_the_same(schedule: Schedule, three):
    own, lam = VarianceExploding(), torch.linspace(-2, 3, 12, dtype=torch.float64)
    x = Streams(0, range(6)).normal(2, 1, 1).double()
    a, b = (each.knots(each.at(lam)) for each in (own, schedule))
    mine = last(ddim(three.denoiser(own), x * a[0].sigma, a, NONE)) / a[-1].alpha
    theirs = last(ddim(retimed(three.denoiser(own), own, schedule), x * b[0].sigma, b, NONE)) / b[-1].alpha
    torch.testing.assert_close(mine, theirs)


def test_on_straight_paths_ddim_is_eulers_method(three):
    """x ← x + h v with v = (x₀ − x)/(1 − t), the velocity of the linear schedule."""
    schedule, denoise = Linear(), three.denoiser(Linear())
    x = start = torch.randn(4, 2, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    knots = schedule.knots(schedule.grid(10))
    for a, b in pairwise(knots):
        x = x + (b.t - a.t) * (denoise(x, a.t) - x) / (1 - a.t)
    torch.testing.assert_close(last(ddim(denoise, start, knots, NONE)), x)


def test_in_the_limit_ddim_is_eulers_method_in_any_time(schedule: Schedule, gaussian):
    """One short step is h (α' x₀ + σ' ε), with an error of h²."""
    t, x = torch.tensor(0.5, dtype=torch.float64), torch.tensor([[0.4, 0.9]], dtype=torch.float64)[..., None, None]
    denoise = gaussian.denoiser(schedule)
    x_0 = denoise(x, 0.5)
    slope = schedule.alpha_dot(t) * x_0 + schedule.sigma_dot(t) * (x - schedule.alpha(t) * x_0) / schedule.sigma(t)
    h = 1e-5
    moved = last(ddim(denoise, x, schedule.knots(torch.tensor([0.5, 0.5 + h], dtype=torch.float64)), NONE))
    torch.testing.assert_close((moved - x) / h, slope, rtol=1e-3, atol=1e-3)


def test_ancestral_sampling_draws_from_the_posterior_of_ddpm():
    """Its mean and variance for two levels of VP are β̃ and μ̃ of Ho (2020), eq. 7."""
    schedule = SCHEDULES["variance-preserving"]()
    before, after = schedule.knots(torch.tensor([0.5, 0.6], dtype=torch.float64))
    a_t, a_s = before.alpha**2, after.alpha**2  # ᾱ_t and ᾱ_{t−1}
    beta = 1 - a_t / a_s
    x, x_0 = 0.8, 0.3
    mean = math.sqrt(a_s) * beta / (1 - a_t) * x_0 + math.sqrt(1 - beta) * (1 - a_s) / (1 - a_t) * x
    std = math.sqrt((1 - a_s) / (1 - a_t) * beta)
    state = torch.full((1, 1, 1, 1), x, dtype=torch.float64)

    def drawn(z: float) -> float:
        class Fixed(Streams):
            def normal(self, *shape: int) -> Tensor:
                return torch.full((1, *shape), z)

        steps = SOLVERS["ancestral"].run(lambda s, t: torch.full_like(s, x_0), state, [before, after], Fixed(0, [0]))
        return last(steps).item()

    assert drawn(0) == pytest.approx(mean)
    assert drawn(1) - drawn(0) == pytest.approx(std)


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_the_last_step_lands_on_the_estimate(name: str, schedule: Schedule, three):
    streams = Streams(0, range(3))
    x = streams.normal(2, 1, 1).double() * schedule.prior_scale()
    walk = list(SOLVERS[name].run(three.denoiser(schedule), x, schedule.knots(schedule.grid(5)), streams))
    assert len(walk) == 5
    assert torch.equal(*walk[-1])
