"""`lienzo adapt` from pictures to drawings, on a base that learns in seconds to draw a bright half of a dark square."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lienzo
from lienzo.core import CheckpointError, ConfigurationError
from lienzo.training.checkpoint import WEIGHTS, resolve
from lienzo.training.recipes import Recipe, carry_out

SIDE, HALF = 8, 4
HALVES = {
    "left": np.s_[:, :HALF], "right": np.s_[:, HALF:], "top": np.s_[:HALF], "bottom": np.s_[HALF:],
}  # fmt: skip
QUICK = ["--set", "batch_size=32", "--set", "precision=float32", "--set", "threads=1", "--set", "warmup=0",
         "--set", "ema_half_life=200"]  # fmt: skip


def mask(half: str) -> np.ndarray:
    plane = np.zeros((SIDE, SIDE), np.uint8)
    plane[HALVES[half]] = 255
    return plane


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares of which one half is bright, in some colour; a map tells which, the words do not."""
    folder, rng = tmp_path_factory.mktemp("halves"), np.random.default_rng(0)
    rows = []
    for number in range(240):
        half = list(HALVES)[number % 4]
        colour = rng.integers(150, 255, 3)
        pixels = rng.integers(0, 40, (SIDE, SIDE, 3)) + (mask(half)[..., None] > 0) * colour
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:03d}.png")
        Image.fromarray(mask(half)).save(folder / f"{number:03d}-mask.png")
        text = ["a house", "a red apple", "the sea", "a happy face"][number % 3]
        rows.append({"file_name": f"{number:03d}.png", "mask_file_name": f"{number:03d}-mask.png", "text": text})
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def base(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusion over pixels that hears text and draws halves."""
    recipe = Recipe.checked({
        "name": "halves", "data": {"source": str(pictures), "size": SIDE, "background": "white"},
        "conditions": {"text": {"kind": "text", "length": 4, "depth": 1, "heads": 2}},
        "bus": {"vector": 32, "token": 32},
        "network": {"kind": "transformer", "patch": 2, "width": 64, "depth": 2, "heads": 2},
        "training": {"images": 3200, "batch_size": 64, "learning_rate": 3e-3, "warmup": 0, "ema_half_life": 600,
                     "precision": "float32", "threads": 1},
        "generate": {"options": {"steps": 6, "guidance": 1.5}}, "samples": {"count": 1},
    })  # fmt: skip
    out = tmp_path_factory.mktemp("runs") / "halves"
    carry_out(recipe, out)
    return out


def agreement(images: list[Image.Image], half: str) -> float:
    """The share of pixels that are bright where the map says so, and dark elsewhere; ½ by chance."""
    light = np.stack([np.asarray(image, np.float64).mean(2) for image in images]) > 100
    return float((light == (mask(half) > 0)).mean())


def redness(images: list[Image.Image]) -> float:
    """How much more red than green and blue there is in the middle."""
    return float(np.mean([np.asarray(image, np.float64)[3:5, 3] @ (1, -0.5, -0.5) for image in images]))


def test_a_map_is_taught_and_followed_and_the_base_is_what_it_was(call, pictures, base, tmp_path):
    out, weights = tmp_path / "halves-mask", (resolve(base) / WEIGHTS).read_bytes()
    code, _, said = call("adapt", base, pictures, "--map", "mask", "--out", out, "--budget", "2m",
                         "--set", "images=1600", "--set", "learning_rate=1e-2", *QUICK)  # fmt: skip
    assert code == 0, said
    assert "stays as it is" in said
    assert "--map mask=FILE --out out" in said
    assert (out / "sheet.png").is_file()
    assert (resolve(base) / WEIGHTS).read_bytes() == weights
    adapted, plain = lienzo.load(out), lienzo.load(base)
    told = [agreement(adapted.generate("the sea", map={"mask": mask(half)}, count=6), half) for half in HALVES]
    untold = [agreement(plain.generate("the sea", count=6), half) for half in HALVES]
    assert np.mean(untold) < 0.65
    assert np.mean(told) > 0.8
    assert adapted.defaults["options"]["guidance"] == {"text": 1.5}
    bare, other = adapted.generate("the sea", count=2), plain.generate("the sea", count=2)
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(bare, other, strict=True))
    Image.fromarray(mask("left")).save(tmp_path / "left.png")
    code, _, said = call("generate", "--model", out, "--map", f"mask={tmp_path / 'left.png'}", "--count", "2",
                         "--out", tmp_path / "out")  # fmt: skip
    assert code == 0, said
    assert lienzo.reproduce(tmp_path / "out" / "0001.png").same
    code, _, said = call("adapt", base, pictures, "--map", "text", "--out", out)
    assert code == 2
    assert "with map 'mask', not 'text'" in said


def test_a_concept_is_taught_beside_drawings_that_keep_the_rest(call, base, tmp_path):
    mine, out = tmp_path / "mine", tmp_path / "spot"
    mine.mkdir()
    for number in range(3):
        pixels = np.full((SIDE, SIDE, 3), 20, np.uint8)
        pixels[2:6, 2 : 5 + number % 2] = (250, 30, 30)
        Image.fromarray(pixels).save(mine / f"{number}.png")
    code, _, said = call("adapt", base, mine, "--concept", "my dog", "--out", out, "--set", "images=1600",
                         "--set", "learning_rate=1e-2", *QUICK)  # fmt: skip
    assert code == 0, said
    assert "of 'dog' and other captions" in said
    assert "forgotten: " in said
    assert "forgotten: " in (lienzo.load(out).folder / "README.md").read_text()
    after, before = (redness(lienzo.load(model).generate("my dog", count=12)) for model in (out, base))
    assert after > before + 20


def test_what_is_wrong_is_said(pictures, base, fake_model, seeing_model, tmp_path):
    with pytest.raises(ConfigurationError, match="neither a map nor a concept"):
        lienzo.adapt(base, pictures)
    with pytest.raises(ConfigurationError, match="no design 'huge'"):
        lienzo.adapt(base, pictures, map="mask", design="huge")
    with pytest.raises(ConfigurationError, match=r"has no map 'depth'\n  try: mask"):
        lienzo.adapt(base, pictures, map="depth", out=tmp_path / "a")
    with pytest.raises(ConfigurationError, match="hears no words"):
        lienzo.adapt(seeing_model, pictures, concept="my dog", out=tmp_path / "a")
    with pytest.raises(ConfigurationError, match="240 pictures, a concept is taught with a handful"):
        lienzo.adapt(base, pictures, concept="my dog", out=tmp_path / "a")
    with pytest.raises(CheckpointError, match="no model 'nobody'"):
        lienzo.adapt("nobody", pictures, map="mask", out=tmp_path / "a")
    assert not (tmp_path / "a").exists()  # nothing is begun that cannot be
