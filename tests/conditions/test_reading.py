"""What people give: transparent, turned, deep, dark on white, or of the wrong kind."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from lienzo.conditions import ImageCondition, MapCondition
from lienzo.conditions.reading import map_read
from lienzo.core import ConditionError

SIDE = 16


def heard(condition: MapCondition | ImageCondition, value: object) -> np.ndarray:
    planes = condition.parse([value]).values[0][0]
    return planes.permute(1, 2, 0).numpy()


def drawn(ink: int, paper: int) -> Image.Image:
    image = Image.new("L", (SIDE, SIDE), paper)
    ImageDraw.Draw(image).line((2, 8, 13, 8), fill=ink)
    return image


def test_a_reference_is_upright_on_white_and_in_eight_bits(tmp_path: Path):
    reference = ImageCondition(size=SIDE, patch=8)
    cut = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))  # black lies hidden under what is transparent
    cut.paste((200, 0, 0, 255), (4, 4, 12, 12))
    planes = heard(reference, cut)
    assert tuple(planes[0, 0]) == (255, 255, 255)
    assert tuple(planes[8, 8]) == (200, 0, 0)
    turned, exif = Image.new("RGB", (SIDE, SIDE)), Image.Exif()
    turned.paste((255, 255, 255), (0, 0, SIDE, 8))
    exif[0x0112] = 3
    turned.save(tmp_path / "turned.png", exif=exif)
    assert heard(reference, tmp_path / "turned.png")[:8].max() == 0
    Image.fromarray(np.full((SIDE, SIDE), 100 * 257, np.uint16)).save(tmp_path / "deep.png")
    assert np.unique(heard(reference, tmp_path / "deep.png")).tolist() == [100]
    grey = heard(MapCondition("depth", SIDE), tmp_path / "deep.png")
    assert np.unique(grey).tolist() == [100]


def test_of_a_long_picture_the_middle_is_heard_unsquashed():
    wide = Image.new("RGB", (3 * SIDE, SIDE), "red")
    wide.paste((0, 0, 255), (SIDE, 0, 2 * SIDE, SIDE))
    assert np.unique(heard(ImageCondition(size=SIDE, patch=8), wide).reshape(-1, 3), axis=0).tolist() == [[0, 0, 255]]
    classes = Image.new("L", (SIDE, 3 * SIDE), 1)
    classes.paste(2, (0, SIDE, SIDE, 2 * SIDE))
    assert (heard(MapCondition("segmentation", SIDE, 3), classes) == 2).all()


def test_lines_are_heard_white_on_black_however_they_are_drawn(tmp_path: Path):
    lines, light, dark = MapCondition("edges", SIDE), drawn(255, 0), drawn(0, 255)
    dark.convert("RGB").save(tmp_path / "dark.png")
    wanted = np.asarray(light)[..., None]
    ink = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    ink.paste((20, 20, 20, 255), (0, 0), light)
    white = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), (0, 0), light)
    for value in (light, dark, tmp_path / "dark.png", np.array(dark)[..., None], ink, white):
        assert (heard(lines, value) == wanted).all()
    number = torch.ones(1, SIDE, SIDE)
    assert torch.equal(lines.parse([number]).values[0][0], number)  # numbers are what was heard: a record's


def test_a_mask_cut_out_of_nothing_is_what_is_opaque():
    for tone in (0, 255):
        cut = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
        cut.paste((tone, tone, tone, 255), (0, 0, 8, SIDE))
        mask = heard(MapCondition("mask", SIDE), cut)[..., 0]
        assert (mask[:, :8] == 255).all()
        assert (mask[:, 8:] == 0).all()


@pytest.mark.parametrize("kind", ["depth", "edges", "pose"])
def test_a_photograph_is_no_map(kind: str):
    noise = np.random.default_rng(0).integers(80, 256, (SIDE, SIDE, 3), np.uint8)
    channels = 3 if kind == "pose" else 1
    with pytest.raises(ConditionError, match=f"no map of {kind}"):
        MapCondition(kind, SIDE, channels).parse([Image.fromarray(noise)])  # type: ignore[arg-type]
    grey = Image.fromarray(np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1)))
    assert map_read(grey, "depth", 1).getextrema() == (0, 255)


def test_classes_are_numbers_and_never_shades_of_colours():
    parts = MapCondition("segmentation", SIDE, 3)
    classes = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 3
    grey = Image.fromarray(classes.astype(np.uint8))
    deep = Image.fromarray(classes.astype(np.uint16))
    for value in (grey, grey.convert("RGB"), deep):
        assert (heard(parts, value)[..., 0] == classes).all()
    with pytest.raises(ConditionError, match="got colours"):
        parts.parse([Image.new("RGB", (SIDE, SIDE), "red")])
    with pytest.raises(ConditionError, match="up to 257"):
        parts.parse([Image.fromarray(np.full((SIDE, SIDE), 257, np.uint16))])  # which is 1 in a byte
