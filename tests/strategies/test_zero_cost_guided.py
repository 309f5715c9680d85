"""Search guided by zero-cost proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.strategy_contract import StrategyContract, foreign, standard_error

from archwise.errors import ArchwiseError
from archwise.spaces.architecture import Candidate
from archwise.strategies import BayesianOptimization, LocalSearch, RandomSearch, RegularisedEvolution, Strategy
from archwise.strategies.zero_cost_guided import ZeroCostGuided
from archwise.trial import Outcome, Proposal, Trial


def hint(candidate: Candidate) -> dict[str, float]:
    """Two proxies: one knows something of the architecture's worth, one is undefined for some candidates."""
    widths = [float(label) for path, label in candidate.architecture.items() if "width" in path]
    noise = np.random.default_rng(len(repr(candidate)) + round(sum(widths))).normal()
    half = float("nan") if len(widths) == 0 else sum(widths)
    return {"worth": toys.worth(candidate) + 0.1 * noise, "widths": half}


class TestZeroCostEvolution(StrategyContract):
    def make(self) -> Strategy:
        return ZeroCostGuided(RegularisedEvolution(), hint)
