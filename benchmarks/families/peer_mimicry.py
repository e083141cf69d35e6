"""`torch-mimicry`: its class-conditional GAN with a projection critic (cGAN-PD), five critic steps to one, in 32 × 32.

Pictures are padded to 32 and repeated to three channels, as its networks want them, and cropped and averaged back. The
package's first import wants torchvision and TensorFlow for its logger and metrics; its networks need neither, so they
are imported past that.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from benchmarks.families.shared import kept
from benchmarks.fashion.contest import CLASSES, Choice, Clock, shuffled
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

CRITIC_STEPS = 5


def networks() -> ModuleType:
    """Import `torch_mimicry.nets.cgan_pd` without the package around it."""
    spec = importlib.util.find_spec("torch_mimicry")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("pip install --no-deps torch-mimicry")
    for name in ("torch_mimicry", "torch_mimicry.nets"):
        package = sys.modules.setdefault(name, ModuleType(name))
        inner = Path(*name.split(".")[1:]) if "." in name else Path()
        package.__path__ = [str(Path(spec.submodule_search_locations[0]) / inner)]
    return importlib.import_module("torch_mimicry.nets.cgan_pd.cgan_pd_32")


class Log:
    """Its logger, which is told everything and keeps the last value."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}

    def add_metric(self, name: str, value: Any, **_: Any) -> None:
        self.last[name] = float(torch.as_tensor(value).detach())


class CganPd:
    """Of a choice, `width` is the number of feature maps; its documentation's step sizes are 2e-4 for both players."""

    CHOICES = tuple(
        Choice(batch, lr, width)
        for width in (64, 128)
        for batch, lr in ((64, 2e-4), (32, 2e-4), (64, 4e-4), (32, 1e-3))
    )
    measures = "pictures"

    def __init__(self, choice: Choice) -> None:
        self.choice, library = choice, networks()
        torch.manual_seed(0)
        self.generator = library.CGANPDGenerator32(num_classes=CLASSES, ngf=choice.width)
        self.critic = library.CGANPDDiscriminator32(num_classes=CLASSES, ndf=choice.width // 2)
        self.parameters = sum(p.numel() for p in self.generator.parameters())

    def train(self, x: Tensor, y: Tensor, clock: Clock, folder: Path) -> dict[str, Any]:
        optimisers = [torch.optim.Adam(net.parameters(), lr=self.choice.lr, betas=(0.0, 0.9))
                      for net in (self.generator, self.critic)]  # fmt: skip
        log, steps, batches = Log(), 0, shuffled(len(x), self.choice.batch, seed=0)
        device = torch.device("cpu")
        clock.start()
        while clock.share() < 1:
            for optimiser in optimisers:  # its scheduler: linear to zero
                for group in optimiser.param_groups:
                    group["lr"] = self.choice.lr * (1 - clock.share())
            for step in range(CRITIC_STEPS):
                rows = next(batches)
                real = (F.pad(x[rows].float() / 127.5 - 1, (2, 2, 2, 2), value=-1).expand(-1, 3, -1, -1), y[rows])
                if step == 0:
                    self.generator.train_step(real, self.critic, optimisers[0], log, device)
                self.critic.train_step(real, self.generator, optimisers[1], log, device)
                steps += 1
        save_file(kept(self.generator), folder / "weights.safetensors")
        return {"steps": steps, "images": steps * self.choice.batch, "loss": log.last.get("errD", 0.0)}

    def load(self, folder: Path) -> None:
        self.generator.load_state_dict(load_file(folder / "weights.safetensors"))

    @torch.no_grad()
    def sample(self, y: Tensor, seed: int) -> Tensor:
        """Return pictures (B, 1, 28, 28) in [-1, 1]."""
        self.generator.eval()
        noise = torch.randn(len(y), self.generator.nz, generator=torch.Generator().manual_seed(seed))
        return self.generator(noise, y)[:, :, 2:30, 2:30].mean(1, keepdim=True)
