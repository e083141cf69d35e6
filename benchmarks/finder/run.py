"""Where words are, by the finder that ships and, beside it, by a model's own guess: `python benchmarks/finder/run.py`.

On emoji of the split "test", new to all of them: the thing that an instruction keeps, by what it is called there, in
scenes before an edit; and single drawings on plain grounds, by their captions. The guess (DiffEdit) costs twenty calls
of a network a picture and is measured on the first `--guessed` of the same pictures. Results go to
`benchmarks/results/finder.json`, and the finder's own figures to its card when it is trained (`train.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import Stamp, read, write
from benchmarks.finder.train import drawings, kept_things, overlaps
from benchmarks.scenes.asked import SETS

import lienzo
from lienzo.core import Streams
from lienzo.editing import guessed, load_finder, space_of
from lienzo.editing.finding import FOUND
from lienzo.editing.guessing import THRESHOLD

MODELS = {"kept": "scenes-64", "emoji": "emoji-64"}


def by_model(name: str, x: Tensor, phrases: Sequence[str], batch: int = 16) -> Tensor:
    """Return where a model guesses phrases to be, (n, 1, H, W)."""
    model, found = lienzo.load(name, device="cpu"), list[Tensor]()
    for first in range(0, len(x), batch):
        part, words = x[first : first + batch], list(phrases[first : first + batch])
        said, unsaid = (model.bus.parse({"text": text}, len(part)) for text in (words, [None] * len(part)))
        streams = Streams(0, range(first, first + len(part)), name="guess")
        found.append(guessed(space_of(model.family), part, said, unsaid, streams=streams) > THRESHOLD)
        print(f"  {name}: {first + len(part)} of {len(x)}", flush=True)
    return torch.cat(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="scenes")
    parser.add_argument("--guessed", type=int, default=100, help="of the pictures")
    args = parser.parse_args()
    stamp, finder = Stamp(), load_finder()
    shown, captions = drawings("test")
    sets = {
        "kept": kept_things(SETS["kept"](), args.count),
        "emoji": (torch.div(shown.x, 127.5).sub_(1), captions, (shown.ids > 0)[:, None]),
    }
    result: dict[str, Any] = {}
    for name, (x, phrases, goal) in sets.items():
        part = slice(0, args.guessed)
        said = phrases[part]
        both = {"finder": finder.find(x[part], said) > FOUND, "guess": by_model(MODELS[name], x[part], said)}
        alike = {how: overlaps(mask, goal[part]) for how, mask in both.items()}
        result[name] = {"all": overlaps(finder.find(x, phrases) > FOUND, goal), "beside": alike, "model": MODELS[name]}
        print(name, result[name], flush=True)
    write("finder", {**read("finder"), "measured": result}, stamp)


if __name__ == "__main__":
    main()
