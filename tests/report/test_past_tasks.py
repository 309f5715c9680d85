"""The report's section on what past tasks were worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archwise.report import write_report
from archwise.report.past_tasks import belief_words, saving_words

from .reading import read_page, table_figures

Builder = Callable[..., Path]
HEADING = "What past tasks were worth"
AFTER = [0, 5, 10, 20, 23]


def past(name: str, share: float, change: float = 1.0, same: float = 0.0) -> dict[str, Any]:
    """Return what is told of a past task whose share changes by a factor from one look to the next."""
    shares = [share * change**place for place in range(len(AFTER))]
    facts = {"name": name, "trials": 90, "reliability": 0.8, "proposed": 4, "share": shares}
    return facts | {"weight": [1.5 * value for value in shares], "deviation": [0.3] * len(AFTER)}


def told(*tasks: dict[str, Any], more: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the account of a search that knew some past tasks, and more that are not listed."""
    rest = [0.01 * more] * len(AFTER)
    shares = [sum(values) for values in zip(rest, *(task["share"] for task in tasks), strict=True)]
    facts: dict[str, Any] = {"fidelity": 1.0, "trials": 23, "unused": [], "after": AFTER, "tasks": list(tasks)}
    facts |= {"others": {"count": more, "share": rest}, "none": [1 - share for share in shares]}
    facts |= {"guard": [0.7, 0.7, 0.75, 0.8, 0.85], "saving": {"found_after": 4, "needed": [9, 30, 12], "most": 40}}
    facts["origins"] = {
        "transfer": {"proposals": 18, "improvements": 3},
        "the default": {"proposals": 1, "improvements": 0},
        "from scratch": {"proposals": 4, "improvements": 1},
    }
    return facts | changes


@pytest.fixture
def report(make_run: Builder) -> Callable[..., Path]:
    """A function that writes the report of a search with an account, and what it recalled."""

    def write(account: dict[str, Any], recalled: list[dict[str, Any]] | None = None) -> Path:
        run = make_run(trials=10)
        for name, change in (("metrics", {"transfer": account}), ("run", {"recalled": recalled or []})):
            path = run / f"{name}.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | change))
        return write_report(run)

    return write


def section(path: Path) -> Any:
    [found] = [s for s in read_page(path).all("section") if any(h.text == HEADING for h in s.all("h2"))]
    return found


def words(element: Any) -> str:
    return str(element.text).replace("\N{NO-BREAK SPACE}", " ")


def test_figures_are_those_of_the_account(report: Callable[..., Path]) -> None:
    account = told(past("iris", 0.6, 1.1), past("wine", 0.3, 0.5))
    path = report(account, [{"task": "wine", "same_data": 0.4, "searches": {"a": [1]}}])
    rows = table_figures(read_page(path), HEADING)
    for row, task in zip(rows, account["tasks"], strict=True):
        share, weight = task["share"], task["weight"]
        assert row == [90, 0.8, share[0], share[-1], weight[0], weight[-1]]
    text = words(section(path))
    for said in (
        "90 % of what the model expected of architectures rested on past tasks (iris 88 %, wine 2 %)",
        "18 candidates came from transfer (3 better than all before), 1 candidate came from the space's default",
        "The guard gives transfer 85 % of the candidates that would come next, after 70 % at the start.",
        "Estimate: a search from scratch would have needed 12 trials (between 9 and 30 in 3 simulations)",
        "Same data",
        "40 %",
    ):
        assert said in text, said


def test_past_tasks_that_were_left_aside_are_told(report: Callable[..., Path]) -> None:
    text = words(section(report(told(past("iris", 0.6), left_aside=12))))
    assert "Past tasks were left aside for 12 candidates, as scores were far likelier without them." in text
    assert "At the end, 60 %" in text
    ended = words(section(report(told(past("iris", 0.6), left_aside=12, aside=[False] * 4 + [True]))))
    assert "At the end, past tasks were left aside" in ended
    for nothing in ({}, {"left_aside": 0}):
        assert "left aside" not in words(section(report(told(past("iris", 0.6), **nothing))))


