"""Pictures drawn part by part, each given the parts before: pixels, tokens, or the surest tokens first."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from lienzo.conditions.bus import Bus
from lienzo.core import Batch, Conditions, ConfigurationError, Family, Loss, Progress, Scores, Streams, configurable
from lienzo.families.orders import ORDERS, Drawing, Given, Heard, Order, Plan
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.sampling.chunks import in_chunks, rows_of
from lienzo.sampling.guidance import branched

CHUNK = 8  # rows a network call on a CPU, where the size of a call changes a result's last bits


@configurable("autoregressive")
class Autoregressive(Family, Scores):
    r"""P(x | c) = Π_i P(x_i | x_<i, c): an exact likelihood, learnt by minimising −log P.

    | order | a part is | network | likelihood |
    |---|---|---|---|
    | "pixels" | a pixel, in reading order | gated masked convolutions, a mixture of logistics | exact |
    | "tokens" | a token, in reading order | a causal transformer | exact |
    | "masked" | the tokens that are surest next | a transformer that hears all | a bound |

    `log_prob` is log P of the 8-bit picture, not a density: of "pixels" and of "tokens" with 256 levels. With fewer
    levels it is that of the picture at these levels; with a tokenizer it is that of the tokens, and says nothing of
    how well they keep the picture.

    Args:
        shape: (C, H, W) of a picture.
        bus: what may be said.
        order: a row of the table.
        tokenizer: of "tokens" and "masked": a trained `VectorQuantized`, which a recipe calls by name or folder; it
            stays as it is. Without one every channel of every pixel is a token.
        levels: how many values such a token tells apart.
        width: of the network, D.
        depth: its layers.
        heads: attention heads of a transformer.
        mixtures: K of the mixture of "pixels".

    Raises:
        ConfigurationError: for an order that does not exist, or a tokenizer that does not fit.

    "Conditional Image Generation with PixelCNN Decoders" (van den Oord, 2016); "PixelCNN++" (Salimans, 2017); "Taming
    Transformers for High-Resolution Image Synthesis" (Esser, 2021); "MaskGIT" (Chang, 2022).
    """

    likelihood: ClassVar[Literal["exact", "bound", "estimate"]] = "exact"

    def __init__(
        self,
        shape: tuple[int, int, int],
        bus: Bus,
        order: Literal["pixels", "tokens", "masked"] = "pixels",
        tokenizer: VectorQuantized | None = None,
        levels: int = 256,
        width: int = 64,
        depth: int = 6,
        heads: int = 4,
        mixtures: int = 5,
    ) -> None:
        super().__init__()
        if order not in ORDERS:
            raise ConfigurationError(f"unknown order {order!r}", hint=f"one of {', '.join(ORDERS)}")
        if tokenizer is not None and tuple(tokenizer.shape) != tuple(shape):
            raise ConfigurationError(f"the tokenizer codes pictures of {tokenizer.shape}, these are {shape}")
        self.shape, self.bus = shape, bus
        self.order: Order = ORDERS[order](shape, bus.sizes, Plan(tokenizer, levels, width, depth, heads, mixtures))
        self.likelihood = self.order.likelihood  # type: ignore[misc]
        self.scored = "8-bit" if order == "pixels" or (tokenizer is None and levels == 256) else "tokens"  # type: ignore[misc]

    def fusible(self) -> Iterable[nn.Module]:
        """Return the network."""
        return (self.order.trained(),)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Return −log P in nats a value (pixel and channel, or token); `parts` has it in bits."""
        channels = self.bus(self.bus.drop(batch.conditions, batch.streams))
        total, each = self.order.nll(batch.x, channels, batch.streams)
        return Loss(total, {"bits": each.detach().mean() / (math.log(2) * self.order.values)})

    @torch.no_grad()
    def log_prob(self, x: Tensor, conditions: Conditions, *, streams: Streams) -> Tensor:
        """Return log P(x | c) in nats, (B,); of "masked" a lower bound, with noise from the streams."""
        return self.order.log_prob(x, self.bus(conditions), streams)

    @torch.no_grad()
    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        steps: int = 12,
        wander: float = 4.5,
        guidance: float | Mapping[str, float] = 1.0,
        given: Given | None = None,
        chunk: int | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Yield a step a row of the picture or of its tokens; of "masked", a step a pass.

        Args:
            conditions: B rows.
            streams: B rows; the same stream gives the same picture at any batch size, bitwise on a CPU.
            temperature: below 1 bolder than the data; of "pixels", a factor of each component's width.
            top_k: of "tokens" and "masked": how many of the likeliest tokens remain.
            top_p: of the same: the likeliest remain that have this probability together.
            steps: of "masked": passes.
            wander: of "masked": how much chance there is in which tokens are fixed first.
            guidance: w, one weight for all that is said, or one a condition: the logits of tokens, and the log
                probabilities of a pixel's levels, are l₀ + w (l_c − l₀), at one more call of the network a branch.
            given: a picture (B, C, H, W) and a mask (B, 1, H, W), True where it is kept; see `complete`.
            chunk: rows a network call; by default 8 on a CPU and all elsewhere.
            **options: none.

        Raises:
            ConfigurationError: for an option that the order does not have, or a value outside its range.
        """
        if options:
            raise ConfigurationError(f"a picture drawn in order has no option {next(iter(options))!r}", hint="steps")
        if steps < 1:
            raise ConfigurationError(f"steps must be at least 1, got {steps}")
        device, count = next(self.parameters()).device, conditions.count
        size = chunk or (CHUNK if device.type == "cpu" else None)
        branches, weights = branched(conditions.to(device), guidance, self.bus.__getitem__)
        drawing = Drawing(temperature, top_k, top_p, steps, wander, weights)
        channels = [in_chunks(self.bus, size, each, count=count) for each in branches]
        draws, kept = self.order.draws(streams, drawing).to(device), _held(given, device)
        walks = [self._walk(index, channels, draws, kept, drawing) for index in chunks(count, size)]
        number = self.order.steps(drawing)
        for step, parts in enumerate(zip(*walks, strict=True), start=1):
            x = torch.cat(parts)[:count]
            yield Progress(step, number, x, x)

    def complete(self, x: Tensor, mask: Tensor, conditions: Conditions, *, streams: Streams, **options: Any) -> Tensor:
        """Draw what is missing of a picture.

        In reading order a part hears what is before it alone: what is given below it is kept but cannot be heard.
        "masked" hears all that is given. A token is given where all of its pixels are; what a tokenizer sees beyond
        them, where nothing is given, is the mean of what is.

        Args:
            x: (B, C, H, W) in [-1, 1].
            mask: (B, 1, H, W) bool, True where x is given.
            conditions: B rows.
            streams: B rows.
            **options: as in `sampling`.
        """
        last = deque(self.sampling(conditions, streams=streams, given=(x, mask), **options), maxlen=1)
        return last[0].estimate.clamp(-1, 1)

    def _walk(
        self, index: Tensor, heard: Heard, draws: Tensor, given: Given | None, drawing: Drawing
    ) -> Iterator[Tensor]:
        index = index.to(draws.device)
        held = None if given is None else (given[0][index], given[1][index])
        return self.order.walk([rows_of(channels, index) for channels in heard], draws[index], held, drawing)


def chunks(count: int, size: int | None) -> list[Tensor]:
    """Return which rows each call computes: `size` of them, the last call's filled up with the last row."""
    if size is None:
        return [torch.arange(count)]
    return [torch.arange(start, start + size).clamp(max=count - 1) for start in range(0, count, size)]


def _held(given: Given | None, device: torch.device) -> Given | None:
    return None if given is None else (given[0].to(device), given[1].to(device).bool())
