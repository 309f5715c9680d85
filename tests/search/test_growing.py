"""Searches whose trials start from each other's weights."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial
from tests.search.conftest import Searcher, trial_facts
from tests.search.test_resume import RESUME, _count, _kill_everything

import archwise
from archwise.lineage import Lineage
from archwise.run import Run
from archwise.strategies import NetworkGrowing, RandomSearch, SuccessiveHalving
from archwise.strategies.strategy import passes_on_weights
from archwise.trial import INHERITABLE, Outcome, Proposal, Trial

SEARCH = """
import archwise
archwise.search("iris", trials={trials}, epochs=8, workers=1, seed=3, strategy="growing", run={run!r},
                experience={experience!r})
"""


def test_children_start_from_their_parents_weights(small_search: Searcher) -> None:
    result = small_search(trials=8, epochs=15, strategy="growing")
    trials = result.trials.query("purpose == 'search'").set_index("number").sort_index()
    children = trials.dropna(subset="inherits")
    assert len(children) >= 5 and (children.inherits < children.index).all()
    assert all(f"from trial {row.inherits}'s weights" in row.origin for row in children.itertuples())
    recorded = {trial.number: trial for trial in archwise_trials(result.run)}
    inherited = [recorded[number].outcome.costs.get("inherited", 0.0) for number in children.index]
    assert all(share > 0 for share in inherited)
    assert not result.trials.query("purpose == 'confirm'").inherits.notna().any(), "finalists start from scratch"


def archwise_trials(run: str | Path) -> list[Trial]:
    from archwise.experience import Experience

    opened = Run.open(run)
    with Experience(opened["experience"]) as memory:
        return [trial for trial in memory.trials(opened["search"]) if trial.purpose == "search"]


def test_a_search_that_is_continued_equals_one_in_one_go(small_search: Searcher) -> None:
    whole = small_search(trials=8, strategy="growing", seed=4)
    parts = small_search(trials=3, strategy="growing", seed=4)
    assert (parts.run / "weights").is_dir()
    continued = archwise.resume(parts.run, trials=8)
    assert [t for t in trial_facts(continued) if t[1] == "search"] == [
        t for t in trial_facts(whole) if t[1] == "search"
    ]
    assert continued.trials.inherits.notna().any()


def test_behind_a_schedule_a_trial_that_goes_on_keeps_its_beginning(small_search: Searcher) -> None:
    result = small_search(trials=14, epochs=6, strategy="halving-growing", seed=1)
    trials = {trial.number: trial for trial in archwise_trials(result.run)}
    promoted = [trial for trial in trials.values() if trial.parent is not None]
    assert promoted and any(trial.inherits is not None for trial in promoted)
    for trial in promoted:
        before = trials[trial.parent]  # type: ignore[index]
        assert (trial.inherits, trial.seed) == (before.inherits, before.seed)
        scores = [[point.score for point in part.outcome.curve] for part in (before, trial)]
        assert scores[1][: len(scores[0])] == scores[0]
        assert trial.outcome.costs.get("inherited") == before.outcome.costs.get("inherited")


def test_other_strategies_write_no_weights(small_search: Searcher) -> None:
    result = small_search(trials=3)
    assert not (result.run / "weights").exists()
    assert not passes_on_weights(SuccessiveHalving(RandomSearch()))
    assert passes_on_weights(SuccessiveHalving(NetworkGrowing()))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_lose_and_repeat_nothing(small_search: Searcher, tmp_path: Path) -> None:
    whole = small_search(trials=12, epochs=8, seed=3, strategy="growing")
    run, experience = tmp_path / "killed", tmp_path / "killed.sqlite"
    places = {"run": str(run), "experience": str(experience), "trials": 12}
    code, generator, known = SEARCH.format(**places), random.Random(2), 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code])
        while _count(run, experience) < min(11, known + 2):
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(generator.random() * 0.3)
        _kill_everything(process)
        code, known = RESUME.format(**places), _count(run, experience)
    result = archwise.resume(run)
    assert trial_facts(result) == trial_facts(whole)
    assert list(result.trials.inherits.dropna()) == list(whole.trials.inherits.dropna())


# ------------------------------------------------------------------ which weights are kept


def finished(number: int, score: float, **facts: object) -> Trial:
    trial = as_trial(number, Proposal(toys.layers().sample(number)))
    return replace(trial, outcome=Outcome("finished", score), **facts)  # type: ignore[arg-type]


def kept(lineage: Lineage) -> set[int]:
    return {int(file.stem) for file in lineage.folder.iterdir()}


def test_the_best_of_each_fidelity_are_kept(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path, active=True)
    low = [finished(i, score=float(i), fidelity=1 / 9) for i in range(INHERITABLE + 5)]
    full = [finished(100 + i, score=-float(i)) for i in range(INHERITABLE + 5)]
    failed = replace(finished(200, 0.0), outcome=Outcome("failed", reason="diverged"))
    trials = [*low, *full, failed]
    for trial in trials:
        (tmp_path / f"{trial.number}.safetensors").touch()
    pending = [Proposal(toys.layers().sample(0), inherits=133)]
    lineage.forget(trials, pending)
    assert kept(lineage) == {*range(5, INHERITABLE + 5), *range(100, 100 + INHERITABLE), 133}
    lineage.forget(trials, [])
    assert 133 not in kept(lineage)
    Lineage(tmp_path, active=False).forget([], [])
    assert len(kept(lineage)) == 2 * INHERITABLE


def test_what_may_still_go_on_keeps_its_beginning(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path, active=True)
    old = finished(0, score=-1.0)
    better = [finished(i, score=1.0) for i in range(1, INHERITABLE + 1)]
    child = finished(99, score=0.5, fidelity=1 / 3, inherits=0)
    for trial in (old, *better, child):
        (tmp_path / f"{trial.number}.safetensors").touch()
    lineage.forget([old, *better, child], [])
    assert 0 in kept(lineage)
    lineage.forget([old, *better, replace(child, fidelity=1.0)], [])
    assert 0 not in kept(lineage)


def test_weights_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    lineage, space = Lineage(tmp_path, active=True), toys.layers()
    parent = finished(4, 0.5)
    proposal = Proposal(space.sample(1), origin="add: depth 1 to 2", inherits=4)
    fresh = lineage.settled(proposal, [parent])
    assert fresh.inherits is None and "from scratch: the weights of trial 4 are gone" in fresh.origin
    assert lineage.start(fresh, [parent]) is None
    (tmp_path / "4.safetensors").touch()
    assert lineage.settled(proposal, [parent]) == proposal
    assert lineage.settled(proposal, []).inherits is None
    start = lineage.start(proposal, [parent])
    assert start == (parent.candidate, tmp_path / "4.safetensors")
    # A trial that goes on was begun with them: it must not begin otherwise now.
    (tmp_path / "4.safetensors").unlink()
    child = finished(7, 0.6, inherits=4, fidelity=1 / 3)
    assert lineage.settled(Proposal(child.candidate, 1.0, parent=7), [parent, child]).inherits == 4
