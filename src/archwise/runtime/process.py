"""One worker as its parent sees it: a process, two pipes and a log."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

LOG_BYTES = 1 << 20
"""A log that grows beyond this is cut down to its tail."""
TAIL_BYTES = 8 << 10
"""How much of a log becomes a failure's traceback."""


class WorkerProcess:
    """A worker process: it takes messages, gives messages, and can be killed with all that it has started.

    Args:
        log: file that receives what the worker and its jobs print to stdout and stderr; it is appended to.
        threads: threads each job may compute with.
        device: "cpu" or "cuda", made ready before the first job.
        gpu: the one GPU that the worker sees, as CUDA_VISIBLE_DEVICES names it; None changes nothing.

    Raises:
        OSError: the log cannot be written or no process can be started.
    """

    MODULE = "archwise.runtime.worker"

    def __init__(self, log: Path, threads: int, device: str = "cpu", gpu: str | None = None):
        self._pending = b""
        # Held open, so that the log is there even after somebody has tidied the folder up.
        self._log = log.open("a+b", buffering=0)
        self._log_start = self._log_size()
        # -P: a file beside the user's data must not hide one of Python's own modules.
        # -u: prints reach the log at once, so a crash loses none.
        options = ["-P", "-u", "-X", "faulthandler", "-m", self.MODULE]
        try:
            self._popen = subprocess.Popen(
                [sys.executable, *options, str(threads), device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=_environment(threads, gpu),
                bufsize=0,
                start_new_session=True,  # Ctrl-C in the terminal reaches the parent alone
            )
        except BaseException:
            self._log.close()
            raise
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._stdin, self._stdout = self._popen.stdin, self._popen.stdout
        self._poller = select.poll()
        self._poller.register(self._stdout, select.POLLIN)

    def is_alive(self) -> bool:
        """Return whether the process still runs."""
        return self._popen.poll() is None

    def send(self, message: bytes) -> None:
        """Send one line; a process that is gone is noticed by the next `receive`."""
        self._log_start = self._log_size()
        left = memoryview(message + b"\n")
        with contextlib.suppress(BrokenPipeError):
            while left:
                left = left[os.write(self._stdin.fileno(), left) :]

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message, or None when none came within these seconds.

        Raises:
            EOFError: the process has ended; `ending` says how.
        """
        while b"\n" not in self._pending:
            if not self._poller.poll(seconds * 1000):
                # Something that the dead process started may hold its pipe open: ask for the process too.
                if not self.is_alive():
                    raise EOFError
                return None
            chunk = os.read(self._stdout.fileno(), 1 << 16)
            if not chunk:
                raise EOFError
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError:
            return None  # something printed before the worker took its stdout for itself
        return message if isinstance(message, dict) else None

    def memory(self) -> int:
        """Return the bytes that only this process holds: resident, without files mapped into memory."""
        try:
            info = psutil.Process(self._popen.pid).memory_info()
        except psutil.Error:
            return 0
        # Mapped training data counts as resident, though the system may drop it at any time.
        return int(info.rss) - int(getattr(info, "shared", 0))

    def ending(self) -> str:
        """Say how the process ended, after `receive` raised; waits a moment for its exit code."""
        try:
            code = self._popen.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"number {-code}"
        hint = " (by hand, or by the system because memory ran out)" if -code == signal.SIGKILL else ""
        return f"was ended by signal {name}{hint}"

    def kill(self) -> None:
        """End the process and everything it has started, now; harmless when repeated."""
        if self._stdout.closed:
            return  # its number may belong to another process by now
        # macOS answers PermissionError where only a zombie is left in the group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._stdin.close()
        self._stdout.close()
        self._log.close()

    def log_tail(self) -> str:
        """Return the end of what was printed since the last `send`."""
        lines = self._read_log(min(self._log_start, self._log_size())).decode(errors="replace").splitlines()
        # After a crash Python lists every extension module it had loaded, which helps nobody.
        return "\n".join(line for line in lines if not line.startswith("Extension modules: ")).strip()

    def bound_log(self) -> None:
        """Cut a log that has grown too long down to its tail."""
        if self._log_size() > LOG_BYTES:
            tail = self._read_log(0)
            os.ftruncate(self._log.fileno(), 0)
            self._log.write(tail)  # appended, like what the worker writes meanwhile
            self._log_start = 0

    def _log_size(self) -> int:
        return os.fstat(self._log.fileno()).st_size

    def _read_log(self, start: int) -> bytes:
        """Return what the log holds from a byte on, or as much of it as a tail may be long."""
        return os.pread(self._log.fileno(), TAIL_BYTES, max(start, self._log_size() - TAIL_BYTES))


def _environment(threads: int, gpu: str | None) -> Mapping[str, str]:
    """Return the parent's environment with this worker's threads and GPU, and the parent's import path."""
    number = str(threads)
    environment = dict(os.environ, OMP_NUM_THREADS=number, MKL_NUM_THREADS=number, OPENBLAS_NUM_THREADS=number)
    # Threads that spin while they wait slow small networks down seventyfold where other work wants the cores.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    environment["PYTHONPATH"] = os.pathsep.join(str(folder) or str(Path.cwd()) for folder in sys.path)
    if gpu is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpu
    return environment
