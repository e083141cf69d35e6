from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lienzo.editing import Canvas, changes, kept_of, looked_at, put_back, region_of
from lienzo.editing.paste import enlarged

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
    assert np.abs(enlarged(x[0], (8, 8)) - np.asarray(canvas.colour)).max() < 1e-3


def test_the_model_keeps_every_cell_behind_which_a_pixel_is_kept_alone():
    mask = np.zeros((32, 32), np.bool_)
    mask[5, 5] = True
    keep = kept_of(region_of((32, 32), mask, 32), (3, 8, 8))
    assert keep.sum() in (63, 64 - 1)
    mask[:] = True
    assert not kept_of(region_of((32, 32), mask, 8), SHAPE).any()


def test_a_cell_is_open_however_few_of_its_pixels_may_change():
    mask = np.zeros((100, 400), np.bool_)
    mask[99, 399] = True
    mask[0, 0] = True
    keep = kept_of(region_of((400, 100), mask, 4), (3, 4, 4))[0, 0]
    assert keep.tolist() == [[0, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0]]  # the last row is repeated


@pytest.mark.parametrize("size", [(48, 30), (30, 48), (48, 32), (8, 30)])
def test_what_the_model_sees_is_the_picture_padded_to_its_proportions(size: tuple[int, int]):
    canvas = canvas_of(1, size, False)
    region = region_of(size, None, 8)
    seen = looked_at(canvas, region, SHAPE)[0]
    pixels = np.asarray(canvas.colour)
    whole = np.pad(pixels, ((0, max(size) - size[1]), (0, max(size) - size[0]), (0, 0)), mode="edge")
    plain = Image.fromarray(whole).resize((8, 8), Image.Resampling.LANCZOS)
    own = (seen.permute(1, 2, 0).numpy() + 1) * 127.5
    assert np.abs(own - np.asarray(plain)).max() <= 2.01  # what rounding between the two sides makes


def test_a_model_of_other_proportions_squeezes_nothing():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[10:30, 10:30] = 255
    region = region_of((40, 40), None, (12, 8))
    assert region.frame == (60, 40)
    seen = (looked_at(Canvas(Image.fromarray(pixels)), region, (3, 8, 12))[0, 0] > 0).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [4, 4]
    mask = np.zeros((400, 400), np.bool_)
    mask[200:230, 200:250] = True
    region = region_of((400, 400), mask, (12, 8))
    assert region.frame[0] / region.frame[1] == pytest.approx(1.5, rel=0.02)
    assert region.mask is not None
    assert region.mask.sum() == mask.sum()


def test_how_much_is_seen_around_a_change_can_be_said():
    mask = np.zeros((300, 300), np.bool_)
    mask[100:200, 50:150] = True
    assert [region_of((300, 300), mask, 64, context).side for context in (1, 1.5, 2)] == [100, 150, 200]
    alone = region_of((300, 300), mask, 64, 1)
    assert alone.box == (50, 100, 150, 200)
    assert alone.mask is not None
    assert alone.mask.all()
    assert region_of((300, 300), mask, 64, 50).side == 300  # no more than there is
    assert [region_of((300, 300), mask, 256, context).side for context in (None, 1)] == [256, 100]  # enlarged if asked
