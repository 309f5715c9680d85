"""Reinforcement learning."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.errors import ArchwiseError
from archwise.spaces import JointSpace
from archwise.strategies import RandomSearch, Strategy
from archwise.strategies.controller import Controller
from archwise.strategies.reinforced_growing import ReinforcedGrowing
from archwise.strategies.reinforcement import KEPT, OTHERS, ReinforcementLearning
from archwise.strategies.rewards import CostWeighted, Logistic
from archwise.trial import Outcome, Proposal, Trial


class TestReinforcementLearning(StrategyContract):
    """Each proposal by a new object, but in the long searches: that it does not matter is tested by the rest."""

    seeds = 4

    def make(self) -> Strategy:
        return ReinforcementLearning(batch=20)

    @pytest.mark.slow
    def test_beats_random_search_or_equals_it(self):
        kept = ReinforcementLearning()
        self.make = lambda: kept
        super().test_beats_random_search_or_equals_it()


@pytest.mark.slow
class TestReinforceKept(StrategyContract):
    """The other update, by one object through all histories of a test."""

    seeds = 4

    @cached_property
    def kept(self) -> Strategy:
        return ReinforcementLearning(update="reinforce")

    def make(self) -> Strategy:
        return self.kept


def random_trials(count: int, space: JointSpace | None = None) -> list[Trial]:
    return simulate(RandomSearch, space or toys.layers(), count)


def scored(trial: Trial, score: float | None) -> Trial:
    return replace(trial, outcome=Outcome("failed", reason="diverged") if score is None else Outcome("finished", score))


def proposed(strategy: Strategy, history: list[Trial], n: int = 10) -> list[Proposal]:
    return strategy.propose(toys.layers(), history, [], 0, n)


@pytest.mark.parametrize("strategy", [ReinforcementLearning, ReinforcedGrowing])
def test_a_reward_that_no_trial_has_is_refused_by_name(strategy: type[ReinforcementLearning]) -> None:
    costly = [replace(t, outcome=Outcome("finished", 0.5, costs={"flops": 9.0})) for t in random_trials(30)]
    misspelt = strategy(reward=Logistic(of=CostWeighted(1e3, "flop")), batch=10)
    with pytest.raises(ArchwiseError, match=r"weighted by 'flop', which no .* take one of flops"):
        proposed(misspelt, costly)
    assert proposed(misspelt, [scored(t, None) for t in costly]), "failures may have no costs"
    elsewhere = [replace(t, number=t.number - 30) for t in costly]
    assert proposed(misspelt, elsewhere), "other searches may have measured others"
    later = strategy(reward=CostWeighted(1e3, "latency_ms"), batch=10)
    assert proposed(later, costly), "it may come with later trials"


def width(trial: Trial) -> int:
    return int(trial.candidate.architecture["layer0/width"])


# ---------------------------------------------------------------------- lessons


def test_each_full_batch_is_a_lesson_and_nothing_less():
    history = random_trials(23)
    changed = [*history[:20], *(scored(trial, -1.0) for trial in history[20:])]
    strategy = ReinforcementLearning(batch=10)
    assert proposed(strategy, changed) == proposed(strategy, history), "three trials are no batch yet"
    for place in (3, 13):
        changed = [scored(trial, -1.0) if i == place else trial for i, trial in enumerate(history)]
        assert proposed(strategy, changed) != proposed(strategy, history)


def test_what_was_learned_is_not_learned_again(monkeypatch):
    lessons = []
    learn = Controller.proximal
    monkeypatch.setattr(Controller, "proximal", lambda self, *args: (lessons.append(args), learn(self, *args)))
    strategy = ReinforcementLearning(batch=5)
    simulate(lambda: strategy, toys.layers(), 41, known=foreign(toys.layers(), 10))
    assert len(lessons) == 2 + 8


@pytest.mark.parametrize("late", [0, 55])
def test_a_trial_that_ends_late_is_taught_in_its_place(late):
    history = random_trials(60)
    strategy = ReinforcementLearning(batch=4)
    assert 60 - late > 4 * KEPT or late
    proposed(strategy, [trial for trial in history if trial.number != late])
    assert proposed(strategy, history) == proposed(ReinforcementLearning(batch=4), history)
    proposed(strategy, history[:57])
    assert proposed(strategy, history) == proposed(ReinforcementLearning(batch=4), history)


def test_lessons_compare_rewards_with_their_average():
    """All candidates with wide first layers do badly, and failures are as bad: it comes to write narrow ones."""

    def evaluate(number: int, proposal: Proposal) -> Outcome:
        narrow = proposal.candidate.architecture["layer0/width"] == 8
        return Outcome("finished", -1.0) if narrow else Outcome("finished", -1.5)

    def fails(number: int, proposal: Proposal) -> Outcome:
        narrow = proposal.candidate.architecture["layer0/width"] == 8
        return Outcome("finished", -1.0 - 1e-3 * (number % 7)) if narrow else Outcome("failed", reason="diverged")

    for outcome in (evaluate, fails):
        strategy = ReinforcementLearning()
        trials = simulate(lambda strategy=strategy: strategy, toys.layers(), 100, evaluate=outcome)
        assert np.mean([width(trial) == 8 for trial in trials[:16]]) < 0.5
        assert np.mean([width(trial) == 8 for trial in trials[-24:]]) > 0.8


@pytest.mark.parametrize("update", ["ppo", "reinforce"])
def test_the_scores_unit_does_not_matter(update):
    """By a power of two, which rounds nothing."""
    history = random_trials(40)
    scaled = [scored(trial, 2.0**20 * (trial.score or 0)) for trial in history]
    strategies = [ReinforcementLearning(update=update) for _ in range(2)]
    assert proposed(strategies[0], scaled) == proposed(strategies[1], history)


def test_the_two_updates_learn_differently_and_both_learn():
    history = random_trials(40)
    plain, clipped = (proposed(ReinforcementLearning(update=update), history) for update in ("reinforce", "ppo"))
    assert plain != clipped


def test_the_reward_decides_what_is_good():
    def evaluate(number: int, proposal: Proposal) -> Outcome:
        wide = float(proposal.candidate.architecture["layer0/width"])
        return Outcome("finished", 0.5 + 1e-3 * wide, costs={"flops": wide})

    found = []
    for strategy in (ReinforcementLearning(), ReinforcementLearning(CostWeighted(16.0, within=0, beyond=-1))):
        trials = simulate(lambda strategy=strategy: strategy, toys.layers(), 100, evaluate=evaluate)
        found.append(np.mean([width(trial) <= 16 for trial in trials[-24:]]))
    assert found[0] < 0.2
    assert found[1] > 0.8


def test_where_all_fail_it_stays_random_and_goes_on():
    failed = [scored(trial, None) for trial in random_trials(40)]
    assert len({width(as_trial(i, p)) for i, p in enumerate(proposed(ReinforcementLearning(), failed, 20))}) == 4


# ---------------------------------------------------------------------- others, and the end


def test_the_youngest_of_others_are_taught_first_and_apart_from_own_trials():
    others = foreign(toys.layers(), OTHERS + 20)
    own = random_trials(20)
    expected = proposed(ReinforcementLearning(), others + own)
    assert proposed(ReinforcementLearning(), own) != expected
    older = [scored(trial, 1e6) if trial.number < -OTHERS else trial for trial in others]
    assert proposed(ReinforcementLearning(), older + own) == expected
    scaled = [scored(trial, 2.0**20 * (trial.score or 0)) for trial in others]
    assert proposed(ReinforcementLearning(), scaled + own) == expected
    assert proposed(ReinforcementLearning(), own + others[::-1]) == expected


def test_other_searches_that_end_meanwhile_are_learned_from():
    own, others = random_trials(20), foreign(toys.layers(), 30)
    strategy = ReinforcementLearning()
    for known in (others[20:], others, []):
        assert proposed(strategy, known + own) == proposed(ReinforcementLearning(), known + own)


def test_another_seed_is_another_controller():
    own = random_trials(20)
    strategy = ReinforcementLearning()
    for seed in (1, 0):
        kept, fresh = (s.propose(toys.layers(), own, [], seed, 10) for s in (strategy, ReinforcementLearning()))
        assert kept == fresh


def test_where_it_writes_nothing_new_the_candidate_is_random_and_says_so():
    space = toys.pools()
    strategy = ReinforcementLearning(learning_rate=0.1, entropy=0.0)
    origins = [trial.origin for trial in simulate(lambda: strategy, space, 1000)]
    assert origins[:8] == ["written by the controller"] * 8
    assert origins[-1] == "random"


def test_it_edits_the_trial_of_the_best_reward():
    space = toys.layers()
    own = simulate(RandomSearch, space, 16)
    small = [replace(t, outcome=replace(t.outcome, costs={"flops": 2.0 ** (t.number % 7)})) for t in own]
    reward = CostWeighted(target=1.0, within=-5.0, beyond=-5.0)
    for strategy, best in (
        (ReinforcementLearning(edits=1), max(small, key=lambda trial: trial.outcome.score or 0)),
        (ReinforcementLearning(reward, edits=1), max(small, key=lambda trial: reward(trial.outcome) or 0)),
    ):
        proposals = strategy.propose(space, small, [], 0, 8)
        assert {proposal.origin for proposal in proposals} == {f"trial {best.number} edited by the controller"}
        for proposal in proposals:
            pairs = zip(best.candidate, proposal.candidate, strict=True)
            assert sum(before[path] != after[path] for before, after in pairs for path in before) == 1
    assert ReinforcementLearning(edits=1).propose(space, [], [], 0, 1)[0].origin == "written by the controller"


def test_edits_follow_what_was_learned():
    space = toys.layers()
    own = simulate(RandomSearch, space, 40)

    def edited(sign: int) -> float:
        taught = [replace(t, outcome=Outcome("finished", sign * width(t))) for t in own]
        best = max(taught, key=lambda trial: trial.outcome.score or 0)
        taught[best.number] = replace(best, candidate=own[3].candidate)  # what is edited is the same both times
        taught[3] = replace(taught[3], candidate=best.candidate, outcome=Outcome("failed"))
        strategy = ReinforcementLearning(learning_rate=0.05, edits=len(space.decisions(space.default)))
        return float(np.mean([width(proposal) for proposal in strategy.propose(space, taught, [], 0, 40)]))

    assert edited(+1) > edited(-1)


def test_where_no_edit_is_new_it_writes_anew():
    space = toys.pools()
    run = simulate(lambda: ReinforcementLearning(edits=1), space, 1000)
    kinds = {trial.origin.partition(" ")[0] for trial in run}
    assert kinds >= {"trial", "written"}
    assert len(run) == len({space.key(c) for c in space.enumerate() if space.allows(c)})


def test_it_is_near_random_search_at_first():
    trials = simulate(ReinforcementLearning, toys.layers(), 8)
    assert {trial.origin for trial in trials} == {"written by the controller"}
    assert len({width(trial) for trial in trials}) > 1
    written = proposed(ReinforcementLearning(), [], 400)
    shares = [np.mean([width(as_trial(0, p)) == size for p in written]) for size in (8, 16, 32, 64)]
    assert min(shares) > 0.15


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"update": "dqn"}, "'dqn'"),
        ({"batch": 0}, "batch of 1 or more"),
        ({"learning_rate": 0.0}, "learning rate above 0"),
        ({"entropy": -0.1}, "-0.1"),
        ({"decay": 1.0}, r"decay in \(0, 1\)"),
        ({"decay": 0.0}, r"decay in \(0, 1\)"),
        ({"edits": 0}, "edits 1 choice or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, named):
    with pytest.raises(ArchwiseError, match=named):
        ReinforcementLearning(**settings)
