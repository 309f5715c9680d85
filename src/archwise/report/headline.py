"""What was found, first in words: the result beside the default, and how sure one may be of it."""

from __future__ import annotations

import math
from typing import Any

from archwise.report.markup import Html, tag
from archwise.report.record import RunRecord
from archwise.report.words import (
    count,
    duration,
    exact,
    is_lower_better,
    large,
    metric_name,
    metric_text,
    metric_value,
    percent,
)

_COSTS = {
    "parameters": "Parameters",
    "flops": "FLOPs for one example",
    "latency_ms": "Latency of one example",
}


def headline(run: RunRecord) -> Html:
    """Return the first section: the answer, the test metric beside the default's, and its uncertainty."""
    return tag(
        "section",
        tag("h1", "A network for ", tag("em", run.metrics["task"]["name"])),
        tag("p", _found(run), class_="lead"),
        tag("div", _tiles(run), class_="tiles"),
        tag("p", _against_default(run)),
        tag("p", _fresh_seeds(run)),
        class_="headline",
    )


def comparison(run: RunRecord) -> Html:
    """Return the table of the found network beside the default; of the default alone where that is the answer."""
    metrics, default = run.metrics, run.metrics["default"]
    alone = default["is_winner"]
    size = metrics["task"]["sizes"]["test"]
    rows = []
    for name, value in metrics["test"].items():
        other = default["test"].get(name)
        error = f" ± {standard_error(value, size):.4f}" if name == "accuracy" else None
        label = tag("th", f"Test {metric_name(name)}", tag("small", " objective") if name == run.objective else None)
        cells = [(metric_value(name, value), error), metric_value(name, other), _difference(name, value, other)]
        rows.append(_row(label, cells[: 1 if alone else 3], "objective" if name == run.objective else None))
    for key, text in _COSTS.items():
        own, other = metrics.get(key), default.get(key)
        ratio = f"× {own / other:.2f}" if own is not None and other else ""
        rows.append(_row(tag("th", text), [_cost(key, own), _cost(key, other), ratio][: 1 if alone else 3]))
    titles = ("", "The default") if alone else ("", "Found", "Default", "Found against default")
    note = f"Measured once on {count(size, 'test example')} that the search never saw."
    if "accuracy" in metrics["test"]:
        note += f" ± is one binomial standard error of an accuracy over {count(size, 'example')}."
    return tag(
        "section",
        tag("h2", "The answer in numbers" if alone else "Beside the default"),
        tag("table", tag("thead", tag("tr", [tag("th", t) for t in titles])), tag("tbody", rows), class_="figures"),
        tag("p", note, class_="note"),
    )


def standard_error(share: float, size: int) -> float:
    """Return the binomial standard error of a share that was seen in so many examples.

    A share of 0 or 1 is taken for half an example away from it, since an error of nothing would promise too much.

    Example:
        >>> round(standard_error(0.9, 100), 4), round(standard_error(1.0, 100), 4)
        (0.03, 0.0071)
    """
    half = 0.5 / size
    share = min(max(share, half), 1 - half)
    return math.sqrt(share * (1 - share) / size)


def _found(run: RunRecord) -> str:
    metrics = run.metrics
    counts = metrics["trials"]
    ended = [f"{counts[key]} {key}" for key in ("failed", "pruned") if counts[key]]
    trials = count(sum(counts.values()), "trial") + (f" ({', '.join(ended)})" if ended else "")
    text = f"The search made {trials} in {duration(metrics['seconds'])}"
    if metrics["stopped_by"] == "interrupt":
        text += " before it was interrupted, so this is the best so far"
    if metrics["default"]["is_winner"]:
        return f"{text}. It found nothing better than the ready-made default network: that is the answer."
    size = f" of {count(metrics['parameters'], 'parameter')}" if metrics["parameters"] is not None else ""
    return f"{text} and returned a network{size}, trained in full and ready to use."


def _tiles(run: RunRecord) -> list[Html]:
    metrics, name = run.metrics, run.objective
    spread = metrics["validation_spread"].get(name)
    repeats = run.deciding_seeds
    validation = f"± {metric_text(name, spread)} over {repeats} fresh seeds" if spread is not None else "one seed"
    if spread == 0:
        validation = f"the same with {repeats} fresh seeds"
    tiles = [("Test", "the found network", metrics["test"][name], "main")]
    if not metrics["default"]["is_winner"]:
        tiles.append(("Test", "the default network", metrics["default"]["test"].get(name), ""))
    tiles.append(("Validation", validation, metrics["validation"].get(name), ""))
    return [
        tag(
            "div",
            tag("span", f"{split} {run.objective_name}", class_="what"),
            tag("strong", metric_value(name, value)),
            tag("span", whose, class_="whose"),
            class_=f"tile {style}".strip(),
        )
        for split, whose, value, style in tiles
    ]


