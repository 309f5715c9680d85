"""Nearly the same data is recognised whatever it is called and however it is written, other data is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from archwise.tasks.load import make_task
from archwise.tasks.sketch import NUMBERS, SAME, overlap
from archwise.tasks.task import Task

Make = Callable[..., Task]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda *data, **options: make_task(*data, folder=tmp_path / str(len(list(tmp_path.iterdir()))), **options)


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    names = ("wine-quality-red", "wine-quality-white", "bank", "energy-y1", "energy-y2", "tic-tac-toe", "monks-1")
    with np.load(shared_data / "sets" / "uci_tabular.npz") as stored:
        return {name: (stored[f"{name}/X"], stored[f"{name}/y"]) for name in names}


def common(first: Task, second: Task, **options: Any) -> float:
    value = overlap(first.sketch, second.sketch, **options)
    assert value == overlap(second.sketch, first.sketch, **options)
    return value


@pytest.mark.parametrize("name", ["wine-quality-red", "bank", "tic-tac-toe"])
def test_the_same_table_in_other_forms(name: str, tables: dict[str, Any], make: Make, tmp_path: Path) -> None:
    x, y = tables[name]
    rng = np.random.default_rng(0)
    task = make((x, y), name="first")
    order = rng.permutation(len(x))
    part = order[: int(0.8 * len(x))]
    changed = x.copy()
    changed[order[: len(x) // 10], 0] += 1
    extra = rng.normal(size=(len(x) // 5, x.shape[1]))
    assert common(task, make((x[order], y[order]), name="second", seed=7)) == 1
    assert common(task, make((x[part], y[part]))) > 0.99
    assert common(task, make((np.concatenate([x, extra]), np.concatenate([y, y[: len(extra)]])))) > 0.99
    assert 0.8 < common(task, make((changed, y))) < 0.99
    assert 0.4 < common(task, make((np.where(np.arange(len(x))[:, None] % 2, x, x + 0.37), y))) < 0.6
    assert common(task, make((x.astype(np.float64), y.astype(float)))) == 1


def test_the_same_table_with_other_columns_names_and_types(tables: dict[str, Any], make: Make, tmp_path: Path) -> None:
    x, y = tables["wine-quality-red"]
    task = make((x, y))
    frame = pd.DataFrame(x[:, ::-1].astype(np.float64), columns=[f"c{j}" for j in range(x.shape[1])])
    frame["grade"] = y
    frame.sample(frac=0.7, random_state=0).to_csv(tmp_path / "copy.csv", float_format="%.7g")  # with row numbers
    assert common(task, make(tmp_path / "copy.csv", "grade")) > 0.9
    # Rows that the order of their columns alone tells apart are compared in that order.
    x, y = tables["monks-1"]
    assert common(make((x, y)), make((x[:, ::-1], y))) == 0


def test_words_numbers_and_gaps(make: Make) -> None:
    rng = np.random.default_rng(1)
    words = np.array(["red", "green", "blue", ""])[rng.integers(4, size=300)]
    frame = pd.DataFrame({"size": rng.normal(size=300), "colour": words, "age": rng.integers(90, size=300)})
    frame.loc[::7, "size"] = np.nan
    y = pd.Series(rng.integers(2, size=300), name="y")
    task = make((frame, y))
    renamed = frame[["age", "colour", "size"]].set_axis(["a", "b", "c"], axis=1)
    assert common(task, make((renamed.assign(a=renamed["a"].astype(str)), y))) == 1
    assert common(task, make((renamed.assign(b=renamed["b"].replace("red", "rot")), y))) < 0.9
    assert common(task, make((renamed, 1 - y))) == 0


def test_another_target_for_the_same_inputs(tables: dict[str, Any], make: Make) -> None:
    first, second = make(tables["energy-y1"]), make(tables["energy-y2"])
    assert common(first, second, targets=False) == 1 and common(first, second) < 0.9
    x, y = tables["bank"]
    renamed = make((x, np.where(y == 1, "yes", "no")))
    assert common(make((x, y)), renamed) == 0 and common(make((x, y)), renamed, targets=False) == 1


def test_other_tables_are_not_recognised(tables: dict[str, Any], make: Make) -> None:
    made = [make(tables[name]) for name in ("wine-quality-red", "wine-quality-white", "bank", "tic-tac-toe", "monks-1")]
    made += [make(name) for name in ("iris", "wine", "diabetes", "breast-cancer")]
    for i, first in enumerate(made):
        assert common(first, first) == 1
        assert all(common(first, second, targets=False) == 0 for second in made[:i])


def test_images_scaled_turned_and_cut_out(shared_data: Path, make: Make) -> None:
    with np.load(shared_data / "sets" / "mnist.npz") as stored:
        x, y = stored["x_train"][:3000], stored["y_train"][:3000]
        others = make((stored["x_test"][:1500], stored["y_test"][:1500]))
    task = make((x, y))
    assert common(task, make(((x[1000:2000] / 255).astype(np.float32), y[1000:2000]))) > 0.95
    assert common(task, make((x[..., None].astype(np.float64), y))) > 0.95
    assert common(task, make((x[:1000].reshape(1000, -1), y[:1000]))) > 0.95
    assert common(task, others, targets=False) < 0.05 < SAME
    colour = np.stack([x, x[::-1], 255 - x], axis=-1)[:500]
    assert common(make((colour, y[:500])), make((np.moveaxis(colour, -1, 1), y[:500]), seed=2)) > 0.95


def test_series(shared_data: Path, make: Make) -> None:
    with np.load(shared_data / "sets" / "timeseries_classification.npz") as stored:
        x, y = stored["JapaneseVowels/X"], stored["JapaneseVowels/y"]
        power = make((stored["ItalyPowerDemand/X"], stored["ItalyPowerDemand/y"]))
        arrows = make((stored["ArrowHead/X"], stored["ArrowHead/y"]))
    task = make((x, y))
    assert common(task, make((3 * x[::2, ::-1].astype(np.float64) + 1, y[::2]))) > 0.95
    assert common(task, power, targets=False) == common(task, arrows, targets=False) == 0


def test_what_is_kept(make: Make) -> None:
    task = make("digits")
    assert task.sketch is not None and len(task.sketch) <= 3 * NUMBERS
    assert all(0 <= number < 2**52 for number in task.sketch) and Task.load(task.folder) == task
    path = task.folder / "task.json"
    content = json.loads(path.read_text())
    del content["sketch"]
    path.write_text(json.dumps(content))
    older = Task.load(task.folder)
    assert older.sketch is None and overlap(older.sketch, task.sketch) == 0
    assert overlap([2**64 - 1, -(2**63)], task.sketch) == 0


def test_rows_that_are_types_identify_nothing(make: Make) -> None:
    x = np.random.default_rng(0).integers(2, size=(500, 4))
    assert make((x, x[:, 0] ^ x[:, 1])).sketch == ()
