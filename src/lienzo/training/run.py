"""Everything that changes while a family is trained, as named tensors and a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lienzo.core import Family
from lienzo.training.distributed import Team
from lienzo.training.ema import Average
from lienzo.training.fuse import fuse
from lienzo.training.optimisers import load_state, optimisers_for, set_step_size, state_tensors
from lienzo.training.schedule import Cut, Schedule
from lienzo.training.settings import TrainingSettings


@dataclass
class Counters:
    """The numbers of a run's state.

    Attributes:
        step: steps done.
        seen: images seen: the position in the data.
        seconds: how long the run has taken, all sittings together.
        factor: what the step size is multiplied with since the last NaN.
        rollbacks: how often the run went back because of a NaN.
        rows: how many pictures one process computes at once; 0: as the settings say.
        cut: the early end that a deadline asked for.
        pending: the losses of steps that no line of the log averages yet.
    """

    step: int = 0
    seen: int = 0
    seconds: float = 0.0
    factor: float = 1.0
    rollbacks: int = 0
    rows: int = 0
    cut: Cut | None = None
    pending: tuple[dict[str, float], ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Counters:
        """Return what `plain` wrote."""
        values: dict[str, Any] = {**plain, "cut": Cut(**plain["cut"]) if plain["cut"] else None}
        values["pending"] = tuple(plain.get("pending", ()))
        return cls(**values)


@dataclass(frozen=True)
class Chosen:
    """What was measured or found at the start of a run; kept, so that later sittings do the same.

    Attributes:
        images: how many images the run sees; 0 before that is known.
        precision: "float32" or "bfloat16".
        device: the kind, "cpu" or "cuda".
        threads: of one process.
        processes: how many.
    """

    images: int
    precision: str
    device: str
    threads: int
    processes: int


class Run:
    """A family on its way: weights, optimisers, average, counters.

    Args:
        family: what is trained; moved to the team's device.
        settings: as chosen by the user.
        chosen: as measured.
        team: the processes.
    """

    def __init__(self, family: Family, settings: TrainingSettings, chosen: Chosen, team: Team) -> None:
        self.family, self.settings, self.team = family.to(team.device), settings, team
        self.trained = {n: p for n, p in family.named_parameters() if p.requires_grad}
        self.names: dict[Tensor, str] = {p: n for n, p in self.trained.items()}
        self.players = {
            player: {self.names[p]: p for p in family.parameters_of(player)} for player in dict.fromkeys(family.players)
        }
        tables = {m.weight for m in family.modules() if isinstance(m, nn.Embedding)}
        self.optimisers: dict[str, list[Optimizer]] = {
            player: optimisers_for(own, settings, tables) for player, own in self.players.items()
        }
        self.average = Average(self.trained, settings.ema_half_life, settings.ema_ramp)
        self.counters = Counters()
        if settings.compile and team.device.type != "cpu":
            fuse(family)
        self.choose(chosen)

    def choose(self, chosen: Chosen) -> None:
        """Go by what was chosen: it fixes the schedule."""
        self.chosen, peak = chosen, self.settings.learning_rate
        self.schedule = Schedule(peak, chosen.images, self.settings.warmup, self.settings.decay)

    @property
    def end(self) -> int:
        """After how many images the run is over."""
        return self.schedule.end(self.counters.cut)

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self.counters.seen >= self.end

    def step_size(self) -> float:
        """Return the step size of the coming step, and tell the optimisers."""
        value = self.schedule.at(self.counters.seen, self.counters.cut) * self.counters.factor
        for optimisers in self.optimisers.values():
            set_step_size(optimisers, value)
        return value

    def buffers(self) -> dict[str, Tensor]:
        """Return what the family keeps that is not a parameter (running statistics, a codebook's counts)."""
        parameters = dict(self.family.named_parameters(remove_duplicate=False))
        return {n: t for n, t in self.family.state_dict().items() if n not in parameters}

    def raw(self) -> dict[str, Tensor]:
        """Return the trained weights as they are, not averaged."""
        return {n: p.detach() for n, p in self.trained.items()}

    def optimiser_state(self) -> dict[str, Tensor]:
        """Return the optimisers' state by player, parameter and entry."""
        state: dict[str, Tensor] = {}
        for player, optimisers in self.optimisers.items():
            state |= state_tensors(optimisers, self.names, player)
        return state

    def load_optimisers(self, saved: dict[str, Tensor]) -> None:
        """Make the optimisers' state what `optimiser_state` once returned."""
        for player, optimisers in self.optimisers.items():
            load_state(optimisers, self.names, player, saved)

    def weights(self) -> dict[str, Tensor]:
        """Return the family's state with averages where there are some: what is sampled and shipped."""
        averages, state = self.average.tensors, self.family.state_dict()
        for name, parameter in self.family.named_parameters(remove_duplicate=False):
            if name in state and parameter in self.names:  # a shared parameter has several names
                state[name] = averages[self.names[parameter]]
        return {name: tensor.detach() for name, tensor in state.items()}


@dataclass(frozen=True)
class Snapshot:
    """A run's whole state, copied.

    Attributes:
        raw, average, buffers, optimisers: tensors by name.
        counters: the numbers.
    """

    raw: dict[str, Tensor]
    average: dict[str, Tensor]
    buffers: dict[str, Tensor]
    optimisers: dict[str, Tensor]
    counters: Counters

    @classmethod
    def of(cls, run: Run, into: Snapshot | None = None) -> Snapshot:
        """Copy a run's state.

        Args:
            run: whose state.
            into: an earlier snapshot that nobody needs any more: its memory is used again, so that a run never holds
                two.
        """
        ours = (run.raw(), run.average.tensors, run.buffers(), run.optimiser_state())
        old = (into.raw, into.average, into.buffers, into.optimisers) if into else ({}, {}, {}, {})
        raw, average, buffers, optimisers = (copy(new, into=was) for new, was in zip(ours, old, strict=True))
        return cls(raw, average, buffers, optimisers, replace(run.counters))

    @torch.no_grad()
    def restore(self, run: Run) -> None:
        """Put a run back into this state.

        Raises:
            KeyError: if the run has a tensor of which this state knows nothing.
        """
        for ours, saved in ((run.raw(), self.raw), (run.average.tensors, self.average), (run.buffers(), self.buffers)):
            for name, tensor in ours.items():
                tensor.copy_(saved[name])
        run.load_optimisers(self.optimisers)
        run.counters = replace(self.counters)


@torch.no_grad()
def copy(tensors: Mapping[str, Tensor], into: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Return copies by name, in the memory of `into` where that holds a tensor of the same kind."""
    held = into or {}
    return {name: _copied(tensor, held.get(name)) for name, tensor in tensors.items()}


def _copied(tensor: Tensor, held: Tensor | None) -> Tensor:
    fits = held is not None and (held.shape, held.dtype, held.device) == (tensor.shape, tensor.dtype, tensor.device)
    return held.copy_(tensor) if fits and held is not None else tensor.detach().clone()


def spread(run: Run) -> None:
    """Give every process of the team the first one's state."""
    team = run.team
    if team.size == 1:
        return
    state = run.optimiser_state()
    layout = team.tell({n: (list(t.shape), str(t.dtype).removeprefix("torch.")) for n, t in state.items()})
    assert isinstance(layout, dict)
    if not team.leads:
        state = {n: torch.zeros(shape, dtype=getattr(torch, kind)) for n, (shape, kind) in layout.items()}
    team.copy([*run.raw().values(), *run.average.tensors.values(), *run.buffers().values(), *state.values()])
    counters = team.tell(run.counters.plain())
    assert isinstance(counters, dict)
    run.counters = Counters.of(counters)
    if not team.leads:
        run.load_optimisers(state)
