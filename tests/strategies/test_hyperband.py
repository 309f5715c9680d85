"""Hyperband, and what it shows the strategy that proposes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, cost, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign
from tests.contracts.watched import Watched

from archwise.errors import ArchwiseError
from archwise.strategies.evolution import RegularisedEvolution
from archwise.strategies.hyperband import Hyperband
from archwise.strategies.random_search import RandomSearch
from archwise.strategies.rungs import like_with_like
from archwise.strategies.strategy import Strategy
from archwise.trial import Outcome, Pending, Proposal, Trial

THIRD, NINTH, LOWEST = 3.0**-1, 3.0**-2, 3.0**-3


class TestOverRandomSearch(StrategyContract):
    uses_others = False

    def make(self) -> Strategy:
        return Hyperband(RandomSearch())

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_brackets(Hyperband(RandomSearch()), list(trials))


class TestOverEvolution(StrategyContract):
    def make(self) -> Strategy:
        return Hyperband(RegularisedEvolution(10, 5), rungs=3, enough=10)

    def check_run(self, trials: Sequence[Trial]) -> None:
        check_brackets(Hyperband(RegularisedEvolution(10, 5), rungs=3, enough=10), list(trials))


def check_brackets(strategy: Hyperband, trials: list[Trial]) -> None:
    """Assert that of each complete bracket the best went on, and nobody else, once no continuation is left to do."""
    while due := [p for p in strategy.propose(toys.layers(), trials, [], 0, 50) if p.parent is not None]:
        trials += [as_trial(number, proposal) for number, proposal in enumerate(due, len(trials))]
    child = {trial.parent: trial for trial in trials if trial.parent is not None}
    for rung, size in enumerate(strategy.sizes):
        began = [t for t in trials if t.parent is None and t.fidelity == strategy.fidelities[rung]]
        complete = len(began) // size * size
        assert not {trial.number for trial in began[complete:]} & child.keys()
        for start in range(0, complete, size):
            cohort = began[start : start + size]
            for up, fidelity in enumerate(strategy.fidelities[rung + 1 :], start=1):
                finished = [trial for trial in cohort if trial.score is not None]
                best = sorted(finished, key=lambda t: t.score or 0, reverse=True)[: size // strategy.eta**up]
                assert {trial.number for trial in cohort} & child.keys() == {trial.number for trial in best}
                cohort = [child[trial.number] for trial in best]
                assert {trial.fidelity for trial in cohort} <= {fidelity}


def starts(trials: Sequence[Trial | Proposal]) -> list[float]:
    """Return the fidelities at which candidates began."""
    return [trial.fidelity for trial in trials if trial.parent is None]


def run(count: int, strategy: Hyperband | None = None, **settings) -> list[Trial]:
    strategy = strategy or Hyperband(RandomSearch())
    return simulate(lambda: strategy, toys.layers(), count, **settings)


# ---------------------------------------------------------------------- brackets


@pytest.mark.parametrize(
    ("eta", "rungs", "sizes"),
    [(3, 5, (81, 34, 15, 8, 5)), (3, 4, (27, 12, 6, 4)), (2, 3, (4, 3, 3)), (4, 1, (1,))],
)
def test_brackets_are_as_large_as_published(eta, rungs, sizes):
    assert Hyperband(RandomSearch(), eta, rungs).sizes == sizes


def test_one_round_of_brackets():
    trials = run(69)
    assert starts(trials) == [LOWEST] * 27 + [NINTH] * 12 + [THIRD] * 6 + [1.0] * 4
    assert Counter(t.fidelity for t in trials) == {LOWEST: 27, NINTH: 9 + 12, THIRD: 3 + 4 + 6, 1.0: 1 + 1 + 2 + 4}
    assert cost(trials) == pytest.approx(3 + 26 / 9 + 10 / 3 + 4), "brackets cost about the same"
    assert starts(run(73)[69:]) == [LOWEST] * 4, "then the first comes again"


def test_a_bracket_ends_before_the_next_begins_where_one_worker_waits_for_nobody():
    began = [i for i, trial in enumerate(run(69)) if trial.parent is None]
    assert began == [*range(27), *range(40, 52), *range(57, 63), *range(65, 69)]


def test_a_bracket_is_compared_with_itself_alone():
    """Every trial of the second round is better than every one of the first, and as many go on from each."""
    trials = run(138, evaluate=lambda number, _: Outcome("finished", float(number)))
    rounds = [[trial for trial in trials[first : first + 69] if trial.parent is not None] for first in (0, 69)]
    assert [len(round_) for round_ in rounds] == [20, 20]
    assert {trial.parent for trial in rounds[0]} <= set(range(69))
    assert {trial.parent for trial in rounds[1]} <= set(range(69, 138))


def test_free_workers_begin_the_next_bracket_while_one_waits():
    space = toys.layers()
    strategy = Hyperband(RandomSearch())
    first = strategy.propose(space, [], [], 0, 29)
    assert starts(first) == [LOWEST] * 27 + [NINTH] * 2
    slow = Pending(4, first[4])
    history = [as_trial(number, proposal) for number, proposal in enumerate(first) if number != 4]
    waiting = strategy.propose(space, history, [slow], 0, 12)
    assert starts(waiting) == [NINTH] * 10 + [THIRD] * 2
    assert all(proposal.parent is None for proposal in waiting)


def test_what_is_nearest_to_full_training_goes_first():
    space = toys.layers()
    begun = Hyperband(RandomSearch()).propose(space, [], [], 0, 39)
    history = [as_trial(number, proposal) for number, proposal in enumerate(begun)]
    due = Hyperband(RandomSearch()).propose(space, history, [], 0, 15)
    assert [proposal.fidelity for proposal in due] == [THIRD] * 4 + [NINTH] * 9 + [THIRD] * 2
    assert [proposal.parent is None for proposal in due] == [False] * 13 + [True] * 2


def test_one_rung_is_the_proposer_in_full():
    assert run(20, Hyperband(RandomSearch(), rungs=1)) == simulate(RandomSearch, toys.layers(), 20)


@pytest.mark.parametrize("known", [1, 2])
def test_a_full_evaluation_before_the_first_bracket_belongs_to_none(known):
    """The search evaluates the space's default in full before it asks for more."""
    space = toys.layers()
    first = [as_trial(i, Proposal(space.default if i == 0 else space.sample(99))) for i in range(known)]
    trials = run(69 + known, known=first)[known:]
    assert starts(trials) == [LOWEST] * 27 + [NINTH] * 12 + [THIRD] * 6 + [1.0] * 4
    assert space.default not in {trial.candidate for trial in trials}


