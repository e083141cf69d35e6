"""Tars that are streamed: the sample that stands for them, and what of the stream belongs to whom."""

import io
import json
import os
import tarfile
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions import Bus, LabelCondition, MapCondition
from lienzo.core import ConfigurationError
from lienzo.data import Loader, Sampled, StreamLoader, open_source, sample
from lienzo.data.decode import Decoded
from lienzo.data.heard import Ears
from lienzo.data.pixels import Ask
from lienzo.data.records import Record
from lienzo.data.sample import Heads, Keeps, spread, streamed
from lienzo.data.tars import Tars, expand, head_of
from lienzo.data.tarstream import TarStream
from lienzo.data.workers import Worker

pytest.importorskip("webdataset")


def opened(shards, cache, **options) -> Sampled:
    found = open_source(shards, size=8, cache=cache, progress=False, stream=True, **options)
    assert isinstance(found, Sampled)
    return found


def captions(dataset) -> set[str]:
    return {text for texts in dataset.values("text", range(len(dataset))) for text in texts}


def test_what_the_sample_holds_out_the_stream_holds_out(make, cache):
    shards = make.tars(3, 40)
    learnt, held, every = (opened(shards, cache, split=s, sample=30) for s in ("train", "validation", "all"))
    assert len(learnt) + len(held) == len(every) == 30 > len(learnt) > 0
    assert (learnt.whole, every.whole) == (pytest.approx(120 * len(learnt) / 30, rel=0.1), pytest.approx(120, rel=0.1))
    stream = [record for record in TarStream(learnt.shards, seed=1) if learnt.keeps(record)]
    seen = {record.fields["caption"] for record in stream}
    assert captions(learnt) <= seen
    assert not captions(held) & seen
    assert 120 - len(seen) == len([r for r in TarStream(learnt.shards) if held.keeps(r)])
    assert learnt.fingerprint != held.fingerprint
    assert learnt.columns["label"].classes == ("c0", "c1", "c2")


def test_only_the_classes_that_are_asked_for_are_streamed(make, cache):
    found = opened(make.tars(1, 30), cache, where={"label": "c1"}, sample=20)
    labels = Counter(record.fields["label"] for record in TarStream(found.shards) if found.keeps(record))
    assert set(labels) == {"c1"}
    assert labels["c1"] >= 8


def test_a_sample_is_spread_over_the_tars_and_shows_every_split(make):
    shards = [make.path / f"train-{n:03}.tar" for n in range(100)] + [make.path / "val-000.tar"]
    first = spread(shards, 10)[:11]
    assert first[0].name == "val-000.tar"
    assert [int(file.stem[-3:]) for file in first if "train" in file.stem] == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert sorted(spread(shards, 10)) == sorted(shards)
    tars = Tars(expand(make.tars(4, 100)), "tars")
    files = Counter(record.key.partition("/")[0] for record in Heads(tars, 130).records())
    assert files == {"train-000.tar": 64, "train-001.tar": 64, "train-002.tar": 2}


def test_a_shard_that_names_another_split_is_not_read():
    keeps = Keeps(("train",), 0.0, {})
    assert [keeps.admits(split) for split in ("train", "validation", "test")] == [True, False, False]
    assert not keeps(Record("a", None, split="test"))


def test_samples_are_counted_without_reading_them(make):
    file = expand(make.tars(1, 50))[0]
    assert head_of(file, 1000) == (50, file.stat().st_size)
    count, size = head_of(file, 10)
    assert count == 10
    assert size == pytest.approx(file.stat().st_size / 5, rel=0.2)


def test_what_is_streamed_unless_it_is_said(make, monkeypatch, caplog):
    tars = Tars(expand(make.tars(1, 3)), "these tars")
    assert [streamed(tars, asked) for asked in (None, False, True)] == [None, None, tars]
    monkeypatch.setattr(sample, "STREAMED", 1000)
    assert [streamed(tars, asked) for asked in (None, None, False)] == [tars, tars, None]
    assert caplog.text.count("these tars: 0.0 GiB of tars are more than the 0.0 that are decoded beforehand") == 1


def test_what_is_no_tars_cannot_be_streamed(make):
    for source in (make.folder(["a.png"]), "emoji", "scenes:20", f"emoji + {make.tars(1, 1)}"):
        with pytest.raises(ConfigurationError, match=r"cannot be streamed(.|\n)*leave data\.stream out"):
            open_source(source, stream=True)


