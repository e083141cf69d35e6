"""One step: every player's gradient, its step, the average."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lienzo.core import Batch, ConfigurationError, derive_seed
from lienzo.training.recover import fewer_rows, is_out_of_memory, must_be_finite
from lienzo.training.run import Run

Parts = dict[str, Tensor]


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        images: how many it saw.
        learning_rate: its step size.
        losses: by name: "loss" and its parts, with the player's name before them where there are several.
        notes: what has to be said.
    """

    images: int
    learning_rate: float
    losses: dict[str, float]
    notes: list[str] = field(default_factory=list[str])


def advance(run: Run, batch: Batch) -> Step:
    """Take one step on a batch, the same on every process of the team.

    Raises:
        NotFiniteError: if a loss or a gradient is; some of several players may have taken their step by then.
        ConfigurationError: if not even one picture fits in memory.
    """
    size, counters, family = run.step_size(), run.counters, run.family
    done = Step(len(batch), size, {})
    for turn, player in enumerate(family.players):
        torch.manual_seed(derive_seed(run.settings.seed, counters.seen, turn, run.team.rank))
        parameters = list(run.players[player].values())
        losses = gradient(run, batch, player, turn, done.notes)
        run.team.add(parameters)
        norm = clip(parameters, run.settings.clip_norm)
        several = len(run.players) > 1
        named = {f"{player}.{n}" if several else n: v for n, v in sums(run, losses).items()}
        must_be_finite(loss=named[f"{player}.loss" if several else "loss"], gradient_norm=norm)
        done.losses.update(named, **{f"{player}.norm" if several else "norm": norm})
        for optimiser in run.optimisers[player]:
            optimiser.step()
    if run.team.size > 1:
        run.team.average(list(run.buffers().values()))
    counters.step += 1
    counters.seen += len(batch)
    run.average.update(len(batch), counters.seen)
    return done


def gradient(run: Run, batch: Batch, player: str, turn: int, notes: list[str]) -> Parts:
    """Leave this process's share of the gradient in the parameters; return its share of the losses.

    Where memory runs out it starts again with half as many pictures at once, and notes it.
    """
    start, stop = run.team.share(len(batch))
    if start == stop:
        raise ConfigurationError(f"a batch of {len(batch)} for {run.team.size} processes", hint="a larger batch_size")
    while True:
        rows = run.counters.rows or math.ceil((stop - start) / run.settings.accumulate)
        try:
            return accumulate(run, batch, player, turn, range(start, stop, min(rows, stop - start)))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        run.counters.rows = fewer_rows(min(rows, stop - start))  # outside: the error holds on to tensors
        notes.append(f"memory ran out: {run.counters.rows} pictures at once from now on; a step stays what it was")


def accumulate(run: Run, batch: Batch, player: str, turn: int, starts: range) -> Parts:
    """Add up the gradient of the rows in `starts`, its step at a time. Parts of a loss are means over the batch."""
    for parameter in run.trained.values():
        parameter.grad = None
    sums: Parts = {}
    for start in starts:
        part = batch.rows(start, min(start + starts.step, starts.stop))
        if turn:
            part = replace(part, streams=part.streams.child(f"turn{turn}"))
        share = len(part) / len(batch)
        with arithmetic(run.chosen.precision, run.team.device):
            loss = run.family.loss(part.to(run.team.device), player)
        (loss.total * share).backward()
        for name, value in {"loss": loss.total, **loss.parts}.items():
            sums[name] = sums.get(name, 0.0) + value.detach().float() * share
    for parameter in run.players[player].values():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return sums


def arithmetic(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context in which losses are computed."""
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def clip(parameters: list[nn.Parameter], largest: float | None) -> float:
    """Scale gradients down to the largest norm allowed; return the norm that they had."""
    limit = math.inf if largest is None else largest
    return float(nn.utils.clip_grad_norm_(parameters, limit, error_if_nonfinite=False))


def sums(run: Run, losses: Parts) -> dict[str, float]:
    """Return the losses of the whole batch, from every process's share."""
    values = torch.stack([v.reshape(()) for v in losses.values()]).tolist()
    return dict(zip(losses, run.team.total(values), strict=True))
