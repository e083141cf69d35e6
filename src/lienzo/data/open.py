"""One door to every source: a built-in name, a folder, a table, tars, or the hub."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from lienzo.core.errors import DataError
from lienzo.data import emoji, fashion, openmoji, poses, scenes
from lienzo.data.built import SAMPLE, Limits, open_built
from lienzo.data.concatenated import Concatenated, parts_of
from lienzo.data.dataset import Dataset
from lienzo.data.folder import Folder
from lienzo.data.hub import Hub
from lienzo.data.pixels import POLICIES, Ask, Policy
from lienzo.data.records import Source
from lienzo.data.sample import open_sampled, streamed, unstreamable
from lienzo.data.scenes.prepared import open_prepared
from lienzo.data.splits import Where
from lienzo.data.table import Parquet
from lienzo.data.tars import Tars, expand

BuiltIn = Callable[[Ask, str, Where | None], Dataset]
BUILT_IN: dict[str, BuiltIn] = {
    "emoji": emoji.open_emoji,
    "openmoji-maps": openmoji.open_openmoji,
    poses.NAME: poses.open_poses,
    "fashion-mnist": fashion.open_fashion_mnist,
    **{name: partial(source.open, count=scenes.USUAL[name]) for name, source in scenes.SOURCES.items()},
}
LARGEST_SIDE = 4096
PACKED = (".zip", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar")


def open_source(
    spec: str | Path,
    *,
    size: int = 64,
    channels: int = 3,
    split: str = "train",
    policy: Policy = "crop",
    cache: Path | None = None,
    max_bad_share: float = 0.2,
    where: Where | None = None,
    progress: bool = True,
    prepare: bool = False,
    stream: bool | None = None,
    sample: int = SAMPLE,
) -> Dataset:
    """Open a source of pictures.

    A user's source is decoded once, into the cache; what cannot be decoded is listed there in `quarantine.jsonl`, and
    the user's files are never touched.

    Args:
        spec: "emoji", "openmoji-maps", "emoji-poses", "fashion-mnist" (or "fashion-mnist:FOLDER"), "scenes" (or
            "scenes:COUNT", likewise "edits" and "combinations"), a folder, a `.parquet` file, tars ("a.tar",
            "a-{000..010}.tar", "a-*.tar"), or "hub:NAME". Several joined by "+" follow one another, and "*N" repeats
            one: "emoji*3 + scenes".
        size: side of the pictures in pixels.
        channels: 3 for colour; 1 for grey (transparency is laid on white). A set with transparent pictures has 4 where
            3 are asked for: the loader lays them on a background.
        split: "train", "validation", "test", "all", or several joined by "+". A source without a validation split gives
            5 % of its training pictures to it, by content.
        policy: how pictures become square: "crop" the middle, "pad" with white, or "squash"; Lanczos in all cases.
        cache: folder; by default LIENZO_CACHE or the platform's.
        max_bad_share: share of files that may be set aside before this is an error.
        where: label column → the class or classes to keep, of every part; "" stands for unsaid.
        progress: show a bar while decoding.
        prepare: draw composed pictures (scenes, combinations, edits) beforehand, in a process a core, into the cache.
        stream: of tars, decode no more than a sample beforehand, a `Sampled`, by which training streams all of them;
            None: of tars larger than 16 GiB (`lienzo.data.sample.STREAMED`).
        sample: how many pictures that is; the heads of tars that are spread evenly over all.

    Raises:
        ConfigurationError: for a stream of anything but one set of tars.
        DataError: for a source that is missing, damaged or too small, naming what would do.

    >>> open_source("emoji", split="validation").shape
    (64, 64, 4)
    """
    ask = _asked(size, channels, policy)
    limits = Limits(cache, max_bad_share, progress=progress, prepare=prepare, stream=stream, sample=sample)
    several = parts_of(str(spec))
    if several:
        if stream:
            raise unstreamable(str(spec))
        limits = replace(limits, stream=False)  # all parts are decoded: their rows are mixed
        return Concatenated([(_open_one(part, ask, split, where, limits), times) for part, times in several])
    return _open_one(spec, ask, split, where, limits)


def _open_one(spec: str | Path, ask: Ask, split: str, where: Where | None, limits: Limits) -> Dataset:
    name, _, rest = str(spec).partition(":")
    if limits.stream and name in BUILT_IN:
        raise unstreamable(str(spec))
    if name == "fashion-mnist" and rest:
        return fashion.open_fashion_mnist(ask, split, where, folder=home(rest))
    if name in scenes.SOURCES:
        count = _count(rest, name) if rest else scenes.USUAL[name]
        return _composed(scenes.SOURCES[name], ask, split, where, count, limits)
    if str(spec) in BUILT_IN:
        return BUILT_IN[str(spec)](ask, split, where)
    source = source_at(spec)
    tars = streamed(source, limits.stream)
    if tars is not None:
        return open_sampled(tars, ask, split=split, where=where, limits=limits)
    return open_built(source, ask, split=split, where=where, limits=limits)


def _composed(
    source: scenes.Composed, ask: Ask, split: str, where: Where | None, count: int, limits: Limits
) -> Dataset:
    if not limits.prepare:
        return source.open(ask, split, where, count=count)
    return open_prepared(
        source, ask, split, where, count=count, cache=limits.cache, progress=limits.progress
    )  # fmt: skip


def _count(text: str, name: str) -> int:
    if not text.isdecimal():
        raise DataError(f"{text!r} is no number of scenes", hint=f"{name}:N with N from 1, such as {name}:5000")
    return int(text)


def source_at(spec: str | Path) -> Source:
    """Find what a user's specification names: a folder, a table, tars, or a set of the hub.

    Raises:
        DataError: if there is nothing of the kind, with names that come near.
    """
    text = str(spec)
    if text.startswith("hub:"):
        return Hub(text[len("hub:") :])
    path = home(text)
    if path.suffix == ".tar":
        return Tars(expand(str(path)), text)
    if path.suffix == ".parquet" and path.is_file():
        return Parquet([path], text)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        hint = "unpack it first, then name the folder" if is_packed(path) else "the folder that it lies in"
        raise DataError(f"{text} is a file, but no .parquet or .tar", hint=hint)
    raise DataError(f"no source {text!r}: neither a built-in set nor a file or folder", hint=_near(text, path))


def home(text: str) -> Path:
    """Return the path that a text means, with ~ read as a user's folder.

    Raises:
        DataError: for a user that this machine does not know.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise DataError(f"no source {text!r}: this machine knows no such user", hint=f"./{text} for a folder") from None


