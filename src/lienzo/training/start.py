"""How a sitting begins: go on from a checkpoint, or choose what the settings leave open and start."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from lienzo.core import Batch, CheckpointError, ConfigurationError, Family
from lienzo.training.checkpoint import checkpoints, newest_sound, prune, restore, stored
from lienzo.training.distributed import Team
from lienzo.training.folder import read_json, write_json
from lienzo.training.measure import PATIENCE, faster_precision, seconds_per_step
from lienzo.training.pages import keep_pages
from lienzo.training.run import Chosen, Run, spread
from lienzo.training.settings import TrainingSettings

Tell = Callable[[str], None]
MARGIN = 0.9  # share of a budget that a run measured at its start is planned to use


def begin(
    family: Family, batch_at: Callable[[int], Batch], settings: TrainingSettings, out: Path, team: Team, *,
    resume: bool, tell: Tell,
) -> Run:  # fmt: skip
    """Return the run that `out` holds, or a new one.

    Raises:
        ConfigurationError: if the folder may not hold a run and does, or holds another model's.
        CheckpointError: if all its checkpoints are damaged.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    found: Path | None = None
    plan: dict[str, object] = {}
    family.to(team.device)
    if team.device.type == "cpu":
        keep_pages()
    if team.leads:
        if not resume:
            refuse_a_run(out)
        found, warnings = newest_sound(out)
        for warning in warnings:
            tell(warning)
        prune(out, max(len(checkpoints(out)), 1))  # what a killed process left behind
        plan = asdict(_again(settings, found, out, team, tell) or _choose(family, batch_at, settings, team, tell))
    shared = team.tell(plan)
    assert isinstance(shared, dict)
    run = Run(family, settings, Chosen(**shared), team)
    if not run.trained:
        raise ConfigurationError(f"{type(family).__name__} has no parameter that asks for a gradient: nothing to train")
    if found is not None:
        restore(run, found)
        seen = f"{run.counters.seen:,}"
        tell(f"finished already, after {seen} images ({found.name})" if run.done
             else f"going on from {found.name}, after {seen} of {run.end:,} images")  # fmt: skip
    spread(run)
    if not run.chosen.images:
        run.choose(replace(run.chosen, images=_images_within_budget(run, batch_at, tell)))
    if team.leads:
        write_down(run, out)
    return run


def refuse_a_run(out: Path) -> None:
    """Demand that a folder holds no run.

    Raises:
        ConfigurationError: if it does.
    """
    if checkpoints(out):
        raise ConfigurationError(f"{out} holds a run already", hint="go on with it, or name another folder")


def write_down(run: Run, out: Path) -> None:
    """Write a run's settings and what was chosen.

    Raises:
        CheckpointError: if the disk refuses.
    """
    try:
        write_json(out / "settings.json", {"settings": run.settings.model_dump(), "chosen": asdict(run.chosen)})
    except OSError as error:
        raise CheckpointError(
            f"cannot write {out / 'settings.json'}: {error}", hint="make room on that disk"
        ) from error


def _again(settings: TrainingSettings, found: Path | None, out: Path, team: Team, tell: Tell) -> Chosen | None:
    """Return what an earlier sitting chose, with what the settings now say differently; None for a new run."""
    if found is not None:
        _, earlier, chosen = stored(found)
    elif (out / "settings.json").is_file():  # killed before its first checkpoint
        plain = read_json(out / "settings.json")
        earlier, chosen = TrainingSettings.checked(plain["settings"]), Chosen(**plain["chosen"])
        if settings.changed(earlier) or settings.budget_seconds != earlier.budget_seconds:
            return None
    else:
        return None
    changed = settings.changed(earlier)
    if changed:
        each = ", ".join(f"{name} {then} → {now}" for name, (then, now) in changed.items())
        tell(f"settings have changed since the last sitting: {each}")
    threads = torch.get_num_threads()
    if not settings.threads and team.device.type == "cpu" and team.size == 1:
        torch.set_num_threads(chosen.threads)
    elif threads != chosen.threads or team.size != chosen.processes:
        tell("another number of threads or processes than before: the weights will not be the same bit for bit")
    return replace(
        chosen,
        images=settings.images if "images" in changed and settings.images else chosen.images,
        precision=settings.precision if settings.precision != "auto" else chosen.precision,
    )


def _choose(
    family: Family, batch_at: Callable[[int], Batch], settings: TrainingSettings, team: Team, tell: Tell
) -> Chosen:
    """Choose what the settings leave open; `images` stays 0 where a budget will say.

    Raises:
        ConfigurationError: if neither images nor a budget are given.
    """
    precision = settings.precision
    if settings.images is None and settings.budget_seconds is None:
        raise ConfigurationError("how long shall it train?", hint="give images, or budget_seconds")
    if precision == "auto":
        whole = batch_at(0)
        start, stop = team.share(len(whole))
        rows = max(math.ceil((stop - start) / settings.accumulate), 1)
        precision, why = faster_precision(family, whole.rows(0, rows), team.device)
        tell(why)
    return Chosen(settings.images or 0, precision, team.device.type, torch.get_num_threads(), team.size)


def _images_within_budget(run: Run, batch_at: Callable[[int], Batch], tell: Tell) -> int:
    """Return how many images a run sees in nine tenths of its budget, by the time of a few steps; at most `most`."""
    budget = run.settings.budget_seconds
    assert budget is not None
    size = len(batch_at(0))
    once = seconds_per_step(run, batch_at, min(PATIENCE, budget / 20))
    images = max(int(budget * MARGIN / once), 1) * size
    speed, most = f"about {size / once:.0f} images/s", run.settings.most
    if most is not None and most <= images:
        tell(f"{speed}: the {most:,} images that are asked for take about {most / size * once:.0f} of {budget:.0f} s")
        return most
    tell(f"{speed}: {images:,} images in {budget:.0f} s")
    return images
