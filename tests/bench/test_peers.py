"""Other libraries' methods, those of them that are installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from tests.bench.conftest import small_table

from archwise.bench.curves import regret_changes
from archwise.bench.peers.peer import Maker, Peer
from archwise.bench.peers.ready import PEERS
from archwise.bench.peers.simulation import simulate_peer
from archwise.errors import ArchwiseError
from archwise.evaluators.table import Table, TableDecision
from archwise.evaluators.table_evaluator import TableEvaluator
from archwise.evaluators.table_space import table_space


@pytest.fixture(params=PEERS)
def name(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(PEERS[request.param].module, reason="this peer's library is not installed")
    return request.param


def make(name: str, seed: int = 0, evaluations: int = 24) -> Peer:
    return PEERS[name].make(small_table().decisions, seed, evaluations)


def score(options: Sequence[int]) -> float:
    return float(np.dot(options, [3.0, 1.0, -2.0]))


def asked(name: str, seed: int, count: int, disturbed: bool = False) -> list[tuple[int, ...]]:
    """Return what a peer asks for, one evaluation after another."""
    peer, found = make(name, seed), []
    for number in range(count):
        if disturbed:
            np.random.seed(number)
        options = peer.ask(number)
        assert options is not None
        found.append(tuple(options))
        peer.tell(number, score(options))
    return found


def test_the_seed_decides_everything_random(name: str) -> None:
    count = 14 if name.startswith("optuna") else 9  # beyond what is drawn before there is a model
    first = asked(name, 1, count)
    assert all(0 <= o < n for options in first for o, n in zip(options, (4, 3, 3), strict=True))
    assert len(set(first)) >= 5
    assert asked(name, 1, count, disturbed=True) == first
    assert asked(name, 2, count) != first


def test_what_is_under_way_and_what_failed_is_taken(name: str) -> None:
    peer = make(name)
    open_: dict[int, Sequence[int]] = {}
    for number in range(16):
        options = peer.ask(number)
        assert options is not None and all(0 <= o < n for o, n in zip(options, (4, 3, 3), strict=True))
        open_[number] = options
        if len(open_) == 4:
            ended = max(open_) - 1  # not in the order in which they began
            peer.tell(ended, None if ended < 4 or ended % 5 == 0 else score(open_.pop(ended)))
            open_.pop(ended, None)


@pytest.mark.slow
def test_it_proposes_better_and_better_where_it_is_no_random_search(name: str) -> None:
    if name == "optuna-random":
        pytest.skip("it does not learn")
    table = _hill()
    rows = {tuple(options): row for row, options in enumerate(table.architectures.tolist())}
    count = 30 if name.startswith("optuna") else 15
    peer, found = PEERS[name].make(table.decisions, 0, count), []
    for number in range(count):
        options = peer.ask(number)
        assert options is not None
        found.append(rows[tuple(options)])
        peer.tell(number, float(table.select[found[-1], 0]))
    regret = table.regret(range(len(rows)), "hill")
    assert regret[found[-5:]].mean() < 0.6 * regret.mean()


@pytest.mark.parametrize("never_again", ["smac", "botorch", "plain-gp"])
def test_a_search_of_who_never_repeats_itself_ends_with_the_space(never_again: str) -> None:
    pytest.importorskip(PEERS[never_again].module, reason="this peer's library is not installed")
    decisions = (TableDecision("a", (1, 2)), TableDecision("b", ("x", "y")))
    scores = np.array([[1.0], [4.0], [2.0], [3.0]])
    table = Table("tiny", decisions, np.array(list(product(range(2), range(2)))), ("up",), scores, scores)
    found = simulate_peer(never_again, TableEvaluator(table_space(table)), "up", 0, 30)
    assert len(found.steps) == 4 and regret_changes(found.steps, table, "up")[-1].regret == 0.0


class Broken:
    """Repeats itself, and fails at the third evaluation."""

    def __init__(self, *_: Any) -> None:
        self.told: list[float | None] = []

    def ask(self, number: int) -> Sequence[int]:
        if number == 2:
            raise ValueError("no more\nof this")
        return [1, 0, 0]

    def tell(self, number: int, score: float | None) -> None:
        self.told.append(score)


def test_a_peer_that_fails_is_named_and_one_that_repeats_itself_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "broken", Maker("numpy", "numpy", Broken))
    table = small_table()
    evaluator = TableEvaluator(table_space(table))
    assert table.cost_seconds is not None
    twice = simulate_peer("broken", evaluator, "up", 0, 2)
    row = table_space(table).rows[1, 0, 0]
    assert [step.spent for step in twice.steps] == [1.0, 2.0]
    assert twice.steps[-1].seconds == pytest.approx(2 * table.cost_seconds[row, 0])
    words = (
        rf"peer 'broken' \(numpy {np.__version__}\) failed on 'up' .*'small' with the seed 7 \(ValueError: no more\)"
    )
    with pytest.raises(ArchwiseError, match=words):
        simulate_peer("broken", evaluator, "up", 7, 3)


def test_a_peer_is_told_of_rows_and_scores_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Broken] = []
    monkeypatch.setitem(PEERS, "broken", Maker("numpy", "numpy", lambda *_: made.append(Broken()) or made[-1]))
    table = small_table()
    row = table_space(table).rows[1, 0, 0]
    holes = replace(table, select=np.where(np.arange(36)[:, None] == row, np.nan, table.select))
    found = simulate_peer("broken", TableEvaluator(table_space(holes)), "up", 0, 2)
    others = [n for n in range(36) if n != row]
    names = ("architectures", "select", "report", "cheap", "cost_seconds")
    less = replace(table, **{name: getattr(table, name)[others] for name in names})
    simulate_peer("broken", TableEvaluator(table_space(less)), "up", 0, 2)
    assert [peer.told for peer in made] == [[None, None], [None, None]]
    assert [step.row for step in found.steps] == [None, None]


def _hill() -> Table:
    """Return a table of 500 rows, two grids and two categories, with one best row that all choices lead to."""
    decisions = (
        TableDecision("width", (8, 16, 32, 64, 128)),
        TableDecision("depth", (1, 2, 3, 4, 5)),
        TableDecision("activation", ("relu", "tanh", "gelu", "silu")),
        TableDecision("norm", ("none", "batch", "layer", "group", "rms")),
    )
    rows = np.array(list(product(*(range(len(d.options)) for d in decisions))), dtype=np.uint16)
    places = rows.astype(float)
    quality = -((places[:, 0] - 3) ** 2) - (places[:, 1] - 2) ** 2
    quality += np.array([0.0, 2.0, -1.0, 1.0])[rows[:, 2]] + np.array([1.0, -2.0, 3.0, 0.0, -1.0])[rows[:, 3]]
    return Table("hill", decisions, rows, ("hill",), quality[:, None], quality[:, None])
