"""Who takes part in a benchmark: our strategies, and other libraries' methods."""

from __future__ import annotations

from importlib.util import find_spec

from archwise import __version__
from archwise.bench.peers import PEERS, peer_version, simulate_peer
from archwise.bench.simulation import Simulated, simulate
from archwise.errors import ArchwiseError
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.strategies.ready import PROPOSING, READY, ready_strategy


def check_entrant(name: str) -> None:
    """Make sure that a name stands for a strategy or a peer whose library is installed.

    Raises:
        ArchwiseError: it does not.
    """
    if name not in READY and name not in PEERS:
        raise ArchwiseError(
            f"There is no strategy or peer {name!r}: take some of {', '.join(PROPOSING)}; or of {', '.join(PEERS)}."
        )
    version_of(name)


def installed_peers() -> list[str]:
    """Return the names of the peers whose libraries are installed."""
    return [name for name, maker in PEERS.items() if find_spec(maker.module)]


def version_of(name: str) -> str:
    """Return the version of the library that a strategy or peer comes from."""
    return peer_version(name) if name in PEERS else __version__


def simulate_entrant(name: str, evaluator: TableEvaluator, task: str, seed: int, evaluations: int) -> Simulated:
    """Run one search of a strategy or peer on a table's task."""
    if name in PEERS:
        return simulate_peer(name, evaluator, task, seed, evaluations)
    return simulate(ready_strategy(name, evaluations), evaluator, TableTask(task), seed, evaluations)
