"""What finds a map in a picture, so that it can be held against the one that was asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lienzo.core import ConfigurationError
from lienzo.data.edges import edges
from lienzo.data.scenes.groups import GROUPS
from lienzo.evaluation.devices import CPU
from lienzo.evaluation.maps import edge_score, kept, keypoints_found, overlap, rank_correlation
from lienzo.evaluation.shipped import MODELS, digest

Bytes = NDArray[np.uint8]
Found = NDArray[np.generic]
LOW, HIGH = 12.0, 26.0  # changes of colour, in levels a pixel, that are followed and that begin a line
SCENES, JUDGE = "scene-judge", "lienzo.evaluation.scene_judge"  # of segmentations in the groups of scenes
BACKGROUND, UNKNOWN = "background", -1  # a segment that is no thing, and a class that the map has not
TASKS = {"segmentation": "image-segmentation", "mask": "image-segmentation", "depth": "depth-estimation"}


class Finder(ABC):
    """Finds one kind of map in pictures.

    Attributes:
        name: as the report bears it.
        sha256: of the weights that it finds with; "" where it has none, or nobody said.
        device: on which it may compute, e.g. "cuda"; set once, before the first picture.
    """

    name: str
    sha256: str = ""
    device: str = CPU

    @abstractmethod
    def find(self, pictures: Bytes) -> Sequence[Found]:
        """Return what each of pictures (n, H, W, C) shows: class numbers, lines or depths (h, w), or joints (F, J, 3).

        Depths rise in the direction of the asked map's.
        """

    def asked(self, value: Bytes) -> Found:
        """Return what a map (H, W, K) asks for, in the form of `find`; a finder of joints reads them here."""
        return value[..., 0]


class Edges(Finder):
    """Lines where colours change, one pixel wide (`lienzo.data.edges`)."""

    name = f"canny {LOW:g} {HIGH:g}"

    def find(self, pictures: Bytes) -> Sequence[Found]:
        """Return lines (H, W) bool."""
        return [edges(picture, low=LOW, high=HIGH) for picture in pictures]

    def asked(self, value: Bytes) -> Found:
        """Return a map's lines: whichever of black and white is rarer."""
        lines = value[..., 0] > 127
        return ~lines if lines.mean() > 0.5 else lines


class Pipeline(Finder):
    """A `transformers` pipeline in a local folder: of "image-segmentation", or of "depth-estimation".

    Segments are brought to class numbers by their names, those of the map or, if it has none, the pipeline's own; what
    is none of them is −1. Of a mask all segments but the background are the inside. Depth is what the pipeline
    predicts; most predict nearness.

    Args:
        folder: as saved by `transformers`; nothing is downloaded.
        kind: of the map.
        classes: names of a segmentation's classes.
        device: on which it computes.

    Raises:
        ConfigurationError: if `transformers` is not installed, or cannot read the folder, or the pipeline's classes are
            none of the map's.
    """

    def __init__(self, folder: Path, kind: str, classes: Sequence[str] = (), device: str = CPU) -> None:
        try:
            pipeline = import_module("transformers").pipeline
        except ImportError:
            what = f"{folder} needs the package transformers"
            raise ConfigurationError(what, hint="pip install 'lienzo[pretrained]'") from None
        try:
            self.run: Any = pipeline(TASKS[kind], model=str(folder), device=device)
        except (OSError, ValueError, KeyError) as error:
            what = f"{folder} holds no pipeline for {TASKS.get(kind, kind)}: {error}"
            raise ConfigurationError(what, hint=f"a folder for {', '.join(TASKS)}, or module:Class") from None
        self.kind, self.name, self.device = kind, folder.resolve().name, device
        self.sha256 = digest(self.run.model.state_dict())
        self.numbers = self._numbers(classes) if kind == "segmentation" else {}

    def asked(self, value: Bytes) -> Found:
        """Return what a map asks for; of a mask, where it is set."""
        return value[..., 0] > 127 if self.kind == "mask" else value[..., 0]

    def find(self, pictures: Bytes) -> Sequence[Found]:
        """Return class numbers or depths (H, W)."""
        images = [Image.fromarray(p[..., 0] if p.shape[2] == 1 else p).convert("RGB") for p in pictures]
        found = [self.run(image) for image in images]
        if self.kind == "depth":
            return [torch.as_tensor(each["predicted_depth"]).float().squeeze().cpu().numpy() for each in found]
        return [self._numbered(each, pictures.shape[1:3]) for each in found]

    def _numbers(self, classes: Sequence[str]) -> dict[str, int]:
        """Return the class number of each name.

        Raises:
            ConfigurationError: if none of the pipeline's names is one of the map's.
        """
        own = {str(name).lower(): int(number) for number, name in self.run.model.config.id2label.items()}
        numbers = {name.lower(): number for number, name in enumerate(classes)} or own
        if not numbers.keys() & own.keys():
            what = f"{self.name} finds {', '.join(list(own)[:3])} …, and nothing of the map's {', '.join(classes)}"
            raise ConfigurationError(what, hint="a pipeline that knows these classes by name, or module:Class")
        return numbers

    def _numbered(self, segments: Sequence[Any], size: tuple[int, ...]) -> Found:
        if self.kind == "mask":
            shapes = [np.asarray(one["mask"]) > 0 for one in segments if str(one["label"]).lower() != BACKGROUND]
            return np.any(shapes, axis=0) if shapes else np.zeros(size, bool)
        told = np.full(size, UNKNOWN, np.int64)
        for segment in segments:
            told[np.asarray(segment["mask"]) > 0] = self.numbers.get(str(segment["label"]).lower(), UNKNOWN)
        return told


