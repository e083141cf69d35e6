"""The probability-flow ODE's density against a normal distribution's."""

import pytest
import torch
from torch.distributions import Normal

from lienzo.core import Streams
from lienzo.sampling import Cosine, Linear, log_prob_ode, retimed


def test_density_of_gaussian_data(gaussian):
    """A diagonal Jacobian's trace is exact for any signs, so that only the steps' error is left."""
    cosine, x = Cosine(), torch.tensor([[0.3, -0.2], [0.9, -0.1], [-0.5, -0.4]], dtype=torch.float64)
    exact = Normal(gaussian.means[0], gaussian.stds[0]).log_prob(x).sum(1)
    errors: list[float] = []
    for steps in (64, 128):
        knots = cosine.knots(cosine.grid(steps + 1, "karras")[:-1])
        found = log_prob_ode(gaussian.denoiser(cosine), x[..., None, None], knots, Streams(0, range(3)))
        errors.append((found - exact).abs().max().item())
    assert errors[1] < 0.01
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.5)  # order 2


def test_the_schedule_does_not_matter(gaussian):
    cosine, x = Cosine(), torch.tensor([[0.3, -0.2]], dtype=torch.float64)[..., None, None]
    knots = cosine.knots(cosine.grid(33, "karras")[:-1])
    own = log_prob_ode(gaussian.denoiser(cosine), x, knots, Streams(0, [0]))
    other = log_prob_ode(retimed(gaussian.denoiser(Linear()), Linear(), cosine), x, knots, Streams(0, [0]))
    torch.testing.assert_close(own, other)
