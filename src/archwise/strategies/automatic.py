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


def automatic(trials: int | None, minimise: Sequence[str] = (), experienced: bool = False) -> Choice:
    """Return the strategy that fits a budget and what is wanted.

    Args:
        trials: how many trials there will be; None where time alone is limited.
        minimise: costs that are to be small beside a good score.
        experienced: whether trials of past tasks are known that say something about the space.

    Example:
        >>> automatic(trials=20).name, automatic(trials=None).name, automatic(20, ["parameters"]).name
        ('bayesian', 'halving-bayesian', 'pareto-bayesian')
        >>> automatic(trials=20, experienced=True).name, automatic(trials=None, experienced=True).name
        ('transfer', 'halving-transfer')
    """
    if minimise:
        costs = " and ".join(minimise)
        return Choice(
            "pareto-bayesian",
            f"chosen because {costs} matter beside the score: a model of each proposes what enlarges the Pareto set",
        )
    name, proposes = ("transfer", "a model of past tasks and of") if experienced else ("bayesian", "a model of")
    if trials is not None:
        return Choice(
            name, f"chosen because trials are counted ({trials}): {proposes} the scores proposes, each in full"
        )
    return Choice(
        f"halving-{name}",
        f"chosen because time is limited: {proposes} the scores proposes, and of many trials cut short the best go on",
    )
