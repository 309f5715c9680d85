"""Numbers that describe tasks: the same for the same data, near for related data, and of the training split alone."""

from __future__ import annotations

import json
import math
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from archwise.meta.similarity import similarity
from archwise.signature import Signature
from archwise.tasks.descriptor import describe, describe_task
from archwise.tasks.load import make_task
from archwise.tasks.task import Task

Make = Callable[..., Task]
PAIRS = (
    ("wine-quality-red", "wine-quality-white"),
    ("energy-y1", "energy-y2"),
    ("monks-1", "monks-3"),
    ("waveform", "waveform-noise"),
    ("pendigits half", "pendigits other half"),
    ("bank half", "bank other half"),
    ("mnist half", "mnist other half"),
    ("fashion_mnist half", "fashion_mnist other half"),
    ("ArrowHead", "GunPoint"),
)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    return lambda *data, **options: make_task(*data, folder=tmp_path_factory.mktemp("task"), **options)


@pytest.fixture(scope="module")
def described(shared_data: Path, make: Make) -> dict[str, dict[str, float]]:
    """Descriptors of tasks, related ones and others."""
    data: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    with np.load(shared_data / "sets" / "uci_tabular.npz") as stored:
        for name in (*(name for pair in PAIRS[:4] for name in pair), "pendigits", "bank", "spambase", "mushroom"):
            data[name] = stored[f"{name}/X"], stored[f"{name}/y"]
    with np.load(shared_data / "sets" / "timeseries_classification.npz") as stored:
        for name in ("ArrowHead", "GunPoint", "JapaneseVowels"):
            data[name] = stored[f"{name}/X"], stored[f"{name}/y"]
    for name in ("mnist", "fashion_mnist"):
        with np.load(shared_data / "sets" / f"{name}.npz") as stored:
            data[name] = stored["x_test"][:3000], stored["y_test"][:3000]
    for name in ("pendigits", "bank", "mnist", "fashion_mnist"):
        x, y = data.pop(name)
        first = np.random.default_rng(0).permutation(len(x)) < len(x) / 2
        data |= {f"{name} half": (x[first], y[first]), f"{name} other half": (x[~first], y[~first])}
    return {name: describe_task(make(arrays)) for name, arrays in data.items()}


@pytest.mark.parametrize("pair", PAIRS)
def test_related_tasks_are_nearest(pair: tuple[str, str], described: dict[str, dict[str, float]]) -> None:
    for name, relative in (pair, pair[::-1]):
        others = [other for other in described if other != name]
        weights = similarity(described[name], [described[other] for other in others])
        assert others[int(weights.argmax())] == relative


def test_kinds_lie_apart(described: dict[str, dict[str, float]]) -> None:
    names = [name for name in described if name not in ("mnist half", "mnist other half")]
    weights = dict(zip(names, similarity(described["mnist half"], [described[name] for name in names]), strict=True))
    images = [weights.pop(name) for name in ("fashion_mnist half", "fashion_mnist other half")]
    assert min(images) > max(weights.values())


@pytest.mark.parametrize("name", ["iris", "diabetes", "digits"])
def test_same_data_same_numbers(name: str, make: Make, tmp_path: Path) -> None:
    task = make(name)
    x, y = task.arrays("train")
    options: dict[str, Any] = {"signature": task.signature, "regression": task.problem == "regression"}
    numbers = describe(x, y, **options)
    order = np.random.default_rng(0).permutation(len(y))
    assert describe(x[order], y[order], **options) == numbers
    assert all(isinstance(value, float) and math.isfinite(value) for value in numbers.values())
    spoilt = describe(x, y[order], **options)
    assert spoilt["encoded_ridge"] < numbers["encoded_ridge"] - 0.3
    assert spoilt["plain_neighbour"] < numbers["plain_neighbour"] - 0.3
    assert spoilt["encoded_scatter"] < numbers["encoded_scatter"] / 2


