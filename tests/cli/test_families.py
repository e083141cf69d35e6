"""What the doors say of families, and to whom asks one of them for what it cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.cells import cell_len

from lienzo.api.evaluate.run import evaluate
from lienzo.api.families import CHOOSE, families
from lienzo.conditions import Bus
from lienzo.core import Family, config_of
from lienzo.core.registry import REGISTRY
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.gan import GAN
from lienzo.families.style_gan import StyleGAN
from lienzo.families.vae import VAE
from lienzo.training.checkpoint import CONFIG, WEIGHTS, plain, seal
from lienzo.training.recipes.presets import PRESETS
from lienzo.training.tensors import write_tensors

KINDS = {kind for kind, at in REGISTRY["family"].items() if at.startswith("lienzo.")}
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


def written(family: Family, folder: Path) -> Path:
    folder.mkdir()
    write_tensors(family.state_dict(), folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(plain(config_of(family))))
    seal(folder)
    return folder


@pytest.fixture
def gan(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return written(GAN((3, 8, 8), Bus({}), latent=4, widths=(8,)), tmp_path / "gan")


def test_the_table_tells_what_each_can_do(call: Call):
    code, output, _ = call("families")
    assert code == 0
    assert max(map(cell_len, output.splitlines())) <= 100
    rows = {row["name"]: row for row in json.loads(call("families", "--json")[1])}
    assert set(rows) >= KINDS
    assert all(name in output for name in KINDS)
    assert rows["flow"]["can"] == ["scores (exact)", "encodes"]
    assert rows["gan"]["can"] == rows["gan"]["edits"] == []
    assert rows["style_gan"]["edits"][-1] == "mix"
    assert rows["autoregressive"]["edits"] == ["complete"]
    assert rows["vector_quantized"]["hears"] == []
    assert rows["density"]["hears"] == ["label"]
    assert any("van den Oord, 2017" in paper for paper in rows["vector_quantized"]["papers"])
    assert all(rows[name]["papers"] and rows[name]["what"] for name in KINDS)


def test_every_family_says_when_to_choose_it_and_has_sizes():
    assert set(CHOOSE) == set(PRESETS) == KINDS


def test_what_was_measured_is_shown_and_what_was_not_is_said(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    figures = {"quality": {"FD-clf64": "1.2 ± 0.1"}, "speed": {"pictures": "40/s"}, "how": "20 min on 2 cores"}
    (tmp_path / "families.json").write_text(json.dumps({"families": {"gan": figures}}))
    monkeypatch.setattr("lienzo.api.families.MEASURED", tmp_path / "families.json")
    measured = {info.name: info for info in families()}
    assert measured["gan"].quality == {"FD-clf64": "1.2 ± 0.1"}
    assert measured["vae"].quality == {}
    output = call("families")[1]
    assert "FD-clf64: 1.2 ± 0.1" in output
    assert output.count("not measured") == len(measured) - 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--family", "nonsense"], ["unknown family 'nonsense'", "diffusion", "gan"]),
        (["--family", "gan", "--set", "network.kind=unet"], ["'gan' has no network to choose", "diffusion, few_step"]),
        (["--family", "gan", "--from", "emoji-64"], ["weights of emoji-64 cannot be used", "diffusion or latent"]),
        (["--recipe", "latent.toml"], ["is what draws the codes, not 'latent'", "[codes]"]),
        (
            ["--recipe", "tokens.toml"],
            ["'vector_quantized' does not hear 'text': it listens to nothing", "flow", "style_gan"],
        ),
    ],
)
def test_a_wrong_combination_names_who_can(call: Call, tmp_path: Path, words: list[str], expected: list[str]):
    tail = "\n[data]\nsize = 16\n[training]\nimages = 8\n"
    (tmp_path / "latent.toml").write_text('[family]\nkind = "latent"' + tail)
    (tmp_path / "tokens.toml").write_text('[family]\nkind = "vector_quantized"\n[conditions.text]\n' + tail)
    budget = [] if "--recipe" in words else ["--budget", "1m"]
    code, _, error = call("train", "emoji", *words, *budget)
    assert code == 2
    assert "Traceback" not in error
    for words_said in expected:
        assert words_said in error


def test_options_of_other_families_are_not_taken_in_silence(call: Call, gan: Path, tmp_path: Path):
    code, _, error = call("generate", "--model", gan, "--guidance", 3, "--count", 1, "--out", tmp_path / "out")
    assert code == 2
    assert "a GAN has no option 'guidance'" in error
    assert "guidance is for diffusion" in error
    assert "flow" in error


def test_a_likelihood_that_a_family_has_not(call: Call, gan: Path, tmp_path: Path):
    code, _, error = call("evaluate", gan, "--data", "emoji", "--scored", 8)
    assert code == 2
    assert "GAN has no 'scores' capability" in error
    assert "autoregressive, density, diffusion" in error
    for number in range(120):
        path = tmp_path / "pictures" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    torch.manual_seed(0)
    edges = written(VAE((3, 8, 8), codes=2, widths=(8,)), tmp_path / "vae")
    for model, why in ((gan, "GAN has no"), (edges, "no density")):
        report = evaluate(model, tmp_path / "pictures", count=16, seeds=1, features="pca", out=tmp_path / "report.json",
                          split="train")  # fmt: skip
        assert report["likelihood"] is None
        assert why in report["refused"]["likelihood"]["why"]
        assert report["refused"]["likelihood"]["instead"]


def test_options_without_a_flag_are_set_by_name(call: Call, tmp_path: Path):
    torch.manual_seed(0)
    vae = written(VAE((3, 8, 8), widths=(8, 8)), tmp_path / "vae")
    asked = ("generate", "--model", vae, "--count", 1, "--out", tmp_path / "out", "--set")
    assert call(*asked, "temperature=0.5")[0] == 0
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["pictures"][0]["options"]["temperature"] == 0.5
    code, _, error = call(*asked, "top_p=0.9")
    assert code == 2
    assert "a VAE has no option 'top_p'" in error
    assert "top_p is for autoregressive" in error


def test_options_of_an_edit_are_heard_or_refused(call: Call, tmp_path: Path):
    torch.manual_seed(0)
    pixels = written(Autoregressive((3, 8, 8), Bus({}), width=8, depth=1, mixtures=1), tmp_path / "pixels")
    styles = StyleGAN((3, 8, 8), Bus({}), latent=4, style=4, widths=(8, 8), steps=1)
    gan = written(styles, tmp_path / "style")
    for name, size in (("a.png", (8, 8)), ("b.png", (8, 8))):
        Image.new("RGB", size, 90).save(tmp_path / name)
    mask = Image.new("L", (8, 8))
    mask.paste(255, (0, 0, 8, 4))
    mask.save(tmp_path / "mask.png")
    complete = ("edit", tmp_path / "a.png", "--how", "complete", "--keep", tmp_path / "mask.png", "--model", pixels)
    assert call(*complete, "--set", "temperature=0.5")[0] == 0
    code, _, error = call(*complete, "--set", "truncation=0.5")
    assert (code, "no option 'truncation'" in error) == (2, True)
    mix = ("edit", tmp_path / "a.png", "--how", "mix", "--like", tmp_path / "b.png", "--model", gan)
    code, _, error = call(*mix, "--take", "middle")
    assert (code, "coarse, fine" in error) == (2, True)
    assert call(*mix, "--take", "coarse,fine")[0] == 0
