"""Small search spaces with what makes strategies stumble, and a table of scores that a good strategy can climb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from zlib import crc32

import numpy as np

from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Settings, Space, identity
from archwise.spaces.architecture import Candidate
from archwise.spaces.cell import cell
from archwise.spaces.parts import activation, conv, dense, global_pool, head, max_pool
from archwise.trial import Outcome, Proposal, Status

Evaluate = Callable[[int, Proposal], Outcome]
"""(number, proposal) -> outcome."""

IMAGE = Signature((3, 8, 8), 4, "image")


def rates(count: int) -> Space:
    """Recipes that differ in their learning rate alone."""
    return Space(Settings(learning_rate=Choice("learning_rate", [0.1 * 2.0**-i for i in range(count)])), "rates")


@cache
def cells() -> JointSpace:
    """250 candidates: many architectures share one function, and some are not connected, so cannot be built."""
    return JointSpace(cell(nodes=3, width=4, depth=1, stages=1), rates(2), IMAGE)


@cache
def pools() -> JointSpace:
    """128 candidates, most of which shrink an image of 8 pixels to nothing."""
    options = [identity(called="none"), max_pool(2), max_pool(4), max_pool(8)]
    stages = [Choice(f"pool{i}", options) for i in range(3)]
    return JointSpace(Space(Chain(conv(4, 3), *stages, global_pool("mean"), head())), rates(2), IMAGE)


@cache
def layers() -> JointSpace:
    """Twelve million candidates, all different and all allowed: six layers, each of a width and an activation."""
    kinds = ["relu", "gelu", "tanh"]
    blocks = [
        Chain(dense(Choice("width", [8, 16, 32, 64])), activation(Choice("act", kinds)), name=f"layer{i}")
        for i in range(6)
    ]
    return JointSpace(Space(Chain(*blocks, head())), rates(4))


@cache
def small_layers() -> JointSpace:
    """Candidates of `layers` with 2,500 parameters at most: one in a few hundred."""
    return replace(layers(), signature=Signature((20,), 2, "table"), most_parameters=2500)


def single() -> JointSpace:
    """One candidate and no choice."""
    return JointSpace(Space(Chain(dense(8), head())), Space(Settings(learning_rate=0.1)))


def impossible() -> JointSpace:
    """Nine candidates, none of which can be built."""
    sizes = [16, 32, 64]
    network = Chain(*(max_pool(Choice(f"size{i}", sizes)) for i in range(2)), global_pool("mean"), head())
    return JointSpace(Space(network), rates(1), IMAGE)


def worth(candidate: Candidate) -> float:
    """The mean over all choices of what the option taken is worth: a fixed number in [0, 1] for each option."""
    taken = [*candidate.architecture.items(), *candidate.recipe.items()]
    return float(np.mean([_uniform(f"{path}={label}") ** 2 for path, label in taken])) if taken else 0.5


def price(candidate: Candidate) -> float:
    """What the candidate is said to have of parameters: a product over all choices, from 100 to 10,000."""
    taken = [*candidate.architecture.items(), *candidate.recipe.items()]
    return float(100 ** (1 + np.mean([_uniform(f"price of {path}={label}") for path, label in taken] or [0.5])))


def evaluate(number: int, proposal: Proposal) -> Outcome:
    """The candidate's worth, at low fidelity less, and not in quite the same order; and its price."""
    missing = 1 - proposal.fidelity
    score = worth(proposal.candidate) - missing * (0.3 + 0.05 * _uniform(repr(proposal.candidate)))
    return Outcome("finished", score, costs={"parameters": price(proposal.candidate)})


def failing(share: float, status: Status) -> Evaluate:
    """Return an evaluation in which a share of the trials, drawn by number, do not finish."""

    def evaluate_or_fail(number: int, proposal: Proposal) -> Outcome:
        return Outcome(status, reason="diverged") if _uniform(f"trial {number}") < share else evaluate(number, proposal)

    return evaluate_or_fail


def _uniform(text: str) -> float:
    return crc32(text.encode()) / 2**32
