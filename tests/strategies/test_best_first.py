"""Best-first search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import RandomSearch, Strategy
from archwise.strategies.best_first import BestFirstSearch
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Outcome, Pending, Proposal, Trial

FAILURE = Outcome("failed", reason="diverged")


class TestBestFirstSearch(StrategyContract):
    begins_alike = True
    seeds = 2

    def make(self) -> Strategy:
        return BestFirstSearch()


def run(strategy: Strategy, trials: int, seed: int = 0) -> list[Trial]:
    return simulate(lambda: strategy, toys.layers(), trials, seed=seed)


def propose(strategy: Strategy, history: Sequence[Trial], pending: Sequence[Pending] = (), seed: int = 0) -> Proposal:
    [proposal] = strategy.propose(toys.layers(), history, pending, seed, 1)
    return proposal


def edits(trial: Trial | Proposal) -> int:
    return int(trial.origin.split()[1]) if trial.origin.startswith("edit ") else 0


def came_from(trial: Trial | Proposal) -> int | None:
    return int(trial.origin.split()[-1]) if trial.origin.startswith("edit ") else None


def path_costs(trials: Sequence[Trial]) -> dict[Candidate, int]:
    """Return how many edits lead to each unevaluated neighbour, at least, by the trials' own parents."""
    of: dict[int, int] = {}
    frontier: dict[Candidate, int] = {}
    for trial in trials:
        parent = came_from(trial)
        of[trial.number] = 0 if parent is None else of[parent] + 1
        for neighbour in toys.layers().neighbours(trial.candidate):
            frontier[neighbour] = min(frontier.get(neighbour, 10**6), of[trial.number] + 1)
    return {candidate: cost for candidate, cost in frontier.items() if candidate not in {t.candidate for t in trials}}


@pytest.mark.parametrize(("optimism", "path_cost"), [(0.0, 0.0), (2.0, 0.05), (0.5, 0.4)])
def test_the_cheapest_of_the_whole_frontier_is_next(optimism, path_cost):
    """Up to twenty trials nothing of the frontier is left out."""
    space = toys.layers()
    trials = run(BestFirstSearch(optimism, path_cost), 18)
    for cut in range(3, 18):
        frontier = path_costs(trials[:cut])
        candidates = list(frontier)
        model = Surrogate(space.encoding)
        model.fit(trials[:cut])
        mean, deviation = model.predict(candidates)
        cost = path_cost * np.array(list(frontier.values())) - mean - optimism * deviation
        chosen = candidates.index(trials[cut].candidate)
        assert cost[chosen] == pytest.approx(cost.min(), abs=1e-6)
        assert edits(trials[cut]) == frontier[trials[cut].candidate]


def test_it_starts_at_the_default_or_where_it_is_told_to_and_looks_around():
    space = toys.layers()
    for start in (None, space.sample(3)):
        first, *others = run(BestFirstSearch(start=start), 3)
        assert first.candidate == (start or space.default)
        assert {came_from(trial) for trial in others} <= {0, 1}
        assert others[0].candidate in set(space.neighbours(first.candidate))
    elsewhere = toys.pools().default
    assert propose(BestFirstSearch(start=elsewhere), []).candidate == space.default
    best = max(foreign(space, 20), key=lambda trial: trial.score or 0)
    assert propose(BestFirstSearch(), foreign(space, 20)).candidate == best.candidate


def test_a_high_cost_of_paths_searches_in_breadth():
    trials = run(BestFirstSearch(path_cost=1000.0), 60)
    assert [edits(trial) for trial in trials] == [0] + 33 * [1] + 26 * [2]
    greedy = run(BestFirstSearch(optimism=0.0, path_cost=0.0), 40)
    assert max(edits(trial) for trial in greedy) > 4


def test_optimism_goes_where_less_is_known():
    space, gain = toys.layers(), []
    for seed in range(4):
        history = run(BestFirstSearch(), 12, seed)
        model = Surrogate(space.encoding)
        model.fit(history)
        taken = [propose(BestFirstSearch(optimism, 0.0), history, seed=seed).candidate for optimism in (0.0, 10.0)]
        mean, deviation = model.predict(taken)
        assert mean[0] >= mean[1]
        gain.append(deviation[1] - deviation[0])
    assert min(gain) >= 0
    assert max(gain) > 0


def test_what_failed_is_not_expanded_and_without_a_frontier_a_path_starts_anywhere():
    space = toys.layers()
    failed = replace(as_trial(0, Proposal(space.default)), outcome=FAILURE)
    assert propose(BestFirstSearch(), [failed]).origin == "random"
    other = as_trial(1, Proposal(space.sample(1)))
    found = propose(BestFirstSearch(), [failed, other])
    assert came_from(found) == 1
    assert found.candidate in set(space.neighbours(other.candidate))


def test_what_is_under_way_is_expanded_while_nothing_else_is_there():
    proposals = BestFirstSearch().propose(toys.layers(), [], [], 0, 5)
    assert [edits(proposal) for proposal in proposals] == [0, 1, 1, 1, 1]
    assert {proposal.candidate for proposal in proposals[1:]} <= set(toys.layers().neighbours(proposals[0].candidate))
    finished = as_trial(1, proposals[1])
    pending = [Pending(number, proposal) for number, proposal in enumerate(proposals) if number != 1]
    assert edits(propose(BestFirstSearch(path_cost=1.0), [finished], pending)) == 1


def test_a_path_goes_on_from_what_its_origin_says_and_one_without_starts_anew():
    candidate = toys.layers().sample(5)
    for origin, expected in (("edit 7 from the start, next to trial 2", 8), ("random", 1), ("edit x", 1), ("", 1)):
        known = as_trial(9, Proposal(candidate, origin=origin))
        assert propose(BestFirstSearch(), [known]).origin == f"edit {expected} from the start, next to trial 9"


def test_the_neighbours_of_the_best_come_first_where_there_are_many():
    space = toys.layers()
    history = run(RandomSearch(), 60)
    best = {trial.number for trial in sorted(history, key=lambda trial: -(trial.score or 0))[:20]}
    found = BestFirstSearch(optimism=5.0).propose(space, history, [], 0, 10)
    assert {came_from(proposal) for proposal in found if edits(proposal) == 1} <= best


@pytest.mark.parametrize("settings", [{"optimism": -0.1}, {"path_cost": -1.0}, {"path_cost": float("nan")}])
def test_negative_settings_are_refused(settings):
    with pytest.raises(ArchwiseError, match="0 or more"):
        BestFirstSearch(**settings)
