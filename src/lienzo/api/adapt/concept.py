"""A thing of one's own from a handful of pictures, and drawings of the base's own that keep it from forgetting.

"DreamBooth: Fine Tuning Text-to-Image Diffusion Models for Subject-Driven Generation" (Ruiz, 2022): beside the user's
pictures under the concept's words, the model learns its own drawings of the kind of thing, and of other captions, with
equal weight.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from lienzo.api.model import Model, to_image
from lienzo.conditions import LabelCondition, TextCondition
from lienzo.core import ConfigurationError, LienzoError, derive_seed
from lienzo.data import Dataset, open_source
from lienzo.data.background import laid, opaque
from lienzo.data.concatenated import Concatenated, parts_of
from lienzo.data.scenes import USUAL
from lienzo.training.recipes import open_data
from lienzo.training.recipes.parts import Data

Values = dict[str, Any]
MANY = 200  # pictures from which on it is a model of its own that is wanted
PRIOR = 96  # drawings by the base
CHECKED = 16  # captions that are drawn before and after
POOL = 2000  # pictures of the base's source whose captions are looked at
TRAINING: Values = {"batch_size": 8, "images": 6400, "learning_rate": 5e-4, "warmup": 400, "ema_half_life": 800,
                    "budget_seconds": 600}  # fmt: skip
PICTURES, TABLE = "pictures", "metadata.csv"


@dataclass(frozen=True)
class Concept:
    """What a concept is learnt from, and checked with.

    Attributes:
        words: that mean it.
        mine: the user's pictures on white.
        dataset: they, repeated, and as many drawings by the base.
        others: captions that have nothing to do with it, and were not among those drawings.
        values: of the recipe.
    """

    words: str
    mine: list[Image.Image]
    dataset: Dataset
    others: list[str]
    values: Values


def concept_of(
    base: Model, source: str, words: str, prior: str, recipe: Mapping[str, Any], out: Path, tell: Callable[[str], None]
) -> Concept:  # fmt: skip
    """Lay a user's pictures and the base's drawings side by side in `out/pictures`, unless they lie there already.

    Args:
        base: the model.
        source: the user's pictures.
        words: that shall mean them.
        prior: words for the kind of thing that they are; "": the words but for the first.
        recipe: that the base was trained by, which names its captions.
        out: the run's folder.
        tell: hears what was chosen.

    Raises:
        ConfigurationError: for a base that hears no words, or more pictures than a handful.
        DataError: if the pictures cannot be opened.
    """
    if "text" not in base.bus.names or not isinstance(base.bus["text"], TextCondition):
        heard = ", ".join(base.bus.names) or "nothing"
        what = f"{base.name} hears no words, so none can mean {words!r}"
        raise ConfigurationError(what, hint=f"a model with text; this one hears {heard}")
    channels, side, _ = base.family.shape
    given = open_source(source, size=side, channels=channels, split="all")
    if len(given) > MANY:
        raise ConfigurationError(f"{source} has {len(given):,} pictures, a concept is taught with a handful",
                                 hint=f"up to {MANY}, or lienzo train {source} --from {base.name}")  # fmt: skip
    kind = prior or " ".join(words.split()[1:])
    captions = captions_of(recipe, avoid=f"{words} {prior}")
    cut = min(CHECKED, (len(captions) + 1) // 2)
    others, drawn = captions[:cut], captions[cut:]
    mine = on_white(given)
    usual = base.defaults.get("conditions", {})
    if not (out / PICTURES / "mine" / TABLE).is_file():
        _write(mine, [{**usual, "text": words}] * len(mine), out / PICTURES / "mine")
    if not (out / PICTURES / "prior" / TABLE).is_file() and (kind or drawn):
        rows = prior_rows(base, kind, drawn)
        about = f"of {kind!r} and other captions" if kind and drawn else f"of {kind!r}" if kind else "of other captions"
        tell(f"{base.name} draws {len(rows)} pictures {about}, so that it does not forget")
        _write(base.draw(rows, seed=0, indices=range(len(rows))), rows, out / PICTURES / "prior")
    parts = [open_source(out / PICTURES / name, size=side, channels=channels, split="all", progress=False)
             for name in ("mine", "prior") if (out / PICTURES / name / TABLE).is_file()]  # fmt: skip
    times = math.ceil(len(parts[-1]) / len(parts[0]))
    dataset = Concatenated([(parts[0], times), *((part, 1) for part in parts[1:])])
    data = {"source": str(out / PICTURES), "size": side, "channels": channels, "background": "white"}
    values: Values = {"data": data, "training": TRAINING, "samples": {"prompts": [words] * 4 + others[:4]}}
    return Concept(words, mine, dataset, others, values)


def captions_of(recipe: Mapping[str, Any], avoid: str) -> list[str]:
    """Return captions that a base has learnt, in an order of no meaning; none where its pictures are not here.

    Args:
        recipe: of the base.
        avoid: words that none of them shall share.
    """
    try:
        said = Data.model_validate(recipe.get("data", {}))
        source = captioned(said.source or "")
        data = open_data(said.model_copy(update={"source": source or None, "prepare": False}))
    except (LienzoError, ValueError):
        return []
    if "text" not in data.columns:
        return []
    generator = random.Random(derive_seed(0, "captions"))
    rows = np.array(generator.sample(range(len(data)), min(POOL, len(data))), np.int64)
    taken = set(avoid.lower().split())
    found = [texts[0] for texts in data.values("text", rows) if texts]
    return [text for text in dict.fromkeys(found) if not taken & set(text.lower().split())]


def captioned(source: str) -> str:
    """Return the part of a source that has captions worth reading, none of it drawn: "" where there is none.

    What pairs of pictures say are instructions, which name no picture; of composed scenes a few are enough.

    >>> captioned("emoji*6 + scenes:80000 + edits:80000")
    'emoji*6 + scenes:2000'
    """
    kept = list[str]()
    for part, times in parts_of(source) or [(source, 1)]:
        name, _, count = part.partition(":")
        if name == "edits":
            continue
        few = part if name not in USUAL else f"{name}:{min(POOL, int(count)) if count.isdecimal() else POOL}"
        kept.append(few if times == 1 else f"{few}*{times}")
    return " + ".join(kept)


def prior_rows(base: Model, kind: str, captions: Sequence[str]) -> list[Values]:
    """Return what the base is told for its own drawings: a third the kind of thing, else captions; half with labels."""
    generator, share = random.Random(derive_seed(0, "prior")), PRIOR // 3 if captions else PRIOR
    texts = [kind] * share if kind else []
    texts += list(captions[: PRIOR - len(texts)])
    usual, rows = dict(base.defaults.get("conditions", {})), list[Values]()
    labels = {n: c for n in base.bus.names if n not in usual and isinstance(c := base.bus[n], LabelCondition)}
    for text in texts:
        told = {name: generator.choice(condition.classes) for name, condition in labels.items()}
        rows.append({**usual, "text": text, **(told if generator.random() < 0.5 else {})})
    return rows


def on_white(data: Dataset, rows: Sequence[int] | NDArray[np.int64] | None = None) -> list[Image.Image]:
    """Return pictures of a set, all unless rows are named; transparent ones on white."""
    pixels = data.pictures(range(len(data)) if rows is None else rows)
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    x = laid(planes, torch.ones(len(planes), 3)) if planes.shape[1] == 4 else opaque(planes)
    return [to_image(each) for each in x]


def _write(pictures: Sequence[Image.Image], rows: Sequence[Values], folder: Path) -> None:
    """Write pictures and what is said of them as a source; the table last, so that it tells that all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:04d}.png" for number in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        picture.save(folder / name)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    beside = folder / f".{TABLE}.new"
    with beside.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["file_name", *columns])
        table.writeheader()
        table.writerows({"file_name": name, **row} for name, row in zip(names, rows, strict=True))
    beside.replace(folder / TABLE)
