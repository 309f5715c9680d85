"""The figures of the benchmark of transfer on real data, from the curves of its searches."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

SCRATCH = "bayesian"
"""The strategy whose last quality is the mark to reach."""
SHOWN_AT = (1, 5, 10, 20, 40)
"""Trials after which the quality of all tables together is shown."""


class Incumbent(NamedTuple):
    """The best candidate of a search after so many trials.

    Args:
        trials: after how many it became the best.
        validation: its score in the search.
        quality: its mean accuracy on fresh splits.
    """

    trials: int
    validation: float
    quality: float


Curves = dict[tuple[str, str], list[list[float]]]
"""(table, strategy) -> for each seed, what the incumbent has after each trial; 0 before there is one."""
Measure = Callable[[Incumbent], float]


def curve(row: Mapping[str, Any], budget: int, measure: Measure) -> list[float]:
    """Return what the incumbent has after each trial."""
    incumbents = [Incumbent(*incumbent) for incumbent in row["incumbents"]]
    return [
        next((measure(each) for each in reversed(incumbents) if each.trials <= done), 0.0)
        for done in range(1, budget + 1)
    ]


def whole_rounds(rows: Sequence[Mapping[str, Any]], budget: int, measure: Measure) -> Curves:
    """Return the curves, of each table with those seeds alone that all strategies have searched with."""
    found = {(row["data"], row["seed"], row["strategy"]): curve(row, budget, measure) for row in rows}
    strategies = list(dict.fromkeys(strategy for _, _, strategy in found))
    curves: Curves = defaultdict(list)
    for data, seed in dict.fromkeys((data, seed) for data, seed, _ in found):
        each = [found.get((data, seed, strategy)) for strategy in strategies]
        for strategy, own in zip(strategies, each, strict=True):
            if own is not None and None not in each:
                curves[data, strategy].append(own)
    return dict(curves)


def reached(qualities: Sequence[float], mark: float) -> float:
    """Return after how many trials a quality is reached first; infinite if never.

    Example:
        >>> reached([0.5, 0.7, 0.6], 0.65), reached([0.5], 0.65)
        (2, inf)
    """
    return next((done for done, value in enumerate(qualities, 1) if value >= mark - 1e-9), math.inf)


def mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean over seeds of the quality after each trial."""
    return [statistics.fmean(values) for values in zip(*curves, strict=True)]


def spread(values: Sequence[float], budget: int) -> str:
    """Return the median and, in brackets, the quartiles of numbers of trials, infinite ones among them."""
    if len(values) == 1:
        return count(values[0], budget)
    low, high = (sorted(values)[round(share * (len(values) - 1))] for share in (0.25, 0.75))
    return f"{count(statistics.median(values), budget)} ({count(low, budget)} to {count(high, budget)})"


def count(trials: float, budget: int) -> str:
    """Return a number of trials in words."""
    return f">{budget}" if math.isinf(trials) else f"{trials:g}"


def show(rows: Sequence[Mapping[str, Any]], budget: int) -> None:
    """Print the trials to what the search from scratch comes to, and the qualities, for each table and all together."""
    curves = whole_rounds(rows, budget, lambda incumbent: incumbent.quality)
    if not any(strategy == SCRATCH for _, strategy in curves):
        print("No seed of a table was searched with by all strategies, the search from scratch among them.")
        return
    tables, strategies = (list(dict.fromkeys(part)) for part in zip(*curves, strict=True))
    marks = {table: mean_curve(curves[table, SCRATCH])[-1] for table in tables}
    trials = {key: [reached(each, marks[key[0]]) for each in found] for key, found in curves.items()}
    show_trials("the mark, the mean quality of the last incumbents from scratch", trials, tables, strategies, budget)
    of_means = {key: [reached(mean_curve(found), marks[key[0]])] for key, found in curves.items()}
    show_trials("the mark of the mean quality over seeds", of_means, tables, strategies, budget)
    show_qualities(curves, tables, strategies, budget)
    validation = whole_rounds(rows, budget, lambda incumbent: incumbent.validation)
    trials = {
        (table, strategy): [
            reached(own, other[-1]) for own, other in zip(found, validation[table, SCRATCH], strict=True)
        ]
        for (table, strategy), found in validation.items()
    }
    show_trials("the best validation score from scratch with the same split", trials, tables, strategies, budget)
    show_means("validation score", validation, tables, strategies, budget)


def show_trials(
    what: str,
    trials: Mapping[tuple[str, str], Sequence[float]],
    tables: Sequence[str],
    strategies: Sequence[str],
    budget: int,
) -> None:
    """Print after how many trials something is reached, and how often sooner or later than from scratch."""
    every = {strategy: [value for table in tables for value in trials[table, strategy]] for strategy in strategies}
    print(f"Trials to {what}: median (quartiles).\n")
    print(f"| table | searches | {' | '.join(strategies)} |\n|{'---|' * (len(strategies) + 2)}")
    for table in tables:
        cells = (spread(trials[table, strategy], budget) for strategy in strategies)
        print(f"| {table} | {len(trials[table, SCRATCH])} | {' | '.join(cells)} |")
    print(f"| all | {len(every[SCRATCH])} | {' | '.join(spread(every[s], budget) for s in strategies)} |\n")
    for strategy in (strategy for strategy in strategies if strategy != SCRATCH):
        pairs = list(zip(every[strategy], every[SCRATCH], strict=True))
        sooner, later = sum(own < other for own, other in pairs), sum(own > other for own, other in pairs)
        print(f"{strategy}: sooner than {SCRATCH} in {sooner} of {len(pairs)}, later in {later}.\n")


def show_qualities(curves: Curves, tables: Sequence[str], strategies: Sequence[str], budget: int) -> None:
    """Print the qualities at the end, with the worst table of each strategy, and those on the way there."""
    print(f"Quality after {budget} trials: the mean over seeds ± its standard deviation over seeds.\n")
    print(f"| table | {' | '.join(strategies)} |\n|{'---|' * (len(strategies) + 1)}")
    for table in tables:
        last = ([100 * each[-1] for each in curves[table, strategy]] for strategy in strategies)
        cells = (f"{statistics.fmean(own):.2f} ± {statistics.stdev(own) if len(own) > 1 else 0:.2f}" for own in last)
        print(f"| {table} | {' | '.join(cells)} |")
    print()
    for strategy in (strategy for strategy in strategies if strategy != SCRATCH):
        means = {table: [mean_curve(curves[table, each])[-1] for each in (strategy, SCRATCH)] for table in tables}
        gains = {table: 100 * (own - other) for table, (own, other) in means.items()}
        worst = min(gains, key=gains.__getitem__)
        print(f"{strategy}: worst against {SCRATCH} on {worst} ({gains[worst]:+.2f} points).\n")
    show_means("quality", curves, tables, strategies, budget)


def show_means(what: str, curves: Curves, tables: Sequence[str], strategies: Sequence[str], budget: int) -> None:
    """Print the mean of all tables after some numbers of trials."""
    moments = [done for done in SHOWN_AT if done <= budget]
    print(f"| mean {what} after | {' | '.join(map(str, moments))} |\n|{'---|' * (len(moments) + 1)}")
    for strategy in strategies:
        means = [mean_curve(curves[table, strategy]) for table in tables]
        cells = (f"{100 * statistics.fmean(mean[done - 1] for mean in means):.2f}" for done in moments)
        print(f"| {strategy} | {' | '.join(cells)} |")
    print()
