"""Layered layout of a small directed graph (Sugiyama, Tagawa & Toda 1981), without a solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_SWEEPS = 40
_BOX_GAP, _LANE_GAP, _LAYER_GAP, _LANE = 18.0, 9.0, 24.0, 4.0


class Point(NamedTuple):
    """A place in pixels, y downwards."""

    x: float
    y: float


class Placed(NamedTuple):
    """Where everything goes: the top centre of each box, and for each edge the places that it passes."""

    boxes: list[Point]
    edges: list[list[Point]]
    left: float
    right: float
    height: float


class _Vertex(NamedTuple):
    width: float
    height: float
    box: int | None


def place(sizes: Sequence[tuple[float, float]], inputs: Sequence[Sequence[int]]) -> Placed:
    """Lay boxes out in layers from top to bottom; the entry is at (0, 0), the last box is centred on x = 0.

    Args:
        sizes: width and height of each box.
        inputs: the boxes that each box takes values from, -1 for the entry; a box stands after its inputs.

    Example:
        >>> place([(80, 20), (80, 20)], [[-1], [0]]).boxes
        [Point(x=0.0, y=24.0), Point(x=0.0, y=68.0)]
    """
    depth = _depths(inputs)
    layers: list[list[_Vertex]] = [[] for _ in range(max(depth) + 1)]
    layers[0].append(_Vertex(0, 0, None))
    where = {-1: (0, 0)}
    for box, (width, height) in enumerate(sizes):
        where[box] = (depth[box], len(layers[depth[box]]))
        layers[depth[box]].append(_Vertex(width, height, box))
    routes = []
    for box, sources in enumerate(inputs):
        for source in dict.fromkeys(sources):
            route = [where[source]]
            for layer in range(where[source][0] + 1, depth[box]):
                route.append((layer, len(layers[layer])))
                layers[layer].append(_Vertex(_LANE, 0, None))
            routes.append([*route, where[box]])
    links = [(a, b) for route in routes for a, b in pairwise(route)]
    order = _order(layers, links)
    x = _coordinates(layers, links, order)
    heights = [max(vertex.height for vertex in layer) for layer in layers]
    tops = [0.0]
    for height in heights[:-1]:
        tops.append(tops[-1] + height + _LAYER_GAP)
    boxes = [Point(x[where[box]], tops[depth[box]]) for box in range(len(sizes))]
    edges = [_edge(route, x, tops, heights, layers) for route in routes]
    left = min(x[i, j] - v.width / 2 for i, layer in enumerate(layers) for j, v in enumerate(layer))
    right = max(x[i, j] + v.width / 2 for i, layer in enumerate(layers) for j, v in enumerate(layer))
    return Placed(boxes, edges, left, right, tops[-1] + heights[-1])


def _depths(inputs: Sequence[Sequence[int]]) -> list[int]:
    depth: list[int] = []
    for sources in inputs:
        depth.append(1 + max((depth[source] if source >= 0 else 0 for source in sources), default=0))
    return depth


Place = tuple[int, int]
Links = list[tuple[Place, Place]]


def _order(layers: list[list[_Vertex]], links: Links) -> list[list[int]]:
    """The order in each layer with the fewest crossings that sweeps of barycentres find."""
    order = [list(range(len(layer))) for layer in layers]
    best, fewest = [list(layer) for layer in order], _crossings(order, links)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for i in range(len(layers)) if downwards else range(len(layers) - 1, -1, -1):
            rank = {(k, j): place for k, row in enumerate(order) for place, j in enumerate(row)}
            pull: dict[int, list[int]] = {}
            for a, b in links:
                near, far = (b, a) if downwards else (a, b)
                if near[0] == i:
                    pull.setdefault(near[1], []).append(rank[far])
            order[i].sort(key=lambda j: sum(pull[j]) / len(pull[j]) if j in pull else rank[i, j])
        crossings = _crossings(order, links)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in order], crossings
    return best


def _crossings(order: list[list[int]], links: Links) -> int:
    rank = {(i, j): place for i, row in enumerate(order) for place, j in enumerate(row)}
    count = 0
    for layer in range(len(order)):
        pairs = [(rank[a], rank[b]) for a, b in links if a[0] == layer]
        count += sum((a - c) * (b - d) < 0 for k, (a, b) in enumerate(pairs) for c, d in pairs[:k])
    return count


def _coordinates(layers: list[list[_Vertex]], links: Links, order: list[list[int]]) -> dict[Place, float]:
    """Pull every vertex to the mean of its neighbours, then straighten the chains: places without a fork between."""
    x: dict[Place, float] = {(i, j): 0.0 for i, layer in enumerate(layers) for j in range(len(layer))}
    neighbours: dict[Place, list[Place]] = {place: [] for place in x}
    chain = {place: [place] for place in x}
    leaving, entering = Counter(a for a, _ in links), Counter(b for _, b in links)
    for a, b in links:
        neighbours[a].append(b)
        neighbours[b].append(a)
        if leaving[a] == entering[b] == 1:
            chain[a] += chain[b]
            chain |= dict.fromkeys(chain[a], chain[a])
    for sweep in range(_SWEEPS):
        straighten = sweep >= _SWEEPS // 2
        for i in range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1):
            around = [chain[i, j] if straighten else neighbours[i, j] for j in order[i]]
            wanted = [sum(x[place] for place in places) / len(places) for places in around]
            if i in (0, len(layers) - 1):
                wanted = [0.0]
            row = [layers[i][j] for j in order[i]]
            weights = [float(len(places)) for places in around]
            x |= {(i, j): at for j, at in zip(order[i], _spread(wanted, weights, row), strict=True)}
    return x


def _spread(wanted: list[float], weights: list[float], row: list[_Vertex]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep the boxes apart: isotonic regression."""
    offsets = [0.0]
    for a, b in pairwise(row):
        gap = _BOX_GAP if a.height and b.height else _LANE_GAP
        offsets.append(offsets[-1] + (a.width + b.width) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append((want - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (p, v, m), (q, w, n) = pools[-2:]
            pools[-2:] = [((p * v + q * w) / (v + w), v + w, m + n)]
    levels = [level for level, _, size in pools for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _edge(
    route: list[Place], x: dict[Place, float], tops: list[float], heights: list[float], layers: list[list[_Vertex]]
) -> list[Point]:
    """The places that an edge passes: it leaves below its source, passes other layers upright, ends on its target."""
    i, j = route[0]
    points = [Point(x[i, j], tops[i] + layers[i][j].height)]
    if layers[i][j].height < heights[i]:
        points.append(Point(x[i, j], tops[i] + heights[i]))
    for i, j in route[1:-1]:
        points += [Point(x[i, j], tops[i]), Point(x[i, j], tops[i] + heights[i])]
    return [*points, Point(x[route[-1]], tops[route[-1][0]])]
