"""The picture shows the whole graph: nothing lost by folding, nothing on top of another."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from archwise.report.cards import Item, Repeated, Segment, shorten
from archwise.report.layout import place
from archwise.report.network import network_picture
from archwise.spaces.ready import READY, ready_space

from .run_folders import graph_json

Vertices = list[dict[str, Any]]


def vertices_of(space: str, seed: int | None) -> Vertices:
    """The vertices of a sampled architecture, or of the default."""
    network = ready_space(space)
    architecture = network.default if seed is None else network.sample(seed)
    vertices: Vertices = graph_json(network.graph(architecture))["vertices"]
    return vertices


def chain(kinds: list[str]) -> Vertices:
    """A graph without forks."""
    return [{"kind": kind, "attributes": {}, "inputs": [i - 1] if i else []} for i, kind in enumerate(kinds)]


def layers(items: tuple[Item, ...]) -> int:
    """How many vertices the items stand for."""
    return sum(
        item.times * layers(item.items) if isinstance(item, Repeated) else sum(1 + len(c.riders) for c in item.cards)
        for item in items
    )


def edges(items: tuple[Item, ...]) -> int:
    """How many edges between cards the items stand for."""
    return sum(
        item.times * edges(item.items) if isinstance(item, Repeated) else sum(map(len, item.inputs)) for item in items
    )


def segments(items: tuple[Item, ...]) -> list[Segment]:
    """Every segment, each once."""
    return [s for item in items for s in (segments(item.items) if isinstance(item, Repeated) else [item])]


@pytest.mark.parametrize("space", READY)
@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
def test_folding_loses_no_vertex_and_no_edge(space: str, seed: int | None) -> None:
    vertices = vertices_of(space, seed)
    items = shorten(vertices)
    assert layers(items) == len(vertices)
    riders = sum(
        item_riders * times for item_riders, times in ((len(c.riders), n) for s, n in unrolled(items) for c in s.cards)
    )
    assert edges(items) + riders == sum(len(vertex["inputs"]) for vertex in vertices)


def unrolled(items: tuple[Item, ...], times: int = 1) -> list[tuple[Segment, int]]:
    """Every segment with how often it occurs."""
    found = []
    for item in items:
        found += unrolled(item.items, times * item.times) if isinstance(item, Repeated) else [(item, times)]
    return found


@pytest.mark.parametrize("space", READY)
def test_boxes_keep_apart_and_data_flow_down(space: str) -> None:
    for seed in (None, 0, 1, 2):
        for segment in segments(shorten(vertices_of(space, seed))):
            if not any(segment.inputs):
                continue
            sizes = [(60.0 + 7 * len(card.word.text), 26.0) for card in segment.cards]
            placed = place(sizes, segment.inputs)
            boxes = [(p.x - w / 2, p.x + w / 2, p.y, p.y + h) for p, (w, h) in zip(placed.boxes, sizes, strict=True)]
            for i, (left, right, top, bottom) in enumerate(boxes):
                for other_left, other_right, other_top, other_bottom in boxes[:i]:
                    apart = left >= other_right or right <= other_left or top >= other_bottom or bottom <= other_top
                    assert apart
            assert all(a.y <= b.y for edge in placed.edges for a, b in pairwise(edge))
            assert len(placed.edges) == sum(len(set(sources)) for sources in segment.inputs)
            assert placed.boxes[-1].x == 0


def test_repeats_are_told_once_and_nest() -> None:
    kinds = ["input", *["a", "b", "b", "b"] * 5, "output"]
    (_, outer, _) = shorten(chain(kinds))
    assert isinstance(outer, Repeated)
    assert outer.times == 5
    assert [getattr(item, "times", 1) for item in outer.items] == [1, 3]
    text = network_picture(chain(kinds), "a picture")
    assert "× 5" in text
    assert "× 3" in text
    assert text.count('class="name">b<') == 1


def test_a_rider_needs_the_layer_for_itself() -> None:
    alone = [*chain(["input", "conv", "activation"]), {"kind": "sum", "attributes": {}, "inputs": [1, 2]}]
    cards = [card for segment in segments(shorten(alone)) for card in segment.cards]
    assert [card.kind for card in cards] == ["input", "conv", "activation", "sum"]
    together = [card for s in segments(shorten(chain(["input", "conv", "activation"]))) for card in s.cards]
    assert [(card.kind, len(card.riders)) for card in together] == [("input", 0), ("conv", 1)]


def test_shared_weights_are_named() -> None:
    vertices = [*chain(["input"]), {"kind": "weights", "attributes": {}, "inputs": []}]
    vertices += [{"kind": "dense", "attributes": {"width": 8}, "inputs": [source, 1]} for source in (0, 2)]
    text = network_picture(vertices, "a picture")
    assert text.count("dense 8 units · weights A") == 2


@pytest.mark.parametrize("count", [1, 3, 30, 120])
def test_long_chains_wrap_into_columns(count: int) -> None:
    text = network_picture(chain([f"layer{i}" for i in range(count)]), "a chain")
    (width, height) = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', text).groups())  # type: ignore[union-attr]
    assert width <= 1100
    assert height <= 700 or count == 120
    assert all(f">layer{i}<" in text for i in range(count))
    assert text.count('class="head"') == count - 1


def test_a_network_without_its_input_is_drawn_all_the_same() -> None:
    assert ">output<" in network_picture([{"kind": "output", "attributes": {}, "inputs": []}], "nothing")
