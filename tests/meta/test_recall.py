"""What an experience tells a new search of past tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sklearn.datasets import load_iris
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import foreign
from tests.report.reading import read_page, table_figures
from tests.search.conftest import trial_facts

import archwise
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.meta.guard import GuardedTransfer
from archwise.meta.recall import past_tasks, recall, told
from archwise.session import task_record
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.layer_types import identity
from archwise.spaces.parts import dense, head, relu
from archwise.strategies import BayesianOptimization
from archwise.tasks.load import make_task
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


def described(task: str, **facts: Any) -> TaskRecord:
    return TaskRecord(f"print of {task}", task, "binary", Signature((4,), 2, "table"), "accuracy", {}, **facts)


def searched(
    memory: Experience,
    task: str,
    scores: list[float | None],
    space: JointSpace = SPACE,
    seed: int = 0,
    settings: Mapping[str, Any] = MappingProxyType({"epochs": 5}),
    objective: str = "accuracy",
    record: TaskRecord | None = None,
    **changes: Any,
) -> str:
    """Record a search with a trial for each score, and return its id."""
    record = record or described(task)
    memory.add_task(record)
    for part in (space.network, space.recipe):
        memory.add_space(SpaceRecord(part.hash, part.name, part.describe()))
    hashes = space.network.hash, space.recipe.hash
    search = memory.begin_search(SearchRecord(record.fingerprint, *hashes, "random", seed, objective, settings))
    for number, score in enumerate(scores):
        outcome = Outcome("failed", reason="diverged") if score is None else Outcome("finished", score)
        trial = Trial(
            number, **{"candidate": CANDIDATES[number], "fidelity": 1.0, "seed": 0, "outcome": outcome} | changes
        )
        memory.add_trial(search, trial, *space.key(trial.candidate))
    return search


def known(memory: Experience, task: str = "new") -> dict[str, list[Candidate]]:
    """Return the past tasks that a new search is told of, with their candidates."""
    past = past_tasks(memory, recall(memory, described(task), SPACE), SPACE)
    return {each.name: [trial.candidate for trial in each.trials] for each in past}


def test_trials_of_the_same_space_are_known_failed_ones_too(memory: Experience) -> None:
    searched(memory, "easy", [0.7, None, 0.9, 0.8, 0.6])
    deeper = JointSpace(Space(Chain(dense(Choice("width", WIDTHS)), relu(), head())), SPACE.recipe)
    searched(memory, "other networks of the same names", [0.9, 0.8, 0.7], deeper)
    searched(memory, "too few finished", [0.9, None, 0.8])
    searched(memory, "a finalist's confirmations", [0.9, 0.8, 0.7], purpose="confirm")
    searched(memory, "nothing tried", [])
    assert known(memory) == {"easy": CANDIDATES[:5]}
    [past] = past_tasks(memory, recall(memory, described("new"), SPACE), SPACE)
    assert [trial.score for trial in past.trials] == [0.7, None, 0.9, 0.8, 0.6]


def test_trials_of_changed_spaces_are_known_where_they_mean_the_same(memory: Experience) -> None:
    smaller = JointSpace(SPACE.network.fix({"width": [8, 16]}), SPACE.recipe)
    own = Candidate(smaller.network.default, smaller.recipe.default)
    searched(memory, "limited", [0.9, 0.8, 0.7], smaller, candidate=own)
    searched(memory, "limited", [0.6, None])
    assert known(memory) == {"limited": [own] * 3 + CANDIDATES[:2]}, "one past task, as its scores can be compared"
    searched(memory, "of all", [0.1 * i for i in range(len(CANDIDATES))])
    recalled = recall(memory, described("new"), smaller)
    assert [entry["task"] for entry in recalled] == ["of all", "limited"]
    past, _ = past_tasks(memory, recalled, smaller)
    assert {trial.candidate for trial in past.trials} == {c for c in CANDIDATES if c in smaller}
    assert [trial.score for trial in past.trials] == [0.1 * i for i in range(4)]


def test_what_was_recalled_is_read_the_same_later(memory: Experience) -> None:
    before = JointSpace(Space(Chain(dense(Choice("size", WIDTHS)), head(), name="net")), Space(Settings(rate=0.1)))
    candidate = before.sample(0)
    searched(memory, "renamed", [0.9, 0.8, 0.7], before, candidate=candidate)
    after = Chain(Chain(dense(Choice("size", WIDTHS)), Choice("act", [relu(), identity()]), name="net"), head())
    now = JointSpace(Space(after), SPACE.recipe)
    recalled = json.loads(json.dumps(recall(memory, described("new"), now)))
    [entry] = recalled
    [reading] = entry["readings"].values()
    assert reading["gaps"] == [{"act": "identity"}, {"rate": 0.1}]
    [past] = past_tasks(memory, recalled, now)
    assert [now.key(trial.candidate) for trial in past.trials] == [before.key(candidate)] * 3
    assert all(trial.candidate in now for trial in past.trials)
    another = JointSpace(Space(Chain(dense(Choice("size", WIDTHS)), relu(), head())), SPACE.recipe)
    assert past_tasks(memory, recalled, another)[0].trials == [], "never misread, whatever the entry says"


def test_a_space_that_computes_something_else_by_now_is_not_misread(memory: Experience, monkeypatch) -> None:
    searched(memory, "old", [0.7, 0.9, 0.8])
    assert known(memory)
    key = SPACE.network.key
    monkeypatch.setattr(SPACE.network, "key", lambda architecture: f"{key(architecture)} of a new version")
    assert not known(memory)


def test_nearly_the_same_data_comes_first_and_is_told_or_left_out(memory: Experience) -> None:
    rows = [4 * number for number in range(0, 128_000, 1_000)]
    twin = [*rows[:120], *(4 * number + 4 for number in range(120_000, 128_000, 1_000))]
    memory.add_task(described("twin", sketch=twin))
    memory.add_task(described("stranger", sketch=[number + 4 for number in rows]))
    for task in ("twin", "stranger", "unknown"):
        searched(memory, task, [0.5, 0.6, 0.4])
    new = described("new", sketch=rows)
    recalled = recall(memory, new, SPACE)
    assert [(e["task"], e["same_data"]) for e in recalled] == [("twin", 0.94), ("unknown", 0.0), ("stranger", 0.0)]
    assert "nearly the same data under the name twin (94 % of its rows)" in told(recalled)[1]
    recalled = recall(memory, new, SPACE, leave_out_same_data=True)
    assert [past.name for past in past_tasks(memory, recalled, SPACE)] == ["stranger"]
    assert told(recalled)[1:] == [
        "past tasks with some of the same data were left out (twin)",
        "past tasks without a sketch of their rows were left out (unknown), as nobody can tell whether they hold the "
        "same data",
    ]
    blind = recall(memory, described("new"), SPACE, leave_out_same_data=True)
    assert past_tasks(memory, blind, SPACE) == [], "nor can anybody where the new task has no sketch"


def test_real_data_is_known_again_under_another_name(memory: Experience, tmp_path: Path) -> None:
    iris = load_iris(as_frame=True).frame
    renamed = iris.sample(frac=0.9, random_state=0).iloc[:, [2, 0, 1, 3, 4]]
    renamed.columns = ["a", "b", "c", "d", "target"]
    tasks = {
        name: task_record(make_task(data, target, folder=tmp_path / name, name=name))
        for name, data, target in (("iris", iris, "target"), ("flowers", renamed, "target"), ("wine", "wine", None))
    }
    for name in ("iris", "wine"):
        searched(memory, name, [0.7, 0.9, 0.8], record=tasks[name])
    recalled = recall(memory, tasks["flowers"], SPACE)
    assert [(entry["task"], entry["same_data"] > 0.9) for entry in recalled] == [("iris", True), ("wine", False)]
    assert "the same data" in told(recalled)[1] and "iris" in told(recalled)[1]
    apart = recall(memory, tasks["flowers"], SPACE, leave_out_same_data=True)
    assert [past.name for past in past_tasks(memory, apart, SPACE)] == ["wine"]


def test_the_most_alike_come_first(memory: Experience) -> None:
    for size, task in enumerate(("tiny", "small", "large", "huge")):
        memory.add_task(described(task, descriptor={"log_rows": float(size)}))
        searched(memory, task, [0.5, 0.6, 0.4])
    recalled = recall(memory, described("new", descriptor={"log_rows": 0.9}), SPACE)
    assert [entry["task"] for entry in recalled] == ["small", "tiny", "large", "huge"]
    assert past_tasks(memory, recalled, SPACE)[0].descriptor == {"log_rows": 1.0}


@pytest.mark.parametrize("epochs", [-5, 0, 1e308])
def test_lengths_that_cannot_be_are_lengths_that_nobody_knows(memory: Experience, epochs: float) -> None:
    for _ in range(2):
        searched(memory, "old", [0.5, 0.6, 0.4], settings={"epochs": epochs})
    assert len(recall(memory, described("new"), SPACE)) == 2


def test_a_descriptor_that_comes_later_changes_nothing_for_a_search_that_began(memory: Experience) -> None:
    memory.add_task(described("old"))
    searched(memory, "old", [0.5, 0.6, 0.4])
    recalled = json.loads(json.dumps(recall(memory, described("new"), SPACE)))
    [entry] = recalled
    memory.add_task(described("old", descriptor={"log_rows": 3.0}))
    assert past_tasks(memory, recalled, SPACE)[0].descriptor is None
    del entry["descriptor"]
    assert past_tasks(memory, recalled, SPACE)[0].descriptor == {"log_rows": 3.0}, "as in runs of earlier versions"


def test_scores_of_another_meaning_are_of_another_past_task(memory: Experience) -> None:
    for epochs, objective in (
        (5, "accuracy"),
        (50, "accuracy"),
        (5, "f1"),
        (5.2, "accuracy"),
        *[(None, "accuracy")] * 2,
    ):
        searched(memory, "easy", [0.7, 0.9, 0.8], settings={"epochs": epochs}, objective=objective)
    found = past_tasks(memory, recall(memory, described("new"), SPACE), SPACE)
    assert sorted(len(task.trials) for task in found) == [3, 3, 3, 3, 6]


def test_past_tasks_of_one_name_have_labels_of_their_own(memory: Experience) -> None:
    for epochs, objective in ((2, "accuracy"), (20, "accuracy"), (20, "f1")):
        searched(memory, "iris", [0.7, 0.9, 0.8], settings={"epochs": epochs}, objective=objective)
    searched(memory, "wine", [0.7, 0.9, 0.8])
    searched(memory, "wine", [0.7, 0.9, 0.8], record=replace(described("wine"), fingerprint="print of other wine"))
    recalled = json.loads(json.dumps(recall(memory, described("new"), SPACE)))
    names = {past.name for past in past_tasks(memory, recalled, SPACE)}
    iris = {"iris (accuracy, 2 passes)", "iris (accuracy, 20 passes)", "iris (f1, 20 passes)"}
    assert names == iris | {"wine", "wine (2)"} == {entry["label"] for entry in recalled}
    assert told(recalled) == ["it knows 2 past tasks in this space (wine, iris)"]


def test_the_same_data_comes_first_and_then_the_latest(memory: Experience) -> None:
    for task in ("new", "old", "younger"):
        searched(memory, task, [0.5, 0.6, 0.4], seed=1)
    recalled = recall(memory, described("new"), SPACE)
    assert [(entry["task"], entry["same_data"]) for entry in recalled] == [
        ("new", 1.0),
        ("younger", 0.0),
        ("old", 0.0),
    ]
    assert told(recalled)[0] == "it knows 3 past tasks in this space (new, younger, old)"
    assert "the same data was searched before" in told(recalled)[1]
    assert len(told(recall(memory, described("something else"), SPACE))) == 1
    assert told([]) == []


def test_of_many_tasks_and_trials_only_the_latest_and_best_are_known(memory: Experience, monkeypatch) -> None:
    monkeypatch.setattr("archwise.meta.recall.TASKS", 3)
    monkeypatch.setattr("archwise.meta.recall.TRIALS", 6)
    for number in range(5):
        searched(memory, f"task {number}", [0.1, 0.2, 0.3])
    searched(memory, "long", [0.1, None, 0.9, 0.3, 0.4, 0.5, 0.2, 0.3, 0.6, 0.1, 0.2, 0.1])
    found = known(memory)
    assert list(found) == ["long", "task 4", "task 3"]
    assert len(found["long"]) == 6 and CANDIDATES[2] in found["long"]


def test_what_was_continued_is_told_once(memory: Experience) -> None:
    search = searched(memory, "short and long", [0.5, 0.7, 0.6], fidelity=1 / 3)
    longer = Trial(3, CANDIDATES[1], 1.0, 0, Outcome("finished", 0.9), parent=1)
    memory.add_trial(search, longer, *SPACE.key(longer.candidate))
    [past] = past_tasks(memory, recall(memory, described("new"), SPACE), SPACE)
    assert [(trial.candidate, trial.fidelity) for trial in past.trials] == [
        (CANDIDATES[0], 1 / 3),
        (CANDIDATES[2], 1 / 3),
        (CANDIDATES[1], 1.0),
    ]
    scores = {trial.candidate: trial.score for trial in past.within(SPACE)}
    assert scores == {CANDIDATES[0]: 0.0, CANDIDATES[2]: 1.0, CANDIDATES[1]: 2.0}, "places, the longest above"


def test_what_the_experience_has_lost_is_not_known(memory: Experience) -> None:
    search = searched(memory, "easy", [0.5, 0.6, 0.4])
    entry = {"task": "easy", "same_data": 0.0, "searches": {search: [7, 1]}}
    assert [[t.number for t in task.trials] for task in past_tasks(memory, [entry], SPACE)] == [[1]]


def test_the_best_of_short_searches_are_tried_early(memory: Experience) -> None:
    for task in ("one", "two"):
        searched(memory, task, [0.5, 0.9, 0.6])
    strategy = GuardedTransfer(past_tasks(memory, recall(memory, described("new"), SPACE), SPACE))
    trials = simulate(lambda: strategy, SPACE, 6)
    assert trials[1].candidate == CANDIDATES[1] and "best of another search" in trials[1].origin


@pytest.mark.parametrize(("workers", "share"), [(1, 0.0), (8, 0.0), (1, 1.0)])
def test_two_candidates_come_from_elsewhere_whatever_becomes_of_them(workers: int, share: float) -> None:
    strategy = BayesianOptimization()
    evaluate = toys.failing(share, "failed")
    others = foreign(toys.layers(), 20)
    trials = simulate(lambda: strategy, toys.layers(), 20, workers=workers, evaluate=evaluate, known=others)
    assert [trial.origin for trial in trials].count("best of another search") == 2


def told_in_the_report(result: archwise.Result) -> None:
    """Assert that a search of seven trials which knew iris says what that was worth."""
    told = result.metrics["transfer"]
    [task] = told["tasks"]
    assert (task["name"], task["trials"], told["after"]) == ("iris", 40, [0, 5, 7])
    assert 0 < told["none"][-1] <= 1 and len(set(task["weight"])) == 3
    assert (told["none"][-1] == 1) == told["aside"][-1]
    said = result.summary()["transfer"]
    assert said == {
        "believed": [{"task": "iris", "share": task["share"][-1]}],
        "estimated_saving": told["saving"],
    }
    assert told["saving"]["found_after"] <= 7 and told["saving"]["needed"]
    [row] = table_figures(read_page(result.report), "What past tasks were worth")
    weight, share = task["weight"], task["share"]
    assert row == [40, task["reliability"], share[0], share[-1], weight[0], weight[-1]]
    assert sum("most by iris" in origin for origin in result.trials.origin) == task["proposed"] > 0


@pytest.mark.slow
def test_a_search_by_itself_learns_from_earlier_ones_and_stays_the_same(tmp_path: Path) -> None:
    def search(data: str, name: str, experience: str, **options: Any) -> archwise.Result:
        places = {"run": tmp_path / name, "experience": tmp_path / experience}
        return archwise.search(data, **{"trials": 7, "epochs": 3, "workers": 1, **places, **options})

    assert search("iris", "first", "one.sqlite", trials=40).run.name == "first"
    assert "What past tasks were worth" not in (tmp_path / "first" / "report.html").read_text()
    described = json.loads((tmp_path / "first" / "run.json").read_text())["strategy"]
    assert described["name"] == "bayesian" and "past task" not in described["why"]
    (tmp_path / "two.sqlite").write_bytes((tmp_path / "one.sqlite").read_bytes())

    whole = search("wine", "whole", "one.sqlite")
    trials = whole.trials.query("purpose == 'search'")
    assert "the space's default" in " ".join(trials.origin[:5])
    described = json.loads((tmp_path / "whole" / "run.json").read_text())["strategy"]
    assert described["name"] == "transfer"
    assert described["why"].endswith("; it knows a past task in this space (iris)")
    assert "a past task in this space (iris)" in (tmp_path / "whole" / "report.html").read_text()
    told_in_the_report(whole)

    search("wine", "part", "two.sqlite", trials=5)
    search("iris", "between", "two.sqlite", strategy="random", seed=2)
    before = json.loads((tmp_path / "part" / "run.json").read_text())
    assert [entry["task"] for entry in before["recalled"]] == ["iris"]
    assert trial_facts(archwise.resume(tmp_path / "part", trials=7))[:7] == trial_facts(whole)[:7]


@pytest.mark.slow
def test_a_search_by_minutes_learns_too(tmp_path: Path) -> None:
    places = {"experience": tmp_path / "one.sqlite", "workers": 1}
    archwise.search("iris", minutes=0.5, run=tmp_path / "first", **places)
    archwise.search("wine", minutes=0.5, run=tmp_path / "second", **places)
    with Experience(tmp_path / "one.sqlite") as memory:
        lengths = [search.settings["epochs"] for search in memory.searches()]
    settled = [json.loads((tmp_path / run / "run.json").read_text()) for run in ("first", "second")]
    assert lengths == [run["settings"]["epochs"] for run in settled] and None not in lengths
    described = json.loads((tmp_path / "second" / "run.json").read_text())["strategy"]
    assert described["name"] == "halving-transfer" and "(iris)" in described["why"]
