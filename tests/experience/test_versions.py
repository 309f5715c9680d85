"""The collectors tell the truth, and cheaply."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

import archwise
from archwise.experience.versions import hardware, versions

CODE = """
import json, sys
from archwise.experience.versions import hardware, versions
answer = [versions(), hardware()]
assert "torch" not in sys.modules and "numpy" not in sys.modules
print(json.dumps(answer))
"""


def test_versions_and_hardware_without_importing_what_they_name() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    found, machine = json.loads(done.stdout)
    assert found == versions()
    assert found["archwise"] == archwise.__version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["torch"][0].isdigit()
    assert machine["memory_bytes"] == psutil.virtual_memory().total
    assert machine["cpu"]


def _program(folder: Path, text: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the driver's program is imitated by a shell script")
def test_gpus_are_what_the_driver_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}")
    assert hardware()["gpus"] == []
    _program(tmp_path, "echo 'NVIDIA A'; echo 'NVIDIA B'")
    assert hardware()["gpus"] == ["NVIDIA A", "NVIDIA B"]
    _program(tmp_path, "echo 'no devices'; exit 9")
    assert hardware()["gpus"] == []
