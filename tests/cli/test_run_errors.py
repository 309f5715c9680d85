"""Run folders that are none, unfinished or damaged, and predictions that cannot be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Refuses = Callable[..., None]


def _change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "run.json": lambda run: (run / "run.json").unlink(),
    "run.json cannot be read": lambda run: (run / "run.json").write_text("{"),
    "'format'": lambda run: (run / "run.json").write_text("{}"),
    "newer archwise": lambda run: _change(run / "run.json", format=99),
    "metrics.json": lambda run: (run / "metrics.json").write_text("{}"),
}


@pytest.mark.parametrize("named", DAMAGES)
@pytest.mark.usefixtures("iris")
def test_damaged_runs(refuses: Refuses, run: Path, named: str) -> None:
    DAMAGES[named](run)
    refuses(["show", run], named)
    refuses(["predict", run, "iris.csv"], named)


@pytest.mark.usefixtures("iris")
def test_a_run_without_its_weights_or_trials(refuses: Refuses, run: Path) -> None:
    (run / "model.safetensors").write_bytes(b"nothing")
    (run / "trials.parquet").write_bytes(b"nothing")
    refuses(["predict", run, "iris.csv"], "model.safetensors")
    refuses(["show", run], "trials.parquet")


@pytest.mark.parametrize("command", [["show"], ["resume"], ["predict", "iris.csv"]])
@pytest.mark.usefixtures("iris")
def test_what_is_no_run(refuses: Refuses, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("folder", "iris.csv", "nowhere"):
        refuses([command[0], name, *command[1:]], name, "no run folder")


def test_an_unfinished_run_has_no_predictions_yet(refuses: Refuses, run: Path, iris: pd.DataFrame) -> None:
    (run / "metrics.json").unlink()
    refuses(["predict", run, "iris.csv"], "archwise resume")


def test_an_unfinished_run_whose_experience_is_gone(refuses: Refuses, run: Path) -> None:
    (run / "metrics.json").unlink()
    _change(run / "run.json", experience=str(run.parent / "gone.sqlite"))
    refuses(["show", run], "gone.sqlite")
    refuses(["resume", run], "gone.sqlite")
    assert not (run.parent / "gone.sqlite").exists()


def test_numbers_that_resuming_refuses(refuses: Refuses, run: Path) -> None:
    for options, named in ((["--minutes", "nan"], "minutes"), (["--trials", "-1"], "trials"), (["--trials", "1"], "2")):
        refuses(["resume", run, *options], named)


def test_predictions_of_what_does_not_fit(refuses: Refuses, run: Path, iris: pd.DataFrame) -> None:
    iris.drop(columns="petal width (cm)").to_csv("narrow.csv", index=False)
    iris.assign(**{"petal width (cm)": "wide"}).to_csv("words.csv", index=False)
    np.savez("data.npz", x=np.zeros((9, 4)))
    cases = {"nowhere.csv": "nowhere.csv", "narrow.csv": "'petal width (cm)'", "words.csv": "'wide'"}
    for name, named in (cases | {"data.npz": "data.npz"}).items():
        refuses(["predict", run, name], named)


def test_predictions_replace_no_data_and_need_a_folder(refuses: Refuses, run: Path, iris: pd.DataFrame) -> None:
    before = Path("iris.csv").read_bytes()
    refuses(["predict", run, "iris.csv", "--output", "./iris.csv"], "iris.csv")
    refuses(["predict", run, "iris.csv", "--output", "nowhere/p.csv"], "nowhere")
    assert Path("iris.csv").read_bytes() == before
