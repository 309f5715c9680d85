"""Every form of data becomes a task: what is recognised, what is split, what is written."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression, Ridge

from archwise.errors import DataError
from archwise.signature import Signature
from archwise.tasks.load import make_task
from archwise.tasks.preprocessing import preprocess
from archwise.tasks.task import Task


@pytest.fixture(scope="session")
def tables(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    with zipfile.ZipFile(shared_data / "sets" / "tabular_csv.zip") as archive:
        archive.extractall(folder)
    return folder


def score_of_a_linear_model(task: Task) -> float:
    x, y = task.arrays("train")
    x_test, y_test = task.open_test()
    model = Ridge() if task.problem == "regression" else LogisticRegression(max_iter=2000)
    return float(model.fit(x.reshape(len(x), -1), y).score(x_test.reshape(len(x_test), -1), y_test))


@pytest.mark.parametrize(
    ("name", "signature", "problem", "classes", "at_least"),
    [
        ("digits", Signature((1, 8, 8), 10, "image"), "multiclass", tuple(range(10)), 0.94),
        ("iris", Signature((4,), 3, "table"), "multiclass", ("setosa", "versicolor", "virginica"), 0.85),
        ("wine", Signature((13,), 3, "table"), "multiclass", ("class_0", "class_1", "class_2"), 0.9),
        ("breast-cancer", Signature((30,), 2, "table"), "binary", ("benign", "malignant"), 0.93),
        ("diabetes", Signature((10,), 1, "table"), "regression", (), 0.3),
    ],
)
def test_bundled_sets(
    tmp_path: Path, name: str, signature: Signature, problem: str, classes: tuple[str, ...], at_least: float
) -> None:
    task = make_task(name, folder=tmp_path / "task")
    assert (task.name, task.signature, task.problem, task.classes) == (name, signature, problem, classes)
    assert score_of_a_linear_model(task) > at_least
    rows = sum(task.sizes.values())
    assert task.sizes["test"] == pytest.approx(0.2 * rows, abs=1)
    assert task.sizes["validation"] == pytest.approx(0.16 * rows, abs=1)
    for split in ("train", "validation"):
        x, y = task.arrays(split)
        assert x.shape == (task.sizes[split], *signature.input) and y.shape == (len(x),)
        assert x.dtype == np.float32 and y.dtype == (np.int64 if classes else np.float32)
        assert np.isfinite(x).all()
    if not classes:
        assert y.mean() != 0 and abs(task.arrays("train")[1].mean()) < 1e-4  # standardised by the training split
        assert task.arrays("train")[1].std() == pytest.approx(1, abs=1e-4)
        assert (task.target_mean, task.target_scale) != (0, 1) and task.objective == "rmse"
    assert any(note.startswith(("Classification", "Regression")) for note in task.notes)
    assert Task.load(task.folder) == task


def test_a_task_lists_its_rows_and_every_row_is_in_one_split(tmp_path: Path) -> None:
    task = make_task("digits", folder=tmp_path / "task")
    rows = np.load(task.folder / "splits.npz")
    assert sorted(np.concatenate([rows[name] for name in rows.files])) == list(range(1797))
    images, labels = load_digits(return_X_y=True)
    x, y = task.arrays("train")
    assert (labels[rows["train"]] == y).all()
    raw = images[rows["train"]]
    np.testing.assert_allclose(x.reshape(len(x), -1), (raw - raw.mean()) / raw.std(), atol=1e-4)
    np.testing.assert_array_equal(task.open_test()[1], labels[rows["test"]])


def test_adult_with_its_own_test_split_and_question_marks(tables: Path, tmp_path: Path) -> None:
    task = make_task(tables / "adult.csv", "income", folder=tmp_path / "task")
    assert (task.problem, task.classes, task.target) == ("binary", ("<=50K", ">50K"), "income")
    assert (task.sizes["train"] + task.sizes["validation"], task.sizes["test"]) == (32561, 16281)
    assert task.imbalanced and task.objective == "balanced_accuracy" and "imbalanced" in " ".join(task.notes)
    columns = json.loads((task.folder / "preprocessing.json").read_text())["columns"]
    kinds = {column["name"]: column["type"] for column in columns}
    assert kinds["age"] == "number" and kinds["education"] == "words" and "is_test" not in kinds
    workclass = next(column for column in columns if column["name"] == "workclass")
    assert workclass["missing"] and "?" not in workclass["levels"]
    assert score_of_a_linear_model(task) > 0.84


@pytest.mark.parametrize(
    ("name", "target", "problem", "classes"),
    [
        ("german_credit", "20", "binary", 2),
        ("soybean", "class", "multiclass", 19),
        ("vote", "Class", "binary", 2),
        ("wine_white", "11", "multiclass", 7),
        ("segment_test", "class", "multiclass", 7),
        ("labor", "class", "binary", 2),
        ("abalone_reg", "8", "regression", 0),
        ("housing_reg", "13", "regression", 0),
        ("reg_cpu", "class", "regression", 0),
        ("reg_quake", "richter", "regression", 0),
        ("reg_lowbwt", "class", "regression", 0),
    ],
)
def test_real_tables(tables: Path, tmp_path: Path, name: str, target: str, problem: str, classes: int) -> None:
    task = make_task(tables / f"{name}.csv", target, folder=tmp_path / "task")
    assert (task.name, task.problem, len(task.classes)) == (name, problem, classes)
    x, y = task.arrays("train")
    assert np.isfinite(x).all() and np.abs(x).max() < 15 and np.abs(x).sum(axis=0).min() > 0
    if classes:
        assert task.class_counts == tuple(np.bincount(y))
        assert all(set(part) == set(range(classes)) for part in (y, task.arrays("validation")[1], task.open_test()[1]))


def test_a_column_without_values_can_be_ignored_and_classes_with_two_rows_removed(tables: Path, tmp_path: Path) -> None:
    table = pd.read_csv(tables / "hypothyroid.csv")
    with pytest.raises(DataError, match="Column 'TBG' has no value in any row: leave it out with --ignore TBG"):
        make_task(table, "Class", folder=tmp_path / "task")
    with pytest.raises(DataError, match="Class 'secondary_hypothyroid' of the target 'Class' has 2 rows"):
        make_task(table, "Class", folder=tmp_path / "task", ignore=["TBG"])
    table = table[table.Class != "secondary_hypothyroid"]
    task = make_task(table, "Class", folder=tmp_path / "task", ignore=["TBG"])
    assert task.problem == "multiclass" and task.imbalanced


@pytest.mark.slow
def test_fashion_mnist(shared_data: Path, tmp_path: Path) -> None:
    task = make_task(shared_data / "sets" / "fashion_mnist.npz", folder=tmp_path / "task")
    assert task.signature == Signature((1, 28, 28), 10, "image")
    assert task.sizes == {"train": 54000, "validation": 6000, "test": 10000}
    assert task.class_counts == (5400,) * 10 and not task.imbalanced
    x, _ = task.arrays("train")
    assert abs(x.mean(dtype=np.float64)) < 1e-3 and x.std(dtype=np.float64) == pytest.approx(1, abs=1e-3)
    with np.load(shared_data / "sets" / "fashion_mnist.npz") as stored:
        np.testing.assert_array_equal(task.open_test()[1], stored["y_test"])


@pytest.mark.parametrize(
    ("name", "shape", "rows"),
    [("BasicMotions", (6, 100), 40), ("JapaneseVowels", (12, 29), 370), ("GunPoint", (1, 150), 150)],
)
def test_series(shared_data: Path, tmp_path: Path, name: str, shape: tuple[int, ...], rows: int) -> None:
    with np.load(shared_data / "sets" / "timeseries_classification.npz") as stored:
        x, y, is_test = (stored[f"{name}/{part}"] for part in ("X", "y", "is_test"))
    np.savez(tmp_path / "series.npz", x=x, y=y, is_test=is_test)
    task = make_task(tmp_path / "series.npz", folder=tmp_path / "task")
    assert task.signature == Signature(shape, len(np.unique(y)), "series") and task.sizes["test"] == rows
    inside = np.asarray(task.arrays("train")[0])
    padded = np.isnan(x[is_test == 0]).mean()
    assert np.isfinite(inside).all() and (inside == 0).mean() >= 0.9 * padded
    np.testing.assert_allclose(inside.sum(axis=(0, 2)) / 1000, 0, atol=0.01)
    np.testing.assert_array_equal(task.open_test()[1], y[is_test == 1])


def test_uci_tables_as_arrays(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "sets" / "uci_tabular.npz") as stored:
        for name in ("iris", "letter", "musk-1"):
            x, y = stored[f"{name}/X"], stored[f"{name}/y"]
            task = make_task((x, y), folder=tmp_path / name)
            assert task.signature.kind == "table" and len(task.classes) == len(np.unique(y))
            assert task.classes == tuple(np.unique(y).tolist()) and sum(task.sizes.values()) == len(x)


def test_arrays_tensors_frames_and_files_of_the_same_rows_give_the_same_task(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(x, columns=["a", "b", "c", "d"]).assign(kind=y)
    frame.to_csv(tmp_path / "iris.csv", index=False)
    with gzip.open(tmp_path / "iris.tsv.gz", "wt") as file:
        frame.to_csv(file, index=False, sep="\t")
    np.savez(tmp_path / "iris.npz", X=x, Y=y)
    named = [make_task(data, "kind", folder=tmp_path / str(i)) for i, data in enumerate(
        [frame, tmp_path / "iris.csv", str(tmp_path / "iris.tsv.gz")])]  # fmt: skip
    plain = [make_task(data, folder=tmp_path / f"a{i}") for i, data in enumerate(
        [(x, y), (torch.tensor(x), torch.tensor(y)), (x.tolist(), y.tolist()), tmp_path / "iris.npz"])]  # fmt: skip
    for task in [*named, *plain]:
        np.testing.assert_array_equal(task.arrays("train")[0], named[0].arrays("train")[0])
        np.testing.assert_array_equal(task.open_test()[1], named[0].open_test()[1])
        assert task.classes == (0, 1, 2)
    assert len({task.fingerprint for task in named}) == len({task.fingerprint for task in plain}) == 1


def test_four_arrays_keep_their_test_split_and_words_as_labels(tmp_path: Path) -> None:
    images, digits = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype(np.uint8)
    words = np.array(["even", "odd"])[digits % 2]
    task = make_task(
        (images[:1000], words[:1000], images[1000:], words[1000:]), folder=tmp_path / "task", name="parity"
    )
    assert (task.name, task.problem, task.classes) == ("parity", "binary", ("even", "odd"))
    assert task.sizes == {"train": 800, "validation": 200, "test": 797}
    np.testing.assert_array_equal(task.open_test()[1], digits[1000:] % 2)
    np.testing.assert_array_equal(task.open_test()[0], preprocess(images[1000:], task.folder))


def test_frames_apart_from_their_targets(tmp_path: Path) -> None:
    data = load_iris(as_frame=True)
    task = make_task((data.data, data.target == 2), folder=tmp_path / "task")
    assert task.classes == (False, True) and task.imbalanced is False and task.problem == "binary"
    x, y = data.data, data.target
    own = make_task((x[::2], y[::2], x[1::2][x.columns[::-1]], y[1::2]), folder=tmp_path / "own")
    np.testing.assert_array_equal(own.open_test()[0], preprocess(x[1::2], own.folder))


def test_color_images_first_and_last(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (60, 12, 10, 3), dtype=np.uint8)
    labels = np.arange(60) % 3
    last = make_task((images, labels), folder=tmp_path / "last")
    first = make_task((torch.tensor(images).permute(0, 3, 1, 2), labels), folder=tmp_path / "first")
    assert last.signature == first.signature == Signature((3, 12, 10), 3, "image")
    np.testing.assert_allclose(last.arrays("train")[0], first.arrays("train")[0], atol=1e-6)
    channels = np.asarray(last.arrays("train")[0]).transpose(1, 0, 2, 3).reshape(3, -1)
    np.testing.assert_allclose(channels.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(channels.std(axis=1), 1, atol=1e-4)


def test_the_same_seed_splits_the_same_and_another_does_not(tmp_path: Path) -> None:
    one, two, other = (make_task("wine", folder=tmp_path / f"{i}", seed=s) for i, s in enumerate([3, 3, 4]))
    for name in ("x_train.npy", "y_validation.npy", "sealed/x_test.npy", "preprocessing.json", "preprocessing.npz"):
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()
    assert one.fingerprint == other.fingerprint and one.seed != other.seed
    assert not np.array_equal(one.arrays("train")[0], other.arrays("train")[0])


def test_kind_and_problem_and_objective_can_be_chosen(tmp_path: Path) -> None:
    x, y = load_digits(return_X_y=True)
    task = make_task((x, y), folder=tmp_path / "a", kind="series", problem="regression", objective="mae")
    assert (task.signature, task.problem, task.objective) == (Signature((1, 64), 1, "series"), "regression", "mae")
    flat = make_task((x.reshape(-1, 8, 8), y), folder=tmp_path / "b", kind="table")
    assert flat.signature.kind == "table" and 55 < flat.signature.input[0] <= 64
    without = make_task((x, y), folder=tmp_path / "c", ignore=["10", "20"])
    assert without.signature.input[0] < 63 and without.fingerprint != flat.fingerprint


def odd_table(rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(1)
    when = pd.Timestamp("2021-03-01") + pd.to_timedelta(random.integers(0, 900, rows), unit="D")
    size = random.lognormal(3, 2, rows)
    frame = pd.DataFrame(
        {
            "Id": np.arange(rows) + 1000,
            "name": [f"person {i}" for i in range(rows)],
            "colour": random.choice(["red", "green", "blue", ""], rows),
            "member": random.choice(["True", "False"], rows),
            "when": when.strftime("%d/%m/%Y"),
            "size": [f"{v:.2f}" if i % 7 else "?" for i, v in enumerate(size)],
            "same": "x",
            "income": [f"{v:.1f}" if i % 50 else "none" for i, v in enumerate(size * 3)],
        }
    )
    frame["label"] = np.where(size + (frame.colour == "red") * 5 > 20, "large", "small")
    frame.loc[[3, 4], "label"] = ""
    return frame


def test_an_odd_table_is_recognised_and_said(tmp_path: Path) -> None:
    odd_table().to_csv(tmp_path / "odd.csv", index=False, sep=";")
    task = make_task(tmp_path / "odd.csv", "label", folder=tmp_path / "task")
    columns = json.loads((task.folder / "preprocessing.json").read_text())["columns"]
    kinds = {column["name"]: column["type"] for column in columns}
    assert kinds == {"colour": "words", "member": "boolean", "when": "date", "size": "number", "income": "number"}
    said = " ".join(task.notes)
    for words in (
        "2 rows without a target",
        "'Id' numbers the rows",
        "'name' has other words",
        "'same' holds one value",
    ):
        assert words in said
    assert "'when' is read as dates (d/m/Y)" in said
    assert sum(task.sizes.values()) == 198
    assert score_of_a_linear_model(task) > 0.85


def test_decimal_commas_and_other_alphabets(tmp_path: Path) -> None:
    lines = ["Länge;Breite;Größe"] + [f"{i},5;1.{i:03d},25;{'groß' if i > 20 else 'klein'}" for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="latin-1")
    task = make_task(tmp_path / "a.csv", "Größe", folder=tmp_path / "task")
    assert task.classes == ("groß", "klein") and task.signature.input == (2,)
    centers = np.load(task.folder / "preprocessing.npz")["center"]
    assert 0.5 <= centers[0] <= 40 and 1000 <= centers[1] <= 1040
    np.testing.assert_array_equal(
        preprocess(pd.DataFrame({"Länge": [3.5], "Breite": [1007.25]}), task.folder),
        preprocess(pd.DataFrame({"Länge": ["3,5"], "Breite": ["1.007,25"]}), task.folder),
    )
