"""`archwise bench`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.bench.conftest import small_table, write_table
from tests.cli.conftest import COMMAND
from typer.testing import CliRunner

from archwise.bench.curves import expected_regret
from archwise.bench.page import BEGIN
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
    keys = {"area60", "regret", "to_10_percent", "to_1_percent", "seconds_per_proposal", "seeds", "in_time"}
    assert set(figures) == keys
    assert list(figures["regret"]) == ["1", "2", "5", "10", "20"]
    assert figures["seeds"] == 3 and figures["regret"]["1"] > figures["regret"]["20"]
    before = (tmp_path / "results.jsonl").read_text()
    more = json.loads(bench(tmp_path, "--strategies", "random", "--seeds", "5", "--evaluations", "30", "--json"))
    after = (tmp_path / "results.jsonl").read_text()
    assert after.startswith(before) and after.count("\n") == before.count("\n") + 4
    assert more["small"]["up"]["random"]["seeds"] == 5


def test_workers_side_by_side_are_compared_over_time(tmp_path: Path) -> None:
    options = ("--strategies", "random,asha-random", "--seeds", "2", "--evaluations", "20")
    one = json.loads(bench(tmp_path, *options, "--json"))["small"]["up"]["random"]
    four = json.loads(bench(tmp_path, *options, "--simulated-workers", "4", "--json"))["small"]["up"]["random"]
    assert (one["in_time"]["workers"], four["in_time"]["workers"]) == (1, 4)
    assert one["in_time"]["hours"] == 4 * four["in_time"]["hours"] == pytest.approx(11.5 / 3600)
    assert one["regret"]["20"] == four["regret"]["20"]
    drawn = expected_regret(small_table(), "up")
    nothing_yet = four["in_time"]["regret"]["1"]
    assert nothing_yet == pytest.approx(drawn, abs=1e-5), "nothing has ended after a quarter of a training"
    assert four["in_time"]["regret"]["20"] < drawn
    text = " ".join(bench(tmp_path, *options, "--simulated-workers", "4").split())
    assert "4 workers together could have done" in text
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 16


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--page", "page.svg"), "cannot both be"),
        (("--page", "page.md", "--figure", "page.md"), "ends in .svg"),
        (("--page", "."), "is a folder"),
        (("--page", "latin.md"), "no text in UTF-8"),
        (("--page", "half.md"), "or neither"),
        (("--page", "r.jsonl"), "results and the page cannot both be"),
        (("--results", "r.svg", "--page", "r.md"), "results and the figure cannot both be"),
        (("--figure", "curves.png"), "name one that ends in .svg"),
        (("--page", "latin.md/page.md"), "The page cannot be written"),
        (("--results", "latin.md/r.jsonl"), "The results cannot be written"),
        (("--tables", ","), "--tables names nothing"),
    ],
)
def test_a_page_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.md").write_bytes("größer".encode("latin-1"))
    Path("half.md").write_text(BEGIN)
    table = write_table(small_table(), tmp_path / "small.npz")
    result = CliRunner().invoke(app, ["bench", "--tables", str(table), "--results", "r.jsonl", *options])
    assert result.exit_code == 2 and words in result.stderr
    assert not Path("r.jsonl").exists()


def test_peers_do_not_run_side_by_side(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    path = write_table(small_table(), tmp_path / "small.npz")
    options = ["--against", "optuna-tpe", "--simulated-workers", "2", "--results", str(tmp_path / "r.jsonl")]
    result = CliRunner().invoke(app, ["bench", "--tables", str(path), *options])
    assert result.exit_code == 2 and "one trial after another" in result.stderr


def test_people_see_means_the_worst_task_and_ranks(tmp_path: Path) -> None:
    text = bench(tmp_path, "--strategies", "random,local-search", "--seeds", "2", "--evaluations", "20")
    for words in ("mean regret over 2 tasks", "worst task", "local-search", "mean rank", "results.jsonl"):
        assert words in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tables", "nowhere"), "no benchmark table 'nowhere'"),
        (("--strategies", "darts"), "no strategy or peer 'darts'"),
        (("--strategies", "zero-cost-evolution"), "it scores untrained networks, and the table has settings alone"),
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


def test_page_and_figure_are_written_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "benchmarks.md"
    page.parent.mkdir()
    page.write_text("# Measured\n\nby hand\n")
    options = ("--strategies", "random,evolution", "--seeds", "2", "--evaluations", "20", "--page", str(page))
    assert "benchmarks.svg" in bench(tmp_path, *options)
    first = page.read_text()
    command = (
        "archwise bench --tables small.npz --strategies random,evolution --seeds 2 --evaluations 20 "
        "--page benchmarks.md"
    )
    assert first.startswith("# Measured\n\nby hand\n") and f"`{command}`" in first and "(benchmarks.svg)" in first
    assert str(tmp_path) not in first
    assert "evolution" in (page.parent / "benchmarks.svg").read_text()
    bench(tmp_path, *options, "--figure", str(tmp_path / "curves.svg"))
    assert page.read_text().count("| evolution |") == first.count("| evolution |")
    assert "(../curves.svg)" in page.read_text() and (tmp_path / "curves.svg").exists()


def test_quick_compares_the_usual_ones_that_can_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    text = bench(tmp_path, "--quick", "--seeds", "1", "--evaluations", "12")
    assert "'tpe' is left out" in text
    rows = {line.split()[0] for line in text.splitlines() if line.strip()}
    assert {"default", "random", "evolution", "local-search"} <= rows and "tpe" not in rows
    kept = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert {run["strategy"] for run in kept} == {"default", "random", "evolution", "local-search"}


def test_quick_is_5_seeds_of_100_evaluations(tmp_path: Path) -> None:
    figures = json.loads(bench(tmp_path, "--quick", "--strategies", "random", "--json"))["small"]["up"]["random"]
    assert figures["seeds"] == 5 and max(map(int, figures["regret"])) == 100


def test_what_other_settings_or_versions_left_is_not_mixed_in(tmp_path: Path) -> None:
    options = ("--strategies", "evolution", "--seeds", "2", "--evaluations", "20", "--json")
    now = bench(tmp_path, *options)
    file = tmp_path / "results.jsonl"
    for name, value in [("settings", "RegularisedEvolution(population=9, sample=2)"), ("version", "archwise 0.0.1")]:
        others = [json.loads(line) | {name: value, "changes": [[1, 1, 0.0]]} for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(run) + "\n" for run in others))
        again = json.loads(bench(tmp_path, *options))
        assert again["small"]["up"]["evolution"]["regret"] == json.loads(now)["small"]["up"]["evolution"]["regret"]
        assert file.read_text().count("\n") == 2 * len(others)
        file.write_text("".join(line + "\n" for line in file.read_text().splitlines()[len(others) :]))


def test_longer_searches_answer_for_shorter_ones(tmp_path: Path) -> None:
    options = ("--strategies", "random", "--seeds", "2", "--json")
    short = json.loads(bench(tmp_path, *options, "--evaluations", "12"))
    (tmp_path / "results.jsonl").unlink()
    bench(tmp_path, *options, "--evaluations", "30")
    cut = json.loads(bench(tmp_path, *options, "--evaluations", "12"))
    for figures in (short, cut):
        for by_strategy in figures["small"].values():
            by_strategy["random"].pop("seconds_per_proposal")
    assert cut == short


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_what_has_ended_and_the_next_call_goes_on(tmp_path: Path, workers: str) -> None:
    write_table(small_table(), tmp_path / "small.npz")
    file = tmp_path / "results.jsonl"
    command = [*COMMAND, "bench", "--tables", str(tmp_path / "small.npz"), "--seeds", "40"]
    command += ["--strategies", "predictor", "--evaluations", "30", "--results", str(file), "--workers", workers]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 200
    while not (file.exists() and file.read_text().count("\n") >= 2):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Stopped." in said and "Traceback" not in said
    lines = file.read_text().splitlines()
    assert 2 <= len(lines) < 80 and all(json.loads(line)["strategy"] == "predictor" for line in lines)
    seeds = str(max(json.loads(line)["seed"] for line in lines) + 1)
    bench(tmp_path, "--strategies", "predictor", "--seeds", seeds, "--evaluations", "30")
    assert file.read_text().splitlines()[: len(lines)] == lines


def test_all_means_all_who_can(tmp_path: Path) -> None:
    text = bench(tmp_path, "--all", "--seeds", "1", "--evaluations", "2", "--json")
    entrants = set(json.loads(text)["small"]["up"])
    assert {"default", "random", "pareto-bayesian", "portfolio"} <= entrants
    assert "zero-cost-evolution" not in entrants


def test_tables_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(str(write_table(small_table(), tmp_path / folder / "small.npz")))
    options = ["bench", "--tables", ",".join(paths), "--results", str(tmp_path / "r.jsonl"), "--strategies", "auto"]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2 and "have one name" in result.stderr


def test_what_learning_from_other_tasks_gains_or_loses_is_told_in_any_case(tmp_path: Path) -> None:
    options = ("--transfer", "--history", "20", "--strategies", "mean-rank", "--seeds", "2", "--evaluations", "6")
    figures = json.loads(bench(tmp_path, *options, "--json"))["small"]
    assert set(figures["up"]) == {"mean-rank", "default"}
    gain = figures["up"]["mean-rank"]["gain"]
    assert gain["seeds"] == 2
    assert gain["mean"] == pytest.approx(figures["up"]["default"]["area60"] - figures["up"]["mean-rank"]["area60"])
    assert gain["mean"] < 0, "the other task is the wrong way round"
    text = " ".join(bench(tmp_path, *options).split())
    assert "worst task" in text and "same seeds" in text
    page = tmp_path / "page.md"
    bench(tmp_path, *options, "--page", str(page))
    assert "the worst first" in page.read_text() and "--transfer --history 20" in page.read_text()
    for wrong, message in (("none", "number of trials"), ("0", "number of trials")):
        result = CliRunner().invoke(app, ["bench", "--transfer", "--history", wrong])
        assert result.exit_code and message in " ".join(result.output.split())
    result = CliRunner().invoke(app, ["bench", "--transfer", "--history-by", "luck"])
    assert result.exit_code and "shuffled" in result.output
