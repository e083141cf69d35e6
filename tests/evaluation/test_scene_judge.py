"""The judge of scenes, untrained: every head hears the picture, and joints are found where their maps say."""

import numpy as np
import torch

from lienzo.data.scenes.kinds import KINDS, kind_of
from lienzo.evaluation.scene_judge import GRID, SIDE, THINGS, SceneJudge, places_of


def test_joints_are_found_between_pixels():
    at = torch.tensor([[10.0, 20.5], [33.3, 47.7], [1.0, 63.0]])
    grid = (torch.arange(GRID) + 0.5) * SIDE / GRID
    gap = (grid[None, None, :] - at[:, 0, None, None]) ** 2 + (grid[None, :, None] - at[:, 1, None, None]) ** 2
    found = places_of((-gap / 8)[None])
    assert np.abs(found[0, :2, :2] - at[:2].numpy()).max() < 0.5  # of pixels; the nearest place alone may be 1 off
    assert np.abs(found[0, 2, :2] - at[2].numpy()).max() < 1.1


def test_every_head_teaches_what_lies_under_it():
    torch.manual_seed(0)
    judge = SceneJudge(16, 16)
    seen = judge(torch.randn(4, 3, SIDE, SIDE))
    sum(each.square().mean() for each in vars(seen).values()).backward()
    assert [n for n, p in judge.named_parameters() if p.grad is None or not p.grad.any()] == []
    for name, each in vars(judge.eval()(torch.zeros(2, 3, SIDE, SIDE))).items():
        assert torch.isfinite(each).all(), name


def test_a_thing_is_there_if_it_is_anywhere():
    """Its evidence in one place of the grid counts as much wherever that place is."""
    torch.manual_seed(0)
    judge = SceneJudge(16, 16).eval()
    x = torch.zeros(2, 3, SIDE, SIDE)
    x[0, :, 16:32, 16:32] = 1
    x[1, :, 32:48, 24:40] = 1  # the same away from the edges, whose padding is heard: moved by whole cells
    first, second = judge(x).things
    assert (first - second).abs().max() < 0.05 * first.abs().max() + 0.05


def test_every_kind_of_thing_has_a_number():
    for subgroup in KINDS:
        assert kind_of(subgroup, "oak tree")[0] in THINGS
        assert kind_of(subgroup, "?")[0] in THINGS
