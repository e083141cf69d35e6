"""Every measure against a closed form, or against its definition written out by brute force."""

import math

import numpy as np
import pytest
import torch

from lienzo.evaluation import (
    accuracy_score,
    by_class,
    class_distance,
    copied,
    extrapolated,
    flicker,
    frechet_distance,
    manifold,
    moments,
    repeated,
    two_sample_test,
    vendi_score,
)
from lienzo.evaluation import neighbours as near
from lienzo.evaluation.sliced import details, sliced_wasserstein, slices, wasserstein
from lienzo.evaluation.two_sample import wilson


def normal(count, width, seed=0, scale=1.0, shift=0.0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale + shift


def by_hand(real, drawn, k, wide):
    """Precision, recall, density and coverage, one pair after another."""

    def distance(u, v):
        return math.dist(u.tolist(), v.tolist())

    def radius(rows, i, k):
        return sorted(distance(rows[i], other) for j, other in enumerate(rows) if j != i)[k - 1]

    inner = [radius(real, i, k) for i in range(len(real))]
    outer = [radius(real, i, wide) for i in range(len(real))]
    own = [radius(drawn, j, k) for j in range(len(drawn))]
    d = [[distance(x, y) for y in drawn] for x in real]
    n, m = range(len(real)), range(len(drawn))
    return (
        np.mean([any(d[i][j] <= inner[i] for i in n) for j in m]),
        np.mean([any(d[i][j] <= own[j] for j in m) for i in n]),
        sum(d[i][j] <= outer[i] for i in n for j in m) / (wide * len(drawn)),
        np.mean([any(d[i][j] <= outer[i] for j in m) for i in n]),
    )


@pytest.mark.parametrize("entries", [7, 1 << 20])
def test_manifold_is_its_definition_whatever_the_blocks(entries, monkeypatch):
    monkeypatch.setattr(near, "ENTRIES", entries)
    real, drawn = normal(40, 3).double(), normal(30, 3, 1, 0.7, 0.8).double()
    m = manifold(real, drawn, k=3, wide=5)
    assert (m.precision, m.recall, m.density, m.coverage) == pytest.approx(by_hand(real, drawn, 3, 5), rel=1e-12)
    assert 0 < m.recall < 1
    assert 0 < m.coverage < 1


def test_identical_sets_cover_each_other_and_distant_ones_do_not():
    x = normal(200, 16)
    same, far = manifold(x, x), manifold(x, x + 100)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    constant = manifold(x, x[:1].repeat(200, 1))
    assert constant.recall < 0.02
    assert constant.coverage < 0.2


def test_neighbours_of_few_rows_are_refused():
    with pytest.raises(ValueError, match="no 3 neighbours"):
        near.radii(normal(3, 2), 3)


@pytest.mark.parametrize(("count", "width"), [(12, 8), (12, 40)])
def test_vendi_of_k_orthogonal_clusters_is_k(count, width):
    x = torch.eye(width)[torch.arange(count) % 4] * 3
    assert vendi_score(x) == pytest.approx(4, rel=1e-9)
    assert vendi_score(x[:1].repeat(5, 1)) == pytest.approx(1, rel=1e-9)


def test_vendi_is_the_same_through_either_gram_matrix():
    x = torch.nn.functional.normalize(normal(60, 10).double(), dim=1)
    values = torch.linalg.eigvalsh(x @ x.T / 60).clamp_min(1e-300)
    assert vendi_score(x) == pytest.approx(float((-(values * values.log()).sum()).exp()), rel=1e-9)


def test_extrapolation_finds_the_distance_of_endless_pictures():
    """N(0, I) and N(δ, 4 I) in 8 dimensions: |δ|² + 8 (2 − 1)²."""
    a, b = normal(2000, 8), normal(2000, 8, 1, 2.0, 0.5)
    known = 8 * 0.25 + 8
    assert extrapolated(a, b) == pytest.approx(known, abs=0.35)
    same = [(extrapolated(u, v), frechet_distance(moments(u), moments(v))) for u, v in pairs(5)]
    limit, plain = (sum(each) / 5 for each in zip(*same, strict=True))
    assert abs(limit) < plain / 4  # the true distance is 0
    with pytest.raises(ValueError, match="at least 64"):
        extrapolated(a[:60], b[:60])


def pairs(count):
    return [(normal(600, 16, 10 + 2 * i), normal(600, 16, 11 + 2 * i)) for i in range(count)]


def test_wasserstein_of_sorted_values_and_of_sets_of_other_lengths():
    a, b = torch.tensor([[0.0], [2.0], [1.0]]), torch.tensor([[3.0], [1.0], [2.5]])
    assert float(wasserstein(a, b)[0]) == pytest.approx((1 + 1.5 + 1) / 3)
    assert float(wasserstein(a, a.repeat(4, 1))[0]) == 0
    x = normal(4000, 1)
    assert float(wasserstein(x, x[::2] + 2)[0]) == pytest.approx(2, abs=0.1)


def test_a_shift_moves_every_slice_by_its_projection():
    x, shift = normal(300, 20), normal(1, 20, 5)
    expected = float(slices(shift).abs().mean())
    assert sliced_wasserstein(slices(x), slices(x + shift)) == pytest.approx(expected, rel=1e-5)


def test_details_are_what_a_blur_takes_away():
    ramp = torch.arange(12.0).repeat(12, 1)[None, None].repeat(40, 3, 1, 1)
    assert details(torch.ones(2, 3, 12, 12)).abs().max() < 1e-6
    assert details(ramp)[:, 3:46].abs().median() < 1e-5
    assert details(torch.ones(2, 3, 12, 12)).shape == (8, 3 * 49)


def test_the_two_sample_test_guesses_on_equal_sets_and_tells_others_apart():
    same = [two_sample_test(normal(800, 8, 2 * s), normal(800, 8, 2 * s + 1), seed=s) for s in range(3)]
    assert sum(t.accuracy for t in same) / 3 == pytest.approx(0.5, abs=3 * 0.5 / math.sqrt(3 * 800))
    assert sum(t.low <= 0.5 <= t.high for t in same) >= 2
    assert same[0].tested == 800
    assert two_sample_test(normal(800, 8), normal(800, 8, 1, 1.0, 1.0)).low > 0.8
    assert two_sample_test(normal(90, 8), normal(90, 8, 1)) == two_sample_test(normal(90, 8), normal(90, 8, 1))


def test_wilsons_interval_solves_its_equation():
    """Its ends are the p with |p̂ − p| = z √(p (1 − p)/n)."""
    for p in wilson(0.3, 50):
        assert abs(0.3 - p) == pytest.approx(1.959964 * math.sqrt(p * (1 - p) / 50), rel=1e-6)


def test_copies_and_repeats_are_counted():
    training, held, drawn = normal(3000, 8), normal(1000, 8, 1), normal(1000, 8, 2)
    assert copied(drawn, training, held) == pytest.approx(0.01, abs=0.012)
    drawn[:100] = training[:100] + 1e-4
    assert copied(drawn, training, held) == pytest.approx(0.11, abs=0.012)
    assert repeated(held, training[:1000]) == pytest.approx(0.01, abs=0.015)
    assert repeated(held[:500].repeat(2, 1), training[:1000]) == 1


def test_classes_asked_found_and_learnt():
    labels = torch.arange(600) % 3
    x = torch.eye(3)[labels] * 4 + normal(600, 3)
    assert accuracy_score(x, labels, x, labels, 3) > 0.95
    assert accuracy_score(x, (labels + 1) % 3, x, labels, 3) < 0.05
    told = by_class(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 1]), ["a", "b", "c"])
    assert told["b"] == {"asked": 0.75, "found": 0.25, "recall": pytest.approx(1 / 3)}
    assert told["c"]["recall"] is None  # nobody asked for one
    assert class_distance(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 2, 2]), 3) == pytest.approx(0.5)


def test_flicker_is_nought_for_an_even_change():
    time = np.arange(5, dtype=np.uint8)[None, :, None, None, None]
    even = np.ascontiguousarray(np.broadcast_to(time * 10, (2, 5, 4, 4, 3)))
    assert flicker(even).tolist() == [0, 0]
    assert flicker(even % 20).tolist() == [20, 20]
    with pytest.raises(ValueError, match="three"):
        flicker(even[:, :2])
