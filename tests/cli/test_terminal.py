"""A search in a terminal: the live bar, colours, and Ctrl-C."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CTRL_C = b"\x03"
CURSOR_UP, SHOW_CURSOR = "\x1b[1A", "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[0-9;]*\b(?:3[0-7]|9[0-7]|38)\b[0-9;]*m")
OPTIONS = ("--epochs", "3", "--workers", "1", "--run", "run", "--experience", "experience.sqlite")
Start = Callable[..., Any]


@pytest.mark.slow
def test_the_bar_is_redrawn_and_leaves_the_result(terminal: Start) -> None:
    search = terminal("search", "iris", "--trials", "2", "--strategy", "halving-random", *OPTIONS)
    assert search.end() == 0
    text = search.text
    assert text.count("Reading the data") > 1 and CURSOR_UP in text and COLOUR.search(text)
    assert re.search(r"Searching .*━.* %", text)
    assert re.search(r"trials: [12] finished.*best accuracy so far [01]\.\d+ after 11 %", text, re.DOTALL)
    after = text[text.rindex(CURSOR_UP) :]
    assert SHOW_CURSOR in text[text.rindex("━") :]
    assert "on the test split" in after and "archwise predict run DATA" in after
    assert "━" not in after


def test_a_time_budget_counts_down(terminal: Start) -> None:
    search = terminal("search", "iris", "--minutes", "9", *OPTIONS)
    search.wait_for(r"Searching .*━.* \d % +8:\d\d left")


@pytest.mark.slow
def test_no_color_is_respected(terminal: Start) -> None:
    search = terminal("search", "iris", "--trials", "1", *OPTIONS, NO_COLOR="1")
    assert search.end() == 0
    assert CURSOR_UP in search.text and not COLOUR.search(search.text)


@pytest.mark.slow
def test_a_dumb_terminal_gets_plain_lines(terminal: Start) -> None:
    search = terminal("search", "iris", "--trials", "1", *OPTIONS, TERM="dumb")
    assert search.end() == 0
    assert "\x1b" not in search.text
    assert re.search(r"\[0:\d\d\] Searching", search.text)


@pytest.mark.slow
def test_the_first_ctrl_c_trains_the_best_so_far(terminal: Start, tmp_path: Path) -> None:
    search = terminal("search", "iris", "--trials", "1000", *OPTIONS)
    search.wait_for(r"trials: [1-9]\d* finished")
    search.press(CTRL_C)
    search.wait_for("Stopping")
    assert search.end() == 0
    assert "Stopped early: found after" in search.text and "Traceback" not in search.text
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["stopped_by"] == "interrupt" and 1 <= metrics["trials"]["finished"] < 1000


@pytest.mark.slow
def test_the_second_ctrl_c_stops_at_once_and_says_how_to_go_on(terminal: Start, tmp_path: Path) -> None:
    search = terminal("search", "iris", "--trials", "1000", *OPTIONS, "--epochs", "300")
    search.wait_for(r"trials: [1-9]\d* finished")
    search.press(CTRL_C)
    search.wait_for("Training the winner")
    search.press(CTRL_C)
    assert search.end() == 130
    assert "archwise resume run goes on" in search.text[search.text.rindex("Stopped") :]
    assert SHOW_CURSOR in search.text and "Traceback" not in search.text
    assert not (tmp_path / "run/metrics.json").exists()


def test_ctrl_c_before_the_first_trial_stops_at_once(terminal: Start, tmp_path: Path) -> None:
    search = terminal("search", "iris", "--trials", "9", *OPTIONS, "--epochs", "100000")
    search.wait_for("Searching")
    search.press(CTRL_C)
    assert search.end() == 130
    assert "Stopped; archwise resume run goes on where it was." in search.text
    assert (tmp_path / "run/run.json").exists()


def test_ctrl_c_before_the_search_leaves_nothing(terminal: Start, tmp_path: Path) -> None:
    search = terminal("search", "iris", "--trials", "1", *OPTIONS)
    search.wait_for("Reading the data")
    search.press(CTRL_C)
    assert search.end() == 130
    assert "Stopped before the search began" in search.text and "Traceback" not in search.text
    assert not (tmp_path / "run").exists()
