"""The finder of words: its network untrained, and the one that ships on scenes whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lienzo.data import open_source
from lienzo.data.scenes.groups import GROUPS
from lienzo.editing.finding import FOUND, LEAST, NAME, SIDE, WordFinder, load_finder
from lienzo.evaluation.shipped import is_there

shipped = pytest.mark.skipif(not is_there(NAME), reason="an installation without the finder")


def test_words_teach_all_that_lies_under_the_mask():
    torch.manual_seed(0)
    finder = WordFinder(16, 16)
    x = torch.randn(3, 3, SIDE, SIDE)
    finder(x, *finder.read(["the house", "el perro", "a dog and a tree"])).square().mean().backward()
    assert [n for n, p in finder.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_what_stands_behind_the_last_word_is_not_heard():
    torch.manual_seed(0)
    finder = WordFinder(16, 16).eval()
    x, (vectors, there) = torch.randn(2, 3, SIDE, SIDE), finder.read(["the house", "a dog"])
    noise = torch.where(there[..., None], vectors, torch.randn_like(vectors))
    assert torch.allclose(finder(x, vectors, there), finder(x, noise, there), atol=1e-5)
    other = finder(x, *finder.read(["the dog", "a house"]))
    assert not torch.allclose(finder(x, vectors, there), other, atol=1e-3)


def test_any_size_and_grey_are_seen_and_a_batch_is_its_rows():
    torch.manual_seed(0)
    finder = WordFinder(16, 16).eval()
    x = torch.randn(3, 1, 40, 28)
    found = finder.find(x, ["house", "sky", "perro"], batch=2)
    assert found.shape == (3, 1, 40, 28)
    assert bool(((found >= 0) & (found <= 1)).all())
    assert torch.allclose(found[1:2], finder.find(x[1:2], ["sky"]), atol=1e-6)


@shipped
@pytest.mark.parametrize("words", [("sky", "sky"), ("el suelo", "ground"), ("the animal", "animal")])
def test_land_and_things_of_held_out_scenes_are_found(words: tuple[str, str]):
    phrase, group = words
    data = open_source("scenes:600", split="test")
    maps = data.values("segmentation", range(len(data)))
    truth = np.stack([np.asarray(each).squeeze() == GROUPS.index(group) for each in maps])
    rows = np.flatnonzero(truth.sum((1, 2)) > 100)[:8]
    x = torch.from_numpy(data.pictures(rows)[..., :3].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    found = (load_finder().find(x, [phrase] * len(rows)) > FOUND).numpy()[:, 0]
    both, either = (found & truth[rows]).sum((1, 2)), (found | truth[rows]).sum((1, 2))
    assert (both / either).mean() > 0.6


def test_what_is_seen_faintly_is_found_and_what_is_hardly_seen_is_not():
    """What counts is how sure a pixel is beside the surest ones of its picture, down to `LEAST`."""
    finder = WordFinder(16, 16).eval()
    x = torch.randn(1, 3, SIDE, SIDE)
    share = torch.full((1, SIDE, SIDE), 0.01)
    share[0, :8, :8] = 0.3
    finder.forward = lambda *_: share.logit()  # type: ignore[method-assign]
    found = finder.find(x, ["a thing"]) > FOUND
    assert bool(found[0, 0, :8, :8].all())
    assert int(found.sum()) == 64
    share[0, :8, :8] = LEAST / 2 - 0.01
    assert not bool((finder.find(x, ["a thing"]) > FOUND).any())
