"""A whole search from the command line, and what can be done with its run folder."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from typer.testing import Result

import archwise as package

Run = Callable[..., subprocess.CompletedProcess[str]]
Invoke = Callable[..., Result]
Searched = tuple[Path, subprocess.CompletedProcess[str]]
KEYS = {"run", "architecture", "validation", "test", "default", "trials"}
KEYS |= {"parameters", "flops", "latency_ms", "seconds", "seed"}
QUICK = ("--trials", "1", "--epochs", "1", "--workers", "1", "--experience", "experience.sqlite")


def test_plain_lines_tell_the_search_and_the_result(searched: Searched) -> None:
    folder, done = searched
    assert done.stderr == ""
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "Task iris"
    result = package.load(folder / "run")
    for note in result.metrics["task"]["notes"]:
        assert f"  {note}" in lines
    assert lines.index("Run folder run") < next(i for i, line in enumerate(lines) if "] Searching" in line)
    for name in ("accuracy", "log loss"):
        key = name.replace(" ", "_")
        row = next(line for line in lines if re.match(rf"\s+{name}\b.*\d", line))
        assert f"{result.test[key]:.4f}"[:5] in row and f"{result.default['test'][key]:.4f}"[:5] in row
    assert any(line.startswith("  report.html") for line in lines)
    assert any("archwise predict run DATA" in line for line in lines)


def test_json_is_one_object_and_everything_else_goes_to_stderr(archwise: Run) -> None:
    done = archwise("search", "iris", *QUICK, "--run", "run", "--seed", "5", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1 and set(answer) == KEYS
    assert (answer["run"], answer["seed"]) == ("run", 5)
    assert answer["trials"] == {"finished": 1, "failed": 0, "pruned": 0}
    assert 0 <= answer["default"]["test"]["accuracy"] <= 1
    assert "Searching" in done.stderr and "Traceback" not in done.stderr


def test_json_of_an_error_is_silence_on_stdout(archwise: Run) -> None:
    done = archwise("search", "nothing.csv", "--target", "y", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There is no file nothing.csv: check the name.\n"


def test_a_csv_with_options_reaches_the_search(archwise: Run, tmp_path: Path) -> None:
    frame = load_iris(as_frame=True).frame
    frame.assign(target=frame.target.map({0: "a", 1: "b", 2: "c"}), row=range(150)).to_csv(tmp_path / "my iris.csv")
    options = ("--target", "target", "--ignore", "row", "--metric", "f1", "--strategy", "random", "--space", "mlp")
    limits = ("--fix", "depth=1,3", "--fix", "optimizer=adamw", "--exclude", "residual=true", "--fix", "dropout=0.1")
    done = archwise("search", "my iris.csv", *options, *limits, *QUICK, "--run", "my run", "--seed", "3")
    assert done.returncode == 0, done.stderr
    result = package.load(tmp_path / "my run")
    assert result.metrics["objective"] == "f1" and result.metrics["seed"] == 3
    assert result.architecture["depth"] in (1, 3)
    assert "archwise predict 'my run' DATA" in done.stdout
    frame.drop(columns="target").to_csv(tmp_path / "new.csv")
    predicted = archwise("predict", "my run", "new.csv", "--output", "predicted.csv")
    assert (predicted.returncode, predicted.stdout) == (0, "")
    assert set(pd.read_csv(tmp_path / "predicted.csv")["prediction"]) <= {"a", "b", "c"}


def test_show_gives_result_finalists_trials_and_files(invoke: Invoke, run: Path) -> None:
    text = invoke("show", "run").stdout
    result = package.load(run)
    for part in ("Finalists", "Best trials", "on the test split", "report.html", "archwise resume run"):
        assert part in text
    for path in result.architecture:
        assert path in text
    assert re.search(r"^\s+0 .*the space's default", text, re.MULTILINE)


def test_show_as_json_holds_all_numbers_of_the_folder_where_it_is_now(invoke: Invoke, run: Path) -> None:
    moved = run.rename(run.with_name("elsewhere"))
    shown = json.loads(invoke("show", moved, "--json").stdout)
    assert shown["run"] == str(moved) and shown["state"] == "finished"
    assert shown["test"] == package.load(moved).test


def test_show_of_an_unfinished_run_tells_what_is_known(invoke: Invoke, searched: Searched, tmp_path: Path) -> None:
    run = shutil.copytree(searched[0] / "run", tmp_path / "run")
    (run / "metrics.json").unlink()
    done = invoke("show", "run")
    assert done.exit_code == 0
    assert "so far it has made 2 trials" in done.stdout and "archwise resume run" in done.stdout
    shown = json.loads(invoke("show", "run", "--json").stdout)
    assert shown["trials"]["finished"] == 2
    assert shown["best"]["validation"]["accuracy"] >= shown["default"]["validation"]["accuracy"]


def test_predictions_are_those_of_the_network_in_the_form_of_the_data(invoke: Invoke, run: Path) -> None:
    load_iris(as_frame=True).data.iloc[::10].to_csv("new.csv", index=False)
    table = pd.read_csv(io.BytesIO(invoke("predict", "run", "new.csv").stdout_bytes))
    expected = package.load(run).predict("new.csv")
    assert list(table.columns) == [
        "prediction",
        *(f"probability of {c}" for c in ("setosa", "versicolor", "virginica")),
    ]
    assert list(table["prediction"]) == list(expected["prediction"])
    np.testing.assert_allclose(table.iloc[:, 1:], expected.iloc[:, 1:], rtol=1e-5)
    np.testing.assert_allclose(table.iloc[:, 1:].sum(axis=1), 1, rtol=1e-5)


def test_a_finished_run_is_resumed_with_more_trials(archwise: Run, tmp_path: Path) -> None:
    first = archwise("search", "iris", *QUICK, "--run", "run", "--fix", "depth=1")
    assert first.returncode == 0, first.stderr
    refused = archwise("resume", "run")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and "--trials" in refused.stderr
    more = archwise("resume", "run", "--trials", "2", "--json")
    assert json.loads(more.stdout)["trials"]["finished"] == 2
    assert "Going on after" in more.stderr


def test_the_experience_is_shown_task_by_task(invoke: Invoke, searched: Searched) -> None:
    place = searched[0] / "experience.sqlite"
    text = invoke("experience", "--experience", place).stdout
    assert re.search(r"iris\s+1\s+\d+\s+0\s+accuracy\s+[01]\.\d+", text)
    [task] = json.loads(invoke("experience", "--experience", place, "--json").stdout)["tasks"]
    assert (task["name"], task["searches"], task["failed"]) == ("iris", 1, 0)
    assert task["finished"] > 2  # the finalists' evaluations count, too


@pytest.mark.parametrize("arguments", [["show", "run"], ["show", "run", "--json"], ["predict", "run", "new.csv"]])
def test_a_closed_pipe_is_silent(run: Path, arguments: list[str]) -> None:
    load_iris(as_frame=True).data.to_csv(run.parent / "new.csv", index=False)
    command = [sys.executable, "-c", "from archwise.cli import main; main()", *arguments]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(command, cwd=run.parent, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_failures_are_told_once_with_their_reason(archwise: Run, tmp_path: Path) -> None:
    done = archwise("search", "iris", *QUICK, "--trials", "3", "--trial-minutes", "0.00001", "--run", "run")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert len(re.findall("failed: time limit", done.stdout)) == 1
    assert re.search("3 × time limit", archwise("show", "run").stdout)
