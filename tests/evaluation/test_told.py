"""The figures of one set: equal sets are compared, what has no label is left out, captions are ranked."""

import numpy as np
import pytest
import torch

from lienzo.api.evaluate.examined import on_paper
from lienzo.api.evaluate.said import worst_classes
from lienzo.api.evaluate.texts import retrieval_of, texts_of
from lienzo.api.model import load
from lienzo.data import open_source
from lienzo.evaluation import english_captions
from lienzo.evaluation.evaluate import Real, Told, summary, told_of
from lienzo.evaluation.retrieval import Retrieval, found_among
from lienzo.evaluation.sketch import Sketch


def normal(count, width=4, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def sketched(features, **more):
    return Sketch(features, features, features, features[:, :1], **more)


def test_figures_do_not_rise_with_the_number_of_drawn_pictures():
    """Recall and coverage of 600 pictures would be far over those of the 60 that the floor has."""
    drawn, real = normal(600, seed=1), Real(sketched(normal(60)), normal(300, seed=2))
    many, few = (told_of(sketched(drawn[:count]), real, "x").figures for count in (600, 60))
    for name in ("precision-x", "recall-x", "density-x", "coverage-x", "FD-x", "vendi-x"):
        assert many[name] == few[name], name


def test_a_share_of_copies_needs_a_hundredth_of_something():
    training = normal(300, seed=2)
    for count, known in ((198, False), (199, True)):
        told = told_of(sketched(normal(250, seed=1)), Real(sketched(normal(count)), training), "x").figures
        assert ("copied-x" in told) == known
    none = told_of(sketched(normal(250, seed=1)), Real(sketched(normal(250)), None), "x").figures
    assert "copied-x" not in none  # the held-out ones were trained on


def test_what_has_no_label_is_left_out():
    labels = torch.arange(100) % 2
    unsaid = labels.clone()
    unsaid[::4] = -1
    features = normal(100) + 8 * labels[:, None]
    real = Real(sketched(features, labels=labels, found=labels), normal(300), ("a", "b"))
    wrong = labels.clone()
    wrong[::4] = 1 - wrong[::4]  # only where nothing was asked for
    told = told_of(sketched(features, labels=unsaid, found=wrong), real, "x")
    assert told.figures["label-accuracy"] == 1
    assert told.figures["CAS-x"] > 0.95
    nothing = told_of(sketched(features, labels=torch.full((100,), -1), found=wrong), real, "x")
    assert "label-accuracy" not in nothing.figures
    assert nothing.classes == {}


def test_a_figure_that_one_seed_lacks_is_that_of_the_others():
    told = summary([Told({"KID": 1.0, "PCK-pose": 0.5}), Told({"KID": 3.0}), Told({"KID": 2.0, "IoU-a": 0.25})], [])
    assert told["KID"]["mean"] == 2
    assert told["PCK-pose"]["values"] == [0.5]
    assert told["IoU-a"]["values"] == [0.25]


class Reader:
    """Sees a picture's first row as a vector, and reads a text as the axis that it names."""

    def see(self, pictures):
        return torch.as_tensor(np.asarray(pictures), dtype=torch.float32)

    def read(self, texts):
        return torch.eye(4)[[int(text) for text in texts]]


def test_a_caption_is_ranked_among_all_and_one_that_is_new_beside_them():
    rank = Retrieval(Reader(), ["0", "1", "2"])
    seen = np.array([[3, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 2.5], [0, 0, 0, 0]])
    ranks = rank(seen, ["0", "2", "3", None])
    assert ranks.tolist() == [0, 2, 1, -1]
    assert found_among(ranks, 1) == pytest.approx(1 / 3)
    assert found_among(ranks[3:], 1) is None


def test_captions_beyond_the_usual_ones_are_candidates(fake_model):
    """Those of skin tones are not among the emoji's usual captions, and yet may have been said."""
    held, rows = open_source("emoji", split="validation+test", where={"skin_tone": "dark"}), np.arange(8)
    rank, refused = retrieval_of(load(fake_model), held, on_paper)
    said = texts_of(held, rows)
    assert not set(said) & set(english_captions())
    assert set(said) <= set(rank.candidates)
    assert int(rank(on_paper(held.pictures(rows)), said).min()) >= 0
    assert refused == {}


def test_captions_of_other_pictures_are_ranked_if_real_ones_are_found(fake_model):
    held, model = open_source("emoji", split="validation+test"), load(fake_model)
    held.name = "photos"
    rank, refused = retrieval_of(model, held, on_paper)
    assert set(rank.candidates) < set(english_captions())
    assert refused == {}
    noise = np.random.default_rng(0).integers(0, 256, (len(held), 64, 64, 3), np.uint8)
    rank, refused = retrieval_of(model, held, lambda pictures: noise[: len(pictures)])
    assert rank is None
    assert "of real pictures among its first five: it needs 30%" in refused["retrieval"]["why"]


def test_the_classes_least_found_are_named():
    seeds = [{"a": 0.5, "b": None, "c": 1.0, "d": 0.9}, {"a": 0.75, "b": 0.25, "c": 1.0, "d": 0.9}]
    report = {
        "seeds": {
            str(n): {"drawn": {"classes": {name: {"recall": share} for name, share in one.items()}}}
            for n, one in enumerate(seeds)
        }
    }
    assert worst_classes(report) == [("b", 0.25), ("a", 0.625), ("d", 0.9)]
