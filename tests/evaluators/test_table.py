"""Benchmark tables: reading them, their spaces, and the evaluator that looks scores up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.bench.conftest import small_table, write_table
from tests.contracts.evaluator_contract import EvaluatorContract

from archwise.bench.simulation import simulate
from archwise.errors import DataError, SpaceError
from archwise.evaluators.table import Table, TableDecision, read_table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import TableSpace, table_space
from archwise.ready import ready_strategy
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import Proposal


@pytest.fixture(scope="module", params=["nasbench201", "transnas101_micro", "hpobench_mlp"])
def published(request: pytest.FixtureRequest, shared_data: Path) -> Table:
    return read_table(shared_data / "nas" / f"{request.param}.npz")


def test_a_published_table_is_its_space(published: Table) -> None:
    space = table_space(published)
    assert space.size == len(published.architectures) == space.network.size * space.recipe.size
    for row in np.random.default_rng(0).integers(space.size, size=200).tolist():
        candidate = space.candidate(row)
        assert candidate in space and space.row(candidate) == row
        assert all(space.row(neighbour) is not None for neighbour in list(space.neighbours(candidate))[:5])


def test_candidates_of_published_tables_build_networks(published: Table) -> None:
    space = table_space(published)
    assert space.signature is not None
    for seed in range(3):
        architecture = space.sample(seed).architecture
        if space.network.check(architecture, space.signature) is None:
            assert sum(p.numel() for p in space.network.build(architecture, space.signature).parameters()) > 0


def test_the_evaluator_says_what_the_table_says(published: Table) -> None:
    evaluator = TableEvaluator(table_space(published))
    column = len(published.tasks) - 1
    for row in (0, 17, 999):
        proposal = Proposal(evaluator.space.candidate(row))
        outcome = evaluator.evaluate(proposal, TableTask(published.tasks[column]))
        assert outcome.score == float(published.select[row, column])


def test_equal_functions_have_equal_features_and_parts_of_the_best_are_alike(shared_data: Path) -> None:
    """A cell whose first edge is cut off is the same function whatever stands behind it."""
    space = table_space(read_table(shared_data / "nas" / "nasbench201.npz"))
    cut = {"0->1": "none", "0->2": "conv3x3", "0->3": "skip", "2->3": "conv1x1"}
    keys = set()
    for operation in ("conv3x3", "avg_pool3x3", "none"):
        edges = cut | {"1->2": operation, "1->3": operation}
        record = Architecture({f"/stage/{i}->{j}/op": edges[f"{i}->{j}"] for j in range(1, 4) for i in range(j)})
        keys.add(space.key(Candidate(record, Architecture({}))))
    assert len(keys) == 1


# ---------------------------------------------------------------------- the small table


class TestTableEvaluator(EvaluatorContract):
    """The contract of evaluators; what is kept for the final test is the column `report`."""

    continues = False

    @pytest.fixture
    def evaluator(self) -> TableEvaluator:
        return TableEvaluator(table_space(small_table()))

    @pytest.fixture
    def task(self) -> TableTask:
        return TableTask("up")

    @pytest.fixture
    def space(self, evaluator: TableEvaluator) -> TableSpace:
        return evaluator.space

    @pytest.fixture
    def bad(self, space: TableSpace) -> Proposal:
        return Proposal(Candidate(space.default.architecture, Architecture({"width": 7})))

    def spoil(self, evaluator: TableEvaluator, task: TableTask) -> TableEvaluator:
        table = evaluator.space.table
        return TableEvaluator(table_space(replace(table, report=np.full_like(table.report, np.nan))))


def test_regret_is_0_for_the_best_and_1_for_the_median() -> None:
    table = small_table()
    best, median = int(table.report[:, 0].argmax()), np.median(table.report[:, 0])
    assert table.regret([best], "up").tolist() == [0.0]
    nearest = int(np.abs(table.report[:, 0] - median).argmin())
    assert table.regret([nearest], "up")[0] == pytest.approx(1.0, abs=0.1)


def test_scores_that_are_missing_are_failures() -> None:
    evaluator = TableEvaluator(table_space(small_table()))
    outcome = evaluator.evaluate(Proposal(evaluator.space.candidate(5)), TableTask("down"))
    assert outcome.status == "failed" and "no score" in outcome.reason
    assert evaluator.evaluate(Proposal(evaluator.space.candidate(5)), TableTask("up")).status == "finished"


def test_what_is_no_row_is_a_failure_and_not_allowed() -> None:
    table = small_table()
    short = replace(table, **_rows(table, slice(30)))
    whole, space = table_space(table), table_space(short)
    missing = whole.candidate(33)
    assert space.size == 30 and missing in space and not space.allows(missing)
    assert all(space.allows(space.sample(seed)) for seed in range(50))
    outcome = TableEvaluator(space).evaluate(Proposal(missing), TableTask("up"))
    assert outcome.status == "failed" and "no such architecture" in outcome.reason


def test_low_fidelity_has_the_cheap_score_at_its_price() -> None:
    table = small_table()
    evaluator = TableEvaluator(table_space(table))
    assert table.cheap is not None and table.cost_seconds is not None
    proposal = Proposal(evaluator.space.candidate(7), fidelity=0.25)
    cheap, full = (evaluator.evaluate(replace(proposal, fidelity=f), TableTask("up")) for f in (0.25, 1.0))
    assert (cheap.score, full.score) == (table.cheap[7, 0], table.select[7, 0])
    assert cheap.costs["train_seconds"] == pytest.approx(table.cheap_fidelity * full.costs["train_seconds"])
    assert full.costs["train_seconds"] == table.cost_seconds[7, 0]
    without = TableEvaluator(table_space(replace(table, cheap=None)))
    assert without.evaluate(proposal, TableTask("up")).costs["train_seconds"] == table.cost_seconds[7, 0]


def test_what_is_judged_is_not_seen() -> None:
    table = small_table()
    other = replace(table, report=-table.report)
    for row in range(0, 36, 7):
        outcomes = [
            TableEvaluator(table_space(t)).evaluate(Proposal(table_space(t).candidate(row)), TableTask("up"))
            for t in (table, other)
        ]
        assert outcomes[0] == outcomes[1]


def test_costs_are_the_tables_those_given_and_else_counted(tmp_path: Path) -> None:
    rows = np.arange(36.0)
    sizes = {"params_millions": np.stack([rows, rows + 0.5], axis=1), "flops_millions": np.full((36, 2), 3.0)}
    table = read_table(write_table(small_table(), tmp_path / "small.npz", **sizes))
    energy = np.where(rows == 7, np.nan, 100 + rows)
    evaluator = TableEvaluator(table_space(table), {"energy_mj": energy, "flops": 2 * rows})
    seventh, eighth = (
        evaluator.evaluate(Proposal(evaluator.space.candidate(row)), TableTask("down")).costs for row in (7, 8)
    )
    assert table.cost_seconds is not None
    assert seventh == {"train_seconds": table.cost_seconds[7, 1], "parameters": 7.5e6, "flops": 14.0}
    assert (eighth["energy_mj"], eighth["parameters"]) == (108.0, 8.5e6)
    assert TableEvaluator(table_space(table)).evaluate(Proposal(evaluator.space.candidate(7)), TableTask("up")).costs[
        "flops"
    ] == pytest.approx(6e6)
    plain = TableEvaluator(table_space(small_table()))
    assert plain.evaluate(Proposal(plain.space.candidate(7)), TableTask("up")).costs.keys() == {"train_seconds"}


def test_a_table_of_cells_has_the_costs_of_its_networks() -> None:
    edges = [TableDecision(f"{i}->{j}", ("none", "skip_connect", "nor_conv_3x3")) for j in (1, 2) for i in range(j)]
    rows = np.array(list(np.ndindex(3, 3, 3)))
    scores = np.zeros((len(rows), 1))
    evaluator = TableEvaluator(table_space(Table("cells", tuple(edges), rows, ("t",), scores, scores)))
    space = evaluator.space
    assert space.signature is not None
    counted = {}
    for row in range(len(rows)):
        candidate = space.candidate(row)
        costs = evaluator.evaluate(Proposal(candidate), TableTask("t")).costs
        assert ("parameters" in costs) == (space.network.check(candidate.architecture, space.signature) is None)
        if "parameters" in costs and row % 5 == 1:
            network = space.network.build(candidate.architecture, space.signature)
            assert costs["parameters"] == sum(p.numel() for p in network.parameters())
            counted[row] = costs["flops"]
    assert len(set(counted.values())) > 1


def test_costs_that_do_not_fit_the_table_are_refused() -> None:
    with pytest.raises(DataError, match=r"'latency_ms' has the shape \(35,\), not \(36,\)"):
        TableEvaluator(table_space(small_table()), {"latency_ms": np.ones(35)})


def test_a_file_gives_the_table_back(tmp_path: Path) -> None:
    table = small_table()
    read = read_table(write_table(table, tmp_path / "small.npz"))
    assert read.fingerprint == table.fingerprint and read.decisions == table.decisions and read.name == "small"
    assert replace(table, select=table.select + 1).fingerprint != table.fingerprint
    assert replace(table, costs={"flops": table.select}).fingerprint != table.fingerprint
    again = read_table(write_table(table, tmp_path / "small.npz", cheap_fidelity=0.5))
    assert again.cheap_fidelity == 0.5 and again.fingerprint != table.fingerprint
    assert TableEvaluator(table_space(again)).fidelities == (0.5, 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"select": None}, "no array 'select'"),
        ({"decisions": "[{"}, "cannot be read"),
        ({"decisions": "[1, 2]"}, "cannot be read"),
        ({"params_millions": np.zeros(36)}, r"parameters of the table 'small' is \(36,\)"),
        ({"select": np.zeros((3, 2))}, r"select of the table 'small' is \(3, 2\)"),
        ({"decisions": '[{"name": "a", "options": [1]}]'}, r"3\) for 1 decisions"),
        ({"architectures": np.full((36, 3), 9, dtype=np.uint16)}, "beyond the last of 4"),
        ({"architectures": np.zeros((36, 3))}, "whole numbers from 0"),
        ({"architectures": np.full((36, 3), -1)}, "whole numbers from 0"),
        ({"select": np.full((36, 2), np.nan)}, "select of the table 'small' has no score for the task 'up'"),
        ({"tasks": np.array([object()], dtype=object)}, "cannot be read"),
        ({"cost_seconds": np.full((36, 2), -1.0)}, "cost_seconds of the table 'small' must be 0 or more"),
        ({"cost_seconds": np.full((36, 2), np.inf)}, "cost_seconds of the table 'small' must be 0 or more"),
        ({"report": np.full((36, 2), np.nan)}, "report of the table 'small' has no score for the task 'up'"),
        ({"select": np.full((36, 2), "high")}, "select of the table 'small' holds no numbers"),
        ({"tasks": np.array(["up", "up"])}, "has the task 'up' twice"),
        ({"tasks": np.array("up")}, r"select of the table 'small' is \(36, 2\), not \(36, 1\)"),
        ({"report": np.full((36, 2), np.inf)}, "report of the table 'small' has infinite scores: write NaN"),
        ({"select": np.full((36, 2), -np.inf)}, "select of the table 'small' has infinite scores: write NaN"),
        ({"cheap_fidelity": 12}, "cheap_fidelity of the table 'small' must lie between 0 and 1, not be 12"),
        ({"architectures": np.array([[0, 0, 0], [1, 0, 0]] * 18)}, "rows 0 and 2 of the table 'small' take the same"),
        ({"architectures": np.zeros((36, 0), int), "decisions": "[]"}, r"\(36, 0\) for 0 decisions"),
        ({"decisions": '[{"name": "a", "options": [[1], [2]]}]'}, "options of 'a' in .* must be words, numbers"),
        ({"decisions": '[{"name": "a", "options": []}]'}, "options of 'a' in .* must be words, numbers"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = write_table(small_table(), tmp_path / "small.npz", **change)
    with pytest.raises(DataError, match=words):
        read_table(path)


@pytest.mark.parametrize("write", [lambda p: p.write_bytes(b"no zip"), lambda p: p.write_bytes(b""), lambda p: None])
def test_other_files_are_refused(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "other.npz"
    write(path)
    with pytest.raises(DataError, match=r"other.npz cannot be read as a benchmark table: it is no .npz file"):
        read_table(path)


def test_a_task_that_is_not_there() -> None:
    evaluator = TableEvaluator(table_space(small_table()))
    with pytest.raises(DataError, match="no task 'left': take one of up, down"):
        evaluator.evaluate(Proposal(evaluator.space.candidate(0)), TableTask("left"))


def test_an_option_that_stands_twice() -> None:
    table = small_table()
    twice = (TableDecision("width", (8, 8, 32, 64)), *table.decisions[1:])
    with pytest.raises(DataError, match="'width' of the table 'small' has the same option twice"):
        table_space(replace(table, decisions=twice))


def test_names_that_are_too_much_alike() -> None:
    table = small_table()
    alike = (TableDecision("a/b", (8, 16, 32, 64)), table.decisions[1], TableDecision("a_b", (0.001, 0.01, 0.1)))
    with pytest.raises(DataError, match="'a/b' and 'a_b' of the table 'small' are too much alike"):
        table_space(replace(table, decisions=alike))


@pytest.mark.parametrize("name", ["random", "grid", "evolution", "bayesian", "genetic", "local-search"])
def test_limits_hold_on_a_published_table(shared_data: Path, name: str) -> None:
    whole = table_space(read_table(shared_data / "nas" / "nasbench201.npz"))
    costs = [whole.cost(whole.sample(seed)).parameters for seed in range(20)]
    limited = replace(whole, network=whole.network.exclude({"*op": "none"}), most_parameters=float(np.median(costs)))
    trials = simulate(ready_strategy(name), TableEvaluator(limited), TableTask("cifar10"), seed=0, budget=12).trials
    assert len(trials) == 12 and all(trial.outcome.status == "finished" for trial in trials)
    for trial in trials:
        assert "none" not in trial.candidate.architecture.values()
        assert limited.cost(trial.candidate).parameters <= np.median(costs)


def test_where_no_row_is_within_the_limits() -> None:
    space = table_space(small_table())
    few = replace(space, recipe=space.recipe.fix({"width": 8, "rate": 0.1}))
    assert {few.sample(seed).recipe["activation"] for seed in range(30)} == {"relu", "tanh", "gelu"}
    assert len(list(few.enumerate())) == few.size == 3
    none = replace(few, table=replace(space.table, **_rows(space.table, slice(20, 36))))
    with pytest.raises(SpaceError, match="No row of the table 'small' is within the limits"):
        none.sample(0)


def _rows(table: Table, rows: slice) -> dict[str, np.ndarray]:
    names = ("architectures", "select", "report", "cheap", "cost_seconds")
    return {name: getattr(table, name)[rows] for name in names}
