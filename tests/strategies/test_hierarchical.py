"""Hierarchical search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract, foreign
from tests.strategies.test_in_turns import names

from archwise.errors import ArchwiseError, SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.spaces import Chain, Choice, JointSpace, Space, identity
from archwise.spaces.architecture import Candidate
from archwise.spaces.cnn import cnn
from archwise.spaces.parts import activation, dense, dropout, head
from archwise.strategies import Hierarchical, LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.trial import Outcome, Proposal, Trial


class TestHierarchical(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return Hierarchical(RegularisedEvolution(population=5, sample=3), {"recipe": LocalSearch()}, best=2)


def space() -> JointSpace:
    """Macro: which of three blocks there are, and their widths; cell: what is in them, also in those not there."""

    def block(name: str) -> Chain:
        kind = activation(Choice("act", ["relu", "gelu", "tanh", "silu"], default="gelu", level="cell"))
        rate = Choice("dropout", [dropout(p, called=str(p)) for p in (0.1, 0.2, 0.3)], level="cell")
        return Chain(dense(Choice("width", [8, 16, 32, 64], level="macro")), kind, rate, name=name)

    blocks = [
        Choice(f"has{i}", [identity(called="no"), Chain(block("block"), name="yes")], level="macro") for i in range(4)
    ]
    return JointSpace(Space(Chain(block("first"), *blocks, head())), toys.rates(4))


def images(**limits: float) -> JointSpace:
    """Convolutional networks on small images, under limits that forbid the default and nearly all the others."""
    return JointSpace(cnn(), training_recipe("image"), toys.IMAGE, **limits)


def worth(candidate: Candidate) -> float:
    """Each option is worth something, wherever it stands."""
    taken = [*candidate.architecture.items(), *candidate.recipe.items()]
    return float(np.mean([(crc32(f"{path}={label}".encode()) / 2**32) ** 2 for path, label in taken]))


def evaluate(number: int, proposal: Proposal) -> Outcome:
    return Outcome("finished", worth(proposal.candidate))


def outside(space: JointSpace, level: str, candidate: Candidate) -> dict[str, object]:
    """Return what a candidate takes at the other levels' choices."""
    network = {d.path: d.label for d in space.network.decisions(candidate.architecture) if d.choice.level != level}
    return network | ({} if level == "recipe" else dict(candidate.recipe))


def best_of(trials: Sequence[Trial]) -> Trial:
    return max(trials, key=lambda trial: -1 if trial.score is None else trial.score)


@pytest.mark.parametrize("inner", [RegularisedEvolution, LocalSearch, RandomSearch])
def test_one_level_varies_inside_the_best_so_far(inner):
    searched = space()
    run = simulate(lambda: Hierarchical(inner(), candidates=8, rounds=2), searched, 60, evaluate=evaluate)
    levels = ["macro"] * 8 + ["cell"] * 8 + ["recipe"] * 3 + ["macro"] * 13
    assert names(run)[: len(levels)] == levels, "where all four recipes were seen, the next level goes on"
    assert set(names(run)[48:]) == {"all levels"}
    default = outside(searched, "macro", searched.default)
    for trial, level in zip(run, levels, strict=False):
        base = best_of(run[: trial.number]).candidate if trial.number else searched.default
        known = outside(searched, level, base)
        taken = outside(searched, level, trial.candidate)
        newly = {path: label for path, label in taken.items() if path not in known}
        assert all(known[path] == label for path, label in taken.items() if path in known), (trial.number, level)
        for path, label in newly.items():  # a block that the best does not have
            assert label == default.get(path, "gelu" if path.endswith("act") else "0.1")
    recipes = [trial for trial in run[:24] if trial.origin.startswith("recipe: ")]
    assert len({trial.candidate.architecture for trial in recipes}) == 1
    assert len({trial.candidate.architecture for trial in run[:8]}) == 8


def test_a_level_is_searched_inside_several_of_the_best_others_evenly():
    searched = space()
    run = simulate(lambda: Hierarchical(RandomSearch(), candidates=9, best=3), searched, 27, evaluate=evaluate)
    assert names(run)[9:18] == ["cell"] * 9
    inside = [str(outside(searched, "cell", trial.candidate)) for trial in run[9:18]]
    ranked = sorted(run[:9], key=lambda trial: -(trial.score or 0))
    expected = [str(outside(searched, "cell", trial.candidate)) for trial in ranked[:3]]
    assert [inside.count(setting) for setting in expected] == [3, 3, 3]


def test_levels_can_be_given_their_order_and_strategies_of_their_own():
    class Marked(RandomSearch):
        def propose_one(self, now):
            return Proposal(found.candidate, origin="marked") if (found := now.random()) else None

    strategy = Hierarchical(RandomSearch(), {"cell": Marked()}, levels=["recipe", "cell"], candidates=3, rounds=1)
    proposals = strategy.propose(space(), [], [], 0, 8)
    assert [proposal.origin for proposal in proposals] == (
        ["recipe: random"] * 3 + ["cell: marked"] * 3 + ["all levels: random"] * 2
    )


