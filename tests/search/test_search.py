"""The loop: trials, choice of the winner, the seal, failures, budgets."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer
from tests.search.conftest import Searcher, trial_facts
from torch import nn

import archwise
from archwise.errors import DataError, RunError, SpaceError
from archwise.experience import Experience
from archwise.progress import Listener
from archwise.spaces import Chain, Choice, Space, layer
from archwise.spaces.parts import activation, dense, head
from archwise.tasks.task import Task
from archwise.trial import Trial


def test_same_seed_gives_the_same_trials_and_another_seed_others(small_search: Searcher) -> None:
    first, second, other = small_search(seed=3), small_search(seed=3), small_search(seed=4)
    assert trial_facts(first) == trial_facts(second)
    assert first.test == second.test
    assert trial_facts(first) != trial_facts(other)


def test_the_default_comes_first_and_the_budget_of_trials_is_kept(small_search: Searcher) -> None:
    result = small_search(trials=5, strategy="random")
    searched = result.trials.query("purpose == 'search'")
    assert searched.number.tolist() == [0, 1, 2, 3, 4]
    assert searched.origin[0] == "the space's default"
    assert json.loads(searched.architecture[0]) == result.default["architecture"]
    assert result.metrics["stopped_by"] == "trials"


def test_the_mean_over_fresh_seeds_decides(small_search: Searcher) -> None:
    result = small_search(trials=8, strategy="random", epochs=15)
    confirmed = result.trials.query("purpose == 'confirm'")
    searched = result.trials.query("purpose == 'search'")
    assert not set(confirmed.seed) & set(searched.seed)
    means = confirmed.groupby(["architecture", "recipe"]).score.mean()
    assert confirmed.groupby(["architecture", "recipe"]).seed.nunique().eq(2).all()
    winner = next(row for row in result.metrics["finalists"] if row["chosen"])
    assert winner["mean"] == pytest.approx(means.max())
    assert winner["mean"] == pytest.approx(statistics.fmean(winner["scores"]))
    assert winner["architecture"] == dict(result.architecture)
    assert result.validation["accuracy"] == pytest.approx(means.max())


class _SealBreaker(Listener):
    """Replaces the sealed files by garbage while the search runs."""

    def __init__(self, restore: bool):
        self.restore = restore
        self.kept: dict[Path, bytes] = {}

    def stage(self, name: str, expected: int | None) -> None:
        if name == "searching":
            for path in sorted((self.folder / "task" / "sealed").iterdir()):
                self.kept[path] = path.read_bytes()
                path.write_bytes(b"garbage")
        if name == "testing" and self.restore:
            for path, content in self.kept.items():
                path.write_bytes(content)

    def began(self, run: archwise.run.Run, task: Task, trials: list[Trial]) -> None:
        self.folder = run.folder


def test_nothing_reads_the_test_split_before_the_last_step(small_search: Searcher) -> None:
    plain = small_search()
    breaker = _SealBreaker(restore=True)
    sealed = small_search(listener=breaker)
    assert len(breaker.kept) == 2
    assert trial_facts(plain) == trial_facts(sealed)
    assert plain.test == sealed.test
    assert sealed.metrics["test_openings"] == 1
    with pytest.raises(DataError, match="x_test"):
        small_search(listener=_SealBreaker(restore=False))


class Misbehaving(nn.Module):
    """A layer that fails in the way its attribute says."""

    def __init__(self, shape: tuple[int, ...], how: str):
        super().__init__()
        self.how = how
        self.weight = nn.Parameter(torch.ones(shape[0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.how == "crash" and x.device.type != "meta":
            os._exit(7)
        if self.how == "kill" and x.device.type != "meta":
            os.kill(os.getpid(), 9)
        if self.how == "raise" and x.device.type != "meta":
            raise ArithmeticError("this layer cannot count")
        if self.how == "nan":
            return x * self.weight * float("nan")
        if self.how == "memory" and x.device.type != "meta":
            torch.ones(10**14)
        return x * self.weight


misbehaving = layer(Misbehaving, name="misbehaving")


def troubled_space() -> Space:
    """A space in which five of six options fail in training."""
    ways = ["good", "crash", "kill", "raise", "nan", "memory"]
    return Space(Chain(dense(8), activation("relu"), misbehaving(Choice("how", ways)), head()), "troubled")


def test_failures_are_recorded_with_their_reasons_and_the_search_goes_on(small_search: Searcher) -> None:
    result = small_search(trials=6, space=troubled_space(), strategy="random", fix={"optimizer": "adamw"}, epochs=10)
    searched = result.trials.query("purpose == 'search'").set_index("number")
    how = searched.architecture.map(lambda text: json.loads(text)["how"])
    outcome = {way: (searched.status[n], searched.reason[n]) for n, way in how.items()}
    assert outcome["good"][0] == "finished"
    expected = {
        "crash": "7",
        "kill": "SIGKILL",
        "raise": "ArithmeticError",
        "nan": "diverged",
        "memory": "out of memory",
    }
    for way in set(outcome) - {"good"}:
        status, reason = outcome[way]
        assert status == "failed"
        assert expected[way] in reason, (way, reason)
    assert len(set(how)) >= 4
    assert dict(result.architecture) == {"how": "good"}


class preprocess(nn.Module):  # noqa: N801
    """A layer with the name of something in model.py."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def test_a_layer_that_model_py_cannot_hold_is_refused_at_once_in_whichever_option(small_search: Searcher) -> None:
    space = Space(Chain(dense(8), Choice("last", [activation("relu"), layer(preprocess)()]), head()), "clashing")
    with pytest.raises(SpaceError, match=r"'preprocess' has the name of another part of the exported model.py: rename"):
        small_search(space=space)


