"""Transfer from past tasks, and its guard."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial
from tests.contracts.simulation import simulate as simulate_toys
from tests.contracts.strategy_contract import StrategyContract
from tests.meta.conftest import known, like_tasks, negated, shuffled

from archwise.bench.curves import area, regret_changes, regret_curve
from archwise.bench.history import History
from archwise.bench.simulation import simulate
from archwise.evaluators.table_evaluator import TableTask
from archwise.meta.guard import FIRST, FLOOR, SCRATCH, TRANSFER, GuardedTransfer
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.meta.transfer import LEFT_ASIDE, Transfer
from archwise.spaces.architecture import Candidate
from archwise.strategies import BayesianOptimization, Strategy
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Outcome, Pending, Proposal, Trial


@cache
def tasks_without_failures() -> list[PastTask]:
    """Return past tasks whose costs and failures need not be learnt, which takes most of a proposal's time."""
    return [replace(task, trials=[trial for trial in task.trials if trial.score is not None]) for task in like_tasks()]


class TestGuardedTransfer(StrategyContract):
    uses_others = False
    begins_alike = True
    seeds = 3

    def make(self) -> Strategy:
        return GuardedTransfer(tasks_without_failures())

    def test_past_tasks_with_failures_stop_nothing(self):
        strategy = GuardedTransfer(like_tasks())
        trials = simulate_toys(lambda: strategy, toys.pools(), 15, evaluate=toys.failing(0.3, "failed"), workers=2)
        assert len(trials) == 15 and any(trial.score is None for trial in trials)


def regret(strategy: Strategy, table, task: str, seed: int, evaluations: int = 20) -> float:
    steps = simulate(strategy, table, TableTask(task), seed, evaluations).steps
    return area(regret_curve(regret_changes(steps, table.space.table, task), evaluations))


@pytest.mark.parametrize("make", [GuardedTransfer, Transfer])
def test_it_is_better_than_from_scratch(hpobench_mlp, make):
    gains = [
        regret(BayesianOptimization(), hpobench_mlp, task, seed)
        - regret(make(known(hpobench_mlp, task, seed)), hpobench_mlp, task, seed)
        for task in ("car", "kc1", "phoneme", "segment")
        for seed in range(3)
    ]
    assert np.mean(gains) > 3 * np.std(gains, ddof=1) / len(gains) ** 0.5
    assert np.mean(gains) > 0.03


def test_shuffled_experience_changes_nothing(nasbench201):
    task = TableTask("cifar100")
    past = shuffled(known(nasbench201, "cifar100"))
    misled, scratch = (
        simulate(strategy, nasbench201, task, 0, 25).trials
        for strategy in (GuardedTransfer(past), BayesianOptimization())
    )
    assert [trial.candidate for trial in misled] == [trial.candidate for trial in scratch]


