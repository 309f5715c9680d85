"""Who wins, how long the end may take, and what a continued search may not do, on trials made up for the purpose."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.search.conftest import Searcher

import archwise
from archwise.answer import PLANS, Conclusion
from archwise.clock import CONFIRM_SHARE, END_SECONDS, FINAL_SHARE, START_SECONDS, Clock, default_epochs, spent_seconds
from archwise.errors import RunError
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience
from archwise.final_training import FinalTraining
from archwise.loop import Search
from archwise.progress import Listener
from archwise.run import Run
from archwise.runtime.cores import share_threads
from archwise.session import register
from archwise.settings import SearchSettings
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.mlp import mlp
from archwise.strategies import RandomSearch
from archwise.tasks.load import make_task
from archwise.trial import CurvePoint, Outcome, Trial

Maker = Callable[..., Search]


@pytest.fixture
def make_search(tmp_path: Path) -> Iterator[Maker]:
    """A search on iris in which nothing has been tried."""
    task = make_task("iris", folder=tmp_path / "run" / "task")
    space = JointSpace(mlp(), training_recipe("table"), task.signature)
    with Experience(tmp_path / "experience.sqlite") as memory:

        def make(minutes: float | None = None, epochs: float = 150.0, workers: int = 2) -> Search:
            settings = SearchSettings(minutes, None, "random", "mlp", "accuracy", 0, workers, epochs=epochs)
            identity = register(memory, task, space, settings, tmp_path / "run")
            run = Run.create(tmp_path / "run", settings, identity, memory.location, {})
            return Search(run, task, space, space.default, RandomSearch(), memory, Clock(minutes), Listener())

        yield make


def _add(
    search: Search,
    candidate: Candidate,
    score: float | None,
    *,
    seed: int = 0,
    fidelity: float = 1.0,
    full: float = 1.0,
) -> None:
    """Add a trial as if it had been made.

    A `seed` above 0 makes it one of the finalists' evaluations; `full` is the seconds of a full training.
    """
    curve = (CurvePoint(fidelity, full * fidelity, 0.5, 0.5, score or 0.0),)
    costs = {"best_fidelity": 1.0, "parameters": 10.0}
    outcome = Outcome("failed", reason="diverged")
    if score is not None:
        outcome = Outcome("finished", score, {"accuracy": score}, costs, curve)
    group = search.confirmations if seed else search.trials
    trial = Trial(len(group), candidate, fidelity, seed, outcome)
    group.append(replace(trial, purpose="confirm") if seed else trial)
    search._learn_seconds(trial)


def _candidates(search: Search, count: int) -> list[Candidate]:
    found = {search.space.key(c): c for c in (search.space.sample(i) for i in range(100))}
    return list(found.values())[:count]


def test_means_are_compared_on_the_seeds_that_all_finalists_have(make_search: Maker) -> None:
    search = make_search()
    old, new = _candidates(search, 2)
    _add(search, old, 0.9)
    _add(search, new, 0.8)
    for seed, score in ((1, 0.70), (2, 0.70), (3, 1.00)):
        _add(search, old, score, seed=seed)
    for seed in (1, 2):
        _add(search, new, 0.75, seed=seed)
    conclusion = Conclusion(search)
    rows = conclusion.choose(None)
    assert [row["candidate"] for row in rows if row["chosen"]] == [new]
    assert [row["mean"] for row in rows] == pytest.approx([0.75, 0.70])
    assert conclusion.validation(old) == ({"accuracy": pytest.approx(0.70)}, {"accuracy": pytest.approx(0)})


def test_who_fails_on_a_fresh_seed_does_not_win(make_search: Maker) -> None:
    search = make_search()
    fragile, sound = _candidates(search, 2)
    _add(search, fragile, 0.99)
    _add(search, sound, 0.9)
    _add(search, fragile, 0.99, seed=1)
    _add(search, fragile, None, seed=2)
    _add(search, sound, 0.9, seed=1)
    _add(search, sound, 0.9, seed=2)
    assert Conclusion(search).choose(None)[0]["candidate"] == sound


def test_of_equal_means_the_default_wins(make_search: Maker) -> None:
    search = make_search()
    other = next(c for c in _candidates(search, 2) if c != search.default)
    for candidate, score in ((search.default, 0.8), (other, 0.95)):
        _add(search, candidate, score)
        _add(search, candidate, 0.9, seed=1)
    assert Conclusion(search).choose(None)[0]["candidate"] == search.default


def test_after_an_interrupt_the_final_training_is_no_longer_than_a_trial(make_search: Maker) -> None:
    search = make_search(minutes=20.0, epochs=10.0)
    [candidate] = _candidates(search, 1)
    _add(search, candidate, 0.9, full=2.0)
    assert FinalTraining(search)._jobs([candidate], hurry=True)[0].epochs == 10
    assert FinalTraining(search)._jobs([candidate])[0].epochs == 150
    search.run.update(epochs_given=True)
    assert FinalTraining(search)._jobs([candidate])[0].epochs == 10


def test_a_candidate_of_unknown_speed_gets_time_too(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0, workers=1)
    known, unknown = _candidates(search, 2)
    _add(search, known, 0.9, full=20.0)
    seconds = [job.seconds or 0.0 for job in FinalTraining(search)._jobs([known, unknown])]
    assert seconds[0] == pytest.approx(seconds[1])


def test_without_a_common_seed_the_search_decides_and_says_so(make_search: Maker) -> None:
    search = make_search()
    lucky, better, low = _candidates(search, 3)
    _add(search, lucky, 0.5)
    _add(search, better, 0.9)
    _add(search, low, 0.95, fidelity=0.1)
    _add(search, lucky, 0.6, seed=1)
    conclusion = Conclusion(search)
    rows = conclusion.choose(None)
    assert rows[0]["candidate"] == better
    assert [row["deciding_seeds"] for row in rows] == [0] * len(rows)
    assert "no time" in conclusion.decided_by
    assert conclusion.validation(lucky)[0] == {"accuracy": 0.5}


def test_the_default_is_a_finalist_and_what_does_not_fit_the_time_is_none(make_search: Maker) -> None:
    search = make_search(minutes=1.0)
    slow, *others = [c for c in _candidates(search, 6) if c != search.default]
    _add(search, search.default, 0.1)
    _add(search, slow, 0.99, full=60 * FINAL_SHARE + 1)
    for number, candidate in enumerate(others):
        _add(search, candidate, 0.5 + 0.01 * number)
    finalists = Conclusion(search).finalists(2)
    assert finalists == [others[-1], others[-2], search.default]


def test_what_is_kept_for_the_end_follows_the_trials_and_the_budget(make_search: Maker) -> None:
    search = make_search(minutes=10.0)
    conclusion = Conclusion(search)
    first, second, third = _candidates(search, 3)
    for candidate in (first, second, third):
        _add(search, candidate, 0.9, full=2.0)
    assert conclusion._plan() == PLANS[0]
    quick = conclusion.reserve()
    assert START_SECONDS + END_SECONDS + 3.0 <= quick <= START_SECONDS + END_SECONDS + 30.0
    for candidate in (first, second, third):
        for _ in range(20):
            search._full_seconds[candidate].append(200.0)
            search._evaluation_seconds[candidate].append(200.0)
    assert conclusion._plan() == PLANS[-1]
    assert quick < conclusion.reserve() <= 600 * (CONFIRM_SHARE + FINAL_SHARE) + START_SECONDS + END_SECONDS


def test_the_final_training_uses_the_time_and_never_shrinks(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0)
    candidate, other = _candidates(search, 2)
    _add(search, candidate, 0.9, full=20.0)
    _add(search, other, 0.9, full=10.0)
    final = FinalTraining(search)
    both = final._jobs([candidate, other])
    assert both[0].epochs == both[1].epochs
    assert 10 < both[0].epochs < default_epochs(search.task.sizes["train"])
    assert [job.seconds for job in both] == pytest.approx([113, 113], abs=3)
    assert [job.threads for job in both] == [share_threads(2)] * 2
    [alone] = final._jobs([other])
    assert alone.threads == share_threads(1)
    faster = 2 * share_threads(1) / share_threads(2)
    assert alone.epochs == pytest.approx(min(faster * both[0].epochs, default_epochs(96)), rel=0.05)
    search.run.update(final_epochs=120.0)
    assert [(job.epochs, job.seconds) for job in final._jobs([candidate, other])] == [(120.0, None)] * 2


def test_one_worker_shares_the_time_of_the_final_training_by_need(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0, workers=1)
    candidate, other = _candidates(search, 2)
    _add(search, candidate, 0.9, full=20.0)
    _add(search, other, 0.9, full=10.0)
    longer, shorter = (job.seconds or 0.0 for job in FinalTraining(search)._jobs([candidate, other]))
    assert longer == pytest.approx(2 * shorter)
    assert longer + shorter == pytest.approx(113, abs=3)


def test_time_spent_is_that_of_sessions_not_of_pauses(make_search: Maker) -> None:
    search = make_search()
    [candidate] = _candidates(search, 1)
    _add(search, candidate, 0.9)
    trial = replace(search.trials[0], started=100.0, seconds=5.0)
    assert spent_seconds([], [], []) == 0
    assert spent_seconds([90.0], [], [trial]) == 15.0
    assert spent_seconds([90.0, 1000.0], [110.0, 1030.0], [trial]) == 50.0
    assert math.isinf(Clock(None).left)
    assert 50 < Clock(1.0).left <= 60
    assert 50 < Clock(2.0, spent=60.0).left <= 60


def test_a_pause_is_no_time_of_a_continued_search(small_search: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    first = small_search(trials=3)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    again = archwise.resume(first.run, trials=4)
    assert again.metrics["seconds"] < first.metrics["seconds"] + 60


def test_a_finished_search_is_not_given_less_than_its_end_takes(make_search: Maker) -> None:
    search = make_search(minutes=15.0)
    [candidate] = _candidates(search, 1)
    _add(search, candidate, 0.9, full=200.0)
    [trial] = search.trials
    search.experience.add_trial(search.run["search"], trial, *search.space.key(candidate))
    search.run.update(state="finished", sessions=[time.time() - 800], ends=[time.time()])
    with pytest.raises(RunError, match="minutes: give it more"):
        archwise.resume(search.run.folder, minutes=1)
    assert search.run.settings.minutes == Run.open(search.run.folder).settings.minutes


@pytest.mark.slow
def test_a_search_by_minutes_and_more_minutes_after_it(small_search: Searcher) -> None:
    first = small_search("wine", minutes=0.8, trials=None, epochs=None, workers=2)
    assert first.metrics["stopped_by"] == "budget"
    assert first.metrics["epochs"] > 10
    assert first.metrics["seconds"] < 1.05 * 48 + 5  # a busy machine may be late to begin, but plans are kept to
    assert len(first.trials.query("purpose == 'confirm'")) >= 2
    epochs = Run.open(first.run)["final_epochs"]
    again = archwise.resume(first.run, minutes=0.4)
    assert Run.open(first.run)["final_epochs"] > 0.99 * epochs  # steps are whole
    assert len(again.trials) > len(first.trials)
    assert again.metrics["seconds"] > first.metrics["seconds"]
    assert again.default["test"]["accuracy"] > 0.8
