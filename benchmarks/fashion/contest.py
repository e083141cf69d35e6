"""The rules of the contest: what a contender is, what it is given, and how its time is counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

CLASSES = 10


@dataclass(frozen=True)
class Choice:
    """What may be tuned about every contender alike.

    Attributes:
        batch: pictures a step.
        lr: the largest step size.
        width: channels at the finest level.
        depth: residual blocks a level.
    """

    batch: int
    lr: float
    width: int = 32
    depth: int = 2

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class Clock:
    """How much of the training time is gone.

    Args:
        minutes: of the machine to itself.
        kind: "wall"; or "processor", the process's seconds over its threads, for trials on a busy machine.
        threads: of the process.
    """

    def __init__(self, minutes: float, kind: str, threads: int) -> None:
        self.seconds, self.kind, self.threads = 60 * minutes, kind, threads
        self.since = 0.0

    def now(self) -> float:
        return time.monotonic() if self.kind == "wall" else time.process_time() / self.threads

    def start(self) -> None:
        self.since = self.now()

    def share(self) -> float:
        """The share of the time that is gone, from 0 to past 1."""
        return (self.now() - self.since) / self.seconds


Read = Callable[[], tuple[Tensor, Tensor]]
"""Returns pictures (N, 1, 28, 28) uint8 and their classes (N,): whoever reads them otherwise holds them only once."""


class Contender(Protocol):
    """A library with its own documented way of training and sampling.

    Attributes:
        WAYS: of sampling, of which the best at 2,000 pictures is used for the figures.
        CHOICES: batch, step size and width that `--search` tries; the first is the default.
    """

    WAYS: tuple[dict[str, Any], ...]
    CHOICES: tuple[Choice, ...]
    parameters: int

    def __init__(self, choice: Choice) -> None: ...

    def train(self, read: Read, clock: Clock, folder: Path) -> dict[str, Any]:
        """Train on what `read` returns, or the same read in its own way; return images seen, steps, the last losses."""

    def load(self, folder: Path) -> None:
        """Read the weights that `train` left in the folder."""

    def sample(self, y: Tensor, seed: int, way: dict[str, Any]) -> Tensor:
        """Return pictures (B, 1, 28, 28) in [-1, 1], one a class number in y (B,)."""


def shuffled(count: int, batch: int, seed: int):
    """Yield rows of batches for ever, epoch after epoch, without the short last batch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(count, generator=generator)
        yield from order[: count // batch * batch].split(batch)


def cosine(share: float, step: int, warmup: int = 500) -> float:
    """The peers' documented schedule (linear warm-up over 500 steps, then a half cosine), over time instead of steps.

    The warm-up takes at most a tenth of the time, so that short trials are not all warm-up.
    """
    rise = min(1.0, max((step + 1) / warmup, share / 0.1))
    return rise * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * min(share, 1.0))).item())


def fit(model, loss_of, after, x: Tensor, y: Tensor, clock: Clock, choice: Choice, betas) -> dict[str, Any]:
    """Both peers' loop, which is the same one: AdamW, clipping at 1, a step, the average of the weights.

    Args:
        model: whose parameters are trained.
        loss_of: (pictures in [-1, 1], classes) → the loss.
        after: called after each step, to update the average.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=choice.lr, betas=betas)
    model.train()
    clock.start()
    steps, losses = 0, list[float]()
    for rows in shuffled(len(x), choice.batch, seed=0):
        for group in optimiser.param_groups:
            group["lr"] = choice.lr * cosine(clock.share(), steps)
        loss = loss_of(x[rows].float() / 127.5 - 1, y[rows])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        after()
        steps += 1
        losses.append(float(loss.detach()))
        if clock.share() >= 1:
            break
    return {"steps": steps, "images": steps * choice.batch, "loss": sum(losses[-50:]) / len(losses[-50:])}
