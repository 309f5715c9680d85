from __future__ import annotations

import platform
import resource

import psutil
import pytest
import torch

from archwise.evaluators.allocator import reused_memory

LARGE = 64 << 20
"""Larger than what glibc keeps of its own accord."""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def test_freed_memory_is_used_again():
    with reused_memory():
        for _ in range(3):
            bytes(b"x" * LARGE)
        before = faults()
        for _ in range(10):
            bytes(b"x" * LARGE)
        assert faults() - before < 16_384  # fresh memory each time would be 10 x 16,384 pages, one fault each


def test_memory_goes_back_at_the_end():
    process = psutil.Process()
    before = process.memory_info().rss
    with reused_memory():
        for _ in range(3):
            torch.ones(4 * LARGE // 4)
        kept = process.memory_info().rss - before
    assert kept > 3 * LARGE
    assert process.memory_info().rss - before < LARGE
