"""Search guided by zero-cost proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract, foreign, standard_error

from archwise.errors import ArchwiseError
from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.extended import ExtendedEncoding
from archwise.strategies import BayesianOptimization, LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.proxies import Scorer, preference
from archwise.strategies.successive_halving import SuccessiveHalving
from archwise.strategies.zero_cost_guided import WARM_UP, ZeroCostGuided
from archwise.trial import Outcome, Pending, Proposal, Trial


def hint(candidate: Candidate) -> dict[str, float]:
    """Two proxies that look at architectures alone: what they are worth with noise, and one with gaps."""
    worth = toys.worth(candidate._replace(recipe=type(candidate.recipe)({})))
    noise = toys._uniform(repr(candidate.architecture))
    return {"worth": worth + 0.1 * noise, "gaps": float("nan") if noise < 0.3 else worth + 0.3 * noise}


def vague(candidate: Candidate) -> dict[str, float]:
    """A proxy as good as real ones: a rank correlation of about a half with the worth."""
    return {"vague": toys.worth(candidate) + 0.4 * toys._uniform(repr(candidate.architecture))}


def misleading(candidate: Candidate) -> dict[str, float]:
    return {"the opposite": -toys.worth(candidate)}


def truth(candidate: Candidate) -> dict[str, float]:
    return {"worth": toys.worth(candidate)}


class TestZeroCostEvolution(StrategyContract):
    seeds = 4

    def make(self) -> Strategy:
        return ZeroCostGuided(RegularisedEvolution(), vague, choices=2)


@pytest.mark.slow
class TestZeroCostBayesian(StrategyContract):
    seeds = 2
    uses_others = False  # they take the place of a warm-up that is as good here

    def make(self) -> Strategy:
        extra = lambda candidate: list(vague(candidate).values())  # noqa: E731
        return ZeroCostGuided(BayesianOptimization(extra=extra), vague, first=5, choices=1)


def found(scorer: Scorer, trials: int, seed: int, **settings: int) -> list[Trial]:
    strategy = ZeroCostGuided(RegularisedEvolution(), scorer, **settings)
    return simulate(lambda: strategy, toys.layers(), trials, seed=seed)


def mean_worth(trials: Sequence[Trial]) -> float:
    return float(np.mean([toys.worth(trial.candidate) for trial in trials]))


# ------------------------------------------------------------------ warm-up


def test_the_warm_up_takes_the_best_of_the_random_candidates_first():
    trials = found(truth, 10, seed=0)
    space = toys.layers()
    drawn = [space.sample(np.random.default_rng([0, place, 3])) for place in range(32)]
    best = sorted(drawn, key=toys.worth, reverse=True)[:10]
    assert [trial.candidate for trial in trials] == best
    assert {trial.origin for trial in trials} == {WARM_UP}


def test_good_proxies_make_better_first_trials_than_chance():
    gain = []
    for seed in range(20):
        by_chance = simulate(RandomSearch, toys.layers(), 10, seed=seed)
        gain.append(mean_worth(found(hint, 10, seed)) - mean_worth(by_chance))
    assert np.mean(gain) > 4 * standard_error(gain)


def test_there_is_no_warm_up_where_other_searches_know_the_space():
    space = toys.layers()
    others = foreign(space, 30)
    trials = simulate(lambda: ZeroCostGuided(RegularisedEvolution(), hint), space, 12, known=others)
    assert not [trial for trial in trials if trial.origin == WARM_UP]
    failed = [replace(trial, outcome=Outcome("failed", reason="diverged")) for trial in others]
    trials = simulate(lambda: ZeroCostGuided(RegularisedEvolution(), hint), space, 12, known=failed)
    assert [trial.origin == WARM_UP for trial in trials] == 10 * [True] + 2 * [False]


# ------------------------------------------------------------------ choosing among proposals


class Counting:
    """A strategy that remembers the seeds it was asked with."""

    def __init__(self, inner: Strategy):
        self.inner = inner
        self.asked: list[int] = []
        self.proposed: list[Proposal] = []

    def propose(
        self, space: JointSpace, history: Sequence[Trial], pending: Sequence[Pending], seed: int, n: int
    ) -> list[Proposal]:
        self.asked.append(seed)
        proposals = self.inner.propose(space, history, pending, seed, n)
        self.proposed += proposals
        return proposals


def test_it_takes_the_proposal_that_the_proxies_rank_best():
    history = simulate(RandomSearch, toys.layers(), 30)
    for choices in (1, 5):
        inner = Counting(RegularisedEvolution())
        [taken] = ZeroCostGuided(inner, truth, choices=choices).propose(toys.layers(), history, [], 7, 1)
        assert len(set(inner.asked)) == choices and inner.asked[0] == 7
        assert taken == max(inner.proposed, key=lambda proposal: toys.worth(proposal.candidate))
        assert taken.origin.startswith("mutation of trial ")


def test_one_choice_without_a_warm_up_is_the_other_strategy():
    space = toys.layers()
    alone = simulate(LocalSearch, space, 30)
    assert simulate(lambda: ZeroCostGuided(LocalSearch(), hint, first=0, choices=1), space, 30) == alone


def test_what_continues_a_trial_is_left_alone():
    space = toys.layers()
    halving = lambda: SuccessiveHalving(RandomSearch(), eta=2, rungs=2)  # noqa: E731
    guided = simulate(lambda: ZeroCostGuided(halving(), truth, first=0), space, 24)
    assert any(trial.parent is not None for trial in guided)
    under = simulate(lambda: SuccessiveHalving(ZeroCostGuided(RandomSearch(), truth), eta=2, rungs=2), space, 24)
    assert any(trial.parent is not None for trial in under)
    assert mean_worth(under) > mean_worth(simulate(halving, space, 24))


@pytest.mark.slow
def test_good_proxies_help_and_misleading_ones_do_not_ruin_the_end():
    ends: dict[str, list[float]] = {"good": [], "misleading": [], "none": []}
    for seed in range(5):
        ends["good"].append(max(toys.worth(t.candidate) for t in found(hint, 60, seed)))
        ends["misleading"].append(max(toys.worth(t.candidate) for t in found(misleading, 120, seed)))
        alone = simulate(RegularisedEvolution, toys.layers(), 120, seed=seed)
        ends["none"].append(max(toys.worth(t.candidate) for t in alone))
        ends.setdefault("none at 60", []).append(max(toys.worth(t.candidate) for t in alone[:60]))
    gain = np.subtract(ends["good"], ends["none at 60"])
    assert gain.mean() > 2 * standard_error(list(gain))
    loss = np.subtract(ends["none"], ends["misleading"])
    assert loss.mean() < max(0.02, 3 * standard_error(list(loss)))


def test_misleading_proxies_lose_their_say():
    history = simulate(RandomSearch, toys.layers(), 12)
    inner = Counting(RegularisedEvolution(population=5))
    [taken] = ZeroCostGuided(inner, misleading).propose(toys.layers(), history, [], 3, 1)
    assert taken == inner.proposed[0]


def test_few_candidates_are_scored():
    counted: list[Candidate] = []

    def counting(candidate: Candidate) -> Mapping[str, float]:
        counted.append(candidate)
        return hint(candidate)

    strategy = ZeroCostGuided(RegularisedEvolution(), counting)
    trials = simulate(lambda: strategy, toys.layers(), 60)
    assert len(set(counted)) <= 32 + 4 * 50
    counted.clear()
    ZeroCostGuided(RegularisedEvolution(), counting).propose(toys.layers(), trials, [], 0, 1)
    assert len(set(counted)) <= 32 + 4


# ------------------------------------------------------------------ ranks and trust


def trial_of(number: int, candidate: Candidate, score: float) -> Trial:
    return Trial(number, candidate, 1.0, 0, Outcome("finished", score))


def test_a_preference_is_the_mean_of_ranks_whatever_the_scale_and_undefined_is_worst():
    space = toys.layers()
    a, b, c = (space.sample(seed) for seed in range(3))
    values = {a: (1e9, 0.1), b: (1.0, 0.2), c: (0.5, float("nan"))}
    scorer = lambda candidate: dict(zip("xy", values[candidate], strict=True))  # noqa: E731
    assert preference(scorer, [a, b, c], []).tolist() == [2.5, 2.5, 1.0]
    values[c] = (float("inf"), float("-inf"))
    assert preference(scorer, [a, b, c], []).tolist() == [2.0, 2.0, 2.0]


def test_scores_decide_which_proxy_is_believed():
    space = toys.layers()
    candidates = [space.sample(seed) for seed in range(22)]
    values = {candidate: (float(i), float(-i)) for i, candidate in enumerate(candidates)}
    scorer = lambda candidate: dict(zip("xy", values[candidate], strict=True))  # noqa: E731
    first, second = candidates[:2]
    for sign in (1, -1):
        history = [trial_of(i, candidate, sign * i) for i, candidate in enumerate(candidates[2:])]
        low, high = preference(scorer, [first, second], history)
        assert (low < high) == (sign == 1) and low != high
    assert len(set(preference(scorer, [first, second], []))) == 1, "they contradict each other"


# ------------------------------------------------------------------ columns of the surrogate


def test_the_extended_encoding_adds_one_group_of_the_others_weight():
    space = toys.layers()
    extended = ExtendedEncoding(space.encoding, lambda candidate: [*hint(candidate).values(), 5.0])
    sample = [space.sample(seed) for seed in range(300)]
    rows = extended(sample)
    assert np.array_equal(rows[:, : space.encoding.groups[-1].stop], space.encoding(sample))
    group = rows[:, extended.groups[-1]]
    assert group.shape == (300, 3) and np.isfinite(group).all()
    distances = ((group[:150] - group[150:]) ** 2).sum(axis=1)
    assert 0.5 < distances.mean() < 2
    gaps = [np.isnan(hint(candidate)["gaps"]) for candidate in sample]
    assert 0 < sum(gaps) < 300 and np.allclose(group[gaps, 1], 0)
    assert np.corrcoef(group[:, 0], [hint(candidate)["worth"] for candidate in sample])[0, 1] > 0.9
    assert np.array_equal(extended.sizes(sample), space.encoding.sizes(sample))
    assert extended([]).shape == (0, rows.shape[1])


def test_columns_that_never_vary_or_are_never_known_are_left_out():
    space = toys.layers()
    for constant in (3.0, float("nan"), float("inf")):
        extended = ExtendedEncoding(space.encoding, lambda candidate, constant=constant: [constant])
        assert extended.groups == space.encoding.groups
        assert np.array_equal(extended([space.default]), space.encoding([space.default]))


def test_bayesian_optimisation_is_better_with_a_column_that_tells_the_score():
    extra = lambda candidate: [toys.worth(candidate)]  # noqa: E731
    gain = []
    for seed in range(3):
        informed, plain = BayesianOptimization(extra=extra), BayesianOptimization()
        with_it = simulate(lambda strategy=informed: strategy, toys.layers(), 15, seed=seed)
        without = simulate(lambda strategy=plain: strategy, toys.layers(), 15, seed=seed)
        gain.append(mean_worth(with_it[3:]) - mean_worth(without[3:]))
    assert min(gain) > 0


@pytest.mark.parametrize("numbers", [(-1, 32, 4), (10, 9, 4), (10, 32, 0)])
def test_impossible_settings_are_refused(numbers):
    first, drawn, choices = numbers
    with pytest.raises(ArchwiseError, match=f"not {first}, {drawn} and {choices}"):
        ZeroCostGuided(RandomSearch(), hint, first=first, drawn=drawn, choices=choices)
