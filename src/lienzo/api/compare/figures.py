"""From what was found of each to a report in plain data: figures with intervals, beside what they are held against."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from lienzo.api.compare.entrants import Entrant
from lienzo.api.evaluate.said import worst_classes
from lienzo.api.find import entries
from lienzo.evaluation.evaluate import full_name
from lienzo.evaluation.two_sample import wilson

Values = dict[str, Any]
SCHEMA = 1
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)  # t of 97.5 %, by degrees of freedom from 1
NORMAL = 1.96
FIGURES = ("FD", "KID", "precision", "recall", "density", "coverage", "two-sample", "copied", "repeated")
SHARES = ("precision", "recall", "coverage", "two-sample", "copied", "repeated", "obeyed")
OBEYED = ("label-accuracy", "retrieval-top1", "IoU", "edge-F", "PCK")  # whichever the conditions allow
MAPS = {"IoU": (0.0, 1.0), "edge-F": (0.0, 1.0), "PCK": (0.0, 1.0), "depth-rank": (-1.0, 1.0), "kept": (0.0, math.inf)}
POSITIVE = ("FD", "density")
LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True)
class Settings:
    """What all entrants have in common; see `compare`."""

    source: str
    budget: float | None
    count: int
    seeds: int
    features: str | None
    judge: str | None
    scored: int
    seed: int
    watts: float
    threads: int | None
    lienzo: str


def report_of(settings: Settings, takers: Sequence[Entrant], told: Mapping[str, Values]) -> Values:
    """Return the report but for its words; its schema is the first words of `lienzo.api.compare`.

    Args:
        settings: what all have in common.
        takers: who takes part.
        told: name → stage → what was found; whoever is missing is waiting.
    """
    plain = asdict(settings)
    drawn = [one["draw"] for one in told.values() if "draw" in one]
    measured = [one["measure"]["evaluation"] for one in told.values() if "measure" in one]
    report: Values = {
        "schema": SCHEMA, "lienzo": plain.pop("lienzo"), "source": plain.pop("source"), "budget": plain.pop("budget"),
        "settings": plain,
        "machine": {n: drawn[0][n] for n in ("hardware", "device", "threads", "torch")} if drawn else {},
        "data": {**(measured[0]["data"] if measured else {}), "said": drawn[0]["said"] if drawn else []},
        "quality": quality_of(measured),
        "entrants": {},
    }  # fmt: skip
    for taker in takers:
        report["entrants"][taker.name] = entrant_of(taker, told.get(taker.name), settings.watts, report["quality"])
    return report


def quality_of(evaluations: Sequence[Values]) -> Values | None:
    """Return which figure stands for quality: the Fréchet distance if all with the usual features have it, else KID."""
    if not evaluations:
        return None
    extractor = Counter(one["features"]["name"] for one in evaluations).most_common(1)[0][0]
    ours = [one["figures"] for one in evaluations if one["features"]["name"] == extractor]
    short = "FD" if all(full_name("FD", extractor) in figures for figures in ours) else "KID"
    return {"figure": short, "name": full_name(short, extractor), "better": LOWER}


def entrant_of(taker: Entrant, found: Values | None, watts: float, quality: Values | None) -> Values:
    """Return what the report says of one entrant."""
    found = found or {}
    status = "failed" if "error" in found else "measured" if "measure" in found else "waiting"
    told: Values = {"kind": taker.kind, "what": taker.what, "status": status, "error": found.get("error")}
    draw: Values = found.get("draw", {})
    for name in ("family", "parameters", "weights", "start", "hears", "options", "shape"):
        told[name] = draw.get(name)
    told["training"] = _training(found.get("train"), draw.get("card", ""))
    told["sampling"] = draw.get("sampling")
    told["energy"] = _energy(told["training"], told["sampling"], watts)
    evaluation: Values | None = found.get("measure", {}).get("evaluation")
    settings: Values = evaluation["settings"] if evaluation else {}
    told["figures"] = figures_of(evaluation) if evaluation else {}
    told["likelihood"] = evaluation["likelihood"] if evaluation else None
    told["refused"] = evaluation["refused"] if evaluation else {}
    told["features"] = evaluation["features"] if evaluation else None
    told["worst"] = worst_classes(evaluation) if evaluation else []
    told["judge"] = {**settings["judge"], "captions": settings["captions"]} if settings.get("judge") else None
    told["standard"] = _standard(evaluation, told["shape"]) if evaluation else None
    told["curve"] = _curve(found, quality)
    told["nearest"] = found.get("nearest")
    return told


def figures_of(evaluation: Values) -> Values:
    """Return an evaluation's figures under short names, maps' under their own, with their intervals."""
    extractor, figures = evaluation["features"]["name"], evaluation["figures"]
    named = {short: full_name(short, extractor) for short in FIGURES}
    named |= {"obeyed": next((name for kind in OBEYED for name in figures if _is(name, kind)), "")}
    named |= {name: name for name in figures if kind_of_map(name) and name != named["obeyed"]}
    told: Values = {}
    for short, name in named.items():
        if name in figures:
            one = figures[name]
            pictures = one["pictures"] if short in SHARES else 0
            low, high = interval(one["values"], *_range(short), pictures) or (None, None)
            floor = one.get("floor") or {}
            told[short] = {"name": name, "mean": one["mean"], "low": low, "high": high, "floor": floor.get("mean")}
            if short == "two-sample":  # all seeds' tests together: a few seeds that differ hide nothing
                told[short]["pooled"] = wilson(one["mean"], one["pictures"] * len(one["values"]))
    return told


def kind_of_map(name: str) -> str | None:
    """Return what is measured of a map by a figure's full name; None of another figure.

    >>> kind_of_map("edge-F-outline"), kind_of_map("FD-clf64")
    ('edge-F', None)
    """
    return next((kind for kind in MAPS if _is(name, kind)), None)


def alike(found: Mapping[str, Values]) -> dict[str, Values]:
    """Return those of one figure of several entrants that are the same figure: obedience is of words or of labels."""
    most = Counter(one["name"] for one in found.values()).most_common(1)
    return {name: one for name, one in found.items() if one["name"] == most[0][0]}


def _is(name: str, kind: str) -> bool:
    return name == kind or name.startswith(f"{kind}-")


def interval(
    values: Sequence[float], least: float = -math.inf, most: float = math.inf, pictures: int = 0
) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean, Student's t, as far as such values may lie; None for a single value.

    Args:
        values: one a seed.
        least: such values are no less.
        most: such values are no more.
        pictures: of a share, how many pictures a seed it is of: seeds may agree by chance, so the interval is never
            narrower than the binomial's, Wilson's, which has a width at 0 and 1, too.

    >>> interval([1.0, 2.0, 3.0])
    (-0.484..., 4.484...)
    >>> interval([1.0, 2.0, 3.0], least=0)
    (0, 4.484...)
    """
    if len(values) < 2:
        return None
    freedom = len(values) - 1
    t = STUDENT[freedom - 1] if freedom <= len(STUDENT) else NORMAL + 2.5 / freedom
    mean, half = fmean(values), t * stdev(values) / len(values) ** 0.5
    low, high = wilson(mean, pictures * len(values)) if pictures else (mean, mean)
    return max(min(mean - half, low), least), min(max(mean + half, high), most)


