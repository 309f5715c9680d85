"""What `archwise bench` runs and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from archwise.bench.benchmark import Plan, run_plan
from archwise.bench.curves import AREA
from archwise.bench.entrants import installed_peers
from archwise.bench.results import ResultsFile, Run
from archwise.bench.summary import ranks, summary, table_means
from archwise.checks import check_numbers
from archwise.strategies.ready import PROPOSING
from archwise.terminal.console import Output, print_json

FEW = "bayesian,random,evolution"
"""What is compared where nothing is named."""
SHOWN = (1, 5, 10, 20, 50, 100, 200)
"""Evaluations at which regrets are printed."""


def bench_command(
    tables: str | None,
    strategies: str | None,
    against: str | None,
    seeds: int | None,
    evaluations: int | None,
    quick: bool,
    everything: bool,
    results: Path,
    workers: int | None,
    json: bool,
) -> None:
    """Run what is missing, and print what all of it comes to; see `archwise bench --help`."""
    named = ",".join([*PROPOSING, *installed_peers()]) if everything else f"{strategies or FEW},{against or ''}"
    plan = Plan(
        tables=_words(tables),
        strategies=_words(named),
        seeds=seeds if seeds is not None else 5 if quick else 20,
        evaluations=evaluations if evaluations is not None else 100 if quick else 200,
    )
    check_numbers(workers=workers)
    output = Output(stderr=json)
    columns = (TextColumn("searches"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output, disable=not output.live) as bar:
        task = bar.add_task("", total=None)
        runs = run_plan(
            plan,
            ResultsFile(results),
            workers or psutil.cpu_count(logical=False) or 1,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        print_json(summary(runs))
    else:
        print_benchmark(output, runs)
        output.say(f"Results are kept in {results}.")


def print_benchmark(output: Output, runs: list[Run]) -> None:
    """Print a table of mean regrets for each benchmark table, and the ranks over all tasks."""
    figures = summary(runs)
    for name, means in table_means(runs).items():
        tasks = figures[name]
        table = Table(box=box.SIMPLE_HEAD, title=f"{name}: mean regret over {len(tasks)} tasks", title_justify="left")
        table.add_column("strategy")
        length = min(len(curve) for curve in means.values())
        for column in [f"@{count}" for count in SHOWN if count <= length]:
            table.add_column(column, justify="right")
        for column in (f"area 1-{min(AREA, length)}", "worst task", "ms a proposal", "seeds"):
            table.add_column(column, justify="right", overflow="fold")
        for strategy, curve in sorted(means.items(), key=lambda item: float(item[1][:AREA].mean())):
            table.add_row(strategy, *(f"{curve[n - 1]:.3f}" for n in SHOWN if n <= length), *_others(tasks, strategy))
        output.print(table)
    placed = ranks(figures)
    if len(placed) > 1:
        table = Table(box=box.SIMPLE_HEAD, title="mean rank by area over all tasks (1 is best)", title_justify="left")
        for column in ("strategy", "rank", "95 % of bootstraps over tasks"):
            table.add_column(column, justify="left" if column == "strategy" else "right")
        for strategy, rank in sorted(placed.items(), key=lambda item: item[1].mean):
            table.add_row(strategy, f"{rank.mean:.2f}", f"{rank.low:.2f} to {rank.high:.2f}")
        output.print(table)


def _others(tasks: dict[str, dict[str, dict[str, Any]]], strategy: str) -> list[str]:
    of_tasks = {name: by_strategy[strategy] for name, by_strategy in tasks.items()}
    area = f"area{AREA}"
    worst = max(of_tasks, key=lambda name: float(of_tasks[name][area]))
    mean = sum(found[area] for found in of_tasks.values()) / len(of_tasks)
    seconds = sum(found["seconds_per_proposal"] for found in of_tasks.values()) / len(of_tasks)
    seeds = min(found["seeds"] for found in of_tasks.values())
    return [f"{mean:.3f}", f"{of_tasks[worst][area]:.3f} {worst}", f"{1000 * seconds:.1f}", str(seeds)]


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())
