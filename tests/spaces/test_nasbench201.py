"""NAS-Bench-201's 15,625 cells: how many different functions they are, against brute force and published figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations, product
from math import factorial
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from archwise.signature import Signature
from archwise.spaces import Architecture, Cell, Choice, Space, identity, zero
from archwise.spaces.canonical import canonical_hash
from archwise.spaces.cell import cell, nasbench201, nasbench201_operations
from archwise.spaces.graph import Graph, GraphBuilder

from .random_spaces import Scale, scale

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
NAMES = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv1x1",
    "nor_conv_3x3": "conv3x3",
    "avg_pool_3x3": "avg_pool3x3",
}
CIFAR10 = Signature((3, 32, 32), 10, "image")
PRIME = 2**61 - 1

Operations = tuple[str, ...]


@pytest.fixture(scope="module")
def space() -> Space:
    return Space(Cell(4, Choice("op", nasbench201_operations())))


@pytest.fixture(scope="module")
def hashes(space: Space) -> dict[Operations, str]:
    """The hash of every cell, by the operations on its edges."""
    paths = [f"{i}->{j}/op" for i, j in EDGES]
    return {tuple(str(a[path]) for path in paths): space.graph(a).hash for a in space.enumerate()}


def live_edges(operations: Operations) -> dict[tuple[int, int], str]:
    """The edges that lie on a way from the cell's input to its output."""
    edges = {edge: op for edge, op in zip(EDGES, operations, strict=True) if op != "none"}
    from_input, to_output = {0}, {3}
    for i, j in sorted(edges):
        if i in from_input:
            from_input.add(j)
    for i, j in sorted(edges, reverse=True):
        if j in to_output:
            to_output.add(i)
    return {(i, j): op for (i, j), op in edges.items() if i in from_input and j in to_output}


def functional_fingerprint(operations: Operations) -> tuple[int, ...]:
    """The cell's values, in exact arithmetic, for every way of giving its convolutions functions of their own."""
    edges = live_edges(operations)
    convolutions = {kind: [e for e, op in edges.items() if op == kind] for kind in ("conv3x3", "conv1x1")}

    def polynomial(number: int, x: int) -> int:
        a, b, c = (pow(3 + number, power, PRIME) for power in (101, 211, 307))
        return (a * x**3 + b * x**2 + c * x + number) % PRIME

    found = []
    for orders in product(*(permutations(range(len(same))) for same in convolutions.values())):
        which = {
            edge: 10 + 10 * k + number
            for k, (same, order) in enumerate(zip(convolutions.values(), orders, strict=True))
            for edge, number in zip(same, order, strict=True)
        }
        values = {0: 123456789}
        for j in (1, 2, 3):
            into = [(edge, op) for edge, op in edges.items() if edge[1] == j]
            if into:
                terms = [values[e[0]] if op == "skip" else polynomial(which.get(e, 1), values[e[0]]) for e, op in into]
                values[j] = sum(terms) % PRIME
        found.append(values.get(3, 0) if edges else 0)
    assert len(found) == np.prod([factorial(len(same)) for same in convolutions.values()])
    return tuple(sorted(found))


@pytest.mark.slow
def test_hashes_tell_the_cells_apart_as_functions_do(hashes: dict[Operations, str]) -> None:
    functions = {operations: functional_fingerprint(operations) for operations in hashes}
    pairs = {(hashes[operations], functions[operations]) for operations in hashes}
    assert len(hashes) == 15_625
    assert len(set(hashes.values())) == len(set(functions.values())) == len(pairs) == 5_260


@pytest.mark.slow
def test_hashes_tell_the_graphs_apart_as_isomorphism_does(space: Space, hashes: dict[Operations, str]) -> None:
    """One graph of each hash, compared pair by pair within buckets of equal vertices and their inputs."""
    classes: dict[str, Graph] = {}
    paths = [f"{i}->{j}/op" for i, j in EDGES]
    members: dict[str, list[Operations]] = {}
    for operations, found in hashes.items():
        members.setdefault(found, []).append(operations)
    rng = np.random.default_rng(0)

    def graph(operations: Operations) -> Graph:
        return space.graph(Architecture(dict(zip(paths, operations, strict=True))))

    for found, several in members.items():
        classes[found] = graph(several[0])
        other = graph(several[int(rng.integers(len(several)))])
        assert _isomorphic(_networkx(classes[found]), _networkx(other))
    buckets: dict[str, list[nx.DiGraph]] = {}
    for representative in classes.values():
        drawn = _networkx(representative)
        around = [
            (data["label"], sorted(representative.vertices[i].label for i in representative.vertices[v].inputs))
            for v, data in drawn.nodes(data=True)
        ]
        buckets.setdefault(repr(sorted(around)), []).append(drawn)
    compared = 0
    for bucket in buckets.values():
        for i, one in enumerate(bucket):
            for other_graph in bucket[:i]:
                assert not _isomorphic(one, other_graph)
                compared += 1
    assert compared > 100


def _networkx(graph: Graph) -> nx.DiGraph:
    result = nx.DiGraph()
    for number, vertex in enumerate(graph.vertices):
        result.add_node(number, label=vertex.label)
        for source in vertex.inputs:
            count = result.edges[source, number]["count"] + 1 if result.has_edge(source, number) else 1
            result.add_edge(source, number, count=count)
    return result


