from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.editing import Canvas, looked_at, put_back, region_of
from lienzo.editing.paste import BAND, enlarged

SHAPE = (3, 8, 8)


def canvas_of(size: tuple[int, int], alpha: np.ndarray | None = None, seed: int = 0) -> Canvas:
    colour = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))
    return Canvas(colour, None if alpha is None else Image.fromarray(alpha))


def test_what_the_model_leaves_alone_keeps_its_detail():
    canvas = canvas_of((64, 48))
    region = region_of((64, 48), None, 8)
    x = looked_at(canvas, region, SHAPE)[0]
    assert (np.asarray(put_back(canvas, region, x, x, 1, x).colour) == np.asarray(canvas.colour)).all()


def test_a_transparent_picture_that_the_model_leaves_alone_stays_as_it_is_hidden_colours_too():
    alpha = np.random.default_rng(1).integers(0, 256, (48, 64), np.uint8)
    alpha[:20] = 0
    canvas = canvas_of((64, 48), alpha)
    region = region_of((64, 48), None, 8)
    x = looked_at(canvas, region, SHAPE)[0]
    after = put_back(canvas, region, x, x, 1, x)
    assert (np.asarray(after.whole()) == np.asarray(canvas.whole())).all()


def test_a_transparent_picture_becomes_opaque_where_it_is_new_and_there_alone():
    canvas = canvas_of((64, 64), np.zeros((64, 64), np.uint8))
    region = region_of((64, 64), None, 8)
    still = torch.ones(SHAPE)
    drawn = still.clone()
    drawn[:, :2, :2] = -1  # a black corner on white paper
    after = put_back(canvas, region, still, drawn, 1, still)
    assert after.alpha is not None
    alpha = np.asarray(after.alpha)
    assert (alpha[:8, :8] == 255).all()
    assert (alpha[40:, 40:] == 0).all()
    assert (np.asarray(after.colour)[40:, 40:] == np.asarray(canvas.colour)[40:, 40:]).all()
    assert np.asarray(after.seen)[:8, :8].max() < 20


def test_on_paper_a_half_transparent_seam_is_the_mean_of_both():
    mask = np.zeros((8, 8), np.bool_)
    mask[:, 4:] = True
    canvas = Canvas(Image.new("RGB", (8, 8), (200, 100, 0)), Image.new("L", (8, 8), 51))
    region = region_of((8, 8), mask, 8)
    drawn = torch.full(SHAPE, -1.0)
    after = np.asarray(put_back(canvas, region, drawn, drawn, 1, None).seen, float)
    before = np.asarray(canvas.seen, float)
    assert np.abs(after[0, 4] - before[0, 4] / 2).max() <= 2
    assert after[0, 7].max() == 0


def test_bands_of_rows_meet_without_a_trace():
    size = (40, 2 * BAND + 100)
    x = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    frame = (max(size), max(size))
    whole = enlarged(x, frame)
    for part in ((0, 0, 40, BAND), (3, BAND, 40, 2 * BAND), (0, 2 * BAND, 40, size[1])):
        assert np.abs(enlarged(x, frame, part) - whole[part[1] : part[3], part[0] : part[2]]).max() < 1e-3
    canvas = canvas_of(size)
    after = put_back(canvas, region_of(size, None, 8), x, x, 1, None)
    assert np.abs(np.asarray(after.colour, float) - whole[: size[1], :40].clip(0, 255)).max() <= 0.51


def test_a_large_picture_without_a_mask_takes_seconds_and_changes_near_the_change_alone():
    size = (1600, 1200)
    canvas = canvas_of(size)
    region = region_of(size, None, 64)
    still = looked_at(canvas, region, (3, 64, 64))[0]
    drawn = still.clone()
    drawn[:, 30, 30] = 1 - 2 * (still[:, 30, 30] > 0).float()
    began = time.perf_counter()
    after = np.asarray(put_back(canvas, region, still, drawn, 1, still).colour, int)
    assert time.perf_counter() - began < 10  # a rank filter as wide as a pixel of the model takes minutes
    rows, columns = np.nonzero(np.abs(after - np.asarray(canvas.colour, int)).max(-1))
    assert rows.size
    assert np.abs(rows / 25 - 30.5).max() < 5  # of the model's pixels
    assert np.abs(columns / 25 - 30.5).max() < 5


def test_at_the_models_own_size_a_change_reaches_no_further_than_its_seam():
    size = (256, 256)
    canvas = canvas_of(size)
    region = region_of(size, None, 256)
    still = looked_at(canvas, region, (3, 256, 256))[0]
    drawn = still.clone()
    drawn[:, 100:110, 100:110] = -drawn[:, 100:110, 100:110]
    after = np.asarray(put_back(canvas, region, still, drawn, 1, still).colour, int)
    rows, _ = np.nonzero(np.abs(after - np.asarray(canvas.colour, int)).max(-1))
    assert rows.min() >= 100
    assert rows.max() < 110


@pytest.mark.parametrize("scale", [1, 4])
def test_grey_models_draw_in_three_equal_channels(scale: int):
    canvas = canvas_of((8 * scale, 8 * scale))
    x = torch.zeros(1, 8, 8)
    after = np.asarray(put_back(canvas, region_of(canvas.size, None, 8), x, x, 1, None).colour)
    assert (after == 128).all()


def test_paper_that_is_drawn_beside_a_change_stays_transparent():
    canvas = canvas_of((64, 64), np.zeros((64, 64), np.uint8))
    still, drawn = torch.ones(SHAPE), torch.ones(SHAPE)
    drawn[:, 3, 3] = -1
    after = put_back(canvas, region_of((64, 64), None, 8), still, drawn, 1, still)
    assert after.alpha is not None
    alpha = np.asarray(after.alpha)
    assert (alpha[27:29, 27:29] == 255).all()
    assert alpha[:17].max() == alpha[:, :17].max() == 0  # one of the model's pixels away
