"""A builder of run folders as a search leaves them: real spaces and graphs, made-up scores and costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archwise.evaluators.recipe import training_recipe
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.graph import Graph
from archwise.spaces.joint import JointSpace
from archwise.spaces.ready import ready_space

from .world import FAILURES, METRICS, World, trial_row

STARTED = 1_760_000_000.0
SIGNATURES = {
    "mlp": Signature((30,), 2, "table"),
    "conv1d": Signature((3, 100), 4, "series"),
    "cnn": Signature((1, 28, 28), 10, "image"),
    "cell": Signature((1, 28, 28), 10, "image"),
    "nasbench201": Signature((3, 32, 32), 10, "image"),
}


@dataclass(frozen=True)
class MadeUp:
    """A search to make up.

    Args:
        failures: share of trials that fail or are pruned.
        fidelities: from low to high; more than one gives successive halving's mix.
        confirm: fresh seeds a finalist.
        default_test: quality of the default on the test split beside the winner's.
    """

    space: str = "cnn"
    problem: str = "multiclass"
    trials: int = 60
    failures: float = 0.12
    fidelities: tuple[float, ...] = (1 / 9, 1 / 3, 1.0)
    confirm: int = 3
    winner_is_default: bool = False
    interrupted: bool = False
    default_test: float = -0.2
    name: str = "digits"
    notes: tuple[str, ...] = ("64 columns form an image of 8 × 8.", "10 classes of about 180 rows each.")
    seed: int = 0


def build_run(folder: Path, **settings: Any) -> Path:
    """Write run.json, metrics.json, architecture.json and trials.parquet of a made-up search; see `MadeUp`."""
    asked = MadeUp(**settings)
    rng = np.random.default_rng(asked.seed)
    signature = SIGNATURES[asked.space]
    recipe = training_recipe(signature.kind, classification=asked.problem != "regression")
    joint = JointSpace(ready_space(asked.space), recipe, signature)
    world = World(asked.seed, asked.problem)
    rows = _search(asked, joint, world, rng)
    finalists = _finalists(asked, joint, world, rng, rows)
    start = STARTED
    for row in rows:
        row["started"] = start
        start += row["seconds"]
    architecture = _architecture(joint, finalists[0])
    metrics = _metrics(asked, joint, world, rng, rows, finalists) | {"run": str(folder)}
    for name, content in (("metrics", metrics), ("run", _run(metrics)), ("architecture", architecture)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    pd.DataFrame(rows).to_parquet(folder / "trials.parquet")
    return folder


def graph_json(graph: Graph) -> dict[str, Any]:
    """A graph as architecture.json holds it."""
    vertices = [{"kind": v.kind, "attributes": dict(v.attributes), "inputs": list(v.inputs)} for v in graph.vertices]
    return {"vertices": vertices}


def _search(asked: MadeUp, joint: JointSpace, world: World, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The default first, then random candidates, then mutations of the best."""
    rows: list[dict[str, Any]] = []
    best: list[tuple[float, int, Candidate]] = []
    shares = np.array([0.5**i for i in range(len(asked.fidelities))])
    for number in range(asked.trials):
        fidelity = float(rng.choice(asked.fidelities, p=shares / shares.sum())) if number else asked.fidelities[-1]
        candidates: Iterator[Candidate]
        if number == 0:
            candidates, origin = iter([joint.default]), "the default"
        elif number < 20 or rng.random() < 0.2 or not best:
            candidates, origin = (joint.sample([asked.seed, number, i]) for i in count()), "random"
        else:
            _, parent, candidate = best[int(rng.integers(min(8, len(best))))]
            candidates = (joint.mutate(candidate, [asked.seed, number, i]) for i in count())
            origin = f"mutation of trial {parent}"
        candidate = next(filter(joint.allows, candidates))
        row = trial_row(world, rng, candidate, number, fidelity, "search") | {"origin": origin}
        if number and rng.random() < asked.failures:
            status, reason, traceback = FAILURES[int(rng.integers(len(FAILURES)))]
            row |= {"status": status, "score": None, "reason": reason, "traceback": traceback, "curve": "[]"}
            row |= {key: None for key in row if key.startswith("validation_")}
        elif fidelity == asked.fidelities[-1]:
            best = sorted([*best, (row["score"], number, candidate)], key=lambda entry: -entry[0])
        rows.append(row)
    return rows


