"""The label by which it is measured whether a model obeys, and its classes as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lienzo.conditions import Bus
from lienzo.data.dataset import Dataset

Rows = NDArray[np.int64]


def label_of(bus: Bus, held: Dataset, training: Dataset, some: Rows) -> str:
    """Return the label of most classes that a model hears and every held-out picture has; "" if there is none.

    Args:
        bus: what the model hears.
        held: held-out pictures.
        training: others, from which the classes are learnt: some of them must have the label.
        some: which of these are asked.
    """
    classes = {name: len(column.classes) for name, column in held.columns.items()}
    heard: Sequence[str] = sorted(bus.names, key=lambda name: (name != "label", -classes.get(name, 0), name))
    for name in heard:
        column = held.columns.get(name)
        if column is None or column.kind != "label" or name == "background" or len(column.classes) < 2:
            continue
        known = name in training.columns and any(training.values(name, some))
        if known and all(value is not None for value in held.values(name, range(len(held)))):
            return name
    return ""


def numbers_of(data: Dataset, label: str, classes: Sequence[str], rows: Rows) -> Rows:
    """Return the class numbers of rows (n,), −1 where nothing is known."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers.get(value, -1) for value in data.values(label, rows)], np.int64)
