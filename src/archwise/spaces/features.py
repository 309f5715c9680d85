"""The features view: what there is in a graph, counted, and hashed to a vector of fixed length."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import numpy as np

from archwise.spaces.cost import Cost
from archwise.spaces.graph import Graph

BINS = 192
"""Length of the hashed part of the vector."""
PATH_LENGTH = 3
"""Longest labelled path that is counted everywhere, in vertices."""
MOST_WAYS = 200
"""Most paths through one section of a graph that are counted; a section with more is not."""


def features_of(graph: Graph, cost: Cost | None) -> np.ndarray:
    """Return the feature vector of a graph.

    The hashed part has the logarithm of each of `counts_of`; each key is hashed to one of 192 places with a sign, which
    keeps collisions unbiased. Six numbers follow: log10 of parameters, FLOPs and activations, then depth, number of
    vertices and widest layer (log2).

    Args:
        graph: the architecture's graph.
        cost: static costs for the signature at hand; zeros if the network cannot be built.
    """
    vector = np.zeros(BINS + 6)
    for key, amount in counts_of(graph).items():
        digest = hashlib.blake2b(key.encode(), digest_size=5).digest()
        vector[int.from_bytes(digest[:4]) % BINS] += amount if digest[4] & 1 else -amount
    vector[:BINS] = np.sign(vector[:BINS]) * np.log1p(np.abs(vector[:BINS]))
    vector[BINS:] = sizes_of(graph, cost)
    return vector


def sizes_of(graph: Graph, cost: Cost | None) -> list[float]:
    """Return log10 of parameters, FLOPs and activations, depth, number of vertices and widest layer (log2)."""
    costs = (cost.parameters, cost.flops, cost.activations) if cost else (0, 0, 0)
    widths = [float(vertex.attributes.get("width") or 1) for vertex in graph.vertices]
    return [*(math.log10(1 + c) for c in costs), graph.depth, len(graph.vertices), math.log2(max(1.0, *widths))]


def counts_of(graph: Graph) -> Counter[str]:
    """Count a graph's labelled paths of up to three vertices and the neighbourhood of each vertex.

    The neighbourhoods are one round of Weisfeiler-Lehman labels (Shervashidze et al. 2011, Weisfeiler-Lehman graph
    kernels). Numeric attributes are summed, as logarithms, by kind of layer and name.
    """
    counts: Counter[str] = Counter()
    paths: Counter[tuple[str, ...]] = Counter()
    around: Counter[tuple[str, ...]] = Counter()
    labels = [vertex.label for vertex in graph.vertices]
    ending: list[Counter[tuple[str, ...]]] = []  # equal paths are one entry: where cells repeat, most are
    for number, vertex in enumerate(graph.vertices):
        ends: Counter[tuple[str, ...]] = Counter({(labels[number],): 1})
        for i in vertex.inputs:
            for path, amount in ending[i].items():
                if len(path) < PATH_LENGTH:
                    ends[*path, labels[number]] += amount
        ending.append(ends)
        paths.update(ends)
        around[labels[number], *sorted(labels[i] for i in vertex.inputs)] += 1
        for name, value in vertex.attributes.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                size = math.copysign(math.log1p(abs(value)), value)
                counts[f"size {vertex.kind} {name}"] += size  # type: ignore[assignment]
    counts.update({f"path {' > '.join(path)}": amount for path, amount in paths.items()})
    counts.update({f"around {label} < {inputs}": amount for (label, *inputs), amount in around.items()})
    return counts


def ways_of(graph: Graph) -> Counter[str]:
    """Count the labelled paths that lead through each section of a graph from its beginning to its end.

    A section lies between two vertices that every path from input to output passes: a cell, or a residual block. This
    is the path encoding of White et al. 2021 (BANANAS), section by section. Sums have no label; the number of layers
    on each path is counted, too.
    """
    vertices = graph.vertices
    counts: Counter[str] = Counter()
    if not vertices or vertices[0].kind != "input":
        return counts
    before = [1] + [0] * (len(vertices) - 1)
    for number, vertex in enumerate(vertices[1:], 1):
        before[number] = sum(before[i] for i in vertex.inputs)
    after = [0] * (len(vertices) - 1) + [1]
    for number in range(len(vertices) - 1, -1, -1):
        for i in vertices[number].inputs:
            after[i] += after[number]
    ways: dict[int, Counter[tuple[str, ...]]] = {0: Counter({(): 1})}
    for number, vertex in enumerate(vertices[1:], 1):
        own = () if vertex.kind in ("sum", "output") else (vertex.label,)
        into: Counter[tuple[str, ...]] = Counter()
        for i in vertex.inputs:
            for way, amount in ways[i].items():
                into[*way, *own] += amount
        ways[number] = into if into.total() <= MOST_WAYS else Counter()
        if before[number] * after[number] == before[-1]:
            if into.total() > 1:
                for way, amount in ways[number].items():
                    counts[f"way {' > '.join(way)}"] += amount
                    counts[f"way of {len(way)}"] += amount
            ways[number] = Counter({(): 1})
    return counts
