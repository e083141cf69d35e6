"""A recipe names a trained family where another one takes it: by a run's folder, an exported model or a name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.api.train import planned
from lienzo.conditions import Bus
from lienzo.core import CheckpointError, ConfigurationError, Streams, config_of
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.few_step import FewStep
from lienzo.families.latent import Latent
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.training import Observer
from lienzo.training.export import export
from lienzo.training.opening import load
from lienzo.training.recipes import Recipe, carry_out
from lienzo.training.recipes.inner import family_arguments, place_for
from lienzo.training.recipes.make import make_family

STEPS: dict[str, Any] = {"batch_size": 4, "images": 8, "precision": "float32", "device": "cpu", "threads": 1}
NETWORK = {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2}
TOKENIZER = {"kind": "vector_quantized", "levels": [4, 3], "widths": [8, 8]}
TOKENS = {"kind": "autoregressive", "order": "tokens", "width": 8, "depth": 1, "heads": 2}


class Silent(Observer):
    """Says and draws nothing."""


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lienzo.training.recipes.stages.Curve", Silent)
    for number in range(8):
        name = tmp_path / "pictures" / "ab"[number % 2] / f"{number}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)).save(name)
    return tmp_path / "pictures"


def recipe(source: Path, family: dict[str, Any], **more: Any) -> Recipe:
    data = {"source": str(source), "size": 8}
    samples = {"count": 2}
    return Recipe.checked({"data": data, "family": family, "training": STEPS, "samples": samples, **more})


def shaken(folder: Path) -> VectorQuantized:
    """Return the tokenizer of a run."""
    family = load(folder)
    assert isinstance(family, VectorQuantized)
    return family


def test_arguments_that_are_families_are_known_by_their_annotations():
    assert family_arguments(Autoregressive) == {"tokenizer": VectorQuantized}
    assert list(family_arguments(FewStep)) == ["teacher"]
    assert list(family_arguments(Latent)) == ["outer", "inner"]
    coder = VectorQuantized((1, 8, 8), levels=(4, 3), widths=(8, 8))
    assert place_for(Autoregressive, {}, coder) == "tokenizer"
    assert place_for(Autoregressive, {"tokenizer": "runs/it"}, coder) is None
    assert place_for(FewStep, {}, coder) is None


def test_a_tokenizer_by_its_run_and_by_a_name(pictures: Path, tmp_path: Path):
    carry_out(recipe(pictures, TOKENIZER), tmp_path / "coder")
    export(tmp_path / "coder", tmp_path / "int8", "int8")
    known = shaken(tmp_path / "coder")

    def find(name: str) -> Path:
        assert name == "coder-8"
        return tmp_path / "int8"

    by_name = make_family({**TOKENS, "tokenizer": "coder-8"}, None, Bus({}), (3, 8, 8), 0, find=find)
    assert isinstance(by_name, Autoregressive)
    packed = shaken(tmp_path / "int8").state_dict()
    inside = by_name.order.alphabet.outer.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(inside[name], tensor) for name, tensor in packed.items())

    asked = recipe(pictures, {**TOKENS, "tokenizer": str(tmp_path / "coder")})
    result = carry_out(asked, tmp_path / "tokens")
    assert config_of(result.family)["tokenizer"]["kind"] == "vector_quantized"  # no path: the checkpoint holds all
    shutil.rmtree(tmp_path / "coder")
    again = load(tmp_path / "tokens")
    assert isinstance(again, Autoregressive)
    x = torch.rand(2, 3, 8, 8) * 2 - 1
    assert torch.equal(again.order.alphabet.tokens(x), known.tokens(x).flatten(1))
    longer = carry_out(asked.model_copy(update={"training": replaced(asked, images=16)}), tmp_path / "tokens")
    assert (longer.finished, longer.seen) == (True, 16)  # going on needs the coder's folder no more


def replaced(asked: Recipe, **changes: Any) -> Any:
    return asked.training.model_copy(update=changes)


def test_a_coder_that_a_family_takes_is_handed_to_it(pictures: Path, tmp_path: Path):
    result = carry_out(recipe(pictures, TOKENS, codes={"recipe": {"family": TOKENIZER, "training": STEPS}}), tmp_path)
    assert isinstance(result.family, Autoregressive)
    known = shaken(tmp_path / "coder").state_dict()
    inside = result.family.order.alphabet.outer.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(inside[name], tensor) for name, tensor in known.items())
    wrapped = carry_out(
        recipe(pictures, {"kind": "flow", "dequantization": "none", "levels": 1, "width": 8, "depth": 1},
               codes={"outer": str(tmp_path / "coder")}), tmp_path / "flow",
    )  # fmt: skip
    assert isinstance(wrapped.family, Latent)


def test_a_plan_trains_no_tokenizer_where_one_is_named(pictures: Path, tmp_path: Path):
    carry_out(recipe(pictures, TOKENIZER), tmp_path / "coder")
    named = {**TOKENS, "tokenizer": str(tmp_path / "coder")}
    overrides = {"family": named, "data": {"size": 8}, "training": {"threads": 1, "batch_size": 4}}
    found = planned(pictures, out=tmp_path / "run", budget="1s", overrides=overrides)
    assert found.codes is None
    assert isinstance(found.training.images, int)


def test_a_teacher_must_understand_what_is_said(pictures: Path, tmp_path: Path):
    carry_out(recipe(pictures, {"kind": "diffusion"}, network=NETWORK), tmp_path / "teacher")
    student = {"kind": "few_step", "objective": "shortcut", "teacher": str(tmp_path / "teacher")}
    family = carry_out(recipe(pictures, student, network=NETWORK), tmp_path / "student").family
    assert isinstance(family, FewStep)
    assert family.teacher is not None
    theirs = load(tmp_path / "teacher").state_dict()
    assert all(torch.equal(theirs[name], tensor) for name, tensor in family.teacher.state_dict().items())
    assert family.sample(family.bus.parse({}, 1), streams=Streams(0, [0])).isfinite().all()
    other = {"label": {"classes": ["b", "a"]}}
    with pytest.raises(ConfigurationError, match="hears 'label' in other words"):
        carry_out(recipe(pictures, student, network=NETWORK, conditions=other), tmp_path / "other")


def test_what_does_not_fit_is_named(pictures: Path, tmp_path: Path):
    carry_out(recipe(pictures, TOKENIZER), tmp_path / "coder")
    wrong = {"kind": "few_step", "teacher": str(tmp_path / "coder")}
    with pytest.raises(ConfigurationError, match=r"is a VectorQuantized, not a Diffusion\n.*family diffusion"):
        carry_out(recipe(pictures, wrong, network=NETWORK), tmp_path / "run")
    with pytest.raises(CheckpointError, match="nowhere"):
        carry_out(recipe(pictures, {**TOKENS, "tokenizer": "nowhere"}), tmp_path / "run")
    with pytest.raises(ConfigurationError, match=r"is what draws the codes, not 'latent'"):
        carry_out(recipe(pictures, {"kind": "latent", "outer": str(tmp_path / "coder")}), tmp_path / "run")
    with pytest.raises(ConfigurationError, match=r"'gan' has no network to choose.*\n.*diffusion, few_step"):
        carry_out(recipe(pictures, {"kind": "gan"}, network=NETWORK), tmp_path / "run")


def test_a_teacher_over_codes_brings_its_codes(pictures: Path, tmp_path: Path):
    network = {"kind": "transformer", "patch": 1, "width": 16, "depth": 1, "heads": 2}
    coder = {"family": {"kind": "vae", "codes": 2, "widths": [8, 8]}, "training": STEPS}
    teacher = tmp_path / "teacher"
    carry_out(recipe(pictures, {"kind": "diffusion"}, network=network, codes={"recipe": coder}), teacher)
    student = {"kind": "few_step", "teacher": str(teacher)}
    with pytest.raises(ConfigurationError, match=r"the student \(3, 8, 8\)\n.*\[codes\]"):
        carry_out(recipe(pictures, student, network=NETWORK), tmp_path / "pixels")
    overrides = {"family": student, "data": {"size": 8}, "training": {"threads": 1, "batch_size": 4}}
    found = planned(pictures, out=tmp_path / "run", budget="1s", overrides=overrides)
    assert found.codes is not None
    assert found.codes.outer == str(teacher)
    short = found.model_copy(update={"training": replaced(recipe(pictures, student))})
    family = carry_out(short, tmp_path / "run").family
    assert isinstance(family, Latent)
    assert isinstance(family.inner, FewStep)
    assert family.inner.teacher is not None
    assert found.network is not None
    assert (found.network["width"], family.inner.tempo) == (16, 1)  # it began as its teacher
    alone = load(export(tmp_path / "run", tmp_path / "alone"))
    assert isinstance(alone, Latent)
    assert isinstance(alone.inner, FewStep)
    assert (alone.inner.teacher, alone.inner.tempo, alone.inner.predicts) == (None, 1, family.inner.predicts)
    said, streams = family.bus.parse({}, 2), Streams(0, range(2))
    assert torch.allclose(alone.sample(said, streams=streams), family.sample(said, streams=streams), atol=0.05)
    known = load(teacher)
    assert torch.equal(family.get_buffer("scale"), known.get_buffer("scale"))  # the codes that the teacher knows
