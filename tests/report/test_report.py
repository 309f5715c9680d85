"""The report says what the run folder holds, all of it, safely, and in every kind of run."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from archwise.errors import RunError
from archwise.report import write_report

from .reading import Element, column, page_data, read_page, table_figures

Builder = Callable[..., Path]
HOSTILE = "<script>alert(1)</script>"
KINDS: dict[str, dict[str, Any]] = {
    "images": {},
    "few trials, interrupted": {"space": "conv1d", "trials": 6, "interrupted": True, "confirm": 0},
    "no failures": {"space": "mlp", "problem": "binary", "failures": 0, "trials": 25},
    "regression": {"space": "mlp", "problem": "regression", "trials": 40, "fidelities": (1.0,)},
    "one trial": {"space": "mlp", "trials": 1, "winner_is_default": True, "interrupted": True, "confirm": 1},
    "the default wins": {"space": "cell", "trials": 12, "winner_is_default": True},
    "many fidelities": {"space": "mlp", "trials": 30, "fidelities": (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)},
}


@pytest.fixture(params=list(KINDS))
def run(request: pytest.FixtureRequest, make_run: Builder) -> Path:
    """A run folder of each kind."""
    return make_run(**KINDS[request.param])


def change(run: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a JSON file of a run folder."""
    data = json.loads((run / name).read_text())
    edit(data)
    (run / name).write_text(json.dumps(data))


def words(page: Element) -> str:
    """What a person reads, with ordinary spaces."""
    return page.all("main")[0].text.replace("\N{NO-BREAK SPACE}", " ")


def test_every_kind_of_run_has_all_sections_in_order(run: Path) -> None:
    path = write_report(run)
    assert path == run / "report.html"
    assert not [file for file in run.iterdir() if file.name.startswith(".")]
    page = read_page(path)
    headings = [heading.text for heading in page.all("h2")]
    assert headings[1:] == [
        "Progress",
        "Quality against cost",
        "The network",
        "The recipe",
        "The finalists",
        "What choices seem to do",
        "Every trial",
        "The task",
        "How it was chosen",
        "Use it, and do it again",
    ]
    assert "nan" not in words(page).lower().replace("finance", "")
    assert "None" not in words(page)


