"""The graph view: equal for equal functions, different for different ones."""

from __future__ import annotations

import hashlib
from itertools import permutations, product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings

from archwise.errors import SpaceError
from archwise.spaces import (
    Architecture,
    Cell,
    Chain,
    Choice,
    Concat,
    Layer,
    Repeat,
    Residual,
    Space,
    Sum,
    identity,
    layer,
    zero,
)
from archwise.spaces.parts import activation, avg_pool, batch_norm, dense, dropout, flatten, head, max_pool, relu

from .random_spaces import TABLE, Scale, members, scale, spaces

PRIME = 2**61 - 1


def hash_of(*parts: Any) -> str:
    space = Space(Chain(*parts))
    return space.graph(space.default).hash


class Value(NamedTuple):
    """What a part gives: a number, the pieces if it is a concat, and the layers that it was computed by."""

    number: int
    pieces: tuple[int, ...] | None
    used: frozenset[tuple[str, int]]


class Evaluation:
    """Evaluates a decided tree exactly, with an arbitrary function for each layer: an oracle that knows no graphs.

    Args:
        which: (label, instance) -> number of the function that stands for it.
    """

    def __init__(self, which: dict[tuple[str, int], int]):
        self.which = which
        self.instances: dict[str, int] = {}
        self.scope: tuple[dict[tuple[str, int], int], list[int]] | None = None

    def function(self, name: str, *numbers: int) -> int:
        return int(hashlib.sha256(repr((name, numbers)).encode()).hexdigest(), 16) % PRIME

    def layer(self, label: str, x: Value) -> Value:
        if self.scope is None:
            number = self.new(label)
        else:  # inside shared weights: the n-th layer of each copy is the same
            taken, position = self.scope
            key = (label, position[0])
            position[0] += 1
            number = taken[key] if key in taken else taken.setdefault(key, self.new(label))
        instance = (label, number)
        kind = "shared" if self.scope is not None else "own"
        number = self.function(f"{kind} {label} {self.which.get(instance, 0)}", x.number)
        return Value(number, None, x.used | {instance})

    def new(self, label: str) -> int:
        self.instances[label] = self.instances.get(label, 0) + 1
        return self.instances[label] - 1

    def add(self, values: list[Value | None]) -> Value | None:
        live = [value for value in values if value is not None]
        if len(live) < 2:
            return live[0] if live else None
        return Value(sum(v.number for v in live) % PRIME, None, frozenset().union(*(v.used for v in live)))

    def join(self, values: list[Value | None]) -> Value | None:
        live = [value for value in values if value is not None]
        if len(live) < 2:
            return live[0] if live else None
        pieces = tuple(n for v in live for n in (v.pieces or (v.number,)))
        return Value(self.function("concat", *pieces), pieces, frozenset().union(*(v.used for v in live)))

    def run(self, part: Any, x: Value | None) -> Value | None:
        if isinstance(part, Layer):
            if x is None or part.kind is zero:
                return None
            if part.kind is identity:
                return x
            label = f"{part.kind.name} {sorted(part.attributes.items())}"
            if part.kind.pure:
                return Value(self.function(f"pure {label}", x.number), None, x.used)
            return self.layer(label, x)
        if isinstance(part, Chain):
            for inner, _ in part.parts("", 1):
                x = self.run(inner, x)
            return x
        if isinstance(part, Sum):
            return self.add([self.run(branch, x) for branch in part.branches])
        if isinstance(part, Concat):
            return self.join([self.run(branch, x) for branch in part.branches])
        if isinstance(part, Residual):
            body = self.run(part.body, x)
            return x if x is None or body is None else self.add([body, self.layer("shortcut", x)])
        if isinstance(part, Cell):
            values = [x]
            for j in range(1, part.times):
                values.append(self.add([self.run(part._edges[i, j], values[i]) for i in range(j)]))
            return values[-1]
        assert isinstance(part, Repeat) and part.share_weights
        outer = self.scope
        taken: dict[tuple[str, int], int] = {}
        start = outer[1][0] if outer is not None else 0
        for _ in range(part.times):
            self.scope = (outer[0] if outer is not None else taken, [start])
            x = self.run(part.body, x)
        end = self.scope[1][0] if self.scope is not None else 0
        self.scope = outer
        if outer is not None:
            outer[1][0] = end
        return x


