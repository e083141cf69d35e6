"""A budget and the name of a family are enough: every family of the registry gets a recipe that works."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.train import planned
from lienzo.core import ConfigurationError
from lienzo.core.registry import REGISTRY
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.latent import Latent
from lienzo.training import Observer
from lienzo.training.budget import Pace
from lienzo.training.recipes import Recipe, carry_out
from lienzo.training.recipes.presets import PRESETS
from lienzo.training.recipes.read import merged

KINDS = [kind for kind, at in REGISTRY["family"].items() if at.startswith("lienzo.")]
TWO_STEPS: dict[str, Any] = {
    "batch_size": 4, "images": 8, "budget_seconds": None, "precision": "float32", "threads": 1, "ema_half_life": 4,
}  # fmt: skip


def folder(path: Path, *, grey: bool = False, told: bool = True) -> Path:
    path.mkdir()
    rows = [["file_name", "text", "label"]]
    for number in range(24):
        shape = (18, 18) if grey else (18, 18, 3)
        pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        Image.fromarray(pixels).save(path / f"{number}.png")
        rows.append([f"{number}.png", f"a thing {number}", "ab"[number % 2]])
    if told:
        with (path / "metadata.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every candidate is built, fed once and said to be so slow that the smallest is taken."""
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "cache"))

    def pace(candidate: Any, patience: float, *, feed: Any, settings: Any) -> Pace:
        family = candidate.make()
        batch = feed(family)(0)
        assert family.loss(batch.rows(0, 8), family.players[0]).total.isfinite()
        return Pace(1.0, "float32", 10)

    monkeypatch.setattr("lienzo.training.recipes.fitting.pace_of", pace)
    monkeypatch.setattr("lienzo.training.recipes.stages.Curve", Silent)  # matplotlib takes longer than all the rest


class Silent(Observer):
    """Says and draws nothing."""


def plan(source: Path, kind: str, out: Path, said: list[str], **data: Any) -> Recipe:
    overrides = {"family": {"kind": kind}, "data": {"size": 16, **data}, "training": {"threads": 1}}
    return planned(source, out=out, budget="100s", start="scratch", overrides=overrides, tell=said.append)


def short(recipe: Recipe) -> dict[str, Any]:
    """Return a plan's values with two steps for every stage."""
    values = recipe.model_dump(mode="json", exclude_unset=True)
    cut = {"training": TWO_STEPS, "samples": {"count": 2}}
    cut |= {"codes": {"recipe": {"training": {**TWO_STEPS, "budget_seconds": None}}}} if recipe.codes else {}
    return merged(values, cut)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_builds_learns_and_draws(kind: str, tmp_path: Path, unhurried: None):
    said: list[str] = []
    recipe = plan(folder(tmp_path / "pictures"), kind, tmp_path, said)
    assert said[0].startswith(f"{PRESETS[kind].kind or kind} over ")
    assert any("picked" in line for line in said)
    assert recipe.training.images
    family = carry_out(Recipe.checked(short(recipe)), tmp_path / "run").family
    assert list((tmp_path / "run" / "samples").glob("*.png"))  # it has drawn
    if kind == "autoregressive":
        assert isinstance(family, Autoregressive)
        assert family.order.alphabet.vocabulary == 1000  # type: ignore[union-attr]
    assert isinstance(family, Latent) == (kind == "latent")


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (64, 3)])
def test_the_largest_size_can_be_built(
    size: int, channels: int, tmp_path: Path, unhurried: None, monkeypatch: pytest.MonkeyPatch
):
    built: list[str] = []

    def pace(candidate: Any, patience: float, *, feed: Any, settings: Any) -> Pace:
        if candidate.name.startswith("large"):
            with torch.device("meta"):
                candidate.make()
            built.append(candidate.name)
        return Pace(1e-6, "float32", 10)

    monkeypatch.setattr("lienzo.training.recipes.fitting.pace_of", pace)
    source = folder(tmp_path / "pictures", grey=channels == 1, told=False)
    over_codes = {"diffusion", "few_step", "flow"} if size == 64 else set[str]()
    for kind in KINDS:
        recipe = plan(source, kind, tmp_path, [], size=size, channels=channels)
        assert (recipe.codes is not None) == (kind in over_codes | {"autoregressive", "latent"})
    assert len(built) == len(KINDS) - 1  # a density has one size


