"""Asynchronous successive halving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract

from archwise.errors import ArchwiseError
from archwise.strategies.asha import AsynchronousSuccessiveHalving
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.strategy import Strategy
from archwise.trial import Outcome, Pending, Proposal, Trial

SPACE = toys.layers()
LOW, MIDDLE, FULL = 3.0**-2, 3.0**-1, 1.0


class TestOverRandomSearch(StrategyContract):
    uses_others = False

    def make(self) -> Strategy:
        return AsynchronousSuccessiveHalving(RandomSearch())

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_rungs(AsynchronousSuccessiveHalving(RandomSearch()), list(trials))
        started = sum(trial.parent is None for trial in trials)
        assert started / 3 - 2 <= sum(trial.fidelity == 3.0**-2 for trial in trials) < started / 2, "most are stopped"


class TestOverEvolution(StrategyContract):
    def make(self) -> Strategy:
        return AsynchronousSuccessiveHalving(RegularisedEvolution(10, 5), eta=4, rungs=3, enough=10)

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_rungs(AsynchronousSuccessiveHalving(RandomSearch(), eta=4, rungs=3), list(trials))


def check_rungs(strategy: AsynchronousSuccessiveHalving, trials: list[Trial]) -> None:
    """Assert that the best of each rung went on to the next, once no continuation is left to do, and no failure did.

    Others may have, that were among the best before better ones came.
    """
    while due := [p for p in strategy.propose(SPACE, trials, [], 0, 50) if p.parent is not None]:
        trials += [as_trial(number, proposal) for number, proposal in enumerate(due, len(trials))]
    parents = {trial.parent for trial in trials if trial.parent is not None}
    assert {trial.fidelity for trial in trials if trial.parent is None} == {strategy.fidelities[0]}
    for low, high in zip(strategy.fidelities, strategy.fidelities[1:], strict=False):
        rung = [trial for trial in trials if trial.fidelity == low]
        finished = sorted((t for t in rung if t.score is not None), key=lambda t: t.score or 0, reverse=True)
        assert {trial.number for trial in finished[: len(rung) // strategy.eta]} <= parents
        assert {t.number for t in rung} & parents == {t.parent for t in trials if t.fidelity == high}
        assert all(t.score is not None for t in rung if t.number in parents)


def begun(scores: Sequence[float | None], fidelity: float = LOW, first: int = 0) -> list[Trial]:
    """Return trials of different candidates that ended at a fidelity with these scores; None is a failure."""
    return [
        Trial(
            first + i, SPACE.sample(first + i), fidelity, 0, Outcome("failed" if score is None else "finished", score)
        )
        for i, score in enumerate(scores)
    ]


def propose(history: Sequence[Trial], n: int = 1, pending: Sequence[Pending] = ()) -> list[tuple[int | None, float]]:
    """Return (parent, fidelity) of what three rungs propose."""
    strategy = AsynchronousSuccessiveHalving(RandomSearch(), rungs=3)
    return [(p.parent, p.fidelity) for p in strategy.propose(SPACE, history, pending, 0, n)]


def test_of_three_the_best_goes_on_at_once():
    assert propose(begun([1.0, 3.0])) == [(None, LOW)]
    assert propose(begun([1.0, 3.0, 2.0])) == [(1, MIDDLE)]
    assert propose(begun([1.0, 3.0, 2.0]), 3) == [(1, MIDDLE), (None, LOW), (None, LOW)]


def test_it_waits_for_nobody():
    """However many are under way, those that ended are compared, and every free worker has something to do."""
    pending = [Pending(number, Proposal(SPACE.sample(number), LOW)) for number in range(3, 30)]
    assert propose(begun([1.0, 3.0, 2.0]), 2, pending) == [(1, MIDDLE), (None, LOW)]
    assert propose([], 5, pending) == [(None, LOW)] * 5


def test_what_goes_on_is_not_continued_again_while_it_is_under_way_or_when_it_ended():
    history = begun([1.0, 3.0, 2.0])
    child = Proposal(history[1].candidate, MIDDLE, 1)
    assert propose(history, 1, [Pending(3, child)]) == [(None, LOW)]
    assert propose([*history, as_trial(3, child)]) == [(None, LOW)]


def test_a_late_comer_that_is_better_goes_on_though_the_place_was_taken():
    history = begun([1.0, 3.0, 2.0])
    history += [as_trial(3, Proposal(history[1].candidate, MIDDLE, 1)), *begun([9.0], first=4)]
    assert propose(history) == [(4, MIDDLE)]


def test_the_share_grows_with_the_rung():
    history = begun([float(score) for score in (5, 1, 8, 3, 9, 2, 7, 4, 6)])
    assert propose(history, 4) == [(4, MIDDLE), (2, MIDDLE), (6, MIDDLE), (None, LOW)]
    assert propose(history[:8], 4) == [(4, MIDDLE), (2, MIDDLE), (None, LOW), (None, LOW)]


def test_the_highest_rung_goes_first():
    history = begun([1.0, 2.0, 3.0]) + begun([1.0, 2.0, 3.0], MIDDLE, 3)
    assert propose(history, 3) == [(5, FULL), (2, MIDDLE), (None, LOW)]


def test_of_equal_scores_the_earlier_goes_on():
    assert propose(begun([0.5] * 6), 3) == [(0, MIDDLE), (1, MIDDLE), (None, LOW)]


def test_failures_count_on_their_rung_and_never_continue():
    assert propose(begun([None, 1.0, None])) == [(1, MIDDLE)]
    assert propose(begun([None] * 9)) == [(None, LOW)]
    assert propose(begun([None, 1.0, None] * 3), 4) == [(1, MIDDLE), (4, MIDDLE), (7, MIDDLE), (None, LOW)]


def test_rungs_fill_by_one_in_eta():
    strategy = AsynchronousSuccessiveHalving(RandomSearch())
    trials = simulate(lambda: strategy, SPACE, 200, evaluate=lambda number, _: Outcome("finished", 1.0 - number))
    counts = Counter(trial.fidelity for trial in trials)
    assert [counts[fidelity] for fidelity in strategy.fidelities] == [135, 45, 15, 5]


def test_a_full_evaluation_that_no_rung_began_is_left_alone():
    """The search evaluates the space's default in full before it asks for more."""
    first = [as_trial(0, Proposal(SPACE.default))]
    strategy = AsynchronousSuccessiveHalving(RandomSearch())
    trials = simulate(lambda: strategy, SPACE, 60, known=first)
    assert SPACE.default not in {trial.candidate for trial in trials[1:]}
    assert all(trial.parent != 0 for trial in trials)
    assert [trial.fidelity for trial in trials[1:4]] == [strategy.fidelities[0]] * 3


