"""Running the command line as people do: as a process, and in a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from typer.testing import CliRunner, Result

from archwise.cli import app

COMMAND = (sys.executable, "-c", "from archwise.cli import main; main()")
SEARCH = ("search", "iris", "--trials", "2", "--epochs", "3", "--workers", "1")
Run = Callable[..., subprocess.CompletedProcess[str]]


MEDDLING = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: none of what would change how output looks."""
    kept = {name: value for name, value in os.environ.items() if name not in MEDDLING}
    return kept | {"TERM": "xterm-256color"} | more


@pytest.fixture
def archwise(tmp_path: Path) -> Run:
    """Runs the command in a process of its own, in a folder of its own; its output comes as text."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command inside this process, which is fast enough for many cases; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    for name in MEDDLING:
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with the run folder `run` and the experience of one search on iris, and what the search printed."""
    folder = tmp_path_factory.mktemp("searched")
    command = [*COMMAND, *SEARCH, "--run", "run", "--experience", "experience.sqlite"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def run(searched: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """A finished run folder to do anything with, in the working folder of the commands."""
    return shutil.copytree(searched[0] / "run", tmp_path / "run")


@pytest.fixture
def iris(tmp_path: Path) -> pd.DataFrame:
    """The frame of iris.csv, which lies in the working folder."""
    frame = load_iris(as_frame=True).frame
    frame["target"] = np.array(["setosa", "versicolor", "virginica"])[frame["target"]]
    frame.to_csv(tmp_path / "iris.csv", index=False)
    return frame


@pytest.fixture
def refuses(invoke: Callable[..., Result], tmp_path: Path) -> Callable[..., None]:
    """Makes sure that a command is refused with one sentence that names the offender, and leaves nothing behind."""

    def files() -> set[Path]:
        # The experience aside, which is made before anything is read.
        return {path for path in tmp_path.rglob("*") if not path.name.startswith("experience.")}

    def check(arguments: Sequence[str | Path], *named: str) -> None:
        before = files()
        done = invoke(*arguments)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1 and done.stderr[-2] in ".?", done.stderr
        assert "Traceback" not in done.stderr
        for part in named:
            assert part in done.stderr
        assert files() == before

    return check


class Terminal:
    """A command in a terminal of 100 columns; `text` is all that it wrote, control sequences included."""

    def __init__(self, arguments: Sequence[str], cwd: Path, **more: str):
        self.text = ""
        self._master, slave = pty.openpty()
        os.set_blocking(self._master, False)
        size = {"COLUMNS": "100", "LINES": "40"}
        # A session of its own, with this terminal: so ^C reaches it as from a keyboard.
        begin = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = [sys.executable, "-c", begin, *COMMAND, *arguments]
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environment(**size, **more), start_new_session=True, **streams
        )
        os.close(slave)

    def wait_for(self, pattern: str, seconds: float = 120) -> None:
        """Read on until the text after what was waited for before holds a pattern."""
        start, deadline = len(self.text), time.monotonic() + seconds
        while not re.search(pattern, self.text[start:]):
            assert time.monotonic() < deadline, f"{pattern!r} did not come: {self.text[-2000:]!r}"
            assert self._read(), f"ended without {pattern!r}: {self.text[-2000:]!r}"

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def end(self, seconds: float = 120) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, f"did not end: {self.text[-2000:]!r}"
        return self.process.wait(timeout=30)

    def _read(self) -> bool:
        """Read what is there within a second; return whether more may come."""
        if not select.select([self._master], [], [], 1.0)[0]:
            return True
        with suppress(OSError):  # the other end was closed
            if piece := os.read(self._master, 65536):
                self.text += piece.decode(errors="replace")
                return True
        return False

    def close(self) -> None:
        """Kill what still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts commands in terminals, which are closed at the end of the test."""
    opened: list[Terminal] = []

    def start(*arguments: str, **more: str) -> Terminal:
        opened.append(Terminal(arguments, tmp_path, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
