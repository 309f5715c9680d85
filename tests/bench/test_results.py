"""The file of results, and what runs come to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archwise.bench.curves import Change
from archwise.bench.results import ResultsFile, Run
from archwise.bench.summary import ranked_over, ranks, summary
from archwise.errors import DataError


def run(strategy: str = "random", task: str = "up", seed: int = 0, regret: float = 0.5, length: int = 100) -> Run:
    changes = tuple(Change(i + 1, 60.0 * i, round(regret * (1 + (length - i) / length), 6)) for i in range(length))
    return Run("small", "abc", task, strategy, seed, "archwise 0.1", "", 1, length, changes, 2.0, None, 0.01)


def test_what_is_added_is_read_and_the_longest_of_a_kind_counts(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "deep" / "results.jsonl")
    assert file.read() == []
    runs = [run(seed=seed) for seed in range(3)]
    for one in [*runs, run(seed=1, length=50), run(seed=2, length=200)]:
        file.add(one)
    assert {one.seed: one.evaluations for one in file.read()} == {0: 100, 1: 100, 2: 200}
    assert runs[0] in file.read()


def test_side_by_side_searches_of_another_length_are_others(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl")
    for one in [run(length=50), run(length=100)]:
        file.add(one)
        file.add(replace(one, simulated_workers=4))
    assert [(one.simulated_workers, one.evaluations) for one in file.read()] == [(1, 100), (4, 50), (4, 100)]


@pytest.mark.parametrize(
    "change", [{"table": []}, {"evaluations": "8"}, {"changes": [[1, 2, None]]}, {"seconds_per_proposal": None}]
)
def test_lines_that_cannot_be_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    file = ResultsFile(tmp_path / "results.jsonl")
    file.add(run())
    file.path.write_text(json.dumps(json.loads(file.path.read_text()) | change) + "\n")
    with pytest.raises(DataError, match="Line 1 of"):
        file.read()


def test_a_line_that_a_kill_cut_off_is_left_out_and_written_over(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path / "results.jsonl")
    file.add(run(seed=0))
    with file.path.open("a") as half:
        half.write('{"table": "sm')
    assert [one.seed for one in file.read()] == [0]
    file.add(run(seed=1))
    assert [one.seed for one in file.read()] == [0, 1]


@pytest.mark.parametrize("text", ["no json\n", "[1]\n", '{"table": "small"}\n', '{"precious": 1}', "no newline"])
def test_other_files_are_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"ine .*of .*other.txt is no benchmark result"):
        ResultsFile(path).read()
    assert path.read_text() == text


def test_figures_are_means_over_seeds() -> None:
    runs = [run(seed=0, regret=0.2), run(seed=1, regret=0.4), run(task="down", regret=0.1)]
    figures = summary(runs)["small"]["up"]["random"]
    assert figures["seeds"] == 2
    assert figures["regret"]["1"] == pytest.approx(0.6) and figures["regret"]["100"] == pytest.approx(0.303)
    assert "200" not in figures["regret"]
    assert figures["area60"] == pytest.approx(sum(0.3 * (2 - i / 100) for i in range(60)) / 60)


def test_evaluations_are_medians_and_nothing_where_most_never_got_there() -> None:
    fast = replace(run(length=12), changes=(Change(1, 1, 1.0), Change(2, 2, 0.05), Change(3, 3, 0.0)))
    slow = replace(run(seed=1, length=12), changes=(Change(1, 1, 1.0),))
    two = summary([fast, slow])["small"]["up"]["random"]
    assert two["to_10_percent"] is None
    three = summary([fast, replace(fast, seed=2), slow])["small"]["up"]["random"]
    assert (three["to_10_percent"], three["to_1_percent"]) == (2.0, 3.0)


def test_ranks_are_over_the_tasks_that_all_ran_on() -> None:
    runs = [
        run(s, t, regret=r) for s, t, r in [("a", "up", 0.1), ("b", "up", 0.2), ("a", "down", 0.3), ("b", "down", 0.2)]
    ]
    placed = ranks(summary([*runs, run("a", "left")]))
    assert placed["a"].mean == placed["b"].mean == 1.5
    assert (placed["a"].low, placed["a"].high, placed["a"].tasks) == (1.0, 2.0, 2)
    figures = summary([*runs, run("a", "left")])
    assert ranked_over(figures, placed) == "2 of 3 tasks, those on which all ran"
    assert ranks(summary(runs[:2]))["a"].interval == "–"
    assert ranks(summary([run("a", "up"), run("b", "down")])) == {}
