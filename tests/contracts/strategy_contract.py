"""What every search strategy must keep to, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, check, cost, simulate

from archwise.spaces import JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import Key
from archwise.strategies.strategy import Strategy
from archwise.trial import Pending, Proposal, Status, Trial

SEEDS = 8


class StrategyContract:
    """The shared test-suite of strategies: subclass it, name the class `Test...` and override `make`.

    Example:
        class TestMine(StrategyContract):
            def make(self) -> Strategy:
                return Mine(setting=3)
    """

    learns = True
    """Whether the strategy must beat random sampling of the same cost; if not, it must not fall behind."""
    uses_others = True
    """Whether trials of other searches, on a like task, must make its first trials better."""
    begins_alike = False
    """Whether every search begins with the same candidates: seeds then tell apart what comes after them."""
    seeds = SEEDS
    """How many searches the comparison with random search takes; fewer for a strategy that thinks for long."""

    beginnings = 36
    """How many searches show whether trials of a like task make the first ones better."""

    def make(self) -> Strategy:
        """Return a new strategy."""
        raise NotImplementedError

    def simulate(self, space: JointSpace, trials: int, **settings: Any) -> list[Trial]:
        """Run a search by one object; that a new one before every proposal changes nothing has a test of its own."""
        strategy = self.make()
        return simulate(lambda: strategy, space, trials, **settings)

    # ------------------------------------------------------------------ what is proposed

    @pytest.mark.parametrize(("space", "workers"), [(toys.cells, 1), (toys.pools, 4), (toys.layers, 4)])
    def test_proposals_are_in_the_space_allowed_and_new(self, space, workers):
        space = space()
        trials = self.simulate(space, 50, workers=workers)  # the simulation checks every proposal
        assert len(trials) == 50 or self.keys(space, trials) == allowed_keys(space)

    def test_limits_on_costs_hold(self):
        space = toys.small_layers()
        trials = self.simulate(space, 25, workers=2)  # the simulation checks that every proposal is allowed
        assert len(trials) == 25

    def test_never_more_than_asked_for(self):
        space = toys.layers()
        history = self.simulate(space, 30)
        for known in (history[:0], history[:13], history):
            strategy = self.make()
            for n in (0, 1, 2, 7):
                proposals = strategy.propose(space, known, [], 0, n)
                check(space, known, [], proposals, n)
                assert bool(proposals) == bool(n)

    def test_what_is_pending_is_not_proposed_again_and_the_search_goes_on(self):
        space = toys.cells()
        for history in ([], self.simulate(space, 25)):
            pending: list[Pending] = []
            for number in range(len(history), len(history) + 8):
                proposals = self.make().propose(space, history, pending, 0, 1)
                check(space, history, pending, proposals, 1)
                assert len(proposals) == 1
                pending.append(Pending(number, proposals[0]))

    # ------------------------------------------------------------------ nothing but the history

    def test_killed_anywhere_it_goes_on_as_if_nothing_had_happened(self):
        space = toys.cells()
        trials = self.simulate(space, 40, evaluate=toys.failing(0.2, "failed"))
        stored = [json.dumps(trial.to_json()) for trial in trials]
        for cut in (*range(7), *range(7, 40, 4)):
            history = [Trial.from_json(json.loads(text)) for text in stored[:cut]]
            [proposal] = self.make().propose(space, history, [], 0, 1)
            trial = trials[cut]
            assert proposal == Proposal(trial.candidate, trial.fidelity, trial.parent, trial.origin, trial.inherits)

    @pytest.mark.parametrize("workers", [1, 3])
    def test_what_it_keeps_between_calls_changes_nothing(self, workers):
        old = self.make()
        simulate(lambda: old, toys.pools(), 12, seed=5)
        simulate(lambda: old, toys.layers(), 12, seed=6)
        kept = simulate(lambda: old, toys.layers(), 24, workers=workers)
        assert kept == simulate(self.make, toys.layers(), 24, workers=workers)

    def test_does_not_change_what_it_is_shown(self):
        space = toys.layers()
        history = self.simulate(space, 30)
        pending = [Pending(30, Proposal(space.sample(0)))]
        before = list(history), list(pending)
        self.make().propose(space, history, pending, 0, 3)
        assert (history, pending) == before

    def test_the_seed_decides(self):
        runs = [self.simulate(toys.layers(), 20, seed=seed) for seed in (1, 1, 2)]
        assert runs[0] == runs[1]
        first = 20 if self.begins_alike else 5
        assert [trial.candidate for trial in runs[0][:first]] != [trial.candidate for trial in runs[2][:first]]
        if not self.begins_alike:
            # Good strategies begin with the space's default and meet where the best candidates are, but not at once.
            first, second = ({trial.candidate for trial in run[:5]} - {toys.layers().default} for run in runs[1:])
            assert not first & second

    # ------------------------------------------------------------------ failures, other searches

    @pytest.mark.parametrize(
        ("share", "status", "workers"), [(0.5, "failed", 1), (0.5, "pruned", 4), (1.0, "failed", 4), (1.0, "pruned", 1)]
    )
    def test_failures_stop_nothing(self, share: float, status: Status, workers: int):
        trials = self.simulate(toys.layers(), 50, workers=workers, evaluate=toys.failing(share, status))
        assert len(trials) == 50
        assert any(trial.score is None for trial in trials)

    @pytest.mark.parametrize("scale", [1.0, -1e6])
    def test_trials_of_other_searches_and_spaces_are_harmless(self, scale):
        space = toys.pools()
        others = [*foreign(toys.pools(), 20), *foreign(toys.cells(), 20), *foreign(toys.layers(), 20)]
        others = [
            replace(trial, number=-1 - i, outcome=replace(trial.outcome, score=scale * (trial.score or 0)))
            for i, trial in enumerate(others)
        ]
        others[::3] = [
            replace(trial, outcome=toys.failing(1, "failed")(0, Proposal(trial.candidate))) for trial in others[::3]
        ]
        others.reverse()
        trials = self.simulate(space, 1000, known=others)
        assert self.keys(space, trials) == allowed_keys(space), "what others evaluated is new in this search"
        known = {trial.number for trial in others}
        assert not {trial.parent for trial in trials} & known and not {trial.inherits for trial in trials} & known
        elsewhere = [trial for trial in others if trial.candidate not in space]
        assert len(self.simulate(toys.layers(), 30, known=elsewhere, workers=3)) == 30

    def test_trials_of_a_like_task_help(self):
        if not self.uses_others:
            pytest.skip("this strategy does not look at other searches")
        space = toys.layers()
        gain = []
        for seed in range(self.beginnings):
            others = foreign(space, 20, seed)
            with_them, without = (self.simulate(space, 3, seed=seed, known=known) for known in (others, ()))
            gain.append(self.begun_well(with_them) - self.begun_well(without))
        assert np.mean(gain) > 3 * standard_error(gain)

    # ------------------------------------------------------------------ many workers

    @pytest.mark.parametrize(("seed", "share"), [(0, 0.0), (1, 0.3)])
    def test_workers_that_end_in_any_order(self, seed, share):
        space = toys.layers()
        trials = self.simulate(space, 80, workers=5, seed=seed, evaluate=toys.failing(share, "failed"))
        assert [trial.number for trial in trials] == list(range(80))
        self.check_run(trials)

    @pytest.mark.parametrize("seed", range(2))
    def test_killed_with_trials_under_way_it_loses_only_these(self, seed):
        space = toys.layers()
        trials: list[Trial] = []
        for killed_after in (7, 20, 33, 61, None):
            trials = self.simulate(space, 80, workers=4, seed=seed, known=trials, killed_after=killed_after)
        assert len(trials) == 80

    def check_run(self, trials: Sequence[Trial]) -> None:
        """Override to assert what must hold of a whole run of this strategy that nothing interrupted."""

    # ------------------------------------------------------------------ the end

    @pytest.mark.parametrize("space", [toys.cells, toys.pools, toys.single, toys.impossible])
    @pytest.mark.parametrize(("workers", "share"), [(1, 0.0), (4, 0.5)])
    def test_a_tiny_space_is_exhausted_and_the_search_ends(self, space, workers, share):
        space = space()
        trials = self.simulate(space, 10_000, workers=workers, evaluate=toys.failing(share, "failed"))
        assert self.keys(space, trials) == allowed_keys(space)
        assert self.make().propose(space, trials, [], 0, workers) == []
        if share == 0 and trials:
            assert any(trial.fidelity == 1 for trial in trials), "nothing was trained in full"

    # ------------------------------------------------------------------ worth its name

    @pytest.mark.slow
    def test_beats_random_search_or_equals_it(self):
        space = toys.layers()
        found, by_chance = [], []
        for seed in range(self.seeds):
            trials = self.simulate(space, 200, seed=seed)
            found.append(self.achieved([trial.candidate for trial in trials if trial.fidelity == 1]))
            rng = np.random.default_rng([seed, 1])
            by_chance.append(self.achieved([space.sample(rng) for _ in range(round(cost(trials)))]))
        difference = np.mean(found) - np.mean(by_chance)
        margin = 3 * np.hypot(standard_error(found), standard_error(by_chance))
        assert difference > margin if self.learns else abs(difference) < margin

    def begun_well(self, trials: Sequence[Trial]) -> float:
        """Override to say what a search's first trials are worth; else it is their mean score."""
        return float(np.mean([trial.score for trial in trials]))

    def achieved(self, candidates: Sequence[Candidate]) -> float:
        """Override to say what a search is worth by what it trained in full; else it is the best of these."""
        return max(toys.worth(candidate) for candidate in candidates)

    @staticmethod
    def keys(space: JointSpace, trials: Sequence[Trial]) -> set[Key]:
        """Return the keys of the candidates that were evaluated."""
        return {space.key(trial.candidate) for trial in trials}


def allowed_keys(space: JointSpace) -> set[Key]:
    """Return the keys of all candidates of a small space that can be built; nothing for a large one."""
    small = space.size < 10_000
    return {space.key(candidate) for candidate in space.enumerate() if space.allows(candidate)} if small else set()


def foreign(space: JointSpace, count: int, seed: int = 0) -> list[Trial]:
    """Return trials of another search: random candidates of a space with their scores, numbered below zero."""
    rng = np.random.default_rng([seed, 2])
    return [as_trial(number, Proposal(space.sample(rng))) for number in range(-count, 0)]


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
