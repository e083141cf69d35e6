"""From a name to a family: the pipeline is loaded, told to save memory, and its files are hashed."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lienzo.core.errors import ConfigurationError
from lienzo.pretrained.kinds import architecture_of, kind_of
from lienzo.pretrained.names import Loading, read_size
from lienzo.pretrained.telling import told

if TYPE_CHECKING:
    from lienzo.core import Family

SHA256 = re.compile(r"[0-9a-f]{64}")
TASKS: Mapping[str, str] = {
    "": "DiffusionPipeline",
    "text-to-image": "AutoPipelineForText2Image",
    "image-to-image": "AutoPipelineForImage2Image",
    "inpainting": "AutoPipelineForInpainting",
}
NETWORKS = ("transformer", "unet", "text_encoder", "text_encoder_2", "text_encoder_3")  # what 8 bits are for
SIDE = 512  # of a pipeline that says nothing of its size

# option and value → what is called on the pipeline, and on which of its parts ("" is the pipeline itself)
SAVING: Mapping[tuple[str, str], tuple[str, str]] = {
    ("offload", "model"): ("", "enable_model_cpu_offload"),
    ("offload", "sequential"): ("", "enable_sequential_cpu_offload"),
    ("slicing", "yes"): ("", "enable_attention_slicing"),
    ("tiling", "yes"): ("vae", "enable_tiling"),
}


@dataclass(frozen=True)
class Opened:
    """A pretrained model in use.

    Attributes:
        family: that draws; over codes, where its parts are known.
        name: that loads it so again.
        folder: of its files.
        weights: SHA-256 of all of them together.
        options: the pipeline's own numbers of steps and guidance.
    """

    family: Family
    name: str
    folder: Path
    weights: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def opened(name: str, device: str = "cpu", options: Mapping[str, Any] | None = None) -> Opened:
    """Load a pipeline of `diffusers`: a folder, or from the hub (what is there already is not fetched again).

    Args:
        name: see `lienzo.pretrained.names`.
        device: "cpu" or "cuda".
        options: of `Loading`, on top of those in the name.

    Raises:
        LienzoError: in one sentence, for a missing package, model, licence, file, or memory.
    """
    loading = Loading.of(name, options)
    why = f"{loading.name} needs" if loading.local else f"there is no folder {loading.name}; looking on the hub needs"
    diffusers = _package("diffusers", why)
    with told(loading.text()):
        folder = _folder(diffusers, loading)
        pipeline = _loaded(diffusers, loading, folder, device)
        _save_memory(pipeline, loading, device)
    pipeline.set_progress_bar_config(disable=not sys.stderr.isatty(), leave=False)
    family, numbers = _family(pipeline, loading)
    folders = [folder, *filter(Path.is_dir, [Path(loading.controlnet).expanduser()] if loading.controlnet else [])]
    return Opened(family, loading.text(), folder, fingerprint(folders), numbers)


def _family(pipeline: Any, loading: Loading) -> tuple[Family, dict[str, Any]]:
    """Return the family of a pipeline, and its own numbers of steps and guidance."""
    from lienzo.pretrained.kinds import arguments_of, guidance_of
    from lienzo.pretrained.latent import PretrainedLatent
    from lienzo.pretrained.pipeline import Pretrained

    name, known = type(pipeline).__name__, arguments_of(pipeline)
    wide, high = read_size(loading.size) if loading.size else own_size(pipeline)
    whole = Pretrained(pipeline, (3, high, wide), kind_of(name, known), loading.text())
    architecture = architecture_of(name)
    weighs = None if architecture is not None and architecture.distilled else known.get(guidance_of(known, name))
    numbers = {"steps": known.get("num_inference_steps"), "guidance": weighs}
    family = whole if architecture is None else PretrainedLatent(whole, architecture)
    return family.eval(), {key: value for key, value in numbers.items() if value is not None}


def own_size(pipeline: Any) -> tuple[int, int]:
    """Return the width and height that a pipeline draws if nobody says otherwise."""
    network: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    cells: Any = getattr(pipeline, "default_sample_size", None) or getattr(network.config, "sample_size", None)
    factor = int(getattr(pipeline, "vae_scale_factor", 1))
    if cells is None:
        return SIDE, SIDE
    high, wide = cells if isinstance(cells, list | tuple) else (cells, cells)
    return int(wide) * factor, int(high) * factor


def fingerprint(folders: list[Path]) -> str:
    """Return one SHA-256 of all weights and configurations in folders: of their names and their own hashes.

    Files of the hub's cache are named by their hash; they are not read again.
    """
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".safetensors", ".json")):
            own = path.resolve().name
            digest = own if SHA256.fullmatch(own) else _digest(path)
            whole.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return whole.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder(diffusers: Any, loading: Loading) -> Path:
    if loading.local:
        return Path(loading.name).expanduser()
    asked = {"revision": loading.revision or None, "variant": loading.variant or None, "use_safetensors": True}
    return Path(diffusers.DiffusionPipeline.download(loading.name, **asked))


def _loaded(diffusers: Any, loading: Loading, folder: Path, device: str) -> Any:
    """Return the pipeline, from safetensors alone, on its device."""
    import torch

    dtype = {"auto": "bfloat16" if device != "cpu" else "float32"}.get(loading.dtype, loading.dtype)
    asked: dict[str, Any] = {"torch_dtype": getattr(torch, dtype), "use_safetensors": True}
    if loading.controlnet:
        asked["controlnet"] = _control(diffusers, loading.controlnet, asked)
    if loading.quantize == "8bit":
        asked["quantization_config"] = _eight_bits(diffusers, folder, device)
    task = loading.task or ("text-to-image" if loading.controlnet else "")
    maker = getattr(diffusers, TASKS[task])
    with warnings.catch_warnings():  # later releases say dtype, and torch_dtype is all that earlier ones know
        warnings.simplefilter("ignore", FutureWarning)
        pipeline = maker.from_pretrained(str(folder), variant=loading.variant or None, **asked)
    return pipeline if loading.offload != "no" or loading.quantize != "no" else pipeline.to(device)


def _control(diffusers: Any, name: str, asked: dict[str, Any]) -> Any:
    """Return a control network, of the class that its configuration names."""
    config = diffusers.ControlNetModel.load_config(str(Path(name).expanduser()) if Path(name).exists() else name)
    return getattr(diffusers, config["_class_name"]).from_pretrained(name, **asked)


def _eight_bits(diffusers: Any, folder: Path, device: str) -> Any:
    if device == "cpu":
        raise ConfigurationError("quantize=8bit needs a GPU", hint="leave it out")
    _package("bitsandbytes", "quantize=8bit needs")
    parts = [part for part in NETWORKS if (folder / part).is_dir()]
    return diffusers.PipelineQuantizationConfig(
        quant_backend="bitsandbytes_8bit", quant_kwargs={"load_in_8bit": True}, components_to_quantize=parts
    )


def _save_memory(pipeline: Any, loading: Loading, device: str) -> None:
    if loading.offload != "no":
        if device == "cpu":
            raise ConfigurationError(
                f"offload={loading.offload} moves parts between a GPU and the memory, and there is no GPU",
                hint="leave it out",
            )
        _package("accelerate", f"offload={loading.offload} needs")
    for (option, value), (part, method) in SAVING.items():
        if getattr(loading, option) == value:
            able: Callable[[], Any] | None = getattr(getattr(pipeline, part) if part else pipeline, method, None)
            if able is None:
                raise ConfigurationError(f"{loading.name} cannot save memory by {option}={value}", hint="leave it out")
            able()


def _package(name: str, why: str) -> Any:
    """Import a package.

    Raises:
        ConfigurationError: if it is missing.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        own = name if name == "bitsandbytes" else "'lienzo[pretrained]'"
        what = f"{why} the package {name}, which is missing"
        raise ConfigurationError(what, hint=f"pip install {own}") from None
