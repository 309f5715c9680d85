"""A graph made short for drawing: small layers ride on the layer before them, repeats are told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, NamedTuple

from archwise.report.words import plain

_FAMILIES = {
    "flow": ("input", "output", "sum", "concat", "flatten", "shortcut"),
    "conv": ("conv", "expand"),
    "dense": ("dense", "head", "linear"),
    "norm": ("norm",),
    "activation": ("activation", "relu", "gelu", "silu", "tanh"),
    "pool": ("pool", "smooth"),
    "attention": ("attention", "squeeze"),
    "dropout": ("dropout",),
}
_RIDERS = frozenset({"norm", "activation", "dropout", "attention"})


class Word(NamedTuple):
    """A layer in words."""

    family: str
    text: str


@dataclass(frozen=True)
class Card:
    """One box of the picture: a layer, and the normalisation, activation, ... that follow it and nothing else.

    Args:
        kind: the layer's kind.
        word: the layer, with its attributes in short.
        riders: what follows it.
        full: everything, for the tooltip.
    """

    kind: str
    word: Word
    riders: tuple[Word, ...]
    full: str


class Segment(NamedTuple):
    """The cards between two cards that all paths go through; the last one is the second of these.

    `inputs` holds for each card where its values come from: a card of the segment, or -1 for the card before it.
    """

    cards: tuple[Card, ...]
    inputs: tuple[tuple[int, ...], ...]


class Repeated(NamedTuple):
    """Segments that follow each other several times."""

    items: tuple[Segment | Repeated, ...]
    times: int


Item = Segment | Repeated


def family(kind: str) -> str:
    """Return the family of a layer's kind, which selects its colour.

    Example:
        >>> family("depthwise_conv"), family("my_layer")
        ('conv', 'other')
    """
    for name, parts in _FAMILIES.items():
        if any(kind == part if name == "flow" else part in kind for part in parts):
            return name
    return "other"


def shorten(vertices: Sequence[dict[str, Any]], image: bool = True) -> tuple[Item, ...]:
    """Return a graph's vertices (as in architecture.json) as what is drawn from top to bottom.

    Args:
        vertices: in topological order, each with its kind, attributes and inputs.
        image: write kernels and windows as n×n.
    """
    return fold(_segments(*_cards(vertices, image)))


def fold(items: Sequence[Item]) -> tuple[Item, ...]:
    """Replace the repetition that saves most cards by a `Repeated`, and go on inside it and on both sides.

    Example:
        >>> a, b = (Segment((Card(k, Word("other", k), (), k),), ((-1,),)) for k in "ab")
        >>> [getattr(item, "times", 1) for item in fold([a, b, b, b, a])]
        [1, 3, 1]
    """
    best: tuple[int, int, int, int] | None = None
    for period in range(1, len(items) // 2 + 1):
        run = 0
        for start in range(len(items) - period - 1, -1, -1):
            run = run + 1 if items[start] == items[start + period] else 0
            times = run // period + 1
            saved = (times - 1) * sum(map(_size, items[start : start + period]))
            if saved > 1 and (best is None or (saved, -period, -start) > best[:3]):
                best = (saved, -period, -start, times)
    if best is None:
        return tuple(items)
    period, start, times = -best[1], -best[2], best[3]
    inside = fold(items[start : start + period])
    return (*fold(items[:start]), Repeated(inside, times), *fold(items[start + times * period :]))


def families(items: Sequence[Item]) -> list[str]:
    """Return the families that occur, the commonest first."""
    found: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Repeated):
            found.update(families(item.items))
        else:
            found.update(word.family for card in item.cards for word in (card.word, *card.riders))
    return [name for name, _ in found.most_common()]


def _size(item: Item) -> int:
    return sum(map(_size, item.items)) if isinstance(item, Repeated) else len(item.cards)


def _cards(vertices: Sequence[dict[str, Any]], image: bool) -> tuple[list[Card], list[tuple[int, ...]]]:
    """The cards in topological order, and for each one the cards that it takes values from."""
    weights = [i for i, vertex in enumerate(vertices) if vertex["kind"] == "weights"]
    inputs = [tuple(i for i in vertex["inputs"] if i not in weights) for vertex in vertices]
    uses = Counter(i for sources in inputs for i in set(sources))
    card_of: dict[int, int] = {}
    members: list[list[int]] = []
    for i, vertex in enumerate(vertices):
        if i in weights:
            continue
        source = inputs[i][0] if len(inputs[i]) == 1 else None
        carrier = None if source is None else members[card_of[source]]
        rides = family(vertex["kind"]) in _RIDERS and carrier is not None and uses[source] == 1
        if rides and carrier is not None and family(vertices[carrier[0]]["kind"]) != "flow":
            card_of[i] = card_of[carrier[0]]
            carrier.append(i)
        else:
            card_of[i] = len(members)
            members.append([i])
    cards = []
    for group in members:
        words = [_word(vertices[i], image) for i in group]
        first = vertices[group[0]]
        shared = [ascii_uppercase[weights.index(w) % 26] for i in group for w in vertices[i]["inputs"] if w in weights]
        full = ", then ".join(_full(vertices[i]) for i in group)
        if shared:
            words[0] = words[0]._replace(text=f"{words[0].text} · weights {', '.join(shared)}")
        cards.append(Card(first["kind"], words[0], tuple(words[1:]), full))
    return cards, [tuple(card_of[i] for i in inputs[group[0]]) for group in members]


def _segments(cards: Sequence[Card], inputs: Sequence[tuple[int, ...]]) -> list[Segment]:
    """Cut wherever all paths go through one card: no edge passes it by."""
    reach = [0] * len(cards)
    for target, sources in enumerate(inputs):
        for source in sources:
            reach[source] = target
    segments: list[Segment] = []
    start, furthest = 0, 0
    for i in range(len(cards)):
        if furthest <= i:
            local = tuple(tuple(max(source - start, -1) for source in inputs[j]) for j in range(start, i + 1))
            segments.append(Segment(tuple(cards[start : i + 1]), local))
            start = i + 1
        furthest = max(furthest, reach[i])
    return segments


def _word(vertex: dict[str, Any], image: bool) -> Word:
    kind, attributes = str(vertex["kind"]), dict(vertex["attributes"])
    if kind == "sum":
        return Word("flow", "+")
    name = str(attributes.pop("name")) if "name" in attributes else kind
    order = sorted(attributes, key=lambda key: key != "kernel")
    details = [_attribute(kind, key, attributes[key], image) for key in order]
    return Word(family(kind), " ".join([name.replace("_", " "), ", ".join(filter(None, details))]).strip())


def _attribute(kind: str, key: str, value: Any, image: bool) -> str:
    if (key == "stride" and value == 1) or (kind == "squeeze_excitation" and key == "reduction"):
        return ""
    if key in ("kernel", "size"):
        return f"{value}×{value}" if image else f"{key} {value}"
    if key == "width":
        return f"{value} {'units' if family(kind) == 'dense' else 'channels'}"
    if key == "factor":
        return f"×{value}"
    return plain(value) if key in ("rate", "kind") else f"{key.replace('_', ' ')} {plain(value)}"


def _full(vertex: dict[str, Any]) -> str:
    attributes = ", ".join(f"{key} {plain(value)}" for key, value in vertex["attributes"].items())
    twice = [f"one input {n} times" for n in Counter(vertex["inputs"]).values() if n > 1]
    return str(vertex["kind"]).replace("_", " ") + "".join(f" ({text})" for text in (attributes, *twice) if text)