def test_what_cannot_be_heard_is_said(tmp_path: Path, unhurried: None):
    said: list[str] = []
    source = folder(tmp_path / "pictures")
    recipe = plan(source, "density", tmp_path, said)
    assert any("a density does not hear text" in line for line in said)
    asked = merged(short(recipe), {"conditions": {"text": {}}})
    with pytest.raises(ConfigurationError, match=r"'density' does not hear 'text'.*label\n.*diffusion.*gan"):
        lienzo.train(out=tmp_path / "run", recipe=asked, tell=said.append)
    model = lienzo.train(out=tmp_path / "run", recipe=short(recipe), tell=said.append)
    assert model.bus.names == ["label"]


def test_the_ground_follows_what_is_said_of_the_family(tmp_path: Path, unhurried: None):
    overrides = {"family": {"kind": "autoregressive", "order": "pixels"}, "data": {"size": 16}}
    recipe = planned(folder(tmp_path / "pictures"), out=tmp_path, budget="9s", overrides=overrides)
    assert recipe.codes is None
    assert recipe.family["width"] == 32
    masked = merged(overrides, {"family": {"order": "masked"}})
    recipe = planned(tmp_path / "pictures", out=tmp_path, budget="9s", overrides=masked)
    assert recipe.codes is not None
    assert recipe.family["order"] == "masked"


@pytest.mark.parametrize("kind", ["vae"])
def test_a_run_ends_in_time(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lienzo.training.recipes.stages.Curve", Silent)
    overrides = {"family": {"kind": kind}, "data": {"size": 16}, "training": {"threads": 1}, "samples": {"count": 2}}
    recipe = planned(folder(tmp_path / "pictures", told=False), out=tmp_path / "run", budget="3s", overrides=overrides)
    left = recipe.training.budget_seconds
    assert left is not None
    assert left < 3, "measuring is part of the budget"
    done = carry_out(recipe, tmp_path / "run")
    assert done.finished
    assert done.seconds < left + 1, "a step late at most"


def test_a_flow_over_codes_says_what_it_has_not_and_may_learn_pixels(tmp_path: Path, unhurried: None):
    source, said = folder(tmp_path / "pictures"), list[str]()
    assert plan(source, "flow", tmp_path, said, size=48).codes is not None
    assert any("no likelihood of pictures; --set family.transform=glow" in line for line in said)
    overrides = {"family": {"kind": "flow", "transform": "glow"}, "data": {"size": 48}, "training": {"threads": 1}}
    assert planned(source, out=tmp_path, budget="100s", start="scratch", overrides=overrides).codes is None


def test_large_pictures_are_measured_few_at_once_and_odd_sides_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "cache"))
    rows = dict[int, int]()

    def pace(candidate: Any, patience: float, *, feed: Any, settings: Any) -> Pace:
        batch = feed(candidate.make())(0)
        rows[batch.x.shape[-1]] = len(batch)
        return Pace(1.0, "float32", 10)

    monkeypatch.setattr("lienzo.training.recipes.fitting.pace_of", pace)
    source = folder(tmp_path / "pictures", told=False)
    for size in (64, 512):
        plan(source, "vae", tmp_path, [], size=size)
    assert rows == {64: 16, 512: 4}
    with pytest.raises(ConfigurationError, match=r"side 31 cannot be halved\n.*multiple of 4"):
        plan(source, "flow", tmp_path, [], size=31)


def test_few_pictures_are_shown_to_a_critic_ever_more_changed(tmp_path: Path, unhurried: None):
    said: list[str] = []
    recipe = plan(folder(tmp_path / "pictures"), "style_gan", tmp_path, said)
    assert recipe.family["rules"]["adapt"] > 0
    assert any("the pictures are few" in line for line in said)
