"""Cores are shared out, never overbooked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from archwise.errors import RunError
from archwise.runtime.cores import BYTES_PER_WORKER, default_workers, share_threads, usable_cores


@pytest.mark.parametrize("cores", [1, 2, 3, 8, 64])
def test_threads_use_the_cores_and_never_overbook_them(cores: int) -> None:
    for workers in range(1, cores + 1):
        threads = share_threads(workers, cores)
        assert workers * threads <= cores < workers * (threads + 1)
    assert share_threads(cores + 5, cores) == 1


def test_no_worker_is_refused() -> None:
    with pytest.raises(RunError, match="at least 1 worker, not 0"):
        share_threads(0)


def test_default_workers_respect_cores_memory_and_gpus() -> None:
    plenty = 1 << 50
    assert [default_workers(cores=n, memory_bytes=plenty, most=8) for n in (1, 2, 8, 64)] == [1, 2, 8, 8]
    assert default_workers(cores=8, memory_bytes=3 * BYTES_PER_WORKER) == 3
    assert default_workers(cores=8, memory_bytes=0) == 1
    assert default_workers(gpus=1, cores=64) < default_workers(gpus=4, cores=64)
    assert default_workers(gpus=4, cores=2) == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process to cores")
def test_usable_cores_are_those_this_process_is_pinned_to() -> None:
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from archwise.runtime.cores import usable_cores; print(usable_cores())"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "1"
    assert usable_cores() >= 1