def _against_default(run: RunRecord) -> str:
    name, size = run.objective, run.metrics["task"]["sizes"]["test"]
    value: float = run.metrics["test"][name]
    other: float | None = None if run.metrics["default"]["is_winner"] else run.metrics["default"]["test"].get(name)
    if name != "accuracy":
        caution = (
            f"The test split has {count(size, 'example')}; no standard error is given for {run.objective_name}, "
            "and small differences should not be trusted."
        )
        if other is None:
            return caution
        return f"On the test split the found network is {_verdict(run, value, other)} {caution}" + _in_spreads(
            run, value - other
        )
    error = standard_error(value, size)
    own = f"The found network gets {percent(value)} of {count(size, 'test example')} right, "
    own += f"give or take {100 * error:.1f} points"
    if other is None:
        return f"{own} (one standard error)."
    error = math.hypot(error, standard_error(other, size))
    text = f"{own} (one standard error); the default network, trained in the same way, gets {percent(other)}. "
    if value == other:
        return f"{text}The test split sees no difference between them."
    ratio = abs(value - other) / error if error else math.inf
    if ratio < 1:
        judgement = "well within what chance alone produces"
    elif ratio < 2:
        judgement = "more than chance usually produces, but no proof"
    else:
        judgement = "more than chance alone is likely to produce"
    points = f"{100 * abs(value - other):.1f} points {'more' if value > other else 'fewer'}"
    return (
        f"{text}That is {points}: {ratio:.1f} standard errors of the difference, {judgement} "
        "(taking the two results as independent, although both answered the same examples)."
    )


def _verdict(run: RunRecord, value: float, other: float) -> str:
    if value == other:
        return f"as good as the default network, trained in the same way: {run.objective_name} is the same."
    better = (value > other) == run.higher_is_better
    amount = f" by {percent(abs(value - other) / abs(other))}" if other else ""
    return (
        f"{'better' if better else 'worse'} than the default network, trained in the same way: {run.objective_name} is "
        f"{'higher' if value > other else 'lower'}{amount}."
    )


def _in_spreads(run: RunRecord, difference: float) -> str:
    """The difference beside what another seed alone changes."""
    spread = run.metrics["validation_spread"].get(run.objective)
    if not spread or not difference:
        return ""
    return (
        f" As a yardstick: the difference is {abs(difference) / spread:.1f} times the standard deviation that the seed "
        "alone brings on validation."
    )


def _fresh_seeds(run: RunRecord) -> str:
    name = run.objective
    seeds, spread = run.deciding_seeds, run.metrics["validation_spread"].get(name)
    if not seeds:
        return (
            "The winner was not evaluated again with fresh seeds, so how much its validation "
            f"{run.objective_name} depends on luck is unknown; being the best of many, it is likely flattered."
        )
    value = metric_text(name, run.metrics["validation"][name])
    if spread is None:
        return f"Trained again with one fresh seed, it reached {run.objective_name} {value} on the validation split."
    other = run.metrics["default"]["validation"].get(name)
    text = (
        f"Trained again with {seeds} fresh seeds, it reached {run.objective_name} {value} on the "
        f"{count(run.metrics['task']['sizes']['validation'], 'example')} of the validation split, "
    )
    text += (
        f"with a standard deviation of {metric_text(name, spread)} from seed to seed" if spread else "each time alike"
    )
    if other is None or run.metrics["default"]["is_winner"]:
        return f"{text}."
    return f"{text}; the default reached {metric_text(name, other)}."


def _difference(metric: str, value: float, other: float | None) -> Html | str:
    if other is None:
        return ""
    if metric_text(metric, value) == metric_text(metric, other):
        return "the same"
    better = (value < other) == is_lower_better(metric)
    sign = "+" if value > other else "−"
    text = f"{sign}{metric_text(metric, abs(value - other))} {'better' if better else 'worse'}"
    return tag("span", text, class_="better" if better else "worse")


def _cost(key: str, value: float | None) -> Html:
    if value is None:
        return exact(None, "")
    return exact(value, f"{value:.3g} ms" if key == "latency_ms" else large(value))


def _row(label: Html, cells: list[Any], style: str | None = None) -> Html:
    return tag("tr", label, [tag("td", cell) for cell in cells], class_=style)
