from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lienzo.core import ConditionError, DataError
from lienzo.editing import Picked, combined, open_canvas, read_class, read_mask


def picture(mode: str, size: tuple[int, int] = (12, 8)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), np.uint8)
    noise = noise if mode in ("LA", "RGBA") else noise[..., :3]
    return Image.fromarray(noise).convert(mode) if mode != "I;16" else Image.fromarray(
        noise[..., 0].astype(np.uint16) * 257
    )  # fmt: skip


def square(size: tuple[int, int] = (12, 8)) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, (2, 2, 6, 6))
    return mask


@pytest.mark.parametrize(
    ("mode", "kind", "said"),
    [("RGB", "png", ""), ("L", "png", "grey"), ("LA", "png", "grey"), ("P", "png", "palette"),
     ("I;16", "png", "16 bits"), ("CMYK", "jpg", "CMYK"), ("1", "png", "grey"), ("RGBA", "png", "transparent")],
)  # fmt: skip
def test_every_kind_of_picture_is_read_and_what_was_converted_is_said(tmp_path: Path, mode: str, kind: str, said: str):
    file = tmp_path / f"a.{kind}"
    picture(mode).save(file)
    canvas = open_canvas(file)
    assert canvas.colour.mode == "RGB"
    assert canvas.size == (12, 8)
    assert any(said in note for note in canvas.notes) or (not said and not canvas.notes)
    assert (canvas.alpha is not None) == (mode in ("LA", "RGBA"))


def test_colours_hidden_by_transparency_are_kept(tmp_path: Path):
    image = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    image.save(tmp_path / "a.png")
    canvas = open_canvas(tmp_path / "a.png")
    assert canvas.whole().getpixel((0, 0)) == (10, 20, 30, 0)
    assert canvas.seen.getpixel((0, 0)) == (255, 255, 255)


