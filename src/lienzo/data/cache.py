"""Folders that are built once, under a name that says what is in them.

A folder is built under another name, flushed, and renamed: whoever sees it sees it whole. Two processes that want the
same one wait for each other where the system has file locks, and where it has none the first to finish wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from lienzo.core.errors import DataError

DONE = "meta.json"  # written last: its presence means that a folder is whole
BLOCK = 1 << 20


def cache_root(given: Path | None = None) -> Path:
    """Return the cache's folder: as given, else LIENZO_CACHE, else where the platform keeps caches."""
    if given is not None:
        return Path(given).expanduser()
    if os.environ.get("LIENZO_CACHE"):
        return Path(os.environ["LIENZO_CACHE"]).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "lienzo" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lienzo"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lienzo"


def once(root: Path, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder `root/key`, which `build` fills if it is not there yet.

    Args:
        root: the cache.
        key: names the content; a file-name.
        build: fills an empty folder, `meta.json` included.

    Raises:
        DataError: if the cache cannot be written.
    """
    final = root / key
    if (final / DONE).is_file():
        return final
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f".{key}.lock"):
            if not (final / DONE).is_file():
                _build(root, final, build)
    except OSError as error:
        raise DataError(
            f"cannot write the cache {root}: {error.strerror or error}", hint="set LIENZO_CACHE to a folder with room"
        ) from error
    return final


def _build(root: Path, final: Path, build: Callable[[Path], None]) -> None:
    part = Path(tempfile.mkdtemp(prefix=f".{final.name[:16]}-", dir=root))
    try:
        build(part)
        for file in part.iterdir():
            _flush(file)
        try:
            part.rename(final)
        except OSError:
            if not (final / DONE).is_file():  # a folder that is not whole cannot be: renames are
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _flush(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold a lock that the system takes back when its holder dies."""
    try:
        import fcntl
    except ImportError:  # no such locks: the rename alone keeps the folder whole
        yield
        return
    with path.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def content_key(root: Path, files: list[Path], base: Path) -> str:
    """Hash files by content, and remember the hash for as long as sizes and times do not change.

    Args:
        root: the cache, where it is remembered.
        files: as in `hash_files`.
        base: as in `hash_files`.
    """
    stamps = [(str(file), *_stamp(file)) for file in files]
    note = root / "known" / f"{key_of(stamps)}.txt"
    with contextlib.suppress(OSError):
        return note.read_text()
    key = hash_files(files, base)
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}")
        part.write_text(key)
        part.replace(note)
    return key


def hash_files(files: list[Path], base: Path) -> str:
    """Hash files by name and content.

    Args:
        files: what to hash; a file that cannot be read counts as empty.
        base: the folder that names are told from, so that a moved folder keeps its hash.
    """
    whole = hashlib.blake2b(digest_size=16)
    for file in files:
        name = file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name
        whole.update(f"{len(name)} ".encode() + os.fsencode(name) + b" " + _content(file))
    return whole.hexdigest()


def key_of(*parts: Any) -> str:
    """Hash plain data to a file-name."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        about = file.stat()
    except OSError:
        return ()
    # The time of the last change of the file's entry, too: a tool that keeps modification times cannot keep that one.
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino


def _content(file: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with contextlib.suppress(OSError):
        if file.is_file():  # a pipe would wait for ever
            with file.open("rb") as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
    return digest.digest()
