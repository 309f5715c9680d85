"""A choice, and one walk down a tree of choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from archwise.errors import SpaceError
from archwise.spaces.architecture import Architecture, Label, is_label

if TYPE_CHECKING:
    from archwise.spaces.nodes import Node


class Choice:
    """A decision that the search makes: one option out of a few.

    A choice may stand wherever the language takes a number, a word or a part of a network. It is called by its
    *path*: the names of the parts around it, then its own (`stage1/width`); what lies inside the option `conv`
    of the choice `op` is called `op=conv/...`. The path of what is shared between places begins with `/`.

    Args:
        name: what the choice is called; it may not contain `/`.
        options: numbers, words or truth values; or parts of a network (layers, chains, ...), each called by its
            `name` or else by what it is. Numbers are an ordered grid.
        default: label of the option that the space's default architecture takes; the first option if not given.
        level: the stage of a hierarchical search at which it is decided ("macro", "cell", ...).
        shared: one decision wherever a choice of this name stands in the space, instead of one at each place.

    Raises:
        SpaceError: no option, two options of one label (1, 1.0 and True count as one here), or a default that is none.

    Example:
        >>> Choice("width", [16, 32, 64], default=32).labels
        (16, 32, 64)
    """

    def __init__(
        self,
        name: str,
        options: Sequence[Any],
        *,
        default: Label | None = None,
        level: str = "network",
        shared: bool = False,
    ):
        if not name or any(sign in name for sign in "/=*"):
            raise SpaceError(f"A choice needs a name without '/', '=' and '*', not {name!r}.")
        self.name = name
        self.options = tuple(option.item() if isinstance(option, np.generic) else option for option in options)
        if not self.options:
            raise SpaceError(f"The choice {name!r} needs at least one option.")
        self.labels: tuple[Label, ...] = tuple(_label(option, name) for option in self.options)
        self.level = level
        self.shared = shared
        twice = [label for i, label in enumerate(self.labels) if label in self.labels[:i]]
        if twice:
            raise SpaceError(
                f"Two options of the choice {name!r} are called {twice[0]!r}: give the parts names of their own."
            )
        self.default = 0 if default is None else self.index(default)

    def index(self, label: Label) -> int:
        """Return the place of the option of that label.

        Raises:
            SpaceError: no option is called that; the text names those there are.
        """
        place = self.find(label)
        if place is None:
            raise SpaceError(f"The choice {self.name!r} has no option {label!r}: take one of {list(self.labels)!r}.")
        return place

    def find(self, label: Label) -> int | None:
        """Return the place of the option of that label, None where there is none."""
        same = (i for i, own in enumerate(self.labels) if own == label and type(own) is type(label))
        return next(same, None)

    @property
    def numeric(self) -> bool:
        """Whether the options are an ordered grid of numbers."""
        return all(isinstance(label, int | float) and not isinstance(label, bool) for label in self.labels)

    def path(self, scope: str) -> str:
        """The path of this choice where it stands inside `scope` (a path that ends in '/', or '')."""
        return f"/{self.name}" if self.shared else scope + self.name

    def __repr__(self) -> str:
        return f"Choice({self.name!r}, {list(self.labels)!r})"


def _label(option: Any, choice: str) -> Label:
    label = option if is_label(option) else getattr(option, "label", None)
    if not is_label(label):
        raise SpaceError(
            f"An option of the choice {choice!r} is {option!r}: "
            "options are finite numbers, words, truth values or parts."
        )
    return cast(Label, label)


@dataclass(frozen=True)
class Decision:
    """A choice that was met on a walk down the tree, and what was taken there.

    Args:
        path: the choice's path.
        choice: the choice.
        allowed: indices of the options that the space leaves open.
        index: index of the option taken.
    """

    path: str
    choice: Choice
    allowed: tuple[int, ...]
    index: int

    @property
    def label(self) -> Label:
        """Label of the option taken."""
        return self.choice.labels[self.index]


Decide = Callable[[str, Choice, tuple[int, ...]], int]
"""(path, choice, allowed option indices) -> index of the option to take."""


class Derivation:
    """One walk down the tree, deciding at each choice when it is first met.

    Args:
        decide: called once for each path.
        allowed: (path, choice) -> indices of the options that the space leaves open.
    """

    def __init__(self, decide: Decide, allowed: Callable[[str, Choice], tuple[int, ...]]):
        self._decide = decide
        self._allowed = allowed
        self._met: dict[str, Decision] = {}
        self._shared: dict[tuple[int, str], Any] = {}

    def take(self, part: Any, scope: str) -> Any:
        """Return `part` with all choices in it decided: a value, or a part of a network without choices."""
        if isinstance(part, Choice):
            path = part.path(scope)
            if path not in self._met:
                allowed = self._allowed(path, part)
                self._met[path] = Decision(path, part, allowed, self._decide(path, part, allowed))
            decision = self._met[path]
            return self.take(part.options[decision.index], f"{path}={decision.label}/")
        return part.resolve(self, scope) if hasattr(part, "resolve") else part

    def once(self, part: Any, scope: str) -> Any:
        """Return `part` decided, the same object at every place that shares it."""
        key = (id(part), scope)
        if key not in self._shared:
            self._shared[key] = self.take(part, scope)
        return self._shared[key]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The choices met, in the order of the tree."""
        return tuple(self._met.values())

    @property
    def architecture(self) -> Architecture:
        """The record of the choices made."""
        return Architecture({path: decision.label for path, decision in self._met.items()})


@dataclass(frozen=True)
class Derived:
    """An architecture beside the decisions and the choice-free tree it stands for."""

    architecture: Architecture
    decisions: tuple[Decision, ...]
    root: Node
