"""Interrupts that are kept until they are asked for."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from archwise.runtime.interrupts import Interrupts
from archwise.runtime.pool import WorkerPool

from .conftest import MakeJob


class _Interrupted:
    """Is interrupted in its finaliser, where Python drops what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("error")
def test_an_interrupt_in_a_finaliser_is_not_lost(tmp_path: Path) -> None:
    with WorkerPool(1, log_folder=tmp_path) as pool:
        _Interrupted()
        with pytest.raises(KeyboardInterrupt):
            pool.wait()
        assert pool.wait() == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_is_raised_at_once() -> None:
    interrupts = Interrupts()
    interrupts.start()
    try:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()
    finally:
        interrupts.stop()


def test_a_programs_own_handler_and_other_threads_are_left_alone() -> None:
    def own(number: int, frame: object) -> None:
        pass

    interrupts = Interrupts()
    signal.signal(signal.SIGINT, own)
    interrupts.start()
    interrupts.stop()
    assert signal.getsignal(signal.SIGINT) is own
    signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupts.start)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_wait_without_end_notices_an_interrupt(make_job: MakeJob, tmp_path: Path) -> None:
    with WorkerPool(1, log_folder=tmp_path) as pool:
        pool.submit(0, make_job("time.sleep(60)"))
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            pool.wait()
        assert time.monotonic() - start < 30 and pool.pending == (0,)
