"""What a time budget leaves out, and what stays as it was when a search is continued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.search.conftest import Maker, Searcher, candidates
from tests.search.test_search import misbehaving

import archwise
from archwise import api
from archwise.clock import PATIENCE, TRIAL_SHARE
from archwise.errors import RunError
from archwise.loop import Search
from archwise.run import Run
from archwise.spaces import Chain, Choice, Space
from archwise.spaces.parts import dense, head
from archwise.strategies import SuccessiveHalving
from archwise.trial import Proposal


def test_a_trial_may_take_its_share_of_the_budget(make_search: Maker) -> None:
    search = make_search(minutes=10.0)
    [candidate] = candidates(search, 1)
    whole = search._time_limit(Proposal(candidate)) or 0.0
    third = search._time_limit(Proposal(candidate, 1 / 3)) or 0.0
    assert whole == pytest.approx(PATIENCE * TRIAL_SHARE * 600, abs=3)
    assert third == pytest.approx(whole / 3, abs=3)
    assert make_search(minutes=None)._time_limit(Proposal(candidate)) is None


@pytest.mark.slow
def test_networks_that_are_too_dear_for_the_time_are_not_tried(small_search: Searcher) -> None:
    result = small_search("digits", minutes=0.6, trials=None, epochs=None, workers=2, strategy="halving-random")
    most = Run.open(result.run).settings.most_flops
    searched = result.trials.query("purpose == 'search' and flops == flops")
    assert most is not None
    assert len(searched) >= 1
    assert searched.flops.max() <= most


def test_where_nothing_can_be_trained_the_search_says_so_before_it_begins(small_search: Searcher) -> None:
    space = Space(Chain(dense(8), misbehaving(Choice("how", ["raise", "nan"])), head()), "hopeless")
    with pytest.raises(RunError, match=r"Neither the default.*(ArithmeticError|diverged)"):
        small_search(space=space, trials=None, epochs=None, minutes=0.5)


@pytest.mark.parametrize(("began_with", "rungs"), [(4, 3), (None, 4)])
def test_a_continued_search_keeps_its_rungs_whatever_its_budget_is_now(
    small_search: Searcher, monkeypatch: pytest.MonkeyPatch, began_with: int | None, rungs: int
) -> None:
    first = small_search(trials=4, strategy="halving-evolution")
    Run.open(first.run).update(first_trials=began_with)
    loops: list[Search] = []

    def execute(loop: Search, network: Space | None) -> Any:
        loops.append(loop)

    monkeypatch.setattr(api, "execute", execute)
    archwise.resume(first.run, minutes=5)
    archwise.resume(first.run, trials=50)
    for loop in loops:
        assert isinstance(loop.strategy, SuccessiveHalving)
        assert loop.strategy.rungs == rungs


def test_a_refused_continuation_changes_nothing(small_search: Searcher, tmp_path: Path) -> None:
    space = Space(Chain(dense(Choice("width", [4, 8, 16])), head()), "mine")
    first = small_search(trials=2, space=space)
    before = (first.run / "run.json").read_text()
    with pytest.raises(RunError, match="not the one that the run"):
        archwise.resume(first.run, trials=3, space=Space(Chain(dense(5), head()), "mine"))
    assert (first.run / "run.json").read_text() == before
