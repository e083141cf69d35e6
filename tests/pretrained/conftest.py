"""Tiny pipelines, each saved once; the hub is switched off."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lienzo

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the hub's package is imported


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A pipeline's name → its folder, as `save_pretrained` writes it."""
    pytest.importorskip("diffusers")
    spec = spec_from_file_location("tiny", Path(__file__).with_name("tiny.py"))
    assert spec is not None
    assert spec.loader is not None
    built = module_from_spec(spec)
    spec.loader.exec_module(built)
    folder = tmp_path_factory.mktemp("pipelines")
    return cache(lambda name: built.saved(name, folder))


@pytest.fixture(scope="session")
def model(tiny: Callable[[str], Path]) -> Callable[[str], lienzo.Model]:
    """A pipeline's name, options behind it → it, loaded by the real code."""

    def load(text: str) -> lienzo.Model:
        name, comma, options = text.partition(",")
        return lienzo.load(f"{tiny(name)}{comma}{options}")

    return cache(load)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A picture of 40 × 30 pixels, and a mask of its left half beside it."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "house.png")
    mask = Image.new("L", (40, 30))
    mask.paste(255, (0, 0, 20, 30))
    mask.save(tmp_path / "left.png")
    return tmp_path / "house.png"
