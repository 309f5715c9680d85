"""Local search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.spaces import Chain, Choice, JointSpace, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.parts import dense, head
from archwise.strategies import RandomSearch, Strategy, SuccessiveHalving
from archwise.strategies.local_search import LocalSearch
from archwise.trial import Outcome, Pending, Proposal, Trial

FAILURE = Outcome("failed", reason="diverged")


class TestLocalSearch(StrategyContract):
    def make(self) -> Strategy:
        return LocalSearch()


def propose(history: Sequence[Trial], pending: Sequence[Pending] = (), n: int = 1, seed: int = 0) -> list[Proposal]:
    return LocalSearch().propose(toys.layers(), history, pending, seed, n)


def looked_from(work: Proposal | Trial) -> int | None:
    """Return the trial whose neighbour this is, None for a start."""
    climbs = work.origin.startswith("neighbour")
    return int(work.origin.removeprefix("neighbour of trial ")) if climbs else None


def ended(number: int, proposal: Proposal, score: float | None) -> Trial:
    """Return the trial that a proposal becomes; it fails without a score."""
    trial = as_trial(number, proposal)
    return replace(trial, outcome=FAILURE if score is None else Outcome("finished", score))


def climb(scores: Sequence[float | None], seed: int = 0) -> list[Trial]:
    """Return the trials of a search whose evaluations have these scores."""
    history: list[Trial] = []
    for number, score in enumerate(scores):
        history.append(ended(number, propose(history, seed=seed)[0], score))
    return history


def differences(first: Candidate, second: Candidate) -> int:
    """Count the choices that two candidates of the space without conditions make differently."""
    pairs = zip(first, second, strict=True)
    return sum(a[path] != b[path] for a, b in pairs for path in a)


# ---------------------------------------------------------------------- one worker


@pytest.mark.parametrize("space", [toys.cells, toys.layers])
@pytest.mark.parametrize("seed", range(3))
def test_it_moves_at_the_first_improvement_and_starts_anew_where_there_is_none(space, seed):
    """The textbook's rule, followed step by step."""
    space = space()
    trials = simulate(LocalSearch, space, 120, seed=seed)
    seen, starts = set(), 0
    position: Trial | None = None
    for trial in trials:
        around = list(space.neighbours(position.candidate)) if position else []
        left = [c for c in around if space.key(c) not in seen and space.allows(c)]
        if position and left:
            assert looked_from(trial) == position.number
            assert space.key(trial.candidate) in {space.key(c) for c in left}
            position = trial if trial.score > position.score else position
        else:
            assert looked_from(trial) is None
            position, starts = trial, starts + 1
        seen.add(space.key(trial.candidate))
    assert starts > 1


def test_a_worse_or_equal_neighbour_is_no_improvement():
    assert [looked_from(trial) for trial in climb([0.5, 0.4, 0.5, 0.6, 0.55, 0.7, 0.0])] == [None, 0, 0, 0, 3, 3, 5]
    assert [looked_from(trial) for trial in climb([-5.0, -9.0, -4.0, -4.5])] == [None, 0, 0, 2]


def test_neighbours_differ_in_one_choice_and_come_in_random_order():
    firsts = []
    for seed in range(40):
        start, neighbour = climb([0.5, 0.4], seed)
        assert differences(start.candidate, neighbour.candidate) == 1
        [path] = [p for a, b in zip(start.candidate, neighbour.candidate, strict=True) for p in a if a[p] != b[p]]
        firsts.append(path)
    assert len(set(firsts)) > 8


def test_all_neighbours_are_looked_at_before_a_new_climb():
    trials = climb([1.0] + [0.5] * 35)
    neighbours = set(toys.layers().neighbours(trials[0].candidate))
    assert len(neighbours) == 33
    assert {trial.candidate for trial in trials[1:34]} == neighbours
    assert [looked_from(trial) for trial in trials[34:]] == [None, 34]


def test_a_climb_is_not_compared_with_the_one_before():
    """The new climb starts lower and goes on from its own best."""
    trials = climb([10.0] + [9.0] * 33 + [1.0, 2.0, 0.0, 3.0, 0.0])
    assert [looked_from(trial) for trial in trials[34:]] == [None, 34, 35, 35, 37]


def test_failed_trials_are_looked_at_and_never_climbed_from():
    assert [looked_from(trial) for trial in climb([None, None, 0.5, None, 0.6, 0.0])] == [None, None, None, 2, 2, 4]
    trials = climb([1.0] + [None] * 34)
    assert looked_from(trials[33]) == 0
    assert looked_from(trials[34]) is None, "all neighbours failed"


def test_other_searches_give_the_first_climb_its_start_and_nothing_else():
    space = toys.layers()
    others = [replace(trial, origin="neighbour of trial 0") for trial in foreign(space, 20)]
    best = max(others, key=lambda trial: trial.score or 0.0).candidate
    trials = simulate(LocalSearch, space, 150, known=others)
    starts = [trial for trial in trials if looked_from(trial) is None]
    assert (starts[0].candidate, starts[0].origin) == (best, "best of another search")
    assert len(starts) > 1 and {trial.origin for trial in starts[1:]} == {"random"}


