"""A builder of run folders as a search leaves them: real spaces and graphs, made-up scores and costs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from archwise.evaluators.recipe import training_recipe
from archwise.signature import Signature
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.spaces.ready import ready_space

Builder = Callable[..., Path]
SIGNATURES = {
    "mlp": Signature((30,), 2, "table"),
    "conv1d": Signature((3, 100), 4, "series"),
    "cnn": Signature((1, 28, 28), 10, "image"),
    "cell": Signature((1, 28, 28), 10, "image"),
    "nasbench201": Signature((3, 32, 32), 10, "image"),
}
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


class _World:
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


@pytest.fixture
def make_run(tmp_path: Path) -> Builder:
    """A function that leaves a run folder under `tmp_path` and returns its path; see `build_run`."""

    def make(**settings: Any) -> Path:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return build_run(folder, **settings)

    return make


def build_run(
    folder: Path,
    *,
    space: str = "cnn",
    problem: str = "multiclass",
    trials: int = 60,
    failures: float = 0.12,
    fidelities: tuple[float, ...] = (1 / 9, 1 / 3, 1.0),
    confirm: int = 3,
    winner_is_default: bool = False,
    interrupted: bool = False,
    default_test: float = -0.2,
    name: str = "digits",
    notes: tuple[str, ...] = ("64 columns form an image of 8 × 8.", "10 classes of about 180 rows each."),
    seed: int = 0,
) -> Path:
    """Write run.json, metrics.json, architecture.json and trials.parquet of a made-up search.

    Args:
        failures: share of trials that fail or are pruned.
        fidelities: from low to high; more than one gives successive halving's mix.
        confirm: fresh seeds a finalist.
        default_test: quality of the default on the test split beside the winner's.
    """
    rng = np.random.default_rng(seed)
    signature = SIGNATURES[space]
    recipe = training_recipe(signature.kind, classification=problem != "regression")
    joint = JointSpace(ready_space(space), recipe, signature)
    world = _World(seed, problem)
    started = 1_760_000_000.0
    rows: list[dict[str, Any]] = []
    best: list[tuple[float, Candidate]] = []
    clock = 0.0
    for number in range(trials):
        if number == 0:
            candidate, origin = joint.default, "the default"
        elif number < 20 or rng.random() < 0.2 or not best:
            samples = (joint.sample([seed, number, i]) for i in count())
            candidate, origin = next(filter(joint.allows, samples)), "random"
        else:
            parent = int(rng.integers(min(8, len(best))))
            mutants = (joint.mutate(best[parent][1], [seed, number, i]) for i in count())
            candidate = next(filter(joint.allows, mutants))
            origin = f"mutation of trial {number - 1 - parent}"
        fidelity = fidelities[-1] if number == 0 else float(rng.choice(fidelities, p=_shares(len(fidelities))))
        row = _row(world, rng, candidate, number, fidelity, "search")
        if number and rng.random() < failures:
            status, reason, traceback = FAILURES[int(rng.integers(len(FAILURES)))]
            row |= {"status": status, "score": None, "reason": reason, "traceback": traceback, "curve": "[]"}
            row |= {key: None for key in row if key.startswith("validation_")}
        clock += float(row["seconds"])
        rows.append(row | {"origin": origin, "started": started + clock - row["seconds"]})
        if row["status"] == "finished" and fidelity == fidelities[-1]:
            best = sorted([*best, (row["score"], candidate)], key=lambda pair: -pair[0])
    if winner_is_default:
        best = [(score, candidate) for score, candidate in best if candidate == joint.default]
    finalists = []
    for place, (score, candidate) in enumerate(best[: 1 if interrupted else 5]):
        number = next(row["number"] for row in rows if row["score"] == score)
        confirmations = []
        for _ in range(confirm):
            row = _row(world, rng, candidate, len(rows), fidelities[-1], "confirm")
            rows.append(row | {"origin": f"fresh seed for trial {number}", "started": started + clock})
            clock += row["seconds"]
            confirmations.append(row["score"])
        finalists.append(
            {
                "trial": number,
                "architecture": candidate.architecture.to_json(),
                "recipe": candidate.recipe.to_json(),
                "search_score": score,
                "scores": confirmations,
                "mean": float(np.mean(confirmations)) if confirmations else score,
                "chosen": place == 0,
                "parameters": rows[number]["parameters"],
                "flops": rows[number]["flops"],
            }
        )
    finalists.sort(key=lambda finalist: -finalist["mean"])
    for place, finalist in enumerate(finalists):
        finalist["chosen"] = place == 0
    _write(folder, joint, world, rng, rows, finalists, locals())
    return folder


def _shares(count: int) -> list[float]:
    weights = [2.0 ** (count - 1 - i) for i in range(count)]
    return [weight / sum(weights) for weight in weights]


def _row(
    world: _World, rng: np.random.Generator, candidate: Candidate, number: int, fidelity: float, purpose: str
) -> dict[str, Any]:
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


def _write(
    folder: Path,
    joint: JointSpace,
    world: _World,
    rng: np.random.Generator,
    rows: list[dict[str, Any]],
    finalists: list[dict[str, Any]],
    asked: dict[str, Any],
) -> None:
    winner = finalists[0]
    problem, space, interrupted = asked["problem"], asked["space"], asked["interrupted"]
    signature = SIGNATURES[space].to_json()
    sizes = {"train": 1149, "validation": 288, "test": 360}
    quality, _ = world.look(Candidate(_record(winner["architecture"]), _record(winner["recipe"])))
    test_score = world.score(quality, 1.0, rng.normal())
    default_score = world.score(quality + asked["default_test"], 1.0, 0.0)
    if problem != "regression":
        test_score, default_score = (round(s * sizes["test"]) / sizes["test"] for s in (test_score, default_score))
    default_row = rows[0]
    is_default = asked["winner_is_default"]
    spread = {key: abs(value) * 0.003 for key, value in world.metrics(winner["mean"]).items()}
    if len(winner["scores"]) > 1:
        objective_spread = float(np.std(winner["scores"], ddof=1))
    else:
        objective_spread, spread = 0.0, {}
    objective = METRICS[problem][0]
    statuses = [row["status"] for row in rows if row["purpose"] == "search"]
    strategy = {"name": "evolution", "why": "mutates what did best, and tries new candidates at a low fidelity first"}
    budget = {"trials": asked["trials"]}
    recipe_values = joint.recipe.values(_record(winner["recipe"]))
    metrics = {
        "run": str(folder),
        "task": {
            "name": asked["name"],
            "problem": problem,
            "sizes": sizes,
            "classes": [] if problem == "regression" else list(range(signature["outputs"])),
            "notes": list(asked["notes"]),
            "signature": signature,
            "imbalanced": False,
        },
        "objective": objective,
        "higher_is_better": problem != "regression",
        "architecture": winner["architecture"],
        "recipe": winner["recipe"],
        "settings": recipe_values,
        "validation": world.metrics(winner["mean"]),
        "validation_spread": spread | {objective: objective_spread} if spread else {},
        "test": world.metrics(test_score),
        "default": {
            "architecture": joint.default.architecture.to_json(),
            "recipe": joint.default.recipe.to_json(),
            "validation": world.metrics(winner["mean"] if is_default else default_row["score"]),
            "test": world.metrics(test_score if is_default else default_score),
            **{key: default_row[key] for key in ("parameters", "flops", "latency_ms")},
            "is_winner": is_default,
        },
        "finalists": finalists,
        "trials": {status: statuses.count(status) for status in ("finished", "failed", "pruned")},
        **{key: rows[winner["trial"]][key] for key in ("parameters", "flops", "latency_ms", "memory_bytes")},
        "seconds": rows[-1]["started"] + rows[-1]["seconds"] - 1_760_000_000.0 + 9.5,
        "seed": asked["seed"],
        "seeds": {"confirm": [101, 102, 103][: len(winner["scores"])], "final": 104},
        "versions": {"archwise": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "numpy": "2.3.1"},
        "hardware": {"cpu": "Some CPU at 2.4 GHz", "cores": 2, "memory_bytes": 8_123_456_789, "gpus": []},
        "strategy": strategy,
        "budget": budget,
        "test_openings": 1,
        "stopped_by": "interrupt" if interrupted else "trials",
    }
    run = {
        "format": 1,
        "archwise": "0.1.0",
        "search": "7f3a",
        "experience": "sqlite:///experience.sqlite",
        "name": asked["name"],
        "strategy": strategy,
        "recipe_space": joint.recipe.name,
        "started": 1_760_000_000.0,
        "sessions": [1_760_000_000.0],
        "state": "interrupted" if interrupted else "finished",
        "test_openings": 1,
        "settings": budget | {"space": space, "seed": asked["seed"], "workers": 1, "epochs": 12.0},
    }
    architecture = {
        "space": space,
        "limits": {},
        "architecture": winner["architecture"],
        "recipe": winner["recipe"],
        "settings": recipe_values,
        "signature": signature,
        "hash": joint.network.graph(_record(winner["architecture"])).hash,
        "graph": graph_json(joint.network.graph(_record(winner["architecture"]))),
        "default_graph": graph_json(joint.network.graph(joint.default.architecture)),
    }
    for name, content in (("metrics", metrics), ("run", run), ("architecture", architecture)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    pd.DataFrame(rows).to_parquet(folder / "trials.parquet")


def _record(choices: dict[str, Any]) -> Any:
    return type(ready_space("mlp").default)(choices)


def graph_json(graph: Any) -> dict[str, Any]:
    """A graph as architecture.json holds it."""
    return {
        "vertices": [
            {"kind": vertex.kind, "attributes": dict(vertex.attributes), "inputs": list(vertex.inputs)}
            for vertex in graph.vertices
        ]
    }
