"""A small network that judges scenes: what is where, how far, where joints are, the weather, which kinds of things."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.data.scenes.groups import GROUPS
from lienzo.data.scenes.kinds import KINDS
from lienzo.evaluation.devices import CPU, exact
from lienzo.evaluation.finders import SCENES as NAME
from lienzo.evaluation.finders import Bytes, Finder, Found
from lienzo.evaluation.shipped import config_of, folder_of, hash_on_card, restored

SIDE, GRID, JOINTS = 64, 32, 17  # of pictures, and of the maps of joints
WEATHERS = ("clear", "snow", "rain", "night")
THINGS = tuple(sorted({english for _, english, _ in KINDS.values()} | {"tree"}))
"""Kinds of things by their English names."""


@dataclass(frozen=True)
class Seen:
    """What is found in B pictures.

    Attributes:
        segmentation: (B, classes, 64, 64) logits of `GROUPS`.
        depth: (B, 64, 64), nearness: 0 in the sky, 1 on the ground at the lower edge.
        joints: (B, 17, 32, 32) logits, one map a joint.
        weather: (B, 4) logits of `WEATHERS`.
        things: (B, kinds) logits, each on its own, of `THINGS`.
    """

    segmentation: Tensor
    depth: Tensor
    joints: Tensor
    weather: Tensor
    things: Tensor


class SceneJudge(nn.Module):
    """Two grids, 16 × 16 and 8 × 8, and a finer look at the pixels in the end.

    Args:
        width: channels of the first grid.
        deep: channels of the second.

    >>> SceneJudge(16, 16).eval()(torch.zeros(2, 3, 64, 64)).segmentation.shape
    torch.Size([2, 9, 64, 64])
    """

    def __init__(self, width: int = 56, deep: int = 96) -> None:
        super().__init__()
        self.fine = nn.Sequential(_layer(48, width), _layer(width, width), _layer(width, width))
        self.coarse = nn.Sequential(_layer(width, deep, 2), _layer(deep, deep), _layer(deep, deep))
        self.back = nn.Sequential(_layer(width + deep, width), _layer(width, 64))
        self.near = _layer(64 // 4 + 12, 32)
        self.planes = nn.Conv2d(32, 4 * (len(GROUPS) + 1), 1)
        self.joints = nn.Conv2d(32, JOINTS, 1)
        self.things = nn.Conv2d(deep, len(THINGS), 1)
        self.weather = nn.Linear(2 * deep, len(WEATHERS))

    def forward(self, x: Tensor) -> Seen:
        """Judge pictures (B, 3, 64, 64) in [-1, 1]."""
        fine = self.fine(F.pixel_unshuffle(x, 4))
        coarse = self.coarse(fine)
        both = self.back(torch.cat([fine, F.interpolate(coarse, scale_factor=2.0, mode="nearest")], 1))
        near = self.near(torch.cat([F.pixel_shuffle(both, 2), F.pixel_unshuffle(x, 2)], 1))
        planes = F.pixel_shuffle(self.planes(near), 2).float()
        places = self.things(coarse).float().flatten(2)  # a thing is there if it is anywhere
        pooled = torch.cat([coarse.mean((2, 3)), coarse.amax((2, 3))], 1)
        return Seen(
            planes[:, :-1], planes[:, -1], self.joints(near).float(), self.weather(pooled).float(),
            places.logsumexp(2) - np.log(places.shape[2]),
        )  # fmt: skip

    @torch.no_grad()
    def see(self, pictures: Bytes, batch: int = 64) -> Seen:
        """Judge pictures (n, 64, 64, 3) of bytes."""
        device = next(self.parameters()).device
        x = torch.from_numpy(np.ascontiguousarray(pictures[..., :3].transpose(0, 3, 1, 2)))
        with exact(device):
            parts = [self(torch.div(part, 127.5).sub_(1).to(device)) for part in x.split(batch)]
        return Seen(**{name: torch.cat([getattr(part, name) for part in parts]).cpu() for name in vars(parts[0])})


def _layer(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.GELU())


def places_of(joints: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return x and y in pixels and 1 for each joint, (n, 17, 3): the mean place around a map's largest value."""
    heat = joints.flatten(2).softmax(2).unflatten(2, (GRID, GRID))
    peak = joints.flatten(2).argmax(2)
    at = torch.arange(GRID, dtype=heat.dtype)
    rows, columns = peak // GRID, peak % GRID
    near = ((at[None, None, :, None] - rows[..., None, None]).abs() <= 1) & (
        (at[None, None, None, :] - columns[..., None, None]).abs() <= 1
    )
    heat = heat * near
    heat = heat / heat.sum((2, 3), keepdim=True).clamp_min(1e-12)
    x, y = (heat.sum(2) * at).sum(2), (heat.sum(3) * at).sum(2)
    scale = SIDE / GRID
    return torch.stack([(x + 0.5) * scale, (y + 0.5) * scale, torch.ones_like(x)], 2).numpy()


def load_judge(folder: Path | None = None, device: str = CPU) -> SceneJudge:
    """Return a judge of scenes, frozen: the one that ships, or one of a folder; one for each device.

    Raises:
        CheckpointError: if there is none.
    """
    return _loaded(folder_of(NAME) if folder is None else folder, device)


@functools.lru_cache(maxsize=2)
def _loaded(folder: Path, device: str) -> SceneJudge:
    config = config_of(folder)
    return restored(SceneJudge(config["width"], config["deep"]), folder).to(device)


class Segments(Finder):
    """Class numbers of `GROUPS` by the judge of scenes."""

    name = NAME

    def __init__(self) -> None:
        self.sha256 = hash_on_card(folder_of(NAME))

    def find(self, pictures: Bytes) -> Sequence[Found]:
        """Return class numbers (64, 64)."""
        seen = load_judge(device=self.device).see(_square(pictures))
        return list(seen.segmentation.argmax(1).numpy().astype(np.int64))


class Nearness(Finder):
    """Nearness by the judge of scenes, which rises as the depth map of scenes does."""

    name = NAME

    def __init__(self) -> None:
        self.sha256 = hash_on_card(folder_of(NAME))

    def find(self, pictures: Bytes) -> Sequence[Found]:
        """Return nearness (64, 64)."""
        return list(load_judge(device=self.device).see(_square(pictures)).depth.numpy())


def _square(pictures: Bytes) -> Bytes:
    """Bring pictures to 64 × 64 in colour."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3]
    if x.shape[2:] != (SIDE, SIDE):
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return x.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
