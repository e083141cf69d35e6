"""A folder of pictures that is written again: what it holds of an earlier command goes, a stranger's pictures stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from lienzo.api.record import KEY
from lienzo.core import DataError

REPORT = "record.json"


def refuse_strangers(out: Path, names: Iterable[str]) -> None:
    """Demand that only what lienzo drew would be replaced.

    Args:
        out: the folder.
        names: of the files that will be written.

    Raises:
        DataError: if one of them is there and is nobody's picture that lienzo knows.
    """
    known = set(listed(out))
    for name in names:
        if (out / name).exists() and name not in known and not carries_record(out / name):
            raise DataError(f"{out / name} is there and was not drawn by lienzo", hint="another --out")


def listed(out: Path) -> list[str]:
    """Return the files in `out` that its record.json lists, pictures first, then the grid."""
    try:
        report: Any = json.loads((out / REPORT).read_text("utf-8"))
        names = [str(entry["file"]) for entry in report["pictures"]] + [str(report["grid"])]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if Path(name).name == name and (out / name).is_file()]


def drop(out: Path, before: Sequence[str], written: Sequence[str]) -> int:
    """Delete what an earlier command drew and this one did not; return how many of its pictures are gone.

    Args:
        out: the folder.
        before: what its record.json listed.
        written: what has been written since.

    Raises:
        DataError: if a file cannot be deleted.
    """
    stale = [name for name in before if name not in written and carries_record(out / name)]
    try:
        for name in stale:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        what = f"cannot delete {error.filename}: {error.strerror or error}"
        raise DataError(what, hint="a folder that you may write to") from None
    return len(stale)


def carries_record(file: Path) -> bool:
    """Tell whether a file is a picture that remembers how lienzo made it."""
    try:
        with Image.open(file) as image:
            return KEY in image.info
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