def _range(short: str) -> tuple[float, float]:
    kind = kind_of_map(short)
    if kind is not None:
        return MAPS[kind]
    return (0.0, 1.0) if short in SHARES else (0.0 if short in POSITIVE else -math.inf, math.inf)


def ranked(report: Values) -> list[str]:
    """Return the entrants that were measured against the same as most: only these are ranked together."""
    standards = {name: one["standard"] for name, one in report["entrants"].items() if one["standard"]}
    if not standards:
        return []
    most = Counter(standards.values()).most_common(1)[0][0]
    return [name for name, standard in standards.items() if standard == most]


def _standard(evaluation: Values, shape: Sequence[int] | None) -> str:
    """Return a hash of what figures are held against: features, held-out pictures and their size, how many were drawn.

    Pictures of 32 × 32 are held against real ones of 32 × 32, which is another task than to draw 64 × 64.
    """
    data, features, count = evaluation["data"], evaluation["features"]["sha256"], evaluation["settings"]["count"]
    basis = [features, data["fingerprint"], data["split"], data["reference"], count, shape]
    return hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:16]


def _training(cost: Values | None, card: str) -> Values | None:
    if cost is not None:
        return {n: cost.get(n) for n in ("seconds", "images", "memory", "device_memory", "idle")}
    wall = dict(entries(card, "Training")).get("wall time", "").partition(";")[0]
    return {"elsewhere": wall} if wall else None


def _energy(training: Values | None, sampling: Values | None, watts: float) -> Values:
    seconds = (training or {}).get("seconds")
    return {
        "training": watts * seconds / 3600 if seconds is not None else None,
        "thousand": watts * 1000 * sampling["seconds"] / 3600 if sampling else None,
    }


def _curve(found: Values, quality: Values | None) -> list[Values]:
    """Return quality on the way and at the end, where the training was watched."""
    cost, measured = found.get("train"), found.get("measure")
    if cost is None or measured is None or quality is None:
        return []
    points: list[Values] = []
    for share, moment in sorted(cost["moments"].items(), key=lambda item: float(item[0])):
        figure = measured["moments"].get(share, {}).get("figures", {}).get(quality["name"])
        if figure is not None:
            points.append({"share": float(share), "seconds": moment["seconds"], "value": figure["mean"]})
    last = measured["evaluation"]["figures"].get(quality["name"])
    return [*points, {"share": 1.0, "seconds": cost["seconds"], "value": last["mean"]}] if last else points
