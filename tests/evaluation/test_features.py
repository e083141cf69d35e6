"""Extractors: one name, one hash, the same features in any batches."""

import numpy as np
import pytest
import torch

from lienzo.core import ConfigurationError
from lienzo.evaluation import Extractor, extractor_named, features_of, features_over_time
from lienzo.evaluation import features as module
from lienzo.evaluation.extractors import usual
from lienzo.evaluation.features import PixelPCA


class Mean(Extractor):
    """The mean of each channel."""

    name, dimension, sha256 = "mean", 3, "0" * 64

    def batch(self, pictures):
        return torch.from_numpy(pictures.astype(np.float32)).mean((1, 2))


def pictures(count, side, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels), np.uint8)


@pytest.mark.parametrize(("name", "side", "channels"), [("clf64", 28, 1), ("emoji", 64, 3), ("pca", 40, 3)])
def test_features_do_not_depend_on_batches_and_a_hash_says_whose_they_are(name, side, channels, monkeypatch):
    x = pictures(30, side, channels)
    extractor = extractor_named(name, x)
    whole = extractor.features(x)
    assert whole.shape == (30, extractor.dimension)
    assert len(extractor.sha256) == 64
    monkeypatch.setattr(module, "AT_ONCE", 7)
    assert torch.allclose(extractor.features(x), whole, atol=1e-4)
    assert extractor_named(name, x).sha256 == extractor.sha256


def test_clf64_is_the_shipped_classifier():
    x = pictures(5, 28, 1)
    assert torch.equal(extractor_named("clf64", x).features(x), features_of(x))
    with pytest.raises(ConfigurationError, match="28 × 28, not 8 × 8 × 3"):
        extractor_named("clf64", x).features(pictures(2, 8, 3))


def test_pca_keeps_the_axes_of_largest_variance():
    """Pictures that vary along four directions lie in four coordinates, with their variances in order."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(64, 4)))[0]
    x = 128 + (rng.normal(size=(300, 4)) * [200, 150, 100, 50]) @ basis.T
    extractor = PixelPCA(x.clip(0, 255).round().astype(np.uint8).reshape(300, 8, 8, 1), dimension=6)
    found = extractor.features(x.clip(0, 255).round().astype(np.uint8).reshape(300, 8, 8, 1))
    spread = found.std(0) * 127.5
    assert extractor.name == "pca6"
    assert spread[:4].tolist() == pytest.approx([200, 150, 100, 50], rel=0.15)
    assert spread[4:].max() < 10
    assert PixelPCA(pictures(9, 8, 1), 64).dimension == 8


def test_an_extractor_of_ones_own():
    x = pictures(4, 6, 3)
    extractor = extractor_named("lienzo_mean:Mean", x)
    assert extractor.features(x).shape == (4, 3)
    clips = np.stack([x, x])
    assert torch.equal(features_over_time(clips, extractor)[1], extractor.features(x))
    for name, why in (("none", "no feature extractor"), ("lienzo:load", "is no feature"), ("a.b:C", "No module")):
        with pytest.raises(ConfigurationError, match=why):
            extractor_named(name, x)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lienzo_mean", __import__("types").SimpleNamespace(Mean=Mean))


def test_a_folder_of_transformers_says_what_it_needs(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ConfigurationError, match="needs the package transformers"):
        extractor_named(str(tmp_path), pictures(1, 8, 3))


def test_what_suits_a_source():
    assert usual("fashion-mnist", (28, 28, 1)) == "clf64"
    assert usual("fashion-mnist", (32, 32, 1)) == "pca"
    assert usual("emoji", (64, 64, 3)) == "emoji"
    assert usual("photos", (64, 64, 3)) == "pca"
