"""The command `archwise bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archwise.terminal.guard import guarded
from archwise.terminal.options import Debug, Json, option


def bench(
    tables: Annotated[
        str | None, option("NAME|PATH,...", "Tables, or folders of them; if not given, those that packages bring.")
    ] = None,
    strategies: Annotated[
        str | None, option("NAME,...", "Strategies to compare; default (which is auto) and four others if not given.")
    ] = None,
    against: Annotated[
        str | None,
        option("NAME,...", "Others' methods: optuna-tpe, optuna-gp, smac, botorch, syne-tune-cqr; plain-gp."),
    ] = None,
    seeds: Annotated[int | None, option("N", "Searches of each on each task; 20 if not given.")] = None,
    evaluations: Annotated[int | None, option("N", "Full trainings of each search; 200 if not given.")] = None,
    simulated_workers: Annotated[int, option("N", "Trials side by side in each search; 1 if not given.")] = 1,
    transfer: Annotated[
        bool, typer.Option("--transfer", help="Leave each task out: strategies may learn from the table's other tasks.")
    ] = False,
    history: Annotated[
        str, option("N|all", "With --transfer: trials of each other task, or every row of the table.")
    ] = "100",
    history_by: Annotated[
        str,
        option(
            "random|search|shuffled|negated|one|copies",
            "With --transfer: random rows, a search's trials, or what misleads: shuffled or negated scores, one task "
            "alone, copies of one.",
        ),
    ] = "random",
    quick: Annotated[bool, typer.Option("--quick", help="5 seeds and 100 evaluations.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All strategies and all installed peers.")] = False,
    results: Annotated[Path, option("FILE", "Where results are kept and looked up.")] = Path("bench.jsonl"),
    workers: Annotated[int | None, option("N", "Searches side by side; one for each core if not given.")] = None,
    figure: Annotated[Path | None, option("FILE.svg", "Draw the regret curves there.")] = None,
    page: Annotated[
        Path | None, option("FILE.md", "Write tables and figure there, in the place that earlier ones have.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare search strategies on published benchmarks, on a virtual clock: nothing is trained.

    Regret is 0 for the best of a table and 1 for its median; where a table has both, validation is seen while
    searching, and test judged.
    Results go to a file as they come, and what it has is not run again. Ctrl-C keeps what has ended.

    Example: archwise bench --tables nasbench201.npz --strategies random,evolution --quick
    """
    with guarded(debug):
        from archwise.terminal.benchmarks import bench_command, history_of

        bench_command(
            tables,
            strategies,
            against,
            seeds,
            evaluations,
            simulated_workers,
            history_of(history, history_by) if transfer else None,
            quick,
            all_,
            results,
            workers,
            figure,
            page,
            json,
        )
