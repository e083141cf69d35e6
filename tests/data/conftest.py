"""Small sources, made where a test asks for them."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lienzo.conditions.base import Channels, Condition, Sizes
from lienzo.conditions.bus import Bus
from lienzo.core import Said


class Heard(Condition):
    """A condition that only remembers what it was told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def prepare(self, vector, token):
        pass

    def sizes(self, vector, token):
        return Sizes()

    def parse(self, values):
        self.told.append(list(values))
        return Said((), torch.tensor([v is not None for v in values]))

    def encode(self, said):
        return Channels()


def drawn(number: int, size=(20, 16), mode: str = "RGB") -> Image.Image:
    """A picture unlike those of other numbers."""
    noise = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


class Make:
    """What tests make."""

    picture = staticmethod(drawn)
    encoded = staticmethod(encoded)

    def __init__(self, path: Path):
        self.path = path

    def folder(self, names: list[str], *, first: int = 0, under: str = "set") -> Path:
        """Pictures of these names, each unlike the others."""
        for number, name in enumerate(names, start=first):
            file = self.path / under / name
            file.parent.mkdir(parents=True, exist_ok=True)
            drawn(number).save(file)
        return self.path / under

    def tars(self, shards: int, each: int, *, bad: int = 0) -> str:
        """Shards with `each` samples: jpg, cls, txt. The first `bad` samples of each are no pictures."""
        for shard in range(shards):
            with tarfile.open(self.path / f"train-{shard:03}.tar", "w") as tar:
                for n in range(each):
                    number = shard * each + n
                    data = b"no picture" if n < bad else encoded(drawn(number))
                    said = {"label": f"c{number % 3}", "caption": f"n {number}"}
                    parts = {"png": data, "json": json.dumps(said).encode()}
                    for end, content in parts.items():
                        member = tarfile.TarInfo(f"{number:05}.{end}")
                        member.size = len(content)
                        tar.addfile(member, io.BytesIO(content))
        return str(self.path / f"train-{{000..{shards - 1:03}}}.tar")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def bus_of():
    """A bus whose conditions remember what they were told."""
    return lambda *names: Bus({name: Heard() for name in names})


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "default-cache"))
