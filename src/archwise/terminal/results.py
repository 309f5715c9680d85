"""The result of a search as people read it in the terminal."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from archwise.report.past_tasks import belief_words, saving_words
from archwise.report.words import (
    cost_name,
    cost_text,
    count,
    duration,
    is_lower_better,
    large,
    metric_name,
    number,
    plain,
)
from archwise.result import Result
from archwise.terminal.console import Output

if TYPE_CHECKING:
    import pandas as pd

FILES = {
    "report.html": "what was found and how: open it in a browser",
    "model.py": "the network as plain PyTorch code, with preprocess() and predict()",
    "model.safetensors": "its trained weights",
    "metrics.json": "all numbers",
    "trials.parquet": "every trial, a row each",
}
BEST_TRIALS = 5
TRADE_OFFS = 12
"""Most trade-offs that are printed; of more, so many from one end to the other."""


def print_result(output: Output, result: Result) -> None:
    """Print what was found beside the default, where the files are, and what can be done next."""
    metrics = result.metrics
    trials = metrics["trials"]
    failed = f", {trials['failed']} of them failed" if trials["failed"] else ""
    amount = count(sum(trials.values()), "trial")
    output.say("")
    early = "Stopped early: found" if metrics["stopped_by"] == "interrupt" else "Found"
    output.say(f"{early} after {amount}{failed} and {duration(metrics['seconds'])}", "bold")
    output.print(_beside_default(metrics))
    output.say(_verdict(metrics))
    if metrics.get("transfer"):
        output.say(f"{belief_words(metrics['transfer'])} {saving_words(metrics['transfer'])}".strip())
    print_trade_offs(output, metrics.get("pareto", []), metrics["objective"], metrics.get("minimise", []))
    _print_files(output, result)


def _beside_default(metrics: Mapping[str, Any]) -> Table:
    """Return the test metrics and costs of the network and of the default, the objective first."""
    default = metrics["default"]
    table = _table()
    table.add_column("on the test split")
    table.add_column("found", justify="right", style="bold")
    table.add_column("default", justify="right")
    objective = metrics["objective"]
    names = sorted(metrics["test"], key=lambda name: name != objective)
    for name in names:
        row = (_metric(name), number(metrics["test"][name]), number(default["test"].get(name)))
        table.add_row(*row, style="green" if name == objective else "", end_section=name == names[-1])
    table.add_row("parameters", large(metrics["parameters"]), large(default["parameters"]))
    table.add_row("FLOPs for one example", large(metrics["flops"]), large(default["flops"]))
    latencies = [f"{number(value, 3)} ms" for value in (metrics["latency_ms"], default["latency_ms"])]
    table.add_row("latency for one example", *latencies)
    return table


def _verdict(metrics: Mapping[str, Any]) -> str:
    objective = metrics["objective"]
    name, mean = metric_name(objective), number(metrics["validation"].get(objective))
    spread = metrics["validation_spread"].get(objective)
    seeds = next((row["deciding_seeds"] for row in metrics["finalists"] if row["chosen"]), 0)
    over = f" ± {number(spread, 2)} over {count(seeds, 'fresh seed')}" if spread else ""
    if metrics["default"]["is_winner"]:
        return f"Nothing proved better than the default, with its {name} of {mean}{over} on the validation split."
    return f"Chosen for its {name} of {mean}{over} on the validation split."


def _print_files(output: Output, result: Result) -> None:
    metrics = result.metrics
    output.say("")
    output.say(Text.assemble(("Files in ", "bold"), str(result.run)))
    for name, what in FILES.items():
        if (result.run / name).exists():
            output.say(f"  {name:<18} {what}")
    output.say("")
    folder = shlex.quote(str(result.run))
    commands = {
        f"archwise predict {folder} DATA": "predictions for new data",
        f"archwise show {folder}": "the network, finalists, best trials, failures",
        f"archwise resume {folder} {metrics['to_go_on']}": "search on from here",
    }
    output.say("Next", "bold")
    for command, what in commands.items():
        output.say(f"  {command:<{max(map(len, commands))}}  {what}")


def print_details(output: Output, metrics: Mapping[str, Any], trials: pd.DataFrame) -> None:
    """Print the finalists, the best trials, and why trials failed."""
    objective = metrics["objective"]
    name = metric_name(objective)
    sign = -1 if is_lower_better(objective) else 1
    finalists = _table(
        "Finalists, as trained in full with fresh seeds", ("trial", name, "with each seed", "parameters")
    )
    for row in metrics["finalists"]:
        each = ", ".join(number(sign * score) for score in row["scores"])
        mean = number(sign * row["mean"]) if row["deciding_seeds"] else "–"
        cells = (str(row["trial"]), mean, each or "–", large(row["parameters"]))
        finalists.add_row(*cells, style="green" if row["chosen"] else "")
    output.print(finalists)
    searched = trials.query("purpose == 'search'")
    best = searched.sort_values("score", ascending=False).head(BEST_TRIALS)
    rows = [{str(k): v for k, v in row.items()} for row in best.to_dict("records") if row["status"] == "finished"]
    print_trials(output, [row | {"value": sign * row["score"]} for row in rows], name)
    failed = trials.query("status == 'failed'")
    print_failures(output, Counter(failed["reason"]))


def print_architecture(output: Output, metrics: Mapping[str, Any]) -> None:
    """Print the choices of the network that was found, those that differ from the default's marked."""
    table = _table("The network and its training", ("choice", "found", "default"))
    for part in ("architecture", "recipe"):
        default = metrics["default"][part]
        for path, label in metrics[part].items():
            usual = default.get(path)
            table.add_row(path, plain(label), plain(usual), style="" if label == usual else "green")
    output.print(table)


