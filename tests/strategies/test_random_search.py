"""Random search."""

from __future__ import annotations

from tests.contracts import toys
from tests.contracts.simulation import simulate
from tests.contracts.strategy_contract import StrategyContract, foreign

from archwise.strategies import RandomSearch, Strategy


class TestRandomSearch(StrategyContract):
    learns = False
    uses_others = False

    def make(self) -> Strategy:
        return RandomSearch()


def test_is_not_moved_by_scores_or_other_searches():
    space = toys.layers()
    plain = simulate(RandomSearch, space, 20)
    failed = simulate(RandomSearch, space, 20, evaluate=toys.failing(1, "failed"))
    helped = simulate(RandomSearch, space, 20, known=foreign(space, 20))
    assert [t.candidate for t in plain] == [t.candidate for t in failed]
    assert [t.candidate for t in plain] == [t.candidate for t in helped if t.number >= 0]


def test_options_are_drawn_evenly():
    trials = simulate(RandomSearch, toys.layers(), 300)
    for option in (8, 16, 32, 64):
        share = sum(t.candidate.architecture["layer2/width"] == option for t in trials) / len(trials)
        assert 0.16 < share < 0.34
