"""Rows of the README's table of control and editing, from what `run.py` and `../adapt/run.py` measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.common import read

from lienzo.evaluation.report import Figure, table

COMMAND = "python benchmarks/scenes/run.py --model scenes-64 --dtype bfloat16"
TAUGHT = "python benchmarks/adapt/run.py --source scenes --map lines --joint scenes-64"
SHARES = (("segmentation", "iou"), ("lines", "F"), ("depth", "rank"), ("pose", "pck"))
THINGS = (("one thing", 90), ("two things", 75), ("three things", 60))
CHANGE = "change of what stays"

Row = dict[str, Any]


def _told(row: Row, name: str) -> str:
    """Return a mean with its standard error."""
    return f"{row[name]['mean']:.3f} ± {row[name]['error']:.3f}"


def _percent(row: Row, name: str) -> str:
    return f"{100 * row[name]['mean']:.1f} ± {100 * row[name]['error']:.1f} %"


def _maps(rows: dict[str, Row]) -> list[Figure]:
    found = list[Figure]()
    for name, figure in SHARES:
        row = rows[name]
        share = row[f"share of real {figure}"]
        value = f"{share:.1%} ({_told(row, figure)} of {_told(row, f'real {figure}')})"
        found.append(Figure(f"{row['what']}, share of real pictures'", value, "≥ 85 %", share >= 0.85, COMMAND))
    return found


def _words(rows: dict[str, Row]) -> list[Figure]:
    found = list[Figure]()
    for name, least in THINGS:
        row, figure = rows[name], "all there"
        value = (f"{_percent(row, figure)}; real pictures {_percent(row, f'real {figure}')}, "
                 f"other pictures {_percent(row, 'chance')}")  # fmt: skip
        met = 100 * row[figure]["mean"] >= least
        found.append(Figure(row["what"], value, f"≥ {least} %", met, COMMAND))
    return found


def _both(rows: dict[str, Row], together: Row) -> Figure:
    met, real = together["both met"], together["real both met"]
    value = (f"{met:.1%}; real pictures {real:.1%}; weather alone {_percent(rows['both'], 'weather')}, mean IoU "
             f"{rows['both']['share of real iou']:.1%} of real pictures'")  # fmt: skip
    return Figure(rows["both"]["what"], value, "≥ 75 %", met >= 0.75, COMMAND)


def _edits(rows: dict[str, Row], together: Row) -> list[Figure]:
    kept, alone = rows["keep"], rows["alone"]
    largest, met = kept[f"largest {CHANGE}"]["largest"], kept["met"]["mean"]
    redraw = together["image to image that obeys as well"]
    over, change = together["change of the model alone over its"], alone[CHANGE]["mean"]
    return [
        Figure("“it's snowing; keep …” under a mask: snow there; largest change of what is kept",
               f"{_percent(kept, 'met')}; {largest:g} in {kept['n']:,} of {kept['n']:,}", "≥ 85 %; 0",
               met >= 0.85 and largest == 0, COMMAND),
        Figure("the same by the model alone, without a mask: mean change of what should stay, of the range",
               f"{_told(alone, CHANGE)}; snow there in {_percent(alone, 'met')}", "≤ 0.03", change <= 0.03, COMMAND),
        Figure("that change, over plain image to image's that obeys as well",
               f"{over:.2f} × of the strongest tried, {redraw:g}, which obeys less ({100 * together['its met']:.1f} %)",
               "≤ 0.5 ×", over <= 0.5, COMMAND),
    ]  # fmt: skip


def _found(rows: dict[str, Row]) -> list[Figure]:
    """What is kept is looked for: no mask is given, as where a person only types."""
    if "found" not in rows:
        return []
    row, change = rows["found"], rows["found"][CHANGE]["mean"]
    value = (f"{_told(row, CHANGE)}; snow there in {_percent(row, 'met')}; what stays found with IoU "
             f"{_told(row, 'iou of what is kept')}")  # fmt: skip
    what = (
        "the same without a mask, what stays looked for by its words (`lienzo edit`): mean change of what should stay"
    )
    return [Figure(what, value, "≤ 0.03", change <= 0.03, COMMAND)]


def _rest(result: Row) -> list[Figure]:
    back, took = result["rows"]["inversion"], result["edit_seconds"]
    values = took["values"]
    return [
        Figure(back["what"], f"{back['psnr']['mean']:.0f} ± {back['psnr']['error']:.0f} ({back['n']} scenes)", "≥ 40",
               back["psnr"]["mean"] >= 40, COMMAND),
        Figure("an edit of one 64-pixel scene on two cores, process start included",
               f"{took['median']:.1f} s, median of {len(values)} ({min(values):.1f} to {max(values):.1f})", "≤ 10 s",
               took["median"] <= 10, COMMAND),
    ]  # fmt: skip


def _taught() -> list[Figure]:
    """Return the adapters' row: the design that ships against the model that learnt lines jointly."""
    entries = [e for e in read("adapt").get("entries", []) if e["source"] == "scenes"]
    by_design: dict[str, Row] = {e["design"]: e for e in entries}
    joint = next((e for name, e in by_design.items() if name.startswith("joint")), None)
    if joint is None or "features" not in by_design:
        return []
    share = by_design["features"]["over"] / joint["over"]
    told = ", ".join(f"{name.split(':')[0]} {e['over']:.3f}" for name, e in by_design.items())
    value = (f"{share:.0%}: edge-F {told}; without the map {by_design['features']['without']:.3f}, real pictures "
             f"{joint['real']:.3f}; {joint['pictures']} held-out maps")  # fmt: skip
    return [Figure("an adapter taught for 20 minutes on one core, line art → picture: share of the joint model's",
                   value, "≥ 70 %", share >= 0.7, TAUGHT)]  # fmt: skip


PARTS: tuple[Callable[[Row], list[Figure]], ...] = (
    lambda r: _maps(r["rows"]), lambda r: _words(r["rows"]), lambda r: [_both(r["rows"], r["together"])],
    lambda r: _edits(r["rows"], r["together"]), lambda r: _found(r["rows"]), _rest,
)  # fmt: skip


def scenes() -> str:
    """Return the table, in Markdown."""
    result = read("scenes")
    return table([*(figure for part in PARTS for figure in part(result)), *_taught()])
