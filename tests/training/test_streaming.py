"""Training on tars as they come: killed and resumed, over codes, in a team, with classes that came late."""

from __future__ import annotations

import io
import tarfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_family import same, weights

from lienzo.api.view import learnt_view
from lienzo.conditions import Bus
from lienzo.core import Batch, Conditions, Said, Streams
from lienzo.data import Sampled
from lienzo.families.latent import Latent
from lienzo.training import Observer, Record
from lienzo.training.recipes import Listeners, Recipe, carry_out, make_family, open_data
from lienzo.training.recipes.feed import whole
from lienzo.training.recipes.fitting import Learnt, _feed
from lienzo.training.recipes.planning import from_scratch
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.teach import _fed
from lienzo.training.recipes.validation import Validation
from lienzo.training.run import Run

pytest.importorskip("webdataset")

STEPS: dict[str, Any] = {
    "batch_size": 8, "images": 48, "precision": "float32", "device": "cpu", "threads": 1, "checkpoint_every": 0,
}  # fmt: skip
TINY: dict[str, Any] = {
    "bus": {"vector": 8, "token": 8},
    "family": {"kind": "diffusion"},
    "network": {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2},
    "training": STEPS,
    "samples": {"count": 2, "options": {"steps": 1}},
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three tars of twenty pictures; the last one's are of a class that the others do not have."""
    folder = tmp_path_factory.mktemp("tars")
    for shard in range(3):
        with tarfile.open(folder / f"s-{shard}.tar", "w") as tar:
            for number in range(20 * shard, 20 * shard + 20):
                out = io.BytesIO()
                pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
                Image.fromarray(pixels).save(out, "PNG")
                kind = "late" if shard == 2 else f"c{number % 2}"
                for end, content in {"png": out.getvalue(), "cls": kind.encode()}.items():
                    member = tarfile.TarInfo(f"{number:03}.{end}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return str(folder / "s-{0..2}.tar")


@pytest.fixture(autouse=True)
def _cache(shards: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENZO_CACHE", str(Path(shards).parent / "cache"))
    monkeypatch.setattr("lienzo.training.curves.draw_losses", lambda *args: None)  # which takes seconds


def recipe(shards: str, **changes: Any) -> Recipe:
    data = {"source": shards, "size": 8, "stream": True, "sample": 24, "flip": 0.5}
    return Recipe.checked(merged(merged(TINY, {"data": data}), changes))


class Dies(Observer):
    """Ends the process, as far as the run can tell, after its third step."""

    def stepped(self, run: Run, record: Record) -> None:
        if record.step == 3:
            raise KeyError("killed")


def test_a_stream_that_was_killed_and_resumed_ends_with_the_same_bits(shards: str, tmp_path: Path) -> None:
    told: list[str] = []
    listeners = Listeners(lambda stage: [Validation(recipe(shards), 1e9)], told.append)
    carry_out(recipe(shards), tmp_path / "whole", listeners=listeners)
    with pytest.raises(KeyError):
        carry_out(recipe(shards), tmp_path / "killed", listeners=Listeners(lambda stage: [Dies()]))
    result = carry_out(recipe(shards), tmp_path / "killed")
    assert result.finished
    assert result.seen == 48
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))

    assert "3 tars" in told[0]
    assert "a sample of" in told[0]
    late = [sentence for sentence in told if "'late'" in sentence]
    assert len(late) == 1
    assert "label: " in told[-1]
    card = (result.folder / "README.md").read_text("utf-8")
    assert "streamed: 3 tars" in card
    assert (tmp_path / "whole" / "validation.jsonl").is_file()
    decoded = sum(len(file.read_bytes()) for file in (Path(shards).parent / "cache").rglob("pictures.u8"))
    assert decoded == 24 * 8 * 8 * 3  # the sample, and nothing else


def test_codes_of_a_stream_are_made_on_the_way(shards: str, tmp_path: Path) -> None:
    coder = {"family": {"kind": "vae", "codes": 2, "widths": [8, 8]}, "training": {**STEPS, "images": 16}}
    over = recipe(shards, network={"patch": 1}, training={"images": 16}, codes={"recipe": coder}, conditions={})
    result = carry_out(over, tmp_path)
    family = result.family
    assert result.finished
    assert isinstance(family, Latent)
    assert not list(tmp_path.glob("codes-*"))
    assert bool((family.get_buffer("scale") != 1).all())


def test_each_process_of_a_team_fills_its_own_rows() -> None:
    parts: list[Batch] = []
    for rank, (first, count) in enumerate(((10, 2), (12, 3))):
        label = Said((torch.full((count,), 4),), torch.ones(count, dtype=torch.bool))
        streams = Streams(3, range(first, first + count))
        parts.append(Batch(torch.full((count, 1, 2, 2), 1.0 + rank), Conditions({"label": label}), streams))
    zero, one = (whole(part, 10, 5, rank, 2) for rank, part in enumerate(parts))
    assert torch.equal((zero.x + one.x)[:, 0, 0, 0], torch.tensor([1.0, 1, 2, 2, 2]))
    assert zero.conditions["label"].present.tolist() == [True, True, False, False, False]
    assert one.conditions["label"].values[0].tolist() == [0, 0, 4, 4, 4]
    assert torch.equal(zero.streams.normal(2), Streams(3, range(10, 15)).normal(2))
    assert torch.equal(one.rows(2, 5).streams.normal(2), Streams(3, range(12, 15)).normal(2))


def test_what_is_measured_of_a_stream_is_reading_and_coding_it_too(
    shards: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, dataset, bus = recipe(shards), open_data(recipe(shards).data), Bus({})
    coder = make_family({"kind": "vae", "codes": 2, "widths": [8, 8]}, None, bus, (3, 8, 8), 0)
    network = {**TINY["network"], "patch": 1}
    family = make_family({"kind": "diffusion"}, network, bus, (2, 2, 2), 0, codes=True)
    coded: list[Any] = []
    monkeypatch.setattr(coder, "encode", lambda x: coded.append(tuple(x.shape)))
    with ExitStack() as feeds:
        batch_at = _feed(Learnt(dataset, (2, 2, 2), coded=True, outer=coder), said, feeds, family)
        assert batch_at(8).x.shape == (8, 2, 2, 2)
    assert coded == [(8, 3, 8, 8)]

    adapted = Latent(coder, family)  # the base of an adapter: it encodes what is streamed, where else codes are kept
    with _fed(adapted, bus, "", dataset, said, tmp_path, Listeners()) as (batch_at, _):
        assert batch_at(0).x.shape == (8, 3, 8, 8)


def test_a_model_is_measured_on_what_the_stream_held_out(shards: str) -> None:
    said = recipe(shards)
    seen = learnt_view({"data": said.data.model_dump()}, shards)
    held = seen.open(shards, (3, 8, 8), "validation", progress=False)
    assert held.fingerprint == open_data(said.data, "validation").fingerprint
    assert seen.plain() == {"policy": "crop", "where": {}, "stream": True, "sample": 24}


def test_a_plan_counts_the_stream_and_not_its_sample(shards: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"data": recipe(shards).data.model_dump(), "family": {"kind": "gan"}}
    few = from_scratch(values, lambda sentence: None)
    assert "adapt" in few["family"]["rules"]
    monkeypatch.setattr(Sampled, "whole", 1_000_000)
    assert "adapt" not in from_scratch(values, lambda sentence: None)["family"]["rules"]
