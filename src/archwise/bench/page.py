"""The part of a page that a benchmark writes: its tables, as Markdown between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from archwise.bench.curves import AREA
from archwise.bench.results import Run
from archwise.bench.standing import BASELINE, Standing, standings
from archwise.bench.summary import Rank, ranks, summary
from archwise.errors import DataError

BEGIN, END = "<!-- archwise bench: from here -->", "<!-- archwise bench: to here -->"
"""What is between these lines of a page is written anew; the rest is left as it is."""
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
        f"{AREA}, or to the last. Evaluations to a regret are medians over tasks and seeds (–: most searches did not "
        "get there). Times are processor time on one core. The last column is the task on which a strategy's area is "
        f"worst against that of {BASELINE} search, in standard errors of the difference (above 0: worse). Peers may "
        "repeat themselves, and pay for it; versions: "
        f"{', '.join(sorted({run.version for run in runs}))}.",
    ]
    if figure:
        parts.append(f"![Regret of search strategies against evaluations]({figure})")
    for name, by_strategy in tables.items():
        parts += [f"### {name}", _table(by_strategy)]
    placed = ranks(summary(runs))
    if len(placed) > 1:
        parts += ["### Ranks", _ranks(placed)]
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
    length = max(len(standing.curve) for standing in by_strategy.values())
    counts = [count for count in COUNTS if count <= length]
    heads = ["strategy", f"area 1-{min(AREA, length)}", *(f"@{count}" for count in counts)]
    heads += ["to 10 %", "to 1 %", "ms a proposal", f"worst against {BASELINE}"]
    rows = []
    for name, standing in by_strategy.items():
        error = f" ± {standing.area_error:.3f}" if standing.seeds > 1 else ""
        regrets = [f"{standing.curve[n - 1]:.3f}" if n <= len(standing.curve) else "" for n in counts]
        reached = [f"{count:g}" if count else "–" for count in (standing.to_10_percent, standing.to_1_percent)]
        worst = ""
        if standing.worst_errors is not None and isfinite(standing.worst_errors):
            worst = f"{standing.worst_errors:+.1f} ({standing.worst_task})"
        time = f"{1000 * standing.seconds_per_proposal:.1f}"
        rows.append([name, f"{standing.area:.3f}{error}", *regrets, *reached, time, worst])
    return _markdown(heads, rows)


def _ranks(placed: Mapping[str, Rank]) -> str:
    rows = [
        [name, f"{rank.mean:.2f}", f"{rank.low:.2f} to {rank.high:.2f}"]
        for name, rank in sorted(placed.items(), key=lambda item: item[1].mean)
    ]
    return _markdown(["strategy", "mean rank by area over all tasks", "95 % of bootstraps over tasks"], rows)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
