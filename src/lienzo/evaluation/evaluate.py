"""All figures of one set of drawn pictures, each by its full name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from torch import Tensor

from lienzo.evaluation.classes import Told as Shares
from lienzo.evaluation.classes import accuracy_score, by_class, class_distance
from lienzo.evaluation.copies import HELD, copied, repeated
from lienzo.evaluation.distances import frechet_distance, kernel_distance, moments
from lienzo.evaluation.extrapolation import LEAST, extrapolated
from lienzo.evaluation.features import INCEPTION
from lienzo.evaluation.manifold import manifold
from lienzo.evaluation.retrieval import NOTHING, found_among
from lienzo.evaluation.sketch import Sketch
from lienzo.evaluation.sliced import sliced_wasserstein, wasserstein
from lienzo.evaluation.two_sample import two_sample_test
from lienzo.evaluation.vendi import vendi_score

FEWEST = 2  # pictures a dimension for a Fréchet distance: below, the covariances are mostly noise
SUBSETS, SUBSET = 20, 1000  # of the kernel distance
RETRIEVAL = "retrieval"
TOP = (1, 5)  # candidates among which a picture's own caption is looked for
ENOUGH = 16  # pictures: below, nothing is measured
EQUAL = ("FD", "FID", "precision", "recall", "density", "coverage", "vendi", "two", "repeated")
# … which compare sets of one length: as many drawn pictures as there are held-out ones; recall, coverage and distances
# change with the number, so that any other floor would be one of something else


@dataclass(frozen=True)
class Told:
    """What one set of pictures measures.

    Attributes:
        figures: name → value.
        intervals: name → its 95 % interval, where one set gives one.
        counts: name → how many pictures it is of, where only some have a label, a text or a map.
        classes: class → shares asked for and found, and recall.
    """

    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    classes: Shares = field(default_factory=dict[str, dict[str, float | None]])
    counts: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Real:
    """What drawn pictures are held against.

    Attributes:
        reference: held-out pictures.
        training: features (M, D) of training pictures, for copies; None where held-out pictures are among them.
        classes: names of the label's classes, or none.
        seed: of whatever is drawn while measuring.
    """

    reference: Sketch
    training: Tensor | None
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
    fidelity, apart = manifold(g[:count], f[:count]), two_sample_test(g, f, seed=seed)
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
        "repeated": repeated(f, g),
    }  # fmt: skip
    if real.training is not None and len(g[::2]) >= HELD:
        figures["copied"] = copied(f if copies_of is None else copies_of, real.training, g[::2])
    figures = {full_name(name, extractor): value for name, value in figures.items()}
    figures["sliced-pixels"] = sliced_wasserstein(drawn.pixels, real.reference.pixels)
    figures["sliced-details"] = sliced_wasserstein(drawn.details, real.reference.details)
    figures["noise"] = float(wasserstein(drawn.noise, real.reference.noise).mean())
    obeyed, classes = _labels(drawn, real, extractor)
    if drawn.ranks is not None:
        shares = {f"{RETRIEVAL}-top{k}": found_among(drawn.ranks, k) for k in TOP}
        obeyed |= {name: share for name, share in shares.items() if share is not None}
    obeyed |= {name: float(each.nanmean()) for name, each in drawn.obeyed.items() if not bool(each.isnan().all())}
    intervals = {f"two-sample-{extractor}": (apart.low, apart.high)}
    return Told(figures | obeyed, intervals, classes, _counts(drawn, obeyed))


def full_name(figure: str, extractor: str) -> str:
    """Return a figure's name with that of its features; a Fréchet distance is FID on Inception's alone.

    >>> full_name("FD", "clf64"), full_name("FD-extrapolated", "inception"), full_name("KID", "inception")
    ('FD-clf64', 'FID-extrapolated', 'KID-inception')
    """
    if extractor == INCEPTION and figure.startswith("FD"):
        return figure.replace("FD", "FID", 1)
    return f"{figure}-{extractor}"


def pictures_of(figure: str, drawn: int, compared: int) -> int:
    """Return how many of the drawn pictures a figure looks at.

    >>> pictures_of("FD-clf64", 50_000, 12_935), pictures_of("label-accuracy", 50_000, 12_935)
    (12935, 50000)
    """
    return min(drawn, compared) if figure.partition("-")[0] in EQUAL else drawn


def _counts(drawn: Sketch, obeyed: Collection[str]) -> dict[str, int]:
    """Return of how many pictures figures are of which only some pictures have what was asked for."""
    asked = {name: ~each.isnan() for name, each in drawn.obeyed.items()}
    if drawn.ranks is not None:
        asked |= {f"{RETRIEVAL}-top{k}": drawn.ranks > NOTHING for k in TOP}
    if drawn.labels is not None:
        asked |= {name: drawn.labels >= 0 for name in obeyed if name.startswith(("CAS-", "label-", "class-"))}
    counted = {name: int(each.sum()) for name, each in asked.items() if name in obeyed}
    return {name: count for name, count in counted.items() if count < len(drawn)}


def _labels(drawn: Sketch, real: Real, extractor: str) -> tuple[dict[str, float], Shares]:
    """Measure whether labels are obeyed, as the classifier among the judges sees it; what has no label is left out."""
    asked, truth, names = drawn.labels, real.reference.labels, real.classes
    if asked is None or truth is None or not names:
        return {}, {}
    known = asked >= 0
    if int(known.sum()) < 2:  # of one nothing can be learnt
        return {}, {}
    asked = asked[known]
    score = accuracy_score(drawn.features[known], asked, real.reference.features, truth, len(names), seed=real.seed)
    figures = {f"CAS-{extractor}": score}
    if drawn.found is None or real.reference.found is None:
        return figures, {}
    found = drawn.found[known]
    figures["label-accuracy"] = float((found == asked).double().mean())
    figures["class-distance"] = class_distance(found, real.reference.found, len(names))
    return figures, by_class(found, asked, names)


def refusals(count: int, extractor: str, dimension: int, held: int | None = None) -> dict[str, dict[str, str]]:
    """Return which figures n pictures do not allow, why, and what means something instead.

    Args:
        count: n, on each side of a comparison.
        extractor: the name of the features.
        dimension: how many features a picture has.
        held: how many held-out pictures can be compared, if these and not those drawn are too few.
    """
    told: dict[str, dict[str, str]] = {}
    limit = f": only {held} held-out ones can be compared, and more --count does not help" if held is not None else ""
    instead = f"KID-{extractor}, coverage-{extractor} and two-sample-{extractor} mean something at {count}"
    for name, fewest in (("FD", FEWEST), ("FD-extrapolated", LEAST)):
        if count < fewest * dimension:
            why = f"{count} pictures for {dimension} features: it needs {fewest * dimension}{limit}"
            told[full_name(name, extractor)] = {"why": why, "instead": instead}
    if count < 2 * HELD - 1:
        why = f"{count} pictures to compare with: the nearest 1 % of half of them are too few, {2 * HELD - 1} do{limit}"
        instead = "look at the nearest training pictures, which `lienzo compare` shows"
        told[full_name("copied", extractor)] = {"why": why, "instead": instead}
    return told


def summary(each: Sequence[Told], floors: Sequence[Told]) -> dict[str, dict[str, Any]]:
    """Return every figure with its spread over seeds, beside the floor: what as many real pictures measure.

    A figure that a seed has not (a map's, of which nothing was asked there) is that of the others. What real pictures
    achieve of a text is not all of it: a retrieval is also told as a share of theirs, "of_real".
    """
    figures: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for told in each for name in told.figures):
        own, floor = (_spread([told.figures[name] for told in side if name in told.figures]) for side in (each, floors))
        figures[name] = {**own, "floor": floor}
        if name.startswith(RETRIEVAL) and floor and floor["mean"]:
            figures[name]["of_real"] = own["mean"] / floor["mean"]
    return figures


def _spread(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return {}
    deviation = stdev(values) if len(values) > 1 else None
    return {"mean": fmean(values), "deviation": deviation, "values": list(values)}