def test_what_kills_lost_is_begun_anew_and_nothing_else():
    space = toys.layers()
    strategy = Hyperband(RandomSearch())
    begun = list(enumerate(strategy.propose(space, [], [], 0, 42)))
    lost = {3, 26, 30}
    history = [as_trial(number, proposal) for number, proposal in begun if number not in lost]
    again = strategy.propose(space, history, [], 0, 8)
    assert starts(again) == [LOWEST] * 2 + [NINTH] + [THIRD] * 3 + [1.0] * 2


@pytest.mark.parametrize("seed", range(3))
def test_after_kills_no_bracket_promotes_more_than_it_has_places_for(seed):
    trials: list[Trial] = []
    for killed_after in (11, 24, 37, 50, 63, None):
        trials = run(138, workers=7, seed=seed, known=trials, killed_after=killed_after)
    assert max(trial.number for trial in trials) > 138, "the kills lost some"
    began = Counter(starts(trials))
    reached = Counter(trial.fidelity for trial in trials if trial.parent is not None)
    assert reached[NINTH] <= began[LOWEST] // 27 * 9
    assert reached[THIRD] <= began[LOWEST] // 27 * 3 + began[NINTH] // 12 * 4
    assert reached[1.0] <= began[LOWEST] // 27 + began[NINTH] // 12 + began[THIRD] // 6 * 2


def test_the_last_brackets_of_an_exhausted_space_go_on_as_they_are():
    strategy = Hyperband(RandomSearch(), rungs=2)
    trials = simulate(lambda: strategy, toys.pools(), 1000)
    counts = Counter(starts(trials))
    incomplete = counts[THIRD] % 3
    assert incomplete or counts[1.0] % 2, "the example has a bracket that is not full"
    continued = sum(trial.parent is not None for trial in trials)
    assert continued == counts[THIRD] // 3 + bool(incomplete)


def test_brackets_that_are_not_full_wait_for_what_is_under_way():
    class Nothing:
        def propose(self, *shown: object) -> list[Proposal]:
            return []

    space = toys.layers()
    history = [as_trial(i, Proposal(space.sample(i), LOWEST)) for i in range(5)]
    pending = [Pending(5, Proposal(space.sample(5), LOWEST))]
    strategy = Hyperband(Nothing())
    assert strategy.propose(space, history, pending, 0, 2) == []
    best = sorted(history, key=lambda trial: -(trial.score or 0))
    assert [p.parent for p in strategy.propose(space, history, [], 0, 2)] == [best[0].number, best[1].number]


def test_failed_members_count_for_their_bracket_and_never_continue():
    def evaluate(number: int, proposal: Proposal) -> Outcome:
        return Outcome("finished", 1.0) if number in (3, 20) or number >= 27 else Outcome("failed", reason="diverged")

    trials = run(40, evaluate=evaluate)
    assert [(trial.parent, trial.fidelity) for trial in trials[27:33]] == [
        (3, NINTH), (20, NINTH), (27, THIRD), (28, THIRD), (29, 1.0), (None, NINTH)
    ]  # fmt: skip


