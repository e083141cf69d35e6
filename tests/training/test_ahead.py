"""The next batch, made in a thread: the same batches in whatever order they are asked for."""

import threading

import pytest
import torch

from lienzo.core import Batch, Conditions, Streams
from lienzo.training.ahead import Ahead

CPU = torch.device("cpu")


def batch_at(position: int) -> Batch:
    streams = Streams(0, range(position, position + 4))
    return Batch(streams.child("x").normal(1, 2, 2), Conditions(count=4), streams)


def test_batches_are_those_of_the_function_in_any_order() -> None:
    ahead = Ahead(batch_at, 4, CPU)
    for position in (0, 4, 8, 4, 40, 44):  # on, back after a NaN, and a jump
        assert torch.equal(ahead(position).x, batch_at(position).x)
    ahead.close()


def test_the_next_batch_is_begun_before_it_is_asked_for_and_in_one_thread() -> None:
    begun, threads = list[int](), set[int]()

    def watched(position: int) -> Batch:
        begun.append(position)
        threads.add(threading.get_ident())
        return batch_at(position)

    ahead = Ahead(watched, 4, CPU)
    ahead(0)
    ahead(4)
    ahead.close()
    assert begun[:2] == [0, 4]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_of_the_data_reaches_who_asks() -> None:
    def broken(position: int) -> Batch:
        raise OSError("the disk is gone")

    ahead = Ahead(broken, 4, CPU)
    with pytest.raises(OSError, match="the disk is gone"):
        ahead(0)
    ahead.close()
