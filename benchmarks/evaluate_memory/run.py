"""Memory and time of `lienzo evaluate` on 50,000 pictures of a model that costs nothing to draw with.

    python benchmarks/evaluate_memory/run.py

The stand-in draws training pictures' means with noise. All else is what the command does: pictures, records, features,
projections, neighbourhoods of 50,000 against 10,000 and against themselves, copies among 20,000.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import Stamp, peak_mib, write

from lienzo.api.evaluate.run import evaluate
from lienzo.api.model import Model
from lienzo.conditions import Bus, LabelCondition
from lienzo.core import Batch, Conditions, Family, Loss, Progress, Streams
from lienzo.data import open_source
from lienzo.training.checkpoint import WEIGHTS
from lienzo.training.tensors import write_tensors

GOAL = 2048  # MiB


class StandIn(Family):
    """Draws the mean picture of the class that is asked for, with noise."""

    def __init__(self, means: torch.Tensor, bus: Bus) -> None:
        super().__init__()
        self.shape, self.bus = (1, 28, 28), bus
        self.means = torch.nn.Parameter(means, requires_grad=False)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        raise NotImplementedError

    def sampling(self, conditions: Conditions, *, streams: Streams, **options: Any) -> Iterator[Progress]:
        x = self.means[conditions["label"].values[0]] + 0.2 * streams.normal(*self.shape)
        yield Progress(1, 1, x, x.clamp(-1, 1))


def stand_in(folder: Path) -> Model:
    data = open_source("fashion-mnist", size=28, channels=1, split="train")
    classes = data.columns["label"].classes
    rows = range(5000)
    labels = data.values("label", rows)
    x = torch.from_numpy(data.pictures(rows)).permute(0, 3, 1, 2) / 127.5 - 1
    means = torch.stack([x[[told == name for told in labels]].mean(0) for name in classes])
    family = StandIn(means, Bus({"label": LabelCondition(list(classes))})).eval()
    write_tensors(family.state_dict(), folder / WEIGHTS)
    return Model(family, name="stand-in", folder=folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000)
    args = parser.parse_args()
    stamp = Stamp()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, before, begun = stand_in(folder), peak_mib(), time.monotonic()
        drawn: list[float] = []  # when each part had been drawn

        def progress(what: str, done: int, total: int) -> None:
            drawn.append(time.monotonic() - begun)

        report = evaluate(model, "fashion-mnist", count=args.count, seeds=1, scored=0, out=folder / "evaluation.json",
                          progress=progress)  # fmt: skip
        bytes_ = (folder / "evaluation.json").stat().st_size
    seconds, peak = time.monotonic() - begun, peak_mib()
    told = {"count": args.count, "goal_mib": GOAL, "peak_mib": peak, "before_mib": before, "seconds": round(seconds, 1),
            "seconds_until_all_was_drawn": round(drawn[-1], 1), "file_bytes": bytes_, "data": report["data"],
            "features": report["features"],
            "figures": {n: f["mean"] for n, f in report["figures"].items()}}  # fmt: skip
    print(f"{args.count:,} pictures: {peak:.0f} MiB at most ({before:.0f} before), {seconds:.0f} s")
    write("evaluate_memory", told, stamp)


if __name__ == "__main__":
    main()
