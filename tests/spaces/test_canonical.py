"""The canonical hash against brute-force isomorphism."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archwise.spaces.canonical import canonical_hash


class Dag(NamedTuple):
    """A small labelled graph; the order of the inputs of a "sum" means nothing."""

    labels: list[str]
    inputs: list[list[int]]

    @property
    def hash(self) -> str:
        return canonical_hash(self.labels, self.inputs, [label == "sum" for label in self.labels])

    def networkx(self) -> nx.DiGraph:
        graph = nx.DiGraph()
        for vertex, label in enumerate(self.labels):
            graph.add_node(vertex, label=label)
            positions: dict[int, list[int]] = {}
            for position, source in enumerate(self.inputs[vertex]):
                positions.setdefault(source, []).append(0 if label == "sum" else position)
            for source, found in positions.items():
                graph.add_edge(source, vertex, positions=tuple(sorted(found)))
        return graph

    def renamed(self, rng: np.random.Generator) -> Dag:
        """The same graph with its vertices in another topological order, and the terms of sums in another order."""
        order: list[int] = []
        while len(order) < len(self.labels):
            ready = [v for v in range(len(self.labels)) if v not in order and set(self.inputs[v]) <= set(order)]
            order.append(int(rng.choice(ready)))
        place = {old: new for new, old in enumerate(order)}
        inputs = [[place[i] for i in self.inputs[old]] for old in order]
        for old, sources in zip(order, inputs, strict=True):
            if self.labels[old] == "sum":
                rng.shuffle(sources)
        return Dag([self.labels[old] for old in order], inputs)


def isomorphic(one: Dag, two: Dag) -> bool:
    return nx.is_isomorphic(
        one.networkx(),
        two.networkx(),
        node_match=lambda a, b: a["label"] == b["label"],
        edge_match=lambda a, b: a["positions"] == b["positions"],
    )


@st.composite
def dags(draw: Any, most: int = 7) -> Dag:
    labels = draw(st.lists(st.sampled_from(["sum", "sum", "f", "g"]), min_size=1, max_size=most))
    earlier = (st.lists(st.integers(0, vertex - 1), max_size=3) for vertex in range(1, len(labels)))
    return Dag(labels, [[], *(draw(sources) for sources in earlier)])


@given(dags(most=9), st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_renaming_leaves_the_hash(dag: Dag, seed: int) -> None:
    assert dag.renamed(np.random.default_rng(seed)).hash == dag.hash


@given(dags(), dags(), st.integers(0, 2**32 - 1))
@settings(max_examples=400, deadline=None)
def test_hashes_agree_with_isomorphism(dag: Dag, other: Dag, seed: int) -> None:
    assert (dag.hash == other.hash) == isomorphic(dag, other)
    rng = np.random.default_rng(seed)
    for _ in range(3):  # near misses: one edge, or one label, changed in a renamed copy
        near = dag.renamed(rng)
        vertex = int(rng.integers(len(near.labels)))
        if near.inputs[vertex] and rng.random() < 0.7:
            near.inputs[vertex][int(rng.integers(len(near.inputs[vertex])))] = int(rng.integers(vertex))
        else:
            near.labels[vertex] = str(rng.choice(["sum", "f", "g"]))
        assert (dag.hash == near.hash) == isomorphic(dag, near)


@given(dags(most=5))
@settings(max_examples=100, deadline=None)
def test_hashes_agree_with_all_permutations(dag: Dag) -> None:
    """Without networkx: the smallest text over all permutations of the vertices parts the same graphs."""

    def text(one: Dag) -> str:
        found = []
        for place in permutations(range(len(one.labels))):
            rows: list[Any] = [None] * len(place)
            for vertex, label in enumerate(one.labels):
                sources = [place[i] for i in one.inputs[vertex]]
                rows[place[vertex]] = (label, sorted(sources) if label == "sum" else sources)
            found.append(repr(rows))
        return min(found)

    rng = np.random.default_rng(0)
    others = [dag.renamed(rng)]
    for vertex, sources in enumerate(dag.inputs):
        for position, new in product(range(len(sources)), range(vertex)):
            changed = [list(row) for row in dag.inputs]
            changed[vertex][position] = new
            others.append(Dag(dag.labels, changed))
    assert all((dag.hash == other.hash) == (text(dag) == text(other)) for other in others[:8])


@pytest.mark.parametrize(("size", "classes"), [(3, 6), (4, 31), (5, 302)])
def test_unlabelled_graphs_fall_into_the_known_number_of_classes(size: int, classes: int) -> None:
    """The numbers of unlabelled directed acyclic graphs are known: sequence A003087 of the OEIS."""
    pairs = [(i, j) for j in range(size) for i in range(j)]
    hashes = set()
    for chosen in product([False, True], repeat=len(pairs)):
        edges = [pair for pair, taken in zip(pairs, chosen, strict=True) if taken]
        hashes.add(Dag(["sum"] * size, [[i for i, j in edges if j == vertex] for vertex in range(size)]).hash)
    assert len(hashes) == classes


@pytest.mark.slow
def test_all_unlabelled_graphs_of_six_vertices() -> None:
    test_unlabelled_graphs_fall_into_the_known_number_of_classes(6, 5984)


def two_rings(first: int, second: int) -> Dag:
    """Layers on one input, added in pairs along one or two rings, then joined: every vertex looks locally alike."""
    size = first + second
    ring = [(i, (i + 1) % first) for i in range(first)]
    ring += [(first + i, first + (i + 1) % second) for i in range(second)]
    labels = ["input", *["f"] * size, *["sum"] * size, *["g"] * size, "sum"]
    inputs: list[list[int]] = [[], *([0] for _ in range(size))]
    inputs += [[1 + i, 1 + j] for i, j in ring]
    inputs += [[1 + size + i] for i in range(size)]
    return Dag(labels, [*inputs, [1 + 2 * size + i for i in range(size)]])


def weisfeiler_lehman(dag: Dag) -> str:
    """A plain colour-refinement hash, which many projects take for a canonical one."""
    out: list[list[int]] = [[] for _ in dag.labels]
    for vertex, sources in enumerate(dag.inputs):
        for source in sources:
            out[source].append(vertex)
    colours = list(dag.labels)
    for _ in dag.labels:
        around = [
            (colours[v], sorted(colours[i] for i in dag.inputs[v]), sorted(colours[o] for o in out[v]))
            for v in range(len(colours))
        ]
        colours = [hashlib.sha256(repr(seen).encode()).hexdigest() for seen in around]
    return repr(sorted(Counter(colours).items()))


def test_graphs_that_look_alike_everywhere_are_told_apart() -> None:
    one, two = two_rings(6, 0), two_rings(3, 3)
    assert weisfeiler_lehman(one) == weisfeiler_lehman(two)
    assert not isomorphic(one, two) and one.hash != two.hash
    assert two_rings(5, 3).hash not in (two_rings(4, 4).hash, two_rings(8, 0).hash)
    rng = np.random.default_rng(0)
    for dag in (one, two, two_rings(4, 4)):
        assert dag.renamed(rng).hash == dag.hash


def of_pairs(drawn: nx.Graph) -> Dag:
    """Layers on one input for the vertices of an undirected graph, and a sum of two for each of its edges."""
    place = {vertex: number for number, vertex in enumerate(drawn)}
    inputs: list[list[int]] = [[], *([0] for _ in place), *([1 + place[a], 1 + place[b]] for a, b in drawn.edges)]
    return Dag(["input", *["f"] * len(place), *["sum"] * drawn.number_of_edges()], inputs)


def test_regular_graphs_without_symmetry() -> None:
    """Frucht's graph looks alike at all of its 12 vertices, yet no two may change places: every one must be tried."""
    regular = [
        nx.frucht_graph(),
        nx.truncated_tetrahedron_graph(),
        nx.circular_ladder_graph(6),
        nx.dodecahedral_graph(),
    ]
    every = [of_pairs(drawn) for drawn in regular]
    assert len({weisfeiler_lehman(dag) for dag in every[:3]}) == 1
    assert len({dag.hash for dag in every}) == 4
    rng = np.random.default_rng(0)
    for dag, renamings in zip(every, (6, 3, 3, 1), strict=True):
        assert {dag.renamed(rng).hash for _ in range(renamings)} == {dag.hash}


