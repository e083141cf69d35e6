"""Captions in other words: neighbours of their words, and never of words that name people unless they are close."""

import pytest

from lienzo.conditions import Bus, TextCondition
from lienzo.conditions.memory import words
from lienzo.core import ConfigurationError
from lienzo.data import Loader, open_source
from lienzo.data.reword import OF_PEOPLE, PEOPLE, WAYS, Reworder, voice_of

CAPTIONS = ["dog", "red apple", "house with garden", "snow-capped mountain", "woman running", "perro", "apple"]
SEEDS = [n / 50 for n in range(50)]


@pytest.fixture(scope="module")
def reworder() -> Reworder:
    return Reworder(CAPTIONS, 0.8)


def test_a_stand_in_lies_nearer_to_its_word_than_to_any_other(reworder: Reworder) -> None:
    table = words()
    known = {word for caption in CAPTIONS for word in table.split(caption)} & set(reworder.others)
    for own, others in reworder.others.items():
        for other in others[:5]:
            here = float(table.vector(other) @ table.vector(own))
            assert all(here >= float(table.vector(other) @ table.vector(word)) - 1e-5 for word in known)


def test_a_breed_stands_for_the_dog_and_a_cottage_for_the_house(reworder: Reworder) -> None:
    assert {"spaniel", "bulldog", "beagle"} & set(reworder.others["dog"])
    assert "cottage" in reworder.others["house"]


def test_words_of_captions_stand_for_nothing_else(reworder: Reworder) -> None:
    of_captions = {word for caption in CAPTIONS for word in words().split(caption)}
    assert not of_captions & {other for others in reworder.others.values() for other in others}


def test_words_for_people_are_replaced_by_close_ones_alone(reworder: Reworder) -> None:
    for own in PEOPLE & set(reworder.others):
        vector = words().vector(own)
        assert all(float(words().vector(other) @ vector) >= OF_PEOPLE - 1e-5 for other in reworder.others[own])


def test_little_words_stay(reworder: Reworder) -> None:
    assert "with" not in reworder.others
    assert all("with" in reworder("house with garden", seed) for seed in SEEDS)


def test_the_same_seed_says_the_same_and_there_are_a_few_ways(reworder: Reworder) -> None:
    again = Reworder(CAPTIONS, 0.8)
    said = [reworder("red apple", seed) for seed in SEEDS]
    assert said == [again("red apple", seed) for seed in SEEDS]
    assert 3 <= len(set(said)) <= WAYS


def test_a_share_of_zero_changes_nothing_and_a_wrong_one_is_refused() -> None:
    data = open_source("emoji", split="validation")
    assert voice_of(data, 0.0) is None
    with pytest.raises(ConfigurationError, match="no probability"):
        voice_of(data, 1.5)


def test_the_loader_speaks_in_other_words_whatever_the_batch() -> None:
    data = open_source("emoji", split="validation")
    bus = Bus({"text": TextCondition(length=8, depth=0)}, vector=4, token=4)
    plain, voiced = Loader(data, bus, batch_size=8), Loader(data, bus, batch_size=8, reword=0.9)
    wide = Loader(data, bus, batch_size=16, reword=0.9)
    said = [voiced.batch_at(start).conditions["text"].values[0] for start in (0, 8)]
    assert not said[0].equal(plain.batch_at(0).conditions["text"].values[0])
    both = wide.batch_at(0).conditions["text"].values[0]
    assert both[:8].equal(said[0])
    assert both[8:].equal(said[1])
