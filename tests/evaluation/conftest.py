"""Pictures that are evaluated."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """Cats and dogs, 8 × 8: bright and dark noise."""
    folder, rng = tmp_path_factory.mktemp("animals"), np.random.default_rng(0)
    for split, count in (("train", 60), ("test", 40)):
        for name, low in (("cat", 0), ("dog", 128)):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(low, low + 128, (8, 8, 3), np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path_factory.getbasetemp() / "evaluate-cache"))
