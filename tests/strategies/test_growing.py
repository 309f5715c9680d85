"""Network growing: the contract, and what makes it that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.bench.conftest import small_table
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.bench.simulation import simulate as run_on_table
from archwise.errors import ArchwiseError
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import table_space
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.mlp import mlp
from archwise.spaces.ready import ready_space
from archwise.strategies import (
    AsynchronousSuccessiveHalving,
    FreezeThaw,
    Hyperband,
    NetworkGrowing,
    ReinforcedGrowing,
    Strategy,
    SuccessiveHalving,
)
from archwise.strategies.edit_controller import EditController
from archwise.strategies.edits import edits_of
from archwise.trial import INHERITABLE, Outcome, Pending, Proposal, Trial

SPACE = JointSpace(ready_space("mlp"), training_recipe("table"))
SMALL = SPACE.network.fix({"depth": 1, "width": 16}).default


class TestNetworkGrowing(StrategyContract):
    begins_alike = True
    seeds = 6

    def make(self) -> Strategy:
        return NetworkGrowing()


class TestReinforcedGrowing(StrategyContract):
    begins_alike = True
    seeds = 4

    def make(self) -> Strategy:
        return ReinforcedGrowing()


def ended(number: int, candidate: Candidate, score: float | None, inherits: int | None = None) -> Trial:
    outcome = Outcome("failed", reason="diverged") if score is None else Outcome("finished", score)
    return replace(as_trial(number, Proposal(candidate, inherits=inherits)), outcome=outcome)


def differing(space: JointSpace, before: Candidate, after: Candidate) -> list[str]:
    """The choices that both made, and made differently."""
    labels = {d.path: d.label for d in space.decisions(after)}
    return [d.path for d in space.decisions(before) if d.path in labels and labels[d.path] != d.label]


# ------------------------------------------------------------------ edits


@pytest.mark.parametrize(
    ("name", "path", "after", "kind"),
    [
        ("mlp", "depth", 3, "add"),
        ("mlp", "depth", 1, "delete"),
        ("mlp", "0/width", 256, "change"),
        ("mlp", "/residual", True, "add"),
        ("mlp", "/normalisation", "none", "delete"),
        ("mlp", "/normalisation", "layer", "change"),
        ("mlp", "recipe:batch_size", 128, "retrain"),
        ("cnn", "stage1/depth", 2, "add"),
        ("cnn", "stage3", "no", "delete"),
        ("cnn", "stage1/block=conv/kernel", 5, "change"),
        ("cnn", "stage1/block", "bottleneck", "add"),
        ("conv1d", "stage1/skip", True, "add"),
        ("cell", "/stage/0->1/op", "conv1x1", "change"),
        ("cell", "/stage/0->1/op", "skip", "delete"),
    ],
)
def test_what_an_edit_is_called(name, path, after, kind):
    space = JointSpace(ready_space(name), training_recipe("table" if name == "mlp" else "image"))
    found = {(edit.path, edit.after): edit for edit in edits_of(space, space.default, (0,))}
    edit = found[path, after]
    assert edit.kind == kind and edit.candidate in space
    assert differing(space, space.default, edit.candidate) == [path]


def test_numbers_go_one_step_at_a_time():
    edits = edits_of(SPACE, SPACE.default, (0,))
    assert {edit.after for edit in edits if edit.path == "0/width"} == {64, 256}
    assert {edit.after for edit in edits if edit.path == "/activation"} == {"gelu", "silu", "tanh"}
    narrow = JointSpace(SPACE.network.fix({"0/width": [16, 128, 512]}), SPACE.recipe)
    assert {edit.after for edit in edits_of(narrow, narrow.default, (0,)) if edit.path == "0/width"} == {16, 512}


# ------------------------------------------------------------------ growing


@pytest.mark.parametrize("start", [SMALL, Candidate(SMALL, SPACE.recipe.sample(3))])
def test_it_begins_at_the_start_and_edits_it(start):
    strategy = NetworkGrowing(start)
    [first] = strategy.propose(SPACE, [], [], 0, 1)
    expected = start if isinstance(start, Candidate) else Candidate(start, SPACE.recipe.default)
    assert (first.candidate, first.inherits, first.origin) == (expected, None, "the network to start from")
    for seed in range(10):
        [child] = strategy.propose(SPACE, [ended(0, expected, 0.5)], [], seed, 1)
        assert child.inherits == 0 and child.origin.endswith("from trial 0's weights")
        assert len(differing(SPACE, expected, child.candidate)) == 1


def test_where_the_search_put_its_default_first_the_start_is_next():
    default = ended(0, SPACE.default, 0.5)
    [second] = NetworkGrowing(SMALL).propose(SPACE, [default], [], 0, 1)
    assert second.candidate.architecture == SMALL
    [other] = NetworkGrowing().propose(SPACE, [default], [], 0, 1)
    assert other.inherits == 0


def test_without_a_start_it_begins_at_the_best_of_other_searches():
    others = foreign(toys.layers(), 20)
    [first] = NetworkGrowing().propose(toys.layers(), others, [], 0, 1)
    assert first.candidate == max(others, key=lambda trial: trial.score).candidate
    given = toys.layers().sample(7)
    [first] = NetworkGrowing(given).propose(toys.layers(), others, [], 0, 1)
    assert first.candidate == given


def test_before_anything_has_ended_children_of_the_start_begin_from_scratch():
    start, *rest = NetworkGrowing().propose(SPACE, [], [], 0, 4)
    assert all(child.inherits is None and child.origin.endswith("from the start") for child in rest)
    assert all(len(differing(SPACE, start.candidate, child.candidate)) == 1 for child in rest)
    again = NetworkGrowing().propose(SPACE, [], [Pending(0, start)], 0, 3)
    assert [child.candidate for child in again] == [child.candidate for child in rest]


def test_parents_are_the_best_and_the_best_of_a_tournament_above_all():
    history = [ended(i, SPACE.sample(i), i / 30 if i % 3 else None) for i in range(30)]
    finished = [trial.number for trial in history if trial.score is not None]

    def parents(**settings: int) -> list[int]:
        strategy = NetworkGrowing(SPACE.sample(1), **settings)
        return [strategy.propose(SPACE, history, [], seed, 1)[0].inherits or 0 for seed in range(60)]

    assert set(parents(population=5, sample=1)) == set(finished[-5:])
    assert set(parents(population=5, sample=5)) == {finished[-1]}
    assert np.mean(parents(population=20, sample=4)) > np.mean(parents(population=20, sample=1)) + 2


def test_every_kind_of_edit_is_made():
    strategy, history = NetworkGrowing(), [ended(0, SPACE.default, 0.5)]
    kinds = [strategy.propose(SPACE, history, [], seed, 1)[0].origin.split(":")[0] for seed in range(80)]
    assert {kind: kinds.count(kind) >= 8 for kind in ("add", "change", "delete", "retrain")} == dict.fromkeys(
        kinds, True
    )


def test_a_child_may_get_a_share_of_the_training():
    strategy, history = NetworkGrowing(share=0.25), [ended(0, SPACE.default, 0.5)]
    assert NetworkGrowing(share=0.25).propose(SPACE, [], [], 0, 1)[0].fidelity == 1
    assert strategy.propose(SPACE, history, [], 0, 1)[0].fidelity == 0.25
    assert NetworkGrowing().propose(SPACE, history, [], 0, 1)[0].fidelity == 1


def test_a_start_of_another_space_is_passed_over():
    stranger = Candidate(ready_space("cnn").default, SPACE.recipe.default)
    assert NetworkGrowing(stranger).propose(SPACE, [], [], 0, 1)[0].origin == "random"


@pytest.mark.parametrize("schedule", [SuccessiveHalving, Hyperband, AsynchronousSuccessiveHalving, FreezeThaw])
@pytest.mark.parametrize("method", [NetworkGrowing, ReinforcedGrowing])
def test_behind_a_schedule_trials_keep_what_they_inherited(schedule, method):
    strategy = schedule(method())
    trials = simulate(lambda: strategy, toys.layers(), 60, workers=3)  # which checks what is inherited
    by_number = {trial.number: trial for trial in trials}
    promoted = [trial for trial in trials if trial.parent is not None]
    assert any(trial.inherits is not None for trial in promoted)
    assert all(trial.inherits == by_number[trial.parent].inherits for trial in promoted)


@pytest.mark.parametrize(
    "settings", [{"population": 0}, {"population": INHERITABLE + 1}, {"sample": 0}, {"share": 0.0}, {"share": 1.5}]
)
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(ArchwiseError, match="Network growing needs"):
        NetworkGrowing(**settings)


# ------------------------------------------------------------------ the controller of edits


def test_the_probabilities_of_a_networks_edits_sum_to_one():
    controller = EditController(SPACE, seed=0)
    for seed in range(5):
        candidate = SPACE.sample(seed)
        chances = controller.probabilities(candidate)
        assert sum(chances.values()) == pytest.approx(1)
        assert list(chances) == [(edit.path, edit.after) for edit in edits_of(SPACE, candidate, (0,))]
        assert max(chances.values()) < 2 / len(chances), "it begins near drawing all alike"


def test_what_paid_becomes_likely_and_what_did_not_unlikely():
    controller = EditController(SPACE, seed=0)
    parents = [SPACE.network.fix({"depth": depth}).default for depth in (1, 2, 3)]
    parents = [Candidate(architecture, SPACE.recipe.default) for architecture in parents]
    before = [controller.probabilities(parent) for parent in parents]
    for _ in range(20):
        controller.reinforce_edits(
            [*parents, parents[0]], [*[("0/width", 256)] * 3, ("/residual", True)], [1, 1, 1, -2]
        )
    after = [controller.probabilities(parent) for parent in parents]
    assert all(now["0/width", 256] > 2 * was["0/width", 256] for now, was in zip(after, before, strict=True))
    assert after[0]["/residual", True] < before[0]["/residual", True]


def test_what_is_read_around_a_choice_matters_before_and_behind_it():
    controller = EditController(SPACE, seed=0)
    wide, narrow = (SPACE.network.fix({"depth": 2, "1/width": width}).default for width in (512, 16))
    first, second = (controller.probabilities(Candidate(a, SPACE.recipe.default)) for a in (wide, narrow))
    assert first["depth", 3] != second["depth", 3]


def test_a_batch_of_networks_of_any_length_is_read_as_each_alone():
    controller = EditController(SPACE, seed=0)
    candidates = [SPACE.sample(seed) for seed in range(6)]
    together = controller._logs(candidates)
    for row, candidate in zip(together, candidates, strict=True):
        alone = controller._logs([candidate])[0]
        assert np.allclose(row[: len(alone)].detach(), alone.detach(), atol=1e-6)


def history_in_which_depth_pays(count: int) -> list[Trial]:
    """Trials of edits of one network: adding a layer gains, everything else loses."""
    rng = np.random.default_rng(0)
    edits = edits_of(SPACE, SPACE.default, (0,))
    trials = [ended(0, SPACE.default, 0.5)]
    for number in range(1, count):
        edit = (
            edits[rng.integers(len(edits))] if number % 3 else next(e for e in edits if str(e) == "add: depth 2 to 3")
        )
        trials.append(ended(number, edit.candidate, 0.6 if edit.path == "depth" and edit.kind == "add" else 0.45, 0))
    return trials


def test_it_learns_from_the_trials_which_edits_pay():
    history = history_in_which_depth_pays(96)
    strategy = ReinforcedGrowing(population=1)
    parent = SPACE.network.fix({"activation": "gelu"}).default
    shown = [*history, ended(96, Candidate(parent, SPACE.recipe.default), 0.9)]
    taken = [strategy.propose(SPACE, shown, [], seed, 1)[0].origin for seed in range(10)]
    assert sum(origin.startswith("add: depth") for origin in taken) >= 5
    unlearned = [strategy.propose(SPACE, shown[-1:], [], seed, 1)[0].origin for seed in range(10)]
    assert sum(origin.startswith("add: depth") for origin in unlearned) <= 2


def test_failed_children_teach_too_and_what_no_edit_made_teaches_nothing():
    good = history_in_which_depth_pays(33)
    kept = [trial.score == 0.6 or trial.number in (0, 1) for trial in good]
    failed = [t if keep else ended(t.number, t.candidate, None, t.inherits) for t, keep in zip(good, kept, strict=True)]
    unrelated = [replace(trial, inherits=None) for trial in good]
    lost = [replace(trial, inherits=99) for trial in good]

    def chance(history: list[Trial]) -> float:
        strategy = ReinforcedGrowing()
        strategy.propose(SPACE, history, [], 0, 1)
        course = strategy._lessons._course
        assert course is not None and isinstance(course.controller, EditController)
        return course.controller.probabilities(SPACE.default)["depth", 3]

    assert chance(good) > 1.2 * chance(unrelated)
    assert chance(failed) > 1.2 * chance(unrelated)
    assert chance(unrelated) == chance(lost)


@pytest.mark.parametrize("method", [NetworkGrowing, ReinforcedGrowing])
def test_on_tables_there_are_edits_without_weights(method):
    evaluator = TableEvaluator(table_space(small_table()))
    found = run_on_table(method(), evaluator, TableTask("up"), seed=0, budget=20)
    children = [trial for trial in found.trials if trial.inherits is not None]
    assert len(children) >= 15
    by_number = {trial.number: trial for trial in found.trials}
    for child in children:
        assert len(differing(evaluator.space, by_number[child.inherits].candidate, child.candidate)) == 1
    assert max(trial.score for trial in found.trials) == pytest.approx(np.nanmax(evaluator.space.table.select[:, 0]))


def test_edits_that_another_strategy_made_teach_as_far_as_they_are_edits():
    """A step over a neighbouring number is none, so nothing is learned from it."""
    space = JointSpace(mlp(), training_recipe("table"))
    near, far = (
        next(n for n in space.neighbours(space.default) if n.architecture.get("0/width") == width)
        for width in (16, 512)
    )
    outcomes = [Outcome("finished", score) for score in (0.5, 0.7, 0.2)]
    trials = [Trial(0, space.default, 1.0, 0, outcomes[0], None, "x")]
    trials += [
        Trial(i, candidate, 1.0, 0, outcomes[i], None, "another's", inherits=0)
        for i, candidate in ((1, far), (2, near))
    ]
    rng = np.random.default_rng(0)
    trials += [Trial(i, space.sample(rng), 1.0, 0, Outcome("finished", rng.random()), None, "x") for i in range(3, 16)]
    assert ReinforcedGrowing().propose(space, trials, [], 0, 1)
