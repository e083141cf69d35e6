"""Guidance: the formula, its order of nesting, and what it leaves alone."""

import pytest
import torch

from lienzo.core import Conditions, Said
from lienzo.sampling import guided, nest

X = torch.randn(3, 1, 2, 2)


def said(*present: bool) -> Said:
    return Said((torch.arange(len(present)),), torch.tensor(present))


def both() -> Conditions:
    return Conditions({"image": said(True, True), "text": said(True, False)})


def heard(conditions: Conditions) -> set[str]:
    return {name for name, entry in conditions.items() if bool(entry.present.any())}


class Branches:
    """Branch j gives x (j + 1)²; remembers which were asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, x, t, which):
        self.asked.append(list(which))
        return [x * (j + 1) ** 2 for j in which]


def test_one_weight_weighs_all_that_is_said():
    branches, weights = nest(both(), 4.0)
    assert [heard(b) for b in branches] == [set(), {"image", "text"}]
    assert weights == [4.0]


def test_a_mapping_nests_in_its_order():
    branches, weights = nest(both(), {"image": 1.5, "text": 7.0})
    assert [heard(b) for b in branches] == [set(), {"image"}, {"image", "text"}]
    assert weights == [1.5, 7.0]
    branches, weights = nest(both(), {"text": 7.0, "image": 1.5})
    assert [heard(b) for b in branches] == [set(), {"text"}, {"image", "text"}]
    assert weights == [7.0, 1.5]


def test_neighbours_of_equal_weight_are_one_step_and_the_unnamed_is_always_heard():
    branches, weights = nest(both(), {"image": 3.0, "text": 3.0})
    assert [heard(b) for b in branches] == [set(), {"image", "text"}]
    assert weights == [3.0]
    branches, weights = nest(both(), {"text": 3.0})
    assert [heard(b) for b in branches] == [{"image"}, {"image", "text"}]


def test_where_nothing_is_said_there_is_nothing_to_weigh():
    branches, weights = nest(both().without("image", "text"), 5.0)
    assert len(branches) == 1
    assert weights == []


def test_what_weighs_nought_is_heard_by_no_branch_wherever_it_stands():
    for weights in ({"image": 0.0, "text": 7.0}, {"text": 7.0, "image": 0}):
        branches, values = nest(both(), weights)
        assert [heard(b) for b in branches] == [set(), {"text"}]
        assert values == [7.0]
    branches, values = nest(both(), {"image": 0.0})
    assert [heard(b) for b in branches] == [{"text"}]
    assert [heard(b) for b in nest(both(), 0.0)[0]] == [set()]


def test_what_nobody_says_costs_no_step():
    conditions = Conditions({**both(), "depth": said(False, False)})
    branches, values = nest(conditions, {"depth": 2.0, "image": 1.5, "text": 7.0})
    assert [heard(b) for b in branches] == [set(), {"image"}, {"image", "text"}]
    assert values == [1.5, 7.0]


def test_the_formula():
    d = Branches()
    y = guided(d, [1.5, 7.0])(X, 0.5)
    torch.testing.assert_close(y, X * (1 + 1.5 * (4 - 1) + 7.0 * (9 - 4)))
    assert d.asked == [[0, 1, 2]]


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0], []])
def test_weight_one_is_the_conditional_model_in_one_call(weights: list[float]):
    d = Branches()
    assert torch.equal(guided(d, weights)(X, 0.5), X * (len(weights) + 1) ** 2)
    assert d.asked == [[len(weights)]]


def test_weight_zero_is_the_model_that_hears_nothing():
    torch.testing.assert_close(guided(Branches(), [0.0])(X, 0.5), X)


def test_outside_its_interval_guidance_rests():
    d = Branches()
    denoise = guided(d, [3.0], (0.25, 0.75))
    for t in (0.0, 0.2, 0.8):
        assert torch.equal(denoise(X, t), X * 4)
    for t in (0.25, 0.5, 0.75):
        torch.testing.assert_close(denoise(X, t), X * 10)
    assert d.asked == [[1]] * 3 + [[0, 1]] * 3
