"""What `archwise bench` runs, prints and writes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from archwise.bench.benchmark import Plan, run_plan
from archwise.bench.curves import AREA
from archwise.bench.entrants import LEARNERS, USUAL, installed_peers, runnable
from archwise.bench.gains import SCRATCH, Gain, gains
from archwise.bench.history import KINDS, History
from archwise.bench.page import benchmark_section, pace, with_section
from archwise.bench.results import ResultsFile, Run
from archwise.bench.standing import standings
from archwise.bench.summary import ranked_over, ranks, summary
from archwise.checks import check_numbers
from archwise.errors import ArchwiseError
from archwise.files import write_atomic
from archwise.ready import PROPOSING, SCHEDULING
from archwise.report.words import count
from archwise.runtime.cores import usable_cores
from archwise.terminal.console import Output, print_json

SHOWN = (1, 5, 10, 20, 50, 100, 200)
"""Evaluations at which regrets are printed."""
SCHEDULED = tuple(f"{schedule}-{proposer}" for schedule in SCHEDULING for proposer in ("random", "bayesian"))
"""Strategies of several fidelities that take part where all do."""
COLUMNS = 3
"""How many of these a terminal has room for: the last."""


def bench_command(
    tables: str | None,
    strategies: str | None,
    against: str | None,
    seeds: int | None,
    evaluations: int | None,
    simulated_workers: int,
    history: History | None,
    quick: bool,
    everything: bool,
    results: Path,
    workers: int | None,
    figure: Path | None,
    page: Path | None,
    json: bool,
) -> None:
    """Run what is missing, and print and write what all of it comes to; see `archwise bench --help`."""
    output = Output(stderr=json)
    picture = _picture(page, figure)
    _check_places({"results": results, "page": page, "figure": picture})
    plan = Plan(
        tables=_words("--tables", tables),
        strategies=_entrants(
            _words("--strategies", strategies),
            _words("--against", against),
            LEARNERS if history else USUAL,
            (SCRATCH,) if history else (),  # what learning gains or loses is told in any case
            everything,
            output,
        ),
        seeds=seeds if seeds is not None else 5 if quick else 20,
        evaluations=evaluations if evaluations is not None else 100 if quick else 200,
        simulated_workers=simulated_workers,
        history=history,
    )
    if everything:
        plan = plan.able()
    check_numbers(workers=workers)
    columns = (TextColumn("searches"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output, disable=not output.live) as bar:
        task = bar.add_task("", total=None)
        runs = run_plan(
            plan,
            ResultsFile(results),
            workers or usable_cores(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        print_json(_with_gains(summary(runs), runs))
    else:
        print_benchmark(output, runs)
        output.say(f"Results are kept in {results}.")
    if picture:
        _write_figure(picture, runs)
        output.say(f"The curves are in {picture}.")
    if page and picture:
        link = Path(os.path.relpath(picture, page.parent)).as_posix()
        _write_page(page, benchmark_section(runs, _command(plan, page, figure), link))
        output.say(f"The figures are in {page}.")


def print_benchmark(output: Output, runs: list[Run]) -> None:
    """Print a table of mean regrets for each benchmark table, and the ranks over all tasks.

    They are over evaluations, or, where trials run side by side and the table says how long they take, over time.
    """
    figures = summary(runs)
    for name, by_strategy in standings(runs).items():
        fewest, most = (extreme(standing.seeds for standing in by_strategy.values()) for extreme in (min, max))
        seeds = count(fewest, "seed") if fewest == most else f"{fewest} to {most} seeds"
        title = f"{name}: mean regret over {count(len(figures[name]), 'task')}, {seeds}"
        areas = {task: {s: found[f"area{AREA}"] for s, found in by.items()} for task, by in figures[name].items()}
        courses = {strategy: standing.course for strategy, standing in by_strategy.items()}
        in_time = {strategy: standing.in_time for strategy, standing in by_strategy.items() if standing.in_time}
        if in_time and runs[0].simulated_workers > 1:
            courses = dict(sorted(in_time.items(), key=lambda item: item[1].area))
            areas = {
                t: {s: found["in_time"][f"area{AREA}"] for s, found in by.items()} for t, by in figures[name].items()
            }
            title = f"{title}\n{pace(runs, name)}"
        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
        table.add_column("strategy", no_wrap=True)
        length = min(len(course.curve) for course in courses.values())
        counts = [evaluations for evaluations in SHOWN if evaluations <= length][-COLUMNS:]
        for column in [f"@{evaluations}" for evaluations in counts]:
            table.add_column(column, justify="right")
        for column in (f"area 1-{min(AREA, length)}", "worst task", "ms a\nproposal"):
            table.add_column(column, justify="right")
        for strategy, course in courses.items():
            own = {task: by[strategy] for task, by in areas.items()}
            worst = max(own, key=lambda task: own[task])
            regrets = [f"{course.curve[evaluations - 1]:.3f}" for evaluations in counts]
            time = f"{1000 * by_strategy[strategy].seconds_per_proposal:.1f}"
            table.add_row(strategy, *regrets, f"{course.area:.3f}", f"{own[worst]:.3f} {worst}", time)
        output.print(table)
        print_gains(output, name, gains(runs).get(name, {}))
    placed = ranks(figures)
    if len(placed) > 1:
        title = f"mean rank by area over {ranked_over(figures, placed)} (1 is best)"
        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
        for column in ("strategy", "rank", "95 % of bootstraps over tasks"):
            table.add_column(column, justify="left" if column == "strategy" else "right")
        for strategy, rank in sorted(placed.items(), key=lambda item: item[1].mean):
            table.add_row(strategy, f"{rank.mean:.2f}", rank.interval)
        output.print(table)


def print_gains(output: Output, name: str, by_strategy: Mapping[str, Sequence[Gain]]) -> None:
    """Print what strategies gained by knowing other tasks, with the task on which they gained least or lost most."""
    if not by_strategy:
        return
    title = f"{name}: how much smaller the area is than from scratch, same seeds (below 0: larger)"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for column in ("strategy", "mean", "worst task", "best task"):
        table.add_column(column, justify="left" if column == "strategy" else "right")
    for strategy, gained in by_strategy.items():
        mean = sum(gain.mean for gain in gained) / len(gained)
        table.add_row(strategy, f"{mean:+.3f}", gained[0].in_words, gained[-1].in_words)
    output.print(table)


def history_of(count: str, by: str) -> History:
    """Return the history that options describe.

    Raises:
        ArchwiseError: it is none.
    """
    kind = next((kind for kind in KINDS if kind == by), None)
    if kind is None:
        raise ArchwiseError(f"--history-by is one of {', '.join(KINDS)}, not {by!r}.")
    if count != "all" and not (count.isdecimal() and int(count) > 0):
        raise ArchwiseError(f"--history is a number of trials from 1, or all, not {count!r}.")
    if count == "all" and by == "search":
        raise ArchwiseError("No search tries all rows: give --history a number, or leave --history-by out.")
    return History(None if count == "all" else int(count), kind)


def _with_gains(figures: dict[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    """Return a summary in which strategies that were told of other tasks have their gain on each task."""
    for name, by_strategy in gains(runs).items():
        for strategy, gained in by_strategy.items():
            for gain in gained:
                error = None if isnan(gain.error) else gain.error
                figures[name][gain.task][strategy]["gain"] = {"mean": gain.mean, "error": error, "seeds": gain.seeds}
    return figures


def _entrants(
    named: tuple[str, ...],
    against: tuple[str, ...],
    unnamed: tuple[str, ...],
    always: tuple[str, ...],
    everything: bool,
    output: Output,
) -> tuple[str, ...]:
    """Return who takes part; of those whom nobody named only who can, with a note about the others.

    Args:
        named: strategies that were named.
        against: peers that were named.
        unnamed: who takes part where nobody is named.
        always: who takes part in any case.
        everything: whether all that can take part do.
        output: for the note.
    """
    usual = ("default", *PROPOSING, *SCHEDULED, *installed_peers()) if everything else () if named else unnamed
    able = tuple(name for name in usual if runnable(name))
    for name in usual:
        if name not in able:
            output.say(
                f"{name!r} is left out: a library that it needs is not installed (pip install 'archwise[peers]')."
            )
    meant = ("default" if name == "auto" else name for name in (*able, *named, *against, *always))
    return tuple(dict.fromkeys(meant))


def _picture(page: Path | None, figure: Path | None) -> Path | None:
    """Return where the curves are drawn."""
    if page and not page.name:
        raise ArchwiseError(f"{page} is a folder: give the name of a file in it.")
    if figure and figure.suffix != ".svg":
        raise ArchwiseError(f"The figure is an SVG file, not {figure.name}: name one that ends in .svg.")
    return figure or (page.with_suffix(".svg") if page else None)


def _check_places(places: Mapping[str, Path | None]) -> None:
    """Make sure, before anything is run, that all that is to be written can be, each to a file of its own."""
    taken: dict[Path, str] = {}
    for what, path in places.items():
        if path is None:
            continue
        if path.is_dir():
            raise ArchwiseError(f"{path} is a folder: give the name of a file in it.")
        if other := taken.get(path.resolve()):
            raise ArchwiseError(f"The {other} and the {what} cannot both be {path}: name another file for one of them.")
        folder = next(parent for parent in path.resolve().parents if parent.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ArchwiseError(f"The {what} cannot be written: {folder} is no folder of yours. Name another place.")
        taken[path.resolve()] = what
    if page := places["page"]:
        with_section(_text(page), "")


def _text(page: Path) -> str:
    """Return what a page has now."""
    try:
        return page.read_text(encoding="utf-8") if page.exists() else ""
    except UnicodeDecodeError as error:
        raise ArchwiseError(f"The page {page} is no text in UTF-8 ({error.reason}): name another.") from error


def _write_figure(path: Path, runs: list[Run]) -> None:
    from archwise.bench.figure import regret_figure

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, regret_figure(standings(runs)))


def _write_page(path: Path, section: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, with_section(_text(path), section))


def _command(plan: Plan, page: Path, figure: Path | None) -> str:
    """Return the command of a benchmark; of tables it has the names alone, as others keep them elsewhere."""
    words = ["archwise bench"]
    if plan.tables:
        words.append(f"--tables {','.join(Path(name).name for name in plan.tables)}")
    words.append(f"--strategies {','.join(plan.strategies)} --seeds {plan.seeds} --evaluations {plan.evaluations}")
    if plan.history:
        count = "all" if plan.history.count is None else plan.history.count
        words.append(
            f"--transfer --history {count}"
            + ("" if plan.history.by == "random" else f" --history-by {plan.history.by}")
        )
    if plan.simulated_workers > 1:
        words.append(f"--simulated-workers {plan.simulated_workers}")
    if figure:
        words.append(f"--figure {figure.name}")
    return " ".join([*words, f"--page {page.name}"])


def _words(option: str, text: str | None) -> tuple[str, ...]:
    words = tuple(word.strip() for word in (text or "").split(",") if word.strip())
    if text is not None and not words:
        raise ArchwiseError(f"{option} names nothing: give a name, several by commas, or leave {option} out.")
    return words
