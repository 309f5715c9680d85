"""Freeze-thaw on learning curves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, check, cost, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign, standard_error
from tests.contracts.watched import Watched
from tests.strategies.learning_curves import (
    RUNGS,
    SPACE,
    begun,
    end_of,
    evaluate,
    run,
)

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import CostWeighted, ReinforcementLearning
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.trial import Outcome, Pending, Proposal, Trial

SMALL = replace(SPACE, network=SPACE.network.fix({"layer[1-5]/width": 8, "layer[1-5]/act": "relu"}))


class TestOverRandomSearch(StrategyContract):
    uses_others = False

    def make(self) -> Strategy:
        return FreezeThaw(RandomSearch())

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_steps(trials)


class TestOverEvolution(StrategyContract):
    def make(self) -> Strategy:
        return FreezeThaw(RegularisedEvolution(10, 5), start=5)

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_steps(trials)


class Nothing:
    """The strategy of an exhausted space."""

    def propose(self, *shown: object) -> list[Proposal]:
        return []


def check_steps(trials: Sequence[Trial]) -> None:
    """Assert that every candidate begins on the lowest rung and climbs one rung at a time."""
    fidelity = {trial.number: trial.fidelity for trial in trials}
    for trial in trials:
        below = fidelity[trial.parent] if trial.parent is not None else None
        assert (below, trial.fidelity) in zip([None, *RUNGS], RUNGS, strict=False)


def continued(history: Sequence[Trial], n: int = 1, pending: Sequence[Pending] = (), **settings) -> list[int | None]:
    """Return which trials the proposals continue."""
    proposals = FreezeThaw(RandomSearch(), **settings).propose(SPACE, history, pending, 0, n)
    check(SPACE, history, pending, proposals, n)
    return [proposal.parent for proposal in proposals]


# ---------------------------------------------------------------------- how it begins


def test_first_a_sample_climbs_one_rung_and_its_best_all_the_others():
    trials = run(20)
    assert [trial.fidelity for trial in trials] == [RUNGS[0]] * 9 + [RUNGS[1]] * 9 + [RUNGS[2], RUNGS[3]]
    assert {trial.parent for trial in trials[9:18]} == set(range(9))
    best = max(trials[9:18], key=lambda trial: trial.score or 0)
    assert [trial.candidate for trial in trials[18:]] == [best.candidate] * 2


def test_with_two_rungs_the_sample_is_not_trained_in_full():
    trials = run(8, FreezeThaw(RandomSearch(), rungs=2, start=5))
    assert [trial.parent is None for trial in trials[:6]] == [True] * 5 + [False]
    assert sum(trial.fidelity == 1 for trial in trials) < 4


def test_until_an_end_is_known_one_candidate_at_a_time_goes_on():
    history = begun(*([score, 2 * score] for score in (0.1, 0.5, 0.2)))
    assert continued(history, 3, start=3) == [3, None, None]
    under_way = [Pending(6, Proposal(history[3].candidate, RUNGS[2], 3))]
    assert continued(history, 3, under_way, start=3) == [None, None, None]


def test_where_the_best_fails_the_next_best_goes_on():
    history = begun([0.1, 0.2], [0.5, 1.0, None], [0.2, 0.4])
    assert continued(history, start=3) == [6]


def test_a_full_evaluation_that_was_there_before_is_the_end_that_is_known():
    """The search evaluates the space's default in full before it asks for more."""
    first = [as_trial(0, Proposal(SPACE.default), evaluate)]
    trials = run(40, known=first)
    check_steps(trials[1:])
    assert [trial.fidelity for trial in trials[1:17]] == [RUNGS[0]] * 8 + [RUNGS[1]] * 8
    assert SPACE.default not in {trial.candidate for trial in trials[1:]}
    sample = begun([0.11, 0.21], [0.1, 0.2], [0.12, 0.22])
    assert continued(sample, start=3) == [5]
    best = Trial(6, SPACE.default, 1.0, 0, Outcome("finished", 0.9))
    assert continued([*sample, best], start=3) == [None], "nobody need go all the way to show where curves end"


# ---------------------------------------------------------------------- what goes on


