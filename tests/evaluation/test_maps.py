"""Is a map obeyed? Each score by hand, the finders, and the whole through `evaluate`."""

import json
import math
import shutil
import types

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from lienzo.api.evaluate.run import evaluate
from lienzo.core import ConfigurationError
from lienzo.evaluation import Finder, edge_score, kept, keypoints_found, overlap, rank_correlation
from lienzo.evaluation.evaluate import Told, summary
from lienzo.evaluation.finders import Edges, MapJudge, Pipeline, finder_named, judge_of, kept_of


def line(column, side=16):
    plane = np.zeros((side, side), bool)
    plane[:, column] = True
    return plane


def test_overlap_is_the_mean_over_classes_that_are_there():
    a = np.zeros((4, 4), int)
    b = a.copy()
    a[:2], b[:, :2] = 5, 5
    assert overlap(a, b) == pytest.approx(4 / 12)  # of each class 4 pixels of 12 agree
    assert overlap(a, a) == 1
    assert overlap(np.zeros((2, 2)), np.ones((2, 2))) == 0


def test_lines_may_lie_beside_each_other_within_the_tolerance():
    assert edge_score(line(5), line(6), tolerance=1) == 1
    assert edge_score(line(5), line(7), tolerance=1) == 0
    assert edge_score(line(5), line(7), tolerance=2) == 1
    half = line(5)
    half[8:] = False
    recall = 9 / 16  # the half line reaches one pixel farther
    assert edge_score(line(5), half) == pytest.approx(2 * recall / (1 + recall))
    assert edge_score(line(5), np.zeros((16, 16))) == 0
    assert edge_score(np.zeros((16, 16)), np.zeros((16, 16))) == 1


def test_ranks_do_not_change_under_any_rising_scale():
    rng = np.random.default_rng(0)
    depth = rng.normal(size=(8, 8))
    assert rank_correlation(depth, np.exp(depth)) == pytest.approx(1)
    assert rank_correlation(depth, -(depth**3)) == pytest.approx(-1)
    assert abs(rank_correlation(depth, rng.normal(size=(8, 8)))) < 0.4
    tied, other = np.array([[1, 2, 2, 3]]), np.array([[1, 3, 2, 4]])
    assert rank_correlation(tied, other) == pytest.approx(np.corrcoef([0, 1.5, 1.5, 3], [0, 2, 1, 3])[0, 1])
    assert math.isnan(rank_correlation(np.ones((2, 2)), depth[:2, :2]))


def test_joints_are_found_within_a_tenth_of_the_figure():
    figure = np.array([[0, 0, 2], [0, 10, 2], [4, 5, 1], [90, 90, 0.0]])  # 10 high; the last joint is not there
    near, far = figure.copy(), figure.copy()
    near[0, :2], far[0, :2] = [0.6, 0.6], [1.2, 0]
    assert keypoints_found(figure, near) == 1
    assert keypoints_found(figure, far) == pytest.approx(2 / 3)
    assert keypoints_found(np.stack([figure, figure + np.array([50, 0, 0])]), near[None]) == pytest.approx(3 / 6)
    assert keypoints_found(figure, np.zeros((0, 4, 3))) == 0
    assert math.isnan(keypoints_found(figure * [1, 1, 0], near))


def test_what_was_kept_is_looked_at_where_it_had_to_be():
    asked = np.zeros((4, 4, 3), np.uint8)
    drawn = asked.copy()
    drawn[:2] = 10
    where = np.zeros((4, 4), bool)
    where[2:] = True
    assert kept(asked, drawn) == pytest.approx(math.sqrt(50))
    assert kept(asked, drawn, where) == 0
    assert kept(asked, drawn, ~where) == 10
    assert math.isnan(kept(asked, drawn, where & ~where))
    assert kept_of(np.concatenate([asked, where[..., None] * np.uint8(255)], 2), drawn) == 0


def disc(shift=0):
    image = Image.new("RGB", (32, 32), "white")
    ImageDraw.Draw(image).ellipse((6 + shift, 6, 24 + shift, 24), fill="navy")
    return np.asarray(image)


def test_lines_are_found_in_a_picture_and_in_either_kind_of_line_art():
    outline = Image.new("L", (32, 32))
    ImageDraw.Draw(outline).ellipse((6, 6, 24, 24), outline=255)
    wanted, judge = np.asarray(outline)[..., None], judge_of("edges", None)
    same, moved, unasked = judge(np.stack([disc(), disc(6), disc()]), [wanted, wanted, None]).tolist()
    assert same > 0.9 > 0.5 > moved
    assert math.isnan(unasked)
    assert np.array_equal(Edges().asked(wanted), Edges().asked(255 - wanted))


class Bright(Finder):
    """Two classes: dark and bright."""

    name = "bright"

    def find(self, pictures):
        return [(p.mean(2) > 127).astype(int)[::2, ::2] for p in pictures]  # at half the size


