"""Files that a person asked for."""

from __future__ import annotations

from pathlib import Path

from lienzo.core.errors import DataError


def write_text(path: Path, text: str) -> Path:
    """Write a text file, its folder included; one that is there is replaced in one instant.

    Raises:
        DataError: if it cannot be written.
    """
    from lienzo.training import folder  # late: it loads torch, which not every door needs

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a pipe or a terminal has no place beside it
            path.write_text(text, encoding="utf-8")
        else:
            folder.write_text(path.resolve(), text)
    except OSError as error:
        raise DataError(
            f"cannot write {path}: {error.strerror or error}", hint="a folder that you may write to"
        ) from None
    return path
