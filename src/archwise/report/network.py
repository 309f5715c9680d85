"""The picture of a network: its graph, drawn from top to bottom in columns, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archwise.report.cards import Card, Item, Repeated, families, shorten
from archwise.report.layout import Placed, Point, place
from archwise.report.markup import Html, tag

_WIDEST, _TALLEST = 1040.0, 620.0
_LINE, _CHARACTER, _SMALL, _DOT = 26.0, 7.2, 6.6, 18.0
_LEAD, _PAD, _GUTTER = 22.0, 17.0, 46.0
_FAMILY_NAMES = {
    "conv": "convolution",
    "dense": "linear layer",
    "norm": "normalisation",
    "activation": "activation",
    "pool": "pooling",
    "attention": "attention",
    "dropout": "dropout",
    "other": "other layer",
}


class _Block(NamedTuple):
    """A drawing that is entered at (0, 0) and left at (0, height)."""

    left: float
    right: float
    height: float
    shapes: Html


def network_picture(vertices: Sequence[dict[str, Any]], title: str, image: bool = True) -> Html:
    """Return a figure of a graph's vertices, with a legend.

    Args:
        vertices: in topological order, each with its kind, attributes and inputs, as in architecture.json.
        title: what the picture shows, for those who cannot see it.
        image: whether the data are images; kernels are then written n×n.
    """
    items = shorten(vertices, image)
    columns = _columns([_draw(item, first=i == 0) for i, item in enumerate(items)])
    height = max(sum(block.height for block in column) for column in columns) + 2 * _LEAD
    shapes: list[Html] = []
    x = 2.0
    ends: list[tuple[Point, Point]] = []
    for column in columns:
        x -= min(block.left for block in column)
        y = _LEAD
        for block in column:
            shapes.append(_moved(block.shapes, x, y))
            y += block.height
        ends.append((Point(x, _LEAD), Point(x, y)))
        x += max(block.right for block in column) + _GUTTER
    gutters = [
        ends[i + 1][0].x + min(block.left for block in columns[i + 1]) - _GUTTER / 2 for i in range(len(columns) - 1)
    ]
    shapes += [_turn(a[1], gutter, b[0], height) for (a, b), gutter in zip(pairwise(ends), gutters, strict=True)]
    width = x - _GUTTER + 2
    drawing = tag(
        "svg",
        tag("title", title),
        shapes,
        class_="network",
        role="img",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
    )
    return tag("figure", tag("div", drawing, class_="scroll"), _legend(items))


def _draw(item: Item, first: bool = False) -> _Block:
    if isinstance(item, Repeated):
        return _repeated(item)
    sizes = [_card_size(card) for card in item.cards]
    if first and len(item.cards) == 1 and not item.inputs[0]:
        placed = Placed([Point(0, 0)], [], -sizes[0][0] / 2, sizes[0][0] / 2, sizes[0][1])
    else:
        placed = place(sizes, item.inputs)
    edges = [_line(edge) for edge in placed.edges]
    cards = [_card(card, point, size) for card, point, size in zip(item.cards, placed.boxes, sizes, strict=True)]
    return _Block(placed.left, placed.right, placed.height, Html("".join(edges + cards)))


def _repeated(item: Repeated) -> _Block:
    inside = [_draw(part) for part in item.items]
    left, right = min(block.left for block in inside) - _PAD, max(block.right for block in inside) + _PAD
    text = f"× {item.times}"
    height = sum(block.height for block in inside) + _PAD
    shapes = [
        _path([Point(0, 0), Point(0, _PAD)], "edge"),
        tag("rect", x=_n(left), y=_n(_PAD), width=_n(right - left), height=_n(height), rx=10, class_="repeat"),
        tag("text", text, x=_n(right - 8), y=_n(_PAD + 5), class_="times"),
    ]
    y = _PAD
    for block in inside:
        shapes.append(_moved(block.shapes, 0, y))
        y += block.height
    shapes.append(_path([Point(0, y), Point(0, y + _PAD)], "edge"))
    return _Block(left, right, _PAD + height, Html("".join(shapes)))


def _columns(blocks: list[_Block]) -> list[list[_Block]]:
    """Break the blocks into as few columns as keep the picture low, and no more than fit beside each other."""
    best = [blocks]
    for count in range(2, len(blocks) + 1):
        if _height(best) <= _TALLEST:
            break
        columns = _break(blocks, count)
        if sum(map(_width, columns)) + _GUTTER * (len(columns) - 1) > _WIDEST:
            break
        best = columns
    return best


def _break(blocks: list[_Block], count: int) -> list[list[_Block]]:
    """The lowest columns of at most this number, by bisection on their height."""
    low, high = max(block.height for block in blocks), sum(block.height for block in blocks)
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if len(_fill(blocks, middle)) <= count else (middle, high)
    return _fill(blocks, high)


def _fill(blocks: list[_Block], limit: float) -> list[list[_Block]]:
    columns: list[list[_Block]] = [[]]
    for block in blocks:
        if columns[-1] and _height([columns[-1]]) + block.height > limit:
            columns.append([])
        columns[-1].append(block)
    return columns


def _height(columns: list[list[_Block]]) -> float:
    return max(sum(block.height for block in column) for column in columns)


def _width(column: list[_Block]) -> float:
    return max(block.right for block in column) - min(block.left for block in column)


def _card_size(card: Card) -> tuple[float, float]:
    if card.kind == "sum":
        return 22, 22
    riders = _riders_width(card)
    smallest = 72 if card.word.family == "flow" else 116
    return max(_CHARACTER * len(card.word.text) + 22, riders + 16, smallest), _LINE + (16 if card.riders else 0)


def _riders_width(card: Card) -> float:
    return sum(_SMALL * len(word.text) + _DOT for word in card.riders) - 8 if card.riders else 0.0


def _card(card: Card, top: Point, size: tuple[float, float]) -> Html:
    width, height = size
    x, y = top
    if card.kind == "sum":
        return tag(
            "g",
            tag("title", card.full),
            tag("circle", cx=_n(x), cy=_n(y + 11), r=10),
            tag("text", card.word.text, x=_n(x), y=_n(y + 15.5), class_="sum"),
            class_="card flow",
        )
    parts = [
        tag("title", card.full),
        tag("rect", x=_n(x - width / 2), y=_n(y), width=_n(width), height=_n(height), rx=6),
        tag("text", card.word.text, x=_n(x), y=_n(y + 17.5), class_="name"),
    ]
    left = x - _riders_width(card) / 2
    for word in card.riders:
        parts.append(tag("circle", cx=_n(left + 3), cy=_n(y + 31), r=3, class_=f"dot {word.family}"))
        parts.append(tag("text", word.text, x=_n(left + 9), y=_n(y + 35), class_="rider"))
        left += _SMALL * len(word.text) + _DOT
    return tag("g", parts, class_=f"card {card.word.family}")


def _line(points: list[Point]) -> Html:
    """An edge, upright at both ends and where it passes a layer, with an arrow's head."""
    end = points[-1]
    steps = [f"M{_n(points[0].x)} {_n(points[0].y)}"]
    for a, b in pairwise(points):
        middle = (a.y + b.y) / 2
        straight = abs(a.x - b.x) < 0.5
        steps.append(
            f"L{_n(b.x)} {_n(b.y)}"
            if straight
            else f"C{_n(a.x)} {_n(middle)} {_n(b.x)} {_n(middle)} {_n(b.x)} {_n(b.y)}"
        )
    head = f"M{_n(end.x - 3.5)} {_n(end.y - 6)}h7L{_n(end.x)} {_n(end.y)}Z"
    return Html(tag("path", d="".join(steps), class_="edge") + tag("path", d=head, class_="head"))


def _turn(bottom: Point, gutter: float, top: Point, height: float) -> Html:
    """The way from the end of one column to the start of the next."""
    low, high, r = height - 6, 6.0, 6.0
    d = (
        f"M{_n(bottom.x)} {_n(bottom.y)}V{_n(low - r)}q0 {r} {r} {r}H{_n(gutter - r)}q{r} 0 {r} -{r}"
        f"V{_n(high + r)}q0 -{r} {r} -{r}H{_n(top.x - r)}q{r} 0 {r} {r}V{_n(top.y)}"
    )
    return tag("path", d=d, class_="edge")


def _path(points: list[Point], name: str) -> Html:
    return tag("path", d="M" + "L".join(f"{_n(p.x)} {_n(p.y)}" for p in points), class_=name)


def _moved(shapes: Html, x: float, y: float) -> Html:
    return tag("g", shapes, transform=f"translate({_n(x)} {_n(y)})")


def _legend(items: Sequence[Item]) -> Html:
    present = [name for name in families(items) if name in _FAMILY_NAMES]
    keys = [tag("span", tag("i", class_=f"key {name}"), _FAMILY_NAMES[name]) for name in present]
    return tag("figcaption", keys, class_="legend")


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
