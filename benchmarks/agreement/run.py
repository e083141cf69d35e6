"""Our figures against those of torchmetrics, torch-fidelity and prdc on the same features: relative differences.

    pip install torchmetrics scikit-learn; pip install --no-deps torch-fidelity prdc      # in the peers' environment
    python benchmarks/agreement/run.py --python PEERS/bin/python

Nothing is drawn at random between features and figures: the kernel distance is of all rows at once, not of subsets. No
picture is there twice: if one is, a distance can be equal to a radius, and what lies on the surface of a ball is inside
for us, for torch-fidelity and in Kynkäänniemi et al. (2019), but outside for prdc.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from benchmarks.common import ROOT, Stamp, write
from torch import Tensor

from lienzo.api.evaluate.examined import on_paper
from lienzo.core import DataError
from lienzo.data import open_source
from lienzo.evaluation import extractor_named, frechet_distance, kernel_distance, manifold, moments

GOAL, SIDES = 1e-3, ("real", "drawn")
Sets = dict[str, tuple[Tensor, Tensor]]


def features(count: int) -> Sets:
    """Return real and spoilt features of Fashion-MNIST (64) and of the emoji (128), and those of two real sets."""
    found: Sets = {}
    for source, name, size, channels in (("fashion-mnist", "clf64", 28, 1), ("emoji", "emoji", 64, 3)):
        try:
            data = open_source(source, size=size, channels=channels, split="train")
        except DataError as error:
            print(f"{source} is left out: {error}")
            continue
        rows = np.random.default_rng(0).permutation(len(data))[: 3 * count]
        pictures = on_paper(data.pictures(rows))
        _, once = np.unique(pictures.reshape(len(pictures), -1), axis=0, return_index=True)
        single = pictures[np.sort(once)]
        each = min(count, len(single) // 2)
        first, second = single[:each], single[each : 2 * each]
        extractor = extractor_named(name, first)
        seen = extractor.features(first)
        found[f"{name}, real"] = (seen, extractor.features(second))
        found[f"{name}, spoilt"] = (seen, extractor.features(spoilt(second)))
    return found


def spoilt(pictures: np.ndarray) -> np.ndarray:
    """Add noise to a half of the pictures, and repeat a fifth of them."""
    noisy = (
        pictures
        + np.random.default_rng(1).normal(0, 12, pictures.shape) * (np.arange(len(pictures)) % 2)[:, None, None, None]
    )
    spoilt = noisy.round().clip(0, 255).astype(np.uint8)
    spoilt[: len(spoilt) // 5] = spoilt[-(len(spoilt) // 5) :]
    return spoilt


def ours(real: Tensor, drawn: Tensor) -> dict[str, float]:
    near, size = manifold(real, drawn), min(len(real), len(drawn))
    return {
        "FD": frechet_distance(moments(drawn), moments(real)),
        "KID": kernel_distance(drawn, real, size=size, subsets=1),
        "precision": near.precision, "recall": near.recall, "density": near.density, "coverage": near.coverage,
    }  # fmt: skip


def peers(sets: Sets, python: str) -> dict[str, Any]:
    """Ask the peers in their own environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "features.npz"
        named = {f"{n}/{side}": f.numpy() for n, pair in sets.items() for side, f in zip(SIDES, pair, strict=True)}
        np.savez(file, **named)
        command = [python, "benchmarks/agreement/peers.py", str(file)]
        out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the peers' interpreter")
    parser.add_argument("--count", type=int, default=3000, help="pictures a set, at most")
    args = parser.parse_args()
    stamp = Stamp()
    sets = features(args.count)
    told = peers(sets, args.python)
    entries: list[dict[str, Any]] = []
    for name, (real, drawn) in sets.items():
        own = ours(real, drawn)
        for peer, figures in told["figures"][name].items():
            for figure, value in figures.items():
                off = abs(own[figure] - value) / max(abs(value), torch.finfo(torch.float64).tiny)
                entries.append({"features": name, "pictures": [len(real), len(drawn)], "figure": figure, "peer": peer,
                                "ours": own[figure], "theirs": value, "relative": off})  # fmt: skip
                print(f"{name:15} {figure:10} {peer:15} {own[figure]:.8g} {value:.8g}  {off:.1e}")
    worst = max(entry["relative"] for entry in entries)
    print(f"largest relative difference: {worst:.1e} ({'at most' if worst <= GOAL else 'above'} {GOAL:g})")
    write(
        "agreement",
        {"goal": GOAL, "largest": worst, "sets": list(sets), "peers": told["versions"], "entries": entries},
        stamp,
    )


if __name__ == "__main__":
    main()