def test_a_search_in_which_nothing_finishes_says_so(small_search: Searcher) -> None:
    space = Space(Chain(misbehaving(Choice("how", ["raise", "nan"])), head()), "hopeless")
    with pytest.raises(RunError, match=r"None of the 3 trials finished.*(ArithmeticError|diverged)"):
        small_search(space=space, trials=3)


def test_a_tiny_space_is_exhausted_and_the_search_ends(small_search: Searcher) -> None:
    space = Space(Chain(dense(Choice("width", [4, 8])), activation("relu"), head()), "tiny")
    fix = {
        "optimizer": "adamw",
        "optimizer=adamw/learning_rate": 0.003,
        "optimizer=adamw/weight_decay": 0.01,
        "batch_size": 64,
        "label_smoothing": 0.0,
    }
    result = small_search(space=space, trials=50, strategy="evolution", fix=fix)
    assert len(result.trials.query("purpose == 'search'")) == 2
    assert result.metrics["stopped_by"] == "exhausted"


def test_limits_of_the_user_hold_in_every_trial(small_search: Searcher) -> None:
    limits = {"fix": {"optimizer": "sgd", "depth": [1, 2]}, "exclude": {"activation": ["tanh", "gelu"]}}
    result = small_search(trials=8, strategy="random", **limits)
    for text, recipe in zip(result.trials.architecture, result.trials.recipe, strict=True):
        assert json.loads(recipe)["optimizer"] == "sgd"
        assert json.loads(text)["depth"] in (1, 2)
        assert json.loads(text).get("/activation") not in ("tanh", "gelu")


@pytest.mark.parametrize("strategy", ["random", "bayesian", "halving-evolution"])
def test_no_network_is_larger_than_allowed(small_search: Searcher, strategy: str) -> None:
    result = small_search(trials=8, strategy=strategy, max_params=700, max_flops=1000)
    assert len(result.trials) >= 8
    assert result.trials["parameters"].max() <= 700
    assert result.trials["flops"].max() <= 1000


@pytest.mark.parametrize(("strategy", "limit"), [("hierarchical", {"max_flops": 7e4}), ("grid", {"max_params": 5_000})])
def test_limits_that_forbid_nearly_everything_do_not_end_a_search(small_search: Searcher, strategy: str, limit) -> None:
    result = small_search("digits", space="cnn", strategy=strategy, trials=3, epochs=1, **limit)
    assert len(result.trials.query("purpose == 'search'")) == 3


def test_where_every_network_is_larger_than_allowed_the_smallest_is_named(small_search: Searcher) -> None:
    with pytest.raises(SpaceError, match=r"the smallest that was found has \d+ parameters .* allow more"):
        small_search(max_params=10)


def test_a_finished_search_goes_on_with_more_budget(small_search: Searcher) -> None:
    short = small_search(trials=4, seed=5)
    before = trial_facts(short)
    with pytest.raises(RunError, match="finished with 4 trials"):
        archwise.resume(short.run)
    longer = archwise.resume(short.run, trials=9)
    whole = small_search(trials=9, seed=5)
    searched = [facts for facts in trial_facts(longer) if facts[1] == "search"]
    assert searched[:4] == [facts for facts in before if facts[1] == "search"]
    assert searched == [facts for facts in trial_facts(whole) if facts[1] == "search"]
    assert longer.metrics["test_openings"] == 2


