"""The features view: an architecture as a vector of fixed length, comparable within and across spaces."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from archwise.spaces.cost import Cost
from archwise.spaces.graph import Graph

BINS = 192
"""Length of the hashed part of the vector."""
PATH_LENGTH = 3
"""Longest labelled path that is counted, in vertices."""


def features_of(graph: Graph, cost: Cost | None) -> np.ndarray:
    """Return the feature vector of a graph.

    The hashed part counts labelled paths of up to three vertices and each vertex's neighbourhood (one round of
    Weisfeiler-Lehman labels, Shervashidze et al. 2011), and sums the logarithms of numeric attributes by layer kind and
    attribute name; each key is hashed to one of 192 places with a sign, which keeps collisions unbiased. Six numbers
    follow: log10 of parameters, FLOPs and activations, then depth, number of vertices and widest layer (log2).

    Args:
        graph: the architecture's graph.
        cost: static costs for the signature at hand; zeros if the network cannot be built.
    """
    vector = np.zeros(BINS + 6)
    labels = [vertex.label for vertex in graph.vertices]
    widest = 1.0
    ending: list[list[str]] = []
    for vertex in graph.vertices:
        number = len(ending)
        paths = [
            f"{path} > {labels[number]}"
            for i in vertex.inputs
            for path in ending[i]
            if path.count(">") < PATH_LENGTH - 1
        ]
        ending.append([labels[number], *paths])
        for path in ending[number]:
            _add(vector, f"path {path}", 1.0)
        _add(vector, f"around {labels[number]} < {sorted(labels[i] for i in vertex.inputs)}", 1.0)
        for name, value in vertex.attributes.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                _add(vector, f"size {vertex.kind} {name}", math.copysign(math.log1p(abs(value)), value))
                widest = max(widest, float(value) if name == "width" else 1.0)
    vector[:BINS] = np.sign(vector[:BINS]) * np.log1p(np.abs(vector[:BINS]))
    costs = (cost.parameters, cost.flops, cost.activations) if cost else (0, 0, 0)
    vector[BINS:] = [*(math.log10(1 + c) for c in costs), graph.depth, len(graph.vertices), math.log2(widest)]
    return vector


def _add(vector: np.ndarray, key: str, amount: float) -> None:
    digest = hashlib.blake2b(key.encode(), digest_size=5).digest()
    vector[int.from_bytes(digest[:4]) % BINS] += amount if digest[4] & 1 else -amount
