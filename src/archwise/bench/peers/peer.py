"""What a benchmark needs of another library's method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from archwise.evaluators.table import TableDecision


class Peer(Protocol):
    """A method of another library: it is asked for options, evaluation by evaluation, and told what came of them.

    It gives the same options for the same seed, whatever else the process does, and may be asked again before it was
    told about what is under way.
    """

    def ask(self, number: int) -> Sequence[int] | None:
        """Return the option to take at each decision in an evaluation; None if it has nothing left to try."""
        ...

    def tell(self, number: int, score: float | None) -> None:
        """Say what an evaluation that was asked for came to; higher is better, None is a failure."""
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


def is_grid(decision: TableDecision) -> bool:
    """Whether a decision is an ordered grid of numbers, so that a peer may take it for a number.

    Example:
        >>> is_grid(TableDecision("width", (8, 16))), is_grid(TableDecision("activation", ("relu", "tanh")))
        (True, False)
    """
    return all(isinstance(option, int | float) and not isinstance(option, bool) for option in decision.options)