def test_what_cannot_win_is_stopped():
    trials = run(200)
    reached: dict[Candidate, float] = {}
    for trial in trials:
        reached[trial.candidate] = trial.fidelity
    best = max(trial.score or 0 for trial in trials if trial.fidelity == 1)
    hopeless = [candidate for candidate in reached if end_of(candidate) < 0.75 * best]
    able = [candidate for candidate in reached if end_of(candidate) > 0.9 * best]
    assert len(hopeless) > 50
    assert np.mean([reached[c] >= RUNGS[2] for c in hopeless]) < 0.1
    assert np.mean([reached[c] >= RUNGS[2] for c in able]) > 3 * np.mean([reached[c] >= RUNGS[2] for c in hopeless])


@pytest.mark.parametrize(("chance", "least", "most"), [(0.0, 48, 48), (0.05, 2, 16), (0.5, 1, 8)])
def test_a_larger_chance_stops_more(chance, least, most):
    """All 48 candidates of the space begin; then the search goes on with what may still win, and ends."""
    strategy = FreezeThaw(RandomSearch(), chance=chance)
    trials = simulate(lambda: strategy, SMALL, 1000, evaluate=evaluate)
    counts = Counter(trial.fidelity for trial in trials)
    assert counts[RUNGS[0]] == 48
    assert least <= counts[1.0] <= most
    assert strategy.propose(SMALL, trials, [], 0, 5) == []


KNOWN = [[0.1 + i / 50, 0.2 + i / 50, 0.25 + i / 50, 0.27 + i / 50] for i in range(4)]
"""Curves that run side by side; the best of them ends at 0.33."""


def test_what_promises_more_than_a_new_candidate_goes_on():
    low = [[0.02 + i / 200, 0.12 + i / 200] for i in range(8)]
    history = begun(*KNOWN, *low, [0.19, 0.29])
    assert continued(history, start=4) == [len(history) - 1]
    assert continued(begun(*KNOWN, *low, [0.05, 0.15]), start=4) == [None]


def test_the_most_promising_go_first_and_only_what_is_free():
    low = [[0.02 + i / 200, 0.12 + i / 200] for i in range(8)]
    history = begun(*KNOWN, *low, [0.19, 0.29], [0.21, 0.31], [0.2, 0.3])
    best, good, fair = len(history) - 3, len(history) - 1, len(history) - 5
    assert continued(history, 4, start=4) == [best, good, fair, None]
    under_way = [Pending(len(history), Proposal(history[best].candidate, RUNGS[2], best))]
    assert continued(history, 3, under_way, start=4) == [good, fair, None]


def test_a_slow_starter_that_rises_overtakes():
    """Curves that cross: the steep ones begin lowest and end highest."""
    steep, flat = [0.1, 0.25, 0.45, 0.6], [0.3, 0.35, 0.38, 0.4]
    known = [[score + i / 100 for score in kind] for i in range(4) for kind in (steep, flat)]
    history = begun(*known, [0.33, 0.4], [0.12, 0.29])
    proposals = FreezeThaw(Nothing(), start=4).propose(SPACE, history, [], 0, 2)
    assert [proposal.parent for proposal in proposals] == [len(history) - 1], "the one that is higher now is stopped"


@pytest.mark.parametrize("scores", [[0.0] * 30, [1e308, -1e308, 1e300] * 10, [-1e-300, 1e-300, 0.0] * 10])
def test_absurd_scores_are_no_reason_to_stop(scores):
    trials = run(30, evaluate=lambda number, _: Outcome("finished", scores[number]))
    assert len(trials) == 30


def test_curves_with_gaps_are_no_reason_to_stop():
    def broken(number: int, proposal: Proposal) -> Outcome:
        ended = evaluate(number, proposal)
        odd = (math.nan, math.inf, -math.inf)[number % 3]
        points = [point._replace(train_loss=odd, score=odd) for point in ended.curve[:2]]
        return replace(ended, curve=(*points, *ended.curve[2:]) if number % 2 else ())

    assert len(run(60, evaluate=broken)) == 60


