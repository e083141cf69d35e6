"""`denoising-diffusion-pytorch`: its class-conditional U-Net and diffusion, with the loop of its `Trainer`.

The file `classifier_free_guidance` is loaded without the package around it, which wants torchvision for reading
folders of pictures. Guidance at 1 is sampled by way of the conditional branch alone: at exactly 1 version 2.3 fails to
unpack what its own network returns.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from benchmarks.fashion.contest import CLASSES, Choice, Clock, Read, fit
from ema_pytorch import EMA
from safetensors.torch import load_file, save_file
from torch import Tensor


def library() -> ModuleType:
    package = importlib.util.find_spec("denoising_diffusion_pytorch")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("pip install --no-deps denoising-diffusion-pytorch einops ema-pytorch tqdm")
    file = Path(package.submodule_search_locations[0]) / "classifier_free_guidance.py"
    spec = importlib.util.spec_from_file_location("classifier_free_guidance", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.tqdm = lambda steps, **_: steps  # no bars
    return module


# batch, step size, in the order of trying
TRIED = (
    (32, 1e-3), (32, 4e-4), (64, 1e-3), (32, 2e-3),
    (32, 4e-3), (16, 2e-3), (16, 4e-3), (8, 2e-3), (64, 4e-4), (128, 1e-3),
)  # fmt: skip


class Ddpt:
    CHOICES = tuple(Choice(batch, lr, width) for width in (32, 64) for batch, lr in TRIED)
    WAYS = (
        {"steps": 25, "eta": 0.0, "guidance": 1.0}, {"steps": 50, "eta": 0.0, "guidance": 1.0},
        {"steps": 25, "eta": 1.0, "guidance": 1.0}, {"steps": 25, "eta": 0.0, "guidance": 1.5},
    )  # fmt: skip

    def __init__(self, choice: Choice) -> None:
        self.choice, self.library = choice, library()
        model = self.library.Unet(
            dim=choice.width, dim_mults=(1, 2, 4), num_classes=CLASSES, channels=1, cond_drop_prob=0.1
        )
        self.diffusion = self.library.GaussianDiffusion(model, image_size=28, timesteps=1000, sampling_timesteps=50)
        self.average = EMA(self.diffusion, beta=0.995, update_every=10)
        self.parameters = sum(p.numel() for p in self.diffusion.parameters())

    def train(self, read: Read, clock: Clock, folder: Path) -> dict[str, Any]:
        x, y = read()

        def loss(pictures: Tensor, classes: Tensor) -> Tensor:
            return self.diffusion((pictures + 1) / 2, classes=classes)

        told = fit(self.diffusion, loss, self.average.update, x, y, clock, self.choice, betas=(0.9, 0.99))
        weights = {name: tensor.clone() for name, tensor in self.average.ema_model.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        return told

    def load(self, folder: Path) -> None:
        self.average.ema_model.load_state_dict(load_file(folder / "weights.safetensors"))

    @torch.no_grad()
    def sample(self, y: Tensor, seed: int, way: dict[str, Any]) -> Tensor:
        diffusion = self.average.ema_model.eval()
        diffusion.ddim_sampling_eta, diffusion.sampling_timesteps = way["eta"], way["steps"]
        diffusion.is_ddim_sampling = True
        model, guided = diffusion.model, type(diffusion.model).forward_with_cond_scale

        def conditional(*args: Any, **_: Any) -> tuple[Tensor, Tensor]:
            out = model(*args, cond_drop_prob=0.0)
            return out, out

        model.forward_with_cond_scale = conditional if way["guidance"] == 1 else guided.__get__(model)
        torch.manual_seed(seed)
        return diffusion.sample(classes=y, cond_scale=way["guidance"], rescaled_phi=0.0) * 2 - 1