def test_a_trial_of_unknown_origin_starts_a_climb():
    """The search's first is the space's default, and a hybrid's trials have origins of their own."""
    origins = ["the space's default", "neighbour of trial 77", "neighbour of trial x", "neighbour of trial -1", ""]
    start = simulate(RandomSearch, toys.layers(), 1)[0]
    for origin in origins:
        known = [ended(0, replace(Proposal(start.candidate), origin=origin), 0.5)]
        assert looked_from(propose(known)[0]) == 0
        higher = [ended(1, Proposal(toys.layers().sample(9), origin=origin), 0.1), *known]
        assert looked_from(propose(higher)[0]) == 0


def test_a_neighbour_for_each_option_however_many_architectures_it_opens():
    layers = [dense(Choice(f"width{i}", [8 * width for width in range(1, 11)])) for i in range(9)]
    body = Choice("body", [dense(8, called="short"), Chain(*layers, name="long")])
    space = JointSpace(Space(Chain(body, dense(Choice("width", [8, 16, 32])), head())), toys.rates(2))
    start = next(c for c in map(space.sample, range(99)) if c.architecture["body"] == "short")
    history = [ended(0, Proposal(start, origin="random"), 1.0)]
    for number in range(1, 6):
        history.append(ended(number, LocalSearch().propose(space, history, [], 0, 1)[0], 0.0))
    assert [looked_from(trial) for trial in history[1:5]] == [0, 0, 0, 0], "one body, two widths, one learning rate"
    assert sum(trial.candidate.architecture["body"] == "long" for trial in history[1:5]) == 1
    assert looked_from(history[5]) is None
    opened = set()
    for seed in range(20):
        proposals = LocalSearch().propose(space, history[:1], [], seed, 4)
        opened |= {p.candidate.architecture for p in proposals if p.candidate.architecture["body"] == "long"}
    assert len(opened) > 10, "what opens is drawn"


def test_under_successive_halving_it_climbs_at_the_lowest_fidelity():
    """Fully trained ones score higher, so it would stay at these."""
    strategy = SuccessiveHalving(LocalSearch(), eta=2, rungs=3)
    score = lambda _, p: Outcome("finished", toys.worth(p.candidate) + (10 if p.fidelity > 0.25 else 0))  # noqa: E731
    trials = simulate(lambda: strategy, toys.layers(), 60, evaluate=score)
    started = [trial for trial in trials if trial.parent is None]
    positions = [number for trial in started if (number := looked_from(trial)) is not None]
    assert {trials[number].fidelity for number in positions} == {0.25}
    reached = [trials[number].score or 0 for number in dict.fromkeys(positions)]
    assert len(reached) > 3
    assert reached == sorted(reached), "one climb"


# ---------------------------------------------------------------------- many workers


def test_neighbours_under_way_count_as_looked_at():
    history = climb([0.5])
    proposals = propose(history, n=40)
    assert [looked_from(proposal) for proposal in proposals] == [0] * 33 + [None] * 7
    pending = [Pending(number, proposal) for number, proposal in enumerate(proposals[:33], 1)]
    assert [looked_from(proposal) for proposal in propose(history, pending, 3)] == [None] * 3


def test_workers_without_a_position_start_climbs_and_the_highest_goes_on_first():
    starts = propose([], n=4)
    assert [proposal.origin for proposal in starts] == ["random"] * 4
    pending = [Pending(number, proposal) for number, proposal in enumerate(starts)]
    history = [ended(2, starts[2], 0.3)]
    assert looked_from(propose(history, [pending[0], pending[1], pending[3]])[0]) == 2
    history = [ended(1, starts[1], 0.4), *history]
    assert looked_from(propose(history, [pending[0], pending[3]])[0]) == 1
    history = [ended(0, starts[0], 0.2), *history]
    assert looked_from(propose(history, [pending[3]])[0]) == 1


def test_a_late_improvement_takes_its_climb_up_again():
    history = climb([0.5])
    [*around, other] = propose(history, n=34)
    *most, late = around
    history += [ended(number, proposal, 0.4) for number, proposal in enumerate(most, 1)]
    history.append(ended(34, other, 0.1))
    pending = [Pending(33, late)]
    assert looked_from(propose(history, pending)[0]) == 34, "the other climb goes on meanwhile"
    history.insert(33, ended(33, late, 0.6))
    assert looked_from(propose(history)[0]) == 33


def test_the_best_of_several_improvements_is_the_next_position():
    history = climb([0.5])
    proposals = propose(history, n=3)
    history += [ended(number, p, score) for number, p, score in zip((1, 2, 3), proposals, (0.6, 0.8, 0.7), strict=True)]
    assert looked_from(propose(history)[0]) == 2


def test_neighbours_that_a_kill_lost_are_looked_at_again():
    trials = climb([1.0] + [0.5] * 34)
    lost = {5, 9}
    history = [trial for trial in trials if trial.number not in lost]
    found = propose(history, n=3)
    assert [looked_from(proposal) for proposal in found] == [0, 0, 34]
    assert {p.candidate for p in found[:2]} == {trials[number].candidate for number in lost}