@dataclass(frozen=True)
class MapJudge:
    """Holds what was asked for against what is found.

    Attributes:
        figure: what it measures, e.g. "IoU".
        score: of what is asked for and what is found.
        finder: None where the picture itself is held against what was asked for.
    """

    figure: str
    score: Callable[[Any, Any], float]
    finder: Finder | None

    def __call__(self, pictures: Bytes, asked: Sequence[Bytes | None]) -> Tensor:
        """Return the score of each picture (n,), NaN where nothing was asked for."""
        told = [number for number, value in enumerate(asked) if value is not None]
        scores = torch.full((len(pictures),), math.nan, dtype=torch.float64)
        found = self._found(pictures[told]) if told else []
        for number, shown in zip(told, found, strict=True):
            value = asked[number]
            assert value is not None
            wanted = value if self.finder is None else self.finder.asked(value)
            scores[number] = self.score(wanted, _alike(shown, wanted) if self.sized else shown)
        return scores

    @property
    def sized(self) -> bool:
        """Whether both are planes, to be brought to one size."""
        return self.score is not keypoints_found

    def _found(self, pictures: Bytes) -> Sequence[Found]:
        return list(pictures) if self.finder is None else self.finder.find(pictures)


def kept_of(asked: Bytes, drawn: Bytes) -> float:
    """Return `kept` of a picture, whose last channel tells where, if it has one more than what was drawn."""
    channels = drawn.shape[2]
    where = asked[..., channels] > 127 if asked.shape[2] > channels else None
    return kept(asked[..., :channels], drawn, where)


SCORES: dict[str, tuple[str, Callable[[Any, Any], float]]] = {
    "segmentation": ("IoU", overlap), "mask": ("IoU", overlap), "edges": ("edge-F", edge_score),
    "depth": ("depth-rank", rank_correlation), "pose": ("PCK", keypoints_found), "picture": ("kept", kept_of),
}  # fmt: skip


def judge_of(kind: str, finder: str | None, classes: Sequence[str] = (), device: str = CPU) -> MapJudge | None:
    """Return who judges maps of a kind; None where a finder is needed and none is named.

    Args:
        kind: "segmentation", "mask", "edges", "depth", "pose" or "picture".
        finder: a folder of `transformers`, or "module:Class", a `Finder` of one's own; lines have one already, so have
            segmentations of scenes where `scene-judge` is there, and a picture to keep needs none.
        classes: names of a segmentation's classes.
        device: on which the finder computes.

    Raises:
        ConfigurationError: for a finder that does not do.
    """
    figure, score = SCORES[kind]
    if kind == "picture":
        return MapJudge(figure, score, None)
    if finder is None and kind == "segmentation" and tuple(classes) == GROUPS and (MODELS / SCENES).is_dir():
        finder = f"{JUDGE}:Segments"
    if finder is None and kind != "edges":
        return None
    return MapJudge(figure, score, Edges() if finder is None else finder_named(finder, kind, classes, device))


def finder_named(name: str, kind: str, classes: Sequence[str] = (), device: str = CPU) -> Finder:
    """Return a finder; arguments as in `judge_of`.

    Raises:
        ConfigurationError: if there is none.
    """
    if (Path(name).expanduser() / "config.json").is_file():
        return Pipeline(Path(name).expanduser(), kind, classes, device)
    module, _, attribute = name.partition(":")
    try:
        made = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        hint = "the folder of a transformers pipeline, or module:Class"
        raise ConfigurationError(f"no finder {name!r}: {error}", hint=hint) from None
    if not isinstance(made, Finder):
        raise ConfigurationError(f"{name} is no finder", hint="a subclass of lienzo.evaluation.Finder")
    made.device = device
    return made


def _alike(found: Found, asked: Found) -> Found:
    """Bring a plane to another's height and width, each pixel the nearest one."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(asked.shape[:2], found.shape[:2], strict=True))
    return found[rows[:, None], columns]