def test_what_is_under_way_counts_for_the_level():
    one = simulate(lambda: Hierarchical(RandomSearch(), candidates=5), space(), 20, evaluate=evaluate)
    four = simulate(lambda: Hierarchical(RandomSearch(), candidates=5), space(), 20, workers=4, evaluate=evaluate)
    assert names(one) == names(four)


def test_a_space_without_levels_is_searched_by_the_strategy_alone():
    ours = simulate(lambda: Hierarchical(LocalSearch()), toys.single(), 5)
    assert [trial.origin for trial in ours] == ["all levels: random"]
    network = JointSpace(toys.layers().network, toys.rates(1))
    ours = simulate(lambda: Hierarchical(LocalSearch()), network, 30)
    alone = simulate(LocalSearch, network, 30)
    assert [trial.candidate for trial in ours] == [trial.candidate for trial in alone]
    assert [trial.origin for trial in ours] == [f"all levels: {trial.origin}" for trial in alone]


def test_a_space_of_one_level_has_the_recipe_as_its_second():
    run = simulate(lambda: Hierarchical(LocalSearch(), candidates=10), toys.layers(), 20)
    assert names(run)[:13] == ["network"] * 10 + ["recipe"] * 3


def test_failures_do_not_keep_a_level_from_its_best():
    searched = space()

    def failing(number: int, proposal: Proposal) -> Outcome:
        return evaluate(number, proposal) if number % 3 == 1 else Outcome("failed", reason="diverged")

    run = simulate(lambda: Hierarchical(RandomSearch(), candidates=9, rounds=1), searched, 18, evaluate=failing)
    best = outside(searched, "cell", best_of(run[:9]).candidate)
    assert all(outside(searched, "cell", trial.candidate) == best for trial in run[9:])
    none = simulate(
        lambda: Hierarchical(RandomSearch(), candidates=9, rounds=1), searched, 18, evaluate=toys.failing(1, "failed")
    )
    default = outside(searched, "cell", searched.default)
    assert all(outside(searched, "cell", trial.candidate) == default for trial in none[9:])


def test_the_first_level_varies_inside_the_best_of_other_searches():
    searched = space()
    others = foreign(searched, 20)
    best = outside(searched, "macro", best_of(others).candidate)
    proposals = Hierarchical(RandomSearch()).propose(searched, others, [], 0, 3)
    for proposal in proposals:
        taken = outside(searched, "macro", proposal.candidate)
        assert all(best[path] == label for path, label in taken.items() if path in best)


@pytest.mark.parametrize(
    "limits", [{"most_parameters": 8_000}, {"most_flops": 7e4}, {"most_parameters": 8_000, "most_flops": 4e5}]
)
@pytest.mark.parametrize("inner", [LocalSearch, RandomSearch])
def test_under_tight_limits_each_level_has_its_turn(inner, limits):
    searched = images(**limits)
    assert not searched.allows(searched.default)
    strategy = Hierarchical(inner(), candidates=2, rounds=1)
    run = simulate(lambda: strategy, searched, 9)  # the simulation checks that every proposal is allowed
    assert names(run)[:4] == ["macro"] * 2 + ["network"] * 2
    assert set(names(run)[4:8]) == {"cell", "recipe"}, "where one has nothing more within the limits, the other goes on"
    assert names(run)[8] == "all levels"


def test_what_limits_forbid_is_not_searched_inside_of_however_good_it_was_elsewhere():
    searched = images(most_parameters=8_000)
    others = foreign(replace(searched, most_parameters=None), 5)
    assert not any(searched.allows(trial.candidate) for trial in others)
    proposals = Hierarchical(RandomSearch(), levels=["recipe", "cell"]).propose(searched, others, [], 0, 2)
    assert [proposal.origin for proposal in proposals] == ["recipe: random"] * 2
    assert {proposal.candidate.architecture for proposal in proposals} == {searched.allowed_default.architecture}


def test_it_beats_random_search_where_levels_are_separate():
    searched = space()
    strategy, ours, chance = Hierarchical(LocalSearch()), [], []
    for seed in range(8):
        run = simulate(lambda: strategy, searched, 50, seed=seed, evaluate=evaluate)
        ours.append(best_of(run).score)
        chance.append(best_of(simulate(RandomSearch, searched, 50, seed=seed, evaluate=evaluate)).score)
    difference = np.subtract(ours, chance)
    assert difference.mean() > 3 * difference.std(ddof=1) / np.sqrt(len(difference))


@pytest.mark.parametrize("settings", [{"levels": ["macr"]}, {"at": {"macr": RandomSearch()}}])
def test_a_level_that_the_space_does_not_have_is_named(settings):
    with pytest.raises(SpaceError, match="no level 'macr' to search: take some of macro, cell, recipe"):
        Hierarchical(RandomSearch(), **settings).propose(space(), [], [], 0, 1)


@pytest.mark.parametrize("settings", [{"candidates": 0}, {"best": 0}, {"rounds": -1}])
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(ArchwiseError, match="1 or more"):
        Hierarchical(RandomSearch(), **settings)
