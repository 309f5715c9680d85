"""What `archwise show` prints of a run folder."""

from __future__ import annotations

import shlex
from pathlib import Path

from archwise.result import Result
from archwise.run import Run
from archwise.terminal.console import Output, print_json
from archwise.terminal.results import print_architecture, print_details, print_result
from archwise.terminal.unfinished import Unfinished


def show_run(folder: Path, json: bool) -> None:
    """Print the result of a search, or, where it has none yet, what is known so far.

    Args:
        folder: the run folder.
        json: print one JSON object.

    Raises:
        ArchwiseError: the folder is no run, or what it needs cannot be read.
    """
    run, output = Run.open(folder), Output()
    if not (folder / "metrics.json").exists():
        unfinished = Unfinished(run)
        if json:
            print_json(unfinished.summary())
        else:
            unfinished.print(output)
        return
    result = Result(folder)
    if json:
        # The folder may have been moved since the search.
        print_json(result.metrics | {"run": str(folder), "state": run["state"]})
        return
    trials = result.trials
    print_architecture(output, result.metrics)
    print_details(output, result.metrics, trials)
    print_result(output, result)
    if run["state"] not in ("finished", "interrupted"):
        output.say(
            f"The search went on after this result and has not ended: archwise resume {shlex.quote(str(folder))}",
            "yellow",
        )
