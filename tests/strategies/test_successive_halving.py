"""Successive halving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, cost, simulate
from tests.contracts.strategy_contract import StrategyContract
from tests.contracts.watched import Watched

from archwise.errors import ArchwiseError
from archwise.strategies import RandomSearch, RegularisedEvolution, Strategy, SuccessiveHalving
from archwise.trial import Outcome, Pending, Proposal, Trial


class HalvingContract(StrategyContract):
    """What successive halving must keep to over any strategy."""

    eta = 3
    rungs = 3

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_cohorts(self.make(), list(trials), self.eta, self.rungs)


class TestOverRandomSearch(HalvingContract):
    uses_others = False

    def make(self) -> Strategy:
        return SuccessiveHalving(RandomSearch(), eta=3, rungs=3)


class TestOverEvolution(HalvingContract):
    def make(self) -> Strategy:
        return SuccessiveHalving(RegularisedEvolution(20, 5), eta=3, rungs=3)


class TestManyRungsOverATinyPopulation(HalvingContract):
    eta, rungs = 2, 4
    uses_others = False  # three trials of another search are too few to show

    def make(self) -> Strategy:
        return SuccessiveHalving(RegularisedEvolution(3, 2), eta=2, rungs=4)


class TestTwoRungs(HalvingContract):
    uses_others = False
    eta, rungs = 4, 2

    def make(self) -> Strategy:
        return SuccessiveHalving(RandomSearch(), eta=4, rungs=2)


class TestOneRung(HalvingContract):
    learns = False
    uses_others = False
    rungs = 1

    def make(self) -> Strategy:
        return SuccessiveHalving(RandomSearch(), rungs=1)


def check_cohorts(strategy: Strategy, trials: list[Trial], eta: int, rungs: int) -> None:
    """Assert that of each complete cohort the best went on, and nobody else, once no continuation is left to do."""
    while due := [p for p in strategy.propose(toys.layers(), trials, [], 0, 20) if p.parent is not None]:
        trials += [as_trial(number, proposal) for number, proposal in enumerate(due, len(trials))]
    child = {trial.parent: trial for trial in trials if trial.parent is not None}
    started = [trial for trial in trials if trial.parent is None]
    size = eta ** (rungs - 1)
    complete = len(started) // size * size
    for start in range(0, complete, size):
        cohort = started[start : start + size]
        for rung in range(1, rungs):
            finished = [trial for trial in cohort if trial.score is not None]
            best = sorted(finished, key=lambda trial: trial.score or 0, reverse=True)[: eta ** (rungs - 1 - rung)]
            assert {trial.number for trial in cohort} & child.keys() == {trial.number for trial in best}
            cohort = [child[trial.number] for trial in best]
            assert {trial.fidelity for trial in cohort} <= {float(eta) ** (rung + 1 - rungs)}
    assert not {trial.number for trial in started[complete:]} & child.keys()


def rung_counts(trials: Sequence[Trial]) -> list[int]:
    counts = Counter(trial.fidelity for trial in trials)
    return [counts[fidelity] for fidelity in sorted(counts)]


def run(count: int, score=None, eta: int = 3, rungs: int = 3, **settings) -> list[Trial]:
    evaluate = (lambda number, proposal: Outcome("finished", score(number, proposal))) if score else toys.evaluate
    strategy = SuccessiveHalving(RandomSearch(), eta, rungs)
    return simulate(lambda: strategy, toys.layers(), count, evaluate=evaluate, **settings)


@pytest.mark.parametrize(("eta", "rungs", "counts"), [(3, 3, [9, 3, 1]), (2, 4, [8, 4, 2, 1]), (4, 2, [4, 1])])
def test_each_cohort_halves(eta, rungs, counts):
    trials = run(3 * sum(counts), eta=eta, rungs=rungs)
    assert rung_counts(trials) == [3 * count for count in counts]
    assert cost(trials) == pytest.approx(
        3 * sum(n * eta ** (r - rungs + 1) * (1 - (r > 0) / eta) for r, n in enumerate(counts))
    )


def test_the_best_go_on_in_the_order_of_their_scores():
    scores = [5, 1, 8, 3, 9, 2, 7, 4, 6]
    trials = run(13, lambda number, proposal: scores[number] if number < 9 else [1, 2, 0, 0][number - 9])
    assert [trial.parent for trial in trials[9:]] == [4, 2, 6, 10]
    assert [trial.fidelity for trial in trials] == pytest.approx([1 / 9] * 9 + [1 / 3] * 3 + [1.0])
    assert trials[12].candidate == trials[10].candidate == trials[2].candidate
    assert trials[9].origin == "continues trial 4"


def test_of_equal_scores_the_earlier_goes_on():
    assert [trial.parent for trial in run(13, lambda *_: 0.5)[9:]] == [0, 1, 2, 9]


def test_the_next_cohort_is_compared_with_itself_alone():
    trials = run(26, lambda number, _: -number if number < 13 else number)
    assert [trial.parent for trial in trials[9:13]] == [0, 1, 2, 9]
    assert [trial.parent for trial in trials[22:26]] == [21, 20, 19, 24]


def test_free_workers_begin_the_next_cohort_while_one_waits():
    space = toys.layers()
    strategy = SuccessiveHalving(RandomSearch())
    first = strategy.propose(space, [], [], 0, 9)
    slow = Pending(4, first[4])
    history = [as_trial(number, proposal) for number, proposal in enumerate(first) if number != 4]
    waiting = strategy.propose(space, history, [slow], 0, 3)
    assert [(p.fidelity, p.parent) for p in waiting] == [(strategy.fidelities[0], None)] * 3
    history.insert(4, as_trial(*slow))
    under_way = [Pending(9 + i, proposal) for i, proposal in enumerate(waiting)]
    [*promoted, new] = strategy.propose(space, history, under_way, 0, 4)
    best = sorted(range(9), key=lambda number: -(history[number].score or 0))[:3]
    assert [p.parent for p in promoted] == best
    assert new.parent is None


def test_what_is_nearest_to_full_training_goes_first():
    space = toys.layers()
    strategy = SuccessiveHalving(RandomSearch())
    history = run(12)  # the first cohort's rung of three has ended
    starts = strategy.propose(space, history, [Pending(12, Proposal(history[9].candidate, 1.0, 9))], 0, 9)
    history += [as_trial(13 + i, proposal) for i, proposal in enumerate(starts)]
    due = strategy.propose(space, history, [], 0, 5)
    assert [p.fidelity for p in due] == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 1 / 9])
    assert due[0].parent in (9, 10, 11)
    assert {p.parent for p in due[1:4]} <= set(range(13, 22))


@pytest.mark.parametrize(("alive", "counts"), [(range(9), [9, 3, 1]), ([3, 7], [9, 2, 1]), ([5], [9, 1, 1]), ([], [9])])
def test_failed_members_count_for_their_cohort_and_never_continue(alive, counts):
    strategy = SuccessiveHalving(RandomSearch())

    def evaluate(number: int, proposal: Proposal) -> Outcome:
        if number < 9 and number not in alive:
            return Outcome("failed", reason="diverged")
        return Outcome("finished", float(number))

    trials = simulate(lambda: strategy, toys.layers(), sum(counts), evaluate=evaluate)
    assert rung_counts(trials) == counts
    [after] = strategy.propose(toys.layers(), trials, [], 0, 1)
    assert after.fidelity == strategy.fidelities[0], "the cohort is done, and the next begins"


def test_a_continuation_that_fails_is_not_tried_again():
    def evaluate(number: int, proposal: Proposal) -> Outcome:
        failed = proposal.parent is not None and number in (9, 10)
        return Outcome("failed", reason="diverged") if failed else Outcome("finished", 1.0 / (1 + number))

    strategy = SuccessiveHalving(RandomSearch())
    trials = simulate(lambda: strategy, toys.layers(), 14, evaluate=evaluate)
    assert [trial.parent for trial in trials[9:]] == [0, 1, 2, 11, None]


def test_one_rung_is_the_other_strategy_in_full():
    assert run(20, rungs=1) == simulate(RandomSearch, toys.layers(), 20)


def test_the_other_strategy_compares_trials_of_one_fidelity():
    """Fully trained ones score higher, so evolution would take them all for parents."""
    strategy = SuccessiveHalving(RegularisedEvolution(5, 5), eta=2, rungs=3)
    score = lambda number, p: Outcome("finished", number / 1000 + (10 if p.fidelity > 0.25 else 0))  # noqa: E731
    trials = simulate(lambda: strategy, toys.layers(), 60, evaluate=score)
    mutated = [int(t.origin.split()[-1]) for t in trials if t.origin.startswith("mutation of trial ")]
    assert len(mutated) > 20
    assert {trials[number].fidelity for number in mutated} == {0.25}


def test_a_full_evaluation_that_no_cohort_began_is_left_alone():
    """The search evaluates the space's default in full before it asks for more."""
    space = toys.layers()
    first = as_trial(0, Proposal(space.default))
    trials = [first, *simulate(lambda: SuccessiveHalving(RandomSearch()), space, 14, known=[first])[1:]]
    assert [trial.fidelity for trial in trials[1:10]] == [SuccessiveHalving(RandomSearch()).fidelities[0]] * 9
    assert space.default not in {trial.candidate for trial in trials[1:]}
    assert all(trial.parent != 0 for trial in trials)
    assert rung_counts(trials) == [9, 3, 2]


