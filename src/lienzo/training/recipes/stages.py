"""A recipe carried out: the outer family first where there are codes, then the family itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lienzo.conditions import Bus
from lienzo.core import ConfigurationError, Encodes, Family, require
from lienzo.core.registry import class_named
from lienzo.data import Sampled
from lienzo.families.latent import Latent
from lienzo.training.checkpoint import WEIGHTS, checkpoints, resolve
from lienzo.training.clock import clock_of
from lienzo.training.curves import Board, Curve
from lienzo.training.distributed import Team
from lienzo.training.folder import fingerprint, locked, prepare, write_json
from lienzo.training.loop import BatchAt, TrainResult, train
from lienzo.training.observers import Observer
from lienzo.training.opening import load
from lienzo.training.recipes.codes import LEAST, CodeLoader
from lienzo.training.recipes.feed import device_of, fed, pictures_of
from lienzo.training.recipes.inner import named_in, place_for, stored_family
from lienzo.training.recipes.make import Shape, check_family, code_shape, make_bus, make_family, open_data
from lienzo.training.recipes.parts import Codes, Recipe
from lienzo.training.recipes.show import about, enlarged, opened, sheet
from lienzo.training.recipes.start import borrowed, code_spread
from lienzo.training.run import Run
from lienzo.training.settings import TrainingSettings
from lienzo.training.start import refuse_a_run

CODER, RECIPE, GENERATE = "coder", "recipe.json", "generate.json"


@dataclass(frozen=True)
class Listeners:
    """Who hears of a run.

    Attributes:
        observers: makes those of one stage, given its name.
        tell: a sentence for a person.
        count: a slow preparation: what, how many are done, of how many.
    """

    observers: Callable[[str], Sequence[Observer]] = field(default_factory=lambda: _nobody)
    tell: Callable[[str], None] = field(default_factory=lambda: _unheard)
    count: Callable[[str, int, int], None] = field(default_factory=lambda: _unheard)


class Begun(Observer):
    """Does something once a sitting has the folder's lock and fits the run that lies there; on one process of a team.

    Args:
        act: what is done.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def started(self, run: Run, out: Path) -> None:
        """Act."""
        self._act()


def _nobody(stage: str) -> Sequence[Observer]:
    return ()


def _unheard(*words: object) -> None:
    return


def carry_out(
    recipe: Recipe, out: Path | str, *, resume: bool = True, listeners: Listeners | None = None, again: str = "",
    find: Callable[[str], Path] = Path,
) -> TrainResult:  # fmt: skip
    """Train what a recipe says, or go on with it.

    Args:
        recipe: the run.
        out: its folder: the run's own files, `recipe.json`, `generate.json`; with codes also `coder/`, the outer
            family's run, and `codes-…/`.
        resume: go on from what the folder holds; False demands that it holds no run.
        listeners: who hears of it.
        again: the command that goes on with it.
        find: a model's name → its folder, for `codes.outer`, `start`, and a family within the family.

    Returns:
        how it ended; `finished` is False if it was interrupted, in whatever stage.
    """
    return Work(recipe, Path(out), resume, listeners or Listeners(), again, find).go()


