"""Which models are there, and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lienzo.core import CheckpointError
from lienzo.training.card import MEASURED
from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, checkpoints
from lienzo.training.folder import fingerprint

SHIPPED = Path(__file__).parents[1] / "assets" / "models"
DEFAULT = "emoji-64"


@dataclass(frozen=True)
class ModelInfo:
    """A model that ships with lienzo.

    Attributes:
        name: what `load` takes.
        folder: where it lies.
        summary: the first sentence of its card.
        bytes: of its weights.
        sha256: of its weights.
        quality: measured: name → value, as its card says.
        training: what its training took, as its card says.
    """

    name: str
    folder: Path
    summary: str
    bytes: int
    sha256: str
    quality: dict[str, str] = field(default_factory=dict[str, str])
    training: list[str] = field(default_factory=list[str])


def models() -> list[ModelInfo]:
    """List the models that ship with lienzo, with their measured quality."""
    return [_info(folder) for folder in _shipped()]


def described(runs: Path | str = "runs") -> Iterator[tuple[str, Path]]:
    """List names and checkpoints of the models that ship, then of a folder's runs, newest first; nothing is read."""
    yield from ((_name_of(folder), folder) for folder in _shipped())
    yield from ((str(run), checkpoint) for run, checkpoint in _runs(Path(runs)))


def trained(runs: Path | str) -> list[ModelInfo]:
    """List the runs in a folder that have a checkpoint, newest first."""
    return [replace(_info(checkpoint), name=str(run)) for run, checkpoint in _runs(Path(runs))]


def _runs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Give the runs in a folder that have a checkpoint, newest first, each with its newest."""
    found = [run for run in folder.glob("*") if (run / "latest").is_file()]
    for run in sorted(found, key=lambda path: -(path / "latest").stat().st_mtime):
        checkpoint = next(iter(checkpoints(run)), None)
        if checkpoint is not None and (checkpoint / WEIGHTS).is_file():
            yield run, checkpoint


def _shipped() -> list[Path]:
    return sorted(path.parent for depth in ("*", "*/*") for path in SHIPPED.glob(f"{depth}/{CONFIG}"))


def _name_of(folder: Path) -> str:
    """Return what `load` calls a shipped model: its place below the others, "emoji-64" or "fashion-mnist/vae"."""
    return folder.relative_to(SHIPPED).as_posix() if folder.is_relative_to(SHIPPED) else folder.name


def _info(folder: Path) -> ModelInfo:
    card, weights = card_of(folder), folder / WEIGHTS
    there = weights.is_file()
    return ModelInfo(
        _name_of(folder), folder, summary_of(card), weights.stat().st_size if there else 0,
        fingerprint(weights) if there else "", dict(entries(card, "Quality") or entries(card, MEASURED)),
        lines_of(card, "Training"),
    )  # fmt: skip


def bare(name: str) -> tuple[str, list[str]]:
    """Split what a model is called by into its name and how it shall be loaded; a folder's own commas are its name's.

    >>> bare("emoji-64,dtype=bfloat16")
    ('emoji-64', ['dtype=bfloat16'])
    """
    first, *told = [name] if Path(name).expanduser().is_dir() else name.split(",")
    return first, told


def folder_of(name: str) -> Path:
    """Return the folder of a model: a name of those that ship, a checkpoint, or a run's folder.

    Raises:
        CheckpointError: if there is none, with names that come near.
    """
    name = bare(name)[0]
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    known = {_name_of(folder): folder for folder in _shipped()}
    if name in known:
        return known[name]
    held = next((folder for folder in path.parents if (folder / CONFIG).is_file()), None) if path.is_file() else None
    if held is not None:
        raise CheckpointError(f"{name} is a file of a model", hint=f"its folder: {held}")
    close = difflib.get_close_matches(name, known, n=2) or list(known)
    shipped = f"{', '.join(close)}, or " if close else ""
    raise CheckpointError(f"no model {name!r}: neither a name nor a folder", hint=f"{shipped}the folder of a run")


def card_of(folder: Path) -> str:
    """Return a model's card; nothing if it has none."""
    try:
        return (folder / CARD).read_text(encoding="utf-8")
    except OSError:
        return ""


def summary_of(card: str) -> str:
    """Return the first paragraph below a card's title."""
    found = re.search(r"^# .*\n+((?:(?!#).+\n?)*)", card, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def entries(card: str, section: str) -> list[tuple[str, str]]:
    r"""Return the "- name: value" lines of a card's section.

    >>> entries("## Quality\n\n- FD: 1.5\n", "Quality")
    [('FD', '1.5')]
    """
    pairs = [line.partition(":") for line in lines_of(card, section)]
    return [(name, value.strip()) for name, colon, value in pairs if colon]


def lines_of(card: str, section: str) -> list[str]:
    """Return the "- …" lines of a card's section, a line that goes on joined to its first part."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^- (.*(?:\n  +.*)*)$", found[1], re.MULTILINE) if found else []
    return [" ".join(line.split()) for line in lines]
