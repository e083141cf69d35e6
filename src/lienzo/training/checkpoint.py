"""A checkpoint is a folder, there in one instant or not at all.

    checkpoints/step-000000123/
        config.json              rebuilds the family: lienzo.core.build("family", …)
        model.safetensors        its state, averaged weights where there are some
        README.md                the model card
        manifest.json            size and SHA-256 of every file but the card, which people may edit
        state/run.json           counters, settings, what was chosen
        state/raw.safetensors    trained weights, not averaged
        state/optimiser.safetensors

It is written under a temporary name, forced to the disk, then renamed; `latest` is a text file that names it.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from lienzo.core import CheckpointError, ConfigurationError, config_of
from lienzo.core.registry import completed
from lienzo.training.folder import fingerprint, read_json, sync, write_json, write_text
from lienzo.training.run import Chosen, Counters, Run, Snapshot
from lienzo.training.settings import TrainingSettings
from lienzo.training.tensors import fill, read_tensors, write_tensors

WEIGHTS, CONFIG, CARD, MANIFEST = "model.safetensors", "config.json", "README.md", "manifest.json"


def save(run: Run, out: Path, card: str = "") -> Path:
    """Write a run's state as a new checkpoint and point `latest` at it.

    Returns:
        the checkpoint's folder.

    Raises:
        OSError: if it cannot be written; earlier checkpoints and `latest` are then as they were.
    """
    final = out / "checkpoints" / f"step-{run.counters.step:09d}"
    if final.exists() and not faults(final):
        write_text(final / CARD, card)
        point(out, final)
        return final
    fresh = final.with_name(f".{final.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        (fresh / "state").mkdir(parents=True)
        write_tensors(run.weights(), fresh / WEIGHTS)
        write_tensors(run.raw(), fresh / "state" / "raw.safetensors")
        write_tensors(run.optimiser_state(), fresh / "state" / "optimiser.safetensors")
        settings, chosen = run.settings.model_dump(), asdict(run.chosen)
        numbers = {"counters": run.counters.plain(), "settings": settings, "chosen": chosen}
        write_json(fresh / "state" / "run.json", numbers)
        write_json(fresh / CONFIG, plain(config_of(run.family)))
        write_text(fresh / CARD, card)
        seal(fresh)
        if final.exists():
            shutil.rmtree(final)
        fresh.rename(final)
        sync(final.parent)
        point(out, final)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return final


def seal(folder: Path) -> None:
    """Write the manifest of a checkpoint and force everything in it to the disk."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, CARD))
    for path in files:
        sync(path)
    names = {p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": fingerprint(p)} for p in files}
    write_json(folder / MANIFEST, names)
    for path in (p for p in folder.rglob("*") if p.is_dir()):
        sync(path)
    sync(folder)


def point(out: Path, checkpoint: Path) -> None:
    """Make `latest` name this checkpoint."""
    write_text(out / "latest", f"checkpoints/{checkpoint.name}\n")


def faults(folder: Path) -> list[str]:
    """Say what is wrong with a checkpoint, by its manifest; an empty list: nothing.

    A folder without a manifest (put together by hand) is taken as it is, unless it holds a run's state.
    """
    if not (folder / MANIFEST).is_file():
        bare = (folder / WEIGHTS).is_file() and not (folder / "state").exists()
        return [] if bare else ["it has no manifest: it was not written to its end, or not deleted to its end"]
    found: list[str] = []
    try:
        manifest: dict[str, dict[str, Any]] = read_json(folder / MANIFEST)
    except CheckpointError as error:
        return [str(error)]
    for name, expected in manifest.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != expected["bytes"]:
            found.append(f"{name} has {path.stat().st_size} bytes, expected {expected['bytes']}")
        elif fingerprint(path) != expected["sha256"]:
            found.append(f"{name} has changed since it was written")
    return found


def checkpoints(out: Path) -> list[Path]:
    """Return a run's checkpoints, the one to go on from first: `latest`, then the rest from the newest."""
    found = sorted((out / "checkpoints").glob("step-*"), reverse=True)
    try:
        latest = out / (out / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return found
    return sorted(found, key=lambda p: p != latest)


def newest_sound(out: Path) -> tuple[Path | None, list[str]]:
    """Return the checkpoint to go on from, and a warning for every newer one that is damaged.

    Raises:
        CheckpointError: if there are checkpoints and all are damaged; a run never starts anew in silence.
    """
    warnings: list[str] = []
    for folder in checkpoints(out):
        wrong = faults(folder)
        if not wrong:
            return folder, warnings
        warnings.append(f"checkpoint {folder.name} is damaged ({wrong[0]}); going back to an earlier one")
    if warnings:
        raise CheckpointError(f"every checkpoint in {out} is damaged: {warnings[0]}", hint="train in another folder")
    return None, []


def prune(out: Path, keep: int) -> None:
    """Delete all but the newest checkpoints, never the one to go on from; and what a killed process left behind."""
    for folder in checkpoints(out)[keep:]:
        (folder / MANIFEST).unlink(missing_ok=True)  # first: half a checkpoint must not look whole
        shutil.rmtree(folder, ignore_errors=True)
    for leftover in (out / "checkpoints").glob(".step-*.new"):
        shutil.rmtree(leftover, ignore_errors=True)


def stored(folder: Path) -> tuple[Counters, TrainingSettings, Chosen]:
    """Read the numbers of a checkpoint's state."""
    numbers = read_json(folder / "state" / "run.json")
    settings = TrainingSettings.checked(numbers["settings"])
    return Counters.of(numbers["counters"]), settings, Chosen(**numbers["chosen"])


def restore(run: Run, folder: Path) -> None:
    """Put a run into the state of a checkpoint.

    Raises:
        ConfigurationError: if the checkpoint is of another model.
        CheckpointError: if its files do not fit.
    """
    theirs, ours = plain(completed(read_json(folder / CONFIG))), plain(config_of(run.family))
    if theirs != ours:
        where = difference(theirs, ours)
        raise ConfigurationError(f"{folder} holds another model than this run's: {where}", hint="another folder")
    weights = read_tensors(folder / WEIGHTS)
    fill(run.family, weights, folder / WEIGHTS)
    try:
        Snapshot(
            raw=read_tensors(folder / "state" / "raw.safetensors"),
            average={name: weights[name] for name in run.trained},
            buffers=run.buffers(),
            optimisers=read_tensors(folder / "state" / "optimiser.safetensors"),
            counters=stored(folder)[0],
        ).restore(run)
    except KeyError as error:
        raise CheckpointError(f"{folder} lacks the state of {error}", hint="an earlier checkpoint") from None


def plain(thing: Any) -> Any:
    """Return configuration data as JSON would give it back; a dataclass becomes its fields, which `build` takes."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return plain(asdict(thing))
    if isinstance(thing, dict):
        return {str(k): plain(v) for k, v in thing.items()}
    return [plain(v) for v in thing] if isinstance(thing, list | tuple) else thing


def difference(a: Any, b: Any, where: str = "") -> str:
    """Name the first place where two configurations differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            if a.get(key) != b.get(key):
                return difference(a.get(key), b.get(key), f"{where}.{key}".lstrip("."))
    return f"{where or 'it'} is {a!r} there and {b!r} here"


def resolve(folder: Path) -> Path:
    """Return the checkpoint that a path means: itself, or the one to go on from in a run's folder.

    Raises:
        CheckpointError: if there is none.
    """
    if (folder / CONFIG).is_file():
        wrong = faults(folder)
        if wrong:
            raise CheckpointError(f"checkpoint {folder} is damaged: {wrong[0]}", hint="an earlier checkpoint")
        return folder
    found = newest_sound(folder)[0] if folder.is_dir() else None
    if found is None:
        raise CheckpointError(f"{folder} holds no checkpoint", hint=f"a folder with {CONFIG}, or a run's folder")
    return found
