"""What an experience knows, as people read it in the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from rich import box
from rich.table import Table

from archwise.experience.records import Summary
from archwise.report.words import count, large, metric_name, number
from archwise.terminal.console import Output

COLUMNS: dict[str, Literal["left", "right"]] = {
    "task": "left",
    "examples": "right",
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
    table = Table(box=box.SIMPLE_HEAD)
    for column, side in COLUMNS.items():
        table.add_column(column, justify=side, overflow="fold")
    for task in summary.tasks:
        made = task.finished + task.failed + task.pruned
        amounts = [f"{amount:,}" for amount in (task.examples, task.searches, made, task.failed)]
        used = "–" if task.last_used is None else f"{datetime.fromtimestamp(task.last_used):%Y-%m-%d}"
        table.add_row(task.name, *amounts, metric_name(task.objective), number(task.best), used)
    output.print(table)
