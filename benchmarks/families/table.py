"""The README's table of families, from `benchmarks/results/families.json`."""

from __future__ import annotations

from typing import Any

from benchmarks.common import read
from benchmarks.families.entries import OURS

COLUMNS = ("", "training", "likelihood", "FD-clf64 (real)", "classes obeyed, least recall", "a picture")
NONE = "not measured yet: `python benchmarks/families/run.py`"
Told = dict[str, Any]


def families() -> str:
    """Each family, and below it the peers that it is held against, the longest run of each."""
    latest: dict[str, Told] = {}
    for entry in read("families").get("entries", []):
        if entry["minutes"] >= latest.get(entry["name"], entry)["minutes"]:
            latest[entry["name"]] = entry
    rows = list[str]()
    for name, entry in OURS.items():
        if name in latest:
            rows.append(_row(f"**{name}**", latest[name]))
            rows += [_row(f"↳ {peer}", latest[peer]) for peer in entry.against if peer in latest]
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    return "\n".join([*head, *rows]) if rows else NONE


def minutes_of(told: Told) -> float:
    """The minutes of training: of a machine to itself, or of computing a thread."""
    return told["cpu_minutes"] / told["threads"] if told.get("clock") == "processor" else told["wall_minutes"]


def _row(name: str, told: Told) -> str:
    training = f"{minutes_of(told):.0f} min, {told['images']:,} pictures, {told['parameters'] / 1e6:.2f} M"
    return f"| {name} | {training} | {_likelihood(told)} | {_distance(told)} | {_obeyed(told)} | {_pace(told)} |"


def _likelihood(told: Told) -> str:
    if "nats" in told:
        found = told["nats"]
        return f"{found['nats']:.1f} ± {found['error']:.1f} nats, binarized, IWAE-{found['samples']}"
    found = told.get("likelihood")
    return f"{found['mean']:.3f} ± {found['error']:.3f} bits/dim ({found['kind']})" if found else "none"


def _distance(told: Told) -> str:
    found = told.get("figures", {}).get("FD-clf64")
    return f"{found['mean']:.2f} ({found['floor']['mean']:.2f})" if found else ""


def _obeyed(told: Told) -> str:
    found = told.get("figures", {}).get("label-accuracy")
    recalls = [one["recall"] for one in told.get("classes", {}).values() if one["recall"] is not None]
    least = f", {min(recalls):.2f}" if recalls else ""
    return f"{found['mean']:.1%}{least}" if found else ""


def _pace(told: Told) -> str:
    found = told.get("sampling")
    return f"{1000 * found['seconds_a_picture']:.3g} ms" if found else ""
