"""Weights borrowed from another model, wherever they fit."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import ConfigurationError, Encodes, Family
from lienzo.families.latent import Latent
from lienzo.training.opening import load

LABELS, EMBEDDING = "bus.conditions.", ".embedding.weight"
INPUTS = ("network.embed.weight", "network.embed.0.weight", "network.first.weight")  # of the networks that hear maps


@torch.no_grad()
def borrowed(family: Family, folder: Path, name: str) -> str:
    """Copy every weight of a model that a new family has too; return a sentence that says how many.

    Of a model over codes it is the inner family's weights, or the outer one's for a family that encodes. Labels keep
    the embeddings of the classes that both models know. Maps that the other model did not hear begin with weights of
    zero.

    Raises:
        ConfigurationError: if nothing fits.
    """
    source = load(folder)
    if isinstance(source, Latent):
        source = source.outer if isinstance(family, Encodes) else source.inner
    theirs, ours = source.state_dict(), family.state_dict()
    fits = [n for n, tensor in ours.items() if n in theirs and theirs[n].shape == tensor.shape and not _is_label(n)]
    if not fits:
        raise ConfigurationError(f"no weight of {name} fits this model", hint="the same network, or --from scratch")
    for each in fits:
        ours[each].copy_(theirs[each])
    wider = [n for n, tensor in ours.items() if n in theirs and _is_wider(n, tensor, theirs[n])]
    for each in wider:  # the new channels come last; they change nothing before they have learnt to
        ours[each].zero_()[:, : theirs[each].shape[1]].copy_(theirs[each])
    mine, known = getattr(family, "bus", None), getattr(source, "bus", None)
    labels = _embeddings(mine, known) if isinstance(mine, Bus) and isinstance(known, Bus) else 0
    total, taken = sum(t.numel() for t in ours.values()), sum(theirs[n].numel() for n in fits + wider) + labels
    return f"starting from {name}: {100 * taken / total:.0f} % of {total:,} weights are its own, the rest is new"


def code_spread(folder: Path) -> tuple[Tensor, Tensor] | None:
    """Return what a model over codes brings them to mean 0 and standard deviation 1 with; None if it is no such model.

    A network that goes on from it knows codes in these units, whatever new pictures would give.
    """
    source = load(folder)
    return (source.get_buffer("shift"), source.get_buffer("scale")) if isinstance(source, Latent) else None


def _is_label(name: str) -> bool:
    return name.startswith(LABELS) and name.endswith(EMBEDDING)


def _is_wider(name: str, mine: Tensor, known: Tensor) -> bool:
    """Tell whether a network's first layer hears more channels than the other's, and is else the same."""
    alike = mine.ndim == known.ndim and mine.shape[:1] == known.shape[:1] and mine.shape[2:] == known.shape[2:]
    return name.endswith(INPUTS) and alike and mine.ndim > 1 and mine.shape[1] > known.shape[1]


def _embeddings(mine: Bus, known: Bus) -> int:
    """Copy the embeddings of classes that both models know, and of "unsaid"; return how many numbers."""
    copied = 0
    for name in set(mine.names) - set(known.names):
        new = mine[name]
        if isinstance(new, LabelCondition):
            new.embedding.weight.zero_()  # so that it changes nothing before it has learnt to
    for name in set(mine.names) & set(known.names):
        new, old = mine[name], known[name]
        if not isinstance(new, LabelCondition) or not isinstance(old, LabelCondition) or mine.vector != known.vector:
            continue
        new.embedding.weight.copy_(old.embedding.weight[-1].expand_as(new.embedding.weight))  # a new class: as unsaid
        pairs = [(i, old.classes.index(c)) for i, c in enumerate(new.classes) if c in old.classes]
        for i, j in [*pairs, (len(new.classes), len(old.classes))]:
            new.embedding.weight[i] = old.embedding.weight[j]
            copied += mine.vector
    return copied
