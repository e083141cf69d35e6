from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import lienzo
from lienzo.core import CapabilityError, ConfigurationError, Streams
from lienzo.editing import Walk, Way, between, inpainted, inverted, midpoint, redrawn, regenerated, space_of
from lienzo.editing.space import knots_of, time_of
from lienzo.sampling import EDM, SOLVERS, Linear, VariancePreserving
from lienzo.sampling.interpolate import spherical

Denoise = Callable[[torch.Tensor, float], torch.Tensor]


def picture(shape: tuple[int, int, int], count: int = 2) -> torch.Tensor:
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("steps", [10, 50])
def test_the_way_back_undoes_the_way_there(two_peaks: Denoise, steps: int):
    schedule = Linear()
    knots = knots_of(schedule, steps)
    noise = Streams(0, range(8)).normal(1, 4, 4)
    drawn = midpoint(two_peaks, noise, knots, schedule)
    assert float((drawn.abs() - 1).abs().mean()) < 0.3  # it is drawn from the two peaks
    back = midpoint(two_peaks, drawn, knots[::-1], schedule)
    again = midpoint(two_peaks, back, knots, schedule)
    assert 10 * torch.log10(4 / (again - drawn).square().mean()) > 60
    explicit = [x for x, _ in SOLVERS["ddim"].run(two_peaks, back, knots, Streams(0, range(8)))][-1]
    assert (explicit - drawn).square().mean() > 10 * (again - drawn).square().mean()


def test_rows_are_solved_apart(two_peaks: Denoise):
    schedule = Linear()
    x, knots = Streams(0, range(4)).normal(1, 4, 4), knots_of(schedule, 12)
    together = midpoint(two_peaks, x, knots, schedule)
    assert torch.equal(together[2:3], midpoint(two_peaks, x[2:3], knots, schedule))


def test_a_trained_familys_inversion_and_back(fake_model: Path):
    model = lienzo.load(fake_model)
    space, x = space_of(model.family), picture(model.family.shape)
    said = model.bus.parse({"text": ["a dog", "a cat"]}, 2)
    plain = space.leave(space.enter(x))
    for strength in (1.0, 0.5):
        noise = inverted(space, x, said, strength, walk=Walk(12))
        back = regenerated(space, noise, said, strength, walk=Walk(12))
        assert 10 * torch.log10(4 / (back - plain).square().mean()) > 40


@pytest.mark.parametrize("schedule", [Linear(), VariancePreserving(), EDM()])
def test_strength_is_the_noise_angle_on_every_schedule(schedule: Linear):
    time = torch.tensor(time_of(schedule, 0.5), dtype=torch.float64)
    assert float(schedule.alpha(time)) == pytest.approx(float(schedule.sigma(time)), rel=1e-6)
    assert knots_of(schedule, 10, 0.5)[0].t == pytest.approx(float(time))
    assert len(knots_of(schedule, 10, 0.5)) == 6
    assert knots_of(schedule, 10, 1.0)[0].t == schedule.t_min


def test_strength_nought_gives_what_the_coder_keeps(fake_model: Path):
    model = lienzo.load(fake_model)
    space, x = space_of(model.family), picture(model.family.shape)
    said, streams = model.bus.parse({}, 2), Streams(0, range(2))
    plain = space.leave(space.enter(x))
    assert torch.equal(redrawn(space, x, said, 0.0, streams=streams, walk=Walk(4)), plain)
    with pytest.raises(ConfigurationError, match="strength"):
        redrawn(space, x, said, 1.5, streams=streams, walk=Walk(4))


def test_over_pixels_strength_nought_is_the_identity(seeing_model: Path):
    model = lienzo.load(seeing_model)
    space, x = space_of(model.family), picture(model.family.shape)
    same = redrawn(space, x, model.bus.parse({}, 2), 0.0, streams=Streams(0, range(2)), walk=Walk(4))
    assert torch.equal(same, x)


def test_an_edit_is_the_same_at_any_batch(fake_model: Path):
    model = lienzo.load(fake_model)
    space, x = space_of(model.family), picture(model.family.shape, 3)
    said = model.bus.parse({"text": ["a dog"] * 3}, 3)
    keep = torch.zeros(3, 1, *model.family.shape[1:])
    keep[..., :8] = 1
    walk, way = Walk(4, guidance=2.0), Way("state")
    every = inpainted(space, x, keep, said, streams=Streams(7, range(3)), walk=walk, way=way)
    rows = (x[2:], keep[2:], said.rows(slice(2, 3)))
    assert torch.equal(inpainted(space, *rows, streams=Streams(7, [2]), walk=walk, way=way), every[2:])


def test_the_ends_of_an_interpolation_are_the_ends(fake_model: Path):
    model = lienzo.load(fake_model)
    space, x = space_of(model.family), picture(model.family.shape)
    frames = between(model.family, x[:1], x[1:], 3, model.bus.parse({}, 1), walk=Walk(6))
    ends = space.leave(space.enter(x))
    assert frames.shape == (1, 3, *model.family.shape)
    assert torch.allclose(frames[0, 0], ends[0], atol=0.02)
    assert torch.allclose(frames[0, 2], ends[1], atol=0.02)
    assert not torch.allclose(frames[0, 1], ends[1], atol=0.02)


def test_a_family_without_a_denoiser_is_told_which_have_one(fake_model: Path):
    model = lienzo.load(fake_model)
    with pytest.raises(CapabilityError, match="diffusion, few_step"):
        space_of(model.family.outer)  # type: ignore[union-attr]


def test_frames_are_what_they_are_alone(fake_model: Path):
    model = lienzo.load(fake_model)
    space, x, said = space_of(model.family), picture(model.family.shape), model.bus.parse({"text": ["a dog"]}, 1)
    frames = between(model.family, x[:1], x[1:], 3, said, walk=Walk(4))
    noise = [inverted(space, end, said, walk=Walk(4)) for end in (x[:1], x[1:])]
    middle = regenerated(space, spherical(noise[0], noise[1], 0.5), said, walk=Walk(4))
    assert torch.equal(frames[:, 1], middle)