def test_figures_are_those_of_the_run(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    page = read_page(write_report(run))
    alone = metrics["default"]["is_winner"]
    rows = table_figures(page, "The answer in numbers" if alone else "Beside the default")
    keys = ("parameters", "flops", "latency_ms")
    own = [*metrics["test"].values(), *(metrics[key] for key in keys)]
    other = [*metrics["default"]["test"].values(), *(metrics["default"][key] for key in keys)]
    assert (
        rows == [[value] for value in own] if alone else rows == [list(pair) for pair in zip(own, other, strict=True)]
    )
    sign = 1 if metrics["higher_is_better"] else -1
    shown = table_figures(page, "The finalists")
    for row, finalist in zip(shown, metrics["finalists"], strict=True):
        scores = [finalist["search_score"], *finalist["scores"], *([finalist["mean"]] if finalist["scores"] else [])]
        assert row == [*(sign * score for score in scores), finalist["parameters"]]
    for text in (metrics["task"]["name"], str(metrics["seeds"]["final"]), metrics["versions"]["torch"]):
        assert text in words(page)


def test_every_trial_is_there(run: Path) -> None:
    trials = pd.read_parquet(run / "trials.parquet")
    trials.loc[trials["purpose"] == "confirm", "number"] -= (trials["purpose"] == "search").sum()
    trials.to_parquet(run / "trials.parquet")
    metrics = json.loads((run / "metrics.json").read_text())
    data = page_data(read_page(write_report(run)))
    for name in ("number", "purpose", "status", "reason", "traceback", "origin", "parameters", "seed"):
        assert column(data, name) == trials[name].tolist(), name
    sign = 1 if metrics["higher_is_better"] else -1
    values = [None if math.isnan(score) else pytest.approx(sign * score, rel=1e-6) for score in trials["score"]]
    assert column(data, "value") == values
    ends = trials["started"] + trials["seconds"] - trials["started"].min()
    assert column(data, "elapsed") == [pytest.approx(end, rel=1e-4) for end in ends]
    for row, architecture in enumerate(trials["architecture"]):
        recorded = {path: column(data, path)[row] for path in json.loads(architecture)}
        assert recorded == json.loads(architecture)
    if metrics["finalists"]:
        assert data["winner"] == next(f["trial"] for f in metrics["finalists"] if f["chosen"])


def test_another_number_makes_another_report(make_run: Builder) -> None:
    run = make_run(trials=10)
    before = write_report(run).read_text()
    change(run, "metrics.json", lambda metrics: metrics["test"].update(accuracy=0.87654))
    page = read_page(write_report(run))
    assert (run / "report.html").read_text() != before
    assert "0.8765" in words(page)
    assert "87.7 % of 360 test examples" in words(page)
    assert table_figures(page, "Beside the default")[0][0] == 0.87654


def test_two_thousand_trials_stay_small(make_run: Builder) -> None:
    path = write_report(make_run(trials=2000, space="mlp"))
    data = page_data(read_page(path))
    assert column(data, "number")[:2000] == list(range(2000))
    assert path.stat().st_size < 1_000_000


def test_nothing_is_fetched(make_run: Builder) -> None:
    path = write_report(make_run(trials=10))
    text = path.read_text()
    page = read_page(path)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest|import\(|//cdn", text)
    elements = [e for name in ("script", "link", "img", "iframe", "a", "use", "object") for e in page.all(name)]
    assert {element.name for element in elements} == {"script"}
    assert not any({"src", "href"} & element.attributes.keys() for element in elements)


def test_names_are_text_and_never_markup(make_run: Builder) -> None:
    run = make_run(trials=30, name=f"{HOSTILE}.csv", notes=(f"The column {HOSTILE!r} is left out.", "a & b < c"))
    plain_scripts = len(read_page(write_report(make_run(trials=30))).all("script"))

    def spoil(metrics: dict[str, Any]) -> None:
        metrics["task"]["classes"] = [HOSTILE, "<b>", "]]>"]
        metrics["run"] = f"/tmp/{HOSTILE} 'run'"
        metrics["strategy"]["why"] = HOSTILE

    change(run, "metrics.json", spoil)

    def rename(architecture: dict[str, Any]) -> None:
        architecture["architecture"][HOSTILE] = HOSTILE
        architecture["graph"]["vertices"][1]["kind"] = HOSTILE
        architecture["graph"]["vertices"][1]["attributes"] = {"name": HOSTILE, HOSTILE: HOSTILE}

    change(run, "architecture.json", rename)
    trials = pd.read_parquet(run / "trials.parquet")
    trials.loc[5, ["status", "reason", "traceback"]] = ["failed", HOSTILE, f"</script><!-- {HOSTILE}"]
    trials.to_parquet(run / "trials.parquet")
    page = read_page(write_report(run))
    assert len(page.all("script")) == plain_scripts
    assert page.all("h1")[0].text == f"A network for {HOSTILE}.csv"
    assert f"The column {HOSTILE!r} is left out." in words(page)
    assert "a & b < c" in words(page)
    data = page_data(page)
    assert column(data, "reason")[5] == HOSTILE
    assert column(data, "traceback")[5] == f"</script><!-- {HOSTILE}"


@pytest.mark.parametrize(
    ("found", "default", "said"),
    [
        (0.9, 0.9, "sees no difference"),
        (0.91, 0.9, "well within what chance alone produces"),
        (0.93, 0.9, "no proof"),
        (0.95, 0.80, "more than chance alone is likely"),
        (0.80, 0.95, "15.0 points fewer"),
    ],
)
def test_the_headline_judges_the_difference(make_run: Builder, found: float, default: float, said: str) -> None:
    run = make_run(trials=10)

    def edit(metrics: dict[str, Any]) -> None:
        metrics["test"]["accuracy"] = found
        metrics["default"]["test"]["accuracy"] = default

    change(run, "metrics.json", edit)
    text = words(read_page(write_report(run)))
    assert said in text
    error = math.sqrt(found * (1 - found) / 360)
    assert f"give or take {100 * error:.1f} points" in text
    assert f"± {error:.4f}" in text


def test_a_perfect_score_keeps_an_error(make_run: Builder) -> None:
    run = make_run(trials=10)
    change(run, "metrics.json", lambda metrics: metrics["test"].update(accuracy=1.0))
    assert "give or take 0.2 points" in words(read_page(write_report(run)))


def test_the_headline_says_what_happened(make_run: Builder) -> None:
    alone = words(read_page(write_report(make_run(**KINDS["one trial"]))))
    assert "before it was interrupted" in alone
    assert "nothing better than the ready-made default network" in alone
    unconfirmed = words(read_page(write_report(make_run(**KINDS["few trials, interrupted"]))))
    assert "was not evaluated again with fresh seeds" in unconfirmed
    run = make_run(**KINDS["regression"])
    change(run, "metrics.json", lambda metrics: metrics["test"].update(rmse=2 * metrics["default"]["test"]["rmse"]))
    regression = words(read_page(write_report(run)))
    assert "worse than the default network" in regression
    assert "RMSE is higher by 100.0 %" in regression


def test_pauses_between_sessions_do_not_count(make_run: Builder) -> None:
    run = make_run(trials=20, confirm=0, space="mlp")
    trials = pd.read_parquet(run / "trials.parquet")
    before = column(page_data(read_page(write_report(run))), "elapsed")
    resumed = float(trials["started"][10])
    trials.loc[10:, "started"] += 7200.0
    trials.to_parquet(run / "trials.parquet")
    change(run, "run.json", lambda data: data["sessions"].append(resumed + 7200.0))
    assert column(page_data(read_page(write_report(run))), "elapsed") == pytest.approx(before, abs=0.1)


def test_a_missing_file_is_named(make_run: Builder) -> None:
    run = make_run(trials=5)
    for name in ("metrics.json", "run.json", "architecture.json", "trials.parquet"):
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[:20])
        with pytest.raises(RunError, match=re.escape(name)):
            write_report(run)
        (run / name).write_bytes(content)
    write_report(run)
