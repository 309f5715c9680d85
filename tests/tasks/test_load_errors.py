"""What a user can do wrong is one sentence that names the offender and the remedy, and leaves nothing behind."""

from __future__ import annotations

import pickle
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from archwise.errors import DataError
from archwise.tasks.load import make_task

X, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=["width", "height", "depth", "weight"]).assign(kind=Y)


def refused(tmp_path: Path, *data: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        make_task(*data, folder=tmp_path / "out" / "task", **options)
    text = str(caught.value)
    assert "\n" not in text and text[-1] in ".?", text
    assert not any((tmp_path / "out").glob("*")), "something was left behind"
    return text


def changed(column: str, row: int, value: Any) -> pd.DataFrame:
    frame = FRAME.astype({column: object})
    frame.loc[row, column] = value
    return frame


def test_names_and_files(tmp_path: Path) -> None:
    assert "did you mean 'digits'" in refused(tmp_path, "digit")
    assert "iris, wine, breast-cancer, diabetes" in refused(tmp_path, "no such thing")
    assert f"There is no file {tmp_path}/a.csv" in refused(tmp_path, tmp_path / "a.csv", "kind")
    assert f"There is no file {tmp_path}/a.npz" in refused(tmp_path, str(tmp_path / "a.npz"))
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    assert "a.xlsx is not known: give a .csv" in refused(tmp_path, tmp_path / "a.xlsx", "kind")
    assert "dict" in refused(tmp_path, {"x": X})
    assert "tuple of 3" in refused(tmp_path, (X, Y, X))
    assert "leave the target out" in refused(tmp_path, "digits", "digit")
    assert "leave the target out" in refused(tmp_path, (X, Y), "y")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a.csv cannot be read as a table"),
        (bytes(range(256)) * 40, "it is no text"),
        (b'a,b\n"1,2\n3,4\n', "a.csv cannot be read as a table"),
        (b"a,b\n1,2\n1,2,3,4\n", "line 3"),
        (b"a,kind\n" + b"1,2\n" * 4, "only 4 rows"),
        (b"a,kind\n", "only 0 rows"),
        (b"a,kind\n" + b"1,2,3\n" * 20, "more fields than the first line names"),
        (b"a,b\n1,2\n", "no column 'kind' in the file"),
        (b"kind\n" + b"1\n2\n" * 20, "No column is left to learn from"),
        (b"a,kind\n" + b"1,\n" * 20, "only 0 rows with a target"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert said in refused(tmp_path, tmp_path / "a.csv", "kind")


def test_broken_compression(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "a.csv.gz").write_bytes(b"no gzip at all")
    assert "a.csv.gz cannot be read" in refused(tmp_path, tmp_path / "a.csv.gz", "kind")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(FRAME.to_csv(index=False).encode())[:-200])
    assert "b.csv.gz cannot be read" in refused(tmp_path, tmp_path / "b.csv.gz", "kind")


def test_columns(tmp_path: Path) -> None:
    assert "did you mean 'height'" in refused(tmp_path, FRAME, "hieght")
    assert "there are 'width', 'height'" in refused(tmp_path, FRAME, "zzzzz")
    assert "name one of 'width', 'height'" in refused(tmp_path, FRAME)
    assert "no column 'deep'" in refused(tmp_path, FRAME, "kind", ignore=["deep"])
    assert "both the target and ignored" in refused(tmp_path, FRAME, "kind", ignore=["kind"])
    twice = FRAME.set_axis(["width", "width", "depth", "weight", "kind"], axis=1)
    assert "called 'width': rename one" in refused(tmp_path, twice, "kind")
    assert "--ignore 'an empty one'" in refused(tmp_path, FRAME.assign(**{"an empty one": None}), "kind")
    assert "Columns 'p', 'q' have no value" in refused(tmp_path, FRAME.assign(p="?", q=np.nan), "kind")
    assert "'image'" in refused(tmp_path, FRAME, "kind", kind="image")
    assert "complex numbers" in refused(tmp_path, FRAME.assign(z=1j * np.arange(150)), "kind")
    assert "'width' holds the infinite value -inf in row 7" in refused(tmp_path, changed("width", 7, -np.inf), "kind")
    FRAME.assign(depth=["inf", *X[1:, 2].astype(str)]).to_csv(tmp_path / "inf.csv", index=False)
    assert "'depth' holds the infinite value inf in row 0" in refused(tmp_path, tmp_path / "inf.csv", "kind")


def test_targets(tmp_path: Path) -> None:
    assert "holds the value 1 only" in refused(tmp_path, FRAME.assign(kind=1), "kind")
    assert "holds the value 'a' only" in refused(tmp_path, FRAME.assign(kind="a"), "kind")
    assert "Class 'rare' of the target 'kind' has 1 row," in refused(
        tmp_path, FRAME.assign(kind=["rare"] + ["a", "b"] * 74 + ["a"]), "kind"
    )
    many = FRAME.assign(kind=[f"person {i}" for i in range(150)])
    assert "150 different words in 150 rows" in refused(tmp_path, many, "kind")
    assert "holds dates" in refused(tmp_path, FRAME.assign(kind=pd.Timestamp("2020-01-01")), "kind")
    assert "holds inf in row 3" in refused(tmp_path, changed("kind", 3, np.inf), "kind", problem="regression")
    assert "no number: regression needs numbers" in refused(tmp_path, many, "kind", problem="regression")
    assert "'ranking'" in refused(tmp_path, FRAME, "kind", problem="ranking")
    assert "too large to scale" in refused(tmp_path, FRAME.assign(kind=X[:, 0] * 1e300), "kind")
    assert "holds 1e+40, too far" in refused(tmp_path, FRAME.assign(kind=[1e40, *X[1:, 0]]), "kind", seed=5)
    halves = (X[:80], Y[:80], X[80:], Y[80:])
    assert "Class 2 is in the test split but not among the training rows" in refused(tmp_path, halves)


def test_arrays(tmp_path: Path) -> None:
    bad, nan_target = X.copy(), Y.astype(float)
    bad[4, 2], nan_target[9] = np.inf, np.nan
    empty = X.copy()
    empty[:, 1] = np.nan
    images = np.zeros((150, 8, 8), dtype=np.float32)
    images[5, 1, 1] = np.nan
    assert "x holds inf at [4, 2]" in refused(tmp_path, (bad, Y))
    assert "x_test holds inf at [4, 2]" in refused(tmp_path, (X, Y, bad, Y))
    assert "y has no value at position 9" in refused(tmp_path, (X, nan_target))
    assert "y holds inf at position 9" in refused(tmp_path, (X, np.where(np.isnan(nan_target), np.inf, nan_target)))
    assert "Feature 1 of the inputs has no value in any row: use --ignore 1" in refused(tmp_path, (empty, Y))
    assert "Image 5 of the inputs holds NaN" in refused(tmp_path, (images, Y), kind="image")
    assert "x has 150 rows but its target 149" in refused(tmp_path, (X, Y[1:]))
    assert "Rows of x_train have shape (4,), of x_test (3,)" in refused(tmp_path, (X, Y, X[:, :3], Y))
    assert "argmax(1)" in refused(tmp_path, (X, np.eye(3)[Y]))
    assert "reshape(-1, 1)" in refused(tmp_path, (X[:, 0], Y))
    assert "one shape" in refused(tmp_path, ([[1.0], [2.0, 3.0]] * 20, [0, 1] * 20))
    assert "complex128" in refused(tmp_path, (X * 1j, Y))
    assert "(150, 1, 1, 2, 2)" in refused(tmp_path, (X.reshape(150, 1, 1, 2, 2), Y))
    assert "cannot be of the kind 'image'" in refused(tmp_path, (X, Y), kind="image")
    assert "only 9 rows" in refused(tmp_path, (X[:9], [0, 1, 2] * 3))
    assert "test share must lie between 0 and 1, not at 1.5" in refused(tmp_path, (X, Y), test_share=1.5)
    assert "no feature '7' to ignore" in refused(tmp_path, (X, Y), ignore=["7"])
    assert "own test split has no rows" in refused(tmp_path, (X, Y, X[:0], Y[:0]))
    assert "no column 'deep' to ignore" in refused(tmp_path, (FRAME, Y), ignore=["deep"])
    assert "No feature is left" in refused(tmp_path, (np.ones((20, 3)), [0, 1] * 10))


class Exploit:
    def __reduce__(self) -> Any:
        return (open, ("executed", "w"))  # a file of this name would appear if the pickle were loaded


def test_npz_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "evil.npz", x=np.array([Exploit()] * 20, dtype=object), y=np.arange(20) % 2)
    assert "holds Python objects, which are never loaded" in refused(tmp_path, tmp_path / "evil.npz")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Exploit()))
    assert "is no .npz archive" in refused(tmp_path, tmp_path / "pickle.npz")
    assert not (tmp_path / "executed").exists()
    np.savez(tmp_path / "other.npz", images=X, labels=Y)
    assert "other.npz holds images, labels: name the arrays x and y" in refused(tmp_path, tmp_path / "other.npz")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("x.npy", "nothing")
        archive.writestr("y.npy", "nothing")
    assert "zip.npz cannot be read (x is no array)" in refused(tmp_path, tmp_path / "zip.npz")
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    content = bytearray((tmp_path / "whole.npz").read_bytes())
    content[300:340] = b"\xff" * 40
    (tmp_path / "damaged.npz").write_bytes(content)
    assert "damaged.npz cannot be read" in refused(tmp_path, tmp_path / "damaged.npz")
    np.savez(tmp_path / "flags.npz", x=X, y=Y, is_test=np.zeros(3))
    assert "is_test" in refused(tmp_path, tmp_path / "flags.npz")


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(DataError, match="file/task cannot be written"):
        make_task("iris", folder=tmp_path / "file" / "task")
    with pytest.raises(DataError, match="exists already"):
        make_task("iris", folder=tmp_path)
    (tmp_path / "empty").mkdir()
    assert make_task("iris", folder=tmp_path / "empty").sizes["test"] == 30


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are a matter of POSIX")
def test_a_full_disk(tmp_path: Path) -> None:
    program = (
        "import signal, sys; from archwise.tasks.load import make_task\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: make_task('digits', folder=sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-c", program, str(tmp_path / "task")]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("DataError") and "task cannot be written" in done.stdout
    assert list(tmp_path.iterdir()) == []