def test_the_last_cohort_of_an_exhausted_space_goes_on_as_it_is():
    space = toys.pools()  # 16 functions with 2 recipes... a cohort of nine, and what is left
    trials = simulate(lambda: SuccessiveHalving(RandomSearch()), space, 1000)
    starts = [trial for trial in trials if trial.parent is None]
    assert len(starts) % 9
    cohorts = len(starts) // 9 + 1
    assert rung_counts(trials)[-1] == cohorts


def test_who_has_gone_on_keeps_the_place_when_a_kill_lets_a_cohort_move_up():
    """Trials 7 and 8 were lost, so 9 and 10, which their own cohort sent on, are now the first cohort's."""
    space = toys.layers()
    strategy = SuccessiveHalving(RandomSearch())
    starts = [Proposal(space.sample(number), strategy.fidelities[0], origin="random") for number in range(18)]
    known = [(number, proposal) for number, proposal in enumerate(starts) if number not in (7, 8)]
    known += [
        (9 + parent, Proposal(starts[parent].candidate, strategy.fidelities[1], parent)) for parent in (9, 10, 11)
    ]
    history = [as_trial(n, proposal, lambda number, _: Outcome("finished", -float(number))) for n, proposal in known]
    promoted = [p.parent for p in strategy.propose(space, history, [], 0, 5) if p.parent is not None]
    assert promoted == [0], "two of the three places were taken"


