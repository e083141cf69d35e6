"""Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017): from the Debian package, from a folder, or from the hub."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lienzo.core.errors import DataError
from lienzo.data.cache import key_of
from lienzo.data.dataset import Bytes, Planes, Table, TableDataset
from lienzo.data.pixels import LANCZOS, Ask
from lienzo.data.splits import Where, matching, rows_of

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
VARIABLE = "LIENZO_FASHION_MNIST"
HUB = "zalando-datasets/fashion_mnist"
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
PARTS = {"train": "train", "test": "t10k"}
LARGEST = 1 << 28  # bytes of an unpacked file: a guard against gzip bombs
CITATION = "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms (Xiao et al., 2017)"
Drawn = tuple[Bytes, NDArray[np.int64]]  # pictures (N, 28, 28), class numbers (N,)


def open_fashion_mnist(ask: Ask, split: str, where: Where | None, *, folder: Path | None = None) -> TableDataset:
    """Open Fashion-MNIST.

    The set has no validation split of its own: "train" is 57,000 of its 60,000 training pictures, "validation" the
    rest, "train+validation" all of them, and "test" its 10,000.

    Args:
        ask: size and channels. At 28 the pictures are as they came; policy "pad" puts them on black, unscaled.
        split: as in `open_source`.
        where: as in `open_source`.
        folder: where the four IDX files lie (packed or not); by default LIENZO_FASHION_MNIST, then Debian's package,
            then the hub.

    Raises:
        DataError: if it is nowhere, or a file is damaged.
    """
    wanted = [part for part in PARTS if _needs(part, split)]
    drawn = _from_somewhere(folder, wanted or list(PARTS))
    pictures = np.concatenate([drawn[part][0] for part in drawn])
    codes = np.concatenate([drawn[part][1] for part in drawn])
    said = [part for part in drawn for _ in drawn[part][1]]
    contents = [hashlib.blake2b(picture.tobytes(), digest_size=8).hexdigest() for picture in pictures]
    native = 0 if ask.policy == "pad" else pictures.shape[1]  # a margin around it enlarges nothing
    table = Table(_planes(pictures, ask), {"label": (codes, CLASSES)}, {}, {}, native)
    rows = rows_of(split, said, contents, "fashion-mnist")
    rows = rows[matching(table, where or {}, "fashion-mnist")[rows]]
    print_of = key_of(hashlib.blake2b(pictures.tobytes(), digest_size=16).hexdigest(), split, dict(where or {}))
    return TableDataset("fashion-mnist", table, rows, licence="MIT", citation=CITATION, fingerprint=print_of)


def found_at() -> str:
    """Say where the set is, or "" if it is on none of this machine's disks."""
    return next((str(place) for place in _places(None) if _idx(place, "train") is not None), "")


def _needs(part: str, split: str) -> bool:
    names = {name.strip() for name in split.split("+")}
    return bool(names & ({"all", "test"} if part == "test" else {"all", "train", "validation"}))


def _places(folder: Path | None) -> list[Path]:
    if folder is not None:
        return [folder]
    given = os.environ.get(VARIABLE)
    return [*([Path(given).expanduser()] if given else []), DEBIAN]


def _from_somewhere(folder: Path | None, parts: list[str]) -> dict[str, Drawn]:
    for place in _places(folder):
        if all(_idx(place, part) is not None for part in parts):
            return {part: _read(place, part) for part in parts}
    why = "it was not asked, because a folder was named"
    if folder is None:
        try:
            return {part: _from_hub(part) for part in parts}
        except DataError as error:
            why = error.what
    where = f"{folder} lacks the IDX files" if folder else "Fashion-MNIST is not on this machine"
    raise DataError(
        f"{where} (looked in {', '.join(map(str, _places(folder)))}; the hub: {why})",
        hint="any of three: apt-get install dataset-fashion-mnist; a folder with train-images-idx3-ubyte, "
        "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (packed as .gz or not), named by "
        f"'fashion-mnist:FOLDER' or {VARIABLE}; or pip install 'lienzo[hub]' and a network",
    )


def _idx(place: Path, part: str) -> tuple[Path, Path] | None:
    """Find the two files of a part; some copies spell the last hyphen as a dot."""
    found: list[Path] = []
    for stem in (f"{PARTS[part]}-images-idx3-ubyte", f"{PARTS[part]}-labels-idx1-ubyte"):
        names = [name + end for name in (stem, stem.replace("-idx", ".idx")) for end in ("", ".gz")]
        found += [place / name for name in names if (place / name).is_file()][:1]
    return (found[0], found[1]) if len(found) == 2 else None


def _read(place: Path, part: str) -> Drawn:
    files = _idx(place, part)
    assert files is not None
    pictures, labels = read_idx(files[0], 3), read_idx(files[1], 1)
    if len(pictures) != len(labels) or pictures.shape[1:] != (28, 28) or int(labels.max(initial=0)) >= len(CLASSES):
        raise DataError(f"{files[0]} and {files[1]} do not belong together", hint="fetch the four files again")
    return pictures, labels.astype(np.int64)


def read_idx(file: Path, dimensions: int) -> Bytes:
    """Read an IDX file of bytes, packed by gzip or not.

    Raises:
        DataError: if it is not one, is cut, or has another number of dimensions.
    """
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            data = opened.read(LARGEST)
        head = struct.unpack(f">HBB{dimensions}I", data[: 4 + 4 * dimensions])
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise DataError(f"{file} cannot be read: {error}", hint="fetch it again") from None
    shape, body = head[3:], np.frombuffer(data, np.uint8)[4 + 4 * dimensions :]
    if head[:3] != (0, 8, dimensions) or len(body) != int(np.prod(shape)):
        raise DataError(f"{file} is no IDX file of {dimensions} dimensions, or it is cut", hint="fetch it again")
    return body.reshape(shape)


def _from_hub(part: str) -> Drawn:
    from lienzo.data.hub import library

    try:
        rows: Any = library().load_dataset(HUB, split=part)
    except DataError:
        raise
    except Exception as error:  # a network can fail in any way
        raise DataError(f"{type(error).__name__}: {error}"[:200]) from None
    return np.stack([np.asarray(image, np.uint8) for image in rows["image"]]), np.array(rows["label"], np.int64)


def _planes(pictures: Bytes, ask: Ask) -> Planes:
    side = pictures.shape[1]
    if ask.size > side and ask.policy == "pad":
        before = (ask.size - side) // 2
        margin = (before, ask.size - side - before)
        pictures = np.pad(pictures, ((0, 0), margin, margin))
    elif ask.size != side:
        square = (ask.size, ask.size)
        pictures = np.stack([np.asarray(Image.fromarray(p).resize(square, LANCZOS)) for p in pictures])
    return _Grey(pictures, ask.channels)


class _Grey:
    """One plane shown as several."""

    def __init__(self, pictures: Bytes, channels: int) -> None:
        self._pictures, self._channels = pictures, channels
        self.shape: tuple[int, ...] = (len(pictures), channels, *pictures.shape[1:])

    def __getitem__(self, rows: NDArray[np.int64]) -> Bytes:
        return np.repeat(self._pictures[rows][:, None], self._channels, 1)
