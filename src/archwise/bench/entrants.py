"""Who takes part in a benchmark: our strategies, and other libraries' methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from inspect import isfunction, signature
from typing import Any

from archwise import __version__
from archwise.bench.history import History
from archwise.bench.peers.ready import PEERS
from archwise.bench.peers.simulation import peer_version, simulate_peer
from archwise.bench.simulation import Simulated, simulate
from archwise.errors import ArchwiseError
from archwise.evaluators.table import Table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import TableSpace, table_space
from archwise.evaluators.zero_cost import ZeroCost
from archwise.meta.past_task import PastTask
from archwise.ready import LEARNING, PROPOSING, READY, is_guided, is_learning, is_scheduled, ready_strategy
from archwise.signature import Signature
from archwise.spaces.architecture import Candidate
from archwise.strategies.automatic import automatic
from archwise.strategies.proxies import Scorer
from archwise.strategies.strategy import Strategy

USUAL = ("default", "random", "evolution", "local-search", "tpe")
"""Who is compared where nobody is named."""
LEARNERS = ("default", "random", *LEARNING)
"""Who is compared where they may learn from other tasks, and nobody is named."""
SMALL_IMAGE = Signature((3, 16, 16), 10, "image")
"""What networks of tables are scored on: smaller images than they were trained on rank them about as well."""


def check_entrant(name: str) -> None:
    """Make sure that a name stands for a strategy or a peer, and that the library it needs is installed.

    Raises:
        ArchwiseError: it does not, or is not.
    """
    if name in PEERS:
        peer_version(name)
    elif name not in READY and name != "default":
        raise ArchwiseError(
            f"There is no strategy or peer {name!r}: take some of default, {', '.join(PROPOSING)}; "
            f"or of {', '.join(PEERS)}."
        )
    else:
        _strategy(name, 1, _unscored)


def runnable(name: str) -> bool:
    """Whether all that a strategy or peer needs is installed."""
    try:
        check_entrant(name)
    except ArchwiseError:
        return False
    return True


def misfit(name: str, table: Table, history: History | None = None) -> str | None:
    """Return why a strategy cannot search a table, None if it can.

    Args:
        name: the strategy or peer.
        table: the table.
        history: what is known of the table's other tasks.
    """
    if is_learning(name) and history is None:
        return "it learns from other tasks, which it is shown with --transfer"
    if is_learning(name) and len(table.tasks) == 1:
        return "it learns from other tasks, and the table has one"
    if is_guided(name) and table_space(table).network.size == 1:
        return "it scores untrained networks, and the table has settings alone"
    if is_scheduled(name) and table.cheap is None:
        return "it trains candidates in part, and the table has full trainings alone"
    return None


def installed_peers() -> list[str]:
    """Return the names of the peers whose libraries are installed."""
    return [name for name, maker in PEERS.items() if find_spec(maker.module)]


def version_of(name: str) -> str:
    """Return the library that a strategy or peer comes from, with its version."""
    return peer_version(name) if name in PEERS else f"archwise {__version__}"


def settings_of(name: str, evaluations: int) -> str:
    """Return what a strategy or peer is set to, in words: with other settings it is another entrant.

    Example:
        >>> settings_of("evolution", 100), settings_of("smac", 100)
        ('RegularisedEvolution(population=20, sample=5)', 'evaluations=100')
    """
    return f"evaluations={evaluations}" if name in PEERS else _described(_strategy(name, evaluations, _unscored))


def table_scorer(space: TableSpace) -> ZeroCost:
    """Return zero-cost scores of a table's networks, on Gaussian inputs."""
    image = space.signature is not None and space.signature.kind == "image"
    return ZeroCost.of_signature(replace(space, signature=SMALL_IMAGE) if image else space)


def simulate_entrant(
    name: str,
    evaluator: TableEvaluator,
    task: str,
    seed: int,
    evaluations: int,
    scorer: Scorer | None = None,
    workers: int = 1,
    most: int | None = None,
    past: Sequence[PastTask] = (),
) -> Simulated:
    """Run one search of a strategy or peer on a table's task.

    Args:
        name: the strategy or peer.
        evaluator: the table.
        task: one of its tasks.
        seed: the search's seed.
        evaluations: how many full trainings its trials may cost.
        scorer: zero-cost scores, for the strategies that are guided by them; see `table_scorer`.
        workers: how many trials are evaluated at a time; a peer evaluates one.
        most: end a strategy's search after so many full trainings, though it was made for more.
        past: what is known of other tasks, for the strategies that learn from it.
    """
    if name in PEERS:
        return simulate_peer(name, evaluator, task, seed, evaluations)
    strategy = _strategy(name, evaluations, scorer, past)
    return simulate(strategy, evaluator, TableTask(task), seed, min(most or evaluations, evaluations), workers)


def _strategy(name: str, evaluations: int, scorer: Scorer | None = None, past: Sequence[PastTask] = ()) -> Strategy:
    """Return a strategy; "default" is the one that a search of so many trials takes where none is named."""
    chosen = automatic(evaluations).name if name == "default" else name
    return ready_strategy(chosen, evaluations, scorer=scorer, past=past)


def _unscored(candidate: Candidate) -> dict[str, float]:
    """Stand for zero-cost scores where a strategy is only described."""
    return {}


def _described(value: Any) -> str:
    """Return a strategy as the call that makes it; what it is made of likewise."""
    if isfunction(value):
        return value.__name__
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_described(item)}' for key, item in value.items())}}}"
    if not type(value).__module__.startswith("archwise."):
        return repr(value)
    names = [name for name in signature(type(value)).parameters if hasattr(value, name)]
    return f"{type(value).__name__}({', '.join(f'{name}={_described(getattr(value, name))}' for name in names)})"
