"""What a person may choose about a training run, checked; a typo or a wrong type fails with its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from lienzo.core import ConfigurationError

Decay = Literal["cosine", "linear", "constant", "warmup-stable-decay"]

# What may change between two sittings of one run without changing the weights that it ends with.
HARMLESS = frozenset(
    {"budget_seconds", "clock", "checkpoint_every", "samples_every", "keep", "tensorboard", "log_every"}
)


class TrainingSettings(BaseModel):
    """The settings of one run. Lengths are counted in images seen, so that they do not depend on the batch.

    Attributes:
        batch_size: B, images a step over all processes together.
        images: how many images the run sees in all. None: as many as `budget_seconds` allows, measured at the start.
        budget_seconds: how long the run may take, s, all sittings together. None: as long as `images` needs.
        clock: what a budget counts: "wall" time, or the "processor" time of this process a thread, in which other work
            on the machine hardly counts.
        extend: with both of them: see more than `images` where the budget has room for it, as without `images`.
        most: without `images`: how many it sees at most, whatever the budget has room for.
        learning_rate: the largest step size.
        weight_decay: of matrices and kernels; vectors (biases, gains) are never decayed.
        betas: the decay of AdamW's two moments.
        warmup: images over which the step size grows from 0; at most a tenth of the run.
        decay: how the step size falls afterwards, see `lienzo.training.schedule`.
        ema_half_life: images after which a weight counts half in the average that is sampled and shipped.
        ema_ramp: early in the run the half-life is at most this share of the images seen so far.
        clip_norm: the gradient's largest norm. None: not clipped.
        optimiser: "adamw", or "muon" for matrices with AdamW for the rest.
        precision: of the loss's arithmetic; weights and averages stay float32. "auto" measures both and keeps the
            faster one.
        accumulate: in how many parts a step's gradient is computed, for batches that do not fit in memory.
        compile: on a GPU, let torch.compile fuse the networks' operations, which takes a minute at the start. On a
            CPU it never repays itself at these sizes, and nothing happens.
        device: "auto" is a GPU where there is one.
        seed: of whatever draws from torch's global generator; training noise comes from the batch's streams.
        threads: of this process on a CPU. None: torch's choice.
        checkpoint_every: s between checkpoints; one is always written at the end.
        samples_every: s between sample grids, as a hint to observers.
        log_every: steps that one line of `log.jsonl` averages over.
        keep: how many checkpoints stay on disk.
        tensorboard: write TensorBoard events too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_size: PositiveInt = 64
    images: PositiveInt | None = None
    budget_seconds: PositiveFloat | None = None
    clock: Literal["wall", "processor"] = "wall"
    extend: bool = False
    most: PositiveInt | None = None
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    warmup: int = Field(default=10_000, ge=0)
    decay: Decay = "warmup-stable-decay"
    ema_half_life: NonNegativeFloat = 50_000
    ema_ramp: PositiveFloat = 0.05
    clip_norm: PositiveFloat | None = 1.0
    optimiser: Literal["adamw", "muon"] = "adamw"
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    accumulate: PositiveInt = 1
    compile: bool = False
    device: str = "auto"
    seed: int = 0
    threads: PositiveInt | None = None
    checkpoint_every: NonNegativeFloat = 60.0
    samples_every: PositiveFloat = 300.0
    log_every: PositiveInt = 10
    keep: PositiveInt = 2
    tensorboard: bool = False

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> TrainingSettings:
        """Check plain values.

        Raises:
            ConfigurationError: naming the first value that is wrong, and what is allowed.
        """
        try:
            return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            hint = f"one of {', '.join(cls.model_fields)}" if first["type"] == "extra_forbidden" else ""
            what = f"training setting {where!r}: {first['msg']}, got {first['input']!r}"
            raise ConfigurationError(what, hint=hint) from None

    def changed(self, earlier: TrainingSettings) -> dict[str, tuple[Any, Any]]:
        """Return name → (earlier, now) of what differs and changes the weights that the run ends with."""
        then, now = earlier.model_dump(), self.model_dump()
        return {k: (then[k], now[k]) for k in now if now[k] != then[k] and k not in HARMLESS}
