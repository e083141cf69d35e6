"""Which plots the page has, and what is in them."""

from __future__ import annotations

from typing import Any

from lienzo.api.compare.figures import ranked
from lienzo.api.compare.plots import Line, Mark, Plot
from lienzo.api.compare.ranks import number, seconds

Values = dict[str, Any]


def drawings(report: Values) -> str:
    """Return quality against the time of training and of drawing, as far as there is something to draw."""
    quality = report["quality"]
    names = ranked(report)
    if quality is None or not names:
        return ""
    short, name = quality["figure"], quality["name"]
    ours = {n: report["entrants"][n] for n in names if short in report["entrants"][n]["figures"]}
    order = {n: i for i, n in enumerate(report["entrants"])}
    floors = [one["figures"][short]["floor"] for one in ours.values()]
    floor = (floors[0], "real") if floors and floors[0] is not None else None
    training = [Line(n, order[n], _on_the_way(one, short)) for n, one in ours.items() if one["curve"]]
    drawing = [Line(n, order[n], [_at_last(one, short, one["sampling"]["seconds"])]) for n, one in ours.items()]
    plots = [
        Plot(f"{name} against time of training", _told(training, "after"), "time of training", name, training, floor),
        Plot(f"{name} against time of drawing a picture", _told(drawing, "at"), "time of drawing a picture", name,
             drawing, floor),
    ]  # fmt: skip
    figures = [
        f"<figure><figcaption>{head}</figcaption>{plot.svg()}</figure>"
        for head, plot in zip(("Training", "Drawing"), plots, strict=True)
        if plot.lines
    ]
    return f'<div class="plots">{"".join(figures)}</div>' if figures else ""


def _on_the_way(one: Values, short: str) -> list[Mark]:
    marks = [
        Mark(point["seconds"], point["value"], about=f"{number(point['value'])} after {number(point['seconds'])} s")
        for point in one["curve"]
        if point["share"] < 1
    ]
    last = next((point for point in one["curve"] if point["share"] == 1), None)
    return [*marks, _at_last(one, short, last["seconds"])] if last else marks


def _at_last(one: Values, short: str, x: float) -> Mark:
    figure = one["figures"][short]
    return Mark(x, figure["mean"], figure["low"], figure["high"], f"{number(figure['mean'])} at {seconds(x)}")


def _told(lines: list[Line], word: str) -> str:
    """Return a plot's last points in words, for those who cannot see it."""
    ends = [(line.name, line.marks[-1]) for line in lines if line.marks]
    return "; ".join(f"{name} {number(mark.y)} {word} {seconds(mark.x)}" for name, mark in ends)
