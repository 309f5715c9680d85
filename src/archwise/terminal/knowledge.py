"""What an experience knows, as people read it in the terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from rich import box
from rich.table import Table

from archwise.experience.records import Amounts, Summary
from archwise.report.words import count, large, metric_name, number
from archwise.terminal.console import Output

COLUMNS: dict[str, Literal["left", "right"]] = {
    "task": "left",
    "searches": "right",
    "trials": "right",
    "failed": "right",
    "objective": "left",
    "best": "right",
    "last used": "left",
}


def print_summary(output: Output, summary: Summary) -> None:
    """Print what is known of each task."""
    size = "" if summary.file_bytes is None else f" ({large(summary.file_bytes)}B)"
    output.say(f"Experience {summary.location}{size}", "bold")
    if not summary.tasks:
        output.say("It is empty: every archwise search adds its trials.")
        return
    output.say(f"{count(summary.searches, 'search', 'searches')} with {count(summary.trials, 'trial')}")
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)  # nine columns in 80 characters
    more: dict[str, Literal["left", "right"]] = {"elsewhere": "right"} if summary.origins else {}
    for column, side in (COLUMNS | more).items():
        table.add_column(column, justify=side, overflow="fold", min_width=max(map(len, column.split())))
    for task in summary.tasks:
        made = task.finished + task.failed + task.pruned
        amounts = [f"{amount:,}" for amount in (task.searches, made, task.failed)]
        elsewhere = [f"{task.elsewhere:,}"] if summary.origins else []
        used = "–" if task.last_used is None else f"{datetime.fromtimestamp(task.last_used):%Y-%m-%d}"
        table.add_row(task.name, *amounts, metric_name(task.objective), number(task.best), used, *elsewhere)
    output.print(table)
    for origin in summary.origins:
        searches, trials = count(origin.searches, "search", "searches"), count(origin.trials, "trial")
        output.say(f"{searches} with {trials} from elsewhere: {origin.source}")


def print_gain(output: Output, location: str, gain: Amounts) -> None:
    """Print what an experience learned."""
    if gain.searches or gain.trials or gain.tasks or gain.spaces:
        output.say(f"The experience {location} learned {_amounts(gain)}.", "bold")
    else:
        output.say(f"The experience {location} knew all of it already.", "bold")
    if gain.left:
        left = count(gain.left, "search was", "searches were")
        output.say(f"{left} left as known here: files add nothing to this experience's own.", "yellow")


def print_exported(output: Output, file: Path, written: Amounts, anonymous: bool) -> None:
    """Print what was exported."""
    output.say(f"Exported {_amounts(written)} to {file}{' without names' if anonymous else ''}.", "bold")


def _amounts(amounts: Amounts) -> str:
    searches, trials = count(amounts.searches, "search", "searches"), count(amounts.trials, "trial")
    return f"{count(amounts.tasks, 'task')}, {searches} and {trials}"
