"""What each family is asked for after a long training, beside what its longest one reached: the README's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.common import read
from benchmarks.families.table import minutes_of

from lienzo.evaluation.report import Figure, table, with_spread

Told = dict[str, Any]


def asked() -> str:
    """One row a goal, of the longest training of a row that there is."""
    longest: dict[str, Told] = {}
    for entry in read("families").get("entries", []):
        if entry["minutes"] >= longest.get(entry["name"], entry)["minutes"]:
            longest[entry["name"]] = entry
    figures = [_figure(longest[name], *rest) for name, *rest in GOALS if name in longest]
    return table([*figures, *_beside_flow(), *_few()])


def _beside_flow() -> list[Figure]:
    """Autoregression's exact bits beside the flow's after as long a training, the longest that both have."""
    bits = {(e["name"], e["minutes"]): e for e in read("families").get("entries", []) if "likelihood" in e}
    both = [m for name, m in bits if name == "autoregressive" and ("flow", m) in bits]
    if not both:
        return []
    ours, flow = (bits[name, max(both)] for name in ("autoregressive", "flow"))
    value, least = ours["likelihood"]["mean"], flow["likelihood"]["mean"]
    what = f"**autoregressive**: {BITS}, exact, {minutes_of(ours):.0f} min, {ours['images']:,} pictures"
    return [Figure(what, f"{value:.3f}", f"< the flow's as long, {least:.3f}", value < least,
                   f"--minutes {ours['minutes']:g}")]  # fmt: skip


def _figure(told: Told, of: Callable[[Told], list[float]], what: str, unit: str, goal: float, digits: int) -> Figure:
    values, up = of(told), goal > 0
    mean, said = sum(values) / len(values), f"{'≤' if up else '≥'} {abs(goal):g}{unit}"
    training = f"{minutes_of(told):.0f} min, {told['images']:,} pictures"
    if "nats" in told:
        what = f"{what}, IWAE-{told['nats']['samples']:,} of {told['nats']['pictures']:,}"
    return Figure(f"**{told['name']}**: {what}, {training}", with_spread(values, digits, unit), said,
                  mean <= goal if up else mean >= -goal, f"--minutes {told['minutes']:g}")  # fmt: skip


def _few() -> list[Figure]:
    told = read("families_few")
    rows = {(r["name"], r["solver"], r["calls"]): r["FD-clf64"] for r in told.get("rows", [])}
    if not rows:
        return []
    full = rows["diffusion", "dpm++2m", 20]
    goals = ((1, 2.5), (4, 1.5))
    return [
        Figure(
            f"**few_step-distilled**, {calls} call{'s' * (calls > 1)}: FD-clf64 over its teacher's ({full:.2f} in 20)",
            f"{rows['few_step-distilled', '', calls] / full:.2f} ×", f"≤ {goal:g} ×",
            rows["few_step-distilled", "", calls] / full <= goal, f"--minutes {told['minutes']:g}",
        )
        for calls, goal in goals
    ]  # fmt: skip


def _nats(told: Told) -> list[float]:
    return [told["nats"]["nats"]]


def _bits(told: Told) -> list[float]:
    return [told["likelihood"]["mean"]]


def _distance(told: Told) -> list[float]:
    return told["figures"]["FD-clf64"]["values"]


def _obeyed(told: Told) -> list[float]:
    return [100 * v for v in told["figures"]["label-accuracy"]["values"]]


def _least(told: Told) -> list[float]:
    return [min(one["recall"] for one in told["classes"].values())]


def _usefulness(told: Told) -> list[float]:
    """Points that a classifier loses when it learns from drawn pictures in the place of real ones."""
    found = told["figures"]["CAS-clf64"]
    return [100 * (found["floor"]["mean"] - value) for value in found["values"]]


NATS, BITS, FD = "−log p of binarized pictures", "bits/dim", "FD-clf64"
OBEYED, LEAST = "classes obeyed, by the frozen classifier", "least recall of a class"
USEFUL = "classification accuracy score, points below training on real pictures"
GOALS: tuple[tuple[str, Callable[[Told], list[float]], str, str, float, int], ...] = (  # below zero: at least
    ("hierarchical_vae", _bits, f"{BITS}, a bound", "", 2.96, 3),
    ("hierarchical_vae-binarized", _nats, NATS, " nats", 226.7, 1),
    ("vae-binarized", _nats, NATS, " nats", 228.7, 1),
    ("flow", _bits, f"{BITS}, exact", "", 2.95, 3),
    ("gan", _distance, FD, "", 1.5, 2),
    ("gan", _obeyed, OBEYED, " %", -90, 1),
    ("gan", _least, LEAST, "", -0.5, 2),
    ("style_gan", _distance, FD, "", 1.5, 2),
    ("style_gan", _obeyed, OBEYED, " %", -90, 1),
    ("style_gan", _least, LEAST, "", -0.5, 2),
    ("diffusion", _distance, f"{FD} in 20 calls", "", 1.0, 2),
    ("diffusion", _usefulness, USEFUL, "", 5, 1),
)
"""Rows of (row of `entries.OURS`, figure, what it is, unit, goal, digits)."""
