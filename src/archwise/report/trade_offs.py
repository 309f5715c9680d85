"""The section on trade-offs: what no trial beats in quality and in every cost that was to be small."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from archwise.report.markup import Html, tag
from archwise.report.record import RunRecord
from archwise.report.words import MISSING, cost_name, cost_text, count, exact, metric_text, metric_value

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 388, 12, 214


def trade_offs(run: RunRecord) -> Html | None:
    """Return the section with a chart for each cost and the table of the Pareto set; None where no cost was given."""
    costs = run.metrics.get("minimise", [])
    if not costs:
        return None
    rows = run.metrics["pareto"]
    words = " and ".join(cost_name(cost) for cost in costs)
    if not rows:
        text = (
            f"Beside {run.objective_name}, {words} was to be small; but no trial was trained in full, so none counts."
        )
        return tag("section", tag("h2", "Trade-offs"), tag("p", text))
    text = (
        f"Beside a good {run.objective_name}, a small amount of {words} was asked for. "
        f"{count(len(rows), 'trial')} of those trained in full {'is' if len(rows) == 1 else 'are'} beaten by no other "
        f"in all of that at once; what is left is a matter of taste. The values are those of the search, on the "
        "validation split, with one seed."
    )
    charts = [tag("div", _chart(run, cost, {row["trial"] for row in rows}), class_="small-chart") for cost in costs]
    head = [tag("th", title) for title in ("", run.objective_name, *map(cost_name, costs))]
    body = [tag("tr", _name(run, row["trial"]), *_figures(run, row, costs)) for row in rows]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="figures")
    return tag(
        "section",
        tag("h2", "Trade-offs"),
        tag("p", text),
        tag("div", charts, class_="small-charts"),
        tag("div", table, class_="scroll"),
    )


def _name(run: RunRecord, trial: int) -> Html:
    return tag("th", f"Trial {trial}", tag("b", " chosen") if trial == run.winner else None)


def _figures(run: RunRecord, row: dict[str, Any], costs: list[str]) -> list[Html]:
    value = tag("td", metric_value(run.objective, row[run.objective]))
    return [value, *(tag("td", exact(row[cost], cost_text(cost, row[cost]))) for cost in costs)]


def _chart(run: RunRecord, cost: str, members: set[int]) -> Html | None:
    """Return a scatter of the fully trained trials, the cost on a logarithmic axis; None where none tells the cost."""
    known = run.finished[(run.finished["fidelity"] > 1 - 1e-9) & (run.finished[cost].astype(float) > 0)]
    if known.empty:
        return None
    across = _Axis(known[cost].astype(float).map(math.log), LEFT, RIGHT)
    up = _Axis(known["score"].astype(float), BOTTOM, TOP)
    dots = [
        tag(
            "circle",
            tag("title", f"trial {number}"),
            cx=f"{across.place(math.log(value)):.1f}",
            cy=f"{up.place(score):.1f}",
            r=4.5 if number in members else 3,
            class_="member" if number in members else "other",
        )
        # Members are drawn last, so that nothing hides them.
        for number, score, value in sorted(
            known[["number", "score", cost]].itertuples(index=False, name=None), key=lambda dot: dot[0] in members
        )
    ]
    low, high = (cost_text(cost, math.exp(value)) for value in (across.low, across.high))
    worst, best = (metric_text(run.objective, run.natural(value)) for value in (up.low, up.high))
    label = f"{run.objective_name} against {cost_name(cost)}"
    return tag(
        "svg",
        tag("title", f"{label}; the trade-offs are marked"),
        tag("path", d=f"M{LEFT - 8} {TOP}V{BOTTOM + 8}H{RIGHT}", class_="axis", fill="none"),
        dots,
        tag("text", low, x=LEFT, y=BOTTOM + 22),
        tag("text", high, x=RIGHT, y=BOTTOM + 22, class_="end"),
        tag("text", cost_name(cost), x=(LEFT + RIGHT) / 2, y=BOTTOM + 22, class_="middle"),
        tag("text", worst or MISSING, x=LEFT - 12, y=BOTTOM + 4, class_="end"),
        tag("text", best or MISSING, x=LEFT - 12, y=TOP + 8, class_="end"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


class _Axis:
    """Where values lie between two ends of an axis."""

    def __init__(self, values: pd.Series, begin: float, end: float):
        self.low, self.high = float(values.min()), float(values.max())
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self._begin + share * (self._end - self._begin)
