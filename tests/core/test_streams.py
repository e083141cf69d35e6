"""Streams: what they are worth as random numbers, and that nothing but (seed, index, name) decides on them."""

import pytest
import torch

from lienzo.core import Streams

N, ROWS = 1000, 1000


def draws(seed: int) -> torch.Tensor:
    return Streams(seed, range(ROWS)).child("noise").normal(N).double()


@pytest.mark.parametrize("seed", [0, 1])
def test_moments_are_those_of_a_normal_distribution(seed: int) -> None:
    x, root = draws(seed), (ROWS * N) ** 0.5
    assert abs(float(x.mean()) * root) < 4
    assert abs(float(x.var() - 1) * root / 2**0.5) < 4
    assert abs(float((x**4).mean() - 3) * root / 96**0.5) < 4


def test_distribution_is_normal_by_kolmogorov() -> None:
    x = draws(3).flatten().sort().values
    steps = torch.arange(1, len(x) + 1) / len(x)
    assert float((torch.special.ndtr(x) - steps).abs().max()) < 2.0 / len(x) ** 0.5  # exceeded once in 1,500


def test_neighbours_are_uncorrelated() -> None:
    x, root = draws(4), (ROWS * N) ** 0.5
    for product in (x[:, 1:] * x[:, :-1], x[1:] * x[:-1], x[:, 2:] * x[:, :-2]):
        assert abs(float(product.mean()) * root) < 4


def test_uniform_and_integers_fill_their_range() -> None:
    u = Streams(0, range(ROWS)).uniform(N).double()
    assert float(u.min()) >= 0
    assert float(u.max()) < 1
    assert abs(float(u.var()) * 12 - 1) < 0.01
    counts = torch.bincount(Streams(0, range(ROWS)).integers(7, N).flatten(), minlength=7).double()
    expected = ROWS * N / 7
    assert float(((counts - expected) ** 2 / expected).sum()) < 27  # chi-squared, 6 degrees: one in 10,000


def test_a_row_does_not_depend_on_its_neighbours_or_on_blocks() -> None:
    many, one = Streams(5, range(300)), Streams(5, [299])
    assert torch.equal(many.normal(3, 40, 41)[299], one.normal(3, 40, 41)[0])
    assert torch.equal(many.uniform(5)[299], one.uniform(5)[0])


def test_draws_go_on_and_children_do_not_disturb() -> None:
    plain, disturbed = Streams(1, [0]), Streams(1, [0])
    first = plain.normal(4)
    disturbed.normal(4)
    disturbed.child("x").normal(100)
    again = plain.normal(4)
    assert torch.equal(again, disturbed.normal(4))
    assert not torch.equal(first, again)


def test_names_seeds_and_indices_all_count() -> None:
    streams = [
        Streams(0, [0]),
        Streams(1, [0]),
        Streams(0, [1]),
        Streams(0, [0]).child("a"),
        Streams(0, [0]).child("b"),
    ]
    drawn = [tuple(s.normal(2).flatten().tolist()) for s in streams]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same_numbers() -> None:
    here, there = Streams(2, range(17)), Streams(2, range(17), device="cuda")
    assert torch.equal(here.normal(3, 5), there.normal(3, 5).cpu())
    assert torch.equal(here.uniform(9), there.uniform(9).cpu())
    assert torch.equal(here.integers(1000, 9), there.integers(1000, 9).cpu())
