"""Models with untrained weights, small enough to draw at once: what the doors are tried with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition, TextCondition
from lienzo.core import Family, config_of
from lienzo.families.diffusion import Diffusion
from lienzo.families.latent import Latent
from lienzo.families.vae import VAE
from lienzo.networks.transformer import PatchTransformer
from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, plain, seal
from lienzo.training.tensors import write_tensors

CARD_TEXT = """---
license: apache-2.0
---

# emoji-64

Draws nothing yet:
it is not trained.

## Data

- emoji, 3 pictures

## Training

- finished: no images
- wall time: 0 s

## Quality

- FD-clf64: 123.4 (10,000 samples)
- retrieval: 1 %

## Limits

- It draws noise.
"""


def written(family: Family, folder: Path, **defaults: object) -> Path:
    """Shake a family's weights, so that every part of it counts, and write it as a model."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    folder.mkdir(parents=True)
    write_tensors(family.state_dict(), folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(plain(config_of(family))))
    (folder / CARD).write_text(CARD_TEXT)
    (folder / "generate.json").write_text(json.dumps(defaults))
    seal(folder)
    return folder


@pytest.fixture(scope="session")
def fake_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A family over codes, 16 × 16, which hears text, style, group and background."""
    labels = {
        "style": ["noto", "twemoji"],
        "group": ["animals-nature", "food-drink"],
        "background": ["white", "dark", "colour"],
    }
    conditions = {
        "text": TextCondition(length=8, depth=1, heads=2),
        **{n: LabelCondition(c) for n, c in labels.items()},
    }
    bus = Bus(conditions, vector=16, token=16)
    network = PatchTransformer((4, 4, 4), bus.sizes, patch=1, width=16, depth=1, heads=2)
    family = Latent(VAE((3, 16, 16), codes=4, widths=(8, 16)), Diffusion(network, bus, (4, 4, 4), sigma_data=1.0))
    folder = tmp_path_factory.mktemp("models") / "emoji-64"
    return written(family, folder, conditions={"background": "white"}, options={"steps": 4, "guidance": 2.0})


@pytest.fixture(scope="session")
def seeing_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusion over pixels, 8 × 8, which hears a picture, two maps and one label."""
    conditions = {
        "picture": ImageCondition(size=8, patch=4),
        "outline": MapCondition("edges", size=8),
        "parts": MapCondition("segmentation", size=8, channels=3),
        "label": LabelCondition(["cat", "dog"]),
    }
    bus = Bus(conditions, vector=16, token=16)
    network = PatchTransformer((3, 8, 8), bus.sizes, patch=4, width=16, depth=1, heads=2)
    return written(
        Diffusion(network, bus, (3, 8, 8)), tmp_path_factory.mktemp("models") / "seeing", options={"steps": 3}
    )


@pytest.fixture
def shipped(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake model, as if it were the one that ships."""
    for module in ("find", "choose"):
        monkeypatch.setattr(f"lienzo.api.{module}.SHIPPED", fake_model.parent)
    return fake_model


@pytest.fixture(scope="session")
def noise_animals(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a folder of cats and dogs, 8 × 8, dark and bright noise: pictures of each a split → folder."""

    def make(**counts: int) -> Path:
        folder, rng = tmp_path_factory.mktemp("animals"), np.random.default_rng(0)
        for split, count in counts.items():
            for name, low in (("cat", 0), ("dog", 128)):
                (folder / split / name).mkdir(parents=True)
                for number in range(count):
                    pixels = rng.integers(low, low + 128, (8, 8, 3), np.uint8)
                    Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
        return folder

    return make
