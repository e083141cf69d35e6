"""Texts that were read before."""

import pytest
import torch

from lienzo.conditions import memory
from lienzo.conditions.memory import Memory, words

TEXTS = ["a red apple", "perro", "", "red red wine in a very long sentence that is cut", "a red apple"]


def test_what_is_remembered_is_what_is_read() -> None:
    kept = Memory(6)
    for texts in (TEXTS, TEXTS[::-1], [f"dog number {n}" for n in range(200)], TEXTS):
        vectors, mask = words().encode(texts, 6)
        again, seen = kept.read(texts)
        assert torch.equal(again, vectors)
        assert torch.equal(seen, mask)


def test_a_full_memory_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MANY", 3)
    kept = Memory(4)
    for number in range(20):
        kept.read([f"house {number}"])
    assert len(kept._rows) <= 4  # pyright: ignore[reportPrivateUsage]
    assert torch.equal(kept.read(TEXTS)[0], words().encode(TEXTS, 4)[0])
