from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienzo.editing import soft
from lienzo.editing.seams import depth


def eroded(mask: np.ndarray) -> np.ndarray:
    """What is left of a mask without its outermost pixels; what lies beyond the picture counts as meant."""
    wide = np.pad(mask, 1, mode="edge")
    rows, columns = mask.shape
    shifted = [wide[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.logical_and.reduce(shifted)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 6), st.sampled_from([0.5, 0.9, 0.99]))
def test_depth_counts_how_often_a_mask_can_be_eroded(seed: int, most: int, share: float):
    mask = np.random.default_rng(seed).random((17, 21)) < share
    total, left = np.zeros(mask.shape, int), mask
    for _ in range(most):
        total, left = total + left, eroded(left)
    assert (depth(mask, most) == total).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(0, 6), st.sampled_from([0.3, 0.6, 0.95]))
def test_the_seam_lies_inside_the_change(seed: int, feather: int, share: float):
    mask = np.random.default_rng(seed).random((20, 24)) < share
    weight = soft(mask, feather)
    assert (weight[~mask] == 0).all()
    assert ((weight > 0) == mask).all()
    assert weight.max() <= 1
    if not feather:
        assert (weight == mask).all()


def test_a_seam_rises_evenly():
    mask = np.zeros((9, 30), np.bool_)
    mask[:, 10:] = True
    assert soft(mask, 3)[4, 8:15].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1]


def test_each_part_of_a_change_is_wholly_new_somewhere():
    mask = np.zeros((60, 90), np.bool_)
    mask[5:55, 50:89] = True  # thick
    mask[:, 20:25] = True  # a strip of five pixels
    mask[3, 2] = True
    mask[[10, 11, 12, 13], [2, 3, 4, 5]] = True  # joined by its corners
    weight = soft(mask, 9)
    assert weight[30, 20:25].tolist() == pytest.approx([1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])
    assert weight[3, 2] == 1
    assert (weight[[10, 11, 12, 13], [2, 3, 4, 5]] == 1).all()
    assert weight[30, 50:60].tolist() == pytest.approx([n / 10 for n in range(1, 11)])


def test_what_is_joined_anywhere_has_one_seam():
    mask = np.zeros((40, 60), np.bool_)
    mask[:, :40] = True
    mask[20:22, 40:] = True  # a thin arm of the thick part
    assert soft(mask, 9)[20, 50] == pytest.approx(0.1)
    u = np.zeros((40, 60), np.bool_)
    u[:, 5:10] = u[:, 30:60] = True
    u[35:, 5:60] = True  # two arms that meet at the bottom alone
    assert soft(u, 9)[10, 7] == pytest.approx(0.3)


def test_a_wide_seam_of_a_large_change_takes_no_longer_than_a_narrow_one():
    mask = np.zeros((1000, 1000), np.bool_)
    mask[:, 300:] = True
    began = time.perf_counter()
    assert soft(mask, 200)[500, 399] == pytest.approx(100 / 201)
    assert time.perf_counter() - began < 5
