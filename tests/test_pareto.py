"""Dominance, ranks, crowding and hypervolume, against what they are by definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest
from tests.contracts import toys

from archwise.pareto import (
    crowding,
    hypervolume,
    non_dominated,
    objective_values,
    pareto_rows,
    pareto_set,
    ranks,
    select,
)
from archwise.trial import Outcome, Trial


def clouds() -> list[np.ndarray]:
    """Random values of one to four objectives, many of them equal, some of them missing."""
    rng = np.random.default_rng(0)
    found = [rng.integers(0, 6, size=(n, m)).astype(float) for n, m in product((1, 2, 7, 40), (1, 2, 3, 4))]
    for values in found[4:]:
        values[rng.random(values.shape) < 0.1] = -math.inf
    return found


def dominates(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.all(first >= second) and np.any(first > second))


def trial(number: int, score: float | None, costs: Mapping[str, float] | None = None, **changes: object) -> Trial:
    outcome = Outcome("failed") if score is None else Outcome("finished", score, {"accuracy": score}, costs or {})
    facts = {"candidate": toys.layers().sample(number), "fidelity": 1.0, "seed": 0, "outcome": outcome}
    return Trial(number, **facts | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", clouds(), ids=lambda values: str(values.shape))
def test_ranks_are_those_of_the_definition(values: np.ndarray) -> None:
    by_definition = [not any(dominates(other, row) for other in values) for row in values]
    assert non_dominated(values) == np.flatnonzero(by_definition).tolist()
    rank = ranks(values)
    for i, row in enumerate(values):
        above = [rank[j] for j, other in enumerate(values) if dominates(other, row)]
        assert rank[i] == 1 + max(above, default=-1)
    few = ranks(values, 3)
    assert np.all((few == rank) | (few == few.max()))
    assert np.count_nonzero(few < few.max() - 1) < 3, "no more than what is needed"


def test_the_less_crowded_survive_and_the_ends_always() -> None:
    front = np.array([[0.0, 10.0], [1.0, 9.0], [1.1, 8.9], [5.0, 5.0], [10.0, 0.0]])
    assert crowding(front)[[0, 4]].tolist() == [math.inf, math.inf]
    assert crowding(front)[1:4] == pytest.approx([0.22, 0.8, 1.78])
    assert sorted(select(front, 4)) == [0, 2, 3, 4]
    assert sorted(select(front, 2)) == [0, 4]
    behind = front - 1
    assert sorted(select(np.concatenate([behind, front]), 7)) == [0, 4, 5, 6, 7, 8, 9], "the whole front, then ends"


def test_pruning_counts_anew_after_each_that_leaves() -> None:
    """Two close pairs: the most crowded two are one pair, but one of each must go."""
    pairs = np.array([[0.0, 20.0], [6.0, 14.0], [6.2, 13.8], [14.0, 6.0], [14.3, 5.7], [20.0, 0.0]])
    kept = select(pairs, 4)
    assert {0, 5} <= set(kept)
    assert len({1, 2} & set(kept)) == len({3, 4} & set(kept)) == 1


@pytest.mark.parametrize("values", clouds(), ids=lambda values: str(values.shape))
def test_selection_never_prefers_a_higher_rank(values: np.ndarray) -> None:
    rank = ranks(values)
    for count in (0, 1, 3, len(values), len(values) + 5):
        kept = select(values, count)
        assert len(kept) == len(set(kept)) == min(count, len(values))
        assert sorted(rank[kept].tolist()) == sorted(rank.tolist())[:count]


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_is_the_volume_of_the_cells_below(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    for count in (0, 1, 2, 9):
        values = rng.integers(-1, 5, size=(count, objectives)).astype(float)
        cells = product(range(5), repeat=objectives)
        volume = sum(any(np.all(row >= np.array(cell) + 1) for row in values) for cell in cells)
        assert hypervolume(values, [0.0] * objectives) == volume


def test_values_are_scores_and_negative_logarithms_of_costs() -> None:
    costs: list[dict[str, float]] = [{"size": math.e}, {"size": 0.0}, {}, {"size": math.nan}, {"size": 1.0}]
    values = objective_values([trial(i, 0.1 * i, known) for i, known in enumerate(costs)], ["size", "other"])
    assert values[:, 0] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert values[:, 1].tolist() == [-1.0, math.log(2), -math.inf, -math.inf, 0.0]
    assert np.all(values[:, 2] == -math.inf)


def test_the_pareto_set_has_full_trials_of_the_search_alone() -> None:
    trials = [
        trial(0, 0.9, {"size": 100.0}),
        trial(1, 0.8, {"size": 10.0}),
        trial(2, 0.7, {"size": 20.0}),
        trial(3, 0.99, {"size": 1.0}, fidelity=0.5),
        trial(4, 0.98, {"size": 1.0}, purpose="confirm"),
        trial(5, None),
        trial(6, 0.85),
        trial(7, 0.9, {"size": 100.0}),
        trial(8, 0.1, {"size": 1.0}),
    ]
    assert [t.number for t in pareto_set(trials, ["size"])] == [0, 7, 1, 8]
    assert [t.number for t in pareto_set(trials, [])] == [0, 7]
    assert pareto_set([*trials, trial(9, 0.95)], ["size"])[0].number == 9, "nothing beats its score"
    assert pareto_set([], ["size"]) == pareto_set(trials[3:6], ["size"]) == []


def test_rows_say_what_a_member_is() -> None:
    [best, _, small] = pareto_rows(
        [trial(0, 0.9, {"size": 100.0}), trial(3, 0.8, {"size": 10.0}), trial(4, 0.95)], "accuracy", ["size"]
    )
    assert (best["trial"], best["size"]) == (4, None)
    candidate = toys.layers().sample(3)
    assert small == {
        "trial": 3,
        "accuracy": 0.8,
        "size": 10.0,
        "architecture": candidate.architecture.to_json(),
        "recipe": candidate.recipe.to_json(),
    }
