"""Iterative deepening, and the graph of layers from the smallest network that it goes down."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, allowed_keys

from archwise.errors import ArchwiseError
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Repeat, Settings, Space
from archwise.spaces.architecture import Candidate
from archwise.spaces.parts import activation, dense, flatten, head
from archwise.strategies import Strategy
from archwise.strategies.growth import Growth
from archwise.strategies.iterative_deepening import IterativeDeepening
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Outcome, Proposal, Trial

FAILURE = Outcome("failed", reason="diverged")


class TestIterativeDeepening(StrategyContract):
    begins_alike = True
    seeds = 2

    def make(self) -> Strategy:
        return IterativeDeepening()


def run(strategy: Strategy, space: JointSpace, trials: int, seed: int = 0) -> list[Trial]:
    return simulate(lambda: strategy, space, trials, seed=seed)


def grid() -> JointSpace:
    """27 perceptrons whose widths are written from large to small, and two learning rates."""
    layers = [dense(Choice(f"width{i}", [64, 16, 4])) for i in range(3)]
    recipe = Settings(learning_rate=Choice("learning_rate", [0.1, 0.2], default=0.2))
    return JointSpace(Space(Chain(flatten(), *layers, head())), Space(recipe), Signature((5,), 2, "table"))


def deep() -> JointSpace:
    """Networks of up to four layers, each with a width of its own."""
    layers = Repeat(dense(Choice("width", [8, 16, 32])), Choice("depth", [4, 2, 1]), tied=False)
    return JointSpace(Space(Chain(layers, head())), toys.rates(1))


def larger_choices(candidate: Candidate) -> int:
    """Count the choices of `toys.layers` that are not as in its smallest network: 8 units, relu, the default rate."""
    at = {**candidate.architecture, **candidate.recipe}
    return sum(label not in (8, "relu", 0.1) for label in at.values())


def depth_of(trial: Trial) -> int:
    return int(trial.origin.split()[1]) if trial.origin.startswith("edit ") else 0


# ---------------------------------------------------------------------- the order


def test_in_full_breadth_no_network_comes_before_one_with_fewer_edits():
    trials = run(IterativeDeepening(breadth=None), grid(), 100)
    growth = Growth(grid())
    depths = [growth.depth(trial.candidate) for trial in trials]
    assert depths == sorted(depths) == [depth_of(trial) for trial in trials]
    assert Counter(depths) == {0: 1, 1: 7, 2: 18, 3: 20, 4: 8}
    assert {grid().key(trial.candidate) for trial in trials} == allowed_keys(grid())
    assert not any(trial.origin == "random" for trial in trials)


def test_the_first_proposal_is_the_smallest_network():
    space = grid()
    cost = lambda candidate: space.network.cost(candidate.architecture, space.signature).parameters  # noqa: E731
    [first] = IterativeDeepening().propose(space, [], [], 0, 1)
    assert cost(first.candidate) == min(map(cost, space.enumerate()))
    assert first.candidate.recipe["learning_rate"] == 0.2, "of a recipe, the default"
    assert first.origin == "smallest network"


@pytest.mark.parametrize("breadth", [3, 8])
def test_the_bound_grows_by_one_when_the_breadth_is_reached(breadth):
    trials = run(IterativeDeepening(breadth), toys.layers(), 6 * breadth + 1)
    expected = [0] + [depth for depth in range(1, 7) for _ in range(breadth)]
    assert [larger_choices(trial.candidate) for trial in trials] == expected


def test_behind_the_deepest_network_a_broader_sweep_begins():
    trials = run(IterativeDeepening(breadth=1), toys.layers(), 20)
    assert [larger_choices(trial.candidate) for trial in trials] == [*range(14), *range(1, 7)]


def test_it_goes_down_to_the_best_child_first():
    """Of the children of the root, which come in random order, the best has the first grandchildren."""
    space = toys.layers()
    for seed in range(4):
        trials = run(IterativeDeepening(breadth=6), space, 19, seed)
        levels = [trials[1:7], trials[7:13], trials[13:19]]
        at = trials[0]
        for level in levels:
            assert {trial.candidate for trial in level} <= set(space.neighbours(at.candidate))
            at = max(level, key=lambda trial: trial.score or 0)


def test_what_the_model_promises_most_of_comes_first_at_a_depth():
    space, strategy = toys.layers(), IterativeDeepening(breadth=33)
    trials = run(strategy, space, 40)
    assert [larger_choices(trial.candidate) for trial in trials] == [0] + 33 * [1] + 6 * [2]
    parent = max(trials[1:34], key=lambda trial: trial.score or 0).candidate
    for cut in range(34, 40):
        left = set(space.neighbours(parent)) - {trial.candidate for trial in trials[:cut]}
        children = [candidate for candidate in left if larger_choices(candidate) == 2]
        model = Surrogate(space.encoding)
        model.fit(trials[:cut])
        mean, _ = model.predict(children)
        assert mean[children.index(trials[cut].candidate)] == pytest.approx(mean.max(), abs=1e-6)


def test_failed_networks_are_gone_through_last_and_those_under_way_before_them():
    space, strategy = toys.layers(), IterativeDeepening(breadth=2)
    root, *children = run(strategy, space, 3)
    failed = replace(children[0], outcome=FAILURE)
    [below] = strategy.propose(space, [root, failed, children[1]], [], 0, 1)
    assert below.candidate in set(space.neighbours(children[1].candidate))
    both = [replace(child, outcome=FAILURE) for child in children]
    [below] = strategy.propose(space, [root, *both], [], 0, 1)
    assert larger_choices(below.candidate) == 2
    ahead = strategy.propose(space, [], [], 0, 4)
    assert [larger_choices(proposal.candidate) for proposal in ahead] == [0, 1, 1, 2]


def test_trials_of_unknown_origin_count_where_they_are():
    space = toys.layers()
    known = [as_trial(i, Proposal(space.sample(i), origin="from elsewhere")) for i in range(3)]
    proposals = IterativeDeepening(breadth=2).propose(space, known, [], 0, 4)
    assert [larger_choices(proposal.candidate) for proposal in proposals] == [0, 1, 1, 2]


# ---------------------------------------------------------------------- growth


@pytest.mark.parametrize("space", [grid, toys.cells, toys.pools, toys.layers, deep])
def test_each_child_is_one_edit_deeper_and_one_edit_away(space):
    space = space()
    growth = Growth(space)
    node = growth.smallest
    for depth in range(3):
        assert growth.depth(node) == depth
        children = growth.children(node)
        assert {growth.depth(child) for child in children} == {depth + 1}
        assert set(children) <= set(space.neighbours(node))
        node = children[-1]


def test_the_smallest_is_as_small_as_any_and_allowed():
    space = toys.cells()
    smallest = Growth(space).smallest
    cost = lambda candidate: space.network.cost(candidate.architecture, space.signature)  # noqa: E731
    least = min((cost(c).parameters, cost(c).flops) for c in space.enumerate() if space.allows(c))
    assert space.allows(smallest)
    assert (cost(smallest).parameters, cost(smallest).flops) == least
    limited = replace(grid(), most_flops=1)
    assert IterativeDeepening().propose(limited, [], [], 0, 1) == [], "none is allowed"


def test_all_of_a_space_is_reached_from_the_smallest_and_what_opens_is_small():
    space = deep()
    growth = Growth(space)
    assert growth.smallest.architecture["depth"] == 1
    reached, left = {growth.smallest}, [growth.smallest]
    while left:
        new = set(growth.children(left.pop())) - reached
        reached |= new
        left += new
    assert reached == set(space.enumerate())
    opened = [child for child in growth.children(growth.smallest) if child.architecture["depth"] == 4]
    assert [[label for path, label in c.architecture.items() if "width" in path] for c in opened] == [[8] * 4]


def test_sizes_are_measured_where_the_shape_of_inputs_is_known():
    """The first option is the larger one; without a shape the order of options has the say."""
    body = Choice("body", [dense(64, called="wide"), dense(4, called="narrow")])
    network, recipe = Space(Chain(flatten(), body, activation("relu"), head())), Space(Settings(learning_rate=0.1))
    assert Growth(JointSpace(network, recipe)).smallest.architecture["body"] == "wide"
    known = JointSpace(network, recipe, Signature((5,), 2, "table"))
    assert Growth(known).smallest.architecture["body"] == "narrow"


@pytest.mark.parametrize("breadth", [0, -3])
def test_no_breadth_is_refused(breadth):
    with pytest.raises(ArchwiseError, match="1 or more"):
        IterativeDeepening(breadth)
