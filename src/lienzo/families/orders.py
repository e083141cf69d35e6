"""In which order a picture is drawn part by part: rows of the table `ORDERS` of the autoregressive family."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError, Streams
from lienzo.families.alphabets import Alphabet, Coded, Levels
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.networks.causal import TokenTransformer
from lienzo.networks.pixel_cnn import PixelCache, PixelCNN
from lienzo.sampling.categories import drawn, tempered
from lienzo.sampling.guidance import combined
from lienzo.sampling.logistic import level_log_probs, log_prob, parameters_for, sample

BOUND_DRAWS = 8  # how many stages of the decoding `log_prob` of "masked" looks at
Shape = tuple[int, int, int]
Heard = Sequence[Channels]  # by the branches of guidance
Given = tuple[Tensor, Tensor]  # a picture (B, C, H, W) and which pixels of it are given, (B, 1, H, W) bool


@dataclass(frozen=True)
class Plan:
    """What an order is built from: the arguments of `Autoregressive`."""

    tokenizer: VectorQuantized | None
    levels: int
    width: int
    depth: int
    heads: int
    mixtures: int

    def alphabet(self, shape: Shape) -> Alphabet:
        """Return the tokenizer's alphabet, or that of the pixels' levels."""
        return Levels(shape, self.levels) if self.tokenizer is None else Coded(self.tokenizer)


@dataclass(frozen=True)
class Drawing:
    """How boldly to draw.

    Attributes:
        temperature, top_k, top_p: see `lienzo.sampling.categories.tempered`.
        steps: of "masked": passes over the network.
        wander: of "masked": how much chance there is in which tokens are fixed first, at the first step.
        weights: of guidance, between what its branches hear, from least to most said; see `lienzo.sampling.guidance`.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    steps: int = 12
    wander: float = 4.5
    weights: Sequence[float] = ()

    def probabilities(self, branches: Sequence[Tensor]) -> Tensor:
        """Return the probabilities that the logits of all branches make together."""
        logits = combined([each.float() for each in branches], self.weights)
        return tempered(logits, self.temperature, self.top_k, self.top_p)


class Order(nn.Module, ABC):
    """One way to factorise P(picture) into steps.

    Attributes:
        likelihood: what `log_prob` is.
        values: how many numbers the log-likelihood is a sum over.
    """

    likelihood: Literal["exact", "bound"] = "exact"
    values: int

    @abstractmethod
    def trained(self) -> nn.Module:
        """Return the network that does the work."""

    @abstractmethod
    def nll(self, x: Tensor, channels: Channels, streams: Streams) -> tuple[Tensor, Tensor]:
        """Return what is minimised, a mean per value, and −log P in nats (B,) or an estimate of it, for the log."""

    @abstractmethod
    def log_prob(self, x: Tensor, channels: Channels, streams: Streams) -> Tensor:
        """Return log P(x | c) in nats, (B,)."""

    @abstractmethod
    def draws(self, streams: Streams, drawing: Drawing) -> Tensor:
        """Return all uniform numbers of a picture, (B, …)."""

    @abstractmethod
    def walk(self, heard: Heard, draws: Tensor, given: Given | None, drawing: Drawing) -> Iterator[Tensor]:
        """Yield the picture (B, C, H, W) step by step; the last branch of guidance has heard all that is said."""

    @abstractmethod
    def steps(self, drawing: Drawing) -> int:
        """Return how many pictures `walk` yields."""


