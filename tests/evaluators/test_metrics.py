from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as judge
from sklearn.linear_model import LogisticRegression, Ridge

from archwise.errors import DataError
from archwise.evaluators.metrics import METRICS, check_metric, compute_metrics, metric_names, score_of
from archwise.tasks.task import Task


def fitted(task_folder, name):
    """Outputs of a linear model on the validation split, as a network would give them."""
    task = Task.load(task_folder(name))
    (x, y), (x_validation, y_validation) = task.arrays("train"), task.arrays("validation")
    x, x_validation = x.reshape(len(x), -1), x_validation.reshape(len(x_validation), -1)
    if task.problem == "regression":
        outputs = Ridge().fit(x, y).predict(x_validation)[:, None]
    else:
        # Few steps, so that there is something to get wrong.
        outputs = LogisticRegression(max_iter=3).fit(x, y).predict_log_proba(x_validation)
    return task, torch.from_numpy(np.asarray(outputs, np.float32)), torch.from_numpy(np.array(y_validation))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["digits", "breast-cancer"])
def test_classification_agrees_with_scikit_learn(task_folder, name):
    task, outputs, y = fitted(task_folder, name)
    found = compute_metrics(metric_names(task.problem), task.problem, outputs, y)
    probabilities, guess = outputs.softmax(1).numpy(), outputs.argmax(1).numpy()
    average = "binary" if task.problem == "binary" else "macro"
    expected = {
        "accuracy": judge.accuracy_score(y, guess),
        "balanced_accuracy": judge.balanced_accuracy_score(y, guess),
        "precision": judge.precision_score(y, guess, average=average),
        "recall": judge.recall_score(y, guess, average=average),
        "f1": judge.f1_score(y, guess, average=average),
        "auc": judge.roc_auc_score(y, probabilities[:, 1] if average == "binary" else probabilities, multi_class="ovr"),
        "log_loss": judge.log_loss(y, probabilities),
    }
    assert found == pytest.approx(expected, abs=1e-5)
    assert 0.5 < found["accuracy"] < 1


def test_regression_is_in_the_target_s_own_units(task_folder):
    task, outputs, y = fitted(task_folder, "diabetes")
    found = compute_metrics(
        metric_names("regression"),
        "regression",
        outputs,
        y,
        target_mean=task.target_mean,
        target_scale=task.target_scale,
    )
    truth, guess = (values * task.target_scale + task.target_mean for values in (y.numpy(), outputs[:, 0].numpy()))
    expected = {
        "rmse": judge.root_mean_squared_error(truth, guess),
        "mae": judge.mean_absolute_error(truth, guess),
        "r2": judge.r2_score(truth, guess),
    }
    assert found == pytest.approx(expected, rel=1e-4)
    assert 30 < found["mae"] < found["rmse"] < 80  # disease progression runs from 25 to 346


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("targets", [[0, 0, 1, 1], [2, 2, 2, 2]])
def test_a_class_that_does_not_occur_makes_nothing_nan(targets):
    outputs = torch.tensor([[3.0, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3]])
    found = compute_metrics(metric_names("multiclass"), "multiclass", outputs, torch.tensor(targets))
    assert all(math.isfinite(value) for value in found.values())
    if targets[0] == 0:
        assert found["balanced_accuracy"] == 0.5
        assert found["auc"] == pytest.approx((1.0 + 0.625) / 2, abs=0.2)


def test_certainty_in_error_costs_much_but_not_infinitely():
    found = compute_metrics(["log_loss"], "binary", torch.tensor([[1e6, -1e6]]), torch.tensor([1]))
    assert 50 < found["log_loss"] < 1000


def test_a_constant_target_explains_nothing():
    found = compute_metrics(["r2"], "regression", torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 1.0]))
    assert found == {"r2": 0.0}


def test_scores_point_upwards():
    for name, metric in METRICS.items():
        better, worse = (2.0, 1.0) if metric.higher_is_better else (1.0, 2.0)
        assert score_of(name, better) > score_of(name, worse)


def test_a_metric_that_does_not_fit_is_refused_with_those_that_do():
    with pytest.raises(DataError, match="'auc' does not fit a regression task: choose one of rmse, mae, r2"):
        check_metric("auc", "regression")
    with pytest.raises(DataError, match="balanced_accuracy"):
        check_metric("acuracy", "binary")
    check_metric("auc", "binary")
