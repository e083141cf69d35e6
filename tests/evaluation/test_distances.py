"""The distances against closed forms, and against another implementation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lienzo.evaluation.distances import Moments, frechet_distance, kernel_distance, moments


def test_gaussians_with_commuting_covariances_have_a_closed_form():
    a, b = torch.tensor([1.0, 4.0, 9.0]).double(), torch.tensor([4.0, 4.0, 1.0]).double()
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))[0]
    mean = torch.tensor([3.0, 0.0, 4.0]).double()
    ours = frechet_distance(
        Moments(torch.zeros(3).double(), rotation @ a.diag() @ rotation.T, 10),
        Moments(mean, rotation @ b.diag() @ rotation.T, 10),
    )
    assert ours == pytest.approx(25 + float((a.sqrt() - b.sqrt()).square().sum()), rel=1e-12)


def test_two_by_two_covariances_that_do_not_commute():
    """tr (AB)^½ of 2 × 2 matrices is √(tr AB + 2 √det AB)."""
    a = torch.tensor([[2.0, 1.0], [1.0, 3.0]]).double()
    b = torch.tensor([[5.0, -2.0], [-2.0, 1.0]]).double()
    product = a @ b
    trace = math.sqrt(float(product.trace()) + 2 * math.sqrt(float(torch.linalg.det(product))))
    zero = torch.zeros(2).double()
    expected = float(a.trace() + b.trace()) - 2 * trace
    assert frechet_distance(Moments(zero, a, 9), Moments(zero, b, 9)) == pytest.approx(expected, rel=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), width=st.integers(1, 6), count=st.integers(2, 30))
def test_a_set_is_at_distance_zero_from_itself_and_the_distance_is_symmetric(seed, width, count):
    g = torch.Generator().manual_seed(seed)
    x, y = torch.randn(count, width, generator=g), torch.randn(count + 3, width, generator=g) * 2 + 1
    scale = 1 + float(moments(x).covariance.trace())
    assert abs(frechet_distance(moments(x), moments(x))) < 1e-6 * scale  # singular covariances too
    there, back = frechet_distance(moments(x), moments(y)), frechet_distance(moments(y), moments(x))
    assert there == pytest.approx(back, rel=1e-6, abs=1e-6)
    assert there >= -1e-6


def test_moments_are_the_sample_mean_and_the_unbiased_covariance():
    m = moments(torch.tensor([[0.0, 1.0], [2.0, 5.0]]))
    assert m.mean.tolist() == [1, 3]
    assert m.covariance.tolist() == [[2, 4], [4, 8]]
    assert m.count == 2
    with pytest.raises(ValueError, match="at least 2"):
        moments(torch.zeros(1, 4))


class Flat(torch.nn.Module):
    """A feature extractor that torchmetrics accepts: pixels are features."""

    num_features = 12

    def forward(self, x):
        return x.flatten(1)


def test_torchmetrics_agrees():
    fid = pytest.importorskip("torchmetrics.image.fid")
    g = torch.Generator().manual_seed(1)
    real, fake = torch.randn(200, 3, 2, 2, generator=g), torch.randn(300, 3, 2, 2, generator=g) * 0.7 + 0.3
    metric = fid.FrechetInceptionDistance(feature=Flat(), normalize=True, input_img_size=(3, 2, 2))
    metric.set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    ours = frechet_distance(moments(real.flatten(1)), moments(fake.flatten(1)))
    assert ours == pytest.approx(float(metric.compute()), rel=1e-6)


def test_the_kernel_distance_is_unbiased_and_sees_a_shift():
    g = torch.Generator().manual_seed(2)
    x, y = torch.randn(800, 8, generator=g), torch.randn(800, 8, generator=g)
    near, far = kernel_distance(x, y, size=400, subsets=10), kernel_distance(x, y + 0.5, size=400, subsets=10)
    assert abs(near) < 0.03 < far