@cache
def regret_from_scratch(table, task: str, seed: int) -> float:
    return regret(BayesianOptimization(), table, task, seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shuffled", "negated", "one", "copies"])
def test_experience_that_misleads_costs_little(hpobench_mlp, kind):
    pairs = [
        (
            regret_from_scratch(hpobench_mlp, task, seed),
            regret(GuardedTransfer(History(60, kind).past_tasks(hpobench_mlp, task, seed)), hpobench_mlp, task, seed),
        )
        for task in ("phoneme", "segment")
        for seed in range(2)
    ]
    scratch, misled = np.mean(pairs, axis=0)
    losses = [after - before for before, after in pairs]
    assert misled < 1.1 * scratch + 2 * np.std(losses, ddof=1) / len(losses) ** 0.5


@pytest.mark.parametrize("turned", [False, True])
def test_the_default_is_among_the_first_five(nasbench201, turned):
    past = known(nasbench201, "imagenet16-120")
    strategy = GuardedTransfer(negated(past) if turned else past)
    trials = simulate(strategy, nasbench201, TableTask("imagenet16-120"), 0, 8).trials
    places = [trial.candidate for trial in trials].index(nasbench201.space.default)
    assert places == (0 if turned else 4), "doubtful experience waits for the default"


def toy_task(name: str, good: str, failing: str | None = None, descriptor: dict[str, float] | None = None) -> PastTask:
    """Return a past task where layers of one activation are good, and networks that begin with one of them fail."""
    space = toys.layers()
    rng = np.random.default_rng([len(name), 5])
    trials = []
    for number in range(60):
        candidate = space.sample(rng)
        taken = candidate.architecture
        outcome = Outcome("finished", float(sum(option == good for option in taken.values())))
        failed = failing is not None and taken["layer0/act"] == failing
        trials.append(as_trial(number, Proposal(candidate), lambda n, p: FAILED if failed else outcome))  # noqa: B023
    return PastTask(name, trials, descriptor)


FAILED = Outcome("failed", reason="out of memory")


def activations(candidate: Candidate) -> list[str]:
    return [option for path, option in candidate.architecture.items() if path.endswith("act")]


@pytest.mark.parametrize("good", ["relu", "tanh"])
def test_past_tasks_that_resemble_the_new_one_count_for_more(good):
    past = [toy_task("many rows", "relu", None, {"rows": 6.0}), toy_task("few", "tanh", None, {"rows": 2.0})]
    new = {"rows": 6.1 if good == "relu" else 1.9}
    proposals = Transfer(past, new).propose(toys.layers(), [], [], 0, 2)  # the default may come first
    assert activations(proposals[1].candidate).count(good) >= 5
    shares = Sources(past, toys.layers(), new).shares
    assert shares.argmax() == (good == "tanh") and shares.max() > 0.7


def test_what_failed_on_past_tasks_is_avoided_and_was_tempting():
    space = toys.layers()
    past = [toy_task("one", "tanh", failing="tanh"), toy_task("another", "tanh", failing="tanh")]

    def first_layers(tasks) -> list[str]:
        proposals = Transfer(tasks).propose(space, [], [], 0, 4)
        return [proposal.candidate.architecture["layer0/act"] for proposal in proposals]

    assert first_layers([toy_task("one", "tanh"), toy_task("another", "tanh")]).count("tanh") >= 3
    assert "tanh" not in first_layers(past)


def test_without_its_parts(nasbench201):
    task = TableTask("cifar100")
    past = known(nasbench201, "cifar100")
    cold, scratch = (
        simulate(strategy, nasbench201, task, 0, 4).trials
        for strategy in (Transfer(past, warm_start=False), BayesianOptimization())
    )
    assert [trial.candidate for trial in cold[:3]] == [trial.candidate for trial in scratch[:3]]
    assert cold[3].candidate != scratch[3].candidate

    def weights(strategy: Transfer) -> np.ndarray:
        space, trials = nasbench201.space, simulate(strategy, nasbench201, task, 0, 7).trials
        surrogate = Surrogate(space.encoding, strategy.prior(space))
        surrogate.fit(trials)
        return strategy.prior(space).learnt(surrogate)[0]

    assert (weights(Transfer(past, learn_weights=False)) == 0.75).all()
    assert (weights(Transfer(past)) != 0.75).all()


def left_aside(strategy: Strategy, table, task: str, seed: int = 0) -> list[int]:
    """Return the numbers of the first 15 candidates that were proposed without past tasks."""
    trials = simulate(strategy, table, TableTask(task), seed, 15).trials
    return [trial.number for trial in trials if LEFT_ASIDE in trial.origin]


def test_past_tasks_are_left_aside_that_make_the_scores_unlikely(nasbench201, hpobench_mlp):
    for task in ("cifar10", "cifar100", "imagenet16-120"):
        past = negated(known(nasbench201, task))
        assert left_aside(Transfer(past), nasbench201, task) == [*range(2, 15)], "after the default and one bad one"
        assert left_aside(Transfer(past, questioned=False), nasbench201, task) == []
    for task in ("car", "kc1", "phoneme", "segment"):
        assert left_aside(Transfer(known(hpobench_mlp, task)), hpobench_mlp, task) == []


def test_the_first_candidates_rest_on_past_tasks_that_have_not_learnt_from_each_other(hpobench_mlp):
    past = known(hpobench_mlp, "kc1")
    both = [
        [trial.candidate for trial in simulate(strategy, hpobench_mlp, TableTask("kc1"), 0, 12).trials]
        for strategy in (Transfer(past), Transfer(past, informed=False))
    ]
    assert both[0][:5] == both[1][:5] and both[0] != both[1]


def test_experience_of_another_space_is_as_none(nasbench201):
    task = TableTask("cifar10")
    steps = [
        simulate(GuardedTransfer(past), nasbench201, task, 0, 12).steps for past in ([], [toy_task("toy", "relu")])
    ]
    assert steps[0] == steps[1] == simulate(BayesianOptimization(), nasbench201, task, 0, 12).steps


def test_many_workers_at_the_beginning(nasbench201):
    strategy = GuardedTransfer(known(nasbench201, "cifar10"))
    proposals = strategy.propose(nasbench201.space, [], [], 0, 8)
    assert len({proposal.candidate for proposal in proposals}) == 8
    assert nasbench201.space.default in [proposal.candidate for proposal in proposals[:5]]


def test_who_proposes_better_ones_proposes_more():
    space = toys.layers()

    def shares(transfer_is_good: bool) -> tuple[float, int]:
        guard = GuardedTransfer(tasks_without_failures())
        trials = []
        for number in range(40):
            [proposal] = guard.propose(space, trials, [], 0, 1)
            good = proposal.origin.startswith(TRANSFER) == transfer_is_good
            trials.append(as_trial(number, proposal, lambda n, p: Outcome("finished", n + 100.0 * good)))  # noqa: B023
        return guard.share(trials), sum(trial.origin.startswith(TRANSFER) for trial in trials[FIRST:])

    better, more = shares(True)
    worse, fewer = shares(False)
    assert better == 1 - FLOOR and worse < 0.4
    assert more > 24 > fewer + 5
    begun = [Pending(number, Proposal(space.sample(number), origin=f"{TRANSFER}: x")) for number in range(6)]
    assert GuardedTransfer(like_tasks()).order(space, [], begun)[0] == SCRATCH, "what is under way counts"


def test_neither_waits_longer_than_its_floor_allows(hpobench_mlp):
    """Who was far ahead for long proposes no less than its share when that falls, nor the other for long alone."""
    space, guard = hpobench_mlp.space, GuardedTransfer(known(hpobench_mlp, "car", 0))
    early = [(SCRATCH, 0.0)] * 20 + [(TRANSFER, 1.0)] * 200
    said = [(TRANSFER, 1.0)] * FIRST + early
    trials = []
    for number in range(len(said) + 60):
        who = said[number][0] if number < len(said) else guard.order(space, trials, [])[0]
        score = said[number][1] if number < len(said) else 2.0 * (who == SCRATCH)
        proposal = Proposal(space.candidate(number), origin=f"{who}: x")
        trials.append(as_trial(number, proposal, lambda n, p, score=score: Outcome("finished", score)))
    late = [trial.origin.startswith(TRANSFER) for trial in trials[-40:]]
    assert guard.share(trials) < 0.5
    assert all(1 <= sum(late[start : start + 20]) <= 17 for start in range(21)), late


def test_the_best_on_the_same_data_comes_second(hpobench_mlp):
    """However little is known of it, and whatever else is known."""
    space, other = hpobench_mlp.space, known(hpobench_mlp, "car", 0)
    rng = np.random.default_rng(3)
    scores = {space.sample(rng): float(score) for score in rng.normal(size=8)}
    trials = [Trial(n, c, 1.0, 0, Outcome("finished", score)) for n, (c, score) in enumerate(scores.items())]
    best = max(scores, key=scores.__getitem__)
    for same_data, second in ((1.0, True), (0.3, False)):
        few = PastTask("car, last week", trials, same_data=same_data)
        proposals = Transfer([*other, few]).propose(space, [], [], 0, 2)
        assert (proposals[1].candidate == best) == second


def test_past_tasks_that_are_left_aside_still_tell_what_fails(nasbench201):
    space, task = nasbench201.space, "cifar100"
    past = negated(known(nasbench201, task))
    trials = list(simulate(Transfer(past), nasbench201, TableTask(task), 0, 14).trials)
    assert all(LEFT_ASIDE in trial.origin for trial in trials[2:])
    [usual] = Transfer(past).propose(space, trials, [], 0, 1)
    [encoded] = space.encoding([usual.candidate])
    rng = np.random.default_rng(5)
    drawn = sorted(
        (space.sample(rng) for _ in range(300)), key=lambda c: np.abs(space.encoding([c])[0] - encoded).sum()
    )
    alike = [Trial(n, c, 1.0, 0, Outcome("failed", reason="out of memory")) for n, c in enumerate(drawn[:40])]
    others = [Trial(40 + n, c, 1.0, 0, Outcome("finished", 0.5)) for n, c in enumerate(drawn[-40:])]
    [warned] = Transfer([*past, PastTask("failed", [*alike, *others])]).propose(space, trials, [], 0, 1)
    assert LEFT_ASIDE in usual.origin and LEFT_ASIDE in warned.origin
    assert warned.candidate != usual.candidate


def test_scores_that_are_nearly_all_equal_leave_favourites(hpobench_mlp):
    space = hpobench_mlp.space
    trials = [
        Trial(n, space.candidate(n), 1.0, 0, Outcome("finished", 1.0 if n in (7, 20) else 0.9)) for n in range(50)
    ]
    strategy = GuardedTransfer([PastTask("tiny validation split", trials)])
    assert not strategy.transfer.knows(space)
    proposals = strategy.propose(space, [], [], 0, 3)
    assert {proposal.candidate for proposal in proposals[1:]} == {space.candidate(7), space.candidate(20)}
