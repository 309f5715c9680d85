"""A small benchmark table, and the real ones where they are at hand."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from archwise.evaluators.table import Table, TableDecision


def small_table(name: str = "small", seed: int = 0) -> Table:
    """Return a table of three choices and two tasks, the second with gaps and with scores turned round."""
    decisions = (
        TableDecision("width", (8, 16, 32, 64)),
        TableDecision("activation", ("relu", "tanh", "gelu")),
        TableDecision("rate", (0.001, 0.01, 0.1)),
    )
    rows = np.array(list(product(*(range(len(d.options)) for d in decisions))), dtype=np.uint16)
    quality = rows @ np.array([3.0, 1.0, -2.0])
    noise = np.random.default_rng(seed).normal(size=(2, len(rows)))
    select = np.stack([quality + 0.1 * noise[0], -quality], axis=1)
    report = np.stack([quality, -quality + 0.1 * noise[1]], axis=1)
    select[5, 1] = np.nan
    cost = np.stack([10.0 + rows[:, 0], 20.0 + rows[:, 0]], axis=1)
    return Table(name, decisions, rows, ("up", "down"), select, report, select - 1, cost)


def write_table(table: Table, path: Path, **changes: object) -> Path:
    """Write a table's file, some arrays changed or (None) left out."""
    arrays = {
        "decisions": '[{"name": "width", "options": [8, 16, 32, 64]}, '
        '{"name": "activation", "options": ["relu", "tanh", "gelu"]}, {"name": "rate", "options": [0.001, 0.01, 0.1]}]',
        "architectures": table.architectures,
        "tasks": np.array(table.tasks),
        "select": table.select,
        "report": table.report,
        "cheap": table.cheap,
        "cost_seconds": table.cost_seconds,
    }
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


@pytest.fixture
def table() -> Table:
    return small_table()


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    return write_table(small_table(), tmp_path / "small.npz")
