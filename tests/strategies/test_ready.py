"""The ready-made strategies by their names."""

from __future__ import annotations

import pytest
from tests.contracts import toys

from archwise.errors import SpaceError
from archwise.strategies import RandomSearch, RegularisedEvolution, SuccessiveHalving
from archwise.strategies.ready import READY, ready_strategy


def test_every_name_has_its_strategy() -> None:
    assert isinstance(ready_strategy("random"), RandomSearch)
    assert isinstance(ready_strategy("evolution"), RegularisedEvolution)
    for name, proposer in (("halving-random", RandomSearch), ("halving-evolution", RegularisedEvolution)):
        strategy = ready_strategy(name)
        assert isinstance(strategy, SuccessiveHalving) and isinstance(strategy.proposer, proposer)
    for name in READY:
        assert type(ready_strategy(name)) is type(ready_strategy(name))
    for name in ("nsga2", "pareto-bayesian", "parego"):
        assert ready_strategy(name).minimise == ("parameters",)
        assert ready_strategy(name, minimise=["flops", "latency_ms"]).minimise == ("flops", "latency_ms")
    assert ready_strategy("pareto-bayesian").acquisition == "hypervolume"
    assert ready_strategy("parego").acquisition == "chebyshev"
    assert isinstance(ready_strategy("evolution", minimise=["flops"]), RegularisedEvolution)
    with pytest.raises(SpaceError, match="no strategy 'darts'"):
        ready_strategy("darts")


def test_the_hybrids_propose_what_their_names_say() -> None:
    space = toys.layers()
    origins = {
        name: [proposal.origin for proposal in ready_strategy(name).propose(space, [], [], 0, 4)]
        for name in ("hierarchical", "genetic-then-ppo", "turns", "portfolio", "halving-turns")
    }
    assert origins["hierarchical"] == ["network: random"] * 4
    assert origins["genetic-then-ppo"] == ["genetic: random"] * 4
    in_turns = ["evolution: random", "bayesian: tells most about others"]
    assert origins["turns"] == origins["halving-turns"] == in_turns * 2
    assert origins["portfolio"][:3] == ["evolution: random", "local: random", "bayesian: tells most about others"]


def test_few_trials_make_small_cohorts() -> None:
    timed, counted = ready_strategy("halving-random"), ready_strategy("halving-random", trials=20)
    assert isinstance(timed, SuccessiveHalving) and isinstance(counted, SuccessiveHalving)
    assert timed.fidelities[0] == pytest.approx(1 / 27)
    assert counted.fidelities[0] == pytest.approx(1 / 9)