def test_a_finder_of_ones_own_at_its_own_size(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lienzo_bright", types.SimpleNamespace(Bright=Bright))
    judge = judge_of("segmentation", "lienzo_bright:Bright")
    wanted = (disc().mean(2) > 127).astype(np.uint8)[..., None]
    assert float(judge(disc()[None], [wanted])[0]) > 0.85
    assert judge_of("segmentation", None) is None
    for name, why in (("none", "no finder"), ("lienzo:load", "no finder"), ("builtins:dict", "is no finder")):
        with pytest.raises(ConfigurationError, match=why):
            finder_named(name, "depth")


class Answering:
    """A pipeline that always says the same, as far as it is used."""

    def __init__(self, answer):
        self.answer = answer
        config = types.SimpleNamespace(id2label={4: "sky", 5: "background"})
        self.model = types.SimpleNamespace(config=config, state_dict=lambda: {"weight": torch.ones(2)})

    def __call__(self, image):
        return self.answer


def test_a_pipeline_is_asked_for_class_numbers_and_for_depth(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    sky = Image.fromarray(np.repeat(np.array([255, 0], np.uint8), 16)[:, None].repeat(32, 1))
    answers = {
        "image-segmentation": [{"label": "SKY", "mask": sky}],
        "depth-estimation": {"predicted_depth": torch.arange(4.0).view(1, 2, 2)},
    }
    fake = types.SimpleNamespace(pipeline=lambda task, model, device: Answering(answers[task]))
    monkeypatch.setitem(__import__("sys").modules, "transformers", fake)
    told = Pipeline(tmp_path, "segmentation", ["ground", "sky"])
    classes = told.find(disc()[None])[0]
    assert (classes[:16] == 1).all()
    assert (classes[16:] == -1).all()  # no segment lies there, nor does any belong to the map's classes
    assert len(told.sha256) == 64
    asked = np.zeros((32, 32, 1), np.uint8)
    asked[:16] = 1
    assert MapJudge("IoU", overlap, told)(disc()[None], [asked])[0] == 0.5  # of the sky 1, of the ground 0
    assert Pipeline(tmp_path, "segmentation").numbers == {"sky": 4, "background": 5}  # the map has no names
    with pytest.raises(ConfigurationError, match="finds sky, background …, and nothing of the map's car"):
        Pipeline(tmp_path, "segmentation", ["car"])
    answers["image-segmentation"].append({"label": "Background", "mask": Image.new("L", (32, 32), 255)})
    mask = np.repeat(np.array([255, 0], np.uint8), 16)[:, None, None].repeat(32, 1)
    assert MapJudge("IoU", overlap, Pipeline(tmp_path, "mask"))(disc()[None], [mask])[0] == 1
    ramp = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    assert MapJudge("depth-rank", rank_correlation, Pipeline(tmp_path, "depth"))(disc()[None], [ramp])[0] == 1


@pytest.fixture(scope="module")
def outlined(tmp_path_factory):
    """Squares at random places with their outlines, 16 × 16."""
    folder, rng, rows = tmp_path_factory.mktemp("outlined"), np.random.default_rng(0), []
    for split in ("train", "test"):
        (folder / split).mkdir()
        for number in range(40):
            image, outline = Image.new("RGB", (16, 16), "white"), Image.new("L", (16, 16))
            x, y = rng.integers(1, 7, 2).tolist()
            ImageDraw.Draw(image).rectangle((x, y, x + 7, y + 7), fill="navy")
            ImageDraw.Draw(outline).rectangle((x, y, x + 7, y + 7), outline=255)
            names = {"file_name": f"{split}/{number}.png", "outline_file_name": f"{split}/{number}-outline.png"}
            image.save(folder / names["file_name"])
            outline.save(folder / names["outline_file_name"])
            rows.append(json.dumps(names))
    (folder / "metadata.jsonl").write_text("\n".join(rows))
    return folder


def test_evaluate_tells_whether_a_map_is_obeyed(seeing_model, outlined, tmp_path):
    said = {"count": 16, "seeds": 1, "scored": 0, "features": "pca", "out": tmp_path / "e.json"}
    report = evaluate(seeing_model, outlined, **said)
    told = report["figures"]["edge-F-outline"]
    assert told["floor"]["mean"] > 0.8 > told["mean"]  # the model is not trained
    assert report["settings"]["finders"] == {"edge-F-outline": Edges.name}
    with pytest.raises(ConfigurationError, match="no map 'sky' is heard"):
        evaluate(seeing_model, outlined, finders={"sky": "a:B"}, **said)


def test_retrieval_is_told_as_a_share_of_what_real_pictures_achieve():
    told = summary([Told({"retrieval-top5": 0.3, "vendi": 2.0})] * 2, [Told({"retrieval-top5": 0.6, "vendi": 4.0})])
    assert told["retrieval-top5"]["of_real"] == pytest.approx(0.5)
    assert "of_real" not in told["vendi"]


def test_a_run_s_card_says_what_was_measured_last(seeing_model, animals, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(seeing_model, run / "checkpoints" / "step-1")
    (run / "latest").write_text("checkpoints/step-1\n")
    card = run / "checkpoints" / "step-1" / "README.md"
    texts = []
    for count in (20, 20, 24):
        (run / "evaluation.json").unlink(missing_ok=True)
        evaluate(run, animals, count=count, seeds=1, scored=0, features="pca")
        texts.append(card.read_text("utf-8"))
    assert texts[0] == texts[1]
    assert all(text.count("## Measured") == text.count("## Limits") == 1 for text in texts)
    assert "24 pictures for each of 1 seed;" in texts[2]
    assert "20 pictures" not in texts[2]
    figure = json.loads((run / "evaluation.json").read_text("utf-8"))["figures"]["coverage-pca64"]["mean"]
    assert f"- coverage-pca64: {figure:.4g} (" in texts[2]
