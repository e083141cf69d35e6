from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lienzo.editing import Canvas, changes, kept_of, looked_at, put_back, region_of, soft
from lienzo.editing.region import enlarged

SHAPE = (3, 8, 8)


def canvas_of(seed: int, size: tuple[int, int], transparent: bool) -> Canvas:
    draws = np.random.default_rng(seed)
    colour = Image.fromarray(draws.integers(0, 256, (size[1], size[0], 3), np.uint8))
    alpha = Image.fromarray(draws.integers(0, 256, size[::-1], np.uint8)) if transparent else None
    return Canvas(colour, alpha)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)), seed=st.integers(0, 99), share=st.floats(0.01, 0.99),
    feather=st.integers(0, 5), transparent=st.booleans(), detailed=st.booleans(), blob=st.booleans(),
)  # fmt: skip
def test_what_is_kept_is_the_originals_own(
    size: tuple[int, int], seed: int, share: float, feather: int, transparent: bool, detailed: bool, blob: bool
):
    canvas, draws = canvas_of(seed, size, transparent), np.random.default_rng(seed)
    mask = draws.random(size[::-1]) < share
    if blob:
        mask = np.zeros(size[::-1], np.bool_)
        mask[size[1] // 3 : size[1] // 3 + 9, size[0] // 2 : size[0] // 2 + 5] = True
    if not mask.any():
        mask[0, 0] = True
    region = region_of(size, mask, SHAPE[2])
    drawn, still = torch.rand(2, *SHAPE) * 2 - 1
    x = looked_at(canvas, region, SHAPE)[0]
    after = put_back(canvas, region, x, drawn, feather, still if detailed else None)
    assert after.size == size
    before = canvas.whole()
    assert (np.asarray(before)[~mask] == np.asarray(after.whole())[~mask]).all()
    told = changes(canvas, after, mask)
    assert told.kept_largest in (0, None)
    assert told.kept_share == pytest.approx(1 - mask.mean())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(0, 6))
def test_the_seam_lies_inside_the_change(seed: int, feather: int):
    mask = np.random.default_rng(seed).random((20, 24)) < 0.95
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


def test_a_small_change_in_a_large_picture_is_seen_at_its_own_scale():
    mask = np.zeros((3000, 4000), np.bool_)
    mask[2000:2020, 100:110] = True
    region = region_of((4000, 3000), mask, 64)
    assert region.side == 64
    assert region.box[0] <= 100 < 110 <= region.box[2]
    mask[2000:2400] = True
    assert region_of((4000, 3000), mask, 64).side == 4000  # it goes right across
    mask[:] = False
    mask[1000:1200, 1000:1100] = True
    assert region_of((4000, 3000), mask, 64).side == 300


def test_at_the_models_own_size_nothing_is_resampled():
    canvas = canvas_of(0, (8, 8), False)
    region = region_of((8, 8), None, 8)
    x = looked_at(canvas, region, SHAPE)
    assert np.abs(enlarged(x[0], 8) - np.asarray(canvas.colour)).max() < 1e-3


def test_what_the_model_leaves_alone_keeps_its_detail():
    canvas = canvas_of(0, (64, 48), False)
    region = region_of((64, 48), None, 8)
    x = looked_at(canvas, region, SHAPE)[0]
    assert np.asarray(put_back(canvas, region, x, x, 1, x).colour).tolist() == np.asarray(canvas.colour).tolist()


def test_the_model_keeps_every_cell_behind_which_a_pixel_is_kept_alone():
    mask = np.zeros((32, 32), np.bool_)
    mask[5, 5] = True
    keep = kept_of(region_of((32, 32), mask, 32), (3, 8, 8))
    assert keep.sum() in (63, 64 - 1)
    mask[:] = True
    assert not kept_of(region_of((32, 32), mask, 8), SHAPE).any()
