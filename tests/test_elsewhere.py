"""What a search is shown of earlier ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import foreign
from tests.search.conftest import trial_facts

import archwise
from archwise.elsewhere import EACH, SEARCHES, earlier_searches, shown, told
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.parts import dense, head
from archwise.strategies import BayesianOptimization
from archwise.trial import Outcome, Trial

WIDTHS = [8, 16, 32, 64, 128, 256]
SPACE = JointSpace(
    Space(Chain(dense(Choice("width", WIDTHS)), head())), Space(Settings(rate=Choice("rate", [0.1, 0.2])))
)
CANDIDATES = list(SPACE.enumerate())


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Experience]:
    with Experience(tmp_path / "experience.sqlite") as opened:
        yield opened


def searched(
    memory: Experience,
    task: str,
    scores: list[float | None],
    space: JointSpace = SPACE,
    seed: int = 0,
    **changes: Any,
) -> str:
    """Record a search with a trial for each score, and return its id."""
    memory.add_task(TaskRecord(f"print of {task}", task, "binary", Signature((4,), 2, "table"), "accuracy", {}))
    for part in (space.network, space.recipe):
        memory.add_space(SpaceRecord(part.hash, part.name, {}))
    hashes = space.network.hash, space.recipe.hash
    search = memory.begin_search(SearchRecord(f"print of {task}", *hashes, "random", seed, "accuracy"))
    for number, score in enumerate(scores):
        outcome = Outcome("failed", reason="diverged") if score is None else Outcome("finished", score)
        trial = Trial(
            number, **{"candidate": CANDIDATES[number], "fidelity": 1.0, "seed": 0, "outcome": outcome} | changes
        )
        memory.add_trial(search, trial, *space.key(trial.candidate))
    return search


def seen(memory: Experience, task: str = "new") -> list[tuple[Candidate, float | None]]:
    """Return the candidates that a new search is shown, with their scores."""
    trials = shown(memory, earlier_searches(memory, f"print of {task}", 0, SPACE))
    assert [trial.number for trial in trials] == list(range(-len(trials), 0))
    assert all(trial.parent is None and trial.inherits is None for trial in trials)
    return [(trial.candidate, trial.score) for trial in trials]


def test_the_best_of_a_search_are_shown_by_their_places(memory: Experience) -> None:
    searched(memory, "easy", [0.7, None, 0.9, 0.8, 0.6])
    assert seen(memory) == [(CANDIDATES[2], 1.0), (CANDIDATES[3], 1 / 2), (CANDIDATES[0], 1 / 3)]


def test_the_same_data_comes_first_and_then_the_latest(memory: Experience) -> None:
    for task in ("new", "old", "younger"):
        searched(memory, task, [0.5, 0.6, 0.4])
    told_of = earlier_searches(memory, "print of new", 0, SPACE)
    assert [search["task"] for search in told_of] == ["new", "younger", "old"]
    assert told(told_of)[0].endswith("3 earlier searches in this space (new, younger, old)")
    assert [score for _, score in seen(memory)] == 3 * [1.0, 1 / 2, 1 / 3]


def test_what_has_seen_the_test_rows_is_left_out(memory: Experience) -> None:
    searched(memory, "new", [0.5, 0.6, 0.4], seed=1)
    searched(memory, "another", [0.5, 0.6, 0.4], seed=1)
    assert [search["task"] for search in earlier_searches(memory, "print of new", 0, SPACE)] == ["another"]


def test_of_many_searches_and_trials_only_the_latest_and_best_are_shown(memory: Experience) -> None:
    searched(memory, "new", [0.1, 0.2, 0.3, 0.4, 0.5])
    for number in range(SEARCHES + 3):
        searched(memory, f"task {number}", [0.1, 0.2, 0.3, 0.4, 0.5])
    for number in range(SEARCHES):
        searched(memory, f"aborted {number}", [0.9])
    names = [search["task"] for search in earlier_searches(memory, "print of new", 0, SPACE)]
    assert names == ["new", *(f"task {number}" for number in range(SEARCHES + 2, 3, -1))]
    assert len(seen(memory)) == EACH * SEARCHES


@pytest.mark.parametrize(("workers", "share"), [(1, 0.0), (8, 0.0), (1, 1.0)])
def test_two_candidates_come_from_elsewhere_whatever_becomes_of_them(workers: int, share: float) -> None:
    strategy = BayesianOptimization()
    evaluate = toys.failing(share, "failed")
    others = foreign(toys.layers(), 20)
    trials = simulate(lambda: strategy, toys.layers(), 20, workers=workers, evaluate=evaluate, known=others)
    assert [trial.origin for trial in trials].count("best of another search") == 2


def test_what_the_experience_has_lost_is_not_shown(memory: Experience) -> None:
    search = searched(memory, "easy", [0.5, 0.6, 0.4])
    assert [t.candidate for t in shown(memory, [{"search": search, "task": "easy", "best": [7, 1]}])] == [CANDIDATES[1]]


def test_what_says_nothing_is_left_out(memory: Experience) -> None:
    other = JointSpace(SPACE.network.fix({"width": [8, 16]}), SPACE.recipe)
    searched(memory, "another space", [0.9, 0.8, 0.7], other)
    searched(memory, "too few finished", [0.9, None, 0.8])
    searched(memory, "nothing in full", [0.9, 0.8, 0.7], fidelity=0.5)
    searched(memory, "a finalist's confirmations", [0.9, 0.8, 0.7], purpose="confirm")
    searched(memory, "nothing tried", [])
    assert seen(memory) == []
    assert told(earlier_searches(memory, "print of new", 0, SPACE)) == []


@pytest.mark.slow
def test_a_search_by_itself_begins_with_the_best_of_earlier_ones_and_stays_the_same(tmp_path: Path) -> None:
    def search(data: str, name: str, experience: str, **options: Any) -> archwise.Result:
        places = {"run": tmp_path / name, "experience": tmp_path / experience}
        return archwise.search(data, **{"trials": 5, "epochs": 3, "workers": 1, **places, **options})

    first = search("iris", "first", "one.sqlite", strategy="random", seed=1)
    of_first = first.trials.query("purpose == 'search'").sort_values("score", ascending=False, kind="stable")
    (tmp_path / "two.sqlite").write_bytes((tmp_path / "one.sqlite").read_bytes())

    whole = search("wine", "whole", "one.sqlite")
    trials = whole.trials.query("purpose == 'search'")
    assert list(trials.origin)[:3] == ["the space's default"] + 2 * ["best of another search"]
    best = [a for a in of_first.architecture if a != trials.architecture.iloc[0]]
    assert list(trials.architecture)[1:3] == best[:2]
    why = json.loads((tmp_path / "whole" / "run.json").read_text())["strategy"]["why"]
    assert why.endswith("; it is shown the best of an earlier search in this space (iris)")
    assert "an earlier search in this space (iris)" in (tmp_path / "whole" / "report.html").read_text()

    search("wine", "part", "two.sqlite", trials=2)
    search("iris", "between", "two.sqlite", strategy="random", seed=2)
    before = json.loads((tmp_path / "part" / "run.json").read_text())
    assert [entry["task"] for entry in before["earlier"]] == ["iris"]
    assert trial_facts(archwise.resume(tmp_path / "part", trials=5))[:5] == trial_facts(whole)[:5]

    named = search("wine", "named", "one.sqlite", strategy="bayesian")
    assert "best of another search" not in set(named.trials.origin)
    small = search("wine", "small", "one.sqlite", minimise=["parameters"], trials=4)
    assert "best of another search" not in set(small.trials.origin)
