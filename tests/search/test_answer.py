"""Who wins, how long the end may take, and what a continued search may not do, on trials made up for the purpose."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from tests.search.conftest import Maker, Searcher, add_trial, candidates

import archwise
from archwise.answer import PLANS, Conclusion
from archwise.clock import CONFIRM_SHARE, END_SECONDS, FINAL_SHARE, START_SECONDS, Clock, spent_seconds
from archwise.errors import RunError
from archwise.run import Run


def test_means_are_compared_on_the_seeds_that_all_finalists_have(make_search: Maker) -> None:
    search = make_search()
    old, new = candidates(search, 2)
    add_trial(search, old, 0.9)
    add_trial(search, new, 0.8)
    for seed, score in ((1, 0.70), (2, 0.70), (3, 1.00)):
        add_trial(search, old, score, seed=seed)
    for seed in (1, 2):
        add_trial(search, new, 0.75, seed=seed)
    conclusion = Conclusion(search)
    rows = conclusion.choose(None)
    assert [row["candidate"] for row in rows if row["chosen"]] == [new]
    assert [row["mean"] for row in rows] == pytest.approx([0.75, 0.70])
    assert conclusion.validation(old) == ({"accuracy": pytest.approx(0.70)}, {"accuracy": pytest.approx(0)})


def test_who_fails_on_a_fresh_seed_does_not_win(make_search: Maker) -> None:
    search = make_search()
    fragile, sound = candidates(search, 2)
    add_trial(search, fragile, 0.99)
    add_trial(search, sound, 0.9)
    add_trial(search, fragile, 0.99, seed=1)
    add_trial(search, fragile, None, seed=2)
    add_trial(search, sound, 0.9, seed=1)
    add_trial(search, sound, 0.9, seed=2)
    assert Conclusion(search).choose(None)[0]["candidate"] == sound


def test_of_equal_means_the_default_wins(make_search: Maker) -> None:
    search = make_search()
    other = next(c for c in candidates(search, 2) if c != search.default)
    for candidate, score in ((search.default, 0.8), (other, 0.95)):
        add_trial(search, candidate, score)
        add_trial(search, candidate, 0.9, seed=1)
    assert Conclusion(search).choose(None)[0]["candidate"] == search.default


def test_without_a_common_seed_the_search_decides_and_says_so(make_search: Maker) -> None:
    search = make_search()
    lucky, better, low = candidates(search, 3)
    add_trial(search, lucky, 0.5)
    add_trial(search, better, 0.9)
    add_trial(search, low, 0.95, fidelity=0.1)
    add_trial(search, lucky, 0.6, seed=1)
    conclusion = Conclusion(search)
    rows = conclusion.choose(None)
    assert rows[0]["candidate"] == better
    assert [row["deciding_seeds"] for row in rows] == [0] * len(rows)
    assert "no fresh seed is common" in conclusion.decided_by
    assert conclusion.validation(lucky)[0] == {"accuracy": 0.5}


def test_the_default_is_a_finalist_and_what_does_not_fit_the_time_is_none(make_search: Maker) -> None:
    search = make_search(minutes=1.0)
    slow, *others = [c for c in candidates(search, 6) if c != search.default]
    add_trial(search, search.default, 0.1)
    add_trial(search, slow, 0.99, full=60 * FINAL_SHARE + 1)
    for number, candidate in enumerate(others):
        add_trial(search, candidate, 0.5 + 0.01 * number)
    finalists = Conclusion(search).finalists(2)
    assert finalists == [others[-1], others[-2], search.default]


def test_what_is_kept_for_the_end_follows_the_trials_and_the_budget(make_search: Maker) -> None:
    search = make_search(minutes=10.0)
    conclusion = Conclusion(search)
    first, second, third = candidates(search, 3)
    for candidate in (first, second, third):
        add_trial(search, candidate, 0.9, full=2.0)
    assert conclusion._plan() == PLANS[0]
    quick = conclusion.reserve()
    assert START_SECONDS + END_SECONDS + 3.0 <= quick <= START_SECONDS + END_SECONDS + 30.0
    for candidate in (first, second, third):
        for _ in range(20):
            search._full_seconds[candidate].append(200.0)
            search._evaluation_seconds[candidate].append(200.0)
    assert conclusion._plan() == PLANS[-1]
    assert quick < conclusion.reserve() <= 600 * (CONFIRM_SHARE + FINAL_SHARE) + START_SECONDS + END_SECONDS


def test_time_spent_is_that_of_sessions_not_of_pauses(make_search: Maker) -> None:
    search = make_search()
    [candidate] = candidates(search, 1)
    add_trial(search, candidate, 0.9)
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
    [candidate] = candidates(search, 1)
    add_trial(search, candidate, 0.9, full=200.0)
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
    again = archwise.resume(first.run, minutes=0.6)
    # What more minutes allow is measured anew, and a machine may have become slower.
    assert Run.open(first.run)["final_epochs"] > 0.75 * epochs
    explored = [len(result.trials.query("purpose == 'search'")) for result in (first, again)]
    assert explored[1] > explored[0]
    assert again.metrics["seconds"] > first.metrics["seconds"]
    assert again.default["test"]["accuracy"] > 0.8
