import pytest

from lienzo.api.words import read_guidance, read_pairs
from lienzo.core import ConfigurationError
from lienzo.training.budget import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("1h30m", 5400), ("45s", 45), ("90", 90), ("0.5 h", 1800)]
)
def test_a_duration(text: str, seconds: float):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "3x", "-5m", "0", "ten minutes", "1h 30"[:1] + "hh"])
def test_no_duration(text: str):
    with pytest.raises(ConfigurationError, match="30m"):
        seconds_of(text)


@pytest.mark.parametrize("text", ["", "much", "text=", "text=much", "=3", "text 5"])
def test_no_guidance(text: str):
    with pytest.raises(ConfigurationError):
        read_guidance(text)


def test_a_pair_without_a_value():
    with pytest.raises(ConfigurationError, match=r"the map 'house.png' names nothing"):
        read_pairs(["house.png"], "map", "edges=FILE")
