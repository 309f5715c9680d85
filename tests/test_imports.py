"""Imports point one way, and looking up the help imports nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import archwise

SOURCE = Path(archwise.__file__).parent
LEAVES = {"errors", "files", "signature", "layers"}
TRIALS = LEAVES | {"spaces", "tasks", "trial"}
LOOP = TRIALS | {"evaluators", "experience", "strategies", "runtime", "run", "settings", "clock", "progress"}
LOOP |= {"measuring", "lineage", "loop"}
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "signature": {"errors"},
    "layers": set(),
    "spaces": LEAVES,
    "tasks": LEAVES,
    "trial": {"spaces"},
    "pareto": {"trial"},
    "evaluators": TRIALS,
    "strategies": LEAVES | {"spaces", "trial", "pareto"},
    "experience": LEAVES | {"spaces", "trial"},
    "meta": LEAVES | {"spaces", "tasks", "trial", "strategies", "experience"},
    "ready": LEAVES | {"strategies", "meta"},
    "bench": LEAVES | {"spaces", "trial", "evaluators", "strategies", "meta", "ready", "checks", "report"},
    "runtime": TRIALS | {"evaluators"},
    "lineage": TRIALS | {"evaluators"},
    "loop": LOOP,
    "final_training": LOOP,
    "answer": LOOP | {"final_training"},
    "report": LEAVES | {"trial", "evaluators"},
}


def _imported(path: Path) -> set[str]:
    """Return the parts of archwise that a file imports, but for type checking alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    checking = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    hidden = {id(inner) for node in checking for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in hidden:
            parts = node.module.split(".")
            if parts[0] == "archwise":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_one_way(part: str) -> None:
    files = list((SOURCE / part).rglob("*.py")) or [SOURCE / f"{part}.py"]
    for path in files:
        beyond = _imported(path) - ALLOWED[part] - {part}
        assert not beyond - {"__version__"}, f"{path.relative_to(SOURCE)} imports {sorted(beyond)}"


def test_no_strategy_knows_a_layer_and_no_layer_a_strategy() -> None:
    for path in (SOURCE / "strategies").rglob("*.py"):
        assert "layers" not in _imported(path)


@pytest.mark.parametrize("statement", ["import archwise", "import archwise.cli", "import archwise.trial"])
def test_light_imports(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(sorted({{'torch', 'pandas', 'sqlalchemy', 'sklearn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_search_does_not_wait_for_what_few_searches_need() -> None:
    code = "import archwise.api, sys; print(sorted({'scipy.stats', 'torch._dynamo', 'optuna'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_pickled() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        for word in ("import pickle", " torch.save(", " torch.load(", "allow_pickle=True", "joblib.dump", "yaml"):
            assert word not in text, f"{path.relative_to(SOURCE)} has {word}"
