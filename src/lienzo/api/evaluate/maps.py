"""The maps that a model hears, and who tells whether they are obeyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lienzo.conditions import Bus, MapCondition
from lienzo.core import ConfigurationError
from lienzo.data.dataset import Bytes, Dataset
from lienzo.evaluation.finders import SCORES, MapJudge, judge_of

Rows = NDArray[np.int64]


class Maps:
    """Which of the maps that a model hears can be judged, and by whom.

    Args:
        bus: what the model hears.
        data: what is known of held-out pictures.
        finders: name of a map → who finds it in a picture, as in `judge_of`.
        device: on which they compute.

    Attributes:
        judges: figure, e.g. "IoU-parts" → who judges it.
        refused: figure → why there is none, and what to do instead.

    Raises:
        ConfigurationError: for a finder of a map that is not heard, or that does not do.
    """

    def __init__(self, bus: Bus, data: Dataset, finders: Mapping[str, str], device: str = "cpu") -> None:
        heard = {n: c for n in bus.names if isinstance(c := bus[n], MapCondition) and n in data.columns}
        strange = sorted(set(finders) - set(heard))
        if strange:
            raise ConfigurationError(f"no map {strange[0]!r} is heard", hint=f"one of {', '.join(heard) or 'none'}")
        self.judges: dict[str, MapJudge] = {}
        self.refused: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self._kinds = {name: data.columns[name].map_kind or condition.map_kind for name, condition in heard.items()}
        for name, kind in self._kinds.items():
            judge = judge_of(kind, finders.get(name), data.columns[name].classes, device)
            figure = f"{SCORES[kind][0]}-{name}"
            if judge is None:
                why = f"nothing here finds a {kind} in a picture"
                self.refused[figure] = {"why": why, "instead": f"--finder {name}=FOLDER, or {name}=module:Class"}
            else:
                self.judges[figure], self._names[figure] = judge, name

    def asked(self, data: Dataset, rows: Rows) -> dict[str, list[Bytes | None]]:
        """Return figure → what is asked for of each row, (H, W, K) uint8, or None."""
        return {figure: self._values(data, name, rows) for figure, name in self._names.items()}

    def about(self) -> dict[str, str]:
        """Return figure → its finder, and the hash of what it finds with, for the report."""
        finders = {figure: judge.finder for figure, judge in self.judges.items() if judge.finder is not None}
        return {figure: f"{one.name} {one.sha256[:12]}".strip() for figure, one in finders.items()}

    def _values(self, data: Dataset, name: str, rows: Rows) -> list[Bytes | None]:
        values: list[Any] = data.values(name, rows)
        masks = [other for other, kind in self._kinds.items() if kind == "mask"]
        if self._kinds[name] != "picture" or len(masks) != 1:
            return values
        return [_outside(value, mask) for value, mask in zip(values, data.values(masks[0], rows), strict=True)]


def _outside(picture: Bytes | None, mask: Bytes | None) -> Bytes | None:
    """Add a channel to a picture (H, W, C) that tells where it is to be kept: outside of the mask (H, W, 1)."""
    if picture is None or mask is None:
        return picture
    return np.concatenate([picture, np.where(mask[..., :1] < 128, 255, 0).astype(np.uint8)], 2)
