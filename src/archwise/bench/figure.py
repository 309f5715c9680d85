"""Regret curves as a picture: an SVG that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10
from statistics import fmean
from typing import NamedTuple

import numpy as np

from archwise.bench.peers.ready import PEERS
from archwise.bench.standing import BASELINE, Course, Standing
from archwise.report.markup import Html, tag

WIDTH, HEIGHT = 380.0, 300.0
"""Of a panel."""
LEFT, TOP, GAP, BELOW = 52.0, 42.0, 26.0, 44.0
ROW = TOP + HEIGHT + BELOW
"""Of a row of panels."""
LINE, COLUMN = 20.0, 180.0
"""Of the legend: the height of a line, and the width of a column."""
COLOURS = ("#1f5fa8", "#b1440e", "#1b7a4b", "#8a3fa0", "#a07800", "#2b8a94", "#c2185b", "#5b6472", "#7a4a21", "#3949ab")
LEAST = 0.002
"""Regrets below are drawn here: the axis is logarithmic, and the best of a table has none."""
STYLE = (
    "text{font:12px system-ui,'Segoe UI',Roboto,Arial,sans-serif;fill:#3b4350}.title{font-size:14px;font-weight:600}"
    ".middle{text-anchor:middle}.end{text-anchor:end}.grid{stroke:#e3e6ea}.curve{fill:none;stroke-width:1.8}"
    ".band{stroke:none;opacity:.16}"
)


class _Axis(NamedTuple):
    """A logarithmic axis.

    Args:
        low: the value at `start`.
        high: the value at `end`.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        return self.start + min(1.0, share) * (self.end - self.start)


def regret_figure(tables: Mapping[str, Mapping[str, Standing]]) -> str:
    """Return the regret curves of strategies on tables, with a band of one standard error.

    Each table has a panel of regrets over evaluations, and one over simulated time if it says what trainings took.

    Args:
        tables: what `standings` returned; peers have dashed lines. Of too many strategies to be told apart, those that
            `drawn` returns are in the figure.
    """
    names = drawn(tables)
    tables = {table: {name: by[name] for name in names if name in by} for table, by in tables.items()}
    over = {table: {name: standing.course for name, standing in by.items()} for table, by in tables.items()}
    timed = {table: {n: s.in_time for n, s in by.items() if s.in_time} for table, by in tables.items()}
    rows = [("evaluations", over), *([("time of average trainings", timed)] if any(timed.values()) else [])]
    colours = dict(zip(names, COLOURS, strict=False))
    width = LEFT + len(tables) * (WIDTH + GAP)
    across = max(1, int((width - LEFT) // COLUMN))
    legend = len(rows) * ROW + 10
    height = legend + LINE * ceil(len(names) / across)
    curves = [course.curve for _, by_table in rows for courses in by_table.values() for course in courses.values()]
    high = 10 ** (ceil(4 * log10(max(LEAST * 10, *(float(curve.max()) for curve in curves)))) / 4)
    low = max(LEAST, 10 ** floor(log10(max(LEAST, min(float(curve.min()) for curve in curves)))))
    drawing = tag(
        "svg",
        tag("title", "Regret of search strategies against evaluations"),
        tag("style", STYLE),
        tag("rect", width=_n(width), height=_n(height), fill="#fff"),
        [
            _row(unit, by_table, _Axis(low, high, i * ROW + TOP + HEIGHT, i * ROW + TOP), colours)
            for i, (unit, by_table) in enumerate(rows)
        ],
        [_key(name, i, across, legend, colours[name]) for i, name in enumerate(names)],
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_n(width)} {_n(height)}",
        width=_n(width),
        height=_n(height),
        role="img",
    )
    return f"{drawing}\n"


def drawn(tables: Mapping[str, Mapping[str, Standing]]) -> list[str]:
    """Return as many strategies as there are colours: those on most tables of the smallest areas, and random search."""
    areas: dict[str, list[float]] = {}
    for by_strategy in tables.values():
        for name, standing in by_strategy.items():
            areas.setdefault(name, []).append(standing.course.area)
    ordered = sorted(areas, key=lambda name: (-len(areas[name]), fmean(areas[name])))
    found = ordered[: len(COLOURS)]
    return [*found[:-1], BASELINE] if BASELINE in areas and BASELINE not in found else found


def _row(unit: str, tables: Mapping[str, Mapping[str, Course]], y: _Axis, colours: Mapping[str, str]) -> Html:
    middle = _n((y.start + y.end) / 2)
    return tag(
        "g",
        tag("text", "mean regret", transform=f"translate(14 {middle}) rotate(-90)", class_="middle"),
        [
            tag("text", f"{tick:g}", x=_n(LEFT - 6), y=_n(y.at(tick) + 4), class_="end")
            for tick in _ticks(y.low, y.high)
        ],
        [
            _panel(name, unit, courses, LEFT + i * (WIDTH + GAP), y, colours)
            for i, (name, courses) in enumerate(tables.items())
            if courses
        ],
    )


def _panel(
    title: str, unit: str, courses: Mapping[str, Course], left: float, y: _Axis, colours: Mapping[str, str]
) -> Html:
    length = max(len(course.curve) for course in courses.values())
    x = _Axis(1, max(2, length), left, left + WIDTH)
    shapes = [
        tag("path", d=f"M{_n(left)} {_n(y.at(tick))}H{_n(left + WIDTH)}", class_="grid")
        for tick in _ticks(y.low, y.high)
    ]
    for tick in (t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if t <= length):
        shapes.append(tag("path", d=f"M{_n(x.at(tick))} {_n(y.start)}V{_n(y.end)}", class_="grid"))
        shapes.append(tag("text", tick, x=_n(x.at(tick)), y=_n(y.start + 17), class_="middle"))
    shapes.append(tag("text", unit, x=_n(left + WIDTH / 2), y=_n(y.start + 35), class_="middle"))
    shapes.append(tag("text", title, x=_n(left), y=_n(y.end - 14), class_="title"))
    for name, course in courses.items():
        places = [x.at(count) for count in range(1, len(course.curve) + 1)]
        errors = np.nan_to_num(course.errors)
        above, below = course.curve + errors, course.curve - errors
        edge = [*_points(places, above, y), *reversed(_points(places, below, y))]
        shapes.append(tag("path", d=f"M{'L'.join(edge)}Z", fill=colours[name], class_="band"))
    for name, course in courses.items():
        places = [x.at(count) for count in range(1, len(course.curve) + 1)]
        line = f"M{'L'.join(_points(places, course.curve, y))}"
        shapes.append(_curve(line, name, colours[name]))
    return tag("g", shapes)


def _key(name: str, number: int, across: int, top: float, colour: str) -> Html:
    x = LEFT + number % across * COLUMN
    y = top + LINE * (number // across)
    return tag("g", _curve(f"M{_n(x)} {_n(y - 4)}h26", name, colour), tag("text", name, x=_n(x + 33), y=_n(y)))


def _curve(line: str, name: str, colour: str) -> Html:
    dashes = "5 3" if name in PEERS else None
    return tag("path", tag("title", name), d=line, stroke=colour, stroke_dasharray=dashes, class_="curve")


def _points(places: Sequence[float], values: Iterable[float], y: _Axis) -> list[str]:
    return [f"{_n(place)} {_n(y.at(float(value)))}" for place, value in zip(places, values, strict=True)]


def _ticks(low: float, high: float) -> list[float]:
    every = [step * 10.0**power for power in range(-4, 3) for step in (1, 2, 5)]
    return [tick for tick in every if low <= tick * 1.0001 and tick <= high * 1.0001]


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
