"""Which optimiser learns more in the same time? A small flow-matching transformer on the built-in emoji, on one core.

python benchmarks/optimiser/run.py [--seconds 120] [--names adamw:1e-3 muon:1e-3 …]

Every contender gets the same first weights, pictures and noise, and the same seconds *of the core's own time*, so that
other work on the machine counts little; its steps are timed first, so that its schedule is complete when the time is
up. The score is the loss of the averaged weights on held-out pictures under fixed noise. Adds an entry to
benchmarks/results/optimiser.json.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import common
import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.data import Loader, open_source
from lienzo.families.diffusion import Diffusion
from lienzo.networks.transformer import PatchTransformer
from lienzo.training import TrainingSettings
from lienzo.training.distributed import Team
from lienzo.training.run import Chosen, Run
from lienzo.training.step import advance

SIZE, BATCH, HELD_OUT = 32, 64, 512


class Contest:
    """The data and the family that all contenders share."""

    def __init__(self) -> None:
        self.learnt = open_source("emoji", size=SIZE, split="train")
        self.held = open_source("emoji", size=SIZE, split="validation")

    def family(self, dataset: Any) -> tuple[Diffusion, Bus]:
        """Build the family, always with the same weights."""
        torch.manual_seed(0)
        bus = Bus({"style": LabelCondition(list(dataset.columns["style"].classes))}, vector=128, token=128)
        network = PatchTransformer((3, SIZE, SIZE), sizes=bus.sizes, patch=4, width=128, depth=4, heads=4)
        return Diffusion(network, bus, (3, SIZE, SIZE)), bus

    def run(self, name: str, rate: float, seconds: float) -> dict[str, Any]:
        """Train one contender for so many seconds of the core's time, and score it."""
        family, bus = self.family(self.learnt)
        batch_at = Loader(self.learnt, bus, batch_size=BATCH, seed=0, background="white").batch_at
        settings = TrainingSettings.checked({
            "batch_size": BATCH, "images": 10**6, "optimiser": name, "learning_rate": rate, "precision": "bfloat16",
            "weight_decay": 0.1 if name == "muon" else 0.01, "device": "cpu", "ema_half_life": 3000,
        })  # fmt: skip
        pace = self.pace(settings)
        images = max(int(seconds / pace), 1) * BATCH
        settings = settings.model_copy(update={"images": images, "warmup": images // 20})
        run = Run(family, settings, Chosen(images, "bfloat16", "cpu", 1, 1), Team.alone("cpu"))
        since = time.process_time()
        while not run.done:
            advance(run, batch_at(run.counters.seen))
        used = time.process_time() - since
        return {
            "optimiser": name, "learning_rate": rate, "held_out_loss": round(self.score(run, bus), 5),
            "steps": run.counters.step, "core_seconds": round(used, 1), "core_seconds_a_step": round(pace, 4),
        }  # fmt: skip

    def pace(self, settings: TrainingSettings) -> float:
        """Return the core's seconds for a step."""
        family, bus = self.family(self.learnt)
        batch_at = Loader(self.learnt, bus, batch_size=BATCH, seed=0, background="white").batch_at
        run = Run(family, settings, Chosen(10**6, "bfloat16", "cpu", 1, 1), Team.alone("cpu"))
        advance(run, batch_at(0))
        since = time.process_time()
        for _ in range(12):
            advance(run, batch_at(run.counters.seen))
        return (time.process_time() - since) / 12

    @torch.no_grad()
    def score(self, run: Run, bus: Bus) -> float:
        """Return the held-out loss of the averaged weights."""
        batch_at = Loader(self.held, bus, batch_size=BATCH, seed=1, background="white").batch_at
        run.average.keep()
        run.family.eval()
        losses = [float(run.family.loss(batch_at(at)).total) for at in range(0, HELD_OUT, BATCH)]
        return sum(losses) / len(losses)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--names", nargs="+", default=["adamw:1e-3", "adamw:2e-3", "muon:1e-3", "muon:2e-3"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    stamp, contest = common.Stamp(), Contest()
    rows: list[dict[str, Any]] = []
    for each in asked.names:
        name, _, rate = each.partition(":")
        rows.append(contest.run(name, float(rate), asked.seconds))
        print(rows[-1], flush=True)
    common.append("optimiser", {"seconds": asked.seconds, "rows": rows}, stamp)


if __name__ == "__main__":
    main()
