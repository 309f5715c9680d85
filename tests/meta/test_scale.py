"""What a new search reads of a large experience: what it is shown, and hardly more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmarks.experience_scale import fill, mlp_space, task_record
from sqlalchemy import Row, event

from archwise.experience import Experience, past
from archwise.meta.recall import FEWER, NEAREST, TRIALS, past_tasks, recall

TASKS, SEARCHES, EACH = 50, 2, 100


@pytest.mark.slow
def test_recalling_reads_what_is_shown_and_hardly_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = mlp_space()
    fill(tmp_path / "experience.sqlite", space, TASKS, SEARCHES, EACH, different=300)
    shown = NEAREST * TRIALS + (TASKS - NEAREST) * FEWER
    assert shown < TASKS * SEARCHES * EACH / 3
    rows = 0
    fetch = past._rows

    def counted(memory: Experience, statement: Any) -> Sequence[Row[Any]]:
        nonlocal rows
        found = fetch(memory, statement)
        rows += len(found)
        return found

    monkeypatch.setattr(past, "_rows", counted)
    statements: list[tuple[str, Any]] = []
    with Experience(tmp_path / "experience.sqlite") as memory:
        event.listen(
            memory.database._engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3]))
        )
        recalled = recall(memory, task_record(TASKS), space)
        assert rows < TASKS * SEARCHES + shown + 100, "a row for each search and each trial that is shown"
        of_recall = [given for given in statements if not given[0].startswith(("BEGIN", "COMMIT"))]
        assert len(of_recall) < TASKS + 20, "one question for each past task"
        [outlining] = {statement for statement, _ in of_recall if "row_number" in statement}
        given = next(parameters for statement, parameters in of_recall if statement == outlining)
        with memory.database._engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {outlining}", given).all()
        lines = [line.detail for line in plan if "trial" in line.detail and "search_id" in line.detail]
        assert lines and all("COVERING INDEX trial_outline" in line for line in lines), "no trial's record is read"
        rows = 0
        found = past_tasks(memory, recalled, space)
    assert [len(task.trials) for task in found] == [TRIALS] * NEAREST + [FEWER] * (TASKS - NEAREST)
    assert rows == shown