def branches(sizes: Sequence[int]) -> Dag:
    labels, inputs, ends = ["input"], [[]], []
    for size in sizes:
        at = 0
        for _ in range(size):
            labels.append("f")
            inputs.append([at])
            at = len(labels) - 1
        ends.append(at)
    return Dag([*labels, "sum"], [*inputs, ends])


def crown(size: int, skipped: int) -> Dag:
    """Every sum takes every layer but one (skipped = 1), or every layer (0)."""
    labels = ["input", *["f"] * size, *["sum"] * size, *["g"] * size, "sum"]
    sums = [[1 + i for i in range(size) if not (skipped and i == j)] for j in range(size)]
    inputs = [[], *([0] for _ in range(size)), *sums, *([1 + size + i] for i in range(size))]
    return Dag(labels, [*inputs, [1 + 2 * size + i for i in range(size)]])


def test_highly_symmetric_graphs_take_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search through all 10! orders would never end; the number of refinements stays small."""
    from archwise.spaces import canonical

    refinements = Counter[str]()
    refine = canonical._Coloured.refine
    monkeypatch.setattr(
        canonical._Coloured, "refine", lambda self, colours: (refinements.update(["n"]), refine(self, colours))[1]
    )
    rng = np.random.default_rng(0)
    every = [branches([1] * 10), branches([3] * 10), branches([2] * 5 + [3] * 5), crown(10, 0), crown(10, 1)]
    pairs = [[1 + i, 1 + j] for i in range(6) for j in range(i)]
    every.append(Dag(["input", *["f"] * 6, *["sum"] * 15], [[], *([0] for _ in range(6)), *pairs]))
    for dag in every:
        refinements.clear()
        assert dag.hash == dag.renamed(rng).hash
        assert refinements["n"] < 500
    assert len({dag.hash for dag in every}) == len(every)
    assert branches([2] * 9 + [3]).hash != branches([2] * 8 + [3] * 2).hash
