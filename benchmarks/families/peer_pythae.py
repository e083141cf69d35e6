"""`pythae`: its VAE, IWAE and VAMP on binarized pictures, unconditional, with Adam as its trainer uses.

Nets: its default ones (a hidden layer of 512), or its own convolutional ones for MNIST's size. Pictures are binarized
anew at every visit; log P by its own `get_nll`, with as many importance samples as ours.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from benchmarks.families.shared import kept
from benchmarks.fashion.contest import Choice, Clock, fit
from pythae.models import IWAE, VAE, VAMP, IWAEConfig, VAEConfig, VAMPConfig
from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

MLP, CONVOLUTIONS = 1, 2


class Vae:
    """Of a choice, `width` is the size of the code, `depth` which nets."""

    CHOICES = tuple(
        Choice(batch, lr, 32, nets)
        for batch, lr in ((128, 1e-3), (64, 1e-3), (128, 2e-3), (32, 1e-3))
        for nets in (CONVOLUTIONS, MLP)
    )
    measures = "nats"
    model_class, config_class, more = VAE, VAEConfig, dict[str, Any]()

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        config = self.config_class(
            input_dim=(1, 28, 28), latent_dim=choice.width, reconstruction_loss="bce", **self.more
        )
        nets = choice.depth == CONVOLUTIONS
        coders = (Encoder_Conv_VAE_MNIST(config), Decoder_Conv_AE_MNIST(config)) if nets else (None, None)
        self.model: nn.Module = self.model_class(config, *coders)
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def train(self, x: Tensor, y: Tensor, clock: Clock, folder: Path) -> dict[str, Any]:
        def loss(pictures: Tensor, _: Tensor) -> Tensor:
            binary = torch.bernoulli((pictures + 1) / 2)
            return self.model({"data": binary}, epoch=1_000_000).loss  # past VAMP's warm-up

        told = fit(self.model, loss, lambda: None, x, y, clock, self.choice, betas=(0.9, 0.999))
        save_file(kept(self.model), folder / "weights.safetensors")
        return told

    def load(self, folder: Path) -> None:
        self.model.load_state_dict(load_file(folder / "weights.safetensors"))

    @torch.no_grad()
    def nats(self, x: Tensor, y: Tensor, seed: int, samples: int) -> list[float]:
        """−log P of each picture of x (N, 1, 28, 28) uint8, binarized once."""
        self.model.eval()
        torch.manual_seed(seed)
        binary = torch.bernoulli(x.float() / 255)
        batch = min(samples, 500)
        with contextlib.redirect_stdout(io.StringIO()):  # it says a line for every picture
            return [-float(self.model.get_nll(one[None], samples, batch)) for one in binary]


class Iwae(Vae):
    model_class, config_class, more = IWAE, IWAEConfig, {"number_samples": 10}


class Vamp(Vae):
    model_class, config_class, more = VAMP, VAMPConfig, {"number_components": 500}