def _finalists(
    asked: MadeUp, joint: JointSpace, world: World, rng: np.random.Generator, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The best of the search, with their evaluations with fresh seeds, which join the rows."""
    full = [row for row in rows if row["status"] == "finished" and row["fidelity"] == asked.fidelities[-1]]
    ranked = sorted(full, key=lambda row: -row["score"])[: 1 if asked.interrupted else 5]
    finalists = []
    for trial in rows[:1] if asked.winner_is_default else ranked:
        candidate = _candidate(trial)
        scores = []
        for _ in range(asked.confirm):
            row = trial_row(world, rng, candidate, len(rows), asked.fidelities[-1], "confirm")
            rows.append(row | {"origin": f"fresh seed for trial {trial['number']}"})
            scores.append(row["score"])
        facts = {"trial": trial["number"], "search_score": trial["score"], "scores": scores}
        facts |= {"mean": float(np.mean(scores or [trial["score"]])), "deciding_seeds": len(scores)}
        facts |= {key: json.loads(trial[key]) for key in ("architecture", "recipe")}
        finalists.append(facts | {key: trial[key] for key in ("parameters", "flops")})
    finalists.sort(key=lambda finalist: -finalist["mean"])
    return [finalist | {"chosen": place == 0} for place, finalist in enumerate(finalists)]


def _metrics(
    asked: MadeUp,
    joint: JointSpace,
    world: World,
    rng: np.random.Generator,
    rows: list[dict[str, Any]],
    finalists: list[dict[str, Any]],
) -> dict[str, Any]:
    winner = finalists[0]
    signature = SIGNATURES[asked.space].to_json()
    sizes = {"train": 1149, "validation": 288, "test": 360}
    classes = asked.problem != "regression"
    quality, _ = world.look(_candidate(rows[winner["trial"]]))
    tests = [world.score(quality, 1.0, rng.normal()), world.score(quality + asked.default_test, 1.0, 0.0)]
    if asked.winner_is_default:
        tests[1] = tests[0]
    test, default_test = (round(score * sizes["test"]) / sizes["test"] if classes else score for score in tests)
    spread = {key: abs(value) * 0.003 for key, value in world.metrics(winner["mean"]).items()}
    objective = METRICS[asked.problem][0]
    spread |= {objective: float(np.std(winner["scores"], ddof=1))} if asked.confirm > 1 else {}
    statuses = [row["status"] for row in rows if row["purpose"] == "search"]
    costs = ("parameters", "flops", "latency_ms")
    return {
        "task": {
            "name": asked.name,
            "problem": asked.problem,
            "sizes": sizes,
            "classes": list(range(signature["outputs"])) if classes else [],
            "notes": list(asked.notes),
            "signature": signature,
            "imbalanced": False,
        },
        "objective": objective,
        "higher_is_better": classes,
        "architecture": winner["architecture"],
        "recipe": winner["recipe"],
        "settings": joint.recipe.values(Architecture(winner["recipe"])),
        "validation": world.metrics(winner["mean"]),
        "validation_spread": spread if asked.confirm > 1 else {},
        "test": world.metrics(test),
        "default": {
            "architecture": joint.default.architecture.to_json(),
            "recipe": joint.default.recipe.to_json(),
            "validation": world.metrics(winner["mean"] if asked.winner_is_default else rows[0]["score"]),
            "test": world.metrics(default_test),
            **{key: rows[0][key] for key in costs},
            "is_winner": asked.winner_is_default,
            "final": {"epochs": 9.25, "steps": 3476, "seed": 104},
        },
        "finalists": finalists,
        "trials": {status: statuses.count(status) for status in ("finished", "failed", "pruned")},
        **{key: rows[winner["trial"]][key] for key in (*costs, "memory_bytes")},
        "seconds": sum(row["seconds"] for row in rows) + 9.5,
        "seed": asked.seed,
        "seeds": {"confirm": [101, 102, 103][: asked.confirm], "final": 104},
        "versions": {"archwise": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "numpy": "2.3.1"},
        "hardware": {"cpu": "Some CPU at 2.4 GHz", "cores": 2, "memory_bytes": 8_123_456_789, "gpus": []},
        "strategy": {"name": "halving-evolution", "why": "regularised evolution under successive halving"},
        "budget": {"trials": asked.trials},
        "epochs": 12.0,
        "final": {"epochs": 11.5, "steps": 4321, "seed": 104},
        "test_openings": 1,
        "to_go_on": "--trials 80",
        "stopped_by": "interrupt" if asked.interrupted else "trials",
    }


def _run(metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "archwise": "0.1.0",
        "search": "7f3a",
        "experience": "sqlite:///experience.sqlite",
        "name": metrics["task"]["name"],
        "strategy": metrics["strategy"],
        "recipe_space": "recipe",
        "started": STARTED,
        "sessions": [STARTED],
        "state": "interrupted" if metrics["stopped_by"] == "interrupt" else "finished",
        "test_openings": 1,
        "settings": metrics["budget"] | {"seed": metrics["seed"], "workers": 1, "epochs": metrics["epochs"]},
    }


def _architecture(joint: JointSpace, winner: dict[str, Any]) -> dict[str, Any]:
    assert joint.signature is not None
    graph = joint.network.graph(Architecture(winner["architecture"]))
    return {
        "space": joint.network.name,
        "limits": {},
        "architecture": winner["architecture"],
        "recipe": winner["recipe"],
        "settings": joint.recipe.values(Architecture(winner["recipe"])),
        "signature": joint.signature.to_json(),
        "hash": graph.hash,
        "graph": graph_json(graph),
        "default_graph": graph_json(joint.network.graph(joint.default.architecture)),
    }


def _candidate(row: dict[str, Any]) -> Candidate:
    return Candidate(*(Architecture(json.loads(row[key])) for key in ("architecture", "recipe")))
