from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lienzo
from lienzo.api import Record, reproduce, save
from lienzo.api.best import best, by_scorer
from lienzo.api.model import Model
from lienzo.core import CheckpointError, ConditionError, ConfigurationError, DataError, LienzoError


@pytest.fixture
def model(shipped: Path) -> Model:
    return lienzo.load("emoji-64")


@pytest.fixture
def seeing(seeing_model: Path) -> Model:
    return lienzo.load(seeing_model)


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.tobytes() == other.tobytes()


def test_it_gives_pictures_with_their_records(model: Model):
    images = model.generate("a dog", style="noto", count=3, seed=5)
    assert [image.size for image in images] == [(16, 16)] * 3
    record = Record.of(images[2])
    assert record.conditions == {"background": "white", "text": "a dog", "style": "noto"}
    assert (record.seed, record.index, record.model, record.weights) == (5, 2, "emoji-64", model.weights)
    assert record.options["steps"] == 4  # the model's own
    assert record.options["solver"] == "dpm++2m"  # the family's own, spelt out
    assert not same(images[0], images[1])


def test_a_picture_depends_on_its_number_alone(model: Model):
    several = model.generate("a dog", count=5, seed=1)
    for count in (1, 2):
        fewer = model.generate("a dog", count=count, seed=1)
        assert all(same(a, b) for a, b in zip(fewer, several, strict=False))
    (third,) = model.draw([Record.of(several[3]).conditions], seed=1, indices=[3])
    assert same(third, several[3])


def test_every_condition_and_option_counts(model: Model):
    plain = model.generate("a dog", count=1)[0]
    others = [
        model.generate("a red apple", count=1), model.generate("a dog", style="twemoji", count=1),
        model.generate("a dog", background="dark", count=1), model.generate("a dog", count=1, seed=1),
        model.generate("a dog", count=1, guidance={"text": 7.0}), model.generate("a dog", count=1, steps=2),
        model.generate("a dog", count=1, solver="heun"),
    ]  # fmt: skip
    assert not any(same(plain, other[0]) for other in others)
    assert same(plain, model.generate("a dog", count=1)[0])


def test_lists_say_one_value_a_picture(model: Model):
    images = model.generate(["a dog", "a cat"], style=["noto", None], seed=3)
    assert [Record.of(i).conditions.get("style") for i in images] == ["noto", None]
    assert same(images[1], model.generate("a cat", count=2, seed=3)[1])
    with pytest.raises(ConditionError, match=r"2 values of 'text' for 3 pictures"):
        model.generate(["a", "b"], count=3)


def test_previews_show_every_step_decoded(model: Model):
    steps: list[tuple[int, tuple[int, ...]]] = []
    seen = model.generate("a dog", count=2, previews=lambda p: steps.append((p.step, tuple(p.estimate.shape))))
    assert steps == [(n, (2, 3, 16, 16)) for n in (1, 2, 3, 4)]
    assert same(seen[0], model.generate("a dog", count=2)[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "a dog", "style": "notto"}, "no label 'notto'.*\n.*noto"),
        ({"colour": "red"}, "no condition 'colour'.*\n.*text, style, group"),
        ({"label": "notto"}, "'label' may mean style, group"),
        ({"label": {"stile": "noto"}}, "no condition 'stile'"),
        ({"text": 3}, "text must be a string"),
        ({"count": 0}, "0 pictures"),
        ({"steps": 0}, "0 steps"),
        ({"solver": "eulr"}, "unknown solver 'eulr'"),
        ({"guidance": {"txt": 2.0}}, "no condition 'txt'"),
        ({"options": {"stepz": 3}}, "stepz"),
    ],
)
def test_a_mistake_is_one_sentence(model: Model, arguments: dict[str, object], words: str):
    with pytest.raises(LienzoError, match=words):
        model.generate(**arguments)


