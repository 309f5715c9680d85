"""Layered layout of a small directed graph (Sugiyama, Tagawa & Toda 1981), without a solver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_SWEEPS = 12
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
    links = [(a, b) for route in routes for a, b in zip(route, route[1:], strict=False)]
    order = _order(layers, links)
    x = _coordinates(layers, links, order)
    heights = [max(vertex.height for vertex in layer) for layer in layers]
    tops = [0.0]
    for i, height in enumerate(heights[:-1]):
        crowded = len(layers[i]) + len(layers[i + 1]) > 2
        tops.append(tops[-1] + height + (_LAYER_GAP if crowded or i == 0 else _LAYER_GAP))
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
            order[i].sort(key=lambda j: sum(pull[j]) / len(pull[j]) if j in pull else rank[i, j])  # noqa: B023
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
    """Pull every vertex to the mean of its neighbours, edges that pass a layer hardest, so that they become straight."""
    x: dict[Place, float] = {(i, j): 0.0 for i, layer in enumerate(layers) for j in range(len(layer))}
    neighbours: dict[Place, list[tuple[Place, float]]] = {place: [] for place in x}
    for a, b in links:
        weight = 1.0 + 3.0 * sum(layers[i][j].height == 0 and i > 0 for i, j in (a, b))
        neighbours[a].append((b, weight))
        neighbours[b].append((a, weight))
    last = (len(layers) - 1, 0)
    for sweep in range(2 * _SWEEPS):
        for i in range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1):
            row = order[i]
            wanted, weights = [], []
            for j in row:
                around = neighbours[i, j]
                total = sum(weight for _, weight in around)
                wanted.append(sum(x[place] * weight for place, weight in around) / total if total else 0.0)
                weights.append(total or 1.0)
            if len(row) == 1 and (i == 0 or (i, row[0]) == last):
                wanted = [0.0]
            for j, position in zip(row, _spread(wanted, weights, [layers[i][j] for j in row]), strict=True):
                x[i, j] = position
    return x


def _spread(wanted: list[float], weights: list[float], row: list[_Vertex]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep the boxes apart: isotonic regression."""
    offsets = [0.0]
    for a, b in zip(row, row[1:], strict=False):
        gap = _BOX_GAP if a.height and b.height else _LANE_GAP
        offsets.append(offsets[-1] + (a.width + b.width) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append((want - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, v, m), (b, w, n) = pools[-2:]
            pools[-2:] = [((a * v + b * w) / (v + w), v + w, m + n)]
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
