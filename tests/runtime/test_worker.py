"""The protocol, spoken by hand with one worker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from archwise.runtime.process import WorkerProcess
from archwise.trial import CurvePoint, Outcome

from .conftest import MakeJob


def test_one_line_in_one_outcome_out_and_the_end_of_the_input_is_the_end(make_job: MakeJob) -> None:
    command = [sys.executable, "-m", "archwise.runtime.worker", "1", "cpu"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert json.loads(worker.stdout.readline()) == {"ready": True}
        for seed in range(2):
            worker.stdin.write(json.dumps(make_job(seed=seed).to_json()).encode() + b"\n")
            worker.stdin.flush()
            assert json.loads(worker.stdout.readline()) == {"started": True}
            points = []
            while "point" in (message := json.loads(worker.stdout.readline())):
                points.append(CurvePoint(*message["point"]))
            outcome = Outcome.from_json(message["outcome"])
            assert outcome.status == "finished"
            assert outcome.curve == tuple(points)
        worker.stdin.write(json.dumps(make_job("time.sleep(600)").to_json()).encode() + b"\n")
        worker.stdin.flush()
        assert json.loads(worker.stdout.readline()) == {"started": True}
        worker.stdin.close()
        assert worker.wait(timeout=60) == -signal.SIGKILL


def test_twenty_workers_leave_no_process_and_no_open_file(tmp_path: Path) -> None:
    this = psutil.Process()
    before = this.num_fds()
    for _ in range(20):
        process = WorkerProcess(tmp_path / "log", threads=1)
        assert process.is_alive()
        process.kill()
        process.kill()
        assert not process.is_alive()
    assert this.num_fds() == before
    assert [child for child in this.children() if child.status() == psutil.STATUS_ZOMBIE] == []
