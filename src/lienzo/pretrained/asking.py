"""From options and what is said to the arguments of a pipeline's call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lienzo.core import Conditions, ConfigurationError
from lienzo.pretrained.conditions import texts_of
from lienzo.pretrained.kinds import ARGUMENTS, Kind, guidance_of
from lienzo.pretrained.names import read_size

Guidance = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Asked:
    """How pictures shall be drawn: the options of `Pretrained.sampling`, checked."""

    steps: int | None
    guidance: Guidance
    negative: str
    size: tuple[int, int]
    strength: float | None
    extra: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """What a pipeline's call hears.

    Attributes:
        name: of the model, for messages.
        pipeline: its class's name.
        known: arguments and their defaults.
        kind: what it is for.
        cell: of how many pixels sides must be multiples.
    """

    name: str
    pipeline: str
    known: Mapping[str, Any]
    kind: Kind
    cell: int

    @property
    def steps(self) -> int:
        """How many steps it takes unless asked otherwise."""
        return int(self.known.get("num_inference_steps") or 1)

    def asked(
        self, usual: tuple[int, int], *, steps: int | None = None, guidance: Guidance = None, negative: str = "",
        size: Any = None, strength: float | None = None, extra: Mapping[str, Any] | None = None, **unknown: Any,
    ) -> Asked:  # fmt: skip
        """Check options.

        Args:
            usual: width and height unless asked otherwise.
            steps: as the rest, see `Pretrained.sampling`.
            guidance: of the words, or one each.
            negative: what shall not be seen.
            size: of the pictures.
            strength: of noise on a given picture.
            extra: arguments of the call.
            **unknown: refused by name.

        Raises:
            ConfigurationError: for one that the pipeline does not hear.
        """
        wide, high = usual if size is None else read_size(size)
        said = {"negative_prompt": ("negative", negative), "strength": ("strength", strength)}
        deaf = next((name for argument, (name, value) in said.items() if value and argument not in self.known), None)
        weights = set(guidance) - {"text", "image"} if isinstance(guidance, Mapping) else set[str]()
        strange = [*unknown, *(name for name in extra or {} if name not in self.known)]
        for holds, what, hint in (
            (deaf is None, f"{self.name} hears no option {deaf!r}", f"leave it out: its task is {self.kind.task}"),
            (not strange, f"the pipeline of {self.name} has no argument {', '.join(strange)}", ", ".join(self.known)),
            (not weights, f"guidance for {', '.join(weights)}", 'a number, or {"text": 7, "image": 1.5}'),
            (not wide % self.cell and not high % self.cell, f"size {wide}x{high}", f"multiples of {self.cell} pixels"),
        ):
            if not holds:
                raise ConfigurationError(what, hint=hint)
        return Asked(steps, guidance, negative, (wide, high), strength, dict(extra or {}))

    def arguments(self, conditions: Conditions, row: int, asked: Asked, **more: Any) -> dict[str, Any]:
        """Return the arguments of the call that draws one row.

        Raises:
            ConfigurationError: if it must be given a picture that nobody said.
        """
        given = {**self._said(conditions, row), **self._how(asked), **more}
        return {name: value for name, value in given.items() if name in self.known and value is not None}

    def _said(self, conditions: Conditions, row: int) -> dict[str, Any]:
        said: dict[str, Any] = {"prompt": texts_of(conditions.get("text"), conditions.count)[row] or ""}
        for name in self.kind.hears:
            entry = conditions.get(name)
            if entry is None or not bool(entry.present[row]):
                hint = {"image": "--image FILE, or `lienzo edit FILE`"}.get(
                    name, f"--map {name}=FILE; in an edit --said {name}=FILE"
                )
                raise ConfigurationError(f"{self.name} needs a picture: {name} ({self.kind.task})", hint=hint)
            argument = next((each for each in ARGUMENTS[name] if each in self.known), name)
            said[argument] = _image(entry.values[0][row])
        return said

    def _how(self, asked: Asked) -> dict[str, Any]:
        weights = asked.guidance if isinstance(asked.guidance, Mapping) else {"text": asked.guidance}
        weigh, (wide, high) = guidance_of(self.known, self.pipeline), asked.size
        none = " " if weigh == "true_cfg_scale" else None  # such a pipeline guides only against what it is given
        return {
            "num_inference_steps": asked.steps, weigh: weights.get("text"),
            "image_guidance_scale": weights.get("image"), "negative_prompt": asked.negative or none,
            "width": wide, "height": high, "max_area": wide * high, "_auto_resize": False,
            "strength": asked.strength, **asked.extra,
        }  # fmt: skip


def cell_of(pipeline: Any) -> int:
    """Return of how many pixels the sides of a picture must be multiples: a code, or 2 × 2 of them where it packs."""
    return int(getattr(pipeline, "vae_scale_factor", 1)) * (2 if getattr(pipeline, "_pack_latents", None) else 1)


def pictures_of(images: Any) -> Tensor:
    """Return pictures (B, 3, H, W) in [0, 1] of what a pipeline gives for "pt".

    Raises:
        ConfigurationError: if these are no pictures.
    """
    if isinstance(images, Tensor):
        return images
    if isinstance(images, np.ndarray):
        return torch.from_numpy(images).permute(0, 3, 1, 2)
    if isinstance(images, list) and images and isinstance(images[0], Tensor):
        return torch.stack(images)
    raise ConfigurationError(f"the pipeline gives {type(images).__name__}, no pictures", hint="a pipeline of images")


def _image(x: Tensor) -> Image.Image:
    """Return what a pipeline takes for x (C, H, W) in [-1, 1]."""
    pixels = ((x.float().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
