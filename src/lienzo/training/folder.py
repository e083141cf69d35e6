"""Files that survive: written beside, forced to the disk, renamed; and the lock of a run's folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from lienzo.core import CheckpointError, ConfigurationError

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk, or the user's share of it, is full."""
    return error.errno in _FULL


def sync(path: Path) -> None:
    """Force a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace a file in one instant: readers see the old text or the new one, whatever happens in between."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync(path.parent)


def write_json(path: Path, plain: Any) -> None:
    """Replace a file by plain data as JSON."""
    write_text(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CheckpointError: for a file that is missing or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error


def fingerprint(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare(out: Path) -> None:
    """Create a run's folder and find out whether it can be written, before any work is done for it.

    Raises:
        CheckpointError: if it cannot.
    """
    try:
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
        write_text(out / ".probe", "lienzo\n")
        (out / ".probe").unlink()
    except OSError as error:
        hint = "free some space on that disk" if is_full(error) else "a folder that you may write to"
        raise CheckpointError(f"cannot write to the folder {out}: {error.strerror or error}", hint=hint) from error


@contextlib.contextmanager
def locked(out: Path, leads: bool = True) -> Generator[None]:
    """Keep a second run out of the folder, if this process leads; the lock ends with the process, however it ends.

    Raises:
        ConfigurationError: if another process trains there.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    if not leads:
        yield
        return
    file: IO[str]
    with (out / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                what = f"another process is training in {out}"
                raise ConfigurationError(what, hint="wait for it, stop it, or name another folder") from None
        yield
