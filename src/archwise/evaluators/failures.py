"""Turning an exception of a training into a sentence and a traceback that a trial can keep."""

from __future__ import annotations

import traceback

import torch

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "alloc_failed")


class TrainingError(Exception):
    """A training that cannot go on; its text is the reason in one sentence."""


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out, on the CPU or on a GPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(mark in text for mark in OUT_OF_MEMORY)


def describe(error: BaseException) -> tuple[str, str]:
    """Return (reason, traceback) of an exception: the reason is one line, the traceback is complete.

    Example:
        >>> describe(MemoryError("9 GB"))[0], describe(ValueError("kernel 5 is larger than 3"))[0]
        ('out of memory: 9 GB', 'ValueError: kernel 5 is larger than 3')
    """
    lines = str(error).strip().splitlines() or [""]
    if is_out_of_memory(error):
        reason = f"out of memory: {lines[0]}"
    elif isinstance(error, TrainingError):
        reason = lines[0]
    else:
        reason = f"{type(error).__name__}: {lines[0]}"
    return reason, "".join(traceback.format_exception(error))
