"""Searches with costs that are to be small: the Pareto set of their trials, everywhere it is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.search.conftest import Searcher, trial_facts
from typer.testing import CliRunner

import archwise
from archwise.cli import app
from archwise.errors import RunError
from archwise.result import Result
from archwise.strategies import NSGA2


def by_hand(result: Result, minimise: list[str]) -> list[int]:
    """The numbers of the trials that nothing beats, from the table of all trials, the best score first."""
    full = result.trials.query("purpose == 'search' and status == 'finished' and fidelity == 1")
    rows = {row["number"]: [row["score"], *(-row[name] for name in minimise)] for _, row in full.iterrows()}
    front = [
        number
        for number, row in rows.items()
        if not any(other != row and all(o >= r for o, r in zip(other, row, strict=True)) for other in rows.values())
    ]
    return sorted(front, key=lambda number: (-rows[number][0], number))


def shown(run: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["show", str(run), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_search_tells_its_trade_offs_everywhere_and_goes_on_with_them(small_search: Searcher) -> None:
    result = small_search(trials=7, minimise=["parameters", "flops"])
    assert result.metrics["strategy"]["name"] == "pareto-bayesian"
    assert result.trials.origin[4:7].tolist() == ["largest expected hypervolume improvement"] * 3
    check(result, ["parameters", "flops"])
    longer = archwise.resume(result.run, trials=11)
    whole = small_search(trials=11, minimise=["parameters", "flops"])
    searched = [[facts for facts in trial_facts(r) if facts[1] == "search"] for r in (longer, whole)]
    assert searched[0] == searched[1], "the costs are those of the beginning"
    check(longer, ["parameters", "flops"])


def check(result: Result, minimise: list[str]) -> None:
    """Compare what result, terminal and report say with the trials."""
    front = by_hand(result, minimise)
    assert result.pareto["trial"].tolist() == front and front
    assert result.pareto.columns.tolist() == ["trial", "accuracy", *minimise]
    trials = result.trials.query("purpose == 'search'").set_index("number")
    for row in result.pareto.itertuples():
        assert row.accuracy == trials.score[row.trial]
        assert (row.parameters, row.flops) == (trials.parameters[row.trial], trials.flops[row.trial])
        assert sum(p.numel() for p in result.network(row.trial).parameters()) == row.parameters
    summary = result.summary()["pareto"]
    assert [row["trial"] for row in summary] == front
    assert summary[0]["architecture"] == json.loads(trials.architecture[front[0]])
    text = shown(result.run).split("Trade-offs", 1)[1].split("Files in")[0]
    assert [int(found) for found in re.findall(r"^ +(\d+) ", text, re.MULTILINE)] == front
    assert json.loads(shown(result.run, "--json"))["minimise"] == minimise
    page = result.report.read_text()
    section = page.split("<h2>Trade-offs</h2>")[1].split("</section>")[0]
    assert [int(found) for found in re.findall(r"<th>Trial (\d+)", section)] == front
    charts = section.split("<svg")[1:]
    assert len(charts) == len(minimise)
    for chart in charts:
        marked = re.findall(r'class="member"><title>trial (\d+)<', chart)
        others = re.findall(r'class="other"><title>trial (\d+)<', chart)
        assert sorted(map(int, marked)) == sorted(front)
        assert len(marked) + len(others) == (trials.status == "finished").sum()


def test_the_trials_of_any_strategy_have_a_pareto_set_of_those_trained_in_full(small_search: Searcher) -> None:
    result = small_search(trials=14, strategy="halving-random", minimise=["parameters"])
    assert (result.trials.fidelity < 1).any()
    assert result.pareto["trial"].tolist() == by_hand(result, ["parameters"])
    assert result.test.keys() == result.default["test"].keys()


def test_strategies_with_several_objectives_have_one_without_being_asked(small_search: Searcher) -> None:
    result = small_search(trials=4, strategy="nsga2")
    assert result.pareto.columns.tolist() == ["trial", "accuracy", "parameters"]
    named = small_search(trials=4, strategy=NSGA2(["flops"]), minimise=["flops"])
    assert named.pareto["trial"].tolist() == by_hand(named, ["flops"])


def test_without_costs_there_is_none(small_search: Searcher) -> None:
    result = small_search(trials=3)
    assert result.metrics["strategy"]["name"] == "bayesian"
    assert result.pareto.empty and "pareto" not in result.summary()
    assert "Trade-offs" not in shown(result.run) and "Trade-offs" not in result.report.read_text()


def test_a_search_that_has_not_ended_shows_what_it_has(
    small_search: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("stopped here")

    monkeypatch.setattr("archwise.session.write_answer", stop)
    with pytest.raises(RuntimeError, match="stopped here"):
        small_search(trials=3, strategy="random", minimise=["latency_ms"])
    assert "Trade-offs on the validation split" in shown(tmp_path / "run-0")


def test_networks_of_trials_that_were_not_made_are_refused(small_search: Searcher) -> None:
    result = small_search(trials=2, strategy="random")
    with pytest.raises(RunError, match="no trial 99"):
        result.network(99)


@pytest.mark.parametrize(
    ("minimise", "words"),
    [(["size"], "'size' cannot be minimised: take one of parameters"), ("flops", r"give a list, \['flops'\]")],
)
def test_costs_that_no_training_reports_are_refused_at_once(
    small_search: Searcher, tmp_path: Path, minimise: list[str], words: str
) -> None:
    with pytest.raises(RunError, match=words):
        small_search(minimise=minimise)
    assert not list(tmp_path.glob("run-*"))


def test_long_sets_are_printed_from_one_end_to_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    from archwise.terminal.console import Output
    from archwise.terminal.results import TRADE_OFFS, print_trade_offs

    rows = [{"trial": i, "rmse": 1.0 + i, "parameters": 5000 - i} for i in range(50)]
    print_trade_offs(Output(), rows, "rmse", ["parameters"])
    numbers = [int(found) for found in re.findall(r"^ +(\d+) ", capsys.readouterr().out, re.MULTILINE)]
    assert len(numbers) == TRADE_OFFS and (numbers[0], numbers[-1]) == (0, 49)
    assert numbers == sorted(numbers)
