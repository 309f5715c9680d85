"""`archwise bench`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.bench.conftest import small_table, write_table
from typer.testing import CliRunner

from archwise.cli import app


def bench(folder: Path, *options: str) -> str:
    write_table(small_table(), folder / "small.npz")
    arguments = ["bench", "--tables", str(folder / "small.npz"), "--results", str(folder / "results.jsonl"), *options]
    result = CliRunner().invoke(app, [*arguments, "--workers", "1"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_has_every_task_and_a_second_call_extends_the_file(tmp_path: Path) -> None:
    few = json.loads(
        bench(tmp_path, "--strategies", "random,evolution", "--seeds", "3", "--evaluations", "30", "--json")
    )
    assert set(few["small"]) == {"up", "down"} and set(few["small"]["up"]) == {"random", "evolution"}
    figures = few["small"]["up"]["random"]
    assert set(figures) >= {"area60", "regret", "to_10_percent", "to_1_percent", "seconds_per_proposal", "seeds"}
    assert figures["seeds"] == 3 and figures["regret"]["1"] > figures["regret"]["20"]
    before = (tmp_path / "results.jsonl").read_text()
    more = json.loads(bench(tmp_path, "--strategies", "random", "--seeds", "5", "--evaluations", "30", "--json"))
    after = (tmp_path / "results.jsonl").read_text()
    assert after.startswith(before) and after.count("\n") == before.count("\n") + 4
    assert more["small"]["up"]["random"]["seeds"] == 5


def test_people_see_means_the_worst_task_and_ranks(tmp_path: Path) -> None:
    text = bench(tmp_path, "--strategies", "random,local-search", "--seeds", "2", "--evaluations", "20")
    for words in ("mean regret over 2 tasks", "worst task", "local-search", "mean rank", "results.jsonl"):
        assert words in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tables", "nowhere"), "no benchmark table 'nowhere'"),
        (("--strategies", "darts"), "no strategy or peer 'darts'"),
        (("--strategies", "zero-cost-evolution"), "the table 'small' has settings alone"),
        (("--seeds", "0"), "number of seeds must be finite and above 0"),
        (("--workers", "0"), "workers must be from 1"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    path = write_table(small_table(), tmp_path / "small.npz")
    result = CliRunner().invoke(app, ["bench", "--tables", str(path), "--results", str(tmp_path / "r.jsonl"), *options])
    assert result.exit_code == 2 and words in result.stderr
    assert not (tmp_path / "r.jsonl").exists()


def test_a_peer_takes_part_in_the_same_way(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    text = bench(
        tmp_path, "--strategies", "random", "--against", "optuna-tpe", "--seeds", "1", "--evaluations", "30", "--json"
    )
    figures = json.loads(text)["small"]["up"]
    assert figures["optuna-tpe"]["regret"]["20"] < 1 and figures["optuna-tpe"]["seconds_per_proposal"] > 0
