"""Files that a person asked for."""

from __future__ import annotations

from pathlib import Path

from lienzo.core.errors import DataError


def write_text(path: Path, text: str) -> Path:
    """Write a text file, its folder included.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"cannot write {path}: {error.strerror or error}", hint="a folder that you may write to"
        ) from None
    return path
