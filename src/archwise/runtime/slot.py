"""A worker's place in a pool: a thread that starts, feeds and watches it, and replaces it when it falls."""

from __future__ import annotations

import contextlib
import glob
import math
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from archwise.errors import RunError
from archwise.runtime.process import WorkerProcess
from archwise.trial import CurvePoint, Outcome

TICK_SECONDS = 0.1
"""How often limits are looked at; messages never wait for it."""
START_SECONDS = 300.0
"""A worker that has not imported PyTorch by then never will."""
START_ATTEMPTS = 3
"""So many workers in a row that end before they are ready mean that none will ever be."""
GROWTH_BYTES = 1 << 30
"""A worker that holds so much more than after its first job is replaced between two jobs."""


@dataclass(eq=False)
class Ticket:
    """A job on its way through the pool; slots write `started` and `outcome`, the caller writes `cancelled`."""

    key: int
    message: bytes
    time_limit: float | None
    files: tuple[str, ...] = ()
    started: bool = False
    outcome: Outcome | None = None
    cancelled: bool = False

    def remove_partial_files(self) -> None:
        """Remove what `write_atomic` had begun to write of this job's files when its worker was killed."""
        for file in map(Path, self.files):
            for partial in file.parent.glob(f".{glob.escape(file.name)}.*"):
                partial.unlink(missing_ok=True)


@dataclass(eq=False)
class Board:
    """What a pool and its slots share: the tickets that wait, the news of an outcome, the order to stop."""

    tickets: SimpleQueue[Ticket | None] = field(default_factory=SimpleQueue)
    news: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    failed_starts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, error: Exception) -> None:
        """Stop all slots because no worker can work; the caller learns why."""
        with self.lock:
            self.error = self.error or error
        self.stopping.set()
        self.news.set()

    def count_start(self, failed: bool) -> bool:
        """Record how a worker's start ended; return whether too many in a row have failed."""
        with self.lock:
            self.failed_starts = self.failed_starts + 1 if failed else 0
            return self.failed_starts >= START_ATTEMPTS


@dataclass(frozen=True)
class Slot:
    """One worker after another, run by one thread that owns them; `serve` is the thread's body.

    Args:
        board: what is shared with the pool.
        log: file that receives what the workers print.
        threads: threads each job may compute with.
        device: "cpu" or "cuda".
        gpu: the GPU of the workers, None on the CPU.
        memory_limit: bytes that a worker may hold.
    """

    board: Board
    log: Path
    threads: int
    device: str
    gpu: str | None
    memory_limit: int | None

    def serve(self) -> None:
        """Serve tickets until the board says stop; then kill the worker."""
        process: WorkerProcess | None = None
        try:
            while not self.board.stopping.is_set():
                process = WorkerProcess(self.log, self.threads, self.device, self.gpu)
                if self._becomes_ready(process):
                    self._serve_with(process)
                process.kill()
        except OSError as error:
            self.board.fail(RunError(f"Workers cannot run: {error}; free what is missing or use fewer workers."))
        except Exception as error:  # an error of the pool itself must reach the caller, not vanish in a thread
            self.board.fail(error)
        finally:
            if process is not None:
                process.kill()
            with contextlib.suppress(FileNotFoundError):
                if not self.log.stat().st_size:
                    self.log.unlink()

    def _becomes_ready(self, process: WorkerProcess) -> bool:
        deadline = time.monotonic() + START_SECONDS
        problem = ""
        while not problem and not self.board.stopping.is_set():
            try:
                message = process.receive(TICK_SECONDS)
            except EOFError:
                problem = process.ending()
            else:
                if message is not None and "ready" in message:
                    self.board.count_start(failed=False)
                    self._check_memory_limit(process)
                    return True
                if time.monotonic() > deadline:
                    problem = f"was not ready after {START_SECONDS:.0f} seconds"
        if problem and self.board.count_start(failed=True):
            reason = f"Workers cannot start: the last one {problem}; mend what its log {self.log} says: "
            self.board.fail(RunError(reason + (process.log_tail() or "(nothing)")))
        return False

    def _check_memory_limit(self, process: WorkerProcess) -> None:
        needed = process.memory()
        if self.memory_limit is not None and needed > self.memory_limit:
            raise RunError(
                f"The memory limit of {_megabytes(self.memory_limit)} is less than the {_megabytes(needed)} "
                "that a worker holds before any job; raise it to several times that."
            )

    def _serve_with(self, process: WorkerProcess) -> None:
        """Serve tickets with this worker as long as it is fit for the next one."""
        growth = GROWTH_BYTES if self.memory_limit is None else min(GROWTH_BYTES, self.memory_limit // 4)
        first_memory: int | None = None
        while not self.board.stopping.is_set():
            ticket = self._next_ticket(process)
            if ticket is None:
                return
            process.send(ticket.message)
            outcome, fit = self._watch(process, ticket)
            if not fit:
                # First the end of the worker, then the news of it: its files and memory are free by then.
                process.kill()
                if ticket.started:
                    ticket.remove_partial_files()
                else:
                    self.board.tickets.put(ticket)  # the worker ended while idle, which is not this job's failure
            if outcome is not None:
                ticket.outcome = outcome
                self.board.news.set()
            if not fit:
                return
            process.bound_log()
            memory = process.memory()
            first_memory = memory if first_memory is None else first_memory
            if memory - first_memory > growth:
                return

    def _next_ticket(self, process: WorkerProcess) -> Ticket | None:
        """Wait for a ticket; None when the pool stops or the idle worker has ended."""
        while process.is_alive():
            try:
                ticket = self.board.tickets.get(timeout=1.0)
            except Empty:
                continue
            if ticket is None or not ticket.cancelled:
                return ticket
        return None

    def _watch(self, process: WorkerProcess, ticket: Ticket) -> tuple[Outcome | None, bool]:
        """Follow one job to its end; return its outcome, and whether the worker can take another."""
        deadline = math.inf if ticket.time_limit is None else time.monotonic() + ticket.time_limit
        curve: list[CurvePoint] = []
        reason = ""
        next_look = 0.0
        while not reason and not ticket.cancelled and not self.board.stopping.is_set():
            try:
                message = process.receive(TICK_SECONDS)
            except EOFError:
                if ticket.started:
                    reason = f"crash: the worker {process.ending()}"
                break
            now = time.monotonic()
            match message:
                case {"outcome": outcome}:
                    return Outcome.from_json(outcome), True
                case {"point": point}:
                    curve.append(CurvePoint(*point))
                case {"started": _}:
                    ticket.started = True
            if now > deadline:
                ticket.started = True  # it had its time, even where the worker was too stuck to say so
                reason = f"time limit: stopped after {ticket.time_limit:g} seconds"
            elif now > next_look:
                next_look = now + TICK_SECONDS
                process.bound_log()
                held = 0 if self.memory_limit is None else process.memory()
                if self.memory_limit is not None and held > self.memory_limit:
                    reason = f"memory limit: held {_megabytes(held)} of {_megabytes(self.memory_limit)} allowed"
        if not reason:
            return None, False
        return Outcome("failed", curve=tuple(curve), reason=reason, traceback=process.log_tail()), False


def _megabytes(number: int) -> str:
    return f"{number / 1e6:,.0f} MB"
