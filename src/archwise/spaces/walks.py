"""Walks down a space's tree: along a record, and along all records there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from archwise.errors import SpaceError
from archwise.spaces.architecture import Architecture, Label
from archwise.spaces.choice import Choice, Decide, Derivation, Derived
from archwise.spaces.nodes import Node


def keeping(kept: Mapping[str, Label], otherwise: Decide) -> Decide:
    """Return the way of deciding that keeps the labels of a record where they are open."""

    def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
        if path in kept and (index := choice.index(kept[path])) in allowed:
            return index
        return otherwise(path, choice, allowed)

    return decide


def derived(
    root: Node | Choice, name: str, allowed: Callable[[str, Choice], tuple[int, ...]], architecture: Architecture
) -> Derived:
    """Return the decisions and the choice-free tree that a record stands for.

    Args:
        root: the space's tree.
        name: the space's name, for the error.
        allowed: (path, choice) -> indices of the options that are open.
        architecture: the record.

    Raises:
        SpaceError: the record is not a member of the space; the text names the path.
    """

    def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
        if path not in architecture:
            raise SpaceError(f"The architecture does not say what it takes at {path!r}: one of {choice.labels}.")
        place = choice.find(architecture[path])
        if place not in allowed:
            open_ = [choice.labels[i] for i in allowed]
            raise SpaceError(
                f"{architecture[path]!r} is not open at {path!r} in the space {name!r}: take one of {open_}."
            )
        return place

    derivation = Derivation(decide, allowed)
    decided = derivation.take(root, "")
    unknown = set(architecture) - {decision.path for decision in derivation.decisions}
    if unknown:
        raise SpaceError(f"The space {name!r} has no active choice {min(unknown)!r} in this architecture.")
    return Derived(architecture, derivation.decisions, decided)


def completions(derive: Callable[[Decide], Architecture], kept: Mapping[str, Label]) -> Iterator[Architecture]:
    """Yield every architecture that makes the kept choices where it meets them, each once, in the order of the tree.

    Args:
        derive: walks down the tree with a way of deciding.
        kept: path -> label.
    """
    prefix: list[int] = []
    while True:
        widths: list[int] = []

        def count(
            _path: str,
            _choice: Choice,
            allowed: tuple[int, ...],
            prefix: list[int] = prefix,
            widths: list[int] = widths,
        ) -> int:
            position = len(widths)
            widths.append(len(allowed))
            if position == len(prefix):
                prefix.append(0)
            return allowed[prefix[position]]

        yield derive(keeping(kept, count))
        while prefix and prefix[-1] + 1 == widths[len(prefix) - 1]:
            prefix.pop()
        if not prefix:
            return
        prefix[-1] += 1
