"""Made-up but plausible trials: which candidates are good, what they cost, how they fail."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from archwise.spaces.architecture import Candidate

FAILURES = [
    ("failed", "diverged: the training loss became NaN in step 212", ""),
    ("failed", "out of memory: the worker passed its limit of 2.0 GB", ""),
    ("failed", "time limit: 30 s", ""),
    (
        "failed",
        "RuntimeError: Given groups=1, weight of size [16, 16, 3, 3], expected input to have 16 channels",
        'Traceback (most recent call last):\n  File "archwise/evaluators/training.py", line 88, in train\n    '
        "outputs = model(x)\nRuntimeError: Given groups=1, weight of size [16, 16, 3, 3], expected <b>16</b> & more\n",
    ),
    ("pruned", "could not reach the best score", ""),
]
METRICS = {
    "binary": ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "log_loss"],
    "multiclass": ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "auc", "log_loss"],
    "regression": ["rmse", "mae", "r2"],
}


class World:
    """Which candidates are good, and what they cost: each option has an effect of its own."""

    def __init__(self, seed: int, problem: str):
        self.effects = np.random.default_rng(seed)
        self.known: dict[tuple[str, object], tuple[float, float]] = {}
        self.problem = problem

    def look(self, candidate: Candidate) -> tuple[float, float]:
        """Quality (about standard normal) and log10 of the parameters."""
        options = [*candidate.architecture.items(), *candidate.recipe.items()]
        for option in options:
            if option not in self.known:
                self.known[option] = (self.effects.normal(), self.effects.normal())
        quality, size = np.sum([self.known[option] for option in options], axis=0) / math.sqrt(len(options))
        return quality + 0.4 * size, 5.2 + 0.45 * size

    def score(self, quality: float, fidelity: float, noise: float) -> float:
        """The objective on validation, higher is better."""
        level = quality + 0.25 * noise + 1.3 * math.log10(fidelity)
        if self.problem == "regression":
            return -float(48.0 + 9.0 * math.exp(-0.55 * level))
        return float(1 - 0.035 * math.exp(-0.6 * level)) if level > -5 else 0.1

    def metrics(self, score: float) -> dict[str, float]:
        """All metrics that would come with a score."""
        if self.problem == "regression":
            return {"rmse": -score, "mae": -0.79 * score, "r2": 1 - (score / 76) ** 2}
        return {
            "accuracy": score,
            "balanced_accuracy": score - 0.002,
            "precision": score + 0.001,
            "recall": score - 0.002,
            "f1": score - 0.001,
            "auc": 1 - (1 - score) / 6,
            "log_loss": 3.1 * (1 - score),
        }


def trial_row(
    world: World, rng: np.random.Generator, candidate: Candidate, number: int, fidelity: float, purpose: str
) -> dict[str, Any]:
    """A finished trial of a candidate, as trials.parquet holds it."""
    quality, size = world.look(candidate)
    score = world.score(quality, fidelity, rng.normal())
    seconds = float(fidelity * (2.0 + 3.0 * 10 ** (0.5 * (size - 5))) * rng.lognormal(0, 0.1))
    parameters = int(10**size)
    curve = [[fidelity * s, seconds * s, 2.3 - 2 * s, 2.3 - 1.9 * s, score * s] for s in (0.25, 0.5, 0.75, 1.0)]
    return {
        "number": number,
        "purpose": purpose,
        "status": "finished",
        "score": score,
        "fidelity": fidelity,
        "seed": int(rng.integers(2**31)),
        "parent": None,
        "origin": "",
        "reason": "",
        "traceback": "",
        "started": 0.0,
        "seconds": seconds + 0.02,
        "train_seconds": seconds,
        "parameters": parameters,
        "flops": int(parameters * rng.lognormal(3.5, 0.5)),
        "memory_bytes": int(4e7 + parameters * 16),
        "latency_ms": float(0.3 + parameters**0.5 / 900 * rng.lognormal(0, 0.2)),
        **{f"validation_{key}": value for key, value in world.metrics(score).items()},
        "architecture": json.dumps(candidate.architecture.to_json()),
        "recipe": json.dumps(candidate.recipe.to_json()),
        "architecture_hash": f"{hash(candidate.architecture) & 0xFFFFFFFF:08x}",
        "recipe_hash": f"{hash(candidate.recipe) & 0xFFFFFFFF:08x}",
        "curve": json.dumps(curve),
    }
