"""The whole: draw, measure, write, go on."""

import json
import math
import sys

import numpy as np
import pytest
import torch

from lienzo.api.evaluate.examined import Examined
from lienzo.api.evaluate.run import _begun, evaluate
from lienzo.api.files import write_text
from lienzo.api.model import load
from lienzo.api.options import judging
from lienzo.api.view import View, view_for
from lienzo.cli import main
from lienzo.conditions import Bus
from lienzo.core import CapabilityError, Conditions, ConfigurationError, DataError, Scores
from lienzo.evaluation import bits_per_dimension
from lienzo.evaluation.evaluate import refusals
from lienzo.families.density import Density


def without_times(path):
    return {name: part for name, part in json.loads(path.read_text("utf-8")).items() if name != "times"}


def test_two_runs_are_identical_and_a_third_goes_on(seeing_model, animals, tmp_path, monkeypatch):
    first, second, third = (tmp_path / f"{n}.json" for n in (1, 2, 3))
    said = {"count": 32, "scored": 2, "features": "pca"}
    report = evaluate(seeing_model, animals, seeds=2, out=first, **said)
    evaluate(seeing_model, animals, seeds=2, out=second, **said)
    assert without_times(first) == without_times(second)
    evaluate(seeing_model, animals, seeds=1, out=third, **said)
    drawn = []
    told = evaluate(seeing_model, animals, seeds=2, out=third, progress=lambda what, *_: drawn.append(what), **said)
    assert set(drawn) == {"seed 1"}
    assert without_times(first) == without_times(third)
    assert told["key"] == report["key"]


def test_the_report_says_what_it_stands_on(seeing_model, animals, tmp_path):
    report = evaluate(seeing_model, animals, count=32, seeds=2, scored=2, features="pca", out=tmp_path / "e.json")
    name = report["features"]["name"]
    assert name == "pca64"
    assert report["settings"]["label"] == "label"
    assert report["refused"][f"FD-{name}"]["why"].startswith("32 pictures for 64 features: it needs 128")
    assert f"FD-{name}" not in report["figures"]
    assert not any(figure.startswith(("FID", "FD-extrapolated")) for figure in report["figures"])
    coverage = report["figures"][f"coverage-{name}"]
    assert len(coverage["values"]) == len(coverage["floor"]["values"]) == 2
    assert coverage["floor"]["mean"] > 0.8 > coverage["mean"]  # the model is not trained
    assert report["figures"]["label-accuracy"]["floor"]["mean"] == 1
    assert report["likelihood"]["kind"] == "estimate"
    assert report["likelihood"]["pictures"] == 2
    assert set(report["seeds"]["0"]["drawn"]["classes"]) == {"cat", "dog"}


def test_other_settings_are_not_taken_for_the_same(seeing_model, animals, tmp_path):
    said = {"seeds": 1, "scored": 0, "features": "pca", "out": tmp_path / "e.json"}
    one = evaluate(seeing_model, animals, count=20, **said)
    other = evaluate(seeing_model, animals, count=24, **said)
    assert one["key"] != other["key"]
    assert one["seeds"] != other["seeds"]
    assert other["likelihood"] is None
    drawn = []
    said |= {"count": 20, "progress": lambda what, *_: drawn.append(what)}
    again = evaluate(seeing_model, animals, **said)
    assert (again["seeds"], drawn) == (one["seeds"], [])  # the other settings did not cost the first ones' seeds
    more = evaluate(seeing_model, animals, **{**said, "scored": 1})
    assert set(drawn) == {"likelihood"}
    assert more["seeds"] == one["seeds"]
    assert more["likelihood"]["error"] is None  # of one picture


def test_a_model_in_other_precision_is_another_one(seeing_model, animals):
    def examined(model, split="validation+test"):
        return Examined(load(model), str(animals), split, 16, "pca")

    assert "pictures that were trained on" in examined(seeing_model, "all").refused["copied-pca64"]["why"]
    plain, half = (examined(name).about_model() for name in (seeing_model, f"{seeing_model},dtype=bfloat16"))
    assert plain["weights"] == half["weights"]
    assert (plain["dtype"], half["dtype"]) == ("float32", "bfloat16")


def test_the_floor_has_as_many_pictures_as_the_model(seeing_model, noise_animals):
    few = Examined(load(seeing_model), str(noise_animals(train=10, test=40)), "test", 60, "pca")
    assert (few.floor_from, few.reference_size) == ("train", len(few.training))


