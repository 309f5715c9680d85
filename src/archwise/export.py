"""What a search leaves for people and programs: the network as code, weights and plain data."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Sequence
from typing import Any

from archwise.answer import Conclusion, Final
from archwise.clock import spent_seconds
from archwise.errors import SpaceError
from archwise.evaluators.metrics import METRICS
from archwise.experience.versions import hardware, versions
from archwise.loop import Search
from archwise.run import Run
from archwise.signature import Signature
from archwise.spaces.architecture import Candidate
from archwise.spaces.graph import Graph
from archwise.spaces.joint import JointSpace
from archwise.tasks import preprocessing
from archwise.tasks.task import Task
from archwise.trial import Trial

NEEDS = "Needs torch, safetensors, numpy and pandas; beside it lie model.safetensors and preprocessing.json and .npz."
USE = '''
def load_model(folder: str | Path = Path(__file__).parent) -> nn.Module:
    """Return the trained network in evaluation mode, with the weights that lie beside this file."""
    from safetensors.torch import load_file

    model = build_model()
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return model.eval()


@torch.no_grad()
def predict(data: Any, folder: str | Path = Path(__file__).parent) -> pd.DataFrame:
    """Return a row for each example: the prediction, and for classes the probability of each."""
    inputs = torch.from_numpy(preprocess(data, folder))
    model = load_model(folder)
    outputs = torch.cat([model(batch) for batch in inputs.split(512)])
    if not CLASSES:
        return pd.DataFrame({"prediction": outputs[:, 0].double().numpy() * TARGET_SCALE + TARGET_MEAN})
    probabilities = outputs.softmax(1).numpy()
    columns = {"prediction": [CLASSES[i] for i in probabilities.argmax(1)]}
    return pd.DataFrame(columns | {f"probability of {c}": probabilities[:, i] for i, c in enumerate(CLASSES)})


if __name__ == "__main__":
    import sys

    print(predict(sys.argv[1]).to_csv(index=False), end="")
'''


def model_source(space: JointSpace, candidate: Candidate, task: Task) -> str:
    """Return the text of model.py: the network, `preprocess`, `load_model` and `predict`, without archwise.

    Raises:
        Unbuildable: the candidate has no network for the task.
        SpaceError: a user's layer cannot be written down, or has the name of something else in the file.
    """
    network = space.network.source(candidate.architecture, task.signature)
    data = inspect.getsource(preprocessing)
    facts = {"CLASSES": list(task.classes), "TARGET_MEAN": task.target_mean, "TARGET_SCALE": task.target_scale}
    use = "\n".join(f"{name} = {value!r}" for name, value in facts.items()) + "\n\n" + USE
    clash = _defined(network) & (_defined(data) | _defined(use))
    if clash:
        raise SpaceError(f"The layer {min(clash)!r} has the name of a part of the exported model.py: rename the layer.")
    title = f'"""The network that archwise found for {task.name}.\n\n{NEEDS}\n"""'
    parts = [title, network.rstrip(), "# ---- from raw data to the network's input ----", _without_docstring(data), use]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


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


def write_trials(run: Run, space: JointSpace, trials: Sequence[Trial]) -> None:
    """Write trials.parquet: a row for each trial, however it ended."""
    import pandas as pd

    rows = []
    for trial in trials:
        outcome, key = trial.outcome, space.key(trial.candidate)
        row: dict[str, Any] = {
            name: getattr(trial, name) for name in ("number", "purpose", "fidelity", "seed", "parent")
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
    frame = pd.DataFrame(rows).astype({"parent": "Int64"})
    run.write("trials.parquet", frame.to_parquet(index=False))


def write_answer(
    loop: Search,
    conclusion: Conclusion,
    finalists: list[dict[str, Any]],
    finals: dict[Candidate, Final],
    stopped_by: str,
) -> None:
    run, task, settings = loop.run, loop.task, loop.settings
    winner, default = finals[finalists[0]["candidate"]], finals.get(loop.default)
    validation, spread = conclusion.validation(winner.candidate)
    every = [*loop.trials, *loop.confirmations]
    for name in ("preprocessing.json", "preprocessing.npz"):
        run.write(name, (task.folder / name).read_bytes())
    run.write("model.safetensors", winner.weights.read_bytes())
    for final in finals.values():
        final.weights.unlink(missing_ok=True)
    run.write("model.py", model_source(loop.space, winner.candidate, task))
    record = architecture_record(loop.space, winner.candidate, loop.default, task.signature)
    run.write_json("architecture.json", record)
    write_trials(run, loop.space, every)
    statuses = [trial.outcome.status for trial in loop.trials]
    facts = {name: getattr(task, name) for name in ("name", "problem", "sizes", "imbalanced")}
    spent = spent_seconds(run["sessions"][:-1], run["ends"], every)
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
            **_costs(default),
        },
        "finalists": [{k: v for k, v in row.items() if k not in ("candidate", "fidelity")} for row in finalists],
        "trials": {name: statuses.count(name) for name in ("finished", "failed", "pruned")},
        **_costs(winner),
        "seconds": round(spent + loop.clock.seconds, 3),
        "seed": settings.seed,
        "seeds": {"confirm": sorted({t.seed for t in loop.confirmations}), "final": conclusion.seed},
        "versions": versions(),
        "hardware": hardware(),
        "strategy": run["strategy"],
        "budget": settings.budget,
        "epochs": settings.epochs,
        "test_openings": run["test_openings"],
        "stopped_by": stopped_by,
        "decided_by": conclusion.decided_by,
    }
    run.write_json("metrics.json", metrics)
    run.forget_checkpoints()


def _validation_of(conclusion: Conclusion, candidate: Candidate) -> dict[str, float]:
    known = [t for t in conclusion.search.trials if t.candidate == candidate and t.score is not None]
    return conclusion.validation(candidate)[0] if known else {}


def _costs(final: Final | None) -> dict[str, Any]:
    names = ("parameters", "flops", "latency_ms", "memory_bytes", "train_seconds")
    return {name: final.outcome.costs.get(name) if final else None for name in names}


def _graph_record(graph: Graph) -> dict[str, Any]:
    vertices = [{"kind": v.kind, "attributes": dict(v.attributes), "inputs": list(v.inputs)} for v in graph.vertices]
    return {"vertices": vertices}


def _defined(source: str) -> set[str]:
    """Return the names that a module's text defines at its top level (imports aside)."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _without_docstring(source: str) -> str:
    first = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[(first.end_lineno or 0) :])
