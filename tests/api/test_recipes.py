from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api.train import default_out, planned
from lienzo.conditions import Bus, LabelCondition, TextCondition
from lienzo.core import ConfigurationError, DataError, config_of
from lienzo.data import open_source
from lienzo.families.latent import Latent
from lienzo.families.vae import VAE
from lienzo.training.folder import read_json
from lienzo.training.recipes import CodeLoader, Listeners, Recipe, carry_out, fitting, overridden, read_recipe
from lienzo.training.recipes.presets import CODES, PIXELS, PRESETS, Preset, table
from lienzo.training.recipes.show import enlarged

ROOT = Path(__file__).parents[2]
TINY: dict[str, Any] = {
    "data": {"source": "emoji", "size": 16, "where": {"style": "noto", "group": "activities"}},
    "bus": {"vector": 16, "token": 16},
    "family": {"kind": "diffusion"},
    "network": {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2},
    "conditions": {"text": {"length": 6, "depth": 0}, "background": {}},
    "training": {"batch_size": 8, "images": 16, "precision": "float32", "device": "cpu", "ema_half_life": 20},
    "samples": {"count": 2},
    "generate": {"options": {"steps": 2}},
}
CODED: dict[str, Any] = {
    **TINY,
    "network": {**TINY["network"], "patch": 1},
    "codes": {
        "variants": 2,
        "recipe": {
            "family": {"kind": "vae", "codes": 4, "widths": [8, 16]},
            "training": {"batch_size": 8, "images": 16, "precision": "float32"},
        },
    },
}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "my photos"
    folder.mkdir()
    rows = [["file_name", "text", "style"]]
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append([f"{number}.png", f"thing number {number}", "noto" if number % 2 else "mine"])
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("dat.size=32", "no 'dat'.*\n.*data"),
        ("data.sise=32", r"no 'data\.sise'.*\n.*size"),
        ("data.size=big", r"data\.size: .*integer"),
        ("data.policy=cut", r"data\.policy: .*'crop'"),
        ("training.learning_rat=1", r"no 'training\.learning_rat'.*\n.*learning_rate"),
        ("codes.recipe.training.image=1", r"no 'codes\.recipe\.training\.image'.*\n.*images"),
        ("bus.drop=2", r"bus\.drop: .*less than or equal to 1"),
        ("family.kind=difusion", "unknown family 'difusion'.*\n.*diffusion"),
        ("family.proces=edm", "no argument 'proces'.*\n.*process"),
        ("network.wdth=3", "no argument 'wdth'.*\n.*width"),
        ("conditions.text.lenght=3", "no argument 'lenght'.*\n.*length"),
        ("conditions.mood.kind=label", "emoji says nothing of 'mood'.*\n.*style"),
        ("samples.across.style=['noto']", r"speaks of 'style'.*\n.*text, background"),
        ("nothing", "cannot set 'nothing'"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(setting: str, words: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=words):
        carry_out(Recipe.checked(overridden(TINY, [setting])), tmp_path / "run")


def test_the_recipes_that_come_along_are_valid():
    files = sorted((ROOT / "recipes").rglob("*.toml"))
    assert files
    for file in files:
        recipe = Recipe.checked(read_recipe(file))
        assert recipe.training.images or recipe.training.budget_seconds


def test_a_file_that_is_no_recipe(tmp_path: Path):
    (tmp_path / "bad.toml").write_text("data = [")
    with pytest.raises(ConfigurationError, match=r"bad\.toml is not valid"):
        read_recipe(tmp_path / "bad.toml")
    with pytest.raises(ConfigurationError, match="No such file"):
        read_recipe(tmp_path / "none.toml")


def test_conditions_are_completed_from_the_data(tmp_path: Path):
    everything = {name: value for name, value in TINY.items() if name != "conditions"}
    result = carry_out(
        Recipe.checked({**everything, "data": {**TINY["data"], "where": {"group": "activities"}}}), tmp_path
    )
    bus = result.family.bus
    assert isinstance(bus, Bus)
    assert isinstance(bus["style"], LabelCondition)
    assert "noto" in bus["style"].classes
    assert isinstance(bus["text"], TextCondition)
    assert "group" not in bus.names  # all pictures have the same one: nothing to hear


def codes_of(folder: Path, **changes: Any) -> CodeLoader:
    dataset = open_source("emoji", size=16, where={"style": "noto", "group": "activities"})
    torch.manual_seed(0)
    bus = Bus({"background": LabelCondition(["white", "dark", "colour"]), "text": TextCondition(4, 0)}, 8, 8)
    outer = VAE((3, 16, 16), codes=4, widths=(8, 16)).eval()
    options = {"mark": "a", "batch_size": 8, "variants": 3, **changes}
    return CodeLoader(dataset, bus, outer, folder, **options)


def test_codes_are_a_function_of_the_position(tmp_path: Path):
    loader = codes_of(tmp_path)
    later, first = loader.batch_at(1000), loader.batch_at(8)
    again = codes_of(tmp_path)
    assert torch.equal(again.batch_at(8).x, first.x)
    assert torch.equal(again.batch_at(1000).x, later.x)
    double = codes_of(tmp_path, batch_size=16)
    assert torch.equal(double.batch_at(8).x[:8], first.x)
    assert torch.equal(double.batch_at(8).conditions["text"].values[0][:8], first.conditions["text"].values[0])


@pytest.mark.parametrize(("budget", "looks"), [(1e6, 8), (60.0, 3), (1.0, 1)])
def test_a_budget_bears_coding_the_pictures(monkeypatch: pytest.MonkeyPatch, budget: float, looks: int):
    dataset, passed = open_source("emoji", size=16, where={"style": "noto", "group": "activities"}), [0.0]

    class Slow(VAE):
        def encode(self, x: torch.Tensor, *others: Any) -> torch.Tensor:
            passed[0] += 4.0 * len(x) / len(dataset)
            return super().encode(x, *others)

    monkeypatch.setattr(fitting, "clock_of", lambda settings: lambda: passed[0])
    learnt = fitting.Learnt(dataset, (4, 4, 4), coded=True, outer=Slow((3, 16, 16), codes=4, widths=(8, 16)))
    said = {**TINY, "codes": {"outer": "x"}, "training": {"budget_seconds": budget, "device": "cpu"}}
    assert fitting.coded_beforehand(learnt, Recipe.checked(said)) == (looks, pytest.approx(4.0 * looks))
    said["codes"] = {"outer": "x", "variants": 5}  # what is said is kept
    assert fitting.coded_beforehand(learnt, Recipe.checked(said))[0] == 5


def test_codes_are_computed_once_for_what_they_depend_on(tmp_path: Path):
    counted: list[int] = []
    for changes in ({}, {}, {"batch_size": 4}, {"mark": "b"}, {"variants": 2}, {"seed": 1}):
        codes_of(tmp_path, tell=lambda done, of: counted.append(done == of), **changes)
    assert sum(counted) == 4
    assert len(list(tmp_path.glob("codes-*"))) == 4


def test_a_code_is_that_of_its_picture_on_the_background_that_is_told(tmp_path: Path):
    loader = codes_of(tmp_path)
    count = len(loader.dataset)
    numbers = np.array([0, count + 3, 2 * count + 5])
    torch.manual_seed(0)
    Bus({"background": LabelCondition(["a", "b", "c"]), "text": TextCondition(4, 0)}, 8, 8)
    pictures = loader.pictures(numbers)
    told, _, paper = loader._look(numbers)
    corners = (pictures[:, :, 0, 0] + 1) / 2
    clear = torch.from_numpy(loader.dataset.pictures(numbers % count)[:, 0, 0, 3] == 0)
    assert clear.any()
    assert torch.allclose(corners[clear], paper[clear], atol=1e-6)
    assert all(bool((corners[i] == 1).all()) for i, name in enumerate(told) if name == "white" and clear[i])
    seen = torch.cat([loader.batch_at(position).x for position in range(0, 3 * count, 8)])
    assert torch.allclose(seen.mean((0, 2, 3)), torch.zeros(4), atol=0.1)
    assert torch.allclose(seen.std((0, 2, 3)), torch.ones(4), atol=0.1)


def test_two_stages_make_a_model_that_goes_on(tmp_path: Path, photos: Path):
    model = lienzo.train(out=tmp_path / "run", recipe=CODED, tell=lambda sentence: None)
    assert isinstance(model.family, Latent)
    assert model.defaults["conditions"] == {"background": "white"}
    picture = model.generate("a ball", count=1)[0]
    with pytest.raises(ConfigurationError, match="holds a run already"):
        lienzo.train(out=tmp_path / "run", resume=False, tell=lambda sentence: None)
    said: list[str] = []
    again = lienzo.train(out=tmp_path / "run", tell=said.append)
    assert again.weights == model.weights
    assert again.generate("a ball", count=1)[0].tobytes() == picture.tobytes()
    longer = lienzo.train(out=tmp_path / "run", training={"images": 32}, tell=said.append)
    assert longer.weights != model.weights
    with pytest.raises(ConfigurationError, match="holds a run that learns emoji"):
        lienzo.train(photos, out=tmp_path / "run")
    other = lienzo.train(out=tmp_path / "two", recipe={**CODED, "codes": {"outer": str(tmp_path / "run")}})
    assert isinstance(other.family, Latent)
    assert torch.equal(next(other.family.outer.parameters()), next(model.family.outer.parameters()))


def test_a_budget_picks_a_size_and_says_why(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    smaller = replace(PIXELS, sizes=table("network", widths=((8, 16), (16, 32))))
    monkeypatch.setitem(PRESETS, "diffusion", Preset((smaller,)))
    said: list[str] = []
    overrides = {"data": {"size": 16}, "training": {"learning_rate": 0.5, "threads": 1}}
    recipe = planned(photos, out=tmp_path / "run", budget="1m", start="scratch", overrides=overrides, tell=said.append)
    assert recipe.network is not None
    assert recipe.network["widths"] in ([8, 16], [16, 32])
    assert recipe.training.images
    assert recipe.training.learning_rate == 0.5  # what was said is kept
    assert any("images/s" in line for line in said)
    assert any(line.strip().startswith("picked") for line in said)


def test_borrowed_weights_are_the_default_where_they_fit(
    photos: Path, tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lienzo.training.recipes.planning.CODES", replace(CODES, share=0.05))
    said: list[str] = []
    overrides = {"data": {"size": 16}, "training": {"images": 8, "batch_size": 8, "precision": "float32", "threads": 1}}
    recipe = planned(photos, out=tmp_path / "run", budget="1m", overrides=overrides, tell=said.append)
    assert recipe.start == "emoji-64"
    assert recipe.conditions is not None
    assert recipe.conditions["style"]["classes"] == ["noto", "twemoji", "mine"]
    assert any("--from scratch" in line and "dB" in line for line in said)
    known = lienzo.load("emoji-64")
    values = recipe.model_dump(mode="json", exclude_unset=True)
    model = lienzo.train(out=tmp_path / "run", recipe=values, tell=said.append)
    assert any("starting from emoji-64: 100 %" in line or "starting from emoji-64: 9" in line for line in said)
    assert torch.equal(model.family.get_buffer("scale"), known.family.get_buffer("scale"))
    style, before = model.bus["style"], known.bus["style"]
    assert isinstance(style, LabelCondition)
    assert isinstance(before, LabelCondition)
    assert torch.allclose(style.embedding.weight[1], before.embedding.weight[1], atol=0.01)
    assert torch.allclose(style.embedding.weight[2], before.embedding.weight[2], atol=0.01)  # new: begins as unsaid
    assert model.generate("thing number 3", style="mine", group="food-drink", count=1)


def test_a_coder_that_ships_is_not_trained_again_where_it_does(
    photos: Path, tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
):
    few = {"data": {"size": 16}, "training": {"images": 8, "batch_size": 8, "precision": "float32", "threads": 1}}
    grounds = [replace(ground, sides=(16, 4)) for ground in PRESETS["few_step"].grounds]
    monkeypatch.setitem(PRESETS, "few_step", replace(PRESETS["few_step"], grounds=tuple(grounds)))
    overrides = {**few, "family": {"kind": "few_step"}}
    for least, lends in ((-99.0, True), (99.0, False)):
        monkeypatch.setattr("lienzo.api.choose.FAITHFUL", least)
        said: list[str] = []
        recipe = planned(photos, out=tmp_path / "run", overrides=overrides, tell=said.append)
        assert recipe.codes is not None
        assert (recipe.codes.outer == "emoji-64", recipe.codes.recipe is None) == (lends, lends)
        assert any("its coder is emoji-64's" in line for line in said) == lends
        assert any("gets 30% of the time" in line for line in said) != lends
        assert any("begins as emoji-64's" in line for line in said) != lends
        start = None if recipe.codes.recipe is None else recipe.codes.recipe.start
        assert start == (None if lends else "emoji-64"), "a coder that is not faithful is trained, but not from nothing"
    monkeypatch.setattr("lienzo.api.choose.FAITHFUL", -99.0)
    scratch = planned(photos, out=tmp_path / "run", start="scratch", overrides=overrides)
    assert scratch.codes is not None
    assert scratch.codes.outer is None
    assert scratch.codes.recipe is not None
    assert scratch.codes.recipe.start is None
    tokens = planned(photos, out=tmp_path / "run", overrides={**few, "family": {"kind": "autoregressive"}})
    assert tokens.codes is not None
    assert tokens.codes.recipe is not None
    assert tokens.codes.recipe.start == "emoji-64", "a tokenizer's layers are as a coder's, but the innermost"
    assert tokens.codes.recipe.family["kind"] == "vector_quantized"
    assert tokens.codes.recipe.family["widths"] == config_of(lienzo.load("emoji-64").family)["outer"]["widths"]
    for kind in ({"kind": "vae"}, {"kind": "flow", "transform": "glow"}):
        other = planned(photos, out=tmp_path / "run", overrides={**few, "family": kind})
        assert other.codes is None or other.codes.outer is None, "another kind of coder, or none"
    model = lienzo.train(photos, out=tmp_path / "run", tell=lambda sentence: None, **overrides)
    assert isinstance(model.family, Latent)
    ours, theirs = (next(each.outer.parameters()) for each in (model.family, lienzo.load("emoji-64").family))
    assert torch.equal(ours, theirs)


def test_weights_that_cannot_be_borrowed(photos: Path, tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigurationError, match=r"it draws \[3, 16, 16\]"):
        planned(photos, out=tmp_path, budget="1m", start="emoji-64", overrides={"data": {"size": 8}})
    monkeypatch.setattr("lienzo.api.choose.from_scratch", lambda values, tell, find: values)
    said: list[str] = []
    planned(photos, out=tmp_path, budget="1m", overrides={"data": {"size": 8}}, tell=said.append)
    assert said[0].startswith("from scratch: the weights of emoji-64 cannot be used")


def test_what_is_missing_is_asked_for(tmp_path: Path, photos: Path):
    with pytest.raises(ConfigurationError, match="how long may it take"):
        planned(photos, out=tmp_path)
    with pytest.raises(ConfigurationError, match="holds no run to go on with"):
        planned(None, out=tmp_path)
    with pytest.raises(ConfigurationError, match="what shall it learn"):
        default_out(None, None)
    with pytest.raises(DataError, match="no source"):
        planned(tmp_path / "nowhere", out=tmp_path, budget="1m", start="scratch")
    with pytest.raises(ConfigurationError, match="how long shall it train"):
        carry_out(Recipe.checked({**TINY, "training": {}}), tmp_path / "run")


def test_a_recipes_images_bound_what_a_budget_plans(tmp_path: Path):
    def timed(budget: str = "5m", **training: Any) -> Any:
        recipe = {**TINY, "training": {**TINY["training"], **training}}
        return planned(None, out=tmp_path / "new", recipe=recipe, budget=budget).training

    found = timed(images=40_000)
    assert (found.images, found.most, found.budget_seconds) == (None, 40_000, 300)
    assert timed(images=None).most is None
    assert timed(images=40_000, extend=True).most is None  # a plan within another budget
    said = planned(None, out=tmp_path / "new", recipe=TINY, budget="5m", overrides={"training": {"images": 24}})
    assert said.training.most == 24
    coded = {**CODED, "training": {**CODED["training"], "budget_seconds": 4.0}}
    carry_out(Recipe.checked(coded), tmp_path / "run")
    coder = read_json(tmp_path / "run" / "coder" / "settings.json")
    assert (coder["settings"]["most"], coder["chosen"]["images"]) == (16, 16)


def test_pictures_that_are_enlarged_are_told_of_once(photos: Path, tmp_path: Path):
    def told(size: int, out: str) -> list[str]:
        said: list[str] = []
        data, conditions = {"source": str(photos), "size": size}, {"text": TINY["conditions"]["text"]}
        recipe = Recipe.checked({**TINY, "data": data, "conditions": conditions})
        carry_out(recipe, tmp_path / out, listeners=Listeners(tell=said.append))
        return [line for line in said if "enlarged" in line or "last sheet" in line]

    larger = "most of them are no larger than 20 × 20, and enlarged to 32 × 32: not with --size 20"
    assert told(32, "large") == [larger, "drawing the last sheet: 2 samples …"]
    assert told(32, "large") == ["drawing the last sheet: 2 samples …"]  # too late for another size


def test_the_size_that_pictures_had_is_known(photos: Path, tmp_path: Path):
    assert open_source(photos, size=32).native == 20
    assert enlarged(open_source(photos, size=20)) == ""
    (tmp_path / "wide").mkdir()
    for number in range(3):
        Image.fromarray(np.full((18, 30, 3), 40 * number, np.uint8)).save(tmp_path / "wide" / f"{number}.png")
    assert [open_source(tmp_path / "wide", size=32, policy=how).native for how in ("crop", "pad")] == [18, 30]
    assert open_source("emoji", size=96).native == 64
    assert open_source("scenes:4", size=96).native == 0  # they are drawn at any size
    both = open_source(f"{photos} + {tmp_path / 'wide'}", size=32, split="all")
    assert both.native == 20  # of twelve and of three
    assert "--size 16" in enlarged(open_source(tmp_path / "wide", size=32, split="all"))
