"""Who takes part in a benchmark: our strategies, and other libraries' methods."""

from __future__ import annotations

from importlib.util import find_spec
from inspect import signature
from typing import Any

from archwise import __version__
from archwise.bench.peers.ready import PEERS
from archwise.bench.peers.simulation import peer_version, simulate_peer
from archwise.bench.simulation import Simulated, simulate
from archwise.errors import ArchwiseError
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.strategies.ready import PROPOSING, READY, ready_strategy
from archwise.strategies.strategy import Strategy

DEFAULT = "bayesian"
"""What the entrant "default" is: the strategy that is taken where nobody names one."""
USUAL = ("default", "random", "evolution", "local-search", "tpe")
"""Who is compared where nobody is named."""


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
        _strategy(name, 1)


def runnable(name: str) -> bool:
    """Whether all that a strategy or peer needs is installed."""
    try:
        check_entrant(name)
    except ArchwiseError:
        return False
    return True


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
    return f"evaluations={evaluations}" if name in PEERS else _described(_strategy(name, evaluations))


def simulate_entrant(name: str, evaluator: TableEvaluator, task: str, seed: int, evaluations: int) -> Simulated:
    """Run one search of a strategy or peer on a table's task."""
    if name in PEERS:
        return simulate_peer(name, evaluator, task, seed, evaluations)
    return simulate(_strategy(name, evaluations), evaluator, TableTask(task), seed, evaluations)


def _strategy(name: str, evaluations: int) -> Strategy:
    return ready_strategy(DEFAULT if name == "default" else name, evaluations)


def _described(value: Any) -> str:
    """Return a strategy as the call that makes it; what it is made of likewise."""
    if not type(value).__module__.startswith("archwise."):
        return repr(value)
    names = [name for name in signature(type(value)).parameters if hasattr(value, name)]
    return f"{type(value).__name__}({', '.join(f'{name}={_described(getattr(value, name))}' for name in names)})"