def test_only_the_training_split_is_read_and_once(make: Make) -> None:
    task = make("wine")
    for split in ("x_validation", "y_validation", "sealed/x_test", "sealed/y_test"):
        (task.folder / f"{split}.npy").unlink()
    numbers = describe_task(task)
    (task.folder / "x_train.npy").unlink()
    assert describe_task(task) == numbers
    moved = shutil.copytree(task.folder, task.folder.parent / "moved")
    assert describe_task(Task.load(moved)) == numbers


def test_what_was_kept_is_made_again_where_it_is_spoilt_or_of_another_version(make: Make) -> None:
    task = make("wine")
    numbers = describe_task(task)
    path = task.folder / "descriptor.json"
    kept = json.loads(path.read_text())
    for content in ("{", "[]", json.dumps(kept | {"version": 0, "numbers": {"a": 1.0}})):
        path.write_text(content)
        assert describe_task(task) == numbers
        assert json.loads(path.read_text()) == kept


def test_what_the_numbers_say(make: Make) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=400), "b": rng.exponential(size=400), "c": rng.choice(["x", "y", "z"], size=400)}
    )
    frame.loc[::5, "a"] = np.nan
    y = pd.Series((frame["b"] > 2).astype(int), name="y")
    numbers = describe_task(make((frame, y)))
    assert numbers["gap_columns"] == pytest.approx(1 / 3) and numbers["word_columns"] == pytest.approx(1 / 3)
    assert numbers["largest_class"] == pytest.approx((y == 0).mean(), abs=0.02) and numbers["is_table"] == 1
    assert numbers["target_link_most"] > 0.5 > numbers["target_link"]
    straight = describe_task(make((rng.normal(size=(300, 5)), np.arange(300) / 7)))
    assert straight["is_regression"] == 1 and straight["target_different"] == 1 and straight["plain_ridge"] < 0.2
    x = rng.normal(size=(300, 5))
    linear = describe_task(make((x, x @ [1, 2, 3, 4, 5.0])))
    assert linear["plain_ridge"] > 0.99 and 0.5 < linear["plain_neighbour"] < 1
    ring = describe_task(make((x[:, :2], np.linalg.norm(x[:, :2], axis=1) > 1.2)))
    assert ring["encoded_ridge"] > 0.7 > 0.2 > ring["plain_ridge"]
    smooth, rough = (describe_task(make((s[:, None], rng.integers(2, size=200)))) for s in _series(rng))
    assert smooth["smoothness"] > 0.9 > 0.1 > rough["smoothness"] and smooth["plain_rank"] < rough["plain_rank"]


def _series(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    steps = rng.normal(size=(200, 64))
    return steps.cumsum(axis=1), steps


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((1,), 3), ((2000,), 4), ((1, 1), 5), ((1, 7), 40), ((3, 1, 1), 9), ((1, 2, 90), 9), ((40, 3), 30)],
)
@pytest.mark.parametrize("regression", [True, False])
def test_odd_shapes(shape: tuple[int, ...], rows: int, regression: bool) -> None:
    rng = np.random.default_rng(0)
    signature = Signature(shape, 1 if regression else 3, {1: "table", 2: "series", 3: "image"}[len(shape)])  # type: ignore[arg-type]
    x = rng.normal(size=(rows, *shape)).astype(np.float32)
    y = rng.normal(size=rows).astype(np.float32) if regression else rng.integers(2, size=rows)
    warnings.simplefilter("error")
    for inputs, targets in ((x, y), (np.zeros_like(x), y), (x, np.zeros_like(y)), (x * np.float32(1e9), y)):
        numbers = describe(inputs, targets, signature, regression=regression)
        assert all(math.isfinite(value) for value in numbers.values()) and "encoded_ridge" in numbers


def test_large_data_takes_about_a_second(tmp_path: Path) -> None:
    """Half a gigabyte of images, memory-mapped, of which little is read."""
    path = tmp_path / "x.npy"
    x = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(3000, 3, 112, 112))
    x[::50] = np.random.default_rng(0).normal(size=(60, 3, 112, 112))
    begun = time.perf_counter()
    numbers = describe(x, np.arange(3000) % 5, Signature((3, 112, 112), 5, "image"), regression=False)
    assert time.perf_counter() - begun < 10 and numbers["log_rows"] == pytest.approx(np.log2(3000))
