"""Prediction targets: exact conversions, their gains, and the weights made of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lienzo.core import ConfigurationError, Streams
from lienzo.sampling import PROCESSES, SCHEDULES, TARGETS, TIMES, Level, made, process_named, weight

targets = st.sampled_from(sorted(TARGETS))
schedules = st.sampled_from(sorted(SCHEDULES))
times = st.floats(0.02, 0.98)
numbers = st.floats(-3, 3)


def level(schedule: str, t: float) -> Level:
    return Level.of(SCHEDULES[schedule](), torch.tensor([t], dtype=torch.float64), 1, sigma_data=0.4)


def scalar(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


@settings(deadline=None, max_examples=200)
@given(targets, schedules, times, numbers, numbers)
def test_conversions_are_inverse_and_agree_with_the_definition(
    target: str, schedule: str, t: float, x: float, e: float
):
    at, f = level(schedule, t), TARGETS[target]
    x_0, noise = scalar(x), scalar(e)
    x_t = at.alpha * x_0 + at.sigma * noise
    asked = f.direct(x_0, noise, x_t, at)
    torch.testing.assert_close(f.from_data(x_0, x_t, at), asked, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(f.to_data(asked, x_t, at), x_0, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=100)
@given(targets, targets, schedules, times, numbers, numbers)
def test_a_weight_moves_the_error_to_another_space(
    target: str, weighting: str, schedule: str, t: float, x: float, y: float
):
    at = level(schedule, t)
    x_t = at.alpha * scalar(x) + at.sigma * 0.7

    def error(name: str) -> torch.Tensor:
        space = TARGETS[name]
        return (space.from_data(scalar(x), x_t, at) - space.from_data(scalar(y), x_t, at)).square()

    moved = weight(target, weighting, at, sigma_floor=0.0) * error(target)
    torch.testing.assert_close(moved, error(weighting), rtol=1e-5, atol=1e-8)


def test_weights_that_papers_name():
    t = torch.tensor([0.0, 0.5, 0.9, 0.99, 1.0], dtype=torch.float64)
    linear = Level.of(SCHEDULES["linear"](), t, 1)
    torch.testing.assert_close(weight("data", "velocity", linear), 1 / (1 - t).clamp(min=0.05) ** 2)
    edm = Level.of(SCHEDULES["edm"](), t[:3], 1, sigma_data=0.5)
    lam = (edm.sigma**2 + 0.25) / (edm.sigma * 0.5) ** 2  # λ(σ) of Karras (2022), table 1
    torch.testing.assert_close(weight("data", "preconditioned", edm, sigma_floor=0.0), lam)
    torch.testing.assert_close(weight("score", "noise", edm), edm.sigma**2)  # Song & Ermon (2019), λ = σ²


def test_inputs_and_the_preconditioned_target_have_unit_variance(schedule):
    at = Level.of(schedule, torch.linspace(0.02, 0.98, 9), 2, sigma_data=0.3)
    x, e = (torch.randn(9, 40000, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    f = TARGETS["preconditioned"].direct(0.3 * x, e, at.alpha * 0.3 * x + at.sigma * e, at)
    torch.testing.assert_close(f.var(1), torch.ones(9), rtol=0.05, atol=0)
    torch.testing.assert_close(
        (at.alpha * 0.3 * x + at.sigma * e).div(at.scale).var(1), torch.ones(9), rtol=0.05, atol=0
    )


def test_every_process_is_made_of_entries_that_exist():
    for name, row in PROCESSES.items():
        assert process_named(name) == row
    changed = process_named("flow-matching", target="data", times="logit-normal -0.8 0.8")
    assert (changed.schedule, changed.target, changed.weighting) == ("linear", "data", "velocity")


@pytest.mark.parametrize(
    "wrong",
    [{"name": "flow"}, {"schedule": "linaer"}, {"target": "x"}, {"weighting": "snr"}, {"times": "uniform 1 2"},
     {"schedule": "edm low"}],
)  # fmt: skip
def test_a_wrong_entry_is_named(wrong: dict[str, str]):
    with pytest.raises(ConfigurationError, match="try"):
        process_named(**{"name": "edm", **wrong})


@pytest.mark.parametrize("entry", ["uniform", "logit-normal -0.8 0.8", "log-normal -1.2 1.2", "levels 10"])
def test_training_times_are_ones_that_the_schedule_has(schedule, entry: str):
    t = made(TIMES, "times", entry)(Streams(0, range(500)), schedule)
    assert t.shape == (500,)
    assert t.dtype == torch.float32
    assert bool(((t >= schedule.t_min) & (t <= schedule.t_max)).all())
    if entry == "levels 10":
        assert len(t.unique()) == 10
        assert set(t.tolist()) == set(schedule.grid(10, "time")[:-1].float().tolist())


def test_training_times_have_the_moments_that_they_are_named_for():
    streams = Streams(1, range(4000))
    t = made(TIMES, "times", "logit-normal -0.8 0.8")(streams, SCHEDULES["linear"]())
    assert t.logit().mean().item() == pytest.approx(-0.8, abs=0.05)
    for name in ("edm", "linear", "cosine"):
        schedule = SCHEDULES[name]()
        log_ratio = -schedule.lam(made(TIMES, "times", "log-normal -1.2 1.2")(streams, schedule).double())
        assert log_ratio.mean().item() == pytest.approx(-1.2, abs=0.08)
        assert log_ratio.std().item() == pytest.approx(1.2, abs=0.06)
