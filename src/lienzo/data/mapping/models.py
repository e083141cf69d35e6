"""Depth, segmentation and pose from models that the user has, through `transformers`: a local folder or a hub name."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from lienzo.core.errors import ConfigurationError
from lienzo.data.mapping.folder import NAMES
from lienzo.data.scenes.pose import skeletons

SURE = 0.3  # the score from which a joint is drawn
MOST = 255  # classes: a map has 8 bits, and 0 is nothing
Maker = Callable[[Image.Image], Image.Image]


def depth_by(model: str) -> Maker:
    """Return what makes depth maps: grey, near is bright for the usual models of inverse depth.

    Args:
        model: a folder, or a name on the hub, such as "depth-anything/Depth-Anything-V2-Small-hf".

    Raises:
        ConfigurationError: if `transformers` or the model is missing.
    """
    pipe = _pipeline("depth-estimation", model, "depth")
    return lambda image: pipe(image)["depth"].convert("L").resize(image.size)


def segmentation_by(model: str) -> Maker:
    """Return what makes segmentations: the number of a class and 1, or 0 where there is none; their names in `info`.

    Args:
        model: a folder, or a name on the hub, such as "nvidia/segformer-b0-finetuned-ade-512-512".

    Raises:
        ConfigurationError: if `transformers` or the model is missing, or it has too many classes.
    """
    pipe = _pipeline("image-segmentation", model, "segmentation")
    numbers: dict[str, int] = {name: int(number) + 1 for number, name in pipe.model.config.id2label.items()}
    names = json.dumps({number: name.strip() for name, number in numbers.items()}, ensure_ascii=False)
    if max(numbers.values()) > MOST:
        raise ConfigurationError(f"{model} knows {len(numbers)} classes", hint=f"a model of up to {MOST} classes")

    def make(image: Image.Image) -> Image.Image:
        classes = np.zeros((image.height, image.width), np.uint8)
        for part in pipe(image, subtask="semantic"):
            classes[np.asarray(part["mask"].resize(image.size, Image.Resampling.NEAREST)) > 0] = numbers[part["label"]]
        found = Image.fromarray(classes)
        found.info[NAMES] = names
        return found

    return make


def pose_by(model: str) -> Maker:
    """Return what draws the skeleton of the one person that a picture shows.

    Args:
        model: a folder, or a name on the hub, of the ViTPose kind, such as "usyd-community/vitpose-base-simple".

    Raises:
        ConfigurationError: if `transformers` or the model is missing.
    """
    transformers = _transformers()
    processor = _loaded(transformers.AutoImageProcessor.from_pretrained, model, "pose")
    network = _loaded(transformers.VitPoseForPoseEstimation.from_pretrained, model, "pose").eval()

    def make(image: Image.Image) -> Image.Image:
        torch = importlib.import_module("torch")
        whole = [[[0.0, 0.0, float(image.width), float(image.height)]]]
        with torch.no_grad():
            found = network(**processor(image, boxes=whole, return_tensors="pt"))
        people = processor.post_process_pose_estimation(found, boxes=whole)[0]
        points = [np.concatenate([p["keypoints"], 2.0 * (p["scores"] > SURE)[:, None]], 1) for p in people]
        return Image.fromarray(skeletons(np.stack(points).astype(np.float32), image.width, image.height))

    return make


MODELS: Mapping[str, Callable[[str], Maker]] = {
    "depth": depth_by, "segmentation": segmentation_by, "pose": pose_by,
}  # fmt: skip
"""Kinds of maps → what makes a maker of a model."""


def _pipeline(task: str, model: str, kind: str) -> Any:
    transformers = _transformers()
    return _loaded(lambda name: transformers.pipeline(task, model=name), model, kind)


def _loaded(load: Callable[[str], Any], model: str, kind: str) -> Any:
    try:
        return load(model)
    except (OSError, ValueError, KeyError, ImportError) as error:
        what = f"no {kind} model in {model!r}: {str(error).strip().splitlines()[0][:200]}"
        raise ConfigurationError(what, hint="a folder that holds a model, or its name on the hub") from None


def _transformers() -> Any:
    try:
        return importlib.import_module("transformers")
    except ImportError:
        what = "depth, segmentation and pose are made by models of 'transformers', which is missing"
        raise ConfigurationError(what, hint="pip install 'lienzo[pretrained]'") from None
