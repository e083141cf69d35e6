"""A family at its smallest, and what the checks do with it: build, feed, train, draw.

Each is built at 1 × 8 × 8 with a label of three classes. Arguments that a family takes and `SMALL` names are made
small; a family that wants others has a classmethod

    tiny() -> dict[str, Any]        # plain arguments, as a recipe's [family] would have them

A family that asks for a package by "pip install" in an error is skipped where it is not installed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Family, Streams
from lienzo.core.registry import class_named
from lienzo.families.latent import Latent
from lienzo.training import TrainingSettings
from lienzo.training.distributed import Team
from lienzo.training.recipes.make import code_shape, make_family
from lienzo.training.run import Chosen, Run
from lienzo.training.step import advance

SHAPE, CLASSES, ROWS, STEPS = (1, 8, 8), ["a", "b", "c"], 16, 24
SMALL: dict[str, Any] = {
    "network": {"kind": "transformer", "patch": 4, "width": 16, "depth": 1, "heads": 2},
    "widths": [8, 16],
    "groups": [1, 1],
    "codes": 2,
    "width": 16,
    "depth": 1,
    "heads": 2,
}
SETTINGS = TrainingSettings(
    batch_size=ROWS, images=100_000, learning_rate=3e-3, warmup=0, ema_half_life=100, precision="float32", threads=1,
    device="cpu",
)  # fmt: skip


class Subject:
    """A family of the registry under examination; what is trained once is shared by all checks, and stays as it is.

    Args:
        kind: its name.
        more: arguments that it shall have.
    """

    def __init__(self, kind: str, **more: Any) -> None:
        self.kind, self.more = kind, more

    def made(self, **more: Any) -> Family:
        """Build it anew, as `made` does."""
        return made(self.kind, **self.more, **more)

    @functools.cached_property
    def trained(self) -> Family:
        """The family after a few steps."""
        run = running(self.made())
        go(run, STEPS)
        run.family.zero_grad(set_to_none=True)
        return run.family.eval()

    @functools.cached_property
    def shaken(self) -> Family:
        """The trained family with its weights a little off, so that layers which started at zero count."""
        family, generator = self.made(), torch.Generator().manual_seed(0)
        family.load_state_dict(self.trained.state_dict())
        with torch.no_grad():
            for parameter in family.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
        return family.eval()


def listening(names: Mapping[str, list[str]]) -> Bus:
    torch.manual_seed(0)
    return Bus({name: LabelCondition(classes) for name, classes in names.items()}, vector=16, token=16)


def made(
    kind: str, *, heard: bool = True, shape: tuple[int, int, int] = SHAPE, bus: Bus | None = None, **more: Any
) -> Family:
    """Build a family at its smallest, always with the same weights; `more` are arguments that it shall have."""
    cls = class_named("family", kind)
    if issubclass(cls, Latent):
        outer = made("vae")
        inner = more.pop("inner", "diffusion")
        return Latent(outer, made(inner, heard=heard, shape=code_shape(outer), **more))
    takes = inspect.signature(cls.__init__).parameters
    config = {n: v for n, v in SMALL.items() if n in takes and alike(v, takes[n].default)} | getattr(
        cls, "tiny", dict
    )()
    network = config.pop("network", None)
    if network and "patch" in network:
        network = {**network, "patch": shape[1] // 2}  # one token alone would have nothing to attend to
    network = more.pop("network", network)
    bus = listening({"label": CLASSES} if heard else {}) if bus is None else bus
    family = make_family({"kind": kind, **config, **more}, network, bus, shape, seed=0)
    assert family.shape == shape
    return family


def alike(value: Any, default: Any) -> bool:
    """Whether a value may take a default's place: two families may mean different things by a name."""
    plural = (list, tuple)
    return isinstance(value, dict) or isinstance(value, plural) == isinstance(default, plural)


def pictures(streams: Streams, brightness: Tensor) -> Tensor:
    """Return 8-bit pictures of a soft spot on a ground whose brightness (B,) is given."""
    grid = torch.linspace(-1, 1, 8)
    place = streams.child("place").uniform(2) - 0.5
    far = (grid[None, :, None] - place[:, :1, None]) ** 2 + (grid[None, None] - place[:, 1:, None]) ** 2
    x = brightness[:, None, None] + 0.5 * (-4 * far).exp() + 0.02 * streams.child("grain").normal(8, 8)
    return ((x.clamp(-1, 1) + 1) * 127.5).round()[:, None] / 127.5 - 1


def batch(family: Family, seen: int = 0, rows: int = ROWS) -> Batch:
    """Return pictures number `seen` and those after it, and what their classes are."""
    numbers, streams = range(seen, seen + rows), Streams(1, range(seen, seen + rows))
    x = pictures(streams.child("x"), torch.tensor([n % 3 * 0.4 - 0.7 for n in numbers]))
    return Batch(x, said(family, [CLASSES[n % 3] for n in numbers]), streams)


def said(family: Family, labels: list[str | None]) -> Conditions:
    bus = getattr(family, "bus", None)
    return bus.parse({"label": labels}, len(labels)) if hears(family) else Conditions(count=len(labels))


def hears(family: Family) -> bool:
    return bool(getattr(getattr(family, "bus", None), "names", []))


def options(family: Family, steps: int = 2) -> dict[str, Any]:
    """Return so many steps, where a family's samples take steps."""
    inner = family.inner if isinstance(family, Latent) else family
    return {"steps": steps} if "steps" in inspect.signature(inner.sampling).parameters else {}


def running(family: Family, settings: TrainingSettings = SETTINGS) -> Run:
    return Run(family.train(), settings, Chosen(settings.images or 0, "float32", "cpu", 1, 1), Team.alone("cpu"))


def go(run: Run, steps: int, feed: Any = batch) -> None:
    """Take steps on what `feed(family, seen)` gives."""
    for _ in range(steps):
        try:
            advance(run, feed(run.family, run.counters.seen))
        except ConfigurationError as error:
            if "pip install" in error.hint:
                pytest.skip(str(error))
            raise


def draw(family: Family, labels: list[str | None], indices: list[int], steps: int = 2) -> Tensor:
    with torch.no_grad():
        return family.sample(said(family, labels), streams=Streams(3, indices), **options(family, steps))


def players(family: Family) -> dict[str, list[torch.nn.Parameter]]:
    return {player: list(family.parameters_of(player)) for player in dict.fromkeys(family.players)}