def test_an_animation_a_turned_picture_and_a_profile(tmp_path: Path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    canvas = open_canvas(tmp_path / "a.gif")
    assert any("animated" in note for note in canvas.notes)
    assert canvas.colour.getpixel((0, 0)) == (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture("RGB").save(tmp_path / "b.jpg", exif=exif, icc_profile=profile)
    turned = open_canvas(tmp_path / "b.jpg")
    assert turned.size == (8, 12)
    assert turned.whole().info["icc_profile"] == profile
    assert any("upright" in note for note in turned.notes)


def test_inks_without_a_usable_profile_are_converted_with_a_word(tmp_path: Path):
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # of light, not of inks
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", icc_profile=wrong)
    canvas = open_canvas(tmp_path / "a.jpg")
    assert canvas.colour.getpixel((0, 0))[0] > 200
    assert any("profile cannot be used" in note for note in canvas.notes)


def png_head(width: int, height: int) -> bytes:
    """A PNG that says how large it is and holds nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [12_000, 20_000])
def test_a_picture_too_large_for_memory_is_refused_before_it_is_decoded(tmp_path: Path, side: int):
    (tmp_path / "a.png").write_bytes(png_head(side, side))
    with pytest.raises(DataError, match="held in memory"):
        open_canvas(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"not a picture", png_head(4, 4)])
def test_no_picture(tmp_path: Path, content: bytes):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match="cannot read"):
        open_canvas(tmp_path / "a.png")
    with pytest.raises(DataError, match="there is no file"):
        open_canvas(tmp_path / "b.png")


def test_a_mask_is_bright_or_opaque():
    assert read_mask(square(), (12, 8)).mask.sum() == 16
    cut = Image.new("RGBA", (12, 8), (0, 0, 0, 0))
    cut.paste((0, 0, 0, 255), (2, 2, 6, 6))
    assert read_mask(cut, (12, 8)).mask.sum() == 16
    deep = Image.fromarray(np.asarray(square()).astype(np.uint16) * 257)
    assert read_mask(deep, (12, 8)).mask.sum() == 16


def test_a_mask_of_another_size():
    scaled = read_mask(square(), (24, 16))
    assert scaled.mask.shape == (16, 24)
    assert scaled.mask.sum() == 64
    assert "brought from 12 × 8" in scaled.notes[0]
    with pytest.raises(DataError, match="12 × 8, the picture 12 × 12"):
        read_mask(square(), (12, 12))


def test_a_class_of_a_map(tmp_path: Path):
    classes = Image.fromarray(np.repeat(np.arange(3, dtype=np.uint8), 4)[None].repeat(8, 0))
    classes.save(tmp_path / "m.png")
    with pytest.raises(DataError, match="no names"):
        read_class(tmp_path / "m.png", "sky", (12, 8))
    (tmp_path / "m.png.json").write_text(json.dumps(["sky", "Building", "tree"]))
    assert read_class(tmp_path / "m.png", "building", (12, 8)).mask[:, 4:8].all()
    assert read_class(tmp_path / "m.png", "building", (12, 8)).mask.sum() == 32
    with pytest.raises(ConditionError, match="sky, Building, tree"):
        read_class(tmp_path / "m.png", "dog", (12, 8))
    assert read_class(tmp_path / "m.png", "sky", (24, 16)).mask[:, :8].all()  # of the same proportions
    with pytest.raises(DataError, match="own size"):
        read_class(tmp_path / "m.png", "sky", (24, 12))
    (tmp_path / "m.png.json").write_text(json.dumps(["sky", "building", "plant", "animal"]))
    with pytest.raises(DataError, match=r"is 'animal', which 'zebra' means(.|\n)*shows is sky, building, plant"):
        read_class(tmp_path / "m.png", "zebra", (12, 8))


def test_a_map_of_colours_is_no_map_of_classes(tmp_path: Path):
    classes = Image.fromarray(np.repeat(np.arange(3, dtype=np.uint8), 4)[None].repeat(8, 0))
    (tmp_path / "m.png.json").write_text(json.dumps(["sky", "building", "tree"]))
    classes.convert("RGB").save(tmp_path / "m.png")
    assert read_class(tmp_path / "m.png", "building", (12, 8)).mask.sum() == 32
    coloured = np.array([(134, 190, 240), (0, 1, 0), (2, 2, 2)], np.uint8)[np.asarray(classes)]
    Image.fromarray(coloured).save(tmp_path / "m.png")
    with pytest.raises(DataError, match="a map of colours"):
        read_class(tmp_path / "m.png", "building", (12, 8))


def test_classes_are_named_in_two_languages_several_at_once_and_by_their_kind(tmp_path: Path):
    classes = Image.fromarray(np.repeat(np.arange(3, dtype=np.uint8), 4)[None].repeat(8, 0))
    classes.save(tmp_path / "m.png")
    (tmp_path / "m.png.json").write_text(json.dumps({"0": "sky", "1": "building", "2": "plant, flora"}))
    for words, pixels in (
        ("buildings", 32), ("the house", 32), ("el edificio", 32), ("flora", 32), ("2", 32), ("árbol", 32),
        ("building, sky", 64), ("the building and the tree", 64), ("las casas y el cielo", 64),
    ):  # fmt: skip
        assert read_class(tmp_path / "m.png", words, (12, 8)).mask.sum() == pixels, words
    assert "'house' was heard as the map's class 'building'" in read_class(tmp_path / "m.png", "house", (12, 8)).notes
    with pytest.raises(ConditionError, match="no class 'dog'"):
        read_class(tmp_path / "m.png", "sky and dog", (12, 8))


def half(left: bool) -> Picked:
    mask = np.zeros((8, 12), np.bool_)
    mask[:, slice(0, 6) if left else slice(6, 12)] = True
    return Picked(mask)


def test_keep_and_change_together():
    nothing, all_ = Picked(np.zeros((8, 12), np.bool_)), Picked(np.ones((8, 12), np.bool_))
    assert combined(None, None, (12, 8)) is None
    both = combined(half(True), half(False), (12, 8))
    assert both is not None
    assert (both.mask == half(True).mask).all()
    overlapping = combined(all_, half(False), (12, 8))
    assert overlapping is not None
    assert "both name 50%" in overlapping.notes[0]
    everything = combined(all_, None, (12, 8))
    assert everything is not None
    assert "nothing is kept" in everything.notes[0]
    for change, keep, said in (
        (half(True), half(True), "--keep forbids"), (None, all_, "nothing may change"),
        (nothing, None, "selects no pixel"), (None, nothing, "selects no pixel"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            combined(change, keep, (12, 8))