def _isomorphic(one: nx.DiGraph, two: nx.DiGraph) -> bool:
    same = nx.is_isomorphic(
        one,
        two,
        node_match=lambda a, b: a["label"] == b["label"],
        edge_match=lambda a, b: a["count"] == b["count"],
    )
    return bool(same)


@pytest.mark.slow
def test_removing_dead_edges_alone_leaves_8765_classes() -> None:
    """The published figure, made from the language's pieces: skips stay layers, and nothing is merged."""
    found = set()
    for operations in product(NAMES.values(), repeat=len(EDGES)):
        builder = GraphBuilder()
        nodes = {0: builder.input}
        edges = live_edges(operations)
        for j in (1, 2, 3):
            into = [(i, op) for (i, k), op in edges.items() if k == j]
            if into:
                nodes[j] = builder.vertex("sum", [builder.vertex(op, [nodes[i]]) for i, op in into])
        found.add(builder.finish(nodes.get(3)).hash)
    assert len(found) == 8_765


def test_a_hash_that_is_constant_or_reads_the_string_alone_gives_other_counts(hashes: dict[Operations, str]) -> None:
    swapped = ("conv3x3", "skip", "none", "none", "conv1x1", "avg_pool3x3")  # nodes 1 and 2 change places
    twin = ("skip", "conv3x3", "none", "none", "avg_pool3x3", "conv1x1")
    assert hashes[swapped] == hashes[twin] and len(set(hashes.values())) > 5_000
    assert hashes["conv3x3", "none", "none", "none", "none", "none"] == hashes[("none",) * 6]
    assert canonical_hash([], [], []) != hashes[("none",) * 6]


def test_networks_hold_the_live_edges_alone() -> None:
    """Over all 729 cells of three operations: a module for each edge between input and output, and none beside."""
    table = Signature((3,), 3, "table")
    edge = Choice("op", [zero(called="none"), identity(called="skip"), scale(called="conv3x3")])
    small = Space(Cell(4, edge))
    for architecture in small.enumerate():
        edges = live_edges(tuple(str(architecture[f"{i}->{j}/op"]) for i, j in EDGES))
        if not edges:
            assert small.check(architecture, table) is not None
            continue
        model = small.build(architecture, table)
        modules = sum(isinstance(module, Scale) for module in model.modules())
        assert modules == list(edges.values()).count("conv3x3")
        assert len(model.get_submodule("edges")) == len(edges)
        values = [torch.ones(1, 3)]
        for j in (1, 2, 3):
            into = [values[i] * (1.5 if edges.get((i, j)) == "conv3x3" else 1) for i in range(j) if (i, j) in edges]
            values.append(sum(into, torch.zeros(1, 3)))
        assert torch.equal(model(torch.ones(1, 3)), values[-1])


def rows(shared_data: Path) -> Iterator[tuple[int, Operations]]:
    with np.load(shared_data / "nas" / "nasbench201.npz", allow_pickle=False) as table:
        options = [decision["options"] for decision in json.loads(str(table["decisions"]))]
        for number, row in enumerate(table["architectures"]):
            yield number, tuple(NAMES[options[k][index]] for k, index in enumerate(row))


def test_the_cells_that_do_not_connect_are_the_published_ones(
    shared_data: Path, hashes: dict[Operations, str], space: Space
) -> None:
    with np.load(shared_data / "nas" / "nasbench201.npz", allow_pickle=False) as table:
        connected = table["connected"]
    dead = hashes[("none",) * 6]
    assert [hashes[operations] != dead for _, operations in rows(shared_data)] == list(connected)
    assert (~connected).sum() == 341
    whole = nasbench201()
    paths = [f"/stage/{i}->{j}/op" for i, j in EDGES]
    reason = "No path leads from the network's input to its output."
    cells = list(rows(shared_data))
    for number in [*np.flatnonzero(~connected)[:20], *np.flatnonzero(connected)[::1500]]:
        architecture = Architecture(dict(zip(paths, cells[number][1], strict=True)))
        assert (whole.check(architecture, CIFAR10) == reason) == (not connected[number])


@pytest.mark.slow
def test_costs_are_the_published_ones(shared_data: Path) -> None:
    """Where no edge is dead, parameters are the benchmark's to the last one."""
    space = nasbench201()
    paths = [f"/stage/{i}->{j}/op" for i, j in EDGES]
    whole = [(n, ops) for n, ops in rows(shared_data) if len(live_edges(ops)) == sum(op != "none" for op in ops)]
    with np.load(shared_data / "nas" / "nasbench201.npz", allow_pickle=False) as table:
        published = table["params_millions"]
    rng = np.random.default_rng(0)
    for pick in rng.choice(len(whole), 12, replace=False):
        number, operations = whole[pick]
        cost = space.cost(Architecture(dict(zip(paths, operations, strict=True))), CIFAR10)
        assert cost.parameters == round(published[number, 0] * 1e6)


def test_the_ready_made_space_is_the_benchmark() -> None:
    assert nasbench201().size == 15_625
    stacked = cell(nodes=4, width=16, depth=5, name="nasbench201")
    assert stacked.hash == nasbench201().hash
    names = {p.rpartition("/")[0].removeprefix("/stage/") for p in nasbench201().default}
    assert names == {f"{i}->{j}" for i, j in EDGES}
