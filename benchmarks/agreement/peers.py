"""The peers' figures of features in a file, printed as JSON; run by `run.py` in their environment.

`torch-fidelity` imports torchvision when it is imported as a package, for its extractors. Its metrics on features need
none of it: their files are loaded under a package that is empty otherwise.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

K, WIDE = 3, 5  # neighbours of precision and recall, and of density and coverage


class Given(torch.nn.Module):
    """An "extractor" whose features are what it is given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def fidelity(name: str) -> Any:
    """Load one file of torch-fidelity alone."""
    if "torch_fidelity" not in sys.modules:
        found = importlib.util.find_spec("torch_fidelity")
        if found is None or found.origin is None:
            raise ImportError("no torch-fidelity here")
        package, blank = types.ModuleType("torch_fidelity"), types.ModuleType("torch_fidelity.utils")
        package.__path__ = [str(Path(found.origin).parent)]
        blank.__getattr__ = lambda name: None  # extractors and caches, which nothing here calls
        sys.modules |= {"torch_fidelity": package, "torch_fidelity.utils": blank}
    return importlib.import_module(f"torch_fidelity.{name}")


def by_torch_fidelity(real: Tensor, drawn: Tensor) -> dict[str, float]:
    fid, kid, prc = (fidelity(f"metric_{name}") for name in ("fid", "kid", "prc"))
    sides = [fid.fid_features_to_statistics(f.double()) for f in (drawn, real)]
    between = prc.prc_features_to_metric(drawn.double(), real.double(), prc_neighborhood=K, verbose=False)
    return {
        "FD": fid.fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"],
        "KID": float(kid.kernel_mmd(drawn.double().numpy(), real.double().numpy(), kid_kernel="poly")),
        "precision": between["precision"], "recall": between["recall"],
    }  # fmt: skip


def by_torchmetrics(real: Tensor, drawn: Tensor) -> dict[str, float]:
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    size, width = min(len(real), len(drawn)), real.shape[1]
    metrics = {
        "FD": FrechetInceptionDistance(feature=Given(width), normalize=True, input_img_size=(width, 1, 1)),
        "KID": KernelInceptionDistance(feature=Given(width), subsets=1, subset_size=size, normalize=True),
    }
    for metric in metrics.values():
        metric.set_dtype(torch.float64)
        for features, is_real in ((real, True), (drawn, False)):
            metric.update(features.double()[..., None, None], real=is_real)
    found = {name: metric.compute() for name, metric in metrics.items()}
    return {"FD": float(found["FD"]), "KID": float(found["KID"][0])}


def by_prdc(real: Tensor, drawn: Tensor) -> dict[str, float]:
    from prdc import compute_prdc

    few, many = (compute_prdc(real.double().numpy(), drawn.double().numpy(), k) for k in (K, WIDE))
    told = {"precision": few["precision"], "recall": few["recall"]}
    return {n: float(v) for n, v in {**told, "density": many["density"], "coverage": many["coverage"]}.items()}


PEERS: dict[str, Callable[[Tensor, Tensor], dict[str, float]]] = {
    "torch-fidelity": by_torch_fidelity, "torchmetrics": by_torchmetrics, "prdc": by_prdc,
}  # fmt: skip


def main() -> None:
    with np.load(sys.argv[1]) as file:
        sets = {name: torch.from_numpy(file[name]) for name in file.files}
    names = sorted({name.partition("/")[0] for name in sets})
    told = {n: {peer: ask(sets[f"{n}/real"], sets[f"{n}/drawn"]) for peer, ask in PEERS.items()} for n in names}
    from benchmarks.common import versions

    print(json.dumps({"figures": told, "versions": versions(*PEERS)}))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
