"""Killing everything at random points, and going on as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.search.conftest import Searcher, trial_facts

import archwise
from archwise.errors import RunError
from archwise.experience import Experience
from archwise.run import Run
from archwise.trial import Trial

TRIALS = 16
SEARCH = """
import archwise
places = {{"run": {run!r}, "experience": {experience!r}}}
archwise.search("iris", trials={trials}, strategy="halving-evolution", epochs=8, workers=1, seed=11, **places)
"""
RESUME = "import archwise; archwise.resume({run!r})"


def _kill_everything(process: subprocess.Popen[bytes]) -> None:
    # Parent first, so that it cannot start another worker; a worker that has ended by itself meanwhile is as good.
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
    process.wait()


def _recorded(run: Path, experience: Path) -> list[Trial]:
    with Experience(experience) as memory:
        return memory.trials(Run.open(run)["search"])


def _count(run: Path, experience: Path) -> int:
    """How many trials a search has recorded, read as cheaply as can be: it is asked many times a second."""
    if not (run / "run.json").exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{experience}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM trial").fetchone()[0])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_at_twenty_random_points_lose_and_repeat_nothing(small_search: Searcher, tmp_path: Path) -> None:
    whole = small_search(trials=TRIALS, strategy="halving-evolution", epochs=8, seed=11)
    expected = trial_facts(whole)
    generator = random.Random(0)
    kills = 0
    attempt = 0
    while kills < 20:
        attempt += 1
        run, experience = tmp_path / f"killed-{attempt}", tmp_path / f"killed-{attempt}.sqlite"
        places = {"run": str(run), "experience": str(experience), "trials": TRIALS}
        code, acknowledged = SEARCH.format(**places), 0
        while True:
            process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
            # A random moment after the next few trials, while one is being trained or recorded or a worker starts.
            target = acknowledged + generator.randrange(0, 5)
            while process.poll() is None and kills < 20:
                if (run / "run.json").exists() and _count(run, experience) >= target:
                    time.sleep(generator.random() * 0.3)
                    break
                time.sleep(0.02)
            if process.poll() is not None or kills == 20:
                process.wait()
                break
            before = _recorded(run, experience)
            _kill_everything(process)
            kills += 1
            after = _recorded(run, experience)
            assert all(trial in after for trial in before)
            acknowledged = len(after)
            code = RESUME.format(**places)
        assert process.returncode == 0, process.stderr and process.stderr.read().decode()
        assert trial_facts(archwise.load(run)) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_with_two_workers_lose_and_repeat_nothing(tmp_path: Path) -> None:
    run, experience = tmp_path / "run", tmp_path / "experience.sqlite"
    places = {"run": str(run), "experience": str(experience), "trials": 2 * TRIALS}
    code, generator, known = SEARCH.format(**places).replace("workers=1", "workers=2"), random.Random(1), 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code])
        while _count(run, experience) < known + 2:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(generator.random() * 0.2)
        before = _recorded(run, experience)
        _kill_everything(process)
        assert all(trial in _recorded(run, experience) for trial in before)
        code, known = RESUME.format(**places), len(before)
    result = archwise.resume(run)
    searched = result.trials.query("purpose == 'search'")
    assert len(searched) == 2 * TRIALS
    assert searched.number.is_unique  # those that were under way at a kill leave gaps
    assert not searched.duplicated(["architecture_hash", "recipe_hash", "fidelity"]).any()
    assert json.loads(searched.sort_values("number").architecture.iloc[0]) == result.default["architecture"]


def test_resuming_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run folder"):
        archwise.resume(tmp_path)
    for broken in ("{", "[]", "null"):
        (tmp_path / "run.json").write_text(broken)
        with pytest.raises(RunError, match="cannot be read"):
            archwise.resume(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 99, "archwise": "9.0"}')
    with pytest.raises(RunError, match="newer archwise"):
        archwise.resume(tmp_path)
