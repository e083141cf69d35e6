"""The shipped classifier: is it what its card says?"""

import numpy as np
import pytest
import torch

from lienzo.core import CheckpointError, DataError
from lienzo.data import open_source
from lienzo.evaluation import fd_clf64, features_of, floor, load_classifier
from lienzo.evaluation.classifier import NAME, FashionClassifier, as_pictures, shipped_reference
from lienzo.evaluation.shipped import CARD, WEIGHTS, config_of, folder_of, hash_on_card, restored
from lienzo.training.folder import fingerprint


def fashion(split):
    try:
        data = open_source("fashion-mnist", size=28, channels=1, split=split)
    except DataError as error:
        pytest.skip(error.what)
    classes = data.columns["label"].classes
    rows = range(2000)
    return data.pictures(rows), torch.tensor([classes.index(label) for label in data.values("label", rows)])


def test_the_card_names_the_weights_that_are_there():
    folder = folder_of(NAME)
    assert fingerprint(folder / WEIGHTS) == hash_on_card(folder)
    assert (folder / WEIGHTS).stat().st_size <= 1 << 20


def test_other_weights_are_refused(tmp_path):
    folder = folder_of(NAME)
    (tmp_path / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes() + b" ")
    (tmp_path / CARD).write_text((folder / CARD).read_text("utf-8"), "utf-8")
    with pytest.raises(CheckpointError, match="not what its card says"):
        restored(FashionClassifier(), tmp_path)


def test_its_accuracy_on_a_slice_is_what_its_card_says():
    pictures, labels = fashion("test")
    accuracy = float((load_classifier()(as_pictures(pictures)).argmax(1) == labels).float().mean())
    assert accuracy > 0.9
    assert abs(accuracy - config_of(folder_of(NAME))["accuracy"]) < 0.02


def test_real_pictures_are_near_and_damaged_ones_far():
    pictures, _ = fashion("train+validation")
    real = fd_clf64(pictures)
    noisy = pictures + np.random.default_rng(0).normal(0, 25, pictures.shape)
    assert real < fd_clf64(noisy.clip(0, 255).astype(np.uint8)) / 3
    assert real < fd_clf64(pictures[:, ::-1].copy()) / 10
    assert floor() < real  # 2,000 pictures are further away than 10,000


def test_a_reference_may_be_pictures_and_a_set_is_at_distance_zero_from_itself():
    pictures = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
    assert abs(fd_clf64(pictures, pictures)) < 1e-6
    assert shipped_reference().count == 10_000


def test_every_form_of_a_picture_gives_the_same_features():
    pictures = np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8)
    x = torch.from_numpy(pictures)[:, None] / 127.5 - 1
    a, b, c = features_of(pictures), features_of(pictures[..., None]), features_of(x)
    assert torch.equal(a, b)
    assert torch.equal(a, c)
    with pytest.raises(ValueError, match="28"):
        features_of(np.zeros((2, 32, 32), np.uint8))