@pytest.mark.parametrize("seed", range(5))
def test_after_kills_no_cohort_promotes_more_than_it_has_places_for(seed):
    strategy = SuccessiveHalving(RandomSearch())
    trials: list[Trial] = []
    for killed_after in (11, 24, 37, 50, 63, None):
        trials = simulate(
            lambda: strategy, toys.layers(), 130, workers=7, seed=seed, known=trials, killed_after=killed_after
        )
    low, middle, high = rung_counts(trials)
    assert max(trial.number for trial in trials) > 130, "the kills lost some"
    assert low // 9 * 3 - 9 <= middle <= low // 9 * 3
    assert middle // 3 - 3 <= high <= low // 9


def test_the_proposer_sees_the_lowest_fidelity_alone():
    trials, watched = run(39), Watched()
    strategy = SuccessiveHalving(watched)
    [proposal] = strategy.propose(toys.layers(), trials, [], 0, 1)
    assert proposal.fidelity == strategy.fidelities[0]
    assert [trial.number for trial in watched.history] == [t.number for t in trials if t.parent is None]


@pytest.mark.parametrize(("eta", "rungs"), [(1, 3), (3, 0), (0, 0)])
def test_impossible_settings_are_refused(eta, rungs):
    with pytest.raises(ArchwiseError, match="at least 2"):
        SuccessiveHalving(RandomSearch(), eta, rungs)