def test_the_end_of_an_exhausted_space_rounds_up():
    strategy = AsynchronousSuccessiveHalving(RandomSearch(), eta=4, rungs=3)
    trials = simulate(lambda: strategy, toys.cells(), 1000)
    counts = Counter(trial.fidelity for trial in trials)
    low, middle, full = (counts[fidelity] for fidelity in strategy.fidelities)
    assert middle >= -(-low // 4) > low // 4, "the example does not divide"
    assert full >= -(-middle // 4)


def test_one_rung_is_the_proposer_in_full():
    strategy = AsynchronousSuccessiveHalving(RandomSearch(), rungs=1)
    assert simulate(lambda: strategy, SPACE, 20) == simulate(RandomSearch, SPACE, 20)


def test_the_proposer_compares_trials_of_one_fidelity():
    """Fully trained ones score higher, so evolution would take them all for parents."""
    strategy = AsynchronousSuccessiveHalving(RegularisedEvolution(5, 5), eta=2, rungs=3, enough=8)
    score = lambda number, p: Outcome("finished", number / 1000 + 10 * p.fidelity)  # noqa: E731
    trials = simulate(lambda: strategy, SPACE, 60, evaluate=score)
    highest = 0.25
    for i, trial in enumerate(trials):
        highest = max(f for f in (0.25, 0.5, 1.0) if f == 0.25 or sum(t.fidelity == f for t in trials[:i]) >= 8)
        if trial.origin.startswith("mutation of trial "):
            assert trials[int(trial.origin.split()[-1])].fidelity == highest
    assert highest == 1.0


@pytest.mark.parametrize(("eta", "rungs", "enough"), [(1, 3, 20), (3, 0, 20), (3, 3, 0)])
def test_impossible_settings_are_refused(eta, rungs, enough):
    with pytest.raises(ArchwiseError, match="at least 2"):
        AsynchronousSuccessiveHalving(RandomSearch(), eta, rungs, enough)
