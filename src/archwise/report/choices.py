"""What single choices seem to do: means over the trials that took each option."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from typing import Any, NamedTuple

from archwise.report.markup import Html, tag
from archwise.report.record import RunRecord, records
from archwise.report.words import count, exact, metric_value, percent, plain

_FEWEST = 5
"""Trials that an option needs to be shown."""
_ENOUGH = 20
"""Trials that a fidelity needs to be looked at."""
_SHOWN = 9


class Option(NamedTuple):
    """An option of a choice, over the trials that took it."""

    label: Any
    trials: int
    mean: float
    error: float
    """Standard error of the mean."""


class Observation(NamedTuple):
    """What a choice's options came to, the best first."""

    path: str
    options: tuple[Option, ...]

    @property
    def effect(self) -> float:
        """The difference between the best and the worst mean, in their standard errors."""
        first, last = self.options[0], self.options[-1]
        return abs(first.mean - last.mean) / (math.hypot(first.error, last.error) or math.inf)


def observe(run: RunRecord) -> tuple[list[Observation], float]:
    """Return what each choice came to over finished trials of one fidelity, the clearest first, and that fidelity.

    An option counts with at least five trials, a choice with at least two such options; the fidelity is the
    highest with at least twenty finished trials.
    """
    sizes = run.finished["fidelity"].round(6).value_counts()
    enough = sizes[sizes >= _ENOUGH]
    if enough.empty:
        return [], 1.0
    fidelity = float(max(enough.index))
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for trial in records(run.finished[run.finished["fidelity"].round(6) == fidelity]):
        value = run.natural(trial["score"])
        for path, label in {**json.loads(trial["architecture"]), **json.loads(trial["recipe"])}.items():
            if value is not None:
                scores[path][json.dumps(label)].append(value)
    observations = []
    for path, options in scores.items():
        known = [_option(json.loads(label), values) for label, values in options.items() if len(values) >= _FEWEST]
        if len(known) > 1:
            best_first = sorted(known, key=lambda option: option.mean, reverse=run.higher_is_better)
            observations.append(Observation(path, tuple(best_first)))
    return sorted(observations, key=lambda observation: -observation.effect), fidelity


def choices(run: RunRecord) -> Html:
    """Return the section on what choices seem to do; short where there are too few trials."""
    observations, fidelity = observe(run)
    title = tag("h2", "What choices seem to do")
    if not observations:
        text = f"There are too few finished trials of one fidelity to say anything (at least {_FEWEST} an option)."
        return tag("section", title, tag("p", text))
    extent = "trained in full" if fidelity > 0.999 else f"with {percent(fidelity)} of a full training"
    taken = {**run.metrics["architecture"], **run.metrics["recipe"]}
    values = [o.mean + side * o.error for seen in observations for o in seen.options for side in (-1, 1)]
    cards = [_card(run, seen, taken.get(seen.path), (min(values), max(values))) for seen in observations]
    more = tag("summary", count(len(cards) - _SHOWN, "more choice"))
    return tag(
        "section",
        title,
        tag(
            "p",
            f"For each option, the mean validation {run.objective_name} of the trials {extent} that took it, with one "
            "standard error. This is an observation, not a proof: a strategy tries promising options more often and in "
            "better company, and with many choices some differ by chance. The clearest differences come first.",
        ),
        tag("div", cards[:_SHOWN], class_="grid"),
        tag("details", more, tag("div", cards[_SHOWN:], class_="grid")) if len(cards) > _SHOWN else None,
    )


def _option(label: Any, values: list[float]) -> Option:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return Option(label, len(values), statistics.fmean(values), error)


def _card(run: RunRecord, seen: Observation, taken: Any, span: tuple[float, float]) -> Html:
    rows = []
    for option in seen.options:
        chosen = tag("b", " found") if taken is not None and taken == option.label else None
        rows.append(
            tag(
                "tr",
                tag("th", plain(option.label).replace("_", " "), chosen),
                tag("td", metric_value(run.objective, option.mean)),
                tag("td", _whisker(option, span)),
                tag("td", exact(option.trials, str(option.trials)), class_="n"),
            )
        )
    columns = tag("colgroup", [tag("col", style=f"width:{width}") for width in ("auto", "66px", "94px", "42px")])
    head = tag("tr", tag("th", seen.path, colspan=3), tag("th", "trials", class_="n"))
    return tag("table", columns, tag("thead", head), tag("tbody", rows), class_="choice")


def _whisker(option: Option, span: tuple[float, float]) -> Html:
    low, high = span
    scale = 80 / (high - low) if high > low else 0.0
    left, middle, right = (4 + (option.mean + side * option.error - low) * scale for side in (-1, 0, 1))
    return tag(
        "svg",
        tag("line", x1=4, x2=84, y1=7, y2=7),
        tag("line", x1=f"{left:.1f}", x2=f"{right:.1f}", y1=7, y2=7, class_="mean"),
        tag("circle", cx=f"{middle:.1f}", cy=7, r=3.5),
        width=88,
        height=14,
        class_="dots",
    )
