"""What a pipeline of `diffusers` hears and how its network works, read off its class's name and its call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What a pipeline is for.

    Attributes:
        task: in words.
        pattern: of its class's name; the first row that is found is taken.
        hears: conditions besides the text: "image" (the picture to change), "mask" (what may change), "control".
    """

    task: str
    pattern: str
    hears: tuple[str, ...] = ()


INSTRUCTED = Kind("instruction editing", r"InstructPix2Pix|Kontext|Edit", ("image",))
KINDS = (
    Kind("inpainting over a map", r"Control.*Inpaint", ("image", "mask", "control")),
    Kind("image-to-image over a map", r"Control.*Img2Img", ("image", "control")),
    Kind("inpainting", r"Inpaint|Fill", ("image", "mask")),
    INSTRUCTED,
    Kind("image-to-image", r"Img2Img|ImageVariation|Upscale", ("image",)),
    Kind("control", r"ControlNet|Control|Adapter", ("control",)),
    Kind("text-to-image", r""),
)

# A condition → the argument of a pipeline's call that it is given as: the first that the call has.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "image": ("image",),
    "mask": ("mask_image",),
    "control": ("control_image", "image"),
}


@dataclass(frozen=True)
class Architecture:
    """How the network of some pipelines hears codes: what there must be known to estimate x from x_t with it.

    Attributes:
        pattern: of the class's name, whole.
        flow: whether x_t = (1 − σ) x + σ ε; else variance-preserving by the scheduler's table.
        packed: whether 2 × 2 codes are one token.
        frames: whether its coder knows clips: a picture is a clip of one frame.
        distilled: whether guidance was learnt: one call a step, and a number that the network hears.
    """

    pattern: str
    flow: bool = False
    packed: bool = False
    frames: bool = False
    distilled: bool = False


ARCHITECTURES = (
    Architecture(r"StableDiffusion(XL)?Pipeline"),
    Architecture(r"StableDiffusion3Pipeline", flow=True),
    Architecture(r"FluxPipeline", flow=True, packed=True, distilled=True),
    Architecture(r"QwenImagePipeline", flow=True, packed=True, frames=True),
)


def kind_of(name: str, arguments: Mapping[str, Any]) -> Kind:
    """Return what a pipeline of a class is for; what must be given a picture and is no known kind changes pictures.

    >>> kind_of("FluxKontextPipeline", {"prompt": None, "image": None}).task
    'instruction editing'
    >>> kind_of("StableDiffusionXLPipeline", {"prompt": None}).task
    'text-to-image'
    >>> kind_of("StableDiffusionControlNetInpaintPipeline", {"prompt": None}).hears
    ('image', 'mask', 'control')
    """
    found = next(kind for kind in KINDS if re.search(kind.pattern, name))
    return INSTRUCTED if not found.hears and "image" in arguments else found


def architecture_of(name: str) -> Architecture | None:
    """Return how the network of a pipeline's class hears codes; None where that is not known.

    >>> architecture_of("FluxPipeline").packed, architecture_of("FluxKontextPipeline")
    (True, None)
    """
    return next((each for each in ARCHITECTURES if re.fullmatch(each.pattern, name)), None)


def guidance_of(arguments: Mapping[str, Any], name: str) -> str:
    """Return the argument of a pipeline's call that weighs the words.

    >>> guidance_of({"true_cfg_scale": 4.0, "guidance_scale": None}, "QwenImageEditPipeline")
    'true_cfg_scale'
    >>> guidance_of({"true_cfg_scale": 1.0, "guidance_scale": 3.5}, "FluxPipeline")
    'guidance_scale'
    """
    return "true_cfg_scale" if name.startswith("QwenImage") and "true_cfg_scale" in arguments else "guidance_scale"


def arguments_of(pipeline: Any) -> dict[str, Any]:
    """Return the arguments of a pipeline's call with their defaults; None where they have none."""
    empty = inspect.Parameter.empty
    each = inspect.signature(type(pipeline).__call__).parameters.values()
    return {p.name: None if p.default is empty else p.default for p in each if p.name != "self"}
