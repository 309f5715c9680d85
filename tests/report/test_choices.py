"""What choices seem to do: the means are right, and what has too few trials stays unsaid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from archwise.report.choices import observe
from archwise.report.record import RunRecord

Builder = Callable[..., Path]


def test_means_and_counts_are_those_of_comparable_trials(make_run: Builder) -> None:
    run = make_run(trials=150, space="mlp", problem="binary")
    trials = pd.read_parquet(run / "trials.parquet").query("purpose == 'search' and status == 'finished'")
    observations, fidelity = observe(RunRecord.load(run))
    assert (trials["fidelity"].round(6) == round(fidelity, 6)).sum() >= 20
    same = trials[trials["fidelity"].round(6) == round(fidelity, 6)]
    assert observations
    for seen in observations:
        taken = same["architecture"].map(json.loads).map(lambda a, path=seen.path: a.get(path))
        recipes = same["recipe"].map(json.loads).map(lambda r, path=seen.path: r.get(path))
        labels = taken.where(taken.notna(), recipes)
        for option in seen.options:
            scores = same["score"][[label == option.label for label in labels]].astype(float)
            assert option.trials == len(scores) >= 5
            assert option.mean == pytest.approx(scores.mean())
            assert option.error == pytest.approx(scores.sem())
        assert [o.mean for o in seen.options] == sorted((o.mean for o in seen.options), reverse=True)


def test_a_planted_effect_comes_first(make_run: Builder) -> None:
    run = make_run(trials=120, space="mlp", problem="regression", fidelities=(1.0,), failures=0)
    trials = pd.read_parquet(run / "trials.parquet")
    depths = trials["architecture"].map(lambda text: json.loads(text)["depth"])
    trials["score"] = -50.0 - 5.0 * depths + pd.Series(range(len(trials))) % 7 / 10
    trials.to_parquet(run / "trials.parquet")
    observations, _ = observe(RunRecord.load(run))
    assert observations[0].path == "depth"
    labels = [option.label for option in observations[0].options]
    assert labels == sorted(labels)
    assert observations[0].options[0].mean > 0


def test_few_trials_say_nothing(make_run: Builder) -> None:
    assert observe(RunRecord.load(make_run(trials=15)))[0] == []
