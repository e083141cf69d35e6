"""The suite itself on trial: a typical fault is planted, and the suite's own checks must see it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import plane
import pytest
import torch
from checks import CHECKS
from subject import Subject
from torch import Tensor
from torch.nn import functional as F

from lienzo.core import Batch, Loss, Streams, derive_seed
from lienzo.families.duel import Duel
from lienzo.families.gan import GAN
from lienzo.networks.causal import TokenTransformer
from lienzo.networks.coupling import Coupling
from lienzo.networks.pixel_cnn import PixelCNN
from lienzo.sampling.bounds import kl_normal

Plant = Callable[[pytest.MonkeyPatch], None]
TRUTH = "no_likelihood_beats_the_truth"


@dataclass(frozen=True)
class Fault:
    """A fault, where it is planted, and which checks must see it.

    Attributes:
        plant: puts it into the library.
        kind: the family that has it then.
        seen: names of checks.
        more: the family's arguments.
    """

    plant: Plant
    kind: str
    seen: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)


def swapped_sign(patch: pytest.MonkeyPatch) -> None:
    """A coupling adds Σ s to the log-determinant where it shrinks by e^−s."""
    right = Coupling.forward

    def wrong(self: Coupling, x: Tensor, heard: Any) -> tuple[Tensor, Tensor]:
        z, change = right(self, x, heard)
        return z, -change

    patch.setattr(Coupling, "forward", wrong)


def mask_of_pixels(patch: pytest.MonkeyPatch) -> None:
    """A pixel hears itself: the picture lies one column too far to the left under the masked convolutions."""
    right = PixelCNN.forward

    def wrong(self: PixelCNN, x: Tensor, channels: Any) -> Tensor:
        return right(self, F.pad(x, (0, 1))[..., 1:], channels)

    patch.setattr(PixelCNN, "forward", wrong)


def mask_of_tokens(patch: pytest.MonkeyPatch) -> None:
    """A token hears itself: the triangle of the causal mask begins one place too late."""
    right = TokenTransformer.forward

    def wrong(self: TokenTransformer, tokens: Tensor, channels: Any) -> Tensor:
        return right(self, F.pad(tokens, (0, 1))[:, 1:], channels)

    patch.setattr(TokenTransformer, "forward", wrong)


def kl_over_rows(patch: pytest.MonkeyPatch) -> None:
    """The divergence is summed over the batch and averaged over the code."""

    def wrong(mean: Tensor, log_variance: Tensor) -> Tensor:
        right = kl_normal(mean, log_variance)
        return (right.sum(0, keepdim=True) / right[0].numel()).expand_as(right)

    patch.setattr("lienzo.families.vae.kl_normal", wrong)
    patch.setattr("lienzo.families.hierarchical_vae.kl_normal", wrong)


def critic_owns_all(patch: pytest.MonkeyPatch) -> None:
    """The critic's optimiser is given the generator's parameters too."""
    right = Duel.side

    def wrong(self: Duel, player: str, *drawing: Any) -> list[torch.nn.Parameter]:
        others = right(self, "generator", *drawing) if player == "critic" else []
        return [*right(self, player, *drawing), *others]

    patch.setattr(Duel, "side", wrong)


def critic_without_detach(patch: pytest.MonkeyPatch) -> None:
    """The pictures that the critic is shown still hang on the generator's graph."""
    right = GAN.loss

    def wrong(self: GAN, batch: Batch, player: str = "generator") -> Loss:
        if player != "critic":
            return right(self, batch, player)
        fake = self.draw(batch.streams.child("z").normal(self.latent), batch.conditions)
        channels = self.duel.bus(batch.conditions)
        on_real, on_fake = (self.duel.network(x, channels) for x in (batch.x, fake))
        return Loss(self.duel.contest.critic(on_real, on_fake).mean())

    patch.setattr(GAN, "loss", wrong)


def critic_unfenced(patch: pytest.MonkeyPatch) -> None:
    """A model's loss sends gradients into the critic that judges it."""
    patch.setattr("lienzo.families.vector_quantized.frozen", lambda module: contextlib.nullcontext())


def shared_stream(patch: pytest.MonkeyPatch) -> None:
    """A batch draws all its noise from one generator, row after row."""

    def wrong(self: Streams, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive_seed(self.seed, self.name))
        return torch.randn(len(self), *shape, generator=generator)

    patch.setattr(Streams, "normal", wrong)


def one_stream_for_all(patch: pytest.MonkeyPatch) -> None:
    """Every row draws the first row's noise."""
    right = Streams.normal

    def wrong(self: Streams, *shape: int) -> Tensor:
        return right(self, *shape)[:1].expand(len(self), *shape).clone()

    patch.setattr(Streams, "normal", wrong)


SAME, OWN = (
    "the_same_stream_gives_the_same_sample_at_any_batch_size",
    "a_player_trains_its_own_parameters_and_no_others",
)
MEAN, ALONE = "a_loss_is_the_mean_over_rows", "how_likely_a_picture_is_does_not_depend_on_others"
IN_ORDER, OF_TOKENS = "what_is_drawn_in_order_hears_what_is_before_it_alone", {"order": "tokens", "levels": 8}
GAUSSIAN = {"likelihood": "gaussian", "latent": 4}
FAULTS = {
    "log-determinant, swapped sign": Fault(swapped_sign, "flow", ("an_exact_density_is_that_of_its_codes",)),
    "log-determinant, by the truth": Fault(swapped_sign, "flow", (TRUTH,)),
    "mask of pixels, off by one": Fault(mask_of_pixels, "autoregressive", (TRUTH, IN_ORDER)),
    "mask of tokens, off by one": Fault(mask_of_tokens, "autoregressive", ("an_exact_probability_sums_to_one",)),
    "cache of tokens, not that of the mask": Fault(mask_of_tokens, "autoregressive", (IN_ORDER,), OF_TOKENS),
    "critic without its fence": Fault(critic_unfenced, "vector_quantized", (OWN,), {"adversarial": 0.1}),
    "KL over the rows": Fault(kl_over_rows, "vae", (MEAN, ALONE), GAUSSIAN),
    "KL over the rows of a ladder": Fault(kl_over_rows, "hierarchical_vae", (MEAN,)),
    "critic owns the generator": Fault(critic_owns_all, "gan", (OWN,)),
    "critic without detach": Fault(critic_without_detach, "gan", (OWN,)),
    "shared stream, diffusion": Fault(shared_stream, "diffusion", (SAME, MEAN)),
    "shared stream, gan": Fault(shared_stream, "gan", (SAME,)),
    "one stream for all": Fault(one_stream_for_all, "vae", (SAME,)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    fault.plant(monkeypatch)
    for seen in fault.seen:
        with pytest.raises(AssertionError):
            ask(seen, fault)


@pytest.mark.parametrize("name", FAULTS)
def test_without_it_nothing_is_seen(name: str) -> None:
    fault = FAULTS[name]
    for seen in set(fault.seen) - {TRUTH}:  # which the suite asks of the sound family
        ask(seen, fault)


def ask(name: str, fault: Fault) -> None:
    if name == TRUTH:
        plane.no_likelihood_beats_the_truth(plane.learnt(fault.kind))
    else:
        CHECKS[name](Subject(fault.kind, **fault.more))
