"""Metrics of a task by name, computed by torchmetrics from a network's raw outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from archwise.errors import DataError
from archwise.tasks.task import Problem

CLASSIFICATION: tuple[Problem, ...] = ("binary", "multiclass")


class Metric(NamedTuple):
    """One metric: which way is better, the problems it fits, and how it is computed."""

    higher_is_better: bool
    problems: tuple[Problem, ...]
    compute: Callable[[Tensor, Tensor], float]
    """(probabilities (n, classes), classes (n,)) or (predictions (n,), targets (n,)) -> value"""


# torchmetrics is imported inside the functions: it takes a second, of which most is SciPy's signal
# processing.
def _accuracy(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import multiclass_accuracy

    classes = probabilities.shape[1]
    return multiclass_accuracy(probabilities, targets, classes, average="micro", validate_args=False).item()


def _balanced_accuracy(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import multiclass_recall

    classes = probabilities.shape[1]
    recalls = multiclass_recall(probabilities, targets, classes, average="none", validate_args=False)
    return recalls[torch.unique(targets)].mean().item()


def _precision(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import binary_precision, multiclass_precision

    classes = probabilities.shape[1]
    if classes == 2:
        return binary_precision(probabilities.argmax(1), targets, validate_args=False).item()
    return multiclass_precision(probabilities, targets, classes, average="macro", validate_args=False).item()


def _recall(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import binary_recall, multiclass_recall

    classes = probabilities.shape[1]
    if classes == 2:
        return binary_recall(probabilities.argmax(1), targets, validate_args=False).item()
    return multiclass_recall(probabilities, targets, classes, average="macro", validate_args=False).item()


def _f1(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import binary_f1_score, multiclass_f1_score

    classes = probabilities.shape[1]
    if classes == 2:
        return binary_f1_score(probabilities.argmax(1), targets, validate_args=False).item()
    return multiclass_f1_score(probabilities, targets, classes, average="macro", validate_args=False).item()


def _auc(probabilities: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.classification import binary_auroc, multiclass_auroc

    present = torch.unique(targets)
    if len(present) < 2:
        return 0.5
    classes = probabilities.shape[1]
    if classes == 2:
        return binary_auroc(probabilities[:, 1], targets, validate_args=False).item()
    with warnings.catch_warnings():
        # A class without examples gets the area 0 and a warning; it is left out below.
        warnings.simplefilter("ignore")
        each = multiclass_auroc(probabilities, targets, classes, average="none", validate_args=False)
    return each[present].mean().item()


def _log_loss(probabilities: Tensor, targets: Tensor) -> float:
    return F.nll_loss(probabilities.clamp_min(torch.finfo(torch.float32).tiny).log(), targets).item()


def _rmse(predictions: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.regression import mean_squared_error

    return mean_squared_error(predictions, targets, squared=False).item()


def _mae(predictions: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.regression import mean_absolute_error

    return mean_absolute_error(predictions, targets).item()


def _r2(predictions: Tensor, targets: Tensor) -> float:
    from torchmetrics.functional.regression import r2_score

    # Nothing can be explained where nothing varies.
    return r2_score(predictions, targets).item() if torch.unique(targets).numel() > 1 else 0.0


METRICS: dict[str, Metric] = {
    "accuracy": Metric(True, CLASSIFICATION, _accuracy),
    "balanced_accuracy": Metric(True, CLASSIFICATION, _balanced_accuracy),
    "precision": Metric(True, CLASSIFICATION, _precision),
    "recall": Metric(True, CLASSIFICATION, _recall),
    "f1": Metric(True, CLASSIFICATION, _f1),
    "auc": Metric(True, CLASSIFICATION, _auc),
    "log_loss": Metric(False, CLASSIFICATION, _log_loss),
    "rmse": Metric(False, ("regression",), _rmse),
    "mae": Metric(False, ("regression",), _mae),
    "r2": Metric(True, ("regression",), _r2),
}
"""Every metric by name.

Precision, recall and F1 are those of the second class where there are two, and the mean over the classes
(macro) where there are more. Balanced accuracy is the mean recall of the classes that occur. AUC is that of
the second class, or the mean of one-against-the-rest over the classes that occur; where only one class occurs
it is 0.5. The root mean squared error (rmse) and the mean absolute error (mae) are in the target's own units.
"""


def metric_names(problem: Problem) -> tuple[str, ...]:
    """Return the names of all metrics that fit a problem.

    Example:
        >>> metric_names("regression")
        ('rmse', 'mae', 'r2')
    """
    return tuple(name for name, metric in METRICS.items() if problem in metric.problems)


def check_metric(name: str, problem: Problem) -> None:
    """Refuse a metric that does not exist or does not fit the problem.

    Raises:
        DataError: the sentence names the metrics that fit.
    """
    fitting = metric_names(problem)
    if name not in fitting:
        raise DataError(f"The metric {name!r} does not fit a {problem} task: choose one of {', '.join(fitting)}.")


def score_of(metric: str, value: float) -> float:
    """Return a metric's value as a score, where higher is better: errors come negated.

    Example:
        >>> score_of("accuracy", 0.9), score_of("rmse", 2.0)
        (0.9, -2.0)
    """
    return value if METRICS[metric].higher_is_better else -value


def compute_metrics(
    names: Iterable[str],
    problem: Problem,
    outputs: Tensor,
    targets: Tensor,
    *,
    target_mean: float = 0.0,
    target_scale: float = 1.0,
) -> dict[str, float]:
    """Compute metrics from raw outputs; a class that does not occur never makes one NaN.

    Args:
        names: which ones, see `METRICS`.
        problem: "binary" and "multiclass" read the outputs as logits, "regression" as standardised values.
        outputs: (n, classes) float32, or (n, 1) for regression.
        targets: (n,) class numbers, or standardised values.
        target_mean, target_scale: bring a regression target back to its own units.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
        >>> compute_metrics(["accuracy", "recall"], "binary", logits, torch.tensor([0, 1, 1, 1]))
        {'accuracy': 0.75, 'recall': 0.66666...}
    """
    if problem == "regression":
        # Doubles, since a target such as a year has a mean far larger than its spread.
        predictions = outputs[:, 0].double() * target_scale + target_mean
        targets = targets.double() * target_scale + target_mean
    else:
        predictions = outputs.softmax(1)
    return {name: METRICS[name].compute(predictions, targets) for name in names}
