"""Chunks: one size of call, the same rows."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from lienzo.core import Conditions, Said
from lienzo.sampling import in_chunks, joined, rows_of


@dataclass(frozen=True)
class Heard:
    vector: Tensor | None
    maps: Tensor | None = None


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
def test_every_call_has_the_same_number_of_rows(count: int):
    sizes: list[int] = []

    def double(x: Tensor, heard: Heard) -> Heard:
        sizes.append(len(x))
        assert heard.vector is not None
        return Heard(2 * x + heard.vector)

    x = torch.arange(count)
    y = in_chunks(double, 4, x, Heard(10 * x), count=count)
    assert torch.equal(y.vector, 12 * x)
    assert y.maps is None
    assert set(sizes) == {4}


def test_without_a_size_there_is_one_call():
    assert torch.equal(in_chunks(lambda x: x + 1, None, torch.arange(5), count=5), torch.arange(1, 6))


def test_conditions_are_cut_with_their_rows():
    conditions = Conditions({"label": Said((torch.arange(5),), torch.tensor([True, False, True, True, False]))})
    values = in_chunks(lambda c: c["label"].values[0] * c["label"].present, 2, conditions, count=5)
    assert values.tolist() == [0, 0, 2, 3, 0]


def test_rows_and_joins_are_inverse():
    tree = Heard(torch.arange(6), torch.randn(6, 2))
    again = joined([rows_of(tree, torch.arange(2)), rows_of(tree, torch.arange(2, 6))])
    assert torch.equal(again.vector, tree.vector)
    assert torch.equal(again.maps, tree.maps)


@pytest.mark.parametrize("layer", [nn.Linear(36, 40), nn.Sequential(nn.Unflatten(1, (4, 3, 3)), nn.Conv2d(4, 8, 3))])
def test_a_row_is_the_same_at_any_place_in_any_batch(layer: nn.Module):
    """Called with all rows at once these layers differ in the last bits between batch sizes."""
    x = torch.randn(13, 36, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = in_chunks(layer, 4, x, count=13)
        for start, stop in ((0, 1), (5, 6), (3, 10), (0, 12)):
            assert torch.equal(in_chunks(layer, 4, x[start:stop], count=stop - start), whole[start:stop])
