"""The shipped scorer: does it know real pictures, and is it what its card says?"""

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.data import open_source
from lienzo.evaluation import english_captions, load_scorer
from lienzo.evaluation.scorer import NAME, as_pictures
from lienzo.evaluation.shipped import WEIGHTS, folder_of, hash_on_card
from lienzo.training.folder import fingerprint


@pytest.fixture(scope="module")
def real():
    """300 pictures of all splits, on white, with their captions."""
    data = open_source("emoji", split="all")
    rows = np.random.default_rng(0).choice(len(data), 300, replace=False)
    images = [Image.fromarray(picture, "RGBA") for picture in data.pictures(rows)]
    return images, [texts[0] for texts in data.values("text", rows)]


def test_the_card_names_the_weights_that_are_there():
    folder = folder_of(NAME)
    assert fingerprint(folder / WEIGHTS) == hash_on_card(folder)
    assert (folder / WEIGHTS).stat().st_size <= 2 << 20


def test_real_pictures_find_their_caption(real):
    images, captions = real
    found = load_scorer().retrieves(images, captions, k=5)
    assert len(english_captions()) > 1300  # chance is under 0.4 %
    assert np.mean(found) > 0.8


def test_slightly_blurred_pictures_still_do(real):
    images, captions = real
    soft = [image.resize((32, 32), Image.Resampling.BOX).resize((64, 64)) for image in images]
    assert np.mean(load_scorer().retrieves(soft, captions, k=5)) > 0.6


def test_noise_finds_nothing(real):
    _, captions = real
    noise = np.random.default_rng(0).integers(0, 256, (300, 64, 64, 3), np.uint8)
    assert np.mean(load_scorer().retrieves(noise, captions, k=5)) < 0.05


def test_other_captions_than_its_own_are_not_found(real):
    images, captions = real
    assert np.mean(load_scorer().retrieves(images, captions[::-1], k=5)) < 0.1


def test_spanish_and_unseen_words_are_understood(real):
    """The mean rank of a dog's picture is far better for words that mean a dog than for words that do not."""
    data = open_source("emoji", split="all", where={"style": "noto"})
    said = [texts[0] for texts in data.values("text", range(len(data)))]
    dog = data.pictures([said.index("dog face")])
    judge = load_scorer()
    scores = (judge.see([Image.fromarray(dog[0], "RGBA")]) @ judge.read(["perro", "puppy", "house", "tren"]).T)[0]
    assert scores[:2].min() > scores[2:].max()


def test_every_form_of_a_picture_gives_the_same_vector(real):
    pixels = np.stack([np.asarray(image.convert("RGB")) for image in real[0][:3]])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
    judge = load_scorer()
    assert torch.allclose(judge.see(pixels), judge.see(x), atol=1e-6)
    assert torch.allclose(judge.see([Image.fromarray(p) for p in pixels]), judge.see(x), atol=1e-6)
    with pytest.raises(ValueError, match="colour"):
        as_pictures(torch.zeros(2, 1, 64, 64))
    with pytest.raises(ValueError, match="not among"):
        judge.ranks(pixels, ["dog", "dog", "no such caption"])
