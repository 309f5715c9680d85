"""From source code to a network."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType

import torch
from torch import nn

from archwise.evaluators.failures import TrainingError, is_out_of_memory
from archwise.evaluators.seeding import seed_torch

MODULE = "archwise_network"
"""Name under which the source's module stands in `sys.modules`: one at a time, so memory stays flat over
trials."""


def build_network(source: str, seed: int) -> nn.Module:
    """Run source code and return what its `build_model()` makes; the same seed gives the same initial
    weights.

    Args:
        source: Python text that defines `build_model() -> torch.nn.Module`.
        seed: torch's generator is seeded with it first.

    Raises:
        TrainingError: the source does not run, or does not return a module; the cause is chained.

    Example:
        >>> text = "import torch\\ndef build_model(): return torch.nn.Linear(2, 1)"
        >>> bool((build_network(text, 3).weight == build_network(text, 3).weight).all())
        True
    """
    # Real module and remembered lines: dataclasses, inspect and tracebacks then work as in any file.
    filename = f"<{MODULE}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = sys.modules[MODULE] = ModuleType(MODULE)
    module.__file__ = filename
    # Networks are built on the CPU, so its generator alone decides the weights.
    seed_torch(seed, torch.device("cpu"))
    try:
        exec(compile(source, filename, "exec"), module.__dict__)
        model = module.build_model()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise TrainingError(f"the network cannot be built: {type(error).__name__}: {error}") from error
    if not isinstance(model, nn.Module):
        raise TrainingError(f"the network cannot be built: build_model() returned {type(model).__name__}")
    return model
