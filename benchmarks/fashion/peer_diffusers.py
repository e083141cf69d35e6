"""`diffusers`: UNet2DModel with the training loop of its tutorial, conditioned on the class as its documentation says.

The network is that of the course's class-conditioned example for pictures of this size: blocks of 32, 64, 64 channels,
two layers each, attention at the two coarser levels; noise prediction under the "squaredcos_cap_v2" schedule; AdamW
with warm-up and cosine, clipping at 1; `EMAModel` as in its script for unconditional training. A tenth of the classes
is hidden, as an eleventh class, so that guidance can be tried.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from benchmarks.fashion.contest import CLASSES, Choice, Clock, Read, fit
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

# Without the clipping that its documentation calls critical for this schedule, DPM-Solver++ draws black and white noise
# here; thresholding keeps its estimates among pictures, as the clipping of DDIM's does.
SOLVERS = {
    "ddpm": (DDPMScheduler, {}),
    "ddim": (DDIMScheduler, {}),
    "dpm++2m": (DPMSolverMultistepScheduler, {"lambda_min_clipped": -5.1, "thresholding": True}),
}


# batch, step size, in the order of trying
TRIED = (
    (32, 2e-3), (16, 2e-3), (8, 2e-3), (16, 1e-3), (16, 4e-3), (32, 1e-3),
    (8, 1e-3), (64, 2e-3), (64, 1e-3), (32, 4e-3), (64, 4e-4), (128, 1e-3),
)  # fmt: skip


class Diffusers:
    CHOICES = tuple(Choice(batch, lr, width) for width in (32, 64) for batch, lr in TRIED)
    WAYS = (
        {"solver": "dpm++2m", "steps": 25, "guidance": 1.0}, {"solver": "ddim", "steps": 50, "guidance": 1.0},
        {"solver": "dpm++2m", "steps": 25, "guidance": 1.5}, {"solver": "ddpm", "steps": 100, "guidance": 1.0},
        {"solver": "ddpm", "steps": 250, "guidance": 1.0},
    )  # fmt: skip

    def __init__(self, choice: Choice) -> None:
        w = choice.width
        self.choice = choice
        self.model = UNet2DModel(
            sample_size=28, in_channels=1, out_channels=1, layers_per_block=choice.depth,
            block_out_channels=(w, 2 * w, 2 * w), num_class_embeds=CLASSES + 1, norm_num_groups=min(w, 32),
            down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        )  # fmt: skip
        self.scheduler = DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
        self.parameters = sum(p.numel() for p in self.model.parameters())

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        noise = torch.randn_like(x)
        steps = torch.randint(self.scheduler.config.num_train_timesteps, (len(x),))
        y = torch.where(torch.rand(len(y)) < 0.1, CLASSES, y)
        noisy = self.scheduler.add_noise(x, noise, steps)
        return F.mse_loss(self.model(noisy, steps, class_labels=y, return_dict=False)[0], noise)

    def train(self, read: Read, clock: Clock, folder: Path) -> dict[str, Any]:
        x, y = read()
        average = EMAModel(self.model.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)

        def after() -> None:
            average.step(self.model.parameters())

        told = fit(self.model, self.loss, after, x, y, clock, self.choice, betas=(0.95, 0.999))
        average.copy_to(self.model.parameters())
        save_file(self.model.state_dict(), folder / "weights.safetensors")
        return told

    def load(self, folder: Path) -> None:
        self.model.load_state_dict(load_file(folder / "weights.safetensors"))

    @torch.no_grad()
    def sample(self, y: Tensor, seed: int, way: dict[str, Any]) -> Tensor:
        self.model.eval()
        solver, settings = SOLVERS[way["solver"]]
        scheduler = solver.from_config(self.scheduler.config, **settings)
        scheduler.set_timesteps(way["steps"])
        torch.manual_seed(seed)  # of the noise that some solvers add
        x = torch.randn(len(y), 1, 28, 28, generator=torch.Generator().manual_seed(seed))
        nothing, w = torch.full_like(y, CLASSES), way["guidance"]
        for t in scheduler.timesteps:
            noise = self.model(x, t, class_labels=y, return_dict=False)[0]
            if w != 1:
                free = self.model(x, t, class_labels=nothing, return_dict=False)[0]
                noise = free + w * (noise - free)
            x = scheduler.step(noise, t, x).prev_sample
        return x.clamp(-1, 1)
