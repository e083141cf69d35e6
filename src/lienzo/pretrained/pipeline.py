"""A pipeline of `diffusers` as a family: it draws p(x | c) itself, one picture a call, from its own noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from lienzo.core import Conditions, Progress, Streams
from lienzo.core.streams import derive_seed
from lienzo.pretrained.asking import Asked, Call, Guidance, cell_of, pictures_of
from lienzo.pretrained.conditions import bus_of
from lienzo.pretrained.held import Held, Untrained
from lienzo.pretrained.kinds import Kind, arguments_of
from lienzo.pretrained.steps import Seen, Step, callback, steps_of
from lienzo.pretrained.telling import memory_told

Look = Callable[[Tensor, tuple[int, int]], Tensor]  # a pipeline's codes, (width, height) → what they show


class Pretrained(Untrained):
    """p(x | c) of a pipeline of `diffusers`, under what its call hears.

    Every picture is one call with a generator of its own, seeded from its stream: so picture i is the same, bit for bit
    on one machine, however many are drawn with it.

    Args:
        pipeline: of `diffusers`, loaded.
        shape: (3, H, W) that it draws unless asked otherwise.
        kind: what it is for.
        name: by which it was loaded, for messages.
    """

    def __init__(self, pipeline: Any, shape: tuple[int, int, int], kind: Kind, name: str) -> None:
        super().__init__(torch.empty(0, device=pipeline._execution_device))
        self.held, self.shape, self.name = Held(pipeline), shape, name
        self.call = Call(name, type(pipeline).__name__, arguments_of(pipeline), kind, cell_of(pipeline))
        self.bus = bus_of(kind, "prompt" in self.call.known, shape)
        self.look: Look | None = None

    @property
    def pipeline(self) -> Any:
        """The pipeline of `diffusers`."""
        return self.held.it

    def sample(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Tensor:
        """Draw one picture a stream; see `sampling`."""
        asked = self.call.asked((self.shape[2], self.shape[1]), **options)
        return torch.cat([self._drawn(conditions, streams, row, asked, None) for row in range(len(streams))])

    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        steps: int | None = None,
        guidance: Guidance = None,
        negative: str = "",
        size: Any = None,
        strength: float | None = None,
        extra: Mapping[str, Any] | None = None,
        previews: Literal["all", "last"] = "last",
        **options: Any,
    ) -> Iterator[Progress]:
        """Yield every step of every picture, one picture after another; what is not drawn yet is grey.

        Args:
            conditions: B rows.
            streams: B rows.
            steps: from noise to picture; None: the pipeline's own number.
            guidance: how strongly words are obeyed; {"text": 7, "image": 1.5} where a pipeline weighs both.
            negative: what shall not be seen.
            size: "768x512", (768, 512) or 768; None: as it was loaded.
            strength: how far a picture that is given is led back to noise.
            extra: more arguments of the pipeline's call, by name.
            previews: "all" decodes every step's codes, where the coder is known.
            **options: refused by name.

        Raises:
            ConfigurationError: for an option that the pipeline does not hear, or if memory is lacking.
        """
        asked = self.call.asked((self.shape[2], self.shape[1]), steps=steps, guidance=guidance, negative=negative,
                                size=size, strength=strength, extra=extra, **options)  # fmt: skip
        done = torch.zeros(len(streams), 3, asked.size[1], asked.size[0], device=self.place.device)
        for row in range(len(streams)):
            for step in self._steps(conditions, streams, row, asked, looked=previews == "all"):
                if step.picture is not None:
                    done[row] = step.picture[0]
                yield self._progress(row, step, len(streams), asked, done)

    def _progress(self, row: int, step: Step, rows: int, asked: Asked, done: Tensor) -> Progress:
        """Return a step of picture `row` as one of all steps of all pictures."""
        count = asked.steps or self.call.steps
        number = count if step.number is None else min(step.number, count - 1)
        return Progress(row * count + number, rows * count, step.codes, done.clone())

    def _steps(
        self, conditions: Conditions, streams: Streams, row: int, asked: Asked, *, looked: bool
    ) -> Iterator[Step]:
        look = self.look

        def draw(seen: Seen) -> Tensor:
            return self._drawn(conditions, streams, row, asked, seen)

        def shows(codes: Tensor) -> Tensor:
            assert look is not None
            return look(codes, asked.size)

        return steps_of(draw, shows if looked and look is not None else None)

    @torch.no_grad()
    def _drawn(self, conditions: Conditions, streams: Streams, row: int, asked: Asked, seen: Seen | None) -> Tensor:
        """Return one picture, (1, 3, H, W) in [-1, 1]."""
        seed = derive_seed(streams.seed, streams.name, streams.indices[row], "pipeline")
        generator = torch.Generator("cpu").manual_seed(seed)  # on the CPU: the same noise on every device
        told = None if seen is None else callback(seen)
        arguments = self.call.arguments(
            conditions, row, asked, output_type="pt", generator=generator, callback_on_step_end=told
        )
        with memory_told(self.name):
            x = pictures_of(self.pipeline(**arguments).images)
        return 2 * x.to(self.place.device).float() - 1
