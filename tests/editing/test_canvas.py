from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lienzo.conditions.image import as_pil
from lienzo.core import ConditionError, DataError
from lienzo.editing import open_canvas, read_mask

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112


def turned(by: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = by
    return exif


def noise(size: tuple[int, int] = (12, 8)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize(("mode", "kind"), [("L", "png"), ("LA", "png"), ("I;16", "png"), ("CMYK", "jpg")])
def test_a_profile_that_no_longer_fits_is_not_written(tmp_path: Path, mode: str, kind: str):
    image = Image.fromarray(np.full((4, 4), 999, np.uint16)) if mode == "I;16" else Image.new(mode, (4, 4))
    image.save(tmp_path / f"a.{kind}", icc_profile=SRGB)
    canvas = open_canvas(tmp_path / f"a.{kind}")
    canvas.whole().save(tmp_path / "out.png")
    assert "icc_profile" not in Image.open(tmp_path / "out.png").info
    noise().save(tmp_path / "b.png", icc_profile=SRGB)
    open_canvas(tmp_path / "b.png").whole().save(tmp_path / "out.png")
    assert Image.open(tmp_path / "out.png").info["icc_profile"] == SRGB


def test_a_phones_two_pictures_in_one_are_no_animation(tmp_path: Path):
    noise().save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[noise()])
    assert Image.open(tmp_path / "a.jpg").format == "MPO"
    assert not open_canvas(tmp_path / "a.jpg").notes


def broken_exif() -> bytes:
    """A PNG whose EXIF block is cut off within its first entry."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head, rows = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0), zlib.compress((b"\0" + bytes(12)) * 4)
    exif = b"MM\0*\0\0\0\x08\0\x09\x01\x12"
    parts = ((b"IHDR", head), (b"eXIf", exif), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_a_broken_exif_block_says_nothing_about_the_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.png").write_bytes(broken_exif())
    assert open_canvas(tmp_path / "a.png").size == (4, 4)

    def getexif(_: Image.Image) -> Image.Exif:
        raise struct.error("unpack requires a buffer of 12 bytes")

    noise().save(tmp_path / "b.png")
    monkeypatch.setattr(Image.Image, "getexif", getexif)
    assert open_canvas(tmp_path / "b.png").size == (12, 8)


def test_whatever_a_decoder_raises_is_one_sentence(tmp_path: Path):
    noise((64, 64)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cannot read .*cut off"):
        open_canvas(tmp_path / "cut.png")
    with pytest.raises(DataError, match=r"cannot read .*cut off"):
        open_canvas(Image.open(tmp_path / "cut.png"))
    with pytest.raises(DataError, match="cannot read"):
        read_mask(tmp_path / "cut.png", (64, 64))
    for given in (str(tmp_path / "cut.png"), Image.open(tmp_path / "cut.png")):
        with pytest.raises(ConditionError, match="cannot read a picture"):
            as_pil(given)


@pytest.mark.parametrize("error", [struct.error("4 bytes"), EOFError(), IndexError("list"), MemoryError()])
def test_nothing_that_a_decoder_raises_gets_out(error: Exception, monkeypatch: pytest.MonkeyPatch):
    def load(_: Image.Image) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(DataError, match="cannot read"):
        open_canvas(Image.new("RGB", (4, 4)))


def test_a_bomb_is_refused_as_a_condition_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    noise().save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ConditionError, match="cannot read a picture"):
        as_pil(tmp_path / "a.png")
    with pytest.raises(DataError, match="held in memory"):
        read_mask(tmp_path / "a.png", (12, 8))


def test_a_mask_is_turned_as_its_picture_is(tmp_path: Path):
    mask = Image.new("L", (8, 12))
    mask.paste(255, (0, 0, 8, 4))
    for by, rows, columns in ((3, slice(8, 12), slice(0, 8)), (6, slice(0, 8), slice(8, 12))):
        mask.save(tmp_path / "m.png", exif=turned(by))
        noise((8, 12)).save(tmp_path / "a.png", exif=turned(by))
        size = open_canvas(tmp_path / "a.png").size
        read = read_mask(tmp_path / "m.png", size).mask
        assert read[rows, columns].all()
        assert read.sum() == 32


def test_a_mask_of_a_format_that_runs_programs_is_not_opened(tmp_path: Path):
    (tmp_path / "m.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n")
    with pytest.raises(DataError, match="cannot read"):
        read_mask(tmp_path / "m.png", (4, 4))


def test_a_mask_of_noughts_and_ones_is_meant_where_it_is_one():
    values = np.zeros((8, 12), np.uint8)
    values[2:4, 3:7] = 1
    read = read_mask(Image.fromarray(values), (12, 8))
    assert (read.mask == (values == 1)).all()
    assert "1 is what is meant" in read.notes[0]
