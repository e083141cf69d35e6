"""What an evaluation found, in words: of its card and of its table."""

from __future__ import annotations

from statistics import fmean
from typing import Any

Values = dict[str, Any]
WORST = 3  # classes that are named


def measured(report: Values) -> list[str]:
    """Return what a report found, as lines of a card: where it was found, then every figure beside real pictures'."""
    data, features, told = report["data"], report["features"], report["likelihood"]
    count, seeds = report["settings"]["count"], len(report["seeds"])
    many = f"{count:,} pictures for each of {seeds} seed{'s' * (seeds > 1)}"
    spread = "; ± is the deviation over seeds" if seeds > 1 else ""
    lines = [
        f"On {data['source']} ({data['split']}), {many}{fewer(report)}; features of {features['name']} "
        f"{features['sha256'][:12]}{judged(report)}{spread}; in brackets as many real pictures ({data['floor_from']}).",
        "",
    ]  # fmt: skip
    if told:
        lines.append(f"- bits/dim: {likelihood(told)}")
    for name, figure in report["figures"].items():
        real = f" ({figure['floor']['mean']:.4g})" if figure["floor"] else ""
        lines.append(f"- {name}: {value(figure)}{between(report, name)}{real}{by_chance(figure)}")
    worst = worst_classes(report)
    return [*lines, f"- classes least recalled: {listed(worst)}"] if worst else lines


def value(figure: Values) -> str:
    """Return a figure's mean with its deviation over seeds."""
    return f"{figure['mean']:.4g}" + (f" ± {figure['deviation']:.2g}" if figure["deviation"] is not None else "")


def by_chance(figure: Values) -> str:
    """Return what guessing would find, of a retrieval.

    >>> by_chance({"mean": 0.5, "chance": 0.0025})
    ', by chance 0.0025'
    """
    return f", by chance {figure['chance']:.2g}" if "chance" in figure else ""


def judged(report: Values) -> str:
    """Say who ranked captions, and how many, if somebody did."""
    settings = report["settings"]
    judge = settings.get("judge")
    if judge is None:
        return ""
    return f"; {settings['captions']:,} captions ranked by {judge['name']} {judge['sha256'][:12]}"


def likelihood(told: Values) -> str:
    """Return a likelihood with its error."""
    error = f" ± {told['error']:.3f} (standard error)" if told["error"] is not None else ""
    return f"{told['mean']:.3f}{error}, {told['kind']}, {told['pictures']} pictures"


def fewer(report: Values) -> str:
    """Say how many of the drawn pictures the figures of equal sets look at, if not all."""
    count, compared = report["settings"]["count"], report["data"]["reference"]
    return f", {compared:,} of them for what compares equal sets (FD, recall …)" if compared < count else ""


def between(report: Values, name: str) -> str:
    """Return the widest ends of the intervals that the seeds give a figure, or nothing."""
    each = [one["drawn"]["intervals"].get(name) for one in report["seeds"].values()]
    found = [pair for pair in each if pair is not None]
    return f", 95 % of a seed {min(p[0] for p in found):.3f} to {max(p[1] for p in found):.3f}" if found else ""


def worst_classes(report: Values) -> list[tuple[str, float]]:
    """Return the classes that are least found where they were asked for, with the mean of their recall over seeds."""
    each = [one["drawn"]["classes"] for one in report["seeds"].values()]
    recalls: dict[str, list[float]] = {}
    for classes in each:
        for name, shares in classes.items():
            if shares["recall"] is not None:
                recalls.setdefault(name, []).append(shares["recall"])
    return sorted(((name, fmean(values)) for name, values in recalls.items()), key=lambda pair: pair[1])[:WORST]


def listed(worst: list[tuple[str, float]]) -> str:
    """Return classes with their recall.

    >>> listed([("cat", 0.25), ("dog", 0.5)])
    'cat 25%, dog 50%'
    """
    return ", ".join(f"{name} {share:.0%}" for name, share in worst)
