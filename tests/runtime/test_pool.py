"""The pool trains real networks, side by side and one after another, as the trainer alone would."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from archwise.errors import RunError
from archwise.evaluators.training import train
from archwise.runtime import slot
from archwise.runtime.pool import WorkerPool
from archwise.trial import Outcome

from .conftest import MakeJob, is_running


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    with WorkerPool(2, log_folder=tmp_path_factory.mktemp("logs")) as pool:
        yield pool


def collect(pool: WorkerPool) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    while pool.pending:
        outcomes.update(pool.wait(timeout=60))
    return outcomes


def facts(file: Path) -> str:
    """Code for `build_model` that notes down what kind of process it runs in."""
    return f"""
        facts = dict(os.environ, pid=os.getpid(), threads=torch.get_num_threads())
        with open({str(file)!r}, "a") as notes:
            print(__import__("json").dumps(facts), file=notes)
    """


def read_facts(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_outcomes_are_those_of_the_trainer_itself(pool: WorkerPool, make_job: MakeJob) -> None:
    jobs = {key: make_job(seed=key) for key in range(5)}
    for key, job in jobs.items():
        pool.submit(key, job)
    assert pool.pending == (0, 1, 2, 3, 4)
    outcomes = collect(pool)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for key, job in jobs.items():
            alone = train(job)
            assert alone.status == outcomes[key].status == "finished"
            assert alone.score == outcomes[key].score
            assert alone.metrics == outcomes[key].metrics
            assert [point.score for point in alone.curve] == [point.score for point in outcomes[key].curve]
    finally:
        torch.set_num_threads(threads)
    assert len({outcome.metrics["log_loss"] for outcome in outcomes.values()}) == 5
    assert pool.wait() == []


def test_idle_and_pending_count_what_is_out(pool: WorkerPool, make_job: MakeJob) -> None:
    assert (pool.idle, pool.pending) == (2, ())
    pool.submit(7, make_job())
    assert (pool.idle, pool.pending) == (1, (7,))
    with pytest.raises(ValueError, match="key 7 is still pending"):
        pool.submit(7, make_job())
    pool.submit(8, make_job())
    pool.submit(9, make_job())
    assert pool.idle == 0
    assert collect(pool).keys() == {7, 8, 9}
    assert (pool.idle, pool.pending) == (2, ())


def test_wait_returns_empty_handed_when_its_time_is_over(pool: WorkerPool, make_job: MakeJob) -> None:
    pool.submit(0, make_job("time.sleep(60)"))
    assert pool.wait(timeout=0.2) == []
    assert pool.pending == (0,)
    pool.cancel(0)


def test_jobs_follow_each_other_in_one_warm_process(tmp_path: Path, make_job: MakeJob) -> None:
    notes = tmp_path / "notes"
    with WorkerPool(1, log_folder=tmp_path, threads_per_worker=2) as pool:
        for key in range(3):
            pool.submit(key, make_job(facts(notes) + "\n        torch.set_num_threads(1)"))
        collect(pool)
    seen = read_facts(notes)
    assert len({fact["pid"] for fact in seen}) == 1
    assert seen[0]["pid"] != os.getpid()
    assert [fact["threads"] for fact in seen] == [2, 2, 2]
    assert {fact["OMP_NUM_THREADS"] + fact["MKL_NUM_THREADS"] for fact in seen} == {"22"}


@pytest.mark.slow
def test_a_worker_that_has_grown_is_replaced(
    tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "GROWTH_BYTES", 50 << 20)
    notes = tmp_path / "notes"
    hoard = facts(notes) + "\n        torch.hoard = [torch.ones(1 << 25), *getattr(torch, 'hoard', [])]"
    with WorkerPool(1, log_folder=tmp_path) as pool:
        for key in range(3):
            pool.submit(key, make_job(hoard))
        assert {outcome.status for outcome in collect(pool).values()} == {"finished"}
    pids = [fact["pid"] for fact in read_facts(notes)]
    assert pids[0] == pids[1] != pids[2]


def test_gpus_are_dealt_out_in_turn(tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    assert visible(tmp_path, "cuda", 3) == ["GPU-a", "GPU-b", "GPU-a"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible(tmp_path, "cuda", 3) == ["0", "1", "0"]
    assert visible(tmp_path, "cpu", 2) == [None, None]


def visible(folder: Path, device: str, workers: int) -> list[str | None]:
    started: list[str | None] = []

    class Recorded(slot.Slot):
        def serve(self) -> None:
            started.append(self.gpu)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archwise.runtime.pool.Slot", Recorded)
        WorkerPool(workers, log_folder=folder, device=device).close()
    return started


@pytest.mark.slow
def test_a_cancelled_job_ends_and_is_forgotten(tmp_path: Path, make_job: MakeJob) -> None:
    notes = tmp_path / "notes"
    with WorkerPool(1, log_folder=tmp_path) as pool:
        pool.submit(0, make_job(facts(notes) + "\n        time.sleep(600)"))
        pool.submit(1, make_job("raise ValueError('this job was cancelled while it waited')"))
        pool.submit(2, make_job())
        while not notes.exists():
            assert pool.wait(timeout=0.05) == []
        pool.cancel(0)
        pool.cancel(1)
        assert pool.pending == (2,)
        pool.submit(0, make_job("raise ValueError('the second job of that key')"))
        outcomes = collect(pool)
    assert outcomes.keys() == {0, 2}
    assert outcomes[2].status == "finished"
    assert "the second job of that key" in outcomes[0].reason
    assert not is_running(int(read_facts(notes)[0]["pid"]))


def test_closing_ends_running_jobs_and_can_be_repeated(tmp_path: Path, make_job: MakeJob) -> None:
    notes = tmp_path / "notes"
    pool = WorkerPool(1, log_folder=tmp_path / "made" / "here")
    pool.submit(0, make_job(facts(notes) + "\n        print('a word'); time.sleep(600)"))
    while not notes.exists():
        pool.wait(timeout=0.05)
    before = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - before < 60
    assert not is_running(int(read_facts(notes)[0]["pid"]))
    assert pool.pending == ()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(1, make_job())
    assert (tmp_path / "made" / "here" / "worker-0.log").read_text() == "a word\n"


def test_what_a_user_can_get_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at least 1 worker, not 0"):
        WorkerPool(0, log_folder=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"/file/logs cannot be written"):
        WorkerPool(1, log_folder=tmp_path / "file" / "logs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "device_count", lambda: 0)
        with pytest.raises(RunError, match="No GPU is visible"):
            WorkerPool(1, log_folder=tmp_path, device="cuda")


@pytest.mark.slow
def test_workers_that_cannot_start_end_the_pool_with_the_reason(
    tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchmetrics.py").write_text("raise ImportError('this torchmetrics is broken')")
    monkeypatch.syspath_prepend(tmp_path)
    with WorkerPool(2, log_folder=tmp_path / "logs") as pool:
        pool.submit(0, make_job())
        with pytest.raises(RunError, match=r"(?s)cannot start.*exit code 1.*this torchmetrics is broken"):
            pool.wait(timeout=120)
        with pytest.raises(RunError):
            pool.submit(1, make_job())


def test_a_memory_limit_that_no_worker_can_keep_is_said(tmp_path: Path, make_job: MakeJob) -> None:
    with WorkerPool(1, log_folder=tmp_path, memory_limit_bytes=50_000_000) as pool:
        pool.submit(0, make_job())
        with pytest.raises(RunError, match=r"memory limit of 50 MB is less than the \d+ MB"):
            pool.wait(timeout=120)
