"""A worker: a process that trains one job after another and stays warm in between.

Started as `python -m archwise.runtime.worker THREADS DEVICE`. JSON lines in: one training job each. JSON lines out:
`{"ready": true}` once everything is imported, then for each job `{"started": true}`, `{"point": [...]}` for every point
of its learning curve, and `{"outcome": {...}}`. When the input ends, or the parent dies, the worker dies.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any


def main() -> None:
    """Serve training jobs until the input ends."""
    requests, replies = _private_channels()
    _die_with_parent()
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read_lines, args=(requests, lines), daemon=True).start()

    import torch

    from archwise.evaluators.job import TrainingJob
    from archwise.evaluators.training import train
    from archwise.trial import CurvePoint

    def report(point: CurvePoint) -> None:
        _send(replies, {"point": list(point)})

    _warm_up(sys.argv[2])
    gc.freeze()  # the imported modules are never garbage: collecting after each job then takes a millisecond
    _send(replies, {"ready": True})
    while True:
        line = lines.get()
        _send(replies, {"started": True})
        job = TrainingJob.from_json(json.loads(line))
        torch.set_num_threads(job.threads or int(sys.argv[1]))  # each time: the last job's code may have changed it
        outcome = train(job, report)
        _send(replies, {"outcome": outcome.to_json()})
        # After the answer, while the parent decides what comes next: leave the next job a clean process.
        del outcome
        gc.collect()
        torch.cuda.empty_cache()


def _warm_up(device: str) -> None:
    """Do now what PyTorch puts off until first used (seconds of imports, a GPU's context): no job pays for it."""
    import torch
    import torchmetrics.functional  # noqa: F401

    weight = torch.zeros(1, device=device, requires_grad=True)
    weight.sum().backward()  # type: ignore[no-untyped-call]
    torch.optim.AdamW([weight]).step()


def _private_channels() -> tuple[int, int]:
    """Keep stdin and stdout for the protocol alone; what the jobs' code reads or prints goes elsewhere."""
    requests, replies = os.dup(0), os.dup(1)  # duplicates that no process started from here inherits
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, even while a job holds the interpreter's lock."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _read_lines(requests: int, lines: SimpleQueue[bytes]) -> None:
    """Hand on each line; at the end of the input kill this process and whatever its jobs have started."""
    with os.fdopen(requests, "rb") as stream:
        for line in stream:
            lines.put(line)
    if os.getpgrp() == os.getpid():  # not so when somebody starts this module by hand
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _send(replies: int, message: Mapping[str, Any]) -> None:
    # A bare descriptor: no buffer to flush, and nothing closes it before the process has really ended.
    left = memoryview(json.dumps(message).encode() + b"\n")
    while left:
        left = left[os.write(replies, left) :]


if __name__ == "__main__":
    main()
