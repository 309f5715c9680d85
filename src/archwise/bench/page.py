"""The part of a page that a benchmark writes: its tables, as Markdown between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, isnan

from archwise.bench.curves import AREA
from archwise.bench.figure import drawn
from archwise.bench.gains import Gain, gains
from archwise.bench.results import Run
from archwise.bench.standing import BASELINE, Course, Standing, standings
from archwise.bench.summary import Rank, ranked_over, ranks, summary
from archwise.errors import DataError
from archwise.report.words import duration

BEGIN, END = "<!-- archwise bench: from here -->", "<!-- archwise bench: to here -->"
"""What is between these lines of a page is written anew; the rest is left as it is."""
IN_TIME = (
    "Before its first trial ends, a search has the regret that is expected of a random draw; when its evaluations are "
    "spent, it stands still."
)
GAINS = (
    "How much smaller the area is than that of a search from scratch with the same seeds, task by task, the worst "
    "first (below 0: learning from other tasks did harm):"
)
COUNTS = (5, 20, 60, 100, 200)
"""Evaluations at which regrets are listed."""


def benchmark_section(runs: Sequence[Run], command: str, figure: str | None = None) -> str:
    """Return what runs came to as Markdown.

    Args:
        runs: what ran.
        command: makes these figures again.
        figure: link to the picture of the curves.
    """
    tables = standings(runs)
    tasks = len({(run.table, run.task) for run in runs})
    seeds = sorted({standing.seeds for by_strategy in tables.values() for standing in by_strategy.values()})
    counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}" if seeds else "0"
    parts = [
        f"`{command}`",
        f"{tasks} tasks ({', '.join(tables)}), {counted} searches of each strategy on each. Regret 0 is a table's "
        "best, 1 its median; `select` is seen, `report` judged (in some tables these are one). Figures are means over "
        "a table's tasks, ± the standard error over seeds; the area is the mean regret over evaluations 1 to "
        f"{AREA}, or to the last. Evaluations to a regret are medians over tasks and seeds (–: half of the searches or "
        "more did not get there). Times are processor time on one core. The last column is the task on which a "
        f"strategy's area is worst against that of {BASELINE} search, in standard errors of the difference (above 0: "
        "worse). Peers may repeat themselves, or take what a table has no row for, and pay for it; versions: "
        f"{', '.join(sorted({run.version for run in runs}))}.",
    ]
    if figure:
        parts.append(f"![Regret of search strategies against evaluations]({figure})")
        if len(names := drawn(tables)) < len({name for by_strategy in tables.values() for name in by_strategy}):
            beside = f", and {BASELINE} search" if BASELINE in names else ""
            parts.append(f"The figure has {len(names)} strategies: those of the smallest mean areas{beside}.")
    for name, by_strategy in tables.items():
        parts += [f"### {name}", _table(by_strategy)]
        if gained := gains(runs).get(name):
            parts += [GAINS, _gains_table(gained)]
        if any(standing.in_time for standing in by_strategy.values()):
            parts += [f"{pace(runs, name)}. {IN_TIME}", _time_table(by_strategy)]
    figures = summary(runs)
    placed = ranks(figures)
    if len(placed) > 1:
        parts += ["### Ranks", _ranks(placed, ranked_over(figures, placed))]
    return "\n\n".join(parts)


def with_section(page: str, section: str) -> str:
    """Return a page with what is between the marks replaced; at its end where it has none.

    Example:
        >>> page = with_section("# Measured", "new")
        >>> with_section(page, "newer") == page.replace("new", "newer")
        True

    Raises:
        DataError: one of the marks is missing, or they are in the wrong order.
    """
    marked = f"{BEGIN}\n\n{section}\n\n{END}"
    if BEGIN not in page and END not in page:
        return f"{page.rstrip()}\n\n{marked}\n".lstrip()
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise DataError(f"The page needs both {BEGIN!r} and, after it, {END!r}, or neither: mend it.")
    return f"{before}{marked}{after}"


def _table(by_strategy: Mapping[str, Standing]) -> str:
    heads, counts = _heads([standing.course for standing in by_strategy.values()])
    heads += ["to 10 %", "to 1 %", "ms a proposal", f"worst against {BASELINE}"]
    rows = []
    for name, standing in by_strategy.items():
        reached = [f"{count:g}" if count else "–" for count in (standing.to_10_percent, standing.to_1_percent)]
        worst = ""
        if standing.worst_errors is not None and isfinite(standing.worst_errors):
            worst = f"{standing.worst_errors:+.1f} ({standing.worst_task})"
        time = f"{1000 * standing.seconds_per_proposal:.1f}"
        rows.append([name, *_cells(standing.course, counts), *reached, time, worst])
    return _markdown(heads, rows)


def _gains_table(by_strategy: Mapping[str, Sequence[Gain]]) -> str:
    rows = [
        [strategy, f"{sum(gain.mean for gain in gained) / len(gained):+.3f}", "; ".join(g.in_words for g in gained)]
        for strategy, gained in by_strategy.items()
    ]
    return _markdown(["strategy", "mean gain", "on each task"], rows)


def pace(runs: Sequence[Run], table: str) -> str:
    """Return a title for a table's figures over simulated time."""
    runs = [run for run in runs if run.table == table]
    each = sorted({run.pace for run in runs if run.pace is not None})
    span = " to ".join(map(duration, dict.fromkeys([each[0], each[-1]])))
    workers = runs[0].simulated_workers
    who = f"{workers} workers together" if workers > 1 else "one worker"
    return f"Over simulated time: @N is when {who} could have done N of a task's average trainings ({span} each)"


def _time_table(by_strategy: Mapping[str, Standing]) -> str:
    courses = {name: standing.in_time for name, standing in by_strategy.items() if standing.in_time}
    heads, counts = _heads(list(courses.values()))
    placed = sorted(courses.items(), key=lambda item: item[1].area)
    return _markdown(heads, [[name, *_cells(course, counts)] for name, course in placed])


def _heads(courses: Sequence[Course]) -> tuple[list[str], list[int]]:
    """Return the first heads of a table of curves, and at what counts it lists regrets."""
    length = max(len(course.curve) for course in courses)
    counts = [count for count in COUNTS if count <= length]
    return ["strategy", f"area 1-{min(AREA, length)}", *(f"@{count}" for count in counts)], counts


def _cells(course: Course, counts: Sequence[int]) -> list[str]:
    """Return a curve's area, and its regrets at some counts."""
    error = "" if isnan(course.area_error) else f" ± {course.area_error:.3f}"
    regrets = [f"{course.curve[n - 1]:.3f}" if n <= len(course.curve) else "" for n in counts]
    return [f"{course.area:.3f}{error}", *regrets]


def _ranks(placed: Mapping[str, Rank], over: str) -> str:
    rows = [
        [name, f"{rank.mean:.2f}", rank.interval]
        for name, rank in sorted(placed.items(), key=lambda item: item[1].mean)
    ]
    return _markdown(["strategy", f"mean rank by area over {over}", "95 % of bootstraps over tasks"], rows)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
