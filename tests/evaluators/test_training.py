from __future__ import annotations

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from archwise.evaluators.metrics import METRICS, compute_metrics, metric_names
from archwise.evaluators.network import build_network
from archwise.evaluators.predict import predict
from archwise.evaluators.training import PATIENCE, train
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.trial import Outcome

RECIPE = {"learning_rate": 3e-3, "weight_decay": 1e-2, "warmup": 0.1, "batch_size": 32, "augmentation": "light"}

STRIDED = """
import torch.nn as nn


def build_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 49, 10),
    )
"""


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4}])
def test_digits_are_learned_in_seconds(job, optimizer):
    outcome = train(job("digits", epochs=12, settings=RECIPE | optimizer))
    assert outcome.status == "finished", outcome.traceback
    assert outcome.score >= 0.97


@pytest.mark.parametrize(("name", "metric", "bound"), [("breast-cancer", "auc", 0.97), ("wine", "f1", 0.9)])
def test_tables_are_learned(job, name, metric, bound):
    outcome = train(job(name, epochs=30))
    assert outcome.metrics[metric] >= bound
    assert outcome.score == outcome.metrics["accuracy"] >= 0.93


def test_a_number_is_learned(job):
    outcome = train(job("diabetes", epochs=30))
    assert outcome.metrics["r2"] > 0.25
    assert outcome.score == -outcome.metrics["rmse"]
    assert 30 < outcome.metrics["rmse"] < 70


@pytest.mark.slow
def test_fashion_is_learned_from_a_part_of_it(job, shared_data, tmp_path):
    data = dict(np.load(shared_data / "sets" / "fashion_mnist.npz"))
    arrays = (data["x_train"][:6000], data["y_train"][:6000], data["x_test"][:1000], data["y_test"][:1000])
    task = make_task(arrays, folder=tmp_path / "fashion")
    outcome = train(job("digits", source=STRIDED, task=str(task.folder), epochs=6, settings=RECIPE))
    assert outcome.score >= 0.8


def test_an_outcome_says_everything(job):
    wine = replace(job("wine", epochs=20), measure_latency=True)
    points = []
    outcome = train(wine, points.append)
    assert tuple(points) == outcome.curve
    assert set(outcome.metrics) == set(metric_names("multiclass"))
    assert set(outcome.costs) == {
        "parameters", "flops", "memory_bytes", "latency_ms", "train_seconds", "steps", "best_fidelity",
    }  # fmt: skip
    assert outcome.costs["parameters"] == 13 * 64 + 64 + 2 * 64 + 64 * 3 + 3
    assert outcome.costs["flops"] == 2 * (13 * 64 + 64 * 3)
    assert outcome.costs["memory_bytes"] > 4 * 4 * outcome.costs["parameters"]
    assert 0 < outcome.costs["train_seconds"] == outcome.curve[-1].seconds
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@pytest.mark.parametrize("objective", ["accuracy", "log_loss"])
def test_weights_and_metrics_are_those_of_the_best_point(job, path, objective):
    wine = job("wine", epochs=30, objective=objective, weights_to=path("w"), settings=RECIPE | {"learning_rate": 0.1})
    outcome = train(wine)
    scores = [point.score for point in outcome.curve]
    best = max(range(len(scores)), key=lambda number: (scores[number], number))
    assert outcome.score == scores[best]
    assert outcome.costs["best_fidelity"] == outcome.curve[best].fidelity
    task = Task.load(wine.task)
    x, y = task.arrays("validation")
    model = build_network(wine.source, 0)
    model.load_state_dict(load_file(path("w")))
    found = compute_metrics(
        metric_names("multiclass"), "multiclass", torch.from_numpy(predict(model, x)), torch.from_numpy(np.array(y))
    )
    assert found == pytest.approx(dict(outcome.metrics), abs=1e-5)


def test_training_stops_when_the_score_no_longer_improves(job):
    outcome = train(job("wine", epochs=60))
    scores = [point.score for point in outcome.curve]
    shares = [point.fidelity for point in outcome.curve]
    improved = shares[scores.index(max(scores))]
    assert shares[-2] < improved + PATIENCE <= shares[-1] < 1
    # Of equal points the later counts.
    assert outcome.costs["best_fidelity"] == shares[len(scores) - 1 - scores[::-1].index(max(scores))]


def test_a_seed_decides_everything(job):
    first, again, other = (train(job("digits", epochs=1, seed=seed)) for seed in (3, 3, 4))
    strip = [[point._replace(seconds=0) for point in outcome.curve] for outcome in (first, again, other)]
    assert strip[0] == strip[1] != strip[2]
    assert first.metrics == again.metrics != other.metrics