def test_what_another_ladder_began_goes_on_upwards():
    """Fidelities between the rungs, or below the lowest, as another strategy of the same search left them."""
    space = toys.pools()
    odd = [as_trial(i, Proposal(space.sample(i), f)) for i, f in enumerate((0.5, 0.01, 0.2, 1 / 8)) if i != 1]
    odd = [trial for i, trial in enumerate(odd) if space.allows(trial.candidate)]
    trials = simulate(lambda: FreezeThaw(RandomSearch(), start=3), space, 1000, known=odd)
    assert len({space.key(trial.candidate) for trial in trials}) > len(odd)


# ---------------------------------------------------------------------- the proposer


def test_everything_that_is_not_shown_is_under_way_once():
    history = run(80)
    slow = Pending(80, Proposal(SPACE.sample(12345), RUNGS[0]))
    watched = Watched()
    FreezeThaw(watched, chance=0.5).propose(SPACE, history, [slow], 0, 50)
    shown = [trial.candidate for trial in watched.history]
    assert len(shown) == len(set(shown)) == len({trial.candidate for trial in history})
    assert [trial.number for trial in watched.history] == sorted(trial.number for trial in watched.history)
    assert {trial.fidelity for trial in watched.history} == {1.0}
    assert slow.proposal.candidate in {item.proposal.candidate for item in watched.pending}


def test_other_searches_are_shown_as_they_are():
    others = foreign(SPACE, 30)
    watched = Watched()
    FreezeThaw(watched).propose(SPACE, [*others, *run(5)], [], 0, 1)
    assert watched.history[:30] == others


def test_new_proposals_are_numbered_after_what_goes_on_beside_them():
    """Random search draws by number: what it proposes beside continuations is what it proposes once they have begun."""
    history = run(9)
    [*due, new] = FreezeThaw(RandomSearch()).propose(SPACE, history, [], 0, 10)
    begun = [Pending(9 + i, proposal) for i, proposal in enumerate(due)]
    assert [new] == FreezeThaw(RandomSearch()).propose(SPACE, history, begun, 0, 1)


def test_one_rung_is_the_proposer_in_full():
    strategy = FreezeThaw(RandomSearch(), rungs=1)
    assert run(20, strategy) == run(20, RandomSearch())


# ---------------------------------------------------------------------- worth its name


def best_for(trials: Sequence[Trial], budget: float) -> float:
    """Return the best end that was known when so many full trainings' worth had been spent; 0 if none was."""
    known = (trials[: count + 1] for count in range(len(trials)))
    within = [done[-1] for done in known if cost(done) <= budget + 1e-9]
    return max([0.0, *(trial.score or 0.0 for trial in within if trial.fidelity == 1)])


@pytest.mark.slow
def test_on_learning_curves_it_beats_random_search_and_keeps_up_with_halving():
    thawed = [run(170, seed=seed) for seed in range(12)]
    halved = [run(92, SuccessiveHalving(RandomSearch(), rungs=4), seed=seed) for seed in range(12)]
    by_chance = [best_for(run(7, RandomSearch(), seed=seed), 7) for seed in range(100)]
    found = [best_for(trials, 7) for trials in thawed]
    assert np.mean(found) - np.mean(by_chance) > 3 * np.hypot(standard_error(found), standard_error(by_chance))
    gains = [best - best_for(trials, 7) for best, trials in zip(found, halved, strict=True)]
    assert np.mean(gains) > -standard_error(gains)
    assert min(best_for(trials, 2) for trials in thawed) > 0, "it knows an end before the first cohort has one"
    assert max(best_for(trials, 2) for trials in halved) == 0


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"eta": 1}, "eta"), ({"rungs": 0}, "rung"), ({"start": 0}, "start"), ({"chance": 0.6}, "chance")],
)
def test_impossible_settings_are_refused(settings, word):
    with pytest.raises(ArchwiseError, match=word):
        FreezeThaw(RandomSearch(), **settings)


def test_the_proposer_sees_what_trials_cost() -> None:
    rewarded = ReinforcementLearning(reward=CostWeighted(1e3, "made up"), batch=4)

    def evaluate(number: int, proposal: Proposal) -> Outcome:
        return Outcome("finished", toys.worth(proposal.candidate), costs={"made up": 10.0 + number})

    assert len(simulate(lambda: FreezeThaw(rewarded), toys.layers(), 40, evaluate=evaluate)) == 40
