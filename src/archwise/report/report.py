"""The report's page: its sections in their order, with style and scripts in the one file."""

from __future__ import annotations

from pathlib import Path

from archwise.files import write_atomic
from archwise.report import sections
from archwise.report.charts import cost_chart, progress_chart
from archwise.report.choices import choices
from archwise.report.data import page_data
from archwise.report.headline import comparison, headline
from archwise.report.markup import Html, embed, tag
from archwise.report.past_tasks import past_tasks
from archwise.report.record import RunRecord
from archwise.report.trade_offs import trade_offs
from archwise.report.words import count

_HERE = Path(__file__).parent


def write_report(run: str | Path) -> Path:
    """Write report.html into a run folder and return its path: one file that needs no network and no server.

    It tells what was found beside the default, how the search went, what the network looks like, and every trial.

    Args:
        run: the run folder; metrics.json, run.json, architecture.json and trials.parquet are all that is read.

    Raises:
        RunError: one of these is missing or unreadable.
        OSError: the folder cannot be written or the disk is full.
    """
    found = RunRecord.load(run)
    path = Path(run) / "report.html"
    write_atomic(path, "<!doctype html>\n" + _page(found))
    return path


def _page(run: RunRecord) -> Html:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"archwise: a network for {run.metrics['task']['name']}"),
        tag("style", _asset("report.css")),
    )
    body = tag(
        "main",
        headline(run),
        comparison(run),
        progress_chart(run),
        cost_chart(run),
        trade_offs(run),
        sections.network(run),
        sections.recipe(run),
        sections.finalists(run),
        choices(run),
        past_tasks(run),
        _trials(run),
        sections.task(run),
        sections.method(run),
        sections.again(run),
    )
    footer = tag("footer", f"Written by archwise {run.search['archwise']}.")
    scripts = [tag("script", _asset(name)) for name in ("charts.js", "trials.js")]
    return tag("html", head, tag("body", body, footer, embed(page_data(run), "data"), scripts), lang="en")


def _trials(run: RunRecord) -> Html:
    confirmations = len(run.trials) - len(run.searched)
    text = f"{count(len(run.searched), 'trial')} of the search"
    text += f", and {count(confirmations, 'evaluation')} with fresh seeds" if confirmations else ""
    return tag(
        "section",
        tag("h2", "Every trial"),
        tag("p", f"{text}. A click on a heading sorts, a click on a row shows its choices and, if it failed, why."),
        tag("noscript", tag("p", "The charts and this table need JavaScript; trials.parquet holds the same.")),
        tag("div", id="trials"),
    )


def _asset(name: str) -> Html:
    return Html((_HERE / name).read_text(encoding="utf-8"))