def is_packed(path: Path) -> bool:
    """Tell whether a file is an archive that has to be unpacked."""
    return path.suffix.lower() in PACKED


def _in_folder(path: Path) -> Source:
    """A folder holds pictures; or nothing but tables, or nothing but tars."""
    tables = [file for file in sorted(path.rglob("*.parquet")) if file.name.lower() != "metadata.parquet"]
    tars = sorted(path.glob("*.tar"))
    if not (tables or tars):
        return Folder(path)
    folder = Folder(path)
    if folder.has_images:
        return folder
    return Parquet(tables, str(path)) if tables else Tars(tars, str(path))


def _near(text: str, path: Path) -> str:
    siblings = [str(path.parent / p.name) for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(text, [*BUILT_IN, *siblings], n=3, cutoff=0.5)
    kinds = f"{', '.join(BUILT_IN)}, a folder, a .parquet file, tars such as 'a-{{000..010}}.tar', or hub:NAME"
    return f"did you mean {' or '.join(close)}? Else one of: {kinds}" if close else f"one of: {kinds}"


def _asked(size: int, channels: int, policy: Policy) -> Ask:
    if not 1 <= size <= LARGEST_SIDE:
        raise DataError(f"a picture of side {size}", hint=f"a size from 1 to {LARGEST_SIDE}")
    if channels not in (1, 3):
        raise DataError(f"pictures with {channels} channels", hint="3 (transparency is kept by itself) or 1")
    if policy not in POLICIES:
        raise DataError(f"no resize policy {policy!r}", hint=f"one of {', '.join(POLICIES)}")
    return Ask(size, policy, channels)