def test_the_floor_is_of_other_pictures_than_the_reference(seeing_model, noise_animals, monkeypatch):
    """Training pictures cannot be the floor of themselves, nor can three of them be one."""
    source, looked = str(noise_animals(train=20, test=20)), []
    sketched = Examined._sketched

    def look(self, data, rows):
        looked.append(rows)
        return sketched(self, data, rows)

    monkeypatch.setattr(Examined, "_sketched", look)
    learnt = Examined(load(seeing_model), source, "train", 30, "pca")
    assert (learnt.floor_from, learnt.reference_size) == ("held-out", len(learnt.held) // 2)
    learnt.at(0, lambda what, done, total: None)
    reference, floor = looked
    assert len(reference) + len(floor) == len(learnt.held)
    assert not set(reference.tolist()) & set(floor.tolist())
    lone = Examined(load(seeing_model), str(noise_animals(train=2, test=20)), "test", 30, "pca")
    assert (lone.floor_from, lone.reference_size) == ("held-out", 20)
    with pytest.raises(DataError, match="at least 32"):
        Examined(load(seeing_model), str(noise_animals(train=2, test=9)), "test", 30, "pca")


def test_what_was_found_before_a_stop_is_kept(seeing_model, animals, tmp_path, monkeypatch):
    def stop(self, seed, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(Examined, "at", stop)
    file = tmp_path / "e.json"
    with pytest.raises(KeyboardInterrupt):
        evaluate(seeing_model, animals, count=16, seeds=1, scored=2, features="pca", out=file)
    assert json.loads(file.read_text("utf-8"))["likelihood"]["pictures"] == 2


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    file, link = tmp_path / "a.json", tmp_path / "b.json"
    link.symlink_to(file)
    write_text(link, "old")
    assert link.is_symlink()
    assert file.read_text() == "old"

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lienzo.training.folder.os.fsync", full)
    with pytest.raises(DataError, match="No space left"):
        write_text(file, "new")
    assert file.read_text() == "old"


def test_it_looks_as_the_model_learnt_to(seeing_model, animals, tmp_path):
    learnt = {"data": {"source": str(animals), "policy": "pad", "where": {"label": "cat"}}}
    (tmp_path / "recipe.json").write_text(json.dumps(learnt), "utf-8")
    model = load(seeing_model)
    model.folder = tmp_path
    assert view_for(model, str(animals)) == View("pad", {"label": "cat"})
    assert view_for(model, "emoji") == View("pad", {})  # classes of something else mean nothing there
    assert view_for(model, str(animals), "squash", {}) == View("squash", {})
    (tmp_path / "recipe.json").unlink()
    assert view_for(model, str(animals)) == View()


def test_classes_can_be_chosen(seeing_model, animals, tmp_path):
    said = {"count": 16, "seeds": 1, "scored": 0, "features": "pca", "out": tmp_path / "e.json"}
    everything = evaluate(seeing_model, animals, **said)
    cats = evaluate(seeing_model, animals, where={"label": "cat"}, **said)
    assert cats["data"]["where"] == {"label": ["cat"]}
    assert cats["key"] != everything["key"]
    classes = cats["seeds"]["0"]["drawn"]["classes"]
    assert (classes["cat"]["asked"], classes["dog"]["asked"]) == (1.0, 0.0)
    assert 0 < cats["data"]["held_out"] < everything["data"]["held_out"]
    with pytest.raises(DataError, match="horse"):
        evaluate(seeing_model, animals, where={"label": "horse"}, **said)


def test_too_little_is_refused(seeing_model, animals, tmp_path):
    with pytest.raises(ConfigurationError, match="8 pictures"):
        evaluate(seeing_model, animals, count=8, out=tmp_path / "e.json")
    with pytest.raises(DataError, match="no source"):
        evaluate(seeing_model, tmp_path / "nowhere", out=tmp_path / "e.json")
    assert set(refusals(500, "clf64", 64)) == {"FD-extrapolated-clf64"}
    assert set(refusals(198, "clf64", 8)) == {"copied-clf64"}
    assert "only 100 held-out ones can be compared, and more" in refusals(100, "clf64", 64, 100)["FD-clf64"]["why"]
    assert not refusals(512, "clf64", 64)


def test_the_command_line_shows_and_prints(seeing_model, animals, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    words = [seeing_model, "--data", animals, "--count", 20, "--seeds", 1, "--scored", 0, "--features", "pca"]
    for more in ([], ["--json"]):
        out = tmp_path / "e.json"
        monkeypatch.setattr(sys, "argv", ["lienzo", "evaluate", *map(str, [*words, "--out", out, *more])])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        shown = capsys.readouterr().out
        assert json.loads(shown)["schema"] == 4 if more else "coverage-pca64" in shown
        assert more or "FD-pca64 is refused" in shown
        assert more or "classes least recalled: " in shown
        assert more or "two-sample-pca64, 95 % of a seed 0." in shown


def test_a_stop_says_how_to_go_on(seeing_model, animals, monkeypatch, capsys):
    def stop(*args, **said):
        assert said["split"] == "test"
        raise KeyboardInterrupt

    monkeypatch.setattr("lienzo.cli.evaluating.evaluate", stop)
    words = ["lienzo", "evaluate", str(seeing_model), "--data", str(animals), "--split", "test"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert f"stopped; to go on: {' '.join(words)}" in capsys.readouterr().err


class Flat(Scores):
    """The uniform density on [-1, 1]^D."""

    likelihood = "exact"

    def log_prob(self, x, conditions, *, streams):
        return torch.full((len(x),), -x[0].numel() * math.log(2))


def test_a_uniform_density_costs_eight_bits():
    told = bits_per_dimension(Flat(), np.zeros((3, 4, 4, 1), np.uint8), Conditions(count=3))
    assert told.mean == pytest.approx(math.log2(255), abs=1e-6)
    assert told.error == pytest.approx(0, abs=1e-9)
    assert (told.kind, told.pictures) == ("exact", 3)


class Tighter(Scores):
    """A bound that is a nat too high, over the number of samples."""

    likelihood, scored = "bound", "8-bit"

    def log_prob(self, x, conditions, *, streams, samples=1):
        return torch.full((len(x),), -x[0].numel() * math.log(256) - 1 / samples)


def test_a_bound_of_many_samples_says_so():
    pictures, said = np.zeros((2, 1, 1, 1), np.uint8), Conditions(count=2)
    one, many = (bits_per_dimension(Tighter(), pictures, said, samples=k) for k in (1, 50))
    assert (one.kind, many.kind) == ("bound", "IWAE-50")
    assert (one.mean - 8) / (many.mean - 8) == pytest.approx(50, rel=1e-4)
    with pytest.raises(CapabilityError, match="Flat has no bound of 50 samples"):
        bits_per_dimension(Flat(), pictures, said, samples=50)


class Even(Scores):
    """Every 8-bit picture has the same probability."""

    likelihood, scored = "exact", "8-bit"

    def log_prob(self, x, conditions, *, streams):
        levels = (x + 1) * 127.5
        assert torch.allclose(levels, levels.round(), atol=1e-3), "nothing is added to what has no density"
        return torch.full((len(x),), -x[0].numel() * math.log(256))


def test_a_probability_is_not_taken_for_a_density():
    told = bits_per_dimension(Even(), np.full((3, 4, 4, 1), 77, np.uint8), Conditions(count=3))
    assert told.mean == pytest.approx(8, abs=1e-6)
    assert told.dequantization.startswith("none")


def test_what_is_judged_is_drawn_in_large_calls_and_says_so(seeing_model, animals, tmp_path):
    """A family's own calls are of four rows, for pictures that are the same however few are asked for."""
    model, rows = load(seeing_model), []
    model.family.network.register_forward_pre_hook(lambda network, given: rows.append(len(given[0])))
    report = evaluate(model, animals, count=20, seeds=1, scored=0, features="pca", out=tmp_path / "e.json")
    assert set(rows) == {20}
    assert report["model"]["options"]["chunk"] == 20
    model.defaults = {"options": {**model.defaults["options"], "chunk": 4}}
    own = _begun(Examined(model, str(animals), "validation+test", 20, "pca"), {})
    assert own["model"]["options"]["chunk"] == 4, "what a model says of itself counts"
    assert own["key"] != report["key"], "what is drawn otherwise is not taken for the same"


def test_large_pictures_and_families_without_calls_are_drawn_as_ever(seeing_model):
    family = load(seeing_model).family
    assert judging(family, {"steps": 3}, 64) == {"steps": 3, "chunk": 64}
    family.shape = (3, 96, 96)
    assert judging(family, {}, 64) == {"chunk": 28}
    family.shape = (3, 256, 256)
    assert judging(family, {}, 64) == {}
    assert judging(Density((1, 2, 2), Bus({}), **Density.tiny()), {}, 64) == {}


def test_how_far_it_is_stands_where_no_bar_does(seeing_model, animals, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lienzo.data.telling.EVERY", 0.0)
    words = ["evaluate", seeing_model, "--data", animals, "--count", 16, "--seeds", 1, "--scored", 0,
             "--features", "pca", "--out", tmp_path / "e.json"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["lienzo", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    assert "seed 0: 16 of 16" in capsys.readouterr().err