def test_an_objective_decides_the_score(job):
    for objective in metric_names("binary"):
        outcome = train(job("breast-cancer", epochs=4, objective=objective))
        sign = 1 if METRICS[objective].higher_is_better else -1
        assert outcome.score == sign * outcome.metrics[objective]


def test_a_mean_target_is_learned_from_scratch_without_classes(job):
    assert set(train(job("diabetes", epochs=5)).metrics) == {"rmse", "mae", "r2"}


def test_the_final_training_learns_from_both_splits(job, path):
    wine = job("wine", epochs=20, weights_to=path("w"), on="train+validation", fidelity=0.5)
    outcome = train(wine)
    assert outcome.metrics == {}
    assert outcome.score == -outcome.curve[-1].train_loss
    assert outcome.curve[-1].fidelity == pytest.approx(0.5, abs=0.1)
    assert all(math.isnan(point.validation_loss) and math.isnan(point.score) for point in outcome.curve)
    sizes = Task.load(wine.task).sizes
    more = (sizes["train"] + sizes["validation"]) / sizes["train"]
    assert outcome.costs["steps"] == pytest.approx(20 * more * sizes["train"] / 32 / 2, rel=0.2)
    # What it learned from the validation split shows there.
    x, y = Task.load(wine.task).arrays("validation")
    model = build_network(wine.source, 0)
    model.load_state_dict(load_file(path("w")))
    assert (predict(model, x).argmax(1) == y).mean() > 0.95


def test_a_timetable_leaves_steps_out_and_still_anneals(job, path):
    """Far too little time for its steps: it ends in time all the same, and has learned as far as time allowed."""
    long = job("digits", epochs=500, settings=RECIPE, on="train+validation", weights_to=path("w"), seconds=6.0)
    outcome = train(long)
    assert outcome.status == "finished", outcome.traceback
    assert outcome.curve[-1].fidelity == 1.0
    assert outcome.curve[-1].seconds < 2 * 6.0  # 500 epochs take minutes
    sizes = Task.load(long.task).sizes
    assert outcome.costs["steps"] < 400 * (sizes["train"] + sizes["validation"]) / 32
    x, y = Task.load(long.task).arrays("validation")
    model = build_network(long.source, 0)
    model.load_state_dict(load_file(path("w")))
    assert (predict(model, x).argmax(1) == y).mean() > 0.6  # slow machines get through few steps
    unhurried = train(replace(long, epochs=1, seconds=600.0))
    assert unhurried.curve[-1].train_loss == train(replace(long, epochs=1, seconds=None)).curve[-1].train_loss


def test_what_will_not_be_done_in_time_fails_at_once(job):
    begun = time.perf_counter()
    outcome = train(job("digits", epochs=100_000, settings=RECIPE, time_limit=60.0))
    assert outcome.status == "failed"
    assert outcome.reason.startswith("too slow: it would take about")
    assert time.perf_counter() - begun < 30
    assert train(job("digits", epochs=1, settings=RECIPE, time_limit=100.0)).status == "finished"


def test_recipes_make_a_difference(job):
    """Every value of the recipe reaches the training."""
    plain = {"learning_rate": 3e-3, "batch_size": 32}
    losses = {}
    for change in (
        {},
        {"optimizer": "sgd"},
        {"learning_rate": 1e-3},
        {"weight_decay": 0.5},
        {"batch_size": 64},
        {"warmup": 0.5},
        {"label_smoothing": 0.2},
        {"class_weights": True},
        {"augmentation": "light"},
        {"augmentation": "strong"},
    ):
        outcome = train(job("digits", epochs=0.5, settings=plain | change))
        losses[str(change)] = outcome.curve[-1].train_loss
    assert len(set(losses.values())) == len(losses)


def test_class_weights_lift_the_rare_class(shared_data, job, tmp_path):
    data = dict(np.load(shared_data / "sets" / "uci_tabular.npz"))
    x, y = data["breast-cancer/X"], data["breast-cancer/y"]
    rare = np.flatnonzero(y == 1)[::4]
    rows = np.concatenate([np.flatnonzero(y == 0), rare])
    task = make_task((x[rows], y[rows]), folder=tmp_path / "rare")
    source = job("breast-cancer").source.replace("Linear(30", f"Linear({x.shape[1]}")
    recalls = []
    for weights in (False, True):
        settings = {"learning_rate": 3e-3, "batch_size": 32, "class_weights": weights}
        runs = [
            train(job("wine", source=source, task=str(task.folder), epochs=10, settings=settings, seed=seed,
                      objective="balanced_accuracy"))
            for seed in range(3)
        ]  # fmt: skip
        recalls.append(np.mean([run.metrics["recall"] for run in runs]))
    assert recalls[1] > recalls[0]
