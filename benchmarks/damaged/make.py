"""Assemble a folder of damaged and odd pictures: made up with a seed, and Pillow's own test images if given.

pip download --no-binary :all: --no-deps pillow
python benchmarks/damaged/make.py FOLDER --tarball pillow-*.tar.gz
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import random
import re
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SUSPECT = re.compile(r"crash|timeout|bomb|broken|bad|truncat|invalid|oom|overflow|fuzz|oob|corrupt|16bit|cmyk")
ENDS = (
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".jp2", ".j2k", ".ico", ".ppm", ".avif",
    ".psd", ".dds", ".eps", ".fli", ".sgi", ".pcx", ".tga", ".icns", ".blp",
)  # fmt: skip
MAGIC = b"\x89PNG\r\n\x1a\n"
BAD, CONVERTED, FINE = "bad", "converted", "fine"
# extension; BAD, CONVERTED or FINE; reason or note; the bytes
Kind = tuple[str, str, str, Callable[[random.Random], bytes]]


def picture(rng: random.Random, mode: str = "RGB", size: tuple[int, int] = (96, 72)) -> Image.Image:
    """A picture unlike the others: noise under a gradient."""
    noise = np.random.default_rng(rng.randrange(1 << 32)).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def cut(kind: str, **options: object) -> Callable[[random.Random], bytes]:
    """A file that ends too early."""

    def make(rng: random.Random) -> bytes:
        data = saved(picture(rng), kind, **options)
        return data[: int(len(data) * rng.uniform(0.3, 0.8))]

    return make


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, body: bytes, *, between: bytes = b"") -> bytes:
    """A grey PNG of one bit whose size is whatever it claims."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return MAGIC + chunk(b"IHDR", head) + between + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@functools.cache
def packed_zeros(count: int) -> bytes:
    """Zeros, packed: a thousandth of their size."""
    packer = zlib.compressobj(6)
    whole, rest = divmod(count, 1 << 20)
    blocks = [bytes(1 << 20)] * whole + [bytes(rest)]
    return b"".join(map(packer.compress, blocks)) + packer.flush()


def text_bomb(_: random.Random) -> bytes:
    """A small PNG with a compressed comment that swells to 200 MB."""
    return png(8, 8, bytes(16), between=chunk(b"zTXt", b"Comment\0\0" + packed_zeros(200 << 20)))


def pixel_bomb(_: random.Random) -> bytes:
    """A real PNG of 400 million pixels in 50 kB."""
    packed = packed_zeros(20_000 * (1 + 2500))
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return MAGIC + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def looped_tiff(_: random.Random) -> bytes:
    """A TIFF whose list of pictures bites its own tail and that has no pixels."""
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHIII", 1, 256, 4, 1, 64, 8)


def turned(rng: random.Random) -> bytes:
    """A JPEG that says how it must be turned."""
    exif = Image.Exif()
    exif[0x0112] = rng.choice([2, 3, 4, 5, 6, 7, 8])
    return saved(picture(rng), "JPEG", exif=exif)


def moving(kind: str) -> Callable[[random.Random], bytes]:
    """Several pictures in one file."""
    return lambda rng: saved(
        picture(rng), kind, save_all=True, append_images=[picture(rng) for _ in range(3)], duration=50
    )


def deep(rng: random.Random) -> bytes:
    """A grey PNG of 16 bits."""
    values = np.asarray(picture(rng, "L"), np.uint16) * 257
    return saved(Image.fromarray(values), "PNG")


def broken_head(rng: random.Random) -> bytes:
    """A PNG whose head has been written over."""
    data = bytearray(saved(picture(rng), "PNG"))
    data[8:40] = rng.randbytes(32)
    return bytes(data)


def floats(values: Callable[[np.ndarray], np.ndarray]) -> Callable[[random.Random], bytes]:
    """A TIFF of floats."""
    return lambda rng: saved(Image.fromarray(values(np.asarray(picture(rng, "F"), np.float32))), "TIFF")


