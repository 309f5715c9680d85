from __future__ import annotations

import platform
import subprocess
import sys

import psutil
import pytest
import torch

from archwise.evaluators.allocator import reused_memory

LARGE = 64 << 20
"""Larger than what glibc keeps of its own accord."""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")


FAULTS = """
import resource
from archwise.evaluators.allocator import reused_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

with reused_memory():
    for _ in range(3):
        bytes(b"x" * LARGE)
    before = faults()
    for _ in range(10):
        bytes(b"x" * LARGE)
    print(faults() - before)
"""


def test_freed_memory_is_used_again():
    """In a process of its own, as a trial is: how memory lies in one that ran other tests is chance."""
    code = FAULTS.replace("LARGE", str(LARGE))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16_384  # fresh memory each time would be 10 x 16,384 pages, one fault each


def test_memory_goes_back_at_the_end():
    process = psutil.Process()
    before = process.memory_info().rss
    with reused_memory():
        for _ in range(3):
            torch.ones(4 * LARGE // 4)
        kept = process.memory_info().rss - before
    assert kept > 3 * LARGE
    assert process.memory_info().rss - before < LARGE
