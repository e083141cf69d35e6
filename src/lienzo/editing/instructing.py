r"""Instruction editing by a model that has learnt from pairs: a picture, words that ask for a change, the result.

Two guidances: with c_I the picture before and c_T the words,

    D = D(∅, ∅) + s_I (D(c_I, ∅) − D(∅, ∅)) + s_T (D(c_I, c_T) − D(c_I, ∅)).

"InstructPix2Pix: Learning to Follow Image Editing Instructions" (Brooks, 2023), eq. 3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lienzo.conditions import Bus, MapCondition, TextCondition
from lienzo.core import CapabilityError, Conditions, Family, Streams
from lienzo.editing.filling import Known, Way, filled
from lienzo.editing.redrawing import Walk
from lienzo.editing.settling import settled
from lienzo.editing.space import Space, knots_of
from lienzo.sampling import SOLVERS

BEFORE = 2.5  # s_I where nobody says: scenes-64 changes what should stay by 0.11 then, with 1.5 by 0.13


@dataclass(frozen=True)
class Pairs:
    """By which names a model hears a pair.

    Attributes:
        before: the picture before.
        words: what asks for the change.
        mask: where it may change; "" if that is not heard.
    """

    before: str
    words: str
    mask: str = ""


def pairs_of(family: Family) -> Pairs | None:
    """Return how a model hears edit pairs; None if it never has, as its configuration tells."""
    bus = getattr(family, "bus", None)
    if not isinstance(bus, Bus):
        return None
    maps = {name: c for name in bus.names if isinstance(c := bus[name], MapCondition)}
    before = next((name for name, condition in maps.items() if condition.before), None)
    words = next((name for name in bus.names if isinstance(bus[name], TextCondition)), None)
    mask = next((name for name, condition in maps.items() if condition.map_kind == "mask"), "")
    return None if before is None or words is None else Pairs(before, words, mask)


def two_guidances(asked: float | Mapping[str, float], pairs: Pairs) -> dict[str, float]:
    """Return s_I and s_T in the order in which they nest.

    Args:
        asked: both by name; or one number, that of the words: the picture's is then `BEFORE`, and 1 where it is 1.
        pairs: the names.

    >>> two_guidances(4.0, Pairs("image", "text", "mask"))
    {'image': 2.5, 'mask': 2.5, 'text': 4.0}
    >>> two_guidances({"text": 7, "image": 1.2}, Pairs("image", "text"))
    {'image': 1.2, 'text': 7}
    """
    given = asked if isinstance(asked, Mapping) else {pairs.words: asked}
    usual = 1.0 if asked == 1 else BEFORE
    first = {name: given.get(pairs.before, usual) for name in (pairs.before, pairs.mask) if name}
    return {**first, **{name: weight for name, weight in given.items() if name not in first}}


def with_picture(space: Space, x: Tensor, keep: Tensor, conditions: Conditions) -> Conditions:
    """Return conditions that say the picture before and, where something is kept, the mask of what may change.

    Args:
        space: of a family that has heard edit pairs.
        x: (B, C, H, W) in [-1, 1].
        keep: (B, 1, H, W), 1 where x is kept.
        conditions: B rows.

    Raises:
        CapabilityError: for a family that has heard none.
    """
    pairs, bus = pairs_of(space.family), getattr(space.family, "bus", None)
    if pairs is None or not isinstance(bus, Bus):
        hint = "a model that has learnt from the source 'edits', or from pairs of one's own; or --how redraw"
        raise CapabilityError("this model has heard no pairs of pictures before and after an edit", hint=hint)
    said = {pairs.before: [*x.cpu()]}
    if pairs.mask and bool((keep > 0.5).any()):
        said[pairs.mask] = [*(1 - 2 * keep.cpu().float())]
    told = bus.parse(said, len(x)).to(space.device)
    return Conditions({**conditions, **{name: told[name] for name in said}}, count=len(x))


@torch.no_grad()
def instructed(
    space: Space, x: Tensor, keep: Tensor, conditions: Conditions, *, streams: Streams, walk: Walk, way: Way
) -> Tensor:
    """Return what becomes of pictures under words; every cell of a state that lies within what is kept agrees with x.

    Where nothing is kept, what hardly changed is what the model makes of x when nothing changes: `put_back` gives it
    the detail of x again. A mask has said what stays: all the rest is as drawn.

    Args:
        space: of a family that denoises and has heard edit pairs.
        x: (B, C, H, W) in [-1, 1].
        keep: (B, 1, H, W), 1 where x is kept.
        conditions: B rows, with the words.
        streams: B rows.
        walk: steps, and guidance as `two_guidances` reads it.
        way: how what is kept is heard besides the mask, and how much is hardly.

    Raises:
        CapabilityError: for a family that has heard no pairs.
    """
    said = with_picture(space, x, keep, conditions.to(space.device))
    pairs = pairs_of(space.family)
    assert pairs is not None
    denoise = space.denoiser(said, two_guidances(walk.guidance, pairs), walk.interval)
    knots = knots_of(space.schedule, walk.steps)
    state = streams.child("start").normal(*space.shape).to(space.device) * knots[0].sigma
    cells, seen = space.cells(keep), space.enter(x)
    if bool(cells.any()):
        known = Known(lambda v: cells * v, seen)
        return space.leave(deque(filled(denoise, state, knots, known, streams.child("fill"), way), maxlen=1)[0])
    end = deque(SOLVERS[walk.solver].run(denoise, state, knots, streams.child("solver")), maxlen=1)[0][0]
    return settled(space.leave(end), space.leave(seen), way.settle)
