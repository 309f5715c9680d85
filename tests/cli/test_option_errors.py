"""Options that cannot be, and how errors are shown."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]
Refuses = Callable[..., None]
ON_IRIS = ("search", "iris.csv", "--target", "target")
QUICK = ("--trials", "1", "--epochs", "1", "--workers", "1", "--run", "run", "--experience", "experience.sqlite")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--space nets", "mlp, cnn"),
        ("--strategy luck", "random, grid, evolution"),
        ("--metric rmse", "balanced_accuracy"),
        ("--metric luck", "balanced_accuracy"),
        ("--minimise size", "parameters, flops, latency_ms"),
        ("--minimise parameters --minimise accuracy", "'accuracy'"),
        ("--ignore nothing", "'nothing'"),
        ("--ignore target", "'target'"),
        ("--problem regression", "'setosa'"),
        ("--kind image", "'image'"),
        ("--fix dpeth=2", "did you mean 'depth'"),
        ("--fix depth=99", "'99'"),
        ("--fix depth", "CHOICE=VALUE"),
        ("--exclude depth=", "CHOICE=VALUE"),
        ("--fix depth=1 --exclude depth=1", "'depth'"),
        ("--seed -1", "seed"),
        (f"--seed {2**63}", "seed"),
        ("--trials 0", "trials"),
        ("--minutes -2", "minutes"),
        ("--minutes nan", "minutes"),
        ("--minutes inf", "minutes"),
        ("--epochs 0", "epochs"),
        ("--epochs nan", "epochs"),
        ("--workers 0", "workers"),
        ("--workers 1000000", "workers"),
        ("--memory-gb -1", "memory"),
        ("--memory-gb 0.001", "memory"),
        ("--memory-gb inf", "memory"),
        ("--trial-minutes 0", "minutes a trial"),
    ],
)
@pytest.mark.usefixtures("iris")
def test_options_that_cannot_be(refuses: Refuses, options: str, named: str) -> None:
    refuses([*ON_IRIS, *QUICK, *options.split()], named)


@pytest.mark.usefixtures("iris")
def test_a_gpu_that_is_not_there(archwise: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    done = archwise(*ON_IRIS, *QUICK, "--device", "cuda", CUDA_VISIBLE_DEVICES="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "'cuda'" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {"iris.csv", "experience.sqlite"}


def test_the_traceback_is_shown_where_it_is_asked_for(invoke: Invoke) -> None:
    done = invoke("show", "nowhere", "--debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr and done.stderr.rstrip().splitlines()[-1].startswith("nowhere is no run folder")


def test_what_is_not_the_users_fault_is_called_a_bug(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("archwise.terminal.show.show_run", broken)
    done = invoke("show", "run")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and "bug in archwise (ZeroDivisionError: division by zero)" in done.stderr
    assert "--debug" in done.stderr and "Traceback" not in done.stderr
    assert "in broken" in invoke("show", "run", "--debug").stderr


def test_what_the_system_refuses_names_the_file(refuses: Refuses, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, named in ((errno.ENOSPC, "disk is full"), (errno.EMFILE, "Too many open files")):

        def refuse(*_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number), "some/file")

        monkeypatch.setattr("archwise.terminal.show.show_run", refuse)
        refuses(["show", "run"], named, "some/file")
