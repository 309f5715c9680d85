"""Workers live exactly as long as they should: from an unguarded script to a parent that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from archwise.runtime.pool import WorkerPool

from .conftest import MakeJob, is_running

PREAMBLE = """
import json, pathlib, sys
from archwise.evaluators.job import TrainingJob
from archwise.runtime.pool import WorkerPool
job = TrainingJob.from_json(json.loads(pathlib.Path({job!r}).read_text()))
pool = WorkerPool(2, log_folder={logs!r})
"""


@pytest.fixture
def script(tmp_path: Path, make_job: MakeJob) -> Callable[[str, str], str]:
    """Write a script that makes a job and a pool of two at module level, without any guard."""

    def write(body: str, first: str = "") -> str:
        (tmp_path / "job.json").write_text(json.dumps(make_job(first).to_json()))
        places = {"job": str(tmp_path / "job.json"), "logs": str(tmp_path / "logs")}
        return PREAMBLE.format(**places) + textwrap.dedent(body)

    return write


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["as a file", "as in a notebook"])
def test_an_unguarded_script_just_works(script: Callable[[str], str], tmp_path: Path, how: str) -> None:
    text = script("""
        print("once")
        pool.submit(1, job)
        pool.submit(2, job)
        scores = {}
        while pool.pending:
            scores.update({key: outcome.score for key, outcome in pool.wait()})
        pool.close()
        print(json.dumps(scores))
    """)
    (tmp_path / "script.py").write_text(text)
    # A file of the user's that is called like one of Python's modules, in the folder where the command is given.
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "random.py").write_text("raise RuntimeError('the wrong random')")
    if how == "as a file":
        command, folder, typed = [sys.executable, str(tmp_path / "script.py")], tmp_path / "elsewhere", None
    else:
        command, folder, typed = [sys.executable, "-"], tmp_path, text
    done = subprocess.run(command, input=typed, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    once, scores = done.stdout.splitlines()
    assert once == "once"
    values = list(json.loads(scores).values())
    assert values[0] == values[1] > 0.5


@pytest.mark.parametrize("moment", ["starting", "training"])
def test_no_worker_outlives_a_parent_that_is_killed(script: Callable[..., str], tmp_path: Path, moment: str) -> None:
    # The job holds the interpreter's lock, so no thread of its worker could watch for the parent's end.
    begun = tmp_path / "begun"
    text = script(
        "pool.submit(1, job); pool.submit(2, job); pool.wait()",
        f"open({str(begun)!r}, 'w').close(); __import__('ctypes').PyDLL(None).sleep(600)",
    )
    parent = subprocess.Popen([sys.executable, "-c", text])
    try:
        assert wait_for(lambda: len(psutil.Process(parent.pid).children()) == 2)
        assert moment == "starting" or wait_for(begun.exists)
        workers = [child.pid for child in psutil.Process(parent.pid).children()]
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_for(lambda: not any(map(is_running, workers)), 30)


def test_control_c_reaches_the_parent_alone(script: Callable[..., str], tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    text = script(
        """
        pool.submit(1, job)
        try:
            pool.wait()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        print([outcome.status for _, outcome in pool.wait()])
        """,  # and no close: the end of the program must be the end of the workers
        f"open({str(begun)!r}, 'w').close()\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)",
    )
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert wait_for(begun.exists)
        workers = [child.pid for child in psutil.Process(parent.pid).children()]
        os.killpg(parent.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        assert parent.stdout.readline() == "interrupted\n"
        go.touch()
        assert parent.stdout.readline() == "['finished']\n"
        assert parent.wait(timeout=60) == 0
    assert wait_for(lambda: not any(map(is_running, workers)), 30)


@pytest.mark.slow
def test_replacing_workers_leaks_nothing(tmp_path: Path, make_job: MakeJob) -> None:
    this = psutil.Process()
    with WorkerPool(1, log_folder=tmp_path) as pool:
        open_files = []
        for key in range(6):
            pool.submit(key, make_job("os._exit(1)"))
            pool.wait()
            pool.submit(key, make_job())  # done by the next worker, so that it is surely there
            pool.wait()
            open_files.append(this.num_fds())
        assert open_files[-1] - open_files[0] <= 1  # other parts of this process may open one
        assert [child.status() for child in this.children()].count(psutil.STATUS_ZOMBIE) == 0
    assert this.num_fds() < open_files[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_parents_memory_is_flat_over_two_thousand_jobs(script: Callable[[str, str], str]) -> None:
    """In a process of its own: what other tests left to one grows and shrinks for reasons of theirs."""
    body = """
        import psutil
        this = psutil.Process()
        with pool:
            for number in range(2_500):
                while not pool.idle:
                    pool.wait()
                pool.submit(number, job)
                if number == 500:
                    level = this.memory_info().rss
            print(this.memory_info().rss - level)
    """
    code = script(body, "raise ValueError(len(sys.path) * 'x')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 3_000_000
