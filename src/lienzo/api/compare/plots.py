"""Plots as SVG inside the page: they take its colours, in the dark too, and its letters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 400, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 84, 12, 46  # of the frame; the right side has room for names
LINE = 15  # between two names
LOG = 12.0  # ratio of the largest to the smallest value from which an axis is logarithmic
SHAPES = ("circle", "square", "diamond", "triangle", "cross")
UNITS = ((3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"))
Place = Callable[[float], float]


@dataclass(frozen=True)
class Mark:
    """A point.

    Attributes:
        x, y: its values.
        low, high: the interval of y; None where there is none.
        about: for those who point at it.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    about: str = ""


@dataclass(frozen=True)
class Line:
    """The points of one entrant; the last one bears its name.

    Attributes:
        name: whose.
        number: of its colour and shape.
        marks: from left to right.
    """

    name: str
    number: int
    marks: Sequence[Mark] = field(default_factory=list[Mark])


@dataclass(frozen=True)
class Plot:
    """What is drawn against what.

    Attributes:
        title: for those who cannot see it, like `about`.
        about: what there is to see.
        x, y: the axes, in words; x is a time, s.
        lines: one an entrant.
        floor: a value of y that is drawn across, and what it is.
    """

    title: str
    about: str
    x: str
    y: str
    lines: Sequence[Line]
    floor: tuple[float, str] | None = None

    def svg(self) -> str:
        """Return the drawing."""
        marks = [mark for line in self.lines for mark in line.marks]
        floors = [] if self.floor is None else [self.floor[0]]
        ys = [v for m in marks for v in (m.y, m.low, m.high) if v is not None] + floors
        across, ticks_x = axis([m.x for m in marks], LEFT, WIDTH - RIGHT)
        up, ticks_y = axis(ys, HEIGHT - BOTTOM, TOP)
        parts = [self._frame(across, ticks_x, up, ticks_y)]
        if self.floor is not None:
            value, what = self.floor
            y = f"{up(value):.1f}"
            parts.append(f'<line class="floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
            parts.append(f'<text class="soft" x="{WIDTH - RIGHT + 6}" y="{up(value) + 4:.1f}">{escape(what)}</text>')
        parts += [self._line(line, across, up) for line in self.lines]
        ends = {line.name: up(line.marks[-1].y) for line in self.lines if line.marks}
        heights = apart(ends, [up(value) for value in floors], TOP + 4, HEIGHT - BOTTOM)
        parts += [self._name(line, across, up, heights[line.name]) for line in self.lines if line.marks]
        label = f"{self.title}. {self.about}"
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'

    def _frame(self, across: Place, ticks_x: Sequence[float], up: Place, ticks_y: Sequence[float]) -> str:
        low, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = [f'<path class="axis" d="M{LEFT} {TOP}V{low}H{right}"/>']
        for value in ticks_y:
            y = up(value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
        for value in ticks_x:
            x = across(value)
            parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{low + 4}"/>')
            words = span(value, max(ticks_x))
            parts.append(f'<text class="tick" x="{x:.1f}" y="{low + 18}" text-anchor="middle">{words}</text>')
        middle, half = (LEFT + right) / 2, (TOP + low) / 2
        parts.append(f'<text class="title" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(self.x)}</text>')
        turned = f'transform="translate(13 {half}) rotate(-90)"'
        return "".join([*parts, f'<text class="title" {turned} text-anchor="middle">{escape(self.y)}</text>'])

    def _line(self, line: Line, across: Place, up: Place) -> str:
        points = [(across(m.x), up(m.y), m) for m in line.marks]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts = [f'<polyline points="{path}"/>'] if len(points) > 1 else []
        for number, (x, y, mark) in enumerate(points):
            if mark.low is not None and mark.high is not None:
                parts.append(f'<path class="bar" d="M{x:.1f} {up(mark.low):.1f}V{up(mark.high):.1f}"/>')
            size = 5.0 if number == len(points) - 1 else 3.5
            about = f"<title>{escape(line.name)}: {escape(mark.about)}</title>"
            parts.append(f'<path class="mark" d="{shape(line.number, x, y, size)}">{about}</path>')
        return f'<g class="s{line.number % 8}">{"".join(parts)}</g>'

    def _name(self, line: Line, across: Place, up: Place, height: float) -> str:
        x, y = across(line.marks[-1].x), up(line.marks[-1].y)
        at = max(x + 10, WIDTH - RIGHT + 8) if len(line.marks) > 1 else x + 10
        turned = len(line.marks) == 1 and x > (WIDTH - RIGHT) * 0.8 and len(line.name) * 7 > WIDTH - x - 12
        anchor, at = ("end", x - 10) if turned else ("start", at)
        far = abs(height - y) > 6 or at - x > 16
        lead = f'<path class="lead" d="M{x + 7:.1f} {y:.1f}L{at - 3:.1f} {height:.1f}"/>' if far and not turned else ""
        text = f'<text x="{at:.1f}" y="{height + 4:.1f}" text-anchor="{anchor}">{escape(line.name)}</text>'
        return f'<g class="s{line.number % 8} name">{lead}{text}</g>'


def axis(values: Sequence[float], start: float, end: float) -> tuple[Place, list[float]]:
    """Return where values lie between two places, and the ticks: logarithmic where values differ in magnitude."""
    low, high = min(values), max(values)
    if low > 0 and high / low > LOG:
        a, b = math.log10(low) - 0.08, math.log10(high) + 0.08
        steps = (1, 2, 5) if b - a < 2 else (1,)
        ticks = [round(m * 10.0**e, 12) for e in range(math.floor(a), math.ceil(b) + 1) for m in steps]
        ticks = [value for value in ticks if a <= math.log10(value) <= b]
        return lambda v: start + (end - start) * (math.log10(v) - a) / (b - a), ticks
    low = min(low, 0.0) if low > -1e-9 and low < 0.5 * high else low
    step = nice((high - low or abs(high) or 1.0) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step
    ticks = [round(low + i * step, 12) for i in range(round((high - low) / step) + 1)]
    return lambda v: start + (end - start) * (v - low) / (high - low), ticks


def span(value: float, largest: float) -> str:
    """Write a time on an axis, in the unit that suits its largest tick.

    >>> span(0.005, 0.02), span(30, 60), span(300, 600), span(0, 7200)
    ('5 ms', '30 s', '5 min', '0 h')
    """
    unit, name = next((unit for unit in UNITS if largest >= 2 * unit[0]), UNITS[-1])
    return f"{value / unit:.4g} {name}"


def nice(value: float) -> float:
    """Return the next round number from a value on.

    >>> nice(0.7), nice(13), nice(2.2)
    (1.0, 20.0, 2.5)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= value * (1 - 1e-9))


def apart(places: dict[str, float], taken: Sequence[float], low: float, high: float) -> dict[str, float]:
    """Move names up or down until each has a line of its own.

    >>> apart({"a": 100.0, "b": 103.0}, [], 0, 300)
    {'a': 94.0, 'b': 109.0}
    """
    found = dict(sorted(places.items(), key=lambda item: item[1]))
    for _ in range(200):
        names, moved = list(found), False
        for one, other in pairwise(names):
            gap = LINE - (found[other] - found[one])
            if gap > 0.01:
                found[one], found[other], moved = found[one] - gap / 2, found[other] + gap / 2, True
        for name in names:
            near = next((t for t in taken if abs(found[name] - t) < LINE - 0.01), None)
            if near is not None:
                found[name], moved = near - LINE if found[name] <= near else near + LINE, True
            found[name] = min(max(found[name], low), high)
        if not moved:
            break
    return found


def shape(number: int, x: float, y: float, r: float) -> str:
    """Return the path of a mark."""
    s = SHAPES[number % len(SHAPES)]
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "triangle": ((0, -1.2), (1.15, 0.85), (-1.15, 0.85)),
        "cross": ((-1.1, -0.4), (-0.4, -0.4), (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4),
                  (0.4, 0.4), (0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4)),
    }  # fmt: skip
    if s == "circle":
        return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"
    return "M" + "L".join(f"{x + a * r:.1f} {y + b * r:.1f}" for a, b in corners[s]) + "Z"
