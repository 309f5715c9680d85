"""How strategies stand on a table, and the page and the picture of it."""

from __future__ import annotations

import xml.dom.minidom
from dataclasses import replace

import numpy as np
import pytest

from archwise.bench.curves import Change
from archwise.bench.figure import drawn, regret_figure
from archwise.bench.page import BEGIN, END, benchmark_section, with_section
from archwise.bench.results import Run
from archwise.bench.standing import standings
from archwise.errors import DataError


def run(strategy: str, task: str, seed: int, regret: float, table: str = "small") -> Run:
    """Return a run whose regret halves at the evaluation 31."""
    changes = (Change(1, 120.0, regret), Change(31, 1800.0, regret / 2))
    return Run(table, "abc", task, strategy, seed, "archwise 0.1", "", 1, 100, changes, 2.0, None, 0.004)


RUNS = [
    *(run("random", task, seed, 0.4 + 0.2 * seed) for task in ("up", "down") for seed in range(2)),
    *(run("good", task, seed, 0.1 + 0.02 * seed) for task in ("up", "down") for seed in range(2)),
    *(run("mixed", "up", seed, 0.1 + 0.2 * seed) for seed in range(2)),
    *(run("mixed", "down", seed, 0.8 + 0.2 * seed) for seed in range(2)),
]


def test_tasks_are_averaged_before_the_error_over_seeds() -> None:
    found = standings(RUNS)["small"]
    assert list(found) == ["good", "random", "mixed"]
    assert found["random"].course.area == pytest.approx(0.5 * 0.75)
    assert found["random"].course.area_error == pytest.approx(0.1 * 0.75)
    assert found["random"].course.curve[[0, 29, 30]] == pytest.approx([0.5, 0.5, 0.25])
    assert found["random"].course.errors[[0, 30]] == pytest.approx([0.1, 0.05])
    assert (found["good"].to_10_percent, found["good"].to_1_percent, found["random"].to_10_percent) == (
        16.0,
        None,
        None,
    )


def test_the_worst_task_is_that_of_the_largest_gap_to_random_search() -> None:
    found = standings(RUNS)["small"]
    assert found["mixed"].worst_task == "down"
    assert found["mixed"].worst_errors == pytest.approx(0.4 * 0.75 / np.hypot(0.075, 0.075))
    assert found["good"].worst_errors is not None and found["good"].worst_errors < -3
    assert found["random"].worst_task is None
    assert standings([r for r in RUNS if r.strategy != "random"])["small"]["mixed"].worst_errors is None


def test_who_did_not_run_everywhere_with_all_seeds_has_no_standing() -> None:
    more = [run("late", "up", seed, 0.1) for seed in range(2)] + [run("rare", t, 0, 0.1) for t in ("up", "down")]
    assert set(standings([*RUNS, *more])["small"]) == {"random", "good", "mixed"}
    [alone] = standings([run("random", "up", 0, 0.4)])["small"].values()
    assert np.isnan(alone.course.area_error) and alone.seeds == 1


def test_the_page_says_what_was_measured_and_how() -> None:
    section = benchmark_section(RUNS, "archwise bench --seeds 2", "curves.svg")
    assert "`archwise bench --seeds 2`" in section and "(curves.svg)" in section and "archwise 0.1." in section
    assert "| good | 0.082 ± 0.007 | 0.110 | 0.110 | 0.055 | 0.055 | 16 | – | 4.0 | -3.9 (up) |" in section
    assert "+2.8 (down) |" in section
    assert section.index("| good | 1.00 |") < section.index("| random | 2.50 |")


def test_the_page_and_the_figure_have_a_part_over_time_where_there_are_times() -> None:
    timed = [replace(r, table="timed", training_seconds=60.0, simulated_workers=4, drawn=1.0) for r in RUNS]
    section = benchmark_section([*RUNS, *timed], "archwise bench")
    assert (
        section.count("Over simulated time") == 1
        and "4 workers together could have done N of a task's average trainings (15\xa0s each)" in section
    )
    # A random draw's regret for 7 quarters of a minute, then the incumbent's.
    assert f"| good | {(7 * 1 + 53 * 0.11) / 60:.3f} ± " in section
    texts = regret_figure(standings([*RUNS, *timed]))
    assert texts.count("evaluations</text>") == 2 and texts.count("time of average trainings</text>") == 1


def test_the_page_is_written_anew_between_its_marks_alone() -> None:
    page = "# Measured\n\nby hand\n"
    first = with_section(page, "old tables")
    assert first.startswith(page.rstrip()) and first.index(BEGIN) < first.index("old tables") < first.index(END)
    second = with_section(first + "\nmore by hand\n", "new tables")
    assert "old tables" not in second and second.count(BEGIN) == second.count(END) == 1
    assert second.startswith("# Measured\n\nby hand\n") and second.endswith("\nmore by hand\n")
    for broken in (f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n"):
        with pytest.raises(DataError, match="or neither"):
            with_section(broken, "new")


def test_of_many_strategies_the_best_and_random_search_are_drawn() -> None:
    many = [replace(run, strategy=f"good {i}") for i in range(12) for run in RUNS if run.strategy == "good"]
    by_table = standings([*RUNS, *many])
    assert drawn(standings(RUNS)) == sorted(
        {run.strategy for run in RUNS}, key=lambda s: by_table["small"][s].course.area
    )
    assert len(drawn(by_table)) == 10 and drawn(by_table)[-1] == "random"
    assert ">good 3<" in regret_figure(by_table) and ">mixed<" not in regret_figure(by_table)
    assert "has 10 strategies: those of the smallest mean areas, and random search." in benchmark_section(
        [*RUNS, *many], "archwise bench", "few.svg"
    )
    assert "The figure has" not in benchmark_section(RUNS, "archwise bench", "all.svg")


def test_the_figure_has_a_panel_a_table_a_curve_a_strategy_and_a_band() -> None:
    others = [replace(r, table="a < b", strategy="smac" if r.strategy == "mixed" else r.strategy) for r in RUNS]
    drawing = xml.dom.minidom.parseString(regret_figure(standings([*RUNS, *others])))
    paths = drawing.getElementsByTagName("path")
    of_class = {name: [p for p in paths if p.getAttribute("class") == name] for name in ("curve", "band", "grid")}
    assert len(of_class["curve"]) == 6 + 4 and len(of_class["band"]) == 6
    texts = [node.firstChild.data for node in drawing.getElementsByTagName("text")]
    assert {"small", "a < b", "good", "random", "mixed", "smac", "evaluations"} <= set(texts)
    assert {p.getAttribute("stroke-dasharray") for p in of_class["curve"]} == {"", "5 3"}
    good = next(p for p in of_class["curve"] if p.getElementsByTagName("title")[0].firstChild.data == "good")
    points = [tuple(map(float, pair.split())) for pair in good.getAttribute("d")[1:].split("L")]
    assert len(points) == 100 and points[0][0] == 52
    assert points[29][1] < points[30][1], "less regret is further down"
    above = next(p for p in of_class["curve"] if p.getElementsByTagName("title")[0].firstChild.data == "random")
    assert float(above.getAttribute("d")[1:].split("L")[0].split()[1]) < points[0][1]
