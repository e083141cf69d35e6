"""The README's tables of families and of few calls, from `benchmarks/results/families.json` and `families_few.json`."""

from __future__ import annotations

from typing import Any

from benchmarks.common import read
from benchmarks.families.entries import OURS

COLUMNS = ("", "training", "likelihood", "FD-clf64 (real)", "classes obeyed, least recall", "a picture")
NONE = "not measured yet: `python benchmarks/families/run.py`"
FEW = "not measured yet: `python benchmarks/families/few.py`"
SHORT = 10  # minutes of a core: what ours and their peers have all been trained for
Told = dict[str, Any]


def families() -> str:
    """Each family, and below it the peers that it is held against, each by its last run of `SHORT` minutes."""
    latest: dict[str, Told] = {e["name"]: e for e in read("families").get("entries", []) if e["minutes"] == SHORT}
    rows = list[str]()
    for name, entry in OURS.items():
        if name in latest:
            rows.append(_row(f"**{name}**", latest[name]))
            rows += [_row(f"↳ {peer}", latest[peer]) for peer in entry.against if peer in latest]
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    return "\n".join([*head, *rows]) if rows else NONE


def few() -> str:
    """Few calls of the network: each model and solver beside the teacher's own way of drawing."""
    told = read("families_few")
    if not told:
        return FEW
    rows: list[Told] = told["rows"]
    full = next(row for row in rows if row["name"] == "diffusion" and row["calls"] == max(r["calls"] for r in rows))
    lines = [
        f"| {row['name']} | {row['solver']} | {row['calls']} | {row['FD-clf64']:.2f} | "
        f"{row['FD-clf64'] / full['FD-clf64']:.2f} | {1000 * row['seconds_a_picture']:.3g} ms |"
        for row in rows
    ]
    head = ["| | solver | calls | FD-clf64 | of the teacher's | a picture |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *lines])


def minutes_of(told: Told) -> float:
    """The minutes of training: of a machine to itself, or of computing a thread."""
    return told["cpu_minutes"] / told["threads"] if told.get("clock") == "processor" else told["wall_minutes"]


def _row(name: str, told: Told) -> str:
    minutes, millions = minutes_of(told), told["parameters"] / 1e6
    training = f"{minutes:.{int(minutes < 1)}f} min, {told['images']:,} pictures"
    training += f", {millions:.2f} M" if millions >= 0.01 else ""  # what is fitted in closed form is no parameter
    return f"| {name} | {training} | {_likelihood(told)} | {_distance(told)} | {_obeyed(told)} | {_pace(told)} |"


def _likelihood(told: Told) -> str:
    if "nats" in told:
        found = told["nats"]
        return f"{found['nats']:.1f} ± {found['error']:.1f} nats, binarized, IWAE-{found['samples']}"
    if "codes" in told:
        found = told["codes"]
        return f"none; test pictures from codes: {found['psnr']:.1f} dB, {found['used']:.0%} of the tokens used"
    found = told.get("likelihood")
    if not found:
        return "none"
    none = ": of no use, guessing has 8" if found["mean"] > 8 else ""
    return f"{found['mean']:.3f} ± {found['error']:.3f} bits/dim ({found['kind']}{none})"


def _distance(told: Told) -> str:
    if "codes" in told:
        return f"{told['codes']['FD-clf64']:.2f} of what comes back ({told['codes']['real']:.2f})"
    found = told.get("figures", {}).get("FD-clf64")
    if not found:
        return ""
    values = found["values"]
    spread = f", {min(values):.2f} to {max(values):.2f}, n = {len(values)}" if len(values) > 1 else ", one seed"
    return f"{found['mean']:.2f}{spread} ({found['floor']['mean']:.2f})"


def _obeyed(told: Told) -> str:
    found = told.get("figures", {}).get("label-accuracy")
    recalls = [one["recall"] for one in told.get("classes", {}).values() if one["recall"] is not None]
    least = f", {min(recalls):.2f}" if recalls else ""
    return f"{found['mean']:.1%}{least}" if found else ""


def _pace(told: Told) -> str:
    found = told.get("sampling")
    return f"{1000 * found['seconds_a_picture']:.3g} ms" if found else ""
