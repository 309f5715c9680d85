"""The charts and the table, as a browser draws them; where there is none, the rest of the tests must do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from archwise.report import write_report

from .reading import Element, read_page

Builder = Callable[..., Path]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPEN_FAILED = (
    '<script>document.querySelector("#trials select").selectedIndex = 2;'
    'document.querySelector("#trials select").dispatchEvent(new Event("change"));'
    'document.querySelector("#trials tbody tr").click();</script>'
)


def drawn(path: Path, tmp_path: Path, script: str = "") -> Element:
    """The page after its scripts have run."""
    assert BROWSER is not None
    page = tmp_path / "page.html"
    page.write_text(path.read_text() + script)
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--virtual-time-budget=2000",
    ]
    command = [BROWSER, *flags, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom", page.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    (tmp_path / "drawn.html").write_text(result.stdout)
    return read_page(tmp_path / "drawn.html")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium to draw the page with")
@pytest.mark.parametrize("kind", ["cnn", "mlp"])
def test_charts_and_table_show_every_trial(make_run: Builder, tmp_path: Path, kind: str) -> None:
    problem = "multiclass" if kind == "cnn" else "regression"
    run = make_run(trials=60, space=kind, problem=problem)
    trials = pd.read_parquet(run / "trials.parquet")
    searched = trials[trials["purpose"] == "search"]
    page = drawn(write_report(run), tmp_path, OPEN_FAILED)
    for chart in ("progress-chart", "cost-chart"):
        (place,) = page.all("div", id=chart)
        assert len(place.all("circle", **{"class": "dot"})) == (searched["status"] == "finished").sum()
        assert place.all("circle", **{"class": "winner"})
    (place,) = page.all("div", id="progress-chart")
    for status in ("failed", "pruned"):
        assert len(place.all("path", **{"class": status})) == (searched["status"] == status).sum()
    (table,) = page.all("table", **{"class": "trials"})
    rows = table.all("tbody")[0].all("tr")
    failed = trials[trials["status"] == "failed"]
    assert len(rows) == len(failed) + 1
    assert failed["reason"].iloc[0] in rows[1].text
