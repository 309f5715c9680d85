"""Workers that train candidates side by side, within limits, and are replaced when one falls."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from archwise.errors import RunError
from archwise.evaluators.job import TrainingJob
from archwise.runtime.interrupts import Interrupts
from archwise.runtime.slot import Board, Slot, Ticket
from archwise.trial import Outcome

NOTICE_SECONDS = 0.2
"""How long a wait may take to notice an interrupt."""


class WorkerPool:
    """Worker processes that train one job each at a time, watched for time and memory.

    Workers import PyTorch once, all at the same time, and then take job after job. Every job ends in an
    outcome: one that exceeds a limit, crashes its worker or is killed from outside fails with the reason,
    the learning curve so far, and the end of its worker's log as the traceback; a new worker takes the place
    of the old one. When the parent dies, however it dies, so do the workers.

    The pool is used from one thread. Each worker has a thread of the parent to itself, which alone starts,
    watches and kills it. Within `with`, an interrupt (Ctrl-C) is raised by the next `wait`, not where it strikes.

    Args:
        workers: how many jobs run at the same time.
        log_folder: folder for `worker-0.log`, `worker-1.log`, ...: what jobs print, the end of it; made if
            missing; empty logs are removed when the pool closes.
        threads_per_worker: threads each job computes with, see `archwise.runtime.cores.share_threads`.
        memory_limit_bytes: a job whose worker holds more than this (files mapped into memory do not count)
            fails with the reason "memory limit: ..."; an idle worker holds about 300 MB.
        time_limit_seconds: a job that runs longer fails with the reason "time limit: ..."; the start of a
            worker does not count.
        device: "cpu", or "cuda" to deal the visible GPUs out to the workers in turn.

    Raises:
        RunError: fewer than one worker, an unwritable folder, no GPU; later, from `submit` and `wait`:
            workers that cannot start, or a memory limit that is below what an idle worker needs.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, WorkerPool(2, log_folder=folder) as pool:
        ...     pool.idle, pool.pending, pool.wait()
        (2, (), [])
    """

    def __init__(
        self,
        workers: int,
        *,
        log_folder: str | Path,
        threads_per_worker: int = 1,
        memory_limit_bytes: int | None = None,
        time_limit_seconds: float | None = None,
        device: str = "cpu",
    ):
        if workers < 1:
            raise RunError(f"A search needs at least 1 worker, not {workers}; give a larger number.")
        self._workers = workers
        self._time_limit = time_limit_seconds
        self._pending: dict[int, Ticket] = {}
        self._board = Board()
        self._interrupts = Interrupts()
        folder = _writable(Path(log_folder).absolute())
        gpus = visible_gpus() if device == "cuda" else [None]
        slots = [
            Slot(
                board=self._board,
                log=folder / f"worker-{i}.log",
                threads=threads_per_worker,
                device=device,
                gpu=gpus[i % len(gpus)],
                memory_limit=memory_limit_bytes,
            )
            for i in range(workers)
        ]
        self._threads = [threading.Thread(target=slot.serve, name=slot.log.stem, daemon=True) for slot in slots]
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.close()
            raise

    @property
    def idle(self) -> int:
        """How many more jobs would start at once (or as soon as their worker is ready)."""
        return max(0, self._workers - len(self._pending))

    @property
    def pending(self) -> tuple[int, ...]:
        """Keys of the jobs that were submitted and not yet handed back, in the order of submission."""
        return tuple(self._pending)

    def submit(self, key: int, job: TrainingJob, time_limit: float | None = None) -> None:
        """Queue a job; it runs as soon as a worker is free.

        Args:
            key: what `wait` hands back with the outcome; not that of a pending job.
            job: the training to do.
            time_limit: seconds for this job, instead of the pool's limit.
        """
        self._check()
        if key in self._pending:
            raise ValueError(f"A job with the key {key!r} is still pending.")
        limit = self._time_limit if time_limit is None else time_limit
        files = tuple(file for file in (job.checkpoint_to, job.weights_to) if file)
        ticket = self._pending[key] = Ticket(key, json.dumps(job.to_json()).encode(), limit, files)
        self._board.tickets.put(ticket)

    def wait(self, timeout: float | None = None) -> list[tuple[int, Outcome]]:
        """Return the outcomes that are there, waiting for the first where there is none.

        Args:
            timeout: seconds to wait at most; None waits as long as jobs are pending.

        Returns:
            (key, outcome) in the order of submission; empty when the time is over or nothing is pending.

        Raises:
            KeyboardInterrupt: the search was interrupted since the last call.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._interrupts.check()
            self._board.news.clear()  # before looking, so that what ends while we look is not missed
            done = [(t.key, t.outcome) for t in self._pending.values() if t.outcome is not None]
            if not done:
                self._check()
            patience = None if deadline is None else deadline - time.monotonic()
            if done or not self._pending or (patience is not None and patience <= 0):
                break
            self._board.news.wait(NOTICE_SECONDS if patience is None else min(patience, NOTICE_SECONDS))
        for key, _ in done:
            del self._pending[key]
        return done

    def cancel(self, key: int) -> None:
        """Forget a job: its outcome is never handed back; a worker that is at it is killed and replaced."""
        self._pending.pop(key).cancelled = True

    def close(self) -> None:
        """End all workers at once, with the jobs that still run; harmless when repeated."""
        self._board.stopping.set()
        self._pending.clear()
        for _ in self._threads:
            self._board.tickets.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)

    def __enter__(self) -> WorkerPool:
        self._interrupts.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._interrupts.stop()
        self.close()

    def _check(self) -> None:
        if self._board.error is not None:
            raise self._board.error
        if self._board.stopping.is_set():
            raise RuntimeError("The pool of workers is closed.")


def visible_gpus() -> list[str | None]:
    """Return the GPUs this process may use, named as CUDA_VISIBLE_DEVICES names them.

    Raises:
        RunError: there is none.
    """
    import torch

    count = torch.cuda.device_count()
    if not count:
        raise RunError("No GPU is visible to PyTorch; use the device 'cpu', or install a CUDA build of PyTorch.")
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = named.split(",") if named else [str(index) for index in range(count)]
    return [name.strip() for name in names[:count]]


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise RunError(
            f"The folder {folder} cannot be written ({error.strerror}); choose another or free it."
        ) from error
