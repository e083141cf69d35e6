"""A pipeline's network as a family that denoises codes: what editing and lienzo's own solvers need."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lienzo.core import Conditions, Denoises, Progress, Streams
from lienzo.pretrained.asking import Guidance
from lienzo.pretrained.coder import packed, unpacked
from lienzo.pretrained.conditions import texts_of
from lienzo.pretrained.held import Held, Untrained
from lienzo.pretrained.kinds import Architecture
from lienzo.pretrained.levels import PREDICTIONS, levels_of
from lienzo.pretrained.pipeline import Pretrained
from lienzo.pretrained.telling import memory_told
from lienzo.sampling import SOLVERS, Level, guided, named, nest

REMEMBERED = 8  # texts whose encoding is kept: an edit asks for the same two again and again


class Codes(Untrained, Denoises):
    """p(z | c) over the codes of a pipeline, E[z | z_t, c] by its own network.

    The pipeline is called for one step with a scheduler that keeps what the network says. So what it does with words,
    sizes and numbers happens as ever, and no architecture is taken apart here.

    Args:
        whole: the pipeline.
        architecture: of its network.
        shape: of codes.
    """

    def __init__(self, whole: Pretrained, architecture: Architecture, shape: tuple[int, int, int]) -> None:
        super().__init__(whole.place)
        self.architecture, self.shape, self.bus, self.name = architecture, shape, whole.bus, whole.name
        pipeline = whole.pipeline
        scheduler, self.known = pipeline.scheduler, whole.call.known
        self.schedule = levels_of(scheduler, architecture.flow, shape[1] * shape[2] // 4)
        said = "flow" if architecture.flow else scheduler.config.get("prediction_type", "epsilon")
        self.predicted = named(PREDICTIONS, "prediction", said)
        self.config, self.asked = Held(scheduler.config), Held(_asked(pipeline))

    @torch.no_grad()
    def denoise(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Return the network's estimate of E[z | z_t, c], (B, Z, h, w), at times t (B,)."""
        t = t.to(x_t).clamp(self.schedule.t_min, self.schedule.t_max)
        rows = zip(x_t.split(1), t, texts_of(conditions.get("text"), len(x_t)), strict=True)
        said = torch.cat([self._said(row, time, text or "") for row, time, text in rows])
        return self.predicted(said, x_t, Level.of(self.schedule, t, x_t.ndim))

    def _said(self, x_t: Tensor, t: Tensor, text: str) -> Tensor:
        """Return what the network says of one state."""
        pipeline, scheduler = self.asked.it, OneStep(self.config.it, self.schedule.clock(t))
        object.__setattr__(pipeline, "scheduler", scheduler)  # past the bookkeeping of what a pipeline is saved as
        network = getattr(pipeline, "transformer", None) or pipeline.unet
        high, wide = (side * int(pipeline.vae_scale_factor) for side in x_t.shape[2:])
        given = {
            "prompt": text, "latents": (packed(x_t) if self.architecture.packed else x_t).to(network.dtype),
            "num_inference_steps": 1, "height": high, "width": wide, "output_type": "latent",
            "guidance_scale": None if self.architecture.distilled else 1.0, "true_cfg_scale": 1.0,
        }  # fmt: skip
        with memory_told(self.name):
            pipeline(**{name: value for name, value in given.items() if name in self.known and value is not None})
        said = scheduler.said.to(x_t)
        return unpacked(said, x_t.shape[2]) if self.architecture.packed else said

    @torch.no_grad()
    def sampling(
        self, conditions: Conditions, *, streams: Streams, steps: int, solver: str, guidance: Guidance, **options: Any
    ) -> Iterator[Progress]:
        """Yield every step of one of lienzo's solvers.

        Args:
            conditions: B rows.
            streams: B rows.
            steps: how many.
            solver: a name in `SOLVERS`.
            guidance: w of the words; None: 1.
            **options: the solver's own.
        """
        run = named(SOLVERS, "solver", solver).run
        heard, weights = nest(conditions.to(self.place.device), 1.0 if guidance is None else guidance)

        def evaluate(x: Tensor, t: float, which: Sequence[int]) -> list[Tensor]:
            return [self.denoise(x, x.new_full((len(x),), t), heard[i]) for i in which]

        knots = self.schedule.knots(self.schedule.grid(steps))
        x = streams.child("start").normal(*self.shape).to(self.place.device) * knots[0].sigma
        walk = run(guided(evaluate, weights), x, knots, streams.child("solver"), **options)
        for step, (state, estimate) in enumerate(walk, start=1):
            yield Progress(step, steps, state, estimate)


class OneStep:
    """A scheduler of `diffusers` with one step, at one noise level: it keeps what the network says of the state.

    Args:
        config: of the pipeline's own.
        clock: the number by which the network knows the level.
    """

    order, init_noise_sigma = 1, 1.0
    said: Tensor

    def __init__(self, config: Mapping[str, Any], clock: Tensor) -> None:
        self.config, self.timesteps = config, clock.reshape(1)

    def set_timesteps(
        self, num_inference_steps: int | None = None, device: Any = None, timesteps: Any = None, sigmas: Any = None,
        mu: float | None = None,
    ) -> None:  # fmt: skip
        """Keep the one level, whatever is asked for."""
        self.timesteps = self.timesteps.to(device)

    def set_begin_index(self, begin_index: int = 0) -> None:
        """There is one step to begin with."""

    def scale_model_input(self, sample: Tensor, timestep: Any = None) -> Tensor:
        """Return the state: it comes at the scale that the network knows."""
        return sample

    def step(self, model_output: Tensor, timestep: Any, sample: Tensor, **_: Any) -> tuple[Tensor]:
        """Keep what the network says."""
        self.said = model_output
        return (sample,)


def _asked(pipeline: Any) -> Any:
    """Return a pipeline with the same parts, to be asked step by step: silent, and texts are encoded once."""
    asked, silent = copy.copy(pipeline), bool(pipeline.config.get("force_zeros_for_empty_prompt"))
    asked.set_progress_bar_config(disable=True)
    object.__setattr__(asked, "encode_prompt", _remembering(pipeline.encode_prompt, silent))
    object.__setattr__(asked, "maybe_free_model_hooks", lambda: None)  # an offloaded network waits for the next step
    return asked


def _remembering(encode: Callable[..., Any], silent: bool) -> Callable[..., Any]:
    """Return a function that encodes the same texts once; `silent`: no text at all is zeros, as XL guides against."""
    known: dict[str, Any] = {}

    def encoded(*args: Any, **named: Any) -> Any:
        key = repr((args, sorted(named.items())))
        if key not in known:
            while len(known) >= REMEMBERED:
                known.pop(next(iter(known)))
            said = encode(*args, **named)
            unsaid = silent and named.get("prompt") == ""
            known[key] = [None if each is None else torch.zeros_like(each) for each in said] if unsaid else said
        return known[key]

    return encoded
