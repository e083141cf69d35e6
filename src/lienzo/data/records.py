"""What a source lists before anything is decoded: one record a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Picture = Path | bytes
SPLITS = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
READ = (
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "ppm", "pgm", "pbm", "pnm",
    "avif", "avifs", "jp2", "j2k", "jpx", "jpc", "ico", "qoi",
)  # fmt: skip
NOT_READ = (  # pictures all the same: a report should name them
    "eps", "ps", "psd", "tga", "dds", "heic", "heif", "svg", "icns", "pcx", "sgi", "rgb", "im", "fli", "flc", "msp",
    "xbm", "xpm", "wal", "blp", "ftu", "ftc", "gbr", "cur", "dcx", "hdr", "exr",
)  # fmt: skip
EXTENSIONS = frozenset({*READ, *NOT_READ})


@dataclass(frozen=True)
class Record:
    """One picture and what is said of it, as the source gives it.

    Attributes:
        key: how reports name it: a path within the folder, a row, a member of a tar.
        picture: where it is, or its bytes; None if there is none.
        fields: what is said of it, by column, as it was read.
        maps: pictures that lie over it, by column.
        split: "train", "validation", "test", or "" if the source does not say.
        problem: why it cannot be used, where that is known before it is decoded.
        detail: more about the problem.
    """

    key: str
    picture: Picture | None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maps: Mapping[str, Picture] = field(default_factory=dict[str, Picture])
    split: str = ""
    problem: str = ""
    detail: str = ""


class Source(ABC):
    """Somewhere that pictures come from.

    Attributes:
        name: what a person calls it.
        kind: "folder", "table", "tar" or "hub".
    """

    name: str
    kind: str

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """List every picture, always in the same order."""

    @abstractmethod
    def files(self) -> list[Path]:
        """Return the files that the content depends on; empty if it does not lie in files."""

    def root(self) -> Path:
        """Return the folder that the files' names are told from."""
        return Path(self.name)

    def token(self) -> str:
        """Return what names the content where it does not lie in files."""
        return ""

    def ignored(self) -> list[str]:
        """Return the files that were passed over because nothing says that they are pictures."""
        return []


def is_image_name(name: str) -> bool:
    """Tell whether a file's name says that it is a picture."""
    return name.rpartition(".")[2].lower() in EXTENSIONS and "." in name