class Work:
    """One recipe on its way, with everything that its stages share."""

    def __init__(
        self, recipe: Recipe, out: Path, resume: bool, listeners: Listeners, again: str, find: Callable[[str], Path]
    ) -> None:
        self.recipe, self.out, self.resume, self.listeners, self.again = recipe, out, resume, listeners, again
        self.find = find
        check_family(recipe.family, recipe.network)
        self.dataset = open_data(recipe.data)
        self.listeners.tell(opened(self.dataset))
        larger = enlarged(self.dataset)
        if larger and not checkpoints(self.out):  # later it is too late
            self.listeners.tell(larger)

    def go(self) -> TrainResult:
        """Carry out the stages."""
        codes, training = self.recipe.codes, self.recipe.training
        if codes is None:
            return self.learn(self.family(self.shape), training)
        if not self.resume:
            refuse_a_run(self.out)  # before a coder is trained for nothing
        first = self.coder(codes)
        if isinstance(first, TrainResult) and not first.finished:
            return first
        outer, mark = self.opened(codes)
        place = place_for(class_named("family", str(self.recipe.family.get("kind"))), self.recipe.family, outer)
        return self.over_codes(codes, outer, mark, first) if place is None else self.with_coder(place, outer, first)

    def with_coder(self, place: str, coder: Family, first: TrainResult | None) -> TrainResult:
        """Train a family that has a place of its own for a coder, and learns from pictures what it makes of them."""
        family = self.family(self.shape, inner={place: coder})
        return self.learn(family, self.within(first.seconds if first is not None else 0.0))

    def within(self, spent: float) -> TrainingSettings:
        """Return the recipe's settings with what is left of the budget after `spent` seconds, or a little beyond it."""
        training = self.recipe.training
        if training.budget_seconds is None:
            return training
        return training.model_copy(
            update={"budget_seconds": max(training.budget_seconds - spent, LEAST * training.budget_seconds)}
        )

    def over_codes(self, codes: Codes, outer: Family, mark: str, first: TrainResult | None) -> TrainResult:
        """Encode the pictures, then train the family over the codes."""
        training = self.recipe.training
        coder = require(outer, Encodes)
        if outer.shape != self.shape:
            raise ConfigurationError(f"codes of pictures {outer.shape} for pictures {self.shape}",
                                     hint="data.size and data.channels as the outer family's")  # fmt: skip
        inner = self.family(code_shape(outer), codes=True)
        family = Latent(outer, inner)
        self.promise()
        if isinstance(self.dataset, Sampled):
            return self.over_stream(family, first.seconds if first is not None else 0.0)
        if training.threads:
            torch.set_num_threads(training.threads)  # by which the processor's clock counts
        loader = CodeLoader(
            self.dataset, self.bus_of(inner), coder, self.out, mark=mark, batch_size=training.batch_size,
            seed=training.seed, background=self.recipe.data.background, flip=self.recipe.data.flip,
            reword=self.recipe.data.reword, variants=codes.variants,
            tell=lambda done, of: self.listeners.count("encoding", done, of), now=clock_of(training),
        )  # fmt: skip
        loader.spare = len(inner.players) == 1
        known = self.spread_of_another()
        if known is not None and known[0].shape == loader.shift.shape:
            loader.shift, loader.scale = known
        family.get_buffer("shift").copy_(loader.shift)
        family.get_buffer("scale").copy_(loader.scale)
        training = self.within(loader.seconds + (first.seconds if first is not None else 0.0))
        return self.train(family, loader.batch_at, training)

    def over_stream(self, family: Latent, spent: float) -> TrainResult:
        """Train a family over codes of pictures that are streamed: the coder encodes each batch as it comes."""
        self.listeners.tell("the pictures are streamed: every batch is encoded as it comes, and no code is kept")
        data, training = self.recipe.data, self.within(spent)
        known = self.spread_of_another()
        if known is not None and known[0].shape == family.get_buffer("shift").shape:
            family.get_buffer("shift").copy_(known[0])
            family.get_buffer("scale").copy_(known[1])
        else:
            family.calibrate(pictures_of(self.dataset, data, training.seed).to(device_of(family.outer)))
        return self.learn(family, training)

    def coder(self, codes: Codes) -> TrainResult | None:
        """Train the outer family, if the recipe does not name one that is there."""
        if codes.outer is not None:
            return None
        if codes.recipe is None:
            raise ConfigurationError("[codes] names no outer family", hint="codes.outer, or a table [codes.recipe]")
        training, whole = codes.recipe.training, self.recipe.training
        if whole.budget_seconds is not None:
            share = whole.budget_seconds * codes.share
            most = training.images or training.most
            training = training.model_copy(update={"budget_seconds": share, "images": None, "most": most})
        same = {"device": whole.device, "threads": training.threads or whole.threads, "seed": whole.seed,
                "clock": whole.clock}  # fmt: skip
        training = training.model_copy(update=same)
        config, silent = codes.recipe, Bus({})
        family = make_family(config.family, config.network, silent, self.shape, training.seed)
        require(family, Encodes)
        if config.start is not None:
            self.listeners.tell(borrowed(family, resolve(self.find(config.start)), config.start))
        self.listeners.tell(f"first stage: a {config.family['kind']} that codes pictures")
        out, card = self.out / CODER, about(self.recipe, self.dataset, silent, f"{self.recipe.name}: its coder")
        observers = [*self.listeners.observers(CODER), Begun(self.promise)]
        with self.fed(training, silent) as batch_at:
            return train(family, batch_at, training, out, observers=observers, resume=self.resume,
                         about=card, again=self.again)  # fmt: skip

    def opened(self, codes: Codes) -> tuple[Family, str]:
        """Return the outer family and the hash of its weights.

        A coder trained here is looked up anew: a process that does not lead returned before its last checkpoint lay.
        """
        folder = resolve(self.find(codes.outer) if codes.outer is not None else self.out / CODER)
        family = load(folder, Team.alone(self.recipe.training.device).device)
        return (family.outer if isinstance(family, Latent) else family), fingerprint(folder / WEIGHTS)

    def family(self, shape: Shape, *, codes: bool = False, inner: Mapping[str, Family] | None = None) -> Family:
        """Build the family that learns, with borrowed weights where the recipe says so."""
        recipe = self.recipe
        bus = make_bus(recipe, self.dataset, code=shape if codes else None)
        family = make_family(recipe.family, recipe.network, bus, shape, recipe.training.seed, codes=codes,
                             find=self.find, stored=stored_family(self.out) if named_in(recipe.family) else None,
                             inner=inner)  # fmt: skip
        if recipe.start is not None:
            self.listeners.tell(borrowed(family, resolve(self.find(recipe.start)), recipe.start))
        return family

    def spread_of_another(self) -> tuple[Tensor, Tensor] | None:
        """Return how the model that this one learns from, if there is one, brings codes to mean 0 and deviation 1."""
        names = [self.recipe.start, *named_in(self.recipe.family)]
        spreads = [code_spread(resolve(self.find(name))) for name in names if name is not None]
        return next((spread for spread in spreads if spread is not None), None)

    def fed(self, training: TrainingSettings, bus: Bus) -> AbstractContextManager[BatchAt]:
        """Return batches of pictures, for as long as a block lasts."""
        return fed(self.dataset, bus, self.recipe.data, batch_size=training.batch_size, seed=training.seed,
                   out=self.out, tell=self.listeners.tell)  # fmt: skip

    def learn(self, family: Family, training: TrainingSettings) -> TrainResult:
        """Train the recipe's own family on pictures."""
        with self.fed(training, self.bus_of(family)) as batch_at:
            return self.train(family, batch_at, training)

    def train(self, family: Family, batch_at: BatchAt, training: TrainingSettings) -> TrainResult:
        """Train the recipe's own family."""
        bus = self.bus_of(family)
        observers: list[Observer] = [Begun(lambda: self.write_down(bus)), *self.listeners.observers("model")]
        observers += [sheet(self.recipe, self.dataset, bus, self.listeners.tell), Curve()]
        observers += [Board()] if training.tensorboard else []
        card = about(self.recipe, self.dataset, bus)
        return train(family, batch_at, training, self.out, observers=observers, resume=self.resume, about=card,
                     again=self.again)  # fmt: skip

    def promise(self) -> None:
        """Write what the run is, where no model is yet: so that it can be gone on with while it is prepared."""
        if leads() and not checkpoints(self.out):
            prepare(self.out)
            with locked(self.out):
                self.write_recipe()

    def write_recipe(self) -> None:
        """Write what the run is."""
        write_json(self.out / RECIPE, self.recipe.model_dump(mode="json", exclude_unset=True))

    def write_down(self, bus: Bus) -> None:
        """Write what the run is and what its model, which hears a bus, does by default."""
        self.write_recipe()
        conditions = {n: v for n, v in self.recipe.generate.conditions.items() if n in bus.names}
        if "background" in bus.names and "background" in self.dataset.columns:
            conditions.setdefault("background", "white")
        defaults: dict[str, Any] = {"conditions": conditions, "options": self.recipe.generate.options}
        write_json(self.out / GENERATE, {"name": self.recipe.name, **defaults})

    @property
    def shape(self) -> Shape:
        """(C, H, W) of a picture."""
        data = self.recipe.data
        return (data.channels, data.size, data.size)

    def bus_of(self, family: Family) -> Bus:
        """Return what a family hears; nothing where it has no bus."""
        bus = getattr(family, "bus", None)
        return bus if isinstance(bus, Bus) else Bus({})


def leads() -> bool:
    """Tell whether this process speaks for all of a `torchrun`."""
    return int(os.environ.get("RANK", "0")) == 0
