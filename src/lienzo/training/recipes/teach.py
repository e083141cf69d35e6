"""An adapter in training: the one loop, fed with pictures or with the codes of the base's own coder."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch

from lienzo.conditions import Bus
from lienzo.core import Family
from lienzo.data import Dataset, Sampled
from lienzo.families.latent import Latent
from lienzo.training.clock import clock_of
from lienzo.training.curves import Board, Curve
from lienzo.training.distributed import Team
from lienzo.training.loop import BatchAt, TrainResult, train
from lienzo.training.observers import Observer
from lienzo.training.recipes.codes import LEAST, CodeLoader
from lienzo.training.recipes.feed import fed
from lienzo.training.recipes.parts import Recipe
from lienzo.training.recipes.show import about, sheet
from lienzo.training.recipes.stages import Listeners
from lienzo.training.settings import TrainingSettings

VARIANTS, FEW, SHORT = 2, 1, 600.0  # looks of every picture that are encoded: fewer in less than so many seconds


def teach(
    family: Family, mark: str, dataset: Dataset, recipe: Recipe, out: Path, *, resume: bool = True,
    listeners: Listeners | None = None, again: str = "",
) -> TrainResult:  # fmt: skip
    """Train what an adapted model was given, or go on with it.

    Args:
        family: as `adapted` made it.
        mark: the SHA-256 of its base, which names codes that can be used again.
        dataset: the pictures, with what is said of them.
        recipe: data, settings, samples and what the card says.
        out: the run's folder.
        resume: go on from what the folder holds; False demands that it holds no run.
        listeners: who hears of it.
        again: the command that goes on with it.
    """
    listeners, training = listeners or Listeners(), recipe.training
    family.to(Team.alone(training.device).device)
    bus = getattr(family, "bus", None)
    assert isinstance(bus, Bus)
    observers: list[Observer] = [*listeners.observers("model"), sheet(recipe, dataset, bus, listeners.tell), Curve()]
    observers += [Board()] if training.tensorboard else []
    with _fed(family, bus, mark, dataset, recipe, out, listeners) as (batch_at, training):
        return train(family, batch_at, training, out, observers=observers, resume=resume,
                     about=about(recipe, dataset, bus), again=again)  # fmt: skip


@contextmanager
def _fed(
    family: Family, bus: Bus, mark: str, dataset: Dataset, recipe: Recipe, out: Path, listeners: Listeners
) -> Generator[tuple[BatchAt, TrainingSettings]]:
    """Give what the loop is fed with, and its settings, the time of encoding taken off the budget."""
    data, training = recipe.data.model_copy(update={"reword": 0.0}), recipe.training
    if not isinstance(family, Latent) or isinstance(dataset, Sampled):  # a base encodes what is streamed as it comes
        with fed(dataset, bus, data, batch_size=training.batch_size, seed=training.seed, out=out,
                 tell=listeners.tell) as batch_at:  # fmt: skip
            yield batch_at, training
        return
    if training.threads:
        torch.set_num_threads(training.threads)  # by which the processor's clock counts
    hurried = training.budget_seconds is not None and training.budget_seconds < SHORT
    codes = CodeLoader(
        dataset, bus, family, out, mark=mark, batch_size=training.batch_size, seed=training.seed,
        background=data.background, flip=data.flip, variants=FEW if hurried else VARIANTS,
        tell=lambda done, of: listeners.count("encoding", done, of), now=clock_of(training),
    )  # fmt: skip
    codes.shift, codes.scale = torch.zeros_like(codes.shift), torch.ones_like(codes.scale)  # the base has done it
    if training.budget_seconds is not None:
        left = max(training.budget_seconds - codes.seconds, LEAST * training.budget_seconds)
        training = training.model_copy(update={"budget_seconds": left})
    yield codes.batch_at, training