def test_past_tasks_of_one_name_have_figures_of_their_own(report: Callable[..., Path]) -> None:
    entries = [
        {"task": "iris", "label": label, "same_data": same, "searches": {}}
        for label, same in (("iris (1 pass)", 0.2), ("iris (2 passes)", 0.4))
    ]
    account = told(past("iris (2 passes)", 0.6), unused=["iris (1 pass)"])
    text = words(section(report(account, entries)))
    assert "(iris (2 passes) 60 %)" in text and "Nothing reliable came from iris (1 pass)." in text
    [row] = section(report(account, entries)).all("tbody")[0].all("tr")
    assert words(row).endswith("40 %")


def test_the_bands_are_as_high_as_the_shares(report: Callable[..., Path]) -> None:
    def heights(account: dict[str, Any]) -> list[float]:
        found = []
        for path in section(report(account)).all("svg")[0].all("path"):
            points = path.attributes["d"].strip("MZ").split("L")
            tops, bottoms = points[: len(AFTER)], points[len(AFTER) :][::-1]
            assert [point.split()[0] for point in tops] == [point.split()[0] for point in bottoms]
            found.append(float(bottoms[-1].split()[1]) - float(tops[-1].split()[1]))
        return found

    account = told(past("iris", 0.6), past("wine", 0.25), more=5)
    high = heights(account)
    assert [height / sum(high) for height in high] == pytest.approx([0.6, 0.25, 0.05, 0.1], abs=0.01)
    many = told(*(past(f"task {number}", 0.03) for number in range(30)), more=3)
    assert len(heights(many)) == 8, "six past tasks, the others, and none of them"


def test_no_more_than_were_told_of_are_listed(report: Callable[..., Path]) -> None:
    found = section(report(told(*(past(f"task {number}", 0.03) for number in range(30)), more=3)))
    assert len(found.all("tbody")[0].all("tr")) == 30
    assert "3 past tasks believed less are not listed" in words(found)
    assert "task 2 3 % and 30 others" in words(found)


def test_names_are_text(report: Callable[..., Path]) -> None:
    hostile = "<script>alert(1)</script>"
    found = section(report(told(past(hostile, 0.9), unused=[f"{hostile} too"])))
    assert not found.all("script")
    assert words(found).count(hostile) >= 4, "in the sentences, the picture's key, and the table"


def test_a_search_that_believed_nobody_says_so(report: Callable[..., Path]) -> None:
    account = told(unused=["noise", "more noise"])
    for name in ("others", "none", "guard", "saving"):
        del account[name]
    account["after"] = []
    found = section(report(account))
    assert "No past task said anything reliable about this space (noise, more noise: " in words(found)
    assert not found.all("table") and not found.all("svg")


def test_part_of_the_training_is_said(report: Callable[..., Path]) -> None:
    text = words(section(report(told(past("iris", 0.6), fidelity=1 / 9))))
    assert "Counted are the 23 candidates that began with 11.1 % of a full training" in text


@pytest.mark.parametrize(
    ("saving", "said"),
    [
        ({"found_after": 20, "needed": [12, 14, 19], "most": 40}, "so past tasks seem to have saved nothing"),
        ({"found_after": 9, "needed": [5, 14, 19], "most": 40}, "the saving is uncertain"),
        ({"found_after": 9, "needed": [None, None], "most": 40}, "more than 40 trials (in each of 2 simulations)"),
        ({"found_after": 1, "needed": [7], "most": 40}, "7 trials (in 1 simulation) to find what this one found after"),
        ({"reason": "fewer than 5 trials finished"}, "could not be estimated: fewer than 5 trials finished"),
    ],
)
def test_what_was_saved_is_told_as_it_is(saving: dict[str, Any], said: str) -> None:
    text = saving_words({"saving": saving})
    assert said in text
    assert "stimate" in text, "whatever is said is an estimate"


def test_little_belief_is_not_told_as_none() -> None:
    assert "iris under 1" in belief_words(told(past("iris", 0.004)))
    assert "iris 0" in belief_words(told(past("iris", 0.0)))