# ---------------------------------------------------------------------- what the proposer sees


def test_the_proposer_sees_the_highest_fidelity_with_enough_trials():
    space = toys.layers()
    trials = run(69)
    for enough, fidelity in [
        (1, 1.0),
        (8, 1.0),
        (9, THIRD),
        (13, THIRD),
        (14, NINTH),
        (21, NINTH),
        (22, LOWEST),
        (99, LOWEST),
    ]:
        watched = Watched()
        Hyperband(watched, enough=enough).propose(space, trials, [], 0, 1)
        assert [trial.number for trial in watched.history] == [t.number for t in trials if t.fidelity == fidelity]


def test_a_continuation_is_shown_with_the_origin_of_what_it_continues():
    space = toys.layers()
    first = as_trial(0, Proposal(space.sample(0), 1 / 9, origin="evolution: random"))
    second = as_trial(1, Proposal(first.candidate, 1 / 3, 0, "continues trial 0"))
    third = Pending(2, Proposal(first.candidate, 1.0, 1, "continues trial 1"))
    other = replace(second, number=-1)
    shown, under_way = like_with_like([other, first, second], [third], 1 / 3)
    assert [(trial.number, trial.origin) for trial in shown] == [(-1, "continues trial 0"), (1, "evolution: random")]
    assert [item.proposal.origin for item in under_way] == ["evolution: random"]


def test_everything_else_is_under_way_once():
    space = toys.layers()
    trials, (slow, *_) = run(69), run(70)[69:]
    watched = Watched()
    pending = [Pending(slow.number, Proposal(slow.candidate, slow.fidelity))]
    Hyperband(watched, enough=13).propose(space, trials, pending, 0, 1)
    shown = [trial.candidate for trial in watched.history]
    under_way = [item.proposal.candidate for item in watched.pending]
    assert len(shown) == len(set(shown)) == 13
    assert len(under_way) == len(set(under_way))
    assert not set(shown) & set(under_way)
    assert {*shown, *under_way} == {trial.candidate for trial in [*trials, slow]}


def test_new_proposals_are_numbered_after_what_goes_on_beside_them():
    """Random search draws by number: what it proposes beside continuations is what it proposes once they have begun."""
    space = toys.layers()
    trials = run(27)
    [*due, new] = Hyperband(RandomSearch()).propose(space, trials, [], 0, 10)
    begun = [Pending(27 + i, proposal) for i, proposal in enumerate(due)]
    assert [new] == Hyperband(RandomSearch()).propose(space, trials, begun, 0, 1)


def test_failures_are_seen_where_they_say_something():
    """A failure at a lower fidelity would have been one at this, too; one at a higher says nothing about this."""
    space = toys.layers()
    kinds = [(LOWEST, None), (NINTH, None), (NINTH, 1.0), (THIRD, None), (LOWEST, 1.0), (NINTH, 1.0)]
    history = [
        Trial(i, space.sample(i), fidelity, 0, Outcome("failed" if score is None else "finished", score))
        for i, (fidelity, score) in enumerate(kinds)
    ]
    watched = Watched()
    Hyperband(watched, enough=2).propose(space, history, [], 0, 1)
    assert [trial.number for trial in watched.history] == [0, 1, 2, 5]


def test_other_searches_are_seen_as_they_are_and_count_for_no_fidelity():
    space = toys.layers()
    others = foreign(space, 30)
    watched = Watched()
    Hyperband(watched, enough=5).propose(space, [*others, *run(10)], [], 0, 1)
    assert watched.history[:30] == others
    assert {trial.fidelity for trial in watched.history[30:]} == {LOWEST}


def test_evolution_mutates_trials_of_one_fidelity():
    """Fully trained ones score higher, so evolution would take them all for parents."""
    strategy = Hyperband(RegularisedEvolution(5, 5), eta=2, rungs=3, enough=1000)
    score = lambda number, p: Outcome("finished", number / 1000 + (10 if p.fidelity > 0.25 else 0))  # noqa: E731
    trials = run(80, strategy, evaluate=score)
    mutated = [int(t.origin.split()[-1]) for t in trials if t.origin.startswith("mutation of trial ")]
    assert len(mutated) > 20
    assert {trials[number].fidelity for number in mutated} == {0.25}


@pytest.mark.parametrize(("eta", "rungs", "enough"), [(1, 3, 20), (3, 0, 20), (3, 3, 0)])
def test_impossible_settings_are_refused(eta, rungs, enough):
    with pytest.raises(ArchwiseError, match="at least 2"):
        Hyperband(RandomSearch(), eta, rungs, enough)
