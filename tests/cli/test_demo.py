from __future__ import annotations

import html
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

import lienzo
from lienzo.api import Record, reproduce
from lienzo.api.demo import PROMPTS, demo


@pytest.fixture(scope="module")
def shown(fake_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo(tmp_path_factory.mktemp("demo"), str(fake_model))


def test_it_writes_every_sheet_and_every_picture(shown: Path):
    files = {path.relative_to(shown.parent).as_posix() for path in shown.parent.rglob("*.png")}
    assert {"prompts.png", "steps.png", "classes.png"} <= files
    assert sum(name.startswith("pictures/prompts/") for name in files) == len(PROMPTS) * 2
    assert sum(name.startswith("pictures/classes/") for name in files) == 2 * 2


def test_each_picture_can_be_made_again(shown: Path, fake_model: Path):
    path = sorted((shown.parent / "pictures" / "prompts").iterdir())[3]
    assert reproduce(path).same
    record = Record.of(Image.open(path))
    page = shown.read_text("utf-8")
    command = next(
        c for c in map(html.unescape, re.findall("<code>(.*?)</code>", page)) if str(record.conditions["text"]) in c
    )
    words = shlex.split(command)
    assert words[:2] == ["lienzo", "generate"]
    said = dict(zip(words[3::2], words[4::2], strict=True))
    (again,) = lienzo.load(said["--model"]).generate(
        words[2],
        style=said["--style"],
        seed=int(said["--seed"]),
        count=int(said["--count"]),
        best_of=int(said["--best-of"]),
    )
    first = next(
        p for p in sorted(path.parent.iterdir()) if Record.of(Image.open(p)).conditions == Record.of(again).conditions
    )
    assert Image.open(first).tobytes() == again.tobytes()


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_says_what_it_shows(shown: Path):
    text = shown.read_text("utf-8")
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert all(str(image["src"]).startswith("data:image/png;base64,") and image["alt"] for image in reader.images)
    assert not re.search(r"(src|href)=\"https?:", text)
    for word in (*PROMPTS, "seed 7", "Drawn at 16 × 16", "FD-clf64: 123.4", "It draws noise."):
        assert html.escape(word) in text
    assert "$" not in re.sub("<style>.*?</style>", "", text, flags=re.DOTALL).replace("$(", "")


def test_a_model_that_hears_no_words(seeing_model: Path, tmp_path: Path):
    page = demo(tmp_path, str(seeing_model))
    assert (tmp_path / "classes.png").is_file()
    assert "Pictures of a label" in page.read_text("utf-8")
    assert not (tmp_path / "prompts.png").exists()


def test_a_slow_machine_takes_fewer_steps(fake_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"AFFORDED": 0.0, "FEWEST": 2}.items():
        monkeypatch.setattr(f"lienzo.api.demo.draw.{name}", value)
    said: list[str] = []
    page = demo(tmp_path, str(fake_model), tell=said.append)
    assert sum("2 steps a picture in the place of 4" in line for line in said) == 1
    picture = next((tmp_path / "pictures" / "prompts").iterdir())
    assert Record.of(Image.open(picture)).options["steps"] == 2
    assert "--steps 2" in page.read_text("utf-8")
    assert reproduce(picture).same