def test_a_label_without_a_name_is_the_one_that_knows_it(model: Model):
    for label in ("food-drink", ["food-drink"]):
        assert same(model.generate(label=label, count=1)[0], model.generate(group="food-drink", count=1)[0])


def test_a_model_that_is_not_there(tmp_path: Path, shipped: Path):
    with pytest.raises(CheckpointError, match=r"is a file of a model(.|\n)*its folder"):
        lienzo.load(lienzo.models()[0].folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"no model 'emoji-46'(.|\n)*emoji-64"):
        lienzo.load("emoji-46")
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        lienzo.load(tmp_path)


def test_what_ships_is_listed_with_its_quality(shipped: Path):
    (info,) = lienzo.models()
    assert info.name == "emoji-64"
    assert info.summary == "Draws nothing yet: it is not trained."
    assert info.quality == {"FD-clf64": "123.4 (10,000 samples)", "retrieval": "1 %"}
    assert info.sha256 == lienzo.load("emoji-64").weights


def test_a_saved_picture_is_made_again(model: Model, tmp_path: Path):
    image = model.generate("un perro", style="noto", count=3, seed=9)[2]
    again = reproduce(save(image, tmp_path / "dog.png"))
    assert (again.same, again.largest, again.differs) == (True, 0, [])


def test_an_edited_picture_is_found_out(model: Model, tmp_path: Path):
    image = model.generate("a dog", count=1)[0]
    pixel = image.getpixel((3, 3))
    assert isinstance(pixel, tuple)
    image.putpixel((3, 3), (pixel[0] ^ 64, *pixel[1:]))
    again = reproduce(save(image, tmp_path / "dog.png"))
    assert (again.same, again.largest) == (False, 64)
    assert again.mean == pytest.approx(64 / (16 * 16 * 3))


def test_what_has_changed_since_is_named(model: Model, tmp_path: Path):
    image = model.generate("a dog", count=1)[0]
    image.info["lienzo"] = image.info["lienzo"].replace(model.weights, "0" * 64).replace('"torch": "', '"torch": "0.')
    again = reproduce(save(image, tmp_path / "dog.png"))
    assert again.same
    assert [line.partition(":")[0] for line in again.differs] == ["the model's weights", "torch"]


