"""How a pretrained model is called: a folder or a name on the hub, and behind commas how it shall be loaded.

    stabilityai/stable-diffusion-xl-base-1.0,dtype=bfloat16,offload=model
    ./my-pipeline,size=768x512,tiling=yes

The name holds all that is needed to load it, so that a record's `model` makes a picture again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lienzo.core.errors import ConfigurationError

INDEX = "model_index.json"  # what makes a folder a pipeline
HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")  # owner/name
SIZE = re.compile(r"(\d+)(?:[x×](\d+))?")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "dtype": ("auto", "float32", "float16", "bfloat16"),
    "offload": ("no", "model", "sequential"),
    "slicing": ("no", "yes"),
    "tiling": ("no", "yes"),
    "quantize": ("no", "8bit"),
    "task": ("", "text-to-image", "image-to-image", "inpainting"),
}


@dataclass(frozen=True)
class Loading:
    """A pretrained model, and how it shall be loaded.

    Attributes:
        name: a folder with `model_index.json`, or "owner/name" on the hub.
        task: what the same parts shall be put together for; "": what they were saved as.
        dtype: of its numbers; "auto" is bfloat16 on a GPU and float32 on a CPU.
        offload: "model" or "sequential": parts wait in the main memory until they are needed.
        slicing: attention in slices.
        tiling: the coder works tile by tile.
        quantize: "8bit": networks and text encoders in 8 bits (needs bitsandbytes and a GPU).
        variant: of the files, e.g. "fp16".
        revision: of the hub: a branch, a tag, a commit.
        controlnet: a folder or a name on the hub: the picture then follows a map, `--map control=FILE`.
        size: "768" or "768x512", width first; "": what it was trained for.

    Raises:
        ConfigurationError: for a value that an option does not have.
    """

    name: str
    task: str = ""
    dtype: str = "auto"
    offload: str = "no"
    slicing: str = "no"
    tiling: str = "no"
    quantize: str = "no"
    variant: str = ""
    revision: str = ""
    controlnet: str = ""
    size: str = ""

    def __post_init__(self) -> None:
        for option, able in CHOICES.items():
            if getattr(self, option) not in able:
                hint = f"one of {', '.join(filter(None, able))}"
                raise ConfigurationError(f"{option}={getattr(self, option)}", hint=hint)
        if self.size:
            read_size(self.size)

    @classmethod
    def of(cls, text: str, options: Mapping[str, Any] | None = None) -> Loading:
        """Read NAME,option=value,…; `options` come on top.

        Raises:
            ConfigurationError: for an option that there is not.

        >>> Loading.of("owner/name,dtype=float16", {"tiling": True}).text()
        'owner/name,dtype=float16,tiling=yes'
        """
        name, said = _parts(text)
        given = {**said, **{key: _spelt(value) for key, value in (options or {}).items()}}
        known = [each.name for each in fields(cls) if each.name != "name"]
        unknown = next((key for key in given if key not in known), None)
        if unknown is not None:
            raise ConfigurationError(
                f"a pretrained model is loaded without an option {unknown!r}", hint=", ".join(known)
            )
        return cls(name, **given)

    def text(self) -> str:
        """Return what `of` reads: the name and every option that is not the default."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name) != each.default}
        return ",".join([own.pop("name"), *(f"{key}={value}" for key, value in own.items())])

    @property
    def local(self) -> bool:
        """Whether it is a folder on this machine."""
        return Path(self.name).expanduser().is_dir()


def is_pretrained(text: str, shipped: Path | None = None) -> bool:
    """Tell whether a model's name means a pipeline of `diffusers`: a folder with its index, or a name on the hub.

    "runs/mine" is a name on the hub only where there is no folder `runs`, neither here nor among what ships.

    Args:
        text: the name.
        shipped: the folder of the models that ship.
    """
    name = _parts(text)[0]
    path = Path(name).expanduser()
    if path.exists():
        return (path / INDEX).is_file()
    taken = path.parent.exists() or (shipped is not None and (shipped / path.parent).exists())
    return bool(HUB.fullmatch(name)) and not taken


def read_size(size: Any) -> tuple[int, int]:
    """Read a width and a height in pixels: 768, "768", "768x512", (768, 512).

    Raises:
        ConfigurationError: for anything else.

    >>> read_size("768x512"), read_size(64)
    ((768, 512), (64, 64))
    """
    text = "x".join(map(str, size)) if isinstance(size, list | tuple) else str(size)
    found = SIZE.fullmatch(text.strip())
    if found is None or not int(found[1]) or found[2] == "0":
        raise ConfigurationError(f"size {text!r}", hint="WIDTHxHEIGHT in pixels, e.g. 768x512, or one number for both")
    return int(found[1]), int(found[2] or found[1])


def _parts(text: str) -> tuple[str, dict[str, str]]:
    if Path(text).expanduser().exists():
        return text, {}
    name, *said = text.split(",")
    pairs = [each.partition("=") for each in said]
    return name, {key.strip(): value.strip() for key, _, value in pairs}


_SPELT: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    tuple: lambda value: "x".join(map(str, value)),
    list: lambda value: "x".join(map(str, value)),
}


def _spelt(value: Any) -> str:
    """Write a value of a call as its name has it: True is "yes", (768, 512) is "768x512"."""
    return _SPELT.get(type(value), str)(value)
