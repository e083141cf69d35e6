"""The job "draw": the same samples as everybody's, and what drawing costs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from lienzo.api.compare.resources import Calls, Others, device_memory, memory_now, peak_memory
from lienzo.api.compare.work import Voice
from lienzo.api.evaluate.examined import PAPER, on_paper
from lienzo.api.model import Model, load
from lienzo.api.options import all_options, checked_options
from lienzo.api.packed import packed
from lienzo.api.record import write_png
from lienzo.api.view import View
from lienzo.core import derive_seed
from lienzo.data import Dataset
from lienzo.training.card import hardware
from lienzo.training.folder import read_json
from lienzo.training.recipes.stages import RECIPE

Values = dict[str, Any]
Rows = NDArray[np.int64]
SAMPLES, REAL = "samples.png", "real.png"
COLUMNS, ROWS = 10, 4  # conditions at most, and pictures of each
TIMED, LEAST, MOST, PATIENCE = 32, 3, 9, 10.0  # pictures a repeat, repeats, s after which `LEAST` suffice


def draw(job: Values, voice: Voice) -> Values:
    """Draw the samples and time some more; write `samples.png` and `real.png`, one picture beside the other.

    Args:
        job: "model", "source", "view" (how it is looked at), "split" (what is held out), "seed", "measured" (the
            folder).
        voice: tells how it goes.
    """
    model, out = load(job["model"]), Path(job["measured"])
    idle = memory_now()
    held = View(**job["view"]).open(job["source"], model.family.shape, job["split"], progress=False)
    asked, names = conditions(held)
    said = heard(model, held, asked) * ROWS
    with Calls(model.family) as calls:
        model.draw(said[:1] * 16, seed=job["seed"], indices=range(16))  # a whole number of every family's chunk
    images = model.draw(said, seed=job["seed"], indices=range(len(said)))
    voice.share(0.3)
    with Others() as others:
        seconds = _timed(model, said, job["seed"], voice)
    write_png(sheet([np.asarray(image) for image in images], len(asked)), out / SAMPLES)
    write_png(sheet(list(on_paper(held.pictures(asked))), len(asked)), out / REAL)
    each = sorted(value / TIMED for value in seconds)
    options = all_options(model.family, checked_options(model.family, model.defaults.get("options", {})))
    told: Values = {
        "weights": model.weights, "family": type(model.family).__name__, "shape": list(model.family.shape),
        "parameters": values_of(model), "hears": list(model.bus.names),
        "options": {name: value for name, value in options.items() if isinstance(value, int | float | str)},
        "start": start_of(model.folder), "card": model.card, "said": names, "rows": ROWS, "device": model.device.type,
        "hardware": hardware(model.device), "torch": str(torch.__version__), "threads": torch.get_num_threads(),
        "sampling": {
            "seconds": median(each), "least": each[0], "most": each[-1], "repeats": len(each), "pictures": TIMED,
            "calls": calls.of(16), "others": others.cores, "cores": os.cpu_count(),
            "threads": torch.get_num_threads(), "memory": peak_memory(),
            "dtype": str(model.dtype).removeprefix("torch."),
            "device_memory": device_memory(), "idle": idle,
        },
    }  # fmt: skip
    return told


def start_of(folder: Path | None) -> str:
    """Return the model whose weights a model began from; "" if it began from nothing, or nobody knows."""
    for place in (folder, *list(folder.parents)[:2]) if folder is not None else ():
        if (place / RECIPE).is_file():
            return str(read_json(place / RECIPE).get("start") or "")
    return ""


def values_of(model: Model) -> int:
    """Return how many numbers a model is: what is trained by steps and what is computed in closed form alike."""
    return sum(tensor.numel() for tensor in model.family.state_dict().values() if tensor.is_floating_point())


def conditions(held: Dataset) -> tuple[Rows, list[str]]:
    """Return held-out pictures whose conditions everybody hears, and what each says, in words.

    Texts come before labels; of a label every class has one picture, or as many as there is room for.
    """
    order = np.random.default_rng(derive_seed(0, "compare", "conditions")).permutation(len(held))
    texts = [name for name, column in held.columns.items() if column.kind == "text"]
    labels = [n for n, c in held.columns.items() if c.kind == "label" and n != "background" and len(c.classes) > 1]
    first: dict[str, int] = {}
    if texts:
        first = _distinct(order, [(found or [""])[0] for found in held.values(texts[0], order)])
    if labels and not first:
        name = "label" if "label" in labels else labels[0]
        first = _distinct(order, held.values(name, order))
        first = {c: first[c] for c in held.columns[name].classes if c in first}
    if not first:  # columns there may be, and yet nothing is said of these pictures
        return order[:COLUMNS], [""] * len(order[:COLUMNS])
    kept = list(first)
    kept = [kept[i] for i in np.linspace(0, len(kept) - 1, min(COLUMNS, len(kept))).round().astype(int)]
    return np.array([first[value] for value in kept], np.int64), kept


def _distinct(rows: Rows, values: list[Any]) -> dict[str, int]:
    """Return the first row of every value."""
    found: dict[str, int] = {}
    for row, value in zip(rows.tolist(), values, strict=True):
        if value:
            found.setdefault(str(value), row)
    return found


def heard(model: Model, held: Dataset, rows: Rows) -> list[Values]:
    """Return what a model is told of held-out pictures: all that it can hear."""
    said: list[Values] = [{} for _ in rows]
    for name in (n for n in model.bus.names if n in held.columns):
        for row, value in zip(said, held.values(name, rows), strict=True):
            if name == "background":
                row[name] = PAPER
            elif value is not None:
                row[name] = packed(model.bus, name, value[0] if held.columns[name].kind == "text" else value)
    return said


def _timed(model: Model, said: list[Values], seed: int, voice: Voice) -> list[float]:
    """Return the seconds of some repeats."""
    rows, seconds = (said * (TIMED // len(said) + 1))[:TIMED], list[float]()
    while len(seconds) < LEAST or (len(seconds) < MOST and sum(seconds) < PATIENCE):
        begun = time.perf_counter()
        model.draw(rows, seed=seed + 1, indices=range(TIMED))
        seconds.append(time.perf_counter() - begun)
        voice.share(0.3 + 0.7 * min(1.0, max(len(seconds) / MOST, sum(seconds) / PATIENCE)))
    return seconds


def sheet(pictures: list[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Lay pictures (H, W) or (H, W, C) side by side, without a gap."""
    plain = [picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture for picture in pictures]
    rows = [np.concatenate(plain[start : start + columns], 1) for start in range(0, len(plain), columns)]
    return Image.fromarray(np.ascontiguousarray(np.concatenate(rows, 0)))
