"""What a search leaves for people and programs: the network, its weights, all trials and all numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from archwise.answer import Conclusion
from archwise.clock import spent_seconds
from archwise.evaluators.metrics import METRICS
from archwise.experience.versions import hardware, versions
from archwise.files import json_text
from archwise.final_training import Final
from archwise.loop import Search
from archwise.meta.account import account
from archwise.model_file import model_source
from archwise.pareto import pareto_rows
from archwise.signature import Signature
from archwise.spaces.architecture import Candidate
from archwise.spaces.graph import Graph
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

ESTIMATE_SECONDS, KEPT_SECONDS = 5.0, 4.0
"""Within a time budget: most that estimating what transfer saved may take, and what it leaves for the rest."""


def architecture_record(
    space: JointSpace, candidate: Candidate, default: Candidate, signature: Signature
) -> dict[str, Any]:
    """Return the content of architecture.json: data from which the network is built again, and its graph."""
    network = space.network
    return {
        "space": network.name,
        "limits": network.describe()["limits"],
        "architecture": candidate.architecture.to_json(),
        "recipe": candidate.recipe.to_json(),
        "settings": space.recipe.values(candidate.recipe),
        "signature": signature.to_json(),
        "hash": network.key(candidate.architecture),
        "graph": _graph_record(network.graph(candidate.architecture)),
        "default_graph": _graph_record(network.graph(default.architecture)),
    }


def trials_table(space: JointSpace, trials: Sequence[Trial]) -> bytes:
    """Return the content of trials.parquet: a row for each trial, however it ended."""
    import pandas as pd

    rows = []
    for trial in trials:
        outcome, key = trial.outcome, space.key(trial.candidate)
        row: dict[str, Any] = {
            name: getattr(trial, name) for name in ("number", "purpose", "fidelity", "seed", "parent", "inherits")
        }
        row |= {"status": outcome.status, "score": trial.score, "origin": trial.origin, "reason": outcome.reason}
        row |= {"traceback": outcome.traceback, "started": trial.started, "seconds": trial.seconds}
        costs = ("train_seconds", "parameters", "flops", "memory_bytes", "latency_ms")
        row |= {name: outcome.costs.get(name) for name in costs}
        row |= {f"validation_{name}": value for name, value in outcome.metrics.items()}
        row |= {"architecture": json.dumps(trial.candidate.architecture.to_json())}
        row |= {"recipe": json.dumps(trial.candidate.recipe.to_json())}
        row |= {"architecture_hash": key.architecture, "recipe_hash": key.recipe}
        rows.append(row | {"curve": json.dumps([list(point) for point in outcome.curve])})
    frame = pd.DataFrame(rows).astype({"parent": "Int64", "inherits": "Int64"})
    return frame.to_parquet(index=False)


def write_answer(
    loop: Search,
    conclusion: Conclusion,
    finalists: list[dict[str, Any]],
    finals: dict[Candidate, Final],
    stopped_by: str,
) -> None:
    """Write the run folder's files but the report: metrics.json last, as it says that the others are there."""
    run, task, settings = loop.run, loop.task, loop.settings
    winner, default = finals[finalists[0]["candidate"]], finals.get(loop.default)
    validation, spread = conclusion.validation(winner.candidate)
    every = [*loop.trials, *loop.confirmations]
    record = architecture_record(loop.space, winner.candidate, loop.default, task.signature)
    statuses = [trial.outcome.status for trial in loop.trials]
    facts = {name: getattr(task, name) for name in ("name", "problem", "sizes", "imbalanced")}
    before = [trial for trial in every if trial.started < loop.clock.begun]
    spent = spent_seconds(run["sessions"][:-1], run["ends"], before)
    metrics = {
        "run": str(run.folder),
        "task": facts
        | {"classes": list(task.classes), "notes": list(task.notes), "signature": task.signature.to_json()},
        "objective": settings.objective,
        "higher_is_better": METRICS[settings.objective].higher_is_better,
        "architecture": record["architecture"],
        "recipe": record["recipe"],
        "settings": record["settings"],
        "validation": validation,
        "validation_spread": spread,
        "test": dict(winner.test),
        "default": {
            "architecture": loop.default.architecture.to_json(),
            "recipe": loop.default.recipe.to_json(),
            "validation": _validation_of(conclusion, loop.default),
            "test": dict(default.test) if default else {},
            "is_winner": winner is default,
            "final": conclusion.final.record(default) if default else None,
            **_costs(default),
        },
        "finalists": [{k: v for k, v in row.items() if k not in ("candidate", "fidelity")} for row in finalists],
        "minimise": list(settings.minimise),
        "pareto": pareto_rows(loop.trials, settings.objective, settings.minimise) if settings.minimise else [],
        "trials": {name: statuses.count(name) for name in ("finished", "failed", "pruned")},
        **_costs(winner),
        "seconds": round(spent + loop.clock.seconds, 3),
        "seed": settings.seed,
        "seeds": {
            "confirm": sorted({t.seed for t in loop.confirmations}),
            "final": conclusion.final.done[winner.candidate].seed,
        },
        "final": conclusion.final.record(winner),
        "versions": versions(),
        "hardware": hardware(),
        "strategy": run["strategy"],
        "budget": settings.budget,
        "epochs": settings.epochs,
        "test_openings": run["test_openings"],
        "stopped_by": stopped_by,
        "decided_by": conclusion.decided_by,
        "to_go_on": _to_go_on(loop, conclusion),
    }
    told = account(loop.strategy, loop.space, loop.trials, _estimate_seconds(loop, stopped_by))
    metrics |= {"transfer": told} if told else {}
    files = {name: (task.folder / name).read_bytes() for name in ("preprocessing.json", "preprocessing.npz")}
    run.write_answer(
        {
            **files,
            "model.safetensors": winner.weights.read_bytes(),
            "model.py": model_source(loop.space, winner.candidate, task),
            "architecture.json": json_text(record),
            "trials.parquet": trials_table(loop.space, every),
            "metrics.json": json_text(metrics),
        }
    )
    for final in finals.values():
        final.weights.unlink(missing_ok=True)
    run.update(final_epochs=conclusion.final.schedule_epochs(winner))
    run.forget_checkpoints()


def _to_go_on(loop: Search, conclusion: Conclusion) -> str:
    """Return the option of `archwise resume` that lets the search explore about as much again."""
    minutes = loop.settings.minutes
    if minutes is None:
        return f"--trials {2 * len(loop.trials)}"
    return f"--minutes {math.ceil(max(minutes, 2 * conclusion.reserve() / 60))}"


def _estimate_seconds(loop: Search, stopped_by: str) -> float | None:
    """Return how long estimating what transfer saved may take; None for as long as it takes."""
    if stopped_by == "interrupt":
        return 0.0
    if loop.clock.budget is None:
        return None
    return min(ESTIMATE_SECONDS, max(0.0, loop.clock.left - KEPT_SECONDS))


def _validation_of(conclusion: Conclusion, candidate: Candidate) -> dict[str, float]:
    known = [t for t in conclusion.search.trials if t.candidate == candidate and t.score is not None]
    return conclusion.validation(candidate)[0] if known else {}


def _costs(final: Final | None) -> dict[str, Any]:
    names = ("parameters", "flops", "latency_ms", "memory_bytes", "train_seconds")
    return {name: final.outcome.costs.get(name) if final else None for name in names}


def _graph_record(graph: Graph) -> dict[str, Any]:
    vertices = [{"kind": v.kind, "attributes": dict(v.attributes), "inputs": list(v.inputs)} for v in graph.vertices]
    return {"vertices": vertices}