def test_two_workers_make_each_trial_once(small_search: Searcher) -> None:
    result = small_search(trials=14, workers=2, strategy="halving-evolution")
    searched = result.trials.query("purpose == 'search'")
    assert sorted(searched.number) == list(range(14))
    continued = searched.parent.dropna()
    assert continued.is_unique
    assert len(continued) >= 1


def test_every_trial_is_in_the_experience(small_search: Searcher, tmp_path: Path) -> None:
    result = small_search()
    with Experience(tmp_path / "known-0.sqlite") as experience:
        [record] = experience.searches()
        trials = experience.trials(record.id)
    assert len(trials) == len(result.trials)
    by_key = {(t.number, t.purpose): t for t in trials}
    for row in result.trials.itertuples():
        assert by_key[row.number, row.purpose].score == row.score


def test_it_learns_real_data_better_than_chance_and_says_what_the_default_reaches(tmp_path: Path) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    options = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search((x, y), trials=4, epochs=20, workers=2, **options)
    assert result.test["accuracy"] > 0.93
    assert result.default["test"]["accuracy"] > 0.93
    assert result.test["auc"] > 0.97


def test_regression_searches_for_the_smallest_error(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"a": generator.normal(size=400), "b": generator.normal(size=400)})
    frame["y"] = 1000 + 50 * (frame.a - frame.b**2)
    options = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search(frame, "y", trials=5, epochs=60, workers=2, **options)
    assert result.metrics["objective"] == "rmse"
    assert result.validation["rmse"] < 0.5 * frame.y.std()
    assert result.test["r2"] > 0.7
    assert abs(result.predict(frame).prediction.mean() - frame.y.mean()) < 20


@pytest.mark.slow
def test_a_script_without_a_main_guard_just_works(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import archwise\n"
        "result = archwise.search('wine', trials=3, epochs=5, workers=2, run='run', experience='e.sqlite')\n"
        "print('accuracy', result.test['accuracy'])\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("accuracy") == 1


@pytest.mark.slow
def test_a_notebook_with_a_layer_of_its_own_just_works(tmp_path: Path) -> None:
    cells = [
        "import torch, archwise\nfrom torch import nn\nfrom archwise.spaces import Chain, Choice, Space, layer\n"
        "from archwise.spaces.parts import dense, head",
        "SCALE = 2.0\n\nclass Wave(nn.Module):\n    def __init__(self, frequency):\n        super().__init__()\n"
        "        self.frequency = frequency\n    def forward(self, x):\n"
        "        return torch.sin(SCALE * self.frequency * x)\n",
        "wave = layer(Wave)\n"
        "space = Space(Chain(dense(Choice('width', [8, 16])), wave(Choice('frequency', [0.5, 1.0])), head()), 'waves')",
        "options = {'space': space, 'run': 'run', 'experience': 'e.sqlite'}\n"
        "result = archwise.search('iris', trials=3, epochs=20, workers=1, **options)",
        "print('accuracy', result.test['accuracy'], type(result.model).__name__)",
    ]
    runner = tmp_path / "notebook.py"
    runner.write_text(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {cells!r}:\n"
        "    shell.run_cell(cell, store_history=True).raise_error()\n"
    )
    done = subprocess.run([sys.executable, runner], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accuracy" in done.stdout
    assert "Sequential" in done.stdout


@pytest.mark.parametrize("seed", [1, 2])
def test_the_default_takes_no_candidates_place_where_it_is_proposed_itself(small_search: Searcher, seed: int) -> None:
    space = Space(Chain(dense(Choice("width", [4, 8, 16, 32])), head()), "widths")
    recipe = {"optimizer": "adamw", "optimizer=adamw/weight_decay": 0.01, "batch_size": 64, "label_smoothing": 0.0}
    fixed = {**recipe, "optimizer=adamw/learning_rate": 0.003}
    result = small_search(space=space, fix=fixed, strategy="grid", seed=seed, trials=4, workers=4, epochs=1)
    searched = result.trials.query("purpose == 'search'")
    assert sorted(json.loads(text)["width"] for text in searched.architecture) == [4, 8, 16, 32]
    assert searched.origin.iloc[0] == "the space's default"
