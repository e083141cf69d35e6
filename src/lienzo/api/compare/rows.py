"""The table of the page: a figure a row, an entrant a column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from lienzo.api.compare.figures import HIGHER, LOWER, NORMAL, SHARES, alike, kind_of_map, ranked
from lienzo.api.compare.likely import SAME
from lienzo.api.compare.plots import shape
from lienzo.api.compare.ranks import Seen, best, number, seconds, written
from lienzo.api.evaluate.said import listed
from lienzo.training.card import duration

Values = dict[str, Any]
SIGNS = {"exact": "", "bound": "≤ ", "estimate": "≈ "}
BETTER = {LOWER: ("↓", "less is better"), HIGHER: ("↑", "more is better"), "": ("", "")}


@dataclass(frozen=True)
class Cell:
    """What the table says of one entrant.

    Attributes:
        text: the value.
        small: below it.
        seen: by which it is ranked; None: not at all.
    """

    text: str = "–"
    small: str = ""
    seen: Seen | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        title: the figure, in words.
        unit: and whatever else belongs below its name.
        better: "lower", "higher" or "".
        cell: (name, entrant) → what is said.
        real: what real pictures have.
        judged: whether it depends on features and on the pictures that one is held against.
    """

    title: str
    unit: str
    better: str
    cell: Callable[[str, Values], Cell]
    real: str = ""
    judged: bool = False


