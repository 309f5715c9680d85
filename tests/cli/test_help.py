"""Help is quick, names what there is, and gives examples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

from archwise import __version__
from archwise.evaluators.metrics import METRICS
from archwise.ready import PROPOSING, READY, SCHEDULING
from archwise.spaces.ready import READY as SPACES
from archwise.tasks.load import BUNDLED

COMMANDS = ("search", "resume", "show", "predict", "experience", "strategies", "bench")
Invoke = Callable[..., Result]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    program = f"""
import sys
from archwise.cli import main
sys.argv = {["archwise", *arguments]!r}
try:
    main()
finally:
    heavy = {{"torch", "numpy", "pandas", "sqlalchemy", "scipy", "sklearn", "torchmetrics", "plotly", "psutil", "rich"}}
    print("IMPORTED", sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (0, "IMPORTED []")


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_every_help_has_an_example_that_names_its_command(invoke: Invoke, arguments: list[str]) -> None:
    text = invoke(*arguments, "--help").stdout
    assert re.search(rf"Example: archwise {' '.join(arguments)}", text)
    assert all(name in text for name in (COMMANDS if not arguments else ["--debug"]))


def test_help_of_search_names_all_that_can_be_chosen(invoke: Invoke) -> None:
    text = re.sub(r"-\s+", "-", invoke("search", "--help").stdout)  # a word may be broken at its hyphen
    for name in [*SPACES, *METRICS, *BUNDLED]:
        assert re.search(rf"\b{name}\b", text), name


def test_the_strategies_are_listed(invoke: Invoke) -> None:
    text = invoke("strategies").stdout
    for name in ["auto", *PROPOSING, *(f"{schedule}-" for schedule in SCHEDULING)]:
        assert re.search(rf"^{name} +\w", text, re.MULTILINE), name
    assert json.loads(invoke("strategies", "--json").stdout).keys() == {"auto", *READY}


def test_version(invoke: Invoke) -> None:
    done = invoke("--version")
    assert (done.exit_code, done.stdout) == (0, f"archwise {__version__}\n")


def test_without_a_command_the_help_comes(invoke: Invoke) -> None:
    done = invoke()
    assert done.exit_code == 2
    assert "Example: archwise search" in done.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["search"], "DATA"),
        (["search", "iris", "--trails", "3"], "--trials"),
        (["search", "iris", "--trials", "many"], "--trials"),
        (["search", "iris", "--device", "tpu"], "'cpu', 'cuda'"),
        (["search", "iris", "--kind", "text"], "'table', 'image', 'series'"),
        (["predict", "run"], "DATA"),
        (["serach"], "serach"),
    ],
)
def test_what_was_typed_wrongly_is_named(invoke: Invoke, arguments: list[str], named: str) -> None:
    done = invoke(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
