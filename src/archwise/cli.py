"""The command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archwise import __version__
from archwise.cli_bench import bench
from archwise.cli_experience import experience
from archwise.terminal.guard import guarded
from archwise.terminal.options import DataKind, Debug, Device, Json, Place, Problem, RunFolder, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from archwise.result import Result
    from archwise.terminal.listeners import Lines

# Plain help: Rich would take as long to load as all of the rest, and archwise --help is to answer at once.
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def archwise(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Find a neural network for your data: searched, trained, tested, explained and exported.

    Example: archwise search digits --minutes 2
    """
    if version:
        print(f"archwise {__version__}")
        raise typer.Exit


@app.command(short_help="Find a network for data.")
def search(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A .csv or .tsv (or .gz of these) or .npz file, or digits, iris, wine, breast-cancer or diabetes.",
            show_default=False,
        ),
    ],
    target: Annotated[str | None, option("COLUMN", "The column to predict, for tables.")] = None,
    minutes: Annotated[float | None, option("M", "Time for everything; 5 where --trials is not given either.")] = None,
    trials: Annotated[int | None, option("N", "How many trials the strategy may make.")] = None,
    metric: Annotated[
        str | None,
        option(
            "NAME",
            "What to improve: accuracy, balanced_accuracy, precision, recall, f1, auc or log_loss; rmse, mae or r2.",
        ),
    ] = None,
    space: Annotated[
        str | None,
        option(
            "NAME", "Networks to search: mlp, cnn, conv1d, cell, nasbench201 or transnas101_micro; by the kind of data."
        ),
    ] = None,
    strategy: Annotated[
        str | None,
        option(
            "NAME",
            "How to search: a name that archwise strategies lists; auto if not given, which uses earlier searches where"
            " there is one objective.",
        ),
    ] = None,
    minimise: Annotated[
        list[str] | None,
        option(
            "COST",
            "Make a cost small, too: parameters, flops, latency_ms, memory_bytes or train_seconds; may be given again.",
        ),
    ] = None,
    fix: Annotated[
        list[str] | None, option("CHOICE=VALUE", "Keep only these options of a choice; several by commas.")
    ] = None,
    exclude: Annotated[list[str] | None, option("CHOICE=VALUE", "Leave these options of a choice out.")] = None,
    ignore: Annotated[list[str] | None, option("COLUMN", "Leave a column out; may be given again.")] = None,
    kind: Annotated[DataKind | None, option(None, "What the inputs are, where recognised wrongly.")] = None,
    problem: Annotated[Problem | None, option(None, "What is predicted, where recognised wrongly.")] = None,
    epochs: Annotated[float | None, option("E", "Passes over the training data in a full training.")] = None,
    seed: Annotated[int, option("S", "Everything random derives from it; 0 if not given.")] = 0,
    workers: Annotated[int | None, option("N", "Trainings side by side; by the number of cores.")] = None,
    device: Annotated[Device | None, option(None, "Where to train; cuda where there is one.")] = None,
    memory_gb: Annotated[float | None, option("G", "Memory that a training may hold, in GiB.")] = None,
    trial_minutes: Annotated[float | None, option("M", "Time that a trial may take.")] = None,
    max_params: Annotated[float | None, option("N", "Most parameters a network may have.")] = None,
    max_flops: Annotated[float | None, option("N", "Most FLOPs a network may need for one example.")] = None,
    run: Annotated[Path | None, option("FOLDER", "Where to leave all; runs/NAME-DATE-TIME if not given.")] = None,
    experience: Place = None,
    leave_out_same_data: Annotated[
        bool,
        typer.Option("--leave-out-same-data", help="Learn nothing from past tasks with some of the same data."),
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Find a network for data: search, choose, train in full, test once, export and explain.

    Ctrl-C ends the search early with the best so far.

    Example: archwise search patients.csv --target outcome --minutes 10
    """

    def work(listener: Lines) -> Result:
        from archwise import api
        from archwise.terminal.limits import read_limits

        return api.search(
            data,
            target,
            minutes=minutes,
            trials=trials,
            space=space,
            strategy=strategy,
            metric=metric,
            minimise=minimise or (),
            seed=seed,
            workers=workers,
            device=device,
            run=run,
            experience=experience,
            fix=read_limits("--fix", fix or []),
            exclude=read_limits("--exclude", exclude or []),
            epochs=epochs,
            memory_gb=memory_gb,
            trial_minutes=trial_minutes,
            max_params=max_params,
            max_flops=max_flops,
            ignore=ignore or (),
            kind=kind.value if kind else None,
            problem=problem.value if problem else None,
            leave_out_same_data=leave_out_same_data,
            listener=listener,
        )

    _search(work, json, debug)


@app.command(short_help="Go on with a search that was stopped, or give it more budget.")
def resume(
    run: RunFolder,
    minutes: Annotated[float | None, option("M", "Minutes from now; what is left of the budget if not given.")] = None,
    trials: Annotated[int | None, option("N", "Trials in all, those made included.")] = None,
    workers: Annotated[int | None, option("N", "Trainings side by side; as before if not given.")] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Go on with a search that was stopped, however it was, or give a finished one more budget.

    Example: archwise resume runs/digits-20260131-120000 --minutes 5
    """

    def work(listener: Lines) -> Result:
        from archwise import api

        return api.resume(run, minutes=minutes, trials=trials, workers=workers, listener=listener)

    _search(work, json, debug)


@app.command(short_help="Show what a search found, or what it knows so far.")
def show(run: RunFolder, json: Json = False, debug: Debug = False) -> None:
    """Show what a search found; of one that has not ended, what is known so far.

    Example: archwise show runs/digits-20260131-120000
    """
    with guarded(debug):
        from archwise.terminal.show import show_run

        show_run(run, json)


@app.command(short_help="Predict for new data, as CSV.")
def predict(
    run: RunFolder,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="A file in the form that the search was given (the target may be absent), or a bundled set's name.",
        ),
    ],
    output: Annotated[Path | None, option("FILE.csv", "Write there instead of to standard output.")] = None,
    debug: Debug = False,
) -> None:
    """Predict for new data, as CSV: the prediction, and for classes the probability of each.

    Example: archwise predict runs/patients-20260131-120000 new.csv --output predictions.csv
    """
    with guarded(debug):
        from archwise.terminal.predictions import write_predictions

        write_predictions(run, data, output)


app.add_typer(experience, name="experience")


@app.command(short_help="List the ways to search.")
def strategies(json: Json = False, debug: Debug = False) -> None:
    """List the strategies that a search can be given by name.

    Example: archwise strategies
    """
    with guarded(debug):
        from archwise.terminal.methods import print_strategies

        print_strategies(json)


app.command(short_help="Compare search strategies on published benchmarks.")(bench)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a letter of a column's name must not end a search.
            stream.reconfigure(errors="backslashreplace")
    app()


def _search(work: Callable[[Lines], Result], json: bool, debug: bool) -> None:
    """Run a search with its progress, then print its result."""
    with guarded(debug):
        from archwise.terminal.console import Output, print_json
        from archwise.terminal.listeners import listening

        output = Output(stderr=json)
        with listening(output) as listener:
            result = work(listener)
        if json:
            print_json(result.summary())
        else:
            from archwise.terminal.results import print_result

            print_result(output, result)
