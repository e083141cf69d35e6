"""All figures of one set of drawn pictures, each by its full name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from torch import Tensor

from lienzo.evaluation.classes import accuracy_score, by_class, class_distance
from lienzo.evaluation.copies import copied, repeated
from lienzo.evaluation.distances import frechet_distance, kernel_distance, moments
from lienzo.evaluation.extrapolation import LEAST, extrapolated
from lienzo.evaluation.features import INCEPTION
from lienzo.evaluation.manifold import manifold
from lienzo.evaluation.sketch import Sketch
from lienzo.evaluation.sliced import sliced_wasserstein, wasserstein
from lienzo.evaluation.two_sample import two_sample_test
from lienzo.evaluation.vendi import vendi_score

FEWEST = 2  # pictures a dimension for a Fréchet distance: below, the covariances are mostly noise
SUBSETS, SUBSET = 20, 1000  # of the kernel distance
RETRIEVAL = "retrieval"
ENOUGH = 16  # pictures: below, nothing is measured


@dataclass(frozen=True)
class Told:
    """What one set of pictures measures.

    Attributes:
        figures: name → value.
        intervals: name → its 95 % interval, where one set gives one.
        classes: class → shares asked for and found, and recall.
    """

    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    classes: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])


@dataclass(frozen=True)
class Real:
    """What drawn pictures are held against.

    Attributes:
        reference: held-out pictures.
        training: features (M, D) of training pictures, for copies.
        classes: names of the label's classes, or none.
        seed: of whatever is drawn while measuring.
    """

    reference: Sketch
    training: Tensor
    classes: Sequence[str] = ()
    seed: int = 0


def told_of(drawn: Sketch, real: Real, extractor: str, *, copies_of: Tensor | None = None) -> Told:
    """Measure one set of pictures.

    Args:
        drawn: the set: a model's, or real pictures for the floor.
        real: what it is held against.
        extractor: the name of the features.
        copies_of: features that are looked at for copies in the place of the drawn ones, for the floor: held-out
            pictures, wherever `drawn` are.
    """
    f, g, seed = drawn.features, real.reference.features, real.seed
    count, width = min(len(f), len(g)), f.shape[1]
    fidelity, apart = manifold(g, f), two_sample_test(g, f, seed=seed)
    figures: dict[str, float] = {}
    if count >= FEWEST * width:
        figures["FD"] = frechet_distance(moments(f[:count]), moments(g[:count]))
    if count >= LEAST * width:
        figures["FD-extrapolated"] = extrapolated(f[:count], g[:count], seed=seed)
    figures |= {
        "KID": kernel_distance(f, g, size=SUBSET, subsets=SUBSETS, seed=seed),
        "precision": fidelity.precision, "recall": fidelity.recall,
        "density": fidelity.density, "coverage": fidelity.coverage,
        "vendi": vendi_score(f[:count]), "two-sample": apart.accuracy,
        "copied": copied(f if copies_of is None else copies_of, real.training, g[::2]), "repeated": repeated(f, g),
    }  # fmt: skip
    figures = {full_name(name, extractor): value for name, value in figures.items()}
    figures["sliced-pixels"] = sliced_wasserstein(drawn.pixels, real.reference.pixels)
    figures["sliced-details"] = sliced_wasserstein(drawn.details, real.reference.details)
    figures["noise"] = float(wasserstein(drawn.noise, real.reference.noise).mean())
    obeyed, classes = _labels(drawn, real, extractor)
    if drawn.ranks is not None:
        obeyed |= {f"{RETRIEVAL}-top{k}": float((drawn.ranks < k).double().mean()) for k in (1, 5)}
    obeyed |= {name: float(each.nanmean()) for name, each in drawn.obeyed.items() if not bool(each.isnan().all())}
    return Told(figures | obeyed, {f"two-sample-{extractor}": (apart.low, apart.high)}, classes)


def full_name(figure: str, extractor: str) -> str:
    """Return a figure's name with that of its features; a Fréchet distance is FID on Inception's alone.

    >>> full_name("FD", "clf64"), full_name("FD-extrapolated", "inception"), full_name("KID", "inception")
    ('FD-clf64', 'FID-extrapolated', 'KID-inception')
    """
    if extractor == INCEPTION and figure.startswith("FD"):
        return figure.replace("FD", "FID", 1)
    return f"{figure}-{extractor}"


def _labels(drawn: Sketch, real: Real, extractor: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Measure whether labels are obeyed, as the classifier among the judges sees it."""
    asked, truth, names = drawn.labels, real.reference.labels, real.classes
    if asked is None or truth is None or not names:
        return {}, {}
    score = accuracy_score(drawn.features, asked, real.reference.features, truth, len(names), seed=real.seed)
    figures = {f"CAS-{extractor}": score}
    if drawn.found is None or real.reference.found is None:
        return figures, {}
    figures["label-accuracy"] = float((drawn.found == asked).double().mean())
    figures["class-distance"] = class_distance(drawn.found, real.reference.found, len(names))
    return figures, by_class(drawn.found, asked, names)


def refusals(count: int, extractor: str, dimension: int) -> dict[str, dict[str, str]]:
    """Return which figures n pictures do not allow, why, and what means something instead."""
    told: dict[str, dict[str, str]] = {}
    instead = f"KID-{extractor}, coverage-{extractor} and two-sample-{extractor} mean something at {count}"
    for name, fewest in (("FD", FEWEST), ("FD-extrapolated", LEAST)):
        if count < fewest * dimension:
            why = f"{count} pictures for {dimension} features: it needs {fewest * dimension}"
            told[full_name(name, extractor)] = {"why": why, "instead": instead}
    return told


def summary(each: Sequence[Told], floors: Sequence[Told]) -> dict[str, dict[str, Any]]:
    """Return every figure with its spread over seeds, beside the floor: what as many real pictures measure.

    What real pictures achieve of a text is not all of it: a retrieval is also told as a share of theirs, "of_real".
    """
    figures: dict[str, dict[str, Any]] = {}
    for name in each[0].figures:
        own = _spread([told.figures[name] for told in each])
        floor = _spread([told.figures[name] for told in floors if name in told.figures])
        figures[name] = {**own, "floor": floor}
        if name.startswith(RETRIEVAL) and floor and floor["mean"]:
            figures[name]["of_real"] = own["mean"] / floor["mean"]
    return figures


def _spread(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return {}
    deviation = stdev(values) if len(values) > 1 else None
    return {"mean": fmean(values), "deviation": deviation, "values": list(values)}