class Pixels(Order):
    """P(x) = Π P(x_i | x_<i) over pixels in reading order, each a discretized mixture of logistics."""

    def __init__(self, shape: Shape, sizes: Sizes, plan: Plan) -> None:
        super().__init__()
        if plan.tokenizer is not None or plan.levels != 256:
            raise ConfigurationError("the order 'pixels' draws 8-bit pixels, and has no tokenizer or other levels",
                                     hint="order = 'tokens'")  # fmt: skip
        self.shape, self.values = shape, math.prod(shape)
        results = parameters_for(plan.mixtures, shape[0])
        dilations = [2 ** (n % 3) for n in range(plan.depth)]
        self.network = PixelCNN(shape[0], results, sizes, plan.width, dilations)
        self._spread(plan.mixtures)

    @torch.no_grad()
    def _spread(self, mixtures: int) -> None:
        """Start with components side by side, each half as wide as the gap: alike, they would be slow to part."""
        assert self.network.last.bias is not None
        channels, parameters = self.shape[0], self.network.last.bias.view(mixtures, -1).zero_()
        places = (2 * torch.arange(mixtures) + 1) / mixtures - 1
        parameters[:, 1 : 1 + channels] = places[:, None]
        parameters[:, 1 + channels : 1 + 2 * channels] = -math.log(mixtures)

    def trained(self) -> nn.Module:
        return self.network

    def nll(self, x: Tensor, channels: Channels, streams: Streams) -> tuple[Tensor, Tensor]:
        each = -self.log_prob(x, channels, streams)
        return each.mean() / self.values, each

    def log_prob(self, x: Tensor, channels: Channels, streams: Streams) -> Tensor:
        return log_prob(self.network(x, channels).float(), x)

    def draws(self, streams: Streams, drawing: Drawing) -> Tensor:
        channels, height, columns = self.shape
        return streams.child("pixels").uniform(1 + channels, height, columns)

    def steps(self, drawing: Drawing) -> int:
        return self.shape[1]

    def walk(self, heard: Heard, draws: Tensor, given: Given | None, drawing: Drawing) -> Iterator[Tensor]:
        """Yield the picture row by row; see `lienzo.networks.pixel_cnn.PixelCache`."""
        if drawing.top_k is not None or drawing.top_p is not None:
            raise ConfigurationError("a mixture of logistics has no top_k or top_p", hint="temperature")
        caches = [PixelCache(self.network, channels, self.shape, len(draws)) for channels in heard]
        for r in range(self.shape[1]):
            for cache in caches:
                cache.row(r)
            for c in range(self.shape[2]):
                at = (slice(None), slice(None), slice(r, r + 1), slice(c, c + 1))
                pixel = self._pixel([cache.place(c) for cache in caches], draws[at], drawing)
                if given is not None:
                    pixel = torch.where(given[1][at][..., 0, 0], given[0][at][..., 0, 0], pixel)
                for cache in caches:
                    cache.put(c, pixel)
            yield caches[0].picture.clone()

    def _pixel(self, branches: list[Tensor], uniforms: Tensor, drawing: Drawing) -> Tensor:
        """Draw a pixel (B, C) from the parameters that each branch has for it."""
        if len(branches) == 1:
            return sample(branches[0][..., None, None], uniforms, temperature=drawing.temperature)[..., 0, 0]
        channels, pixel = self.shape[0], uniforms.new_zeros(len(uniforms), 0)
        for channel in range(channels):
            each = [level_log_probs(b, pixel, channels, drawing.temperature) for b in branches]
            level = drawn(combined(each, drawing.weights).softmax(-1), uniforms[:, 1 + channel, 0, 0])
            pixel = torch.cat([pixel, (level / 127.5 - 1).to(pixel)[:, None]], 1)
        return pixel


