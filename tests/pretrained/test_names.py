"""What needs no package of the extra: names, the table of kinds, the sentences."""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lienzo
from lienzo.core import CheckpointError, ConfigurationError, DataError
from lienzo.pretrained import Loading, is_pretrained
from lienzo.pretrained.kinds import architecture_of, kind_of
from lienzo.pretrained.names import read_size
from lienzo.pretrained.steps import steps_of
from lienzo.pretrained.telling import memory_told, told

HUB = "owner/name"


def raised(name: str, *bases: type[Exception], text: str = "one line\nanother") -> Exception:
    """An error of a class of this name: those of the hub are known by their names."""
    return type(name, bases or (Exception,), {})(text)


NOT_FOUND = type("RepositoryNotFoundError", (OSError,), {})


@pytest.mark.parametrize(
    ("error", "kind", "says", "tries"),
    [
        (raised("GatedRepoError", NOT_FOUND), ConfigurationError, "licence", "accept it at"),
        (raised("RepositoryNotFoundError", OSError), CheckpointError, "no such name on the hub", "hf auth login"),
        (raised("OfflineModeIsEnabled", ConnectionError), CheckpointError, "cannot be reached", "HF_HUB_OFFLINE"),
        (raised("OutOfMemoryError", RuntimeError), ConfigurationError, "not enough memory", "offload=model"),
        (ImportError("No module named 'sentencepiece'"), ConfigurationError, "sentencepiece", "lienzo[pretrained]"),
        (raised("SafetensorError"), CheckpointError, "damaged: one line", "fetch it again"),
        (OSError(28, "No space left on device"), CheckpointError, "disk is full", "HF_HOME"),
    ],
)
def test_each_error_is_one_sentence_that_says_what_to_do(error: Exception, kind: Any, says: str, tries: str):
    outer = OSError("see the root cause in the stack trace above")  # as diffusers wraps them
    outer.__cause__ = error
    for each in (error, outer):
        with pytest.raises(kind, match=says) as caught, told(f"{HUB},dtype=float16"):
            raise each
        assert "\n" not in caught.value.what
        assert HUB in caught.value.what
        assert tries in caught.value.hint


def test_what_no_row_is_special_about_says_its_first_line():
    with pytest.raises(CheckpointError, match=r"owner/name cannot be loaded: strange(.|\n)*safetensors"), told(HUB):
        raise ValueError("strange\nand long")
    with pytest.raises(KeyboardInterrupt), told(HUB):
        raise KeyboardInterrupt


def test_while_drawing_only_memory_is_told():
    with pytest.raises(ZeroDivisionError), memory_told(HUB):
        raise ZeroDivisionError
    with pytest.raises(ConfigurationError, match="not enough memory for owner/name"), memory_told(HUB):
        raise raised("OutOfMemoryError", RuntimeError)
    with pytest.raises(DataError), told(HUB):
        raise DataError("said already")


def test_steps_arrive_in_order_and_the_picture_last():
    def draw(seen: Any) -> Tensor:
        for step in range(3):
            seen(step, torch.full((1,), float(step)))
        return torch.tensor([9.0])

    each = list(steps_of(draw, lambda codes: codes + 1))
    assert [(step.number, float(step.codes)) for step in each] == [(1, 0.0), (2, 1.0), (None, 9.0)]
    assert [float(step.picture) for step in each if step.picture is not None] == [1.0, 2.0, 9.0]


def test_who_leaves_stops_the_drawing_and_errors_arrive():
    reached = list[int]()

    def endless(seen: Any) -> Tensor:
        for step in count():
            reached.append(step)
            seen(step, torch.zeros(1))
        raise AssertionError

    walk = steps_of(endless, None)
    assert next(walk).number == 1
    walk.close()
    stopped = len(reached)
    time.sleep(0.05)
    assert len(reached) == stopped

    def fails(seen: Any) -> Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(steps_of(fails, None))


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"needs the package diffusers(.|\n)*'lienzo\[pretrained\]'"):
        lienzo.load(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no folder owner/name; looking on the hub needs"):
        lienzo.load(HUB)


def test_a_name_says_how_it_is_loaded():
    loading = Loading.of(f"{HUB},dtype=float16,offload=model", {"tiling": True, "size": (768, 512)})
    assert (loading.name, loading.dtype, loading.tiling, read_size(loading.size)) == (HUB, "float16", "yes", (768, 512))
    assert Loading.of(loading.text()) == loading
    assert Loading.of(HUB).text() == HUB


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (f"{HUB},dtype=int3", "one of auto, float32"),
        (f"{HUB},colour=red", "without an option 'colour'"),
        (f"{HUB},size=big", "768x512"),
        (f"{HUB},size=0", "WIDTHxHEIGHT"),
    ],
)
def test_options_that_there_are_not(name: str, says: str):
    with pytest.raises(ConfigurationError, match=says):
        Loading.of(name)


def test_what_is_a_pipeline_and_what_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "pipe,odd").mkdir()
    (tmp_path / "pipe,odd" / "model_index.json").write_text("{}")
    assert is_pretrained("pipe,odd")
    assert is_pretrained(HUB)
    assert is_pretrained(f"{HUB},dtype=float16")
    assert not any(map(is_pretrained, ("runs/mine", "runs/misspelt", "emoji-64", "/no/where", "./no")))
    (tmp_path / "shipped" / "owner").mkdir(parents=True)
    assert not is_pretrained(HUB, tmp_path / "shipped")
    with pytest.raises(CheckpointError, match="no model 'runs/misspelt'"):
        lienzo.load("runs/misspelt")
    with pytest.raises(ConfigurationError, match="emoji-64 is no pretrained pipeline"):
        lienzo.load("emoji-64", offload="model")


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("StableDiffusionXLPipeline", "text-to-image"),
        ("FluxPipeline", "text-to-image"),
        ("StableDiffusionXLImg2ImgPipeline", "image-to-image"),
        ("FluxFillPipeline", "inpainting"),
        ("QwenImageEditInpaintPipeline", "inpainting"),
        ("StableDiffusionXLControlNetPipeline", "control"),
        ("StableDiffusionInstructPix2PixPipeline", "instruction editing"),
        ("QwenImageEditPlusPipeline", "instruction editing"),
        ("FluxKontextPipeline", "instruction editing"),
    ],
)
def test_the_kinds_of_pipelines(name: str, task: str):
    arguments = {"prompt": None} | ({} if task == "text-to-image" else {"image": None})
    assert kind_of(name, arguments).task == task
    assert (architecture_of(name) is None) == (task != "text-to-image")