def print_trials(output: Output, rows: list[dict[str, Any]], name: str) -> None:
    """Print the best trials.

    Args:
        output: where to.
        rows: of each trial `number`, `value` (the objective), `fidelity`, `parameters`, `seconds` and `origin`.
        name: the objective in words.
    """
    if not rows:
        return
    columns = ("trial", name, "trained", "parameters", "took", "from")
    table = _table("Best trials on the validation split", columns)
    for row in rows:
        trained = f"{100 * row['fidelity']:.0f} %"
        cells = (str(row["number"]), number(row["value"]), trained, large(row["parameters"]))
        table.add_row(*cells, duration(row["seconds"]), row["origin"] or "–")
    output.print(table)


def print_trade_offs(
    output: Output, rows: Sequence[Mapping[str, Any]], objective: str, minimise: Sequence[str]
) -> None:
    """Print the Pareto set; nothing where no cost was minimised, or no trial was trained in full.

    Args:
        output: where to.
        rows: see `pareto_rows`.
        objective: the metric that decides.
        minimise: the costs.
    """
    if not rows or not minimise:
        return
    places = range(len(rows)) if len(rows) <= TRADE_OFFS else np.linspace(0, len(rows) - 1, TRADE_OFFS).round()
    more = "" if len(rows) <= TRADE_OFFS else f", {TRADE_OFFS} of {len(rows)}"
    output.say("")
    output.say(f"Trade-offs on the validation split{more}", "bold")
    table = _table(columns=("trial", metric_name(objective), *map(cost_name, minimise)))
    for row in (rows[int(place)] for place in places):
        table.add_row(str(row["trial"]), number(row[objective]), *(cost_text(name, row[name]) for name in minimise))
    output.print(table)


def print_failures(output: Output, reasons: Mapping[str, int]) -> None:
    """Print why trials failed, the commonest reason first."""
    if not reasons:
        return
    output.say("")
    output.say("Failures", "bold")
    for reason, times in sorted(reasons.items(), key=lambda item: -item[1]):
        output.say(f"  {times:>4} × {reason}", "yellow")


def _metric(name: str) -> str:
    return f"{metric_name(name)} (lower is better)" if is_lower_better(name) else metric_name(name)


def _table(title: str = "", columns: tuple[str, ...] = ()) -> Table:
    """Return a table without a frame; its first column is text, the others are numbers unless they are words."""
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
