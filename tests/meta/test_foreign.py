"""Past tasks of other spaces: what they say of a space, and when they are asked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archwise
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.limits import limit_spaces
from archwise.meta.agreement import rank_correlation
from archwise.meta.foreign import ALIKE, ForeignSurrogates, links_in_common
from archwise.meta.past_task import PastTask
from archwise.meta.recall import past_tasks, recall, told
from archwise.meta.sources import Sources
from archwise.rebuilding import rebuilt
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Repeat, Settings, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.cnn import cnn
from archwise.spaces.mlp import mlp
from archwise.spaces.parts import activation, dense, flatten, head
from archwise.spaces.ready import ready_space
from archwise.spaces.transnas101 import transnas101_micro
from archwise.trial import Outcome, Trial

OLD = Signature((7,), 3, "table")
NEW = Signature((12,), 2, "table")
READY = JointSpace(mlp(), training_recipe("table"), OLD)


def own_space() -> JointSpace:
    """Return perceptrons that somebody wrote for themselves."""
    layer = Chain(dense(Choice("units", [24, 96, 200, 400])), activation(Choice("act", ["relu", "tanh"])))
    layers = Repeat(layer, Choice("layers", [1, 2, 3]), tied=False, name="body")
    return JointSpace(Space(Chain(flatten(), layers, head()), "own"), training_recipe("table"), NEW)


def worth(space: JointSpace, candidate: Candidate) -> float:
    """Score a candidate by what it is, whatever its space: wide layers, few of them, and a usual learning rate."""
    graph = space.network.graph(candidate.architecture)
    widths = [vertex.attributes["width"] for vertex in graph.vertices if vertex.kind == "dense"]
    rate = space.recipe.values(candidate.recipe)["learning_rate"]
    return sum(map(math.log10, widths)) - 0.8 * len(widths) - abs(math.log10(rate) + 2)


def tried(space: JointSpace, count: int, noise: float = 0.1) -> list[Trial]:
    rng = np.random.default_rng(0)
    candidates = [space.sample(seed) for seed in range(count)]
    scores = [worth(space, candidate) + noise * rng.normal() for candidate in candidates]
    return [
        Trial(number, candidate, 1.0, 0, Outcome("finished", score))
        for number, (candidate, score) in enumerate(zip(candidates, scores, strict=True))
    ]


def test_a_past_task_of_another_space_predicts_what_both_have() -> None:
    own = own_space()
    surrogate = ForeignSurrogates(own).surrogate(PastTask("past", tried(READY, 80), space=READY))
    assert rank_correlation(*surrogate.left_out()) > 0.7
    candidates = [own.sample(seed) for seed in range(100)]
    truth = np.array([worth(own, candidate) for candidate in candidates])
    assert rank_correlation(surrogate.predict(candidates)[0], truth) > 0.7


def test_scores_that_follow_nothing_do_not_agree_with_themselves() -> None:
    trials = tried(READY, 60, noise=100.0)
    surrogate = ForeignSurrogates(own_space()).surrogate(PastTask("noise", trials, space=READY))
    assert rank_correlation(*surrogate.left_out()) < 0.39, "under three standard errors"


def test_trials_that_are_alike_in_what_both_spaces_have_say_nothing() -> None:
    layers = Chain(flatten(), dense(32), activation("relu"), head())
    momenta = Space(Settings(momentum=Choice("momentum", [0.1 * i for i in range(10)])))
    other = JointSpace(Space(layers), momenta, OLD)
    trials = [Trial(i, c, 1.0, 0, Outcome("finished", 0.1 * i)) for i, c in enumerate(other.enumerate())]
    task = PastTask("past", trials, space=other)
    assert ForeignSurrogates(own_space()).surrogate(task) is None
    found = Sources([task, PastTask("says", tried(READY, 60), space=READY)], own_space())
    assert [used.name for used in found.used] == ["says"]


def test_records_of_another_space_are_no_candidates_of_this_one() -> None:
    task = PastTask("past", tried(READY, 10), space=READY)
    twin = JointSpace(mlp(), training_recipe("table"), NEW)
    assert all(trial.candidate in twin for trial in task.trials)
    assert task.within(twin) == [] and len(task.within(READY)) == 10
    with pytest.raises(ValueError, match="this space"):
        ForeignSurrogates(twin).surrogate(PastTask("past", task.trials))


@pytest.mark.parametrize(
    ("past", "new", "alike"),
    [
        (mlp(), own_space().network, True),
        (ready_space("cell"), transnas101_micro(), True),
        (ready_space("cell"), mlp(), False),
        (mlp(), cnn(), False),
        (cnn(), own_space().network, False),
    ],
)
def test_spaces_have_to_have_their_links_in_common(past: Space, new: Space, alike: bool) -> None:
    assert (links_in_common(past, new) >= ALIKE) == alike


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ({}, {}),
        ({"imbalanced": True}, {"fix": {"depth": [1, 2]}}),
        ({"classification": False}, {"exclude": {"optimizer": "sgd"}}),
    ],
)
def test_a_past_space_is_built_again(kind: dict[str, bool], settings: dict[str, Any]) -> None:
    parts = limit_spaces(
        [mlp(), training_recipe("table", **kind)], settings.get("fix", {}), settings.get("exclude", {})
    )
    record = SearchRecord("t", parts[0].hash, parts[1].hash, "random", 0, "r2", {"space": "mlp", **settings})
    found = rebuilt(record, OLD)
    assert found is not None and (found.network.hash, found.recipe.hash) == (record.space, record.recipe_space)
    assert found.signature == OLD
    for changes in ({"space": "cnn"}, {"space": "own"}, {"fix": {"depth": [3]}}, {"fix": {"nothing": [3]}}, {}):
        others = {"space": "mlp", **changes}
        if others != dict(record.settings):
            assert rebuilt(SearchRecord(*_facts(record), others), OLD) is None


def test_a_past_space_is_not_built_for_a_signature_that_it_does_not_suit() -> None:
    network, recipe = cnn(), training_recipe("image")
    record = SearchRecord("t", network.hash, recipe.hash, "random", 0, "r2", {"space": "cnn", "fix": None})
    assert rebuilt(record, Signature((1, 8, 8), 3, "image")) is not None
    assert rebuilt(record, Signature((5,), 3, "image")) is None


def _facts(record: SearchRecord) -> tuple[Any, ...]:
    return record.task, record.space, record.recipe_space, record.strategy, record.seed, record.objective


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Experience]:
    with Experience(tmp_path / "experience.sqlite") as opened:
        yield opened


def searched(memory: Experience, task: str, space: JointSpace, trials: list[Trial], name: str) -> str:
    """Record a search with its trials, and return its id."""
    assert space.signature is not None
    memory.add_task(TaskRecord(f"print of {task}", task, "multiclass", space.signature, "accuracy", {}))
    for part in (space.network, space.recipe):
        memory.add_space(SpaceRecord(part.hash, part.name, part.describe()))
    hashes = space.network.hash, space.recipe.hash
    record = SearchRecord(f"print of {task}", *hashes, "random", 0, "accuracy", {"space": name})
    search = memory.begin_search(record)
    for trial in trials:
        memory.add_trial(search, trial, *space.key(trial.candidate))
    return search


def test_trials_of_a_ready_made_space_are_recalled_for_ones_own(memory: Experience) -> None:
    search = searched(memory, "past", READY, tried(READY, 40), "mlp")
    searched(memory, "few", READY, tried(READY, 10), "mlp")
    images = JointSpace(cnn(), training_recipe("image"), Signature((1, 8, 8), 10, "image"))
    searched(memory, "pictures", images, tried_pictures(images), "cnn")
    own = own_space()
    new = TaskRecord("print of new", "new", "binary", NEW, "accuracy", {})
    recalled = recall(memory, new, own, rebuilt)
    [entry] = recalled
    assert (entry["task"], entry["foreign"], list(entry["searches"])) == ("past", True, [search])
    [past] = past_tasks(memory, recalled, own, rebuilt)
    assert past.space is not None and past.space.network.hash == READY.network.hash and past.space.signature == OLD
    assert [trial.candidate for trial in past.trials] == [trial.candidate for trial in tried(READY, 40)]
    assert told(recalled) == ["it knows a past task in a space with layers in common (past)"]
    assert recall(memory, new, own) == [], "without the means to build the space again"
    assert past_tasks(memory, recalled, own) == [], "a space that is not there any more"
    assert past_tasks(memory, [{**entry, "searches": {"a search that is lost": [1]}}], own, rebuilt) == []


def test_a_space_that_computes_something_else_by_now_is_not_asked(
    memory: Experience, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(memory, "past", READY, tried(READY, 40), "mlp")
    new = TaskRecord("print of new", "new", "binary", NEW, "accuracy", {})
    monkeypatch.setattr(Space, "_find_key", lambda self, architecture: f"{self.graph(architecture).hash} by now")
    assert recall(memory, new, own_space(), rebuilt) == []


def tried_pictures(space: JointSpace) -> list[Trial]:
    return [Trial(i, space.sample(i), 1.0, 0, Outcome("finished", i / 40)) for i in range(40)]


@pytest.mark.slow
def test_a_search_of_ones_own_space_is_told_of_ready_made_ones(memory: Experience, tmp_path: Path) -> None:
    searched(memory, "past", READY, tried(READY, 40), "mlp")
    options = {"trials": 1, "epochs": 1, "workers": 1, "run": tmp_path / "run", "experience": memory.location}
    result = archwise.search("wine", space=own_space().network, **options)
    assert "a space with layers in common (past)" in (result.run / "run.json").read_text()
