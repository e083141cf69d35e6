from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Call = Callable[..., tuple[int, str, str]]


def process(*words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-m", "lienzo", *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)


def test_pictures_from_words_and_again_in_another_process(fake_model: Path, tmp_path: Path):
    words = ["a cute beagle", "--style", "noto", "--count", 3, "--seed", 7, "--threads", 1]
    done = process("generate", *words, "--model", fake_model, "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "0000.png", "0001.png", "0002.png", "grid.png", "record.json",
    ]  # fmt: skip
    report = json.loads((tmp_path / "a" / "record.json").read_text())
    assert [p["index"] for p in report["pictures"]] == [0, 1, 2]
    assert report["pictures"][0]["conditions"]["text"] == "a cute beagle"
    assert report["command"].startswith("lienzo generate 'a cute beagle'")
    again = process("reproduce", tmp_path / "a" / "0002.png")
    assert again.returncode == 0, again.stderr
    assert "the same, in every pixel" in again.stdout


def test_json_for_programs(call: Call, fake_model: Path, tmp_path: Path):
    code, output, _ = call("generate", "dog", "cat", "--count", 2, "--json", "--model", fake_model, "--out", tmp_path)
    assert code == 0
    pictures = json.loads(output)["pictures"]
    assert [(p["file"], p["conditions"]["text"], p["index"]) for p in pictures] == [
        ("0000.png", "dog", 0), ("0001.png", "dog", 1), ("0002.png", "cat", 0), ("0003.png", "cat", 1),
    ]  # fmt: skip
    code, output, _ = call("reproduce", tmp_path / "0003.png", "--json")
    assert (code, json.loads(output)["same"]) == (0, True)


def test_a_preview_draws_blocks(call: Call, fake_model: Path, tmp_path: Path):
    code, output, _ = call("generate", "--preview", "--count", 1, "--model", fake_model, "--out", tmp_path)
    assert code == 0
    assert "▀" * 16 in output


def test_maps_pictures_and_labels(call: Call, seeing_model: Path, tmp_path: Path):
    lines = Image.new("L", (8, 8))
    lines.paste(255, (2, 0, 4, 8))
    lines.save(tmp_path / "edges.png")
    Image.new("RGB", (9, 9), "red").save(tmp_path / "photo.png")
    words = ["--label", "dog", "--map", f"edges={tmp_path / 'edges.png'}", "--image", tmp_path / "photo.png"]
    code, _, error = call("generate", *words, "--model", seeing_model, "--out", tmp_path / "out", "--count", 1)
    assert (code, error) == (0, "")
    assert call("reproduce", tmp_path / "out" / "0000.png")[0] == 0
    code, _, error = call("generate", "--map", "edges=none.png", "--model", seeing_model, "--out", tmp_path / "out")
    assert code == 2
    assert "cannot read a picture" in error


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "dog", "--model", "nowhere"], "no model 'nowhere'"),
        (["generate", "dog", "--guidance", "much"], "guidance 'much' is no number"),
        (["generate", "dog", "--map", "edges"], "the map 'edges' names nothing"),
        (["generate", "dog", "--label", "a", "--label", "b"], "labels without names: a, b"),
        (["generate", "dog", "--label", "a", "--label", "b=c"], "the label 'a' has no name"),
        (["reproduce", "nothing.png"], "cannot read nothing.png"),
        (["train"], "what shall it learn?"),
        (["train", "nowhere", "--budget", "soon"], "'soon' is no length of time"),
        (["train", "nowhere", "--budget", "1m"], "no source 'nowhere'"),
        (["train", "emoji", "--recipe", "none.toml"], "cannot read the recipe none.toml"),
        (["train", "emoji", "--budget", "1m", "--set", "training.batch=3"], "no 'training.batch'"),
        (["train", "emoji", "--budget", "1m", "--family", "gann"], "unknown family 'gann'"),
        (["data", "check", "nowhere"], "no source 'nowhere'"),
        (["data", "check", "emoji"], "emoji is a built-in set"),
        (["data", "show", "emoji", "--where", "style=notto"], "style has no class 'notto'"),
        (["data", "build", "cats"], "no set 'cats'"),
        (["demo", "--model", "nowhere"], "no model 'nowhere'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    call: Call, words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    code, _, error = call(*words)
    assert code == 2
    assert "error: " in error
    assert expected in error
    assert "Traceback" not in error


def test_a_mistake_in_a_process_has_no_traceback(fake_model: Path, tmp_path: Path):
    done = process("generate", "dog", "--style", "notto", "--model", fake_model, "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: no label 'notto' among 2 classes\n  try: noto\n"


def test_an_unwritable_folder(call: Call, fake_model: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    code, _, error = call("generate", "dog", "--model", fake_model, "--out", tmp_path / "file")
    assert code == 2
    assert "cannot write" in error


def test_pictures_of_others_are_never_replaced(call: Call, fake_model: Path, tmp_path: Path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "0001.png")
    words = ["--model", fake_model, "--threads", 1, "--out", tmp_path]
    code, _, error = call("generate", "dog", "--count", 2, *words)
    assert code == 2
    assert "0001.png is there and was not drawn by lienzo" in error
    assert [file.name for file in tmp_path.iterdir()] == ["0001.png"]


def test_fewer_pictures_leave_no_stale_ones(call: Call, fake_model: Path, tmp_path: Path):
    words = ["--model", fake_model, "--threads", 1, "--out", tmp_path]
    call("generate", "dog", "--count", 3, *words)
    Image.new("RGB", (8, 8), "red").save(tmp_path / "0002.png")  # somebody's own, by now
    Image.new("RGB", (8, 8), "red").save(tmp_path / "mine.png")
    output = call("generate", "dog", "--count", 1, *words)[1]
    assert "replaced 2 pictures" in output
    names = ["0000.png", "0002.png", "grid.png", "mine.png", "record.json"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names


def test_words_that_are_lost_are_named(call: Call, fake_model: Path, tmp_path: Path):
    words = ["--model", fake_model, "--threads", 1, "--out", tmp_path, "--count", 1]
    error = call("generate", "a dog xqzvw in the snow with a red ball", *words)[2]
    assert "not understood: xqzvw" in error
    assert "not heard, after 8 words: red ball" in error
    assert "not understood: ?!" in call("generate", "?!", *words)[2]
    assert call("generate", "🐶", *words)[2] == ""


def test_models_that_ship_say_how_good_they_are(call: Call):
    told = {info["name"]: info["quality"] for info in json.loads(call("models", "--json")[1])}
    assert told["emoji-64"]
    assert told["scenes-64"]


def test_a_file_that_cannot_be_read_is_one_sentence(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*words: object) -> None:
        raise OSError(28, "No space left on device", "out/grid.png")

    monkeypatch.setattr("lienzo.api.find.models", full)
    code, _, error = call("models")
    assert (code, error) == (2, "error: out/grid.png: No space left on device\n")


def test_lists(call: Call, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    code, output, _ = call("models")
    assert code == 0
    assert "emoji-64" in output
    assert "FD-clf64: 123.4" in output
    assert json.loads(call("models", "--json")[1])[0]["quality"]["retrieval"] == "1 %"
    assert {row["name"] for row in json.loads(call("families", "--json")[1])} >= {"diffusion", "vae", "latent"}
    assert "diffusion" in call("families")[1]
    assert "emoji" in call("data", "list")[1]
    assert json.loads(call("data", "list", "--json")[1])[0]["name"] == "emoji"


def test_a_source_is_shown_and_checked(call: Call, tmp_path: Path):
    for number in range(3):
        Image.new("RGB", (9, 9), (90 * number, 0, 200)).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_bytes(b"")
    code, output, _ = call("data", "check", tmp_path, "--report", tmp_path / "out" / "report.json")
    assert code == 1
    assert "bad.png" in output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["usable"] == 3
    words = ["emoji", "--where", "style=noto", "--count", 4, "--out", tmp_path / "out" / "sheet.png", "--preview"]
    code, output, _ = call("data", "show", *words)
    assert code == 0
    assert "style" in output
    assert Image.open(tmp_path / "out" / "sheet.png").width > 100


RECIPE = """
[data]
source = "emoji"
size = 16
where = { style = "noto", group = "activities" }
[conditions.background]
[bus]
vector = 16
token = 16
[network]
kind = "transformer"
patch = 4
width = 16
depth = 1
heads = 2
[training]
batch_size = 8
images = 16
precision = "float32"
[samples]
count = 2
options = { steps = 2 }
"""


def test_a_run_from_a_recipe(call: Call, tmp_path: Path):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    words = ["--recipe", tmp_path / "tiny.toml", "--out", tmp_path / "run", "--set", "name=tiny"]
    code, _, error = call("train", "emoji", *words, "--validation-every", "1h")
    assert code == 0, error
    assert "use it:" in error
    assert "lienzo generate --model" in error
    run = tmp_path / "run"
    assert len(list((run / "samples").glob("*.png"))) == 1
    assert json.loads((run / "recipe.json").read_text())["name"] == "tiny"
    assert "validation.loss" in (run / "validation.jsonl").read_text()
    code, _, error = call("train", "--out", run)
    assert code == 0
    assert "finished already, after 16 images" in error
    assert "this run is finished" in error
    assert f"--out NEW --from {run}" in error
    assert "done:" not in error
    code, _, error = call("train", "emoji", *words, "--fresh")
    assert code == 2
    assert "holds a run already" in error
    code, output, _ = call("train", "emoji", *words[:2], "--out", tmp_path / "other", "--dry")
    assert (code, json.loads(output)["data"]["size"]) == (0, 16)
    code, output, _ = call("models", "--runs", tmp_path)
    assert "run" in output


@pytest.mark.parametrize("where", ["planned", "carry_out"])
def test_a_run_stopped_while_it_is_prepared_says_what_is_saved(
    where: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*words: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"lienzo.cli.training.{where}", stopped)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    words = ("train", "emoji", "--recipe", tmp_path / "tiny.toml", "--out", tmp_path / "run")
    code, _, error = call(*words)
    assert code == 130
    assert "nothing was learnt yet; to go on: lienzo train emoji --recipe" in error
    saved = tmp_path / "run" / "coder" / "checkpoints" / "step-000000004"
    saved.mkdir(parents=True)
    assert f"what is saved is {saved}" in call(*words)[2]


def test_help_teaches(call: Call):
    assert "lienzo generate" in call("generate", "--help")[1]
    for words in (["train"], ["data", "show"], ["reproduce"], ["demo"]):
        code, output, _ = call(*words, "--help")
        assert code == 0
        assert "Examples" in output or "Example" in output
    assert call("--version")[1].startswith("lienzo ")


def test_a_model_to_give_away(call: Call, fake_model: Path, tmp_path: Path):
    code, output, error = call("export", fake_model, tmp_path / "small", "--precision", "int8")
    assert (code, error) == (0, "")
    assert "use it" in output
    assert sorted(p.name for p in (tmp_path / "small").iterdir()) == [
        "README.md", "config.json", "generate.json", "manifest.json", "model.safetensors",
    ]  # fmt: skip
    code, output, _ = call("generate", "dog", "--count", 1, "--model", tmp_path / "small", "--out", tmp_path / "out")
    assert code == 0
    assert "background white" in output
    assert call("export", fake_model, tmp_path / "small")[2].startswith("error: ")
    assert "no precision 'int4'" in call("export", fake_model, tmp_path / "x", "--precision", "int4")[2]
