"""Who tells whether pictures are what their words say: a class of one's own, and a CLIP of `transformers`."""

import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.api.best import best, judge_named
from lienzo.api.evaluate.examined import on_paper
from lienzo.api.evaluate.run import evaluate
from lienzo.api.evaluate.said import measured
from lienzo.api.evaluate.texts import retrieval_of
from lienzo.api.model import load
from lienzo.core import ConfigurationError
from lienzo.data import open_source
from lienzo.evaluation import Scorer, scorer_named
from lienzo.evaluation.retrieval import Retrieval

LEVELS = 25  # captions, and the brightness that each names


def direction(levels):
    angle = torch.as_tensor(levels, dtype=torch.float32) / LEVELS * 1.5
    return torch.stack([angle.cos(), angle.sin()], 1)


class Brightness(Scorer):
    """Reads "level 7", and sees how bright a picture is."""

    name, sha256 = "brightness", "7" * 64

    def see(self, pictures):
        return direction((pictures.mean((1, 2, 3)) - 5) / 10)

    def read(self, texts):
        return direction([float(text.split()[1]) for text in texts])


class Renamed(Brightness):
    sha256 = "8" * 64


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(sys.modules, "lienzo_own", types.SimpleNamespace(Brightness=Brightness, Renamed=Renamed))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Even pictures with a little noise; the caption names their brightness, but for those without words."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for split in ("train", "test"):
        (folder / split).mkdir()
        for number in range(2 * LEVELS):
            level, place = number % LEVELS, folder / split / str(number)
            pixels = rng.normal(5 + 10 * level, 2, (16, 16, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place.with_suffix(".png"))
            if number < LEVELS + 15:
                place.with_suffix(".txt").write_text(f"level {level}")
    return folder


def test_whom_the_user_names_ranks_captions_and_is_named(fake_model, photos, tmp_path):
    said = {"count": 16, "seeds": 1, "scored": 0, "features": "pca", "split": "test", "out": tmp_path / "e.json"}
    report = evaluate(fake_model, photos, judge="lienzo_own:Brightness", **said)
    assert report["settings"]["judge"] == {"name": "brightness", "sha256": "7" * 64}
    assert report["settings"]["captions"] == LEVELS
    first = report["figures"]["retrieval-top1"]
    assert first["floor"]["mean"] > 0.9 > 0.5 > first["mean"]  # an untrained model's are no better than any
    assert first["chance"] == 1 / LEVELS
    assert report["figures"]["retrieval-top5"]["chance"] == 5 / LEVELS
    assert 0 < first["pictures"] < 16  # of some nothing was said
    card = "\n".join(measured(report))
    assert f"{LEVELS} captions ranked by brightness 777777777777" in card
    assert "by chance 0.04" in card
    other = evaluate(fake_model, photos, judge="lienzo_own:Renamed", **said)
    assert other["key"] != report["key"]


def test_who_does_not_know_such_pictures_says_what_to_name(fake_model, seeing_model, photos):
    held = open_source(photos, size=16, split="test")
    rank, refused = retrieval_of(load(fake_model), held, on_paper)
    assert rank is None
    assert "--judge the folder of a contrastive transformers model" in refused["retrieval"]["instead"]
    assert retrieval_of(load(seeing_model), held, on_paper) == (None, {})
    _, refused = retrieval_of(load(seeing_model), held, on_paper, "emoji")
    assert refused["retrieval"]["why"] == "the model hears no text"
    held.columns = {}
    _, refused = retrieval_of(load(fake_model), held, on_paper)
    assert refused["retrieval"]["why"].startswith("nothing is said of")
    for name, why in (("clip", "no judge of words 'clip'"), ("a.b:C", "No module"), ("lienzo:load", "is no judge")):
        with pytest.raises(ConfigurationError, match=why):
            scorer_named(name)


def test_grey_pictures_are_seen_as_coloured_ones():
    grey = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)
    one, other = (scorer_named("emoji").see(x) for x in (grey, grey.repeat(3, 3)))
    assert torch.equal(one, other)


def test_a_judge_chooses_the_best_drawing(fake_model):
    def draw(rows, numbers):
        return [Image.new("LA" if number else "RGB", (8, 8), (9 * number, 255) if number else 0) for number in numbers]

    judge = judge_named("lienzo_own:Brightness", "cpu")
    kept = best(draw, [{"text": "level 4"}, {"text": "level 23"}], 16, judge)
    assert [picture.getpixel((0, 0))[0] for picture in kept] == [45, 234]  # nearest to 45 and 235
    with pytest.raises(ConfigurationError, match="one drawing of each"):
        load(fake_model).generate("a dog", judge="lienzo_own:Brightness")


# Of transformers


def test_a_clip_says_what_its_model_says(tiny_clip, tmp_path):
    model = tiny_clip(tmp_path / "clip-tiny")
    pictures = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    texts = [f"{colour} {thing}" for colour in ("red", "blue", "a very long word of green") for thing in ("cat", "dog")]
    told = scorer_named(str(tmp_path / "clip-tiny"))
    assert (told.name, len(told.sha256)) == ("clip-tiny", 64)
    tokens = [told.tokenizer(text, truncation=True, max_length=16, return_tensors="pt") for text in texts]
    pixels = told.processor(images=list(pictures), return_tensors="pt")["pixel_values"]
    with torch.no_grad():  # one text at a time, and so nothing filled up
        expected = torch.cat([model(pixel_values=pixels, **one).logits_per_image for one in tokens], 1)
    scores = told.see(pictures) @ told.read(texts).T
    assert torch.allclose(scores * model.logit_scale.exp(), expected, atol=1e-3)
    assert len(scores.argmax(1).unique()) > 1
    own = [texts[n % 6] for n in range(40)]
    better = [int((expected[n] > expected[n, n % 6]).sum()) for n in range(40)]
    assert Retrieval(told, texts)(pictures, own).tolist() == better
    grey = pictures[..., :1]
    assert torch.equal(told.see(grey), told.see(grey.repeat(3, 3)))
    images = [Image.fromarray(picture) for picture in pictures[:6]]
    fits = judge_named(str(tmp_path / "clip-tiny"), "cpu")(images, texts)
    assert torch.allclose(fits, scores[:6].diagonal(), atol=1e-5)


def test_a_model_that_reads_nothing_is_no_judge(tiny_clip, tmp_path):
    tiny_clip(tmp_path / "clip")
    import transformers

    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    transformers.ViTModel(transformers.ViTConfig(**size, image_size=32)).save_pretrained(tmp_path / "clip")
    with pytest.raises(ConfigurationError, match="clip is a ViTModel, which does not hold pictures against texts"):
        scorer_named(str(tmp_path / "clip"))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="is no contrastive model"):
        scorer_named(str(tmp_path))


def test_a_folder_of_transformers_says_what_it_needs(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigurationError, match="needs the package transformers"):
        scorer_named(str(tmp_path))
