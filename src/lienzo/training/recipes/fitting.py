"""The candidates of a plan, built and fed as the run will be: which of them the budget suffices for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lienzo.conditions import Bus, CodedCondition
from lienzo.core import Batch, Conditions, Encodes, Family, Said, Streams, require
from lienzo.data import Dataset, Loader, Sampled
from lienzo.training.budget import Candidate, Plan, pace_of, plan
from lienzo.training.card import duration
from lienzo.training.clock import clock_of
from lienzo.training.distributed import Team
from lienzo.training.recipes.codes import CHUNK, looks_of
from lienzo.training.recipes.feed import fed
from lienzo.training.recipes.inner import Find
from lienzo.training.recipes.make import Shape, make_bus, make_family
from lienzo.training.recipes.parts import Recipe
from lienzo.training.recipes.read import merged

Values = dict[str, Any]
BATCH, SHORT = 64, 16  # that candidates are measured with, where no other is said; the second for minutes
MINUTES = 600.0  # s, a budget of which measuring must not eat up much
ROOM, LEAST = 1 << 20, 4  # values of a batch that is measured in such a budget, about, and pictures at least
CODING, WORTH_A_WORD = 0.2, 0.1  # of a budget: what coding several looks may take, and from when on it is told


@dataclass(frozen=True)
class Learnt:
    """What a planned family learns.

    Attributes:
        dataset: the pictures.
        shape: of what it draws: a picture, or a code.
        coded: whether it learns ready codes.
        share: of the budget, what the coder gets.
        find: a model's name → its folder.
        inner: families that it takes, by argument; not trained yet, which costs as much.
        most: images after which it has nothing more to learn.
        outer: what codes the pictures: a stream's at every step, others beforehand.
    """

    dataset: Dataset
    shape: Shape
    coded: bool = False
    share: float = 0.0
    find: Find = Path
    inner: Mapping[str, Family] = field(default_factory=dict[str, Family])
    most: int | None = None
    outer: Family | None = None


def fitted(
    wanted: Sequence[tuple[str, Values]], rate: float, learnt: Learnt, tell: Callable[[str], None],
    shares: Mapping[str, float] | None = None,
) -> Values:  # fmt: skip
    """Measure candidates, and return the values of the one that fits, with its schedule.

    Args:
        wanted: a name for people and a recipe's values each, smallest first.
        rate: the step size that suits them at a batch of 64.
        learnt: what they learn.
        tell: hears what was measured and picked.
        shares: arguments of the family that count images, as shares of the run's; what is said of them is kept.
    """
    recipes = {name: Recipe.checked(values) for name, values in wanted}
    candidates = [Candidate(n, partial(_built, recipe, learnt), rate, learnt.most) for n, recipe in recipes.items()]
    recipe = next(iter(recipes.values()))
    whole = recipe.training.budget_seconds
    assert whole is not None
    tell("measuring this machine …")
    settings = recipe.training.model_copy(update={"budget_seconds": whole * (1 - learnt.share)})
    looks, coding = coded_beforehand(learnt, recipe)
    reserve = min(30.0, 0.05 * whole) + coding
    with ExitStack() as feeds:
        measure = partial(pace_of, feed=partial(_feed, learnt, recipe, feeds), settings=settings)
        found: Plan = plan(candidates, learnt.dataset.whole, settings, measure, reserve=reserve)
    for sentence in found.why:
        tell(f"  {sentence}")
    if coding > WORTH_A_WORD * whole:
        tell(f"  coding the pictures first, in {looks} look{'s' * (looks > 1)} each, takes about {duration(coding)}")
    training = found.settings.model_dump(mode="json", exclude_defaults=True)
    training["budget_seconds"] = float(training["budget_seconds"]) + learnt.share * whole
    values = dict(wanted)[found.candidate.name]
    counted = {name: int(share * (found.settings.images or 0)) for name, share in (shares or {}).items()}
    values = merged(merged({"family": counted}, values), {"training": training})
    if looks:
        values = merged({"codes": {"variants": looks}}, values)
    if values.get("codes", {}).get("recipe") is not None and whole < MINUTES:
        coder: Values = {"training": {"precision": found.pace.precision}}  # measured once, where minutes are few
        values["codes"] = {**values["codes"], "recipe": merged(coder, values["codes"]["recipe"])}
    return values


@torch.no_grad()
def coded_beforehand(learnt: Learnt, recipe: Recipe) -> tuple[int, float]:
    """Return with how many looks a budget lets every picture be coded, and the seconds that this takes; 0 and 0: none.

    So many that they take no more than `CODING` of the budget; what a recipe says is kept.
    """
    budget, outer, dataset, data = recipe.training.budget_seconds, learnt.outer, learnt.dataset, recipe.data
    if budget is None or outer is None or recipe.codes is None or not learnt.coded or isinstance(dataset, Sampled):
        return 0, 0.0
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)  # by which the processor's clock counts
    now, device = clock_of(recipe.training), Team.alone(recipe.training.device).device
    coder = require(outer.to(device), Encodes)
    x = Loader(dataset, Bus({}), batch_size=min(CHUNK, len(dataset)), background=data.background).batch_at(0).x
    coder.encode(x[:8].to(device))
    since = now()
    coder.encode(x.to(device))[0].cpu()  # .cpu() waits for a device's end
    once = (now() - since) / len(x) * len(dataset)
    most = looks_of(dataset, data.background, data.flip, recipe.codes.variants)
    if "variants" not in recipe.codes.model_fields_set:
        most = max(1, min(most, int(CODING * budget / max(once, 1e-9))))
    return most, most * once


def _built(recipe: Recipe, learnt: Learnt) -> Family:
    bus = make_bus(recipe, learnt.dataset, code=learnt.shape if learnt.coded else None)
    return make_family(recipe.family, recipe.network, bus, learnt.shape, recipe.training.seed, codes=learnt.coded,
                       find=learnt.find, inner=learnt.inner)  # fmt: skip


def _feed(learnt: Learnt, recipe: Recipe, feeds: ExitStack, family: Family) -> Callable[[int], Batch]:
    """Return batches to measure with: the real ones, or noise for codes under the real conditions."""
    own, dataset = getattr(family, "bus", None), learnt.dataset
    bus, data = own if isinstance(own, Bus) else Bus({}), recipe.data.model_copy(update={"flip": 0.0, "reword": 0.0})
    hurried = (recipe.training.budget_seconds or 0.0) < MINUTES
    size = min(SHORT if hurried else BATCH, max(8, len(dataset)))
    size = min(size, max(ROOM // math.prod(learnt.shape), LEAST)) if hurried else size
    size = recipe.training.batch_size if "batch_size" in recipe.training.model_fields_set else size
    batch_at = feeds.enter_context(fed(dataset, bus, data, batch_size=size, seed=0))
    if not learnt.coded:
        return batch_at
    first = batch_at(0)
    noise = Streams(0, range(size)).normal(*learnt.shape)
    coded = {n: Said((noise,), c.present) for n, c in first.conditions.items() if isinstance(bus[n], CodedCondition)}
    said = Conditions({**first.conditions, **coded}, count=size)
    device = next(family.parameters()).device

    def coded_at(seen: int) -> Batch:
        if isinstance(dataset, Sampled):  # what a stream's step takes, too
            _encode(learnt.outer, batch_at(seen).x.to(device))
        return replace(first, x=noise, conditions=said, streams=Streams(0, range(seen, seen + size)))

    return coded_at


@torch.no_grad()
def _encode(outer: Family | None, x: Tensor) -> None:
    if outer is not None:
        require(outer.to(x.device), Encodes).encode(x)