def fingerprint(space: Space, architecture: Architecture, most: int = 150) -> tuple[int, ...] | None:
    """What the network computes for every way of giving functions to its layers; None where these are too many."""
    root = space._read(architecture).root
    start = Value(7, None, frozenset())
    first = Evaluation({})
    result = first.run(root, start)
    if result is None:
        return ()
    labels: dict[str, list[tuple[str, int]]] = {}
    for instance in sorted(result.used):
        labels.setdefault(instance[0], []).append(instance)
    ways = 1
    for instances in labels.values():
        for n in range(2, len(instances) + 1):
            ways *= n
    if ways > most:
        return None
    found = []
    for orders in product(*(permutations(range(len(instances))) for instances in labels.values())):
        which = {
            instance: number
            for instances, order in zip(labels.values(), orders, strict=True)
            for instance, number in zip(instances, order, strict=True)
        }
        value = Evaluation(which).run(root, start)
        assert value is not None
        found.append(value.number)
    return tuple(sorted(found))


@given(spaces(most=60))
@settings(max_examples=200, deadline=None)
def test_hashes_are_equal_exactly_where_functions_are(space: Space) -> None:
    by_hash: dict[str, set[Any]] = {}
    by_function: dict[Any, set[str]] = {}
    for architecture in space.enumerate():
        print_ = fingerprint(space, architecture)
        if print_ is not None:
            by_hash.setdefault(space.key(architecture), set()).add(print_)
            by_function.setdefault(print_, set()).add(space.key(architecture))
    assert all(len(functions) == 1 for functions in by_hash.values())
    assert all(len(hashes) == 1 for hashes in by_function.values())


@given(members(most=10**9, depth=4))
@settings(max_examples=100, deadline=None)
def test_graphs_are_well_formed_and_live(drawn: tuple[Space, Architecture]) -> None:
    space, architecture = drawn
    graph = space.graph(architecture)
    assert graph.vertices[-1].kind == "output" and sum(v.kind == "output" for v in graph.vertices) == 1
    assert sum(v.kind == "input" for v in graph.vertices) <= 1 and 0 <= graph.depth < len(graph.vertices)
    used = {i for vertex in graph.vertices for i in vertex.inputs}
    assert used == set(range(len(graph.vertices) - 1))  # nothing is dead
    assert all(i < number for number, vertex in enumerate(graph.vertices) for i in vertex.inputs)
    kinds = {vertex.kind for vertex in graph.vertices}
    assert not kinds & {"identity", "zero"}
    for vertex in graph.vertices:
        if vertex.kind in ("sum", "concat"):
            assert len(vertex.inputs) > 1
            assert all(graph.vertices[i].kind != vertex.kind for i in vertex.inputs)
    assert space.graph(Architecture(dict(architecture))) == graph


def test_equal_functions_written_differently() -> None:
    a, b, c = dense(4, called="a"), dense(5), dense(6)
    same = hash_of(a, b, head())
    assert same == hash_of(Chain(a, Chain(b)), identity(), head())
    assert same == hash_of(Sum(a, zero()), Concat(b), head()) == hash_of(Concat(zero(), a), Repeat(b, 1), head())
    assert hash_of(Sum(a, b, c)) == hash_of(Sum(c, Sum(b, a)))
    assert hash_of(Concat(a, Concat(b, c))) == hash_of(Concat(a, b, c)) != hash_of(Concat(b, a, c))
    assert hash_of(Sum(relu(), relu())) == hash_of(relu(), Sum(identity(), identity())) != hash_of(relu())
    assert hash_of(Repeat(a, 2)) == hash_of(a, a) == hash_of(Repeat(a, 2, tied=False))
    assert hash_of(Cell(3, Choice("op", [a, zero()]))) == hash_of(Sum(a, Chain(a, a)))
    joined = Concat(relu(), Chain(relu(), flatten()))
    assert hash_of(Sum(Chain(joined, max_pool()), Chain(joined, max_pool()))) == hash_of(
        joined, max_pool(), Sum(identity(), identity())
    )


