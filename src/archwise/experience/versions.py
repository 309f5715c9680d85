"""What a search ran with: versions of the software, and the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

import archwise

_NVIDIA_SMI_SECONDS = 10.0


def versions() -> dict[str, str]:
    """Return the versions that can change what a search finds; nothing is imported to learn them.

    Example:
        >>> sorted(versions())
        ['archwise', 'numpy', 'python', 'torch']
    """
    return {
        "archwise": archwise.__version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
    }


def hardware() -> dict[str, Any]:
    """Return the machine: "cpu" (model), "cores" (logical), "memory_bytes", "gpus" (models) and "system".

    GPUs are those that NVIDIA's driver names: asking it, not PyTorch, keeps this process free of CUDA.

    Example:
        >>> machine = hardware()
        >>> machine["cores"] >= 1, machine["memory_bytes"] > 0
        (True, True)
    """
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": int(psutil.virtual_memory().total),
        "gpus": _gpus(),
        "system": platform.platform(),
    }


def _cpu_model() -> str:
    # On Linux platform.processor() is empty or only the instruction set; the kernel knows the model.
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        answer = subprocess.run(
            [program, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_NVIDIA_SMI_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []  # a driver that does not answer must not keep a search from starting
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]
