"""model.py: the network found, with its preprocessing, as code that needs nothing of archwise."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Sequence

from archwise.errors import SpaceError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.spaces.layer_types import Layer
from archwise.spaces.occurrences import walk
from archwise.spaces.plan import Call
from archwise.spaces.source import source_of
from archwise.tasks import array_inputs, frame_inputs, scaling
from archwise.tasks.preprocessing import load_preprocessing
from archwise.tasks.task import Task

PREPROCESS = '''
import json
from pathlib import Path
from typing import Any

import numpy as np


def preprocess(data: Any, folder: str | Path = Path(__file__).parent) -> np.ndarray:
    """Turn data in the training source's form into the network's input: float32 of shape (rows, *input)."""
    settings = json.loads((Path(folder) / "preprocessing.json").read_text(encoding="utf-8"))
    with np.load(Path(folder) / "preprocessing.npz", allow_pickle=False) as arrays:
        return TRANSFORM(data, settings, dict(arrays))
'''
NEEDS = "Needs torch, safetensors, numpy and pandas; beside it lie model.safetensors and preprocessing.json and .npz."
USE = '''
import pandas as pd
import torch
from torch import nn


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
    data = _data_part(task)
    _refuse_clashes(network, data)
    title = f'"""The network that archwise found for {task.name}.\n\n{NEEDS}\n"""'
    parts = [network, "# ---- from raw data to the network's input ----", *data]
    bodies = [_without_head(part) for part in parts]
    return "\n\n\n".join([title + "\n\n" + _imports(parts), *bodies]) + "\n"


def check_layers(space: JointSpace, task: Task) -> None:
    """Make sure that every layer of a space can stand in model.py, in whichever architecture.

    Raises:
        SpaceError: a user's layer cannot be written down, or has the name of something else in the file.
    """
    data = _data_part(task)
    factories = {part.kind.factory for _, part in walk(space.network.root) if isinstance(part, Layer)}
    for factory in factories:
        _refuse_clashes(source_of(Call(factory)), data)


def _data_part(task: Task) -> list[str]:
    """Return the texts that bring raw data to the network and its outputs to people."""
    facts = {"CLASSES": list(task.classes), "TARGET_MEAN": task.target_mean, "TARGET_SCALE": task.target_scale}
    values = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
    form = load_preprocessing(task.folder).settings["form"]
    data = [inspect.getsource(module) for module in (scaling, frame_inputs if form == "frame" else array_inputs)]
    return [*data, PREPROCESS.replace("TRANSFORM", f"transform_{form}"), values, USE]


def _refuse_clashes(network: str, data: Sequence[str]) -> None:
    whole = "\n".join(data)
    imported, needed = _imported(network), _imported(whole)
    clash = {name for name in imported.keys() & needed.keys() if imported[name] != needed[name]}
    clash |= _defined(network) & needed.keys() | (_defined(network) | imported.keys()) & _defined(whole)
    if clash:
        raise SpaceError(
            f"What a layer calls {min(clash)!r} has the name of another part of the exported model.py: rename it."
        )


def _defined(source: str) -> set[str]:
    """Return the names that a module's text defines at its top level (imports aside)."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _imported(source: str) -> dict[str, str]:
    """Return the names that a module's text imports, and what each stands for."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {
        alias.asname or alias.name: f"{getattr(node, 'module', '')}:{alias.name}"
        for node in nodes
        for alias in node.names
    }


def _without_head(source: str) -> str:
    """Return a module's text without its docstring and imports."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.Import | ast.ImportFrom) or (node.lineno == 1 and isinstance(node, ast.Expr)):
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n")


def _imports(sources: Sequence[str]) -> str:
    """Return all that the texts import, but of archwise, in the usual order: the standard library first."""
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for node in (node for source in sources for node in ast.parse(source).body):
        if isinstance(node, ast.Import):
            whole |= {ast.unparse(alias) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts.setdefault(node.module or "", set()).update(ast.unparse(alias) for alias in node.names)
    lines = [(name.split()[0], f"import {name}") for name in sorted(whole)]
    lines += [(module, f"from {module} import {', '.join(sorted(names))}") for module, names in sorted(parts.items())]
    groups: list[list[str]] = [[], [], []]
    for module, line in lines:
        package = module.split(".")[0]
        if package != "archwise":
            groups[0 if package == "__future__" else 1 if package in sys.stdlib_module_names else 2].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)
