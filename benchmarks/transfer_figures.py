"""The figures of the benchmark of transfer on real data, from the curves of its searches."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
"""(table, strategy) -> for each seed, the quality after each trial; 0 before there is an incumbent."""


def curve(row: Mapping[str, Any], budget: int) -> list[float]:
    """Return the quality of the incumbent after each trial."""
    incumbents = [Incumbent(*incumbent) for incumbent in row["incumbents"]]
    return [
        next((each.quality for each in reversed(incumbents) if each.trials <= done), 0.0)
        for done in range(1, budget + 1)
    ]


def whole_rounds(rows: Sequence[Mapping[str, Any]], budget: int) -> Curves:
    """Return the curves, of each table with those seeds alone that all strategies have searched with."""
    found = {(row["data"], row["seed"], row["strategy"]): curve(row, budget) for row in rows}
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
    low, high = (sorted(values)[round(share * (len(values) - 1))] for share in (0.25, 0.75))
    return f"{count(statistics.median(values), budget)} ({count(low, budget)} to {count(high, budget)})"


def count(trials: float, budget: int) -> str:
    """Return a number of trials in words."""
    return f">{budget}" if math.isinf(trials) else f"{trials:g}"


def show(rows: Sequence[Mapping[str, Any]], budget: int) -> None:
    """Print the trials to what the search from scratch comes to, and the qualities, for each table and all together."""
    curves = whole_rounds(rows, budget)
    if not any(strategy == SCRATCH for _, strategy in curves):
        print("No seed of a table was searched with by all strategies, the search from scratch among them.")
        return
    tables, strategies = (list(dict.fromkeys(part)) for part in zip(*curves, strict=True))
    marks = {table: mean_curve(curves[table, SCRATCH])[-1] for table in tables}
    trials = {key: [reached(each, marks[key[0]]) for each in found] for key, found in curves.items()}
    of_means = {key: reached(mean_curve(found), marks[key[0]]) for key, found in curves.items()}
    every = {strategy: [value for table in tables for value in trials[table, strategy]] for strategy in strategies}
    medians = {strategy: statistics.median(of_means[table, strategy] for table in tables) for strategy in strategies}
    heading = f"| {' | '.join(strategies)} |\n|{'---|' * (len(strategies) + 3)}"
    print("Trials to the mark: the median over seeds (quartiles); trials after which the mean over seeds is there.\n")
    print(f"| table | seeds | mark {heading}")
    for table in tables:
        cells = (
            f"{spread(trials[table, strategy], budget)}; {count(of_means[table, strategy], budget)}"
            for strategy in strategies
        )
        print(f"| {table} | {len(curves[table, SCRATCH])} | {100 * marks[table]:.2f} | {' | '.join(cells)} |")
    cells = (f"{spread(every[strategy], budget)}; {count(medians[strategy], budget)}" for strategy in strategies)
    print(f"| all | {len(every[SCRATCH])} | | {' | '.join(cells)} |\n")
    show_qualities(curves, tables, strategies, budget)
    for strategy in (strategy for strategy in strategies if strategy != SCRATCH):
        pairs = list(zip(every[strategy], every[SCRATCH], strict=True))
        sooner, later = sum(own < other for own, other in pairs), sum(own > other for own, other in pairs)
        gains = {table: 100 * (mean_curve(curves[table, strategy])[-1] - marks[table]) for table in tables}
        worst = min(gains, key=gains.__getitem__)
        print(
            f"\n{strategy} against {SCRATCH}, {len(pairs)} pairs: sooner at the mark in {sooner}, later in {later}, "
            f"alike in {len(pairs) - sooner - later}. Worst table after {budget} trials: {worst} "
            f"({gains[worst]:+.2f} points)."
        )


def show_qualities(curves: Curves, tables: Sequence[str], strategies: Sequence[str], budget: int) -> None:
    """Print the qualities at the end, and those of all tables together on the way there."""
    print(f"Quality after {budget} trials: the mean over seeds ± its standard deviation over seeds.\n")
    print(f"| table | {' | '.join(strategies)} |\n|{'---|' * (len(strategies) + 1)}")
    for table in tables:
        last = ([100 * each[-1] for each in curves[table, strategy]] for strategy in strategies)
        cells = (f"{statistics.fmean(own):.2f} ± {statistics.stdev(own) if len(own) > 1 else 0:.2f}" for own in last)
        print(f"| {table} | {' | '.join(cells)} |")
    moments = [done for done in SHOWN_AT if done <= budget]
    print(f"\n| mean of all tables after | {' | '.join(map(str, moments))} |\n|{'---|' * (len(moments) + 1)}")
    for strategy in strategies:
        means = [mean_curve(curves[table, strategy]) for table in tables]
        cells = (f"{100 * statistics.fmean(mean[done - 1] for mean in means):.2f}" for done in moments)
        print(f"| {strategy} | {' | '.join(cells)} |")
