"""A folder of pictures: subfolders are labels, or `metadata.*` and text files beside the pictures say more.

The conventions are those of Hugging Face's *imagefolder* (metadata.csv, .jsonl or .parquet with a `file_name` column;
further `…_file_name` columns name maps; folders train/, validation/, test/ are splits), and `picture.txt` beside
`picture.png` for a caption.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from lienzo.data.metadata import METADATA, Row, read_metadata
from lienzo.data.records import SPLITS, Record, Source, is_image_name
from lienzo.data.telling import readable

CAPTIONS = (".txt", ".caption")


class Folder(Source):
    """The pictures of a folder and all folders in it.

    Args:
        path: the folder.
    """

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.name, self.path = readable(str(path)), path
        found = sorted(_walk(path))
        self._metadata = [file for file in found if file.name.lower() in METADATA]
        self._images = [file for file in found if is_image_name(file.name)]
        known = {*self._metadata, *self._images}
        beside = {file.with_suffix("") for file in self._images}
        others = [file for file in found if file not in known]
        self._captions = {
            file.with_suffix(""): file for file in others if file.suffix in CAPTIONS and file.with_suffix("") in beside
        }
        self._ignored = [file for file in others if self._captions.get(file.with_suffix("")) != file]
        self._found, self._by_name = set(found), {_composed(file): file for file in found}

    @property
    def has_images(self) -> bool:
        """Tell whether there is any picture."""
        return bool(self._images)

    def files(self) -> list[Path]:
        """Return every file that is read."""
        odd = [file for file in self._ignored if file in self._maps]  # maps whose names do not say so
        return sorted([*self._images, *self._metadata, *self._captions.values(), *odd])

    def root(self) -> Path:
        """Return the folder."""
        return self.path

    def ignored(self) -> list[str]:
        """Return the files that were passed over."""
        return [self._key(file) for file in self._ignored]

    def records(self) -> Iterator[Record]:
        """List the pictures in the order of their paths, then what is said of pictures that are not there."""
        (known, broken), maps = self._rows, self._maps
        rows = dict(known)
        by_folder = not rows and len({self._label(file) for file in self._images}) > 1
        for file in self._images:
            if file not in maps:
                yield self._record(file, rows.pop(file, None), by_folder)
        for place, row in rows.items():
            if place not in maps:
                yield Record(f"{row.where} → {self._key(place)}", None, problem="label without image")
        yield from broken
        if by_folder:
            yield from self._empty_classes()

    def _record(self, file: Path, row: Row | None, by_folder: bool) -> Record:
        fields = dict(row.fields) if row else {}
        problem, detail = (row.problem, row.where) if row else ("", "")
        if by_folder:
            fields["label"] = self._label(file)
        caption = self._captions.get(file.with_suffix(""))
        if caption is not None:
            try:
                fields["text"] = caption.read_text("utf-8-sig").strip()
            except (UnicodeDecodeError, OSError) as error:
                problem, detail = "unreadable caption", f"{self._key(caption)}: {error}"
        maps = dict(row.maps) if row else {}
        return Record(self._key(file), file, fields, maps, self._split_of(file), problem, detail)

    @cached_property
    def _rows(self) -> tuple[dict[Path, Row], list[Record]]:
        rows: dict[Path, Row] = {}
        broken: list[Record] = []
        for file in self._metadata:
            for row in read_metadata(file, self._key(file)):
                if row.place is None:
                    broken.append(Record(row.where, None, problem=row.problem, detail=row.detail))
                else:
                    place = self._real(row.place)
                    maps = {name: self._real(map_) for name, map_ in row.maps.items()}
                    inside = {name: map_ for name, map_ in maps.items() if map_.is_relative_to(self.path)}
                    broken += [Record(f"{row.where} ({name})", None, problem="outside the folder", detail=str(map_))
                               for name, map_ in maps.items() if name not in inside]  # fmt: skip
                    rows[place] = replace(row, place=place, maps=inside)
        return rows, broken

    def _real(self, place: Path) -> Path:
        """Return the file that metadata mean: a name may be spelt with composed or with separate accents."""
        return place if place in self._found else self._by_name.get(_composed(place), place)

    @cached_property
    def _maps(self) -> set[Path]:
        """The files that metadata name as maps."""
        return {place for row in self._rows[0].values() for place in row.maps.values()}

    @cached_property
    def _has_splits(self) -> bool:
        """Whether the first folders are splits: all that hold pictures are called so, and one is for training.

        Else a folder named "train" or "test" is a class like any other.
        """
        firsts = {self._first(file) for file in self._images if file not in self._maps and file.parent != self.path}
        return "train" in firsts and "" not in firsts

    def _empty_classes(self) -> Iterator[Record]:
        used = {parent for file in self._images for parent in file.parents}
        for folder, names, files in os.walk(self.path):
            names[:] = sorted(name for name in names if not name.startswith("."))
            if Path(folder) not in used and not names and not files:
                key = f"{self._key(Path(folder))}/"
                yield Record(key, None, problem="label without image", detail="an empty folder")

    def _first(self, file: Path) -> str:
        parts = file.relative_to(self.path).parts
        return SPLITS.get(parts[0].lower(), "") if len(parts) > 1 else ""

    def _split_of(self, file: Path) -> str:
        return self._first(file) if self._has_splits else ""

    def _label(self, file: Path) -> str:
        parts = file.relative_to(self.path).parts[:-1]
        return readable("/".join(parts[1:] if self._split_of(file) else parts))

    def _key(self, file: Path) -> str:
        return readable(file.relative_to(self.path).as_posix() if file.is_relative_to(self.path) else str(file))


def _composed(file: Path) -> str:
    return unicodedata.normalize("NFC", str(file))


def _walk(path: Path) -> Iterator[Path]:
    """Every file but hidden ones. Links to folders are not followed: they may lead back."""
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if not name.startswith(".")]
        yield from (Path(folder, name) for name in files if not name.startswith("."))
