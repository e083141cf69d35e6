"""Sets of the Hugging Face hub, through the `datasets` library (an extra, loaded only here)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lienzo.core.errors import DataError
from lienzo.data.records import SPLITS, Record, Source
from lienzo.data.table import PREFERRED, named, picture_of


class Hub(Source):
    """A set of the hub, or anything else that `datasets.load_dataset` understands.

    Args:
        name: "owner/name", or "owner/name/configuration".

    Raises:
        DataError: if `datasets` is not installed, or cannot load the set.
    """

    kind = "hub"

    def __init__(self, name: str) -> None:
        self.name = f"hub:{name}"
        datasets = library()
        owner, _, configuration = name.partition("/")[2].partition("/")
        path = name[: -len(configuration) - 1] if owner and configuration and not Path(name).exists() else name
        try:
            loaded: Any = datasets.load_dataset(path, *([configuration] if path != name else []))
        except Exception as error:  # it raises of every kind: network, name, script, format
            raise DataError(
                f"cannot load {name!r} from the hub: {error}", hint="a name such as owner/name, and a network"
            ) from error
        self._splits: dict[str, Any] = dict(loaded.items())
        first = next(iter(self._splits.values()))
        pictures = [name for name, feature in first.features.items() if type(feature).__name__ == "Image"]
        if not pictures:
            known = ", ".join(first.features)
            raise DataError(f"{name} has no column with pictures; it has {known}", hint="another set")
        self._picture = next((name for name in PREFERRED if name in pictures), pictures[0])
        self._pictures = pictures
        self._image = datasets.Image(decode=False)

    def files(self) -> list[Path]:
        """Its files belong to the library."""
        return []

    def token(self) -> str:
        """Return the fingerprints that the library gives."""
        return "-".join(f"{name}:{part._fingerprint}" for name, part in sorted(self._splits.items()))

    def records(self) -> Iterator[Record]:
        """Read the rows of every split, undecoded."""
        for split, whole in self._splits.items():
            part = functools.reduce(lambda rows, name: rows.cast_column(name, self._image), self._pictures, whole)
            classes = {name: feature.names for name, feature in part.features.items() if hasattr(feature, "names")}
            for number, row in enumerate(part):
                yield self._record(f"{split}#{number}", dict(row), SPLITS.get(split.lower(), ""), classes)

    def _record(self, key: str, row: dict[str, Any], split: str, classes: dict[str, list[str]]) -> Record:
        # The library's own cache names files with absolute paths, which it has checked.
        pictures = {name: picture_of(row.pop(name), Path("/")) for name in self._pictures}
        picture = pictures.pop(self._picture)
        maps = {name: place for name, place in pictures.items() if place is not None}
        fields = {name: named(value, classes.get(name)) for name, value in row.items()}
        return Record(key, picture, fields, maps, split, "" if picture is not None else "label without image")


def library() -> Any:
    """Load `datasets`.

    Raises:
        DataError: if it is not installed.
    """
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise DataError("sets of the hub need the library 'datasets'", hint="pip install 'lienzo[hub]'") from None