def test_different_functions() -> None:
    a, b = dense(4), dense(5)
    parts: list[Any] = [
        Chain(),
        zero(),
        a,
        b,
        Chain(a, b),
        Chain(b, a),
        Sum(a, a),
        Sum(a, b),
        Sum(identity(), identity()),
        Sum(identity(), identity(), identity()),
        Concat(identity(), identity()),
        Concat(a, b),
        Concat(b, a),
        Residual(a),
        Sum(a, identity()),
        Sum(dropout(0.5), dropout(0.5)),
        Chain(dropout(0.5), Sum(identity(), identity())),
        dropout(0.25),
        batch_norm(),
        relu(),
        activation("tanh"),
        avg_pool(2),
        max_pool(2),
        max_pool(3),
        Repeat(a, 2),
        Repeat(a, 3),
        Repeat(a, 2, share_weights=True),
        Repeat(Chain(a, a), 2, share_weights=True),
        Chain(Repeat(a, 2, share_weights=True), Repeat(a, 2, share_weights=True)),
        Repeat(a, 4, share_weights=True),
        Chain(a, Sum(relu(), b)),
        Sum(Chain(a, relu()), Chain(a, b)),
    ]
    hashes = [hash_of(part) for part in parts]
    twice = {(i, j) for j, one in enumerate(hashes) for i, other in enumerate(hashes[:j]) if one == other}
    assert not twice


def test_shared_weights_are_shared() -> None:
    body = Chain(dense(3), batch_norm(), relu())
    space = Space(Chain(Repeat(body, Choice("times", [1, 2, 3]), share_weights=True), head()))
    apart = Space(Chain(Repeat(body, Choice("times", [1, 2, 3])), head()))
    counts, hashes = [], []
    for times in (1, 2, 3):
        one = Architecture({"times": times})
        counts.append((space.cost(one, TABLE).parameters, apart.cost(one, TABLE).parameters))
        assert space.cost(one, TABLE).flops == apart.cost(one, TABLE).flops
        model = space.build(one, TABLE)
        assert sum(p.numel() for p in model.parameters()) == counts[-1][0]
        hashes.append((space.key(one), apart.key(one)))
    body_size = 3 * 3 + 3 + 6
    assert counts == [(body_size + 8, body_size * n + 8) for n in (1, 2, 3)]
    assert hashes[0][0] == hashes[0][1] and len({h for pair in hashes for h in pair}) == 5


def test_copies_of_copies_share_one_set_of_weights() -> None:
    a = dense(3)
    nested = Repeat(Repeat(a, 2, share_weights=True), 2, share_weights=True)
    space = Space(Chain(nested, head()))
    assert space.cost(space.default, TABLE).parameters == 12 + 8
    assert hash_of(nested) == hash_of(Repeat(a, 4, share_weights=True))
    mixed = Repeat(Chain(Repeat(a, 2, share_weights=True), a), 2, share_weights=True)
    space = Space(Chain(mixed, head()))
    assert space.cost(space.default, TABLE).parameters == 2 * 12 + 8
    weights = [v for v in space.graph(space.default).vertices if v.kind == "weights"]
    assert len(weights) == 2


def test_names_that_would_mix_up_graphs_are_refused() -> None:
    for name in ("sum", "concat", "weights", "input", "output"):
        with pytest.raises(SpaceError, match="a name other than"):
            layer(Scale, name=name)

    def other(shape: tuple[int, ...]) -> Any:
        return Scale(shape)

    with pytest.raises(SpaceError, match="Two different layers are called 'Scale'"):
        Space(Chain(scale(), layer(other, name="Scale")(), head()))
    with pytest.raises(SpaceError, match="Two different layers are called 'Scale'"):
        Space(Choice("op", [scale(called="a"), layer(Scale, pure=True)(called="b")]))
    assert Space(Chain(scale(), layer(Scale)(), head())).size == 1
