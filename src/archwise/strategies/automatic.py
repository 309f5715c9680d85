"""The choice of a strategy where nobody names one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Choice(NamedTuple):
    """A chosen strategy."""

    name: str
    """One of the ready-made strategies."""
    why: str
    """The reason, in words for people."""


def automatic(trials: int | None, minimise: Sequence[str] = ()) -> Choice:
    """Return the strategy that fits a budget and what is wanted.

    Args:
        trials: how many trials there will be; None where time alone is limited.
        minimise: costs that are to be small beside a good score.

    Example:
        >>> automatic(trials=20).name, automatic(trials=None).name, automatic(20, ["parameters"]).name
        ('bayesian', 'halving-bayesian', 'pareto-bayesian')
    """
    if minimise:
        costs = " and ".join(minimise)
        return Choice(
            "pareto-bayesian",
            f"chosen because {costs} matter beside the score: a model of each proposes what enlarges the Pareto set",
        )
    if trials is not None:
        return Choice(
            "bayesian", f"chosen because trials are counted ({trials}): a model of the scores proposes, each in full"
        )
    return Choice(
        "halving-bayesian",
        "chosen because time is limited: a model of the scores proposes, and of many trials cut short the best go on",
    )
