"""Judges on another device: what they look at goes there in blocks, what they find comes back.

The other device is "meta", which every build of torch has; it holds no numbers, so that nought comes back.
"""

import numpy as np
import pytest
import torch

from lienzo.evaluation import extractor_named, features_of, scorer_named
from lienzo.evaluation.classifier import classes_of
from lienzo.evaluation.devices import blockwise, exact
from lienzo.evaluation.scene_judge import SceneJudge
from lienzo.evaluation.vision import Reduced

FAR = "meta"


def pictures(count, side, channels):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)


@pytest.fixture(autouse=True)
def far(monkeypatch):
    """Hold every layer that lies there to it that its pictures do, and let them come back."""

    def together(module, inputs):
        where = {p.device.type for p in module.parameters()} | {x.device.type for x in inputs if torch.is_tensor(x)}
        assert len(where) < 2, f"{type(module).__name__} and its pictures lie apart"

    handle = torch.nn.modules.module.register_module_forward_pre_hook(together)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: torch.zeros(self.shape) if self.is_meta else self)
    yield
    handle.remove()


@pytest.mark.parametrize(("name", "side", "channels"), [("clf64", 28, 1), ("emoji", 64, 3), ("pca", 20, 3)])
def test_features_are_found_there_and_come_back(name, side, channels):
    x = pictures(9, side, channels)
    extractor = extractor_named(name, x, FAR)
    found = extractor.features(x)
    assert (found.shape, found.device.type, found.dtype) == ((9, extractor.dimension), "cpu", torch.float32)
    reduced = Reduced(extractor, x, dimension=3).features(x)
    assert (reduced.shape, reduced.device.type) == ((9, 3), "cpu")


def test_the_shipped_judges_see_and_read_there():
    clothes, x = pictures(3, 28, 1), pictures(3, 64, 3)
    assert features_of(clothes, device=FAR).device.type == classes_of(clothes, device=FAR).device.type == "cpu"
    scorer = scorer_named("emoji", FAR)
    scores = scorer.see(x) @ scorer.read(["a dog", "a cat"]).T
    assert (scores.shape, scores.device.type) == ((3, 2), "cpu")
    found = SceneJudge(8, 8).eval().to(FAR).see(x)
    assert {part.device.type for part in vars(found).values()} == {"cpu"}


def test_one_of_another_device_is_not_moved_there():
    assert scorer_named("emoji", FAR).network is not scorer_named("emoji").network
    assert scorer_named("emoji").see(pictures(2, 64, 3)).abs().sum() > 0


def test_a_model_of_transformers_sees_and_reads_there(tiny_clip, tmp_path, monkeypatch):
    tiny_clip(tmp_path / "clip")
    x = pictures(3, 40, 3)
    assert extractor_named(str(tmp_path / "clip"), x, FAR).features(x).device.type == "cpu"
    scorer = scorer_named(str(tmp_path / "clip"), FAR)

    def read(**inputs):  # the model itself looks at numbers, which are not there
        assert {x.device.type for x in inputs.values()} == {FAR}
        return torch.zeros(1, 24, device=FAR)

    monkeypatch.setattr(scorer.model, "get_text_features", read)
    assert scorer.see(x).device.type == scorer.read(["a dog"]).device.type == "cpu"


def test_blocks_are_as_large_as_they_were_asked_to_be():
    rows = []

    def see(x):
        rows.append((len(x), x.device.type))
        return x

    assert blockwise(see, torch.ones(5, 2), FAR, 2).shape == (5, 2)
    assert rows == [(2, FAR), (2, FAR), (1, FAR)]


def test_on_a_gpu_factors_are_not_rounded_and_that_ends():
    cudnn, before = torch.backends.cudnn, torch.backends.cudnn.allow_tf32
    with exact("cuda"):
        assert (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark) == (False, True, False)
    assert cudnn.allow_tf32 == before
    with exact("cpu"):
        assert cudnn.allow_tf32 == before
