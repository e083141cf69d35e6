"""lienzo: the recipe as it is, with another batch, step size or width only where `--search` asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from benchmarks.common import ROOT
from benchmarks.fashion.contest import Choice, Clock, Read
from torch import Tensor

from lienzo.core import Streams
from lienzo.data import Loader
from lienzo.training import TrainingSettings, load, train
from lienzo.training.recipes import Recipe, make_bus, make_family, open_data, read_recipe

RECIPE = ROOT / "recipes" / "fashion-mnist" / "diffusion.toml"


class Ours:
    CHOICES = tuple(Choice(batch, lr, 32, 1) for batch in (64, 32, 128) for lr in (2e-3, 1e-3, 4e-3))
    WAYS = ({"guidance": 1.0}, {"guidance": 1.0, "steps": 40}, {"guidance": 1.3})

    def __init__(self, choice: Choice) -> None:
        self.recipe = self._recipe(choice)
        self.data = open_data(self.recipe.data)
        self.bus = make_bus(self.recipe, self.data)
        self.family = make_family(
            self.recipe.family, self.recipe.network, self.bus, (1, 28, 28), self.recipe.training.seed
        )
        self.parameters = sum(p.numel() for p in self.family.parameters())

    def _recipe(self, choice: Choice) -> Recipe:
        values = read_recipe(RECIPE)
        network = values["network"]
        if network["kind"] == "unet":
            widths = network["widths"]
            network["widths"] = [choice.width * w // widths[0] for w in widths]
            network["depth"] = choice.depth
        values["training"] |= {"batch_size": choice.batch, "learning_rate": choice.lr}
        return Recipe.checked(values)

    def train(self, read: Read, clock: Clock, folder: Path) -> dict[str, Any]:
        own = self.recipe.training
        loader = Loader(self.data, self.bus, batch_size=own.batch_size, seed=own.seed, flip=self.recipe.data.flip)
        told = {"budget_seconds": clock.seconds, "clock": clock.kind, "threads": clock.threads}
        settings = TrainingSettings.checked({**own.model_dump(), **told, "checkpoint_every": 1e9, "samples_every": 1e9})
        clock.start()
        result = train(self.family, loader.batch_at, settings, folder / "run", resume=False)
        self.family = result.family
        return {"steps": result.step, "images": result.seen, "loss": result.losses["error"]}

    def load(self, folder: Path) -> None:
        self.family = load(folder / "run")

    def sample(self, y: Tensor, seed: int, way: dict[str, Any]) -> Tensor:
        conditions = self.bus.parse({"label": y.tolist()}, len(y))
        options = {**self.recipe.generate.options, **way, "chunk": len(y)}
        with torch.autocast("cpu", torch.bfloat16):  # as it was trained; pictures differ by a quarter of a grey level
            return self.family.sample(conditions, streams=Streams(seed, range(len(y))), **options).float()