def test_a_file_without_a_record(tmp_path: Path):
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    with pytest.raises(DataError, match="carries no record"):
        reproduce(tmp_path / "plain.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match="it is no picture"):
        reproduce(tmp_path / "text.png")
    with pytest.raises(DataError, match="No such file"):
        reproduce(tmp_path / "nothing.png")


def test_pictures_and_maps_are_heard_and_remembered(seeing: Model, tmp_path: Path):
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    parts = Image.fromarray(rng.integers(0, 3, (8, 8), np.uint8))
    edges = rng.integers(0, 256, (8, 8), np.uint8)
    photo.save(tmp_path / "photo.png")
    image = seeing.generate(
        label="dog", image=tmp_path / "photo.png", map={"edges": edges, "parts": parts}, count=2, seed=4
    )[1]
    (tmp_path / "photo.png").unlink()  # the record has all that it needs
    assert sorted(Record.of(image).conditions) == ["label", "outline", "parts", "picture"]
    assert reproduce(save(image, tmp_path / "out.png")).same
    for less in ({"image": photo}, {"map": {"edges": edges}}, {"map": {"segmentation": parts}}, {"label": "dog"}):
        assert not same(image, seeing.generate(count=2, seed=4, **less)[1])


def test_a_map_of_no_kind_and_a_map_of_two(seeing: Model):
    with pytest.raises(ConditionError, match="no condition 'depth'"):
        seeing.generate(map={"depth": Image.new("L", (8, 8))})
    with pytest.raises(ConditionError, match="'map' may mean outline, parts"):
        seeing.generate(map=Image.new("L", (8, 8)))
    with pytest.raises(ConditionError, match=r"cannot read a picture from 'nothing\.png'"):
        seeing.generate(image="nothing.png")


def test_an_option_of_the_wrong_type_is_said_and_numbers_may_be_listed(model: Model):
    """`--set guidance_interval=0.3,0.7` is what people type; a record keeps it as a list of numbers."""
    said = {"count": 1, "guidance": 3.0}
    listed = model.generate("a dog", options={"guidance_interval": "0.3,0.7"}, **said)[0]
    assert same(listed, model.generate("a dog", options={"guidance_interval": [0.3, 0.7]}, **said)[0])
    assert Record.of(listed).options["guidance_interval"] == [0.3, 0.7]
    for wrong in ({"guidance_interval": 0.3}, {"guidance_interval": "0.3,late"}, {"guidance": "much"}):
        (name,) = wrong
        with pytest.raises(ConfigurationError, match=name) as error:
            model.generate("a dog", count=1, options=wrong)
        assert "it takes" in str(error.value.hint)


def test_an_option_that_a_family_has_not(tmp_path: Path, model: Model):
    with pytest.raises(ConfigurationError, match=r"1\.5 steps"):
        model.generate(steps=1.5)  # type: ignore[arg-type]


def test_the_best_of_several_is_kept_and_can_be_drawn_again(model):
    def brightest(pictures, texts):
        assert set(texts) == {"a dog"}
        return torch.tensor([float(np.asarray(picture).mean()) for picture in pictures])

    def draw(rows, numbers):
        return model.draw(rows, seed=3, indices=numbers)

    kept = best(draw, [{"text": "a dog"}] * 2, 4, brightest)
    every = draw([{"text": "a dog"}] * 8, range(8))
    for number, image in enumerate(kept):
        drawn = every[4 * number : 4 * number + 4]
        assert np.asarray(image).mean() == max(np.asarray(one).mean() for one in drawn)
        index = Record.of(image).index
        assert 4 * number <= index < 4 * number + 4
        assert same(draw([{"text": "a dog"}], [index])[0], image)


def test_the_shipped_scorer_judges(model):
    images = model.generate("a red apple", count=2, best_of=3, seed=1)
    every = model.generate("a red apple", count=6, seed=1)
    fits = by_scorer(every, ["a red apple"] * 6)
    assert [Record.of(image).index for image in images] == [int(fits[:3].argmax()), 3 + int(fits[3:].argmax())]
    with pytest.raises(ConfigurationError, match="no words"):
        model.generate(style="noto", best_of=2)
    with pytest.raises(ConfigurationError, match="best of 0"):
        model.generate("a dog", best_of=0)


def test_a_shipped_model_may_lie_a_folder_deeper(fake_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(fake_model, tmp_path / "clothes" / "tiny")
    for module in ("find", "model"):
        monkeypatch.setattr(f"lienzo.api.{module}.SHIPPED", tmp_path)
    assert [info.name for info in lienzo.models()] == ["clothes/tiny"]
    assert lienzo.load("clothes/tiny").name == "clothes/tiny"
    with pytest.raises(CheckpointError, match="tiny"):
        lienzo.load("clothes/tinny")
    with pytest.raises(CheckpointError):
        lienzo.load("../clothes/tiny")


def test_sixteen_bits_draw_nearly_the_same_and_again_exactly(model: Model, tmp_path: Path):
    quick = lienzo.load("emoji-64", dtype="bfloat16")
    assert quick.name == "emoji-64,dtype=bfloat16"
    image, plain = (m.generate("a dog", count=1, seed=2)[0] for m in (quick, model))
    assert not same(image, plain)
    assert np.abs(np.asarray(image, float) - np.asarray(plain, float)).mean() < 8
    path = save(image, tmp_path / "a.png")
    assert reproduce(path).same
    assert same(lienzo.load("emoji-64,dtype=bfloat16").generate("a dog", count=3, seed=2)[0], image)
    for words in ("emoji-64,dtype=bfloat17", "emoji-64,offload=model", "emoji-64,dtype"):
        with pytest.raises(ConfigurationError):
            lienzo.load(words)
