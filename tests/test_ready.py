"""The ready-made strategies by their names."""

from __future__ import annotations

import pytest
from tests.contracts import toys
from tests.contracts.simulation import simulate

from archwise.errors import ArchwiseError, SpaceError
from archwise.ready import GUIDED, LEARNING, READY, check_strategy, is_guided, ready_strategy
from archwise.strategies import InSequence, RandomSearch, RegularisedEvolution, SuccessiveHalving, ZeroCostGuided


def test_every_name_has_its_strategy() -> None:
    assert isinstance(ready_strategy("random"), RandomSearch)
    assert isinstance(ready_strategy("evolution"), RegularisedEvolution)
    for name, proposer in (("halving-random", RandomSearch), ("halving-evolution", RegularisedEvolution)):
        strategy = ready_strategy(name)
        assert isinstance(strategy, SuccessiveHalving) and isinstance(strategy.proposer, proposer)
    for name in READY:
        check_strategy(name)
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


def test_the_second_of_a_sequence_has_half_of_few_trials() -> None:
    parts = {trials: ready_strategy("genetic-then-ppo", trials) for trials in (None, 4, 30, 100)}
    assert all(isinstance(part, InSequence) for part in parts.values())
    assert {trials: part.candidates for trials, part in parts.items()} == {
        None: (40,),
        4: (2,),
        30: (15,),
        100: (40,),
    }
    found = simulate(lambda: ready_strategy("genetic-then-ppo", 4), toys.layers(), 4)
    assert [trial.origin.partition(":")[0] for trial in found] == ["genetic"] * 2 + ["ppo"] * 2


def test_few_trials_make_small_cohorts() -> None:
    timed, counted = ready_strategy("halving-random"), ready_strategy("halving-random", trials=20)
    assert isinstance(timed, SuccessiveHalving) and isinstance(counted, SuccessiveHalving)
    assert timed.fidelities[0] == pytest.approx(1 / 27)
    assert counted.fidelities[0] == pytest.approx(1 / 9)


def test_what_is_guided_by_proxies_needs_a_scorer() -> None:
    for name in GUIDED:
        for full in (name, f"halving-{name}"):
            assert is_guided(full) and full in READY
            with pytest.raises(ArchwiseError, match="zero-cost proxies guide needs their scores"):
                ready_strategy(full)
    assert not is_guided("evolution") and not is_guided("halving-bayesian")
    scorer = lambda candidate: {"width": 1.0}  # noqa: E731
    guided = ready_strategy("halving-zero-cost-evolution", 20, scorer=scorer)
    assert isinstance(guided, SuccessiveHalving) and isinstance(guided.proposer, ZeroCostGuided)
    assert guided.proposer.scorer is scorer


@pytest.mark.parametrize("name", [name for name in LEARNING if name.startswith("transfer")])
def test_transfer_and_what_is_left_of_it_without_a_part_know_limits(name: str) -> None:
    strategy = ready_strategy(name, limits={"train_seconds": 3.0})
    assert getattr(strategy, "transfer", strategy).limits == {"train_seconds": 3.0}
