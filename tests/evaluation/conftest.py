"""Pictures that are evaluated."""

import pytest


@pytest.fixture(scope="module")
def animals(noise_animals):
    """Cats and dogs, 8 × 8: bright and dark noise."""
    return noise_animals(train=60, test=40)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path_factory.getbasetemp() / "evaluate-cache"))
