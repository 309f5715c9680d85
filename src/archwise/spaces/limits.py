"""Which options of which choices a space leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from archwise.errors import SpaceError
from archwise.spaces.architecture import Label
from archwise.spaces.choice import Choice
from archwise.spaces.nodes import Node
from archwise.spaces.occurrences import occurrences


class Limits:
    """The options that `fix`, `exclude` and `freeze` left open; a choice that is not mentioned is open.

    Args:
        root: the space's tree.
        open_: path of a choice -> places of the options that are left, in the choice's order.
    """

    def __init__(self, root: Node | Choice, open_: Mapping[str, tuple[int, ...]] | None = None):
        self._root = root
        self._open = dict(open_ or {})

    def allowed(self, path: str, choice: Choice) -> tuple[int, ...]:
        """Return the places of the options that are open."""
        return self._open.get(path, tuple(range(len(choice.options))))

    def keeping(self, choices: Mapping[str, Label | Sequence[Label]]) -> Limits:
        """Return narrower limits, with the labels given alone.

        Args:
            choices: path, name or pattern of choices -> label or labels.

        Raises:
            SpaceError: a pattern fits no choice, or a label is no open option of it.
        """
        return self._narrowed(choices, lambda place, given: place in given)

    def without(self, choices: Mapping[str, Label | Sequence[Label]]) -> Limits:
        """Return narrower limits, without the labels given.

        Args:
            choices: path, name or pattern of choices -> label or labels.

        Raises:
            SpaceError: a pattern fits no choice, a label is no open option of it, or no option is left.
        """
        return self._narrowed(choices, lambda place, given: place not in given)

    def fixed(self, choices: Mapping[str, int]) -> Limits:
        """Return narrower limits: at each of these paths, the option at that place alone, which is open."""
        return Limits(self._root, {**self._open, **{path: (place,) for path, place in choices.items()}})

    def describe(self) -> dict[str, list[Label]]:
        """Return the labels left open at each choice that is limited, as plain JSON data."""
        choices = dict(occurrences(self._root))
        return {path: [choices[path].labels[i] for i in self._open[path]] for path in sorted(self._open)}

    def _narrowed(
        self, choices: Mapping[str, Label | Sequence[Label]], stays: Callable[[int, set[int | None]], bool]
    ) -> Limits:
        narrower = dict(self._open)
        for pattern, given in choices.items():
            labels = (given,) if isinstance(given, str | int | float) else tuple(given)
            for path, choice in self._matching(pattern):
                before = narrower.get(path, tuple(range(len(choice.options))))
                places = {label: choice.find(label) for label in labels}
                closed = [label for label, place in places.items() if place not in before]
                left = tuple(place for place in before if stays(place, set(places.values())))
                if closed or not left:
                    fault = f"{closed[0]!r} is not open" if closed else "no option would be left open"
                    options = [choice.labels[place] for place in before]
                    raise SpaceError(f"At the choice {path!r} {fault}: choose among {options!r}.")
                if len(left) < len(choice.options):
                    narrower[path] = left
        return Limits(self._root, narrower)

    def _matching(self, pattern: str) -> list[tuple[str, Choice]]:
        """Return what fits a pattern, or say what there is."""
        found = self.fitting(pattern)
        if not found:
            known = ", ".join(repr(path) for path, _ in list(dict(occurrences(self._root)).items())[:12])
            raise SpaceError(f"No choice fits {pattern!r}; there are {known}.")
        return found

    def fitting(self, pattern: str) -> list[tuple[str, Choice]]:
        """Return the choice of that path; or else those of that name; or else those whose path fits the pattern."""
        everywhere = dict(occurrences(self._root))
        if pattern in everywhere:
            return [(pattern, everywhere[pattern])]
        named = [(path, choice) for path, choice in everywhere.items() if choice.name == pattern]
        return named or [(path, choice) for path, choice in everywhere.items() if fnmatchcase(path, pattern)]
