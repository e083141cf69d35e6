"""Weights for shipping: half the bytes, a quarter or less, without the state of training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from torch import Tensor

from lienzo.core import CheckpointError, Family
from lienzo.training.card import with_rounded
from lienzo.training.checkpoint import CARD, CONFIG, WEIGHTS, resolve, seal
from lienzo.training.folder import read_json, write_json
from lienzo.training.opening import load
from lienzo.training.rounding import LARGEST, Precision, rounded
from lienzo.training.tensors import called, read_tensors, write_tensors


def export(run: Path | str, to: Path | str, precision: Precision = "float16") -> Path:
    """Write a checkpoint's family, without what its training alone needs, as a checkpoint of its own.

    Args:
        run: a checkpoint or a run's folder.
        to: a folder that does not exist yet, or is empty.
        precision: "float16"; "int8" or "int6" for matrices and kernels, with a scale a row, and "float16" for the rest.
            Buffers keep theirs, but for those that the family calls `rounded`.

    Returns:
        `to`.

    Raises:
        CheckpointError: if there is nothing to export, or `to` holds something.
    """
    found, to = resolve(Path(run)), Path(to)
    if to.exists() and any(to.iterdir()):
        raise CheckpointError(f"{to} is not empty", hint="a new folder")
    family = load(found)
    names = set(dict(family.named_parameters(remove_duplicate=False))) | called(family, "rounded")
    config: dict[str, Any] = dict(read_json(found / CONFIG)) if (found / CONFIG).is_file() else {}
    spare = called(family, "scratch") | _made_lean(config, family)
    fresh = to.with_name(f".{to.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    packed: dict[str, Tensor] = {}
    for name, tensor in read_tensors(found / WEIGHTS).items():
        if name not in spare:
            packed |= rounded(name, tensor, precision) if name in names else {name: tensor}
    write_tensors(packed, fresh / WEIGHTS)
    if config:
        write_json(fresh / CONFIG, config)
    if (found / CARD).is_file():
        card = (found / CARD).read_text("utf-8")
        (fresh / CARD).write_text(with_rounded(card, precision) if precision in LARGEST else card, "utf-8")
    seal(fresh)
    if to.exists():
        to.rmdir()
    fresh.rename(to)
    return to


def _made_lean(config: dict[str, Any], family: Family) -> set[str]:
    """Change a configuration to that of a family that only draws; return the names of the weights it does without."""
    gone = list[str]()
    for path, part in family.named_modules():
        if isinstance(part, Family) and (changes := part.lean()):
            place = config
            for name in path.split(".") if path else ():
                place = place[name]
            place.update(changes)
            gone += [".".join(filter(None, (path, name))) for name, value in changes.items() if value is None]
    return {name for name in family.state_dict() if name.startswith(tuple(f"{part}." for part in gone))}
