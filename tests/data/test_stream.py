"""Streams of tars: every sample once over nodes and workers; resumed, or gone back on, by skipping."""

import itertools
import json
from collections import Counter

import pytest
import torch
from torch.utils.data import DataLoader

from lienzo.core import ConfigurationError, DataError
from lienzo.data import StreamLoader, peek
from lienzo.data.pixels import Ask
from lienzo.data.stream import Aside
from lienzo.data.tars import expand
from lienzo.data.tarstream import TarStream

pytest.importorskip("webdataset")


def numbers(records):
    return [int(record.fields["caption"].split()[1]) for record in records]


def test_two_nodes_of_two_workers_see_each_sample_once(make):
    files = expand(make.tars(8, 5))
    seen = []
    for rank in range(2):
        stream = TarStream(files, seed=3, rank=rank, world=2, buffer=7)
        seen.append(numbers(DataLoader(stream, batch_size=None, num_workers=2)))
    assert Counter(itertools.chain(*seen)) == Counter(range(40))
    assert len(seen[0]) == len(seen[1]) == 20


def test_nodes_are_read_from_the_environment(make, monkeypatch):
    files, seen = expand(make.tars(4, 5)), []
    for rank, worker in itertools.product(range(2), range(2)):
        for name, value in {"RANK": rank, "WORLD_SIZE": 2, "WORKER": worker, "NUM_WORKERS": 2}.items():
            monkeypatch.setenv(name, str(value))
        seen += numbers(TarStream(files))
    assert Counter(seen) == Counter(range(20))


def test_epochs_differ_and_repeat(make):
    files = expand(make.tars(3, 6))
    one, again, other = (numbers(TarStream(files, seed=1, epoch=e)) for e in (0, 0, 1))
    assert one == again
    assert one != other
    assert sorted(one) == sorted(other)


def loader(shards, bus, **options):
    return StreamLoader(shards, bus, **{"batch_size": 4, "ask": Ask(8), "buffer": 5} | options)


def test_a_resumed_stream_goes_on_where_it_stood(make, bus_of):
    shards = make.tars(2, 9, bad=2)  # damaged samples must not shift what follows
    through, bus = loader(shards, bus_of("text", "label")), bus_of("text", "label")
    for position in range(0, 24, 4):
        expected = through.batch_at(position)
    resumed = loader(shards, bus)
    batch = resumed.batch_at(20)
    assert torch.equal(batch.x, expected.x)
    assert batch.streams.indices == expected.streams.indices == (20, 21, 22, 23)
    assert bus["text"].told == through.bus["text"].told[-1:]
    assert through.bad > 0
    through.close()
    resumed.close()


def test_an_epoch_of_a_stream_shows_every_sample(make, bus_of):
    bus = bus_of("text")
    stream = loader(make.tars(3, 4), bus)
    for position in range(0, 12, 4):
        assert stream.batch_at(position).x.shape == (4, 3, 8, 8)
    stream.close()
    assert sorted(itertools.chain(*bus["text"].told)) == sorted(f"n {n}" for n in range(12))


def test_processes_read_shards_of_their_own(make, bus_of):
    shards, buses = make.tars(4, 4), [bus_of("text"), bus_of("text")]
    for rank, bus in enumerate(buses):
        stream = loader(shards, bus, rank=rank, world=2)
        for position in range(0, 16, 4):
            batch = stream.batch_at(position)
            assert batch.streams.indices == tuple(range(position + 2 * rank, position + 2 * rank + 2))
        stream.close()
    assert len({text for bus in buses for values in bus["text"].told for text in values}) == 16


def test_a_stream_goes_back_where_it_is_told_to(make, bus_of):
    """As after a loss that was not finite: a batch is a function of its position."""
    quarantine = make.path / "quarantine.jsonl"
    stream = loader(make.tars(2, 9, bad=2), bus_of("text"), aside=Aside(file=quarantine))
    batches = {position: stream.batch_at(position).x for position in (0, 4, 8, 12)}
    for position in (4, 8, 0, 12, 12):
        assert torch.equal(stream.batch_at(position).x, batches[position])
    for position in (9, -4):
        with pytest.raises(ConfigurationError, match="cannot give position"):
            stream.batch_at(position)
    stream.close()
    keys = [json.loads(line)["file"] for line in quarantine.read_text().splitlines()]
    assert len(keys) == len(set(keys)) > 0


def test_too_many_damaged_samples_stop_a_stream(make, bus_of):
    stream = loader(make.tars(1, 250, bad=150), bus_of(), buffer=1, aside=Aside(file=make.path / "quarantine.jsonl"))
    with pytest.raises(DataError, match="samples are damaged"):
        list(map(stream.batch_at, range(0, 250, 4)))
    stream.close()
    assert len((make.path / "quarantine.jsonl").read_text().splitlines()) >= 150


def test_fewer_shards_than_processes(make, bus_of):
    with pytest.raises(DataError, match="2 shards for 3 processes"):
        loader(make.tars(2, 1), bus_of(), world=3)
    with pytest.raises(DataError, match="cannot be split"):
        list(TarStream(expand(make.tars(1, 1)), rank=1, world=2))


def test_the_first_samples_tell_the_columns(make):
    columns = peek(make.tars(1, 6))
    assert columns["label"].classes == ("c0", "c1", "c2")
    assert columns["text"].kind == "text"
