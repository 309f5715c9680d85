"""Whatever a job does to its worker becomes a failed outcome with its reason, and the next job finishes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archwise.runtime.pool import WorkerPool
from archwise.runtime.process import LOG_BYTES
from archwise.trial import Outcome

from .conftest import MakeJob, is_running


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def pool(logs: Path) -> Iterator[WorkerPool]:
    with WorkerPool(1, log_folder=logs, time_limit_seconds=120, memory_limit_bytes=1 << 30) as pool:
        yield pool


def run(pool: WorkerPool, *jobs: object, time_limit: float | None = None) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    for key, job in enumerate(jobs):
        pool.submit(key, job, time_limit)  # type: ignore[arg-type]
    while pool.pending:
        outcomes.update(pool.wait(timeout=120))
    return [outcomes[key] for key in range(len(jobs))]


def ends(pid: int) -> bool:
    """Whether a process has ended, or does in the next moments."""
    patience = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < patience:
        time.sleep(0.02)
    return not is_running(pid)


@pytest.mark.parametrize(
    ("code", "reason", "traceback"),
    [
        ("print('last words'); os._exit(3)", "exit code 3", "last words"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal SIGKILL", ""),
        ("__import__('ctypes').string_at(0)", "signal SIGSEGV", "in build_model"),
    ],
)
def test_a_crash_is_an_outcome(pool: WorkerPool, make_job: MakeJob, code: str, reason: str, traceback: str) -> None:
    crashed, next_one = run(pool, make_job(code), make_job())
    assert crashed.status == "failed"
    assert crashed.reason.startswith("crash: the worker")
    assert reason in crashed.reason
    assert traceback in crashed.traceback
    assert next_one.status == "finished"


def test_what_the_trainer_catches_keeps_the_worker(pool: WorkerPool, make_job: MakeJob) -> None:
    recursion = "(lambda f: f(f))(lambda f: f(f))"
    raised, deep, fine = run(pool, make_job("raise OSError('no such luck')"), make_job(recursion), make_job())
    assert "no such luck" in raised.reason
    assert "RecursionError" in deep.reason
    assert "Traceback" in raised.traceback
    assert fine.status == "finished"


def test_prints_reads_and_children_cannot_disturb_the_protocol(pool: WorkerPool, make_job: MakeJob, logs: Path) -> None:
    noisy = """
        print('{"outcome": {"status": "finished"}}')
        os.write(1, b'\\xff\\x00 garbage {"ready": true}')
        subprocess.run(["echo", '{"outcome": {}}'])
        assert sys.stdin.read() == ""
        sys.stdout.close()
        os.close(1)
    """
    quiet, loud, after = run(pool, make_job(seed=3), make_job(noisy, seed=3), make_job(seed=3))
    assert quiet.metrics == loud.metrics == after.metrics
    assert quiet.status == "finished"
    assert '{"outcome": {}}' in (logs / "worker-0.log").read_text(errors="replace")


@pytest.mark.slow
def test_the_time_limit_keeps_the_curve(pool: WorkerPool, make_job: MakeJob) -> None:
    slow = """
        class Slow(torch.nn.Linear):
            def forward(self, x):
                time.sleep(0.05)
                return super().forward(x)
        return Slow(4, 3)
    """
    limited, next_one = run(pool, make_job(slow, epochs=60), make_job(), time_limit=3)
    assert limited.status == "failed"
    assert limited.reason == "time limit: stopped after 3 seconds"
    assert limited.curve
    fidelities = [point.fidelity for point in limited.curve]
    assert fidelities == sorted(set(fidelities))
    assert fidelities[-1] < 1
    assert next_one.status == "finished"


def test_the_memory_limit_ends_a_job_before_it_ends_the_machine(pool: WorkerPool, make_job: MakeJob) -> None:
    glutton = """
        kept = []
        for _ in range(100):
            kept.append(torch.ones(25_000_000))
            time.sleep(0.05)
    """
    limited, next_one = run(pool, make_job(glutton), make_job())
    assert limited.reason.startswith("memory limit: held")
    assert limited.reason.endswith("of 1,074 MB allowed")
    assert next_one.status == "finished"


def test_mapped_files_are_not_held_against_a_job(pool: WorkerPool, make_job: MakeJob, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3 << 29)
    reader = f"""
        import mmap
        with open({str(tmp_path / "large")!r}, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        sum(mapped[i] for i in range(0, len(mapped), 4096))
        time.sleep(0.5)
    """
    assert [outcome.status for outcome in run(pool, make_job(reader))] == ["finished"]


@pytest.mark.slow
def test_a_worker_killed_from_outside_is_replaced(pool: WorkerPool, make_job: MakeJob, tmp_path: Path) -> None:
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    run(pool, make_job(note))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # while it is idle: nobody's failure
    assert [outcome.status for outcome in run(pool, make_job(note))] == ["finished"]
    (tmp_path / "pid").unlink()
    pool.submit(0, make_job(note + "; time.sleep(600)"))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert pool.wait(timeout=0.05) == []
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    [(_, killed)] = pool.wait(timeout=60)
    assert "signal SIGKILL" in killed.reason
    assert [outcome.status for outcome in run(pool, make_job())] == ["finished"]


def test_a_job_that_keeps_the_interpreter_to_itself_ends_in_time_with_all_that_it_started(
    pool: WorkerPool, make_job: MakeJob, tmp_path: Path
) -> None:
    stuck = f"""
        child = subprocess.Popen(["sleep", "600"]).pid
        open({str(tmp_path / "pid")!r}, "w").write(str(child))
        __import__("ctypes").PyDLL(None).sleep(600)
    """
    [outcome] = run(pool, make_job(stuck), time_limit=1)
    assert outcome.reason == "time limit: stopped after 1 seconds"
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_crash_leaves_no_child_and_no_half_written_file(pool: WorkerPool, make_job: MakeJob, tmp_path: Path) -> None:
    weights, checkpoint, other = (tmp_path / name for name in ("trial[1].bin", "state.bin", ".trial1.bin.x"))
    partial = [tmp_path / f".{file.name}.abc123" for file in (weights, checkpoint)]
    # The forked child holds the worker's pipes open, so their end alone would not tell that the worker is gone.
    crash = f"""
        for file in {[str(file) for file in (*partial, other)]!r}:
            open(file, "w").close()
        child = os.fork()
        if child == 0:
            time.sleep(600)
        print(child)
        os._exit(5)
    """
    [outcome] = run(pool, make_job(crash, weights_to=str(weights), checkpoint_to=str(checkpoint)))
    assert outcome.reason == "crash: the worker ended with exit code 5"
    assert ends(int(outcome.traceback))
    assert list(tmp_path.iterdir()) == [other]


def test_logs_stay_small_and_keep_their_end(pool: WorkerPool, make_job: MakeJob, logs: Path) -> None:
    chatter = "for i in range(40_000): print('a long line of chatter', i)"
    [outcome] = run(pool, make_job(chatter))
    assert outcome.status == "finished"
    [crashed] = run(pool, make_job(chatter + "\ntime.sleep(0.5); print('the end'); os._exit(1)"))
    assert crashed.traceback.endswith("chatter 39999\nthe end")
    assert (logs / "worker-0.log").stat().st_size <= LOG_BYTES
