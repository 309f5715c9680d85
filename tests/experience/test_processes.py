"""Many processes, some of them killed: what was acknowledged is there, once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archwise.experience import Experience
from archwise.trial import Trial

# Every process opens the same file, which none has made yet, at the same moment; then it records its trials, and
# writes each trial's number to its own file once add_trial has returned.
WRITER = """
import os, sys
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial

file, name, count, acknowledged = sys.argv[1], sys.argv[2], int(sys.argv[3]), os.open(sys.argv[4], os.O_WRONLY)
print("ready", flush=True)
sys.stdin.readline()
experience = Experience(file)
task = TaskRecord("print", "digits", "multiclass", Signature((1, 8, 8), 10, "image"), "accuracy", {"train": 1149})
space, recipes = SpaceRecord("networks", "cnn", {}), SpaceRecord("recipes", "recipe", {})
ids = experience.add_task(task), experience.add_space(space), experience.add_space(recipes)
search = experience.begin_search(SearchRecord(*ids, "random", 0, "accuracy", hardware={}, id=name))
for number in range(count):
    recipe = Architecture({"learning_rate": 1 / (number + 1)})
    candidate = Candidate(Architecture({"op": name, "depth": number}), recipe)
    curve = tuple(CurvePoint(step / 10, step, 1 / step, 1 / step, number) for step in range(1, 11))
    outcome = Outcome("finished", number / count, {"accuracy": number / count}, {}, curve)
    trial = Trial(number, candidate, 1.0, 0, outcome)
    experience.add_trial(search, trial, f"{name} {number}", "recipe")
    os.write(acknowledged, f"{number}\\n".encode())
"""


class Writer:
    """One process that records trials."""

    def __init__(self, file: Path, name: str, count: int, code: str = WRITER):
        self.name = name
        self._acknowledged = file.with_name(f"{name}.txt")
        self._acknowledged.touch()
        command = [sys.executable, "-c", code, str(file), name, str(count), str(self._acknowledged)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def acknowledged(self) -> list[int]:
        # A process that is killed may leave half of its last line.
        return [int(line) for line in self._acknowledged.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _run(writers: list[Writer], kill: dict[str, int]) -> None:
    """Start all at once; kill those named as soon as they have acknowledged so many trials."""
    for writer in writers:
        writer.wait_until_ready()
    for writer in writers:
        writer.go()
    alive = {writer.name: writer for writer in writers if writer.name in kill}
    while alive:
        for name, writer in list(alive.items()):
            assert writer.process.poll() is None, "it ended before it could be killed"
            if len(writer.acknowledged()) >= kill[name]:
                writer.process.kill()
                del alive[name]
        time.sleep(0.002)
    for writer in writers:
        writer.process.communicate(timeout=300)


def _check(file: Path, writers: list[Writer], count: int, kill: dict[str, int]) -> None:
    with Experience(file) as experience:
        assert [task.name for task in experience.tasks()] == ["digits"]
        for writer in writers:
            numbers = [trial.number for trial in experience.trials(writer.name)]
            acknowledged = writer.acknowledged()
            # No number twice, none missing; at most the one that was committed and not yet acknowledged is more.
            assert numbers == list(range(len(numbers)))
            assert acknowledged == numbers[: len(acknowledged)]
            if writer.name in kill:
                assert writer.process.returncode == -9
                assert kill[writer.name] <= len(acknowledged) <= len(numbers) <= len(acknowledged) + 1
                assert len(numbers) < count
            else:
                assert writer.process.returncode == 0
                assert len(numbers) == len(acknowledged) == count
            for trial in experience.trials(writer.name):
                assert dict(trial.candidate.architecture) == {"op": writer.name, "depth": trial.number}
                assert trial.candidate.recipe["learning_rate"] == 1 / (trial.number + 1)
                assert len(trial.outcome.curve) == 10
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_eight_processes_of_which_two_are_killed(file: Path) -> None:
    kill = {"second": 300, "fifth": 600}
    names = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
    writers = [Writer(file, name, 1000) for name in names]
    _run(writers, kill)
    _check(file, writers, 1000, kill)


@pytest.mark.slow
def test_eight_processes_open_a_new_experience_at_the_same_moment(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        writers = [Writer(folder / "experience.sqlite", f"writer{index}", 2) for index in range(8)]
        _run(writers, {})
        _check(folder / "experience.sqlite", writers, 2, {})


@pytest.mark.slow
def test_processes_that_record_the_same_trials_record_them_once(file: Path) -> None:
    # The same search in all of them, as when a search is resumed while its killed predecessor still ends.
    code = WRITER.replace("id=name", 'id="same"').replace('"op": name', '"op": "conv"')
    writers = [Writer(file, f"writer{index}", 100, code) for index in range(3)]
    _run(writers, {})
    with Experience(file) as experience:
        trials: list[Trial] = experience.trials("same")
        assert [trial.number for trial in trials] == list(range(100))
        assert experience.summary().trials == 100
    assert [writer.process.returncode for writer in writers] == [0, 0, 0]
