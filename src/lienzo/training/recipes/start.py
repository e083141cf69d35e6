"""Weights borrowed from another model, wherever they fit."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lienzo.core import ConfigurationError, Family
from lienzo.families.latent import Latent
from lienzo.training.checkpoint import WEIGHTS, load

Weights = dict[str, Tensor]


@torch.no_grad()
def borrowed(family: Family, folder: Path, name: str) -> str:
    """Copy every weight of a model whose name and shape a new family shares; return a sentence that says how many.

    Labels whose classes differ keep the embeddings of the classes that both have.

    Raises:
        ConfigurationError: if nothing fits.
    """
    model = load(folder)
    source = model.inner if isinstance(model, Latent) else model
    theirs, ours = source.state_dict(), family.state_dict()
    fits = [n for n, tensor in ours.items() if n in theirs and theirs[n].shape == tensor.shape and not _label(n)]
    for each in fits:
        ours[each].copy_(theirs[each])
    taken = sum(ours[n].numel() for n in fits) + _labels(family, source)
    total = sum(t.numel() for t in ours.values())
    if not fits:
        raise ConfigurationError(f"no weight of {name} fits this model", hint="the same network, or --from scratch")
    return f"starting from {name} ({WEIGHTS}): {100 * taken / total:.0f} % of {total:,} weights; the rest is new"


def _label(name: str) -> bool:
    return name.startswith("bus.conditions.") and name.endswith(".embedding.weight")


def _labels(family: Family, source: Family) -> int:
    """Copy the embeddings of classes that both models know, and of "unsaid"; return how many numbers."""
    mine, theirs, copied = getattr(family, "bus", None), getattr(source, "bus", None), 0
    for name in mine.names if mine is not None and theirs is not None else ():
        new, old = mine[name], theirs[name] if name in theirs.names else None
        if not hasattr(new, "classes") or not hasattr(old, "classes"):
            continue
        if new.embedding.weight.shape[1] != old.embedding.weight.shape[1]:
            continue
        pairs = [(i, old.classes.index(c)) for i, c in enumerate(new.classes) if c in old.classes]
        for i, j in [*pairs, (len(new.classes), len(old.classes))]:
            new.embedding.weight[i] = old.embedding.weight[j]
            copied += new.embedding.weight.shape[1]
    return copied
