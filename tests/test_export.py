"""What a search leaves: the same answers from the module, from the command, and from model.py without archwise."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_diabetes, load_digits
from sklearn.metrics import accuracy_score, r2_score

import archwise
from archwise.errors import ArchwiseError
from archwise.result import Result

WITHOUT_ARCHWISE = """
import sys
sys.modules["archwise"] = None
sys.path.insert(0, {folder!r})
import pandas as pd
import model
assert not [name for name in sys.modules if name.startswith("archwise.")]
model.predict({data!r}).to_csv({output!r}, index=False)
"""


def _predict_alone(result: Result, data: Path, tmp_path: Path) -> pd.DataFrame:
    """Let a copy of what model.py needs predict in a process that cannot import archwise."""
    folder, output = tmp_path / "alone", tmp_path / "alone.csv"
    folder.mkdir()
    for name in ("model.py", "model.safetensors", "preprocessing.json", "preprocessing.npz"):
        shutil.copy(result.run / name, folder)
    code = WITHOUT_ARCHWISE.format(folder=str(folder), data=str(data), output=str(output))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(output)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("digits")
    options = {"run": folder / "run", "experience": folder / "experience.sqlite"}
    return archwise.search("digits", trials=3, epochs=4, workers=2, **options)


def test_model_py_gives_the_same_answers_without_archwise(digits: Result, tmp_path: Path) -> None:
    images, labels = load_digits().images, load_digits().target
    np.savez(tmp_path / "some.npz", x=images[:200])
    alone = _predict_alone(digits, tmp_path / "some.npz", tmp_path)
    ours = digits.predict(images[:200])
    assert alone.columns.tolist() == ours.columns.tolist()
    assert alone.prediction.tolist() == ours.prediction.tolist()
    np.testing.assert_allclose(alone.to_numpy(float), ours.to_numpy(float), atol=1e-6)
    np.testing.assert_allclose(ours.filter(like="probability").sum(axis=1), 1, atol=1e-5)
    assert accuracy_score(labels[:200], ours.prediction) > 0.9


def test_the_reported_test_metric_can_be_recomputed_from_what_is_left(digits: Result) -> None:
    rows = np.load(digits.run / "task" / "splits.npz")["test"]
    predicted = digits.predict(load_digits().images[rows]).prediction
    assert accuracy_score(load_digits().target[rows], predicted) == pytest.approx(digits.test["accuracy"])
    assert digits.predict("digits").prediction[rows].tolist() == predicted.tolist()


def test_the_model_is_an_ordinary_module(digits: Result) -> None:
    again = archwise.load(digits.run).model
    weights = load_file(digits.run / "model.safetensors")
    assert not again.training
    assert set(weights) == set(again.state_dict())
    assert sum(p.numel() for p in again.parameters()) == digits.metrics["parameters"]
    x = torch.randn(3, 1, 8, 8)
    assert torch.equal(again(x), digits.model(x))


def test_words_blanks_and_unseen_words_survive_the_way_out(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "sets" / "tabular_csv.zip") as archive:
        [name] = [n for n in archive.namelist() if "german_credit" in n]
        frame = pd.read_csv(io.BytesIO(archive.read(name)))
    frame.iloc[::7, 1] = np.nan
    target = frame.columns[-1]
    frame.to_csv(tmp_path / "credit.csv", index=False)
    options = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search(tmp_path / "credit.csv", target, trials=2, epochs=3, workers=2, **options)
    unseen = frame.drop(columns=target).head(50)
    words = unseen.select_dtypes(exclude="number").columns
    unseen.loc[3, words[0]] = "never seen before"
    unseen.to_csv(tmp_path / "new.csv", index=False)
    alone = _predict_alone(result, tmp_path / "new.csv", tmp_path)
    ours = result.predict(tmp_path / "new.csv")
    assert alone.prediction.tolist() == ours.prediction.tolist()
    np.testing.assert_allclose(
        alone.filter(like="probability").to_numpy(float), ours.filter(like="probability").to_numpy(float), atol=1e-6
    )


def test_model_py_of_a_regression_answers_in_the_targets_units(tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True).frame
    options = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search(frame, "target", trials=2, epochs=20, workers=2, **options)
    frame.drop(columns="target").to_csv(tmp_path / "new.csv", index=False)
    alone = _predict_alone(result, tmp_path / "new.csv", tmp_path).prediction
    np.testing.assert_allclose(alone, result.predict(frame).prediction, rtol=1e-5)
    assert r2_score(frame.target, alone) > 0.2


def test_model_py_of_series_fills_gaps_as_in_training(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "sets" / "timeseries_classification.npz") as stored:
        x, y = stored["JapaneseVowels/X"], stored["JapaneseVowels/y"]
    options = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search((x, y), trials=2, epochs=8, workers=2, **options)
    assert np.isnan(x).any()  # short series are padded with it
    np.savez(tmp_path / "new.npz", x=x)
    alone = _predict_alone(result, tmp_path / "new.npz", tmp_path)
    ours = result.predict(x)
    assert alone.prediction.astype(str).tolist() == ours.prediction.astype(str).tolist()
    assert accuracy_score(y.astype(str), ours.prediction.astype(str)) > 0.5


def test_loading_a_run_executes_no_code_of_it(digits: Result, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(digits.run, copy)
    (copy / "model.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')")
    archwise.load(copy).predict(load_digits().images[:5])
    assert not (tmp_path / "executed").exists()


def test_a_run_that_did_not_end_says_how_to_go_on(digits: Result, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(digits.run, copy)
    (copy / "metrics.json").unlink()
    with pytest.raises(ArchwiseError, match="archwise resume"):
        archwise.load(copy)


def test_the_files_agree_with_one_another(digits: Result) -> None:
    record = json.loads((digits.run / "architecture.json").read_text())
    assert record["architecture"] == dict(digits.architecture)
    assert record["graph"]["vertices"][0]["kind"] == "input"
    frame = digits.trials
    assert len(frame) == digits.metrics["trials"]["finished"] + len(frame.query("purpose == 'confirm'"))
    assert set(digits.summary()) == {
        "run", "architecture", "validation", "test", "default", "trials", "parameters", "flops", "latency_ms",
        "seconds", "seed",
    }  # fmt: skip
