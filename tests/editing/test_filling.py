from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lienzo.core import ConfigurationError, Streams
from lienzo.editing import Known, Way, filled
from lienzo.editing.filling import conjugate_gradients
from lienzo.editing.upscaling import agreeing, blocks, small
from lienzo.sampling import Linear

Denoise = Callable[[Tensor, float], Tensor]
Conditional = Callable[[Tensor], tuple[float, float]]
COUNT = 1200
MASK = torch.tensor([1.0, 0.0, 1.0]).view(1, 3, 1, 1)
SEEN = torch.tensor([1.5, 0.0, -0.5]).view(1, 3, 1, 1)


def last_of(denoise: Denoise, steps: int, way: Way) -> Tensor:
    schedule, streams = Linear(), Streams(0, range(COUNT))
    known = Known(lambda v: MASK * v, SEEN.expand(COUNT, -1, -1, -1))
    x = streams.normal(3, 1, 1)
    walk = filled(denoise, x, schedule.knots(schedule.grid(steps)), known, streams.child("fill"), way)
    return deque(walk, maxlen=1)[0]


def test_moments_draw_a_gaussians_conditional(gaussian: Denoise, conditional: Conditional):
    mean, variance = conditional(SEEN)
    drawn = last_of(gaussian, 80, Way("moments", rounds=2))[:, 1].flatten()
    assert float(drawn.mean()) == pytest.approx(mean, abs=4 * (variance / COUNT) ** 0.5)
    assert float(drawn.var()) == pytest.approx(variance, rel=0.2)


def test_going_back_and_forth_brings_replacement_nearer_to_the_conditional(gaussian: Denoise, conditional: Conditional):
    mean, _ = conditional(SEEN)
    gaps = [abs(float(last_of(gaussian, 20, Way("state", repeats=r))[:, 1].mean()) - mean) for r in (1, 10)]
    assert gaps[1] < 0.25 * gaps[0]


@pytest.mark.parametrize("way", [Way("state"), Way("estimate", repeats=2, length=3), Way("moments", eta=0.0)])
def test_what_is_known_is_in_the_result(gaussian: Denoise, way: Way):
    drawn = last_of(gaussian, 7, way)
    assert torch.equal(MASK * drawn, (MASK * SEEN).expand_as(drawn))


def test_conjugate_gradients_solve_and_leave_rows_apart():
    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    matrix = matrix @ matrix.T + torch.eye(4)
    b = torch.randn(2, 4, 1, 1, generator=torch.Generator().manual_seed(1))

    def system(v: Tensor) -> Tensor:
        return torch.einsum("ij,bjhw->bihw", matrix, v)

    solved = conjugate_gradients(system, b, 4)
    assert torch.allclose(system(solved), b, atol=1e-4)
    assert torch.allclose(conjugate_gradients(system, b[:1], 4), solved[:1], atol=1e-6)


def test_block_means_are_an_orthogonal_projection():
    x, y = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)

    def p(v: Tensor) -> Tensor:
        return blocks(small(v))

    assert torch.allclose(p(p(x)), p(x), atol=1e-6)
    assert torch.allclose((p(x) * y).sum(), (x * p(y)).sum(), rtol=1e-4, atol=1e-4)
    low = torch.rand(2, 3, 4, 4)
    assert torch.allclose(small(agreeing(x, low)), low, atol=1e-6)


def test_an_unknown_way_is_named():
    with pytest.raises(ConfigurationError, match="one of state, estimate, moments"):
        Way("magic")