class Tokens(Order):
    """P(s) = Π P(s_n | s_<n) over tokens in reading order, each by a causal transformer that keeps what it has read."""

    def __init__(self, shape: Shape, sizes: Sizes, plan: Plan) -> None:
        super().__init__()
        self.alphabet, causal = plan.alphabet(shape), type(self) is Tokens
        grid = self.alphabet.grid
        self.values = math.prod(grid)
        self.network = TokenTransformer(
            self.alphabet.vocabulary, grid, sizes, plan.width, plan.depth, plan.heads, causal=causal
        )

    def trained(self) -> nn.Module:
        return self.network

    def nll(self, x: Tensor, channels: Channels, streams: Streams) -> tuple[Tensor, Tensor]:
        each = -self.log_prob(x, channels, streams)
        return each.mean() / self.values, each

    def log_prob(self, x: Tensor, channels: Channels, streams: Streams) -> Tensor:
        tokens = self.alphabet.tokens(x)
        return -errors(self.network(tokens, channels), tokens).sum(1)

    def draws(self, streams: Streams, drawing: Drawing) -> Tensor:
        return streams.child("tokens").uniform(self.values)

    def steps(self, drawing: Drawing) -> int:
        return self.alphabet.grid[0]

    def walk(self, heard: Heard, draws: Tensor, given: Given | None, drawing: Drawing) -> Iterator[Tensor]:
        """Yield the picture row by row of its tokens; those not drawn yet are 0."""
        kept, last = [self.network.begin(channels, len(draws)) for channels in heard], None
        said, known = self._given(given, draws)
        tokens = torch.zeros_like(said)
        for n in range(self.values):
            last = drawn(drawing.probabilities([self.network.step(each, last) for each in kept]), draws[:, n])
            last = torch.where(known[:, n], said[:, n], last)
            tokens[:, n] = last
            if (n + 1) % (self.values // self.alphabet.grid[0]) == 0:
                yield self._shown(tokens, given)

    def _given(self, given: Given | None, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Return the given tokens (B, N), and which they are."""
        if given is None:
            nothing = torch.zeros(len(draws), self.values, dtype=torch.long, device=draws.device)
            return nothing, nothing.bool()
        x, mask = given
        mean = (x * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1)
        return self.alphabet.tokens(torch.where(mask, x, mean)), self.alphabet.known(mask)  # a tokenizer looks around

    def _shown(self, tokens: Tensor, given: Given | None) -> Tensor:
        x = self.alphabet.pictures(tokens)
        return x if given is None else torch.where(given[1], given[0], x)


class Masked(Tokens):
    r"""All tokens at once from those that are known; the surest are kept, the rest are asked for again.

    Trained on tokens of which a share cos(π u/2), u uniform, is hidden. "MaskGIT: Masked Generative Image Transformer"
    (Chang, 2022). `log_prob` is the bound of an order drawn at random, log P ≥ E_n (N/n) Σ log p(s_i | the others),
    n of N hidden ("Autoregressive Diffusion Models", Hoogeboom, 2022), with stages n drawn from the streams.
    """

    likelihood = "bound"

    def nll(self, x: Tensor, channels: Channels, streams: Streams) -> tuple[Tensor, Tensor]:
        tokens, numbers = self.alphabet.tokens(x), streams.child("hidden").uniform(1 + self.values)
        count = (self.values * (numbers[:, :1] * math.pi / 2).cos()).ceil().clamp(1, self.values)
        each = self._hidden(tokens, count, numbers[:, 1:], channels)
        # hidden tokens are as many as expected on average: a batch's own number would tie its rows to each other
        return each.sum(1).mean() / (self.values * 2 / math.pi), each.sum(1) * self.values / count[:, 0]

    def log_prob(self, x: Tensor, channels: Channels, streams: Streams) -> Tensor:
        tokens, total = self.alphabet.tokens(x), x.new_zeros(len(x))
        numbers = streams.child("stages").uniform(BOUND_DRAWS, 1 + self.values).to(x.device)
        for stage, of_stage in enumerate(numbers.unbind(1)):
            place = (stage + of_stage[:, :1]) / BOUND_DRAWS  # stratified: still uniform over all stages together
            count = (place * self.values).floor().clamp(max=self.values - 1) + 1
            each = self._hidden(tokens, count, of_stage[:, 1:], channels)
            total = total - each.sum(1) * self.values / count[:, 0] / BOUND_DRAWS
        return total

    def draws(self, streams: Streams, drawing: Drawing) -> Tensor:
        return streams.child("tokens").uniform(drawing.steps, 2, self.values)

    def steps(self, drawing: Drawing) -> int:
        return drawing.steps

    def walk(self, heard: Heard, draws: Tensor, given: Given | None, drawing: Drawing) -> Iterator[Tensor]:
        """Yield the picture with all tokens that are expected at each step, fixed or not."""
        said, known = self._given(given, draws)
        unknown, blank = (~known).sum(1, keepdim=True), self.alphabet.vocabulary
        tokens = torch.where(known, said, blank)
        for step in range(drawing.steps):
            p = drawing.probabilities([self.network(tokens, channels) for channels in heard])
            guess = torch.where(known, tokens, drawn(p, draws[:, step, 0]))
            chance = -(-draws[:, step, 1].clamp(2.0**-25).log()).log()
            done = (step + 1) / drawing.steps
            sure = p.gather(2, guess[..., None])[..., 0].log() + drawing.wander * (1 - done) * chance
            left = (unknown * math.cos(math.pi / 2 * done)).floor()
            fixed = (~known).sum(1, keepdim=True) - (left if done < 1 else 0)
            rank = sure.masked_fill(known, -torch.inf).argsort(dim=1, descending=True, stable=True).argsort(dim=1)
            known = known | (rank < fixed)
            tokens = torch.where(known, guess, blank)
            yield self._shown(guess, given)

    def _hidden(self, tokens: Tensor, count: Tensor, keys: Tensor, channels: Channels) -> Tensor:
        """Hide `count` (B, 1) tokens, those with the smallest keys; return the error at each, else 0, (B, N)."""
        hidden = keys.argsort(dim=1, stable=True).argsort(dim=1) < count
        logits = self.network(torch.where(hidden, self.alphabet.vocabulary, tokens), channels)
        return errors(logits, tokens) * hidden


def errors(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return −log p of tokens (B, N) under logits (B, N, K), (B, N)."""
    return F.cross_entropy(logits.float().transpose(1, 2), tokens, reduction="none")


ORDERS: dict[str, type[Pixels] | type[Tokens] | type[Masked]] = {"pixels": Pixels, "tokens": Tokens, "masked": Masked}