def clear(rng: random.Random) -> Image.Image:
    """A picture that is half transparent."""
    image = picture(rng, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


KINDS: list[Kind] = [
    ("png", BAD, "zero bytes", lambda rng: b""),
    ("jpg", BAD, "not an image", lambda rng: b"<html>404 not found</html>" * rng.randrange(1, 50)),
    ("png", BAD, "not an image", lambda rng: b"\0" + rng.randbytes(2000)),
    ("jpg", BAD, "truncated", cut("JPEG", quality=95)),
    ("png", BAD, "truncated", cut("PNG")),
    ("gif", BAD, "truncated", cut("GIF")),
    ("bmp", BAD, "truncated", cut("BMP")),
    ("webp", BAD, "", cut("WEBP")),  # what its decoder says of it differs between versions
    ("tif", BAD, "", cut("TIFF")),
    ("png", BAD, "decompression bomb", lambda rng: png(60_000 + rng.randrange(1000), 60_000, bytes(64))),
    ("png", BAD, "decompression bomb", pixel_bomb),
    ("png", BAD, "decompression bomb", text_bomb),
    ("png", BAD, "damaged", broken_head),
    ("tif", BAD, "", looped_tiff),
    ("png", BAD, "too narrow", lambda rng: saved(picture(rng, size=(1, 2000 + rng.randrange(99))), "PNG")),
    ("tif", BAD, "float without a range", floats(lambda x: x * np.float32("nan"))),
    ("eps", BAD, "format not read", lambda rng: saved(picture(rng), "EPS")),
    ("jpg", CONVERTED, "CMYK", lambda rng: saved(picture(rng, "CMYK"), "JPEG")),
    ("jpg", CONVERTED, "EXIF-rotated", turned),
    ("png", CONVERTED, "16-bit", deep),
    ("png", CONVERTED, "palette", lambda rng: saved(picture(rng).quantize(16), "PNG")),
    ("gif", CONVERTED, "animated", moving("GIF")),
    ("webp", CONVERTED, "animated", moving("WEBP")),
    ("png", CONVERTED, "animated", moving("PNG")),
    ("tif", CONVERTED, "float", floats(lambda x: x / 255)),
    ("png", FINE, "", lambda rng: saved(picture(rng, "1"), "PNG")),
    ("png", FINE, "", lambda rng: saved(picture(rng, "LA"), "PNG")),
    ("png", FINE, "", lambda rng: saved(clear(rng), "PNG")),
    ("jpg", FINE, "", lambda rng: saved(picture(rng), "PNG")),  # the wrong name for what it is
    ("bmp", FINE, "", lambda rng: saved(picture(rng), "BMP")),
]


def make(folder: Path, *, count: int = 200, seed: int = 0, tarball: Path | None = None) -> dict[str, tuple[str, str]]:
    """Fill a folder.

    Args:
        folder: is created.
        count: files in all.
        seed: of what is made up.
        tarball: Pillow's source package; 120 of its test images are taken.

    Returns:
        What each made-up file is: (BAD, CONVERTED or FINE, the reason or note; "" where versions of Pillow differ).
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    if tarball is not None:
        for number, (name, data) in enumerate(pillows(tarball, seed, 120 * count // 200)):
            (folder / f"pillow-{number:03}-{name}").write_bytes(data)
            taken += 1
    expected: dict[str, tuple[str, str]] = {}
    for number in range(count - taken):
        end, verdict, reason, data_of = KINDS[number % len(KINDS)]
        name = f"made-{number:03}-{verdict}.{end}"
        (folder / name).write_bytes(data_of(random.Random(f"{seed} {number}")))
        expected[name] = (verdict, reason)
    return expected


def pillows(tarball: Path, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Take test images: those that once broke something first, then some of the others."""
    with tarfile.open(tarball) as tar:
        members = [m for m in tar if m.isfile() and "/Tests/images/" in m.name and m.name.lower().endswith(ENDS)]
        members = sorted((m for m in members if "fli_oob" not in m.name), key=lambda m: m.name)
        suspect = [m for m in members if SUSPECT.search(m.name.lower())]
        others = [m for m in members if m not in suspect]
        random.Random(seed).shuffle(others)
        for member in [*suspect, *others][:count]:
            opened = tar.extractfile(member)
            if opened is not None:
                yield Path(member.name).name, opened.read()


def main() -> None:
    """Fill the folder that is named, and write what is known of the files beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tarball", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    expected = make(given.folder, count=given.count, seed=given.seed, tarball=given.tarball)
    print(json.dumps({"files": given.count, "made up": len(expected)}))


if __name__ == "__main__":
    main()