def ears(tell=lambda sentence: None) -> Ears:
    columns = {"seg": sample_column("segmentation", 3), "pic": sample_column("picture", 3)}
    bus = Bus({"kind": LabelCondition(["cat", "dog"]), "seg": MapCondition("segmentation", 8, 3),
               "pic": MapCondition("picture", 8, 3)}, vector=8)  # fmt: skip
    return Ears(bus, columns, ["remark"], tell)


def sample_column(kind: str, channels: int):
    from lienzo.data import Column

    return Column("map", map_kind=kind, channels=channels)


def test_a_class_that_nobody_knew_is_unsaid_counted_and_told_of_once():
    told: list[str] = []
    hearing = ears(told.append)
    records = [Record("k", None, {"kind": kind}) for kind in ("dog", "yak", "emu", "yak")]
    said = [hearing.said((record, Decoded(), {}))["kind"] for record in records]
    assert said == ["dog", None, None, None]
    assert hearing.unknown == {"kind": {"yak": 2, "emu": 1}}
    assert len(told) == 1
    assert "'yak'" in told[0]
    assert "data.sample" in told[0]
    assert hearing.summary() == ["kind: 3 pictures of the stream said one of 2 classes that the model does not hear "
                                 "(yak 2, emu 1)"]  # fmt: skip


def test_maps_of_a_stream_become_what_the_sample_says_they_are():
    grey, colour = np.full((8, 8, 1), 2, np.uint8), np.full((8, 8, 3), 7, np.uint8)

    def heard(maps):
        return hearing.said((Record("k", None), Decoded(), {name: Decoded(pixels=p) for name, p in maps.items()}))

    hearing = ears()
    said = heard({"seg": grey, "pic": grey})
    assert said["seg"].shape == (8, 8, 1)
    assert said["pic"].shape == (8, 8, 3)
    said = heard({"seg": colour, "pic": None, "other": grey})
    assert (said["seg"], said["pic"]) == (None, None)
    assert "other" not in said
    assert hearing.unknown == {"seg": {"7": 1}}
    hearing.bus.parse({name: [value] for name, value in said.items()}, 1)


def tar_with_maps(path) -> str:
    with tarfile.open(path / "mapped.tar", "w") as tar:
        for number in range(20):
            noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
            parts = {"png": encoded(noise), "mask.png": encoded((noise[:, :, 0] > 127).astype(np.uint8) * 255),
                     "json": json.dumps({"remark": f"this is {number}"}).encode()}  # fmt: skip
            for end, content in parts.items():
                member = tarfile.TarInfo(f"{number:05}.{end}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return str(path / "mapped.tar")


def encoded(pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_stream_shows_what_a_decoded_set_shows(tmp_path, cache, bus_of):
    """The same picture with the same map, mirrored like it, under a caption whose column no name tells."""
    found, buses = opened(tar_with_maps(tmp_path), cache, split="all"), [bus_of("text", "mask"), bus_of("text", "mask")]
    decoded = Loader(found, buses[0], batch_size=20, flip=1.0, background="white").batch_at(0)
    stream = StreamLoader(found, buses[1], batch_size=20, flip=1.0, background="white", buffer=5)
    streamed_, seen = stream.batch_at(0), []
    stream.close()
    for batch, bus in ((decoded, buses[0]), (streamed_, buses[1])):
        texts, masks = bus["text"].told[0], bus["mask"].told[0]
        seen.append({text: (x, mask) for text, x, mask in zip(texts, batch.x, masks, strict=True)})
    assert seen[0].keys() == seen[1].keys() == {f"this is {n}" for n in range(20)}
    for text, (x, mask) in seen[0].items():
        assert torch.allclose(x, seen[1][text][0], atol=1e-6)
        assert np.array_equal(mask, seen[1][text][1])
    assert stream.files == found.shards == [tmp_path / "mapped.tar"]


def test_a_whole_epoch_that_was_read_is_not_read_again(make, bus_of, monkeypatch):
    stream = StreamLoader(make.tars(2, 6), bus_of(), batch_size=4, ask=Ask(8), buffer=3)
    batches = {position: stream.batch_at(position).x for position in range(0, 32, 4)}
    begun: list[int] = []
    usual = TarStream.__iter__
    monkeypatch.setattr(TarStream, "__iter__", lambda self: (begun.append(self.epoch), usual(self))[1])
    assert torch.equal(stream.batch_at(20).x, batches[20])
    stream.close()
    assert begun[0] == 1


def test_an_interruption_is_not_for_the_processes_that_decode(make):
    worker = Worker()
    assert worker.decode(make.encoded(make.picture(1)), Ask(8)).pixels is not None
    process = worker._process
    assert process is not None
    assert os.getsid(process.pid) != os.getsid(0)
    worker.close()
