"""A peer's search on a benchmark table."""

from __future__ import annotations

import math
import time
from importlib.metadata import PackageNotFoundError, version

from archwise.bench.peers.ready import PEERS
from archwise.bench.simulation import Simulated, Step
from archwise.errors import ArchwiseError
from archwise.evaluators.table_evaluator import TableEvaluator


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
    """Run a peer on a table's task, one evaluation after another.

    It may take options that it took before, and pays for them again, as training again would.

    Args:
        name: one of `PEERS`.
        evaluator: the table.
        task: one of its tasks.
        seed: the search's seed.
        evaluations: how many it may make; it is told so before it starts.

    Raises:
        ArchwiseError: the library is not installed, or failed.
    """
    try:
        return _simulate(name, evaluator, task, seed, evaluations)
    except ArchwiseError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or ["no message"]
        raise ArchwiseError(
            f"The peer {name!r} ({peer_version(name)}) failed on {task!r} of the table {evaluator.space.table.name!r} "
            f"with the seed {seed} ({type(error).__name__}: {lines[0]}): leave it out, or take another version of it."
        ) from error


def _simulate(name: str, evaluator: TableEvaluator, task: str, seed: int, evaluations: int) -> Simulated:
    space = evaluator.space
    table = space.table
    column = table.task_number(task)
    peer = PEERS[name].make(table.decisions, seed, evaluations)
    steps: list[Step] = []
    best, incumbent = -math.inf, None
    thought = clock = 0.0
    for number in range(evaluations):
        start = time.process_time()
        options = peer.ask(number)
        thought += time.process_time() - start
        if options is None:
            break
        row = space.rows.get(tuple(options))
        score = math.nan if row is None else float(table.select[row, column])
        start = time.process_time()
        peer.tell(number, score if math.isfinite(score) else None)
        thought += time.process_time() - start
        if score > best:
            best, incumbent = score, row
        clock += 0.0 if row is None else table.seconds(row, task)
        steps.append(Step(number + 1.0, clock, incumbent))
    return Simulated(tuple(steps), (), thought / max(1, len(steps)))