def table(report: Values) -> str:
    """Return the table, or nothing if nothing was measured."""
    entrants = report["entrants"]
    if not any(one["sampling"] for one in entrants.values()):
        return ""
    heads = "".join(f'<th scope="col">{key(i)}{escape(name)}</th>' for i, name in enumerate(entrants))
    body = ""
    for title, rows in groups(report).items():
        body += f'<tr class="group"><th scope="rowgroup" colspan="{len(entrants) + 2}">{title}</th></tr>'
        body += "".join(_row(row, entrants, ranked(report)) for row in rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table class="figures">'
        f'<thead><tr><th scope="col">figure</th>{heads}<th scope="col">real</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def key(i: int) -> str:
    """Return an entrant's mark, as the plots have it."""
    return f'<svg class="key s{i % 8}" viewBox="0 0 14 14" aria-hidden="true"><path d="{shape(i, 7, 7, 5)}"/></svg>'


def groups(report: Values) -> dict[str, list[Row]]:
    """Return the rows that there are, under their headings."""
    quality, entrants, ours = report["quality"], report["entrants"], ranked(report)
    maps = dict.fromkeys(name for one in entrants.values() for name in one["figures"] if kind_of_map(name))
    kid = () if quality and quality["figure"] == "FD" else ("KID",)
    figures = [row for name in ("FD", *kid, "precision", "recall", "obeyed", *maps, "two-sample", "copied")
               if (row := _figure(name, entrants, ours)) is not None]  # fmt: skip
    scored = any(one["likelihood"] for one in entrants.values())
    worst = [Row("least recalled", "classes that were asked for", "", _worst)]
    worst = worst if any(one["worst"] for one in entrants.values()) else []
    likely = [Row("likelihood", "bits/dim", LOWER, _likelihood, judged=True)] if scored else []
    trained = any("seconds" in (one["training"] or {}) for one in entrants.values())
    training = [Row("time", "whole process", "", _training("seconds", duration)),
                Row("pictures seen", "", "", _training("images", lambda v: f"{v:,}")),
                Row("peak memory", "MiB", LOWER, _memory("training"))]  # fmt: skip
    return {
        "What it draws": [*likely, *figures, *worst],
        "What training takes": [
            Row("parameters", "million", LOWER, _parameters), *(training if trained else training[:1]),
            *([Row("energy", "watt-hours, estimate", "", _energy("training"))] if trained else []),
        ],
        "What drawing takes": [
            Row("time", "a picture", LOWER, _drawing), Row("network calls", "a picture", LOWER, _calls),
            Row("peak memory", "MiB", LOWER, _memory("sampling")),
            Row("energy", "watt-hours a thousand, estimate", "", _energy("thousand")),
        ],
    }  # fmt: skip


def _row(row: Row, entrants: Values, ours: Sequence[str]) -> str:
    cells = {name: row.cell(name, one) for name, one in entrants.items()}
    first = ahead(row, entrants, ours)
    apart = {n for n, one in entrants.items() if row.judged and one["standard"] and n not in ours}
    cells |= {name: replace(cells[name], small="not comparable") for name in apart if cells[name].seen}
    html = "".join(_cell(cell, name in first) for name, cell in cells.items())
    sign, meaning = BETTER[row.better]
    arrow = f' <span role="img" aria-label="{meaning}">{sign}</span>' if sign else ""
    unit = f"<small>{escape(row.unit)}</small>" if row.unit else ""
    return (f'<tr><th scope="row">{escape(row.title)}{arrow}{unit}</th>{html}'
            f'<td class="real">{escape(row.real)}</td></tr>')  # fmt: skip


def ahead(row: Row, entrants: Values, ours: Collection[str]) -> set[str]:
    """Return those between whom there is no difference to see at the top of a row, unless these are all."""
    cells = {name: row.cell(name, entrants[name]) for name in ours}
    seen = [cell.seen for cell in cells.values() if cell.seen is not None]
    first = {s.name for s in best(seen, row.better)[0]} if row.better and len(seen) > 1 else set[str]()
    return first if len(first) < len(seen) else set[str]()


def _cell(cell: Cell, top: bool) -> str:
    text = f"<b>{escape(cell.text)}</b>" if top else escape(cell.text)
    return f"<td>{text}{f'<small>{escape(cell.small)}</small>' if cell.small else ''}</td>"


TITLES = {"obeyed": "condition accuracy", "two-sample": "told from real", "copied": "near training pictures"}


def _figure(short: str, entrants: Values, ours: Sequence[str]) -> Row | None:
    """Return the row of a figure that somebody who is ranked has."""
    has = alike({name: entrants[name]["figures"][short] for name in ours if short in entrants[name]["figures"]})
    if not has:
        return None
    found = next(iter(has.values()))

    def write(value: float) -> str:
        return written(value, share=short in SHARES)

    def cell(name: str, one: Values) -> Cell:
        figure = one["figures"].get(short)
        if figure is None:
            return Cell()
        if figure["name"] != found["name"]:
            return Cell(write(figure["mean"]), figure["name"])
        if figure["low"] is None:
            return Cell(write(figure["mean"]))
        small = f"{write(figure['low']).rstrip('%')} – {write(figure['high'])}"
        return Cell(write(figure["mean"]), small, Seen(name, figure["mean"], figure["low"], figure["high"]))

    titled = TITLES.get(short)
    title, unit = (titled, found["name"]) if titled else (found["name"], "")
    better = HIGHER if short in ("precision", "recall", "obeyed") or kind_of_map(short) not in (None, "kept") else LOWER
    real = write(found["floor"]) if found["floor"] is not None else ""
    return Row(title, unit, better if short != "copied" else "", cell, real, judged=True)


def _likelihood(name: str, one: Values) -> Cell:
    told = one["likelihood"]
    if told is None:
        return Cell("–", "has none" if one["figures"] else "")
    if told["error"] is None:
        return Cell(f"{SIGNS[told['kind']]}{told['mean']:.3f}", f"of one picture, {told['kind']}")
    half = NORMAL * told["error"]
    same = told["dequantization"] in SAME
    ranks = same and told["kind"] == "exact"
    seen = Seen(name, told["mean"], told["mean"] - half, told["mean"] + half) if ranks else None
    other = "" if same else ", of something else"
    return Cell(f"{SIGNS[told['kind']]}{told['mean']:.3f}", f"± {half:.2g} (95 %), {told['kind']}{other}", seen)


def _worst(name: str, one: Values) -> Cell:
    return Cell(listed(one["worst"][:1]), listed(one["worst"][1:])) if one["worst"] else Cell()


def _training(field: str, write: Callable[[Any], str]) -> Callable[[str, Values], Cell]:
    def cell(name: str, one: Values) -> Cell:
        told = one["training"] or {}
        if "elsewhere" in told and field == "seconds":
            return Cell(told["elsewhere"], "elsewhere")
        return Cell(write(told[field])) if told.get(field) is not None else Cell()

    return cell


def _memory(part: str) -> Callable[[str, Values], Cell]:
    def cell(name: str, one: Values) -> Cell:
        told = one[part] or {}
        if not told.get("memory"):
            return Cell()
        small = f"{told['idle'] / 2**20:,.0f} of it before"
        device = told.get("device_memory")
        return Cell(f"{told['memory'] / 2**20:,.0f}", f"{device / 2**20:,.0f} on the GPU" if device else small)

    return cell


def _parameters(name: str, one: Values) -> Cell:
    count = one["parameters"]
    return Cell(number(count / 1e6)) if count else Cell()


def _drawing(name: str, one: Values) -> Cell:
    told = one["sampling"]
    if told is None:
        return Cell()
    dtype = told.get("dtype", "float32")
    small = f"{seconds(told['least'])} – {seconds(told['most'])}" + (f", {dtype}" if dtype != "float32" else "")
    return Cell(seconds(told["seconds"]), small, Seen(name, told["seconds"], told["least"], told["most"]))


def _calls(name: str, one: Values) -> Cell:
    told = one["sampling"]
    return Cell(f"{told['calls']:,}") if told else Cell()


def _energy(part: str) -> Callable[[str, Values], Cell]:
    def cell(name: str, one: Values) -> Cell:
        value = one["energy"][part]
        return Cell(number(value, 2)) if value is not None else Cell()

    return cell
