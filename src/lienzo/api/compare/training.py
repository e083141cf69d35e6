"""The job "train": the run that `lienzo train SOURCE --family X --budget …` is, its cost, and models on the way."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from lienzo.api.compare.process import PATIENCE
from lienzo.api.compare.resources import device_memory, memory_now, peak_memory
from lienzo.api.compare.work import Voice
from lienzo.api.find import folder_of
from lienzo.api.train import planned
from lienzo.core import ConfigurationError, config_of
from lienzo.training import Observer
from lienzo.training.checkpoint import CONFIG, WEIGHTS, plain
from lienzo.training.folder import locked, read_json, write_json
from lienzo.training.observers import Record
from lienzo.training.recipes import Listeners, carry_out
from lienzo.training.recipes.read import merged
from lienzo.training.run import Run
from lienzo.training.tensors import write_tensors

Values = dict[str, Any]
FILE, MOMENTS = "training.json", "moments"
SHARES = (0.125, 0.25, 0.5)  # of a training after which its model is kept, for the curve
EVERY = 2.0  # s between two entries of the cost


class Ledger:
    """What a training has cost so far, all sittings together; on the disk, so that a kill loses 2 s of it.

    Args:
        path: the file.
        began: when this sitting's process began, s since 1970.
    """

    def __init__(self, path: Path, began: float) -> None:
        self.path, self.began, self._written = path, began, 0.0
        self.values: Values = {"seconds": 0.0, "memory": 0, "device_memory": None, "images": 0, "moments": {}}
        self.values |= read_json(path) if path.is_file() else {}
        self._before = self.values["seconds"]
        self.values["idle"] = memory_now()

    def enter(self, *, at_once: bool = False, **known: Any) -> None:
        """Write down the cost until now, and what else is known."""
        self.values |= known
        self.values["seconds"] = round(self._before + max(time.time() - self.began, 0.0), 2)
        self.values["memory"] = max(self.values["memory"], peak_memory())
        self.values["device_memory"] = device_memory() or self.values["device_memory"]
        if at_once or time.monotonic() - self._written > EVERY:
            self._written = time.monotonic()
            write_json(self.path, self.values)


class Watch(Observer):
    """Enters the cost of a stage, tells how far it is, and keeps the model at some moments.

    Args:
        stage: as the recipe calls it; models are kept of the last, "model".
        out: the run's folder.
        ledger: of the whole run.
        budget: s for the whole run; None: until its images are seen.
        voice: tells how it goes.
    """

    def __init__(self, stage: str, out: Path, ledger: Ledger, budget: float | None, voice: Voice) -> None:
        self.last, self.out, self.ledger, self.budget, self.voice = stage == "model", out, ledger, budget, voice

    def stepped(self, run: Run, record: Record) -> None:
        """Enter a step."""
        done = record.seen / max(record.end, 1)
        self.ledger.enter(images=record.seen, precision=run.chosen.precision)
        if self.budget is not None:
            self.voice.share(min(self.ledger.values["seconds"] / self.budget, 0.99))
        elif self.last:
            self.voice.share(done)
        for share in SHARES if self.last and done < 1 else ():
            name = f"{share:g}"
            if done >= share and name not in self.ledger.values["moments"]:
                _keep(run, self.out / MOMENTS / name)
                seconds = self.ledger.values["seconds"]
                moments = {**self.ledger.values["moments"], name: {"seconds": seconds, "images": record.seen}}
                self.ledger.enter(at_once=True, moments=moments)

    def said(self, message: str) -> None:
        """Hand on what the run says."""
        self.voice.tell(message)


def train(job: Values, voice: Voice) -> Values:
    """Train, or go on.

    Args:
        job: "source", "family", "recipe" (a file, or null), "budget" (s, or null), "overrides" (tables of the recipe),
            "run" (its folder), "measured" (where the cost is written), "began" (s since 1970).
        voice: tells how it goes.

    Returns:
        the cost, and "finished".
    """
    out, ledger = Path(job["run"]), Ledger(Path(job["measured"]) / FILE, job["began"])
    family: Values = {} if job["recipe"] else {"family": {"kind": job["family"]}}
    recipe = planned(
        job["source"], out=out, recipe=job["recipe"], budget=job["budget"],
        overrides=merged(job["overrides"], family), tell=voice.tell,
    )  # fmt: skip
    _when_free(out)
    listeners = Listeners(
        lambda stage: [Watch(stage, out, ledger, job["budget"], voice)], voice.tell, lambda what, done, of: None
    )
    result = carry_out(recipe, out, listeners=listeners, again="the same comparison again", find=folder_of)
    parameters = sum(p.numel() for p in result.family.parameters())
    ledger.enter(at_once=True, finished=result.finished, images=result.seen, parameters=parameters)
    return ledger.values


def _when_free(out: Path) -> None:
    """Wait while a process that was left alone still saves what it has."""
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with locked(out):
                return
        except ConfigurationError:
            time.sleep(1.0)


def _keep(run: Run, folder: Path) -> None:
    """Write the averaged weights of a run as a model."""
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.mkdir(parents=True, exist_ok=True)
    write_tensors(run.weights(), fresh / WEIGHTS)
    write_json(fresh / CONFIG, plain(config_of(run.family)))
    fresh.rename(folder)
