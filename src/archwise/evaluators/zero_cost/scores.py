"""The zero-cost proxies by their names, and all of them for one architecture."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from archwise.errors import SpaceError
from archwise.evaluators.seeding import reproducible, seed_torch
from archwise.evaluators.zero_cost.batch import Batch
from archwise.evaluators.zero_cost.fisher import fisher
from archwise.evaluators.zero_cost.flops import flops
from archwise.evaluators.zero_cost.grad_norm import grad_norm
from archwise.evaluators.zero_cost.grasp import grasp
from archwise.evaluators.zero_cost.jacob_cov import jacob_cov
from archwise.evaluators.zero_cost.naswot import naswot
from archwise.evaluators.zero_cost.parameters import parameters
from archwise.evaluators.zero_cost.snip import snip
from archwise.evaluators.zero_cost.synflow import synflow
from archwise.evaluators.zero_cost.zen import zen
from archwise.spaces.architecture import Architecture
from archwise.spaces.joint import JointSpace

Proxy = Callable[[nn.Module, Batch], float]
"""(network with fresh weights, examples) -> a score, larger meant as better; the network stays as it is."""

PROXIES: dict[str, Proxy] = {
    "parameters": parameters,
    "flops": flops,
    "grad_norm": grad_norm,
    "snip": snip,
    "grasp": grasp,
    "fisher": fisher,
    "synflow": synflow,
    "jacob_cov": jacob_cov,
    "naswot": naswot,
    "zen": zen,
}


def zero_cost_scores(
    space: JointSpace, architecture: Architecture, batch: Batch, seed: int, names: Sequence[str] = tuple(PROXIES)
) -> dict[str, float]:
    """Return what zero-cost proxies say of an architecture, without training it.

    The same arguments give the same scores, whatever was scored before and however many threads torch has. A proxy that
    is not defined for a network, or fails on it, is NaN; so are all where the network cannot be built.

    Args:
        space: the candidates, with the signature for which the network is built.
        architecture: a member of the space's networks.
        batch: the examples.
        seed: of the initial weights.
        names: some of `PROXIES`.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.evaluators.zero_cost import random_batch
        >>> from archwise.signature import Signature
        >>> from archwise.spaces.mlp import mlp
        >>> signature = Signature((4,), 3, "table")
        >>> space = JointSpace(mlp(), training_recipe("table"), signature)
        >>> batch = random_batch(signature, 8, seed=0)
        >>> scores = zero_cost_scores(space, space.default.architecture, batch, seed=0, names=["parameters", "naswot"])
        >>> scores["parameters"] == space.network.cost(space.default.architecture, signature).parameters
        True
    """
    if space.signature is None:
        raise SpaceError("Zero-cost proxies need networks for data of some shape: give the JointSpace a signature.")
    with _one_thread(), reproducible("cpu"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seed_torch(seed, torch.device("cpu"))
        try:
            model = space.network.build(architecture, space.signature)
        except SpaceError:
            return dict.fromkeys(names, float("nan"))
        return {name: _score(PROXIES[name], model, batch) for name in names}


def _score(proxy: Proxy, model: nn.Module, batch: Batch) -> float:
    try:
        return proxy(model, batch)
    except Exception:  # layers of people's own may fail in their own ways; the training will say how
        return float("nan")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: the order of sums, and with it the last digits, depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
