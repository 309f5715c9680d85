"""Who takes part in a benchmark: our strategies, and other libraries' methods."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from archwise import __version__
from archwise.bench.peers import PEERS, peer_version, simulate_peer
from archwise.bench.simulation import Simulated, simulate
from archwise.errors import ArchwiseError
from archwise.evaluators.table import Table
from archwise.evaluators.table_evaluator import TableEvaluator, TableTask
from archwise.evaluators.table_space import TableSpace, table_space
from archwise.evaluators.zero_cost import ZeroCost
from archwise.signature import Signature
from archwise.strategies.proxies import Scorer
from archwise.strategies.ready import GUIDED, PROPOSING, READY, is_guided, ready_strategy

SMALL_IMAGE = Signature((3, 16, 16), 10, "image")
"""What networks of tables are scored on: smaller images than they were trained on rank them about as well."""


def check_entrant(name: str) -> None:
    """Make sure that a name stands for a strategy or a peer whose library is installed.

    Raises:
        ArchwiseError: it does not.
    """
    if name not in READY and name not in PEERS:
        raise ArchwiseError(
            f"There is no strategy or peer {name!r}: take some of {', '.join([*PROPOSING, *GUIDED])}; "
            f"or of {', '.join(PEERS)}."
        )
    version_of(name)


def check_on_table(name: str, table: Table) -> None:
    """Make sure that a strategy can search a table.

    Raises:
        ArchwiseError: it is guided by zero-cost proxies, and the table's candidates are no networks.
    """
    if is_guided(name) and table_space(table).network.size == 1:
        raise ArchwiseError(
            f"The strategy {name!r} scores untrained networks, and the table {table.name!r} has settings alone: leave "
            "one of them out."
        )


def installed_peers() -> list[str]:
    """Return the names of the peers whose libraries are installed."""
    return [name for name, maker in PEERS.items() if find_spec(maker.module)]


def version_of(name: str) -> str:
    """Return the version of the library that a strategy or peer comes from."""
    return peer_version(name) if name in PEERS else __version__


def table_scorer(space: TableSpace) -> ZeroCost:
    """Return zero-cost scores of a table's networks, on Gaussian inputs."""
    image = space.signature is not None and space.signature.kind == "image"
    return ZeroCost.of_signature(replace(space, signature=SMALL_IMAGE) if image else space)


def simulate_entrant(
    name: str, evaluator: TableEvaluator, task: str, seed: int, evaluations: int, scorer: Scorer | None = None
) -> Simulated:
    """Run one search of a strategy or peer on a table's task.

    Args:
        name: the strategy or peer.
        evaluator: the table.
        task: one of its tasks.
        seed: the search's seed.
        evaluations: how many full trainings its trials may cost.
        scorer: zero-cost scores, for the strategies that are guided by them; see `table_scorer`.
    """
    if name in PEERS:
        return simulate_peer(name, evaluator, task, seed, evaluations)
    return simulate(ready_strategy(name, evaluations, scorer), evaluator, TableTask(task), seed, evaluations)
