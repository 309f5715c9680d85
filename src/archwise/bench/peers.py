"""Other libraries' methods, given a table's choices as parameters of their own types."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, Protocol

from archwise.bench.simulation import Simulated, Step
from archwise.errors import ArchwiseError
from archwise.evaluators.table import TableDecision
from archwise.evaluators.table_evaluator import TableEvaluator

WORST = -1e9
"""What a peer is told where the table has no score."""


class Peer(Protocol):
    """A method of another library: it is asked for the options to take, and told what came of them."""

    def ask(self) -> Sequence[int]:
        """Return the option to take at each decision."""
        ...

    def tell(self, score: float) -> None:
        """Say what the options of the last `ask` scored; higher is better."""
        ...


class Maker(NamedTuple):
    """How to make a peer.

    Args:
        package: the library, as it is installed.
        module: the library, as it is imported.
        make: (decisions, seed, evaluations) -> the peer.
    """

    package: str
    module: str
    make: Callable[[Sequence[TableDecision], int, int], Peer]


def peer_version(name: str) -> str:
    """Return the version of a peer's library.

    Raises:
        ArchwiseError: it is not installed.
    """
    package = PEERS[name].package
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise ArchwiseError(
            f"The peer {name!r} needs {package}, which is not installed: "
            "pip install 'archwise[peers]', or leave it out."
        ) from None


def simulate_peer(name: str, evaluator: TableEvaluator, task: str, seed: int, evaluations: int) -> Simulated:
    """Run a peer on a table's task; it may take options again that it took before, and pays again."""
    space = evaluator.space
    table = space.table
    column = table.task_number(task)
    peer = PEERS[name].make(table.decisions, seed, evaluations)
    steps: list[Step] = []
    best, incumbent = WORST, None
    thought = clock = 0.0
    for count in range(1, evaluations + 1):
        start = time.perf_counter()
        options = tuple(peer.ask())
        thought += time.perf_counter() - start
        row = space.rows.get(options)
        score = float(table.select[row, column]) if row is not None else WORST
        score = score if score == score else WORST
        start = time.perf_counter()
        peer.tell(score)
        thought += time.perf_counter() - start
        if score > best:
            best, incumbent = score, row
        clock += 1.0 if row is None or table.cost_seconds is None else float(table.cost_seconds[row, column])
        steps.append(Step(float(count), clock, incumbent))
    return Simulated(tuple(steps), (), thought / max(1, evaluations))


def is_grid(decision: TableDecision) -> bool:
    """Whether a decision is an ordered grid of numbers, so that a peer may take it for a number."""
    return all(isinstance(option, int | float) and not isinstance(option, bool) for option in decision.options)


class OptunaPeer:
    """A sampler of Optuna (Akiba et al. 2019): grids as whole numbers (the option's place), others as categories."""

    def __init__(self, sampler: str, decisions: Sequence[TableDecision], seed: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made: dict[str, Callable[[], Any]] = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True),
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        }
        self._study = optuna.create_study(direction="maximize", sampler=made[sampler]())
        self._decisions = decisions
        self._trial: Any = None

    def ask(self) -> Sequence[int]:
        self._trial = self._study.ask()
        return [
            int(self._trial.suggest_int(decision.name, 0, len(decision.options) - 1))
            if is_grid(decision)
            else int(self._trial.suggest_categorical(decision.name, list(range(len(decision.options)))))
            for decision in self._decisions
        ]

    def tell(self, score: float) -> None:
        self._study.tell(self._trial, score)


def _optuna(sampler: str) -> Maker:
    return Maker("optuna", "optuna", lambda decisions, seed, _: OptunaPeer(sampler, decisions, seed))


PEERS: dict[str, Maker] = {
    "optuna-tpe": _optuna("tpe"),
    "optuna-gp": _optuna("gp"),
    "optuna-random": _optuna("random"),
}
"""The peers by their names."""
