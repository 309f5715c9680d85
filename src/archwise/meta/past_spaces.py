"""What the spaces of past searches are to the space of a new one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archwise.experience import Experience
from archwise.experience.past import Outline, PastSearch, known_space, outlines, recorded, recorded_trials
from archwise.meta.translation import LOOKED_AT, Translation, same_tree
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

TRANSLATED = 1500
"""Most networks of changed spaces whose graphs are compared: that takes up to 5 ms each."""
LOOKED_THROUGH = 4
"""How many times more trials are looked through where a space has changed, as many will mean nothing now."""


class PastSpaces:
    """Finds those trials of past searches that mean candidates of a space.

    Args:
        memory: the experience.
        space: the candidates of the new search.
    """

    def __init__(self, memory: Experience, space: JointSpace):
        self.memory = memory
        self.space = space
        self._known: dict[tuple[str, str, str], Translation | None] = {}
        self._left = TRANSLATED

    def outlines(self, searches: Sequence[PastSearch], most: int) -> Iterator[tuple[list[Outline], Translation | None]]:
        """Yield outlines of trials that mean a candidate of the space, with how they are read (None: as they stand).

        Args:
            searches: whose scores can be compared.
            most: how many trials of each space at most.
        """
        alike: dict[tuple[str, str, str], list[PastSearch]] = defaultdict(list)
        for search in searches:
            alike[search.space, search.recipe_space, search.version].append(search)
        for key, those in alike.items():
            if key not in self._known:
                self._known[key] = self._translation(those[-1])
            translation = self._known[key]
            if translation is None:
                yield outlines(self.memory, those, most), None
            else:
                yield self._meaning(outlines(self.memory, those, LOOKED_THROUGH * most), translation), translation

    def _meaning(self, found: list[Outline], translation: Translation) -> list[Outline]:
        """Return those that mean a candidate of the space."""
        if not translation.same:
            found = found[: max(0, self._left)]
            self._left -= len(found)
        records = recorded(self.memory, numbers_of(found))
        return [o for o in found if (o.search, o.number) in records and translation(records[o.search, o.number])]

    def _translation(self, search: PastSearch) -> Translation | None:
        """Return how the records of a search are read; None where they are the space's own."""
        networks, recipes = (known_space(self.memory, hash_) for hash_ in (search.space, search.recipe_space))
        own = self.space.network
        same = search.space == own.hash or same_tree(networks and networks.description, own.describe())
        translation = Translation(
            self.space, same, recipe_space=search.recipe_space, recipes=recipes and recipes.description
        )
        few = numbers_of(outlines(self.memory, [search], LOOKED_AT))
        translation.learn(list(recorded(self.memory, few).values()))
        unchanged = (search.space, search.recipe_space) == (own.hash, self.space.recipe.hash)
        return None if unchanged and translation.same else translation


class Reader:
    """Reads trials of past searches as those of a space, as `PastSpaces` found out how.

    Args:
        memory: the experience.
        space: the candidates.
    """

    def __init__(self, memory: Experience, space: JointSpace):
        self.memory = memory
        self.space = space
        self._translations: dict[str, Translation] = {}

    def trials(self, search: str, numbers: Sequence[int], reading: Mapping[str, Any] | None = None) -> list[Trial]:
        """Return trials of a search.

        Args:
            search: its id.
            numbers: of the trials; what the experience has lost is left out.
            reading: what `Translation.to_json` returned; None where records are the space's own.
        """
        found = recorded_trials(self.memory, search, numbers)
        if reading is None:
            return [trial for trial, _ in found]
        translation = self._translation(reading)
        meant = ((trial, translation(recorded)) for trial, recorded in found)
        return [replace(trial, candidate=candidate) for trial, candidate in meant if candidate is not None]

    def _translation(self, reading: Mapping[str, Any]) -> Translation:
        key = json.dumps(reading, sort_keys=True)
        if key not in self._translations:
            recipes = known_space(self.memory, reading["recipe_space"])
            described = recipes.description if recipes else None
            same, gaps = reading["same"], reading["gaps"]
            self._translations[key] = Translation(self.space, same, gaps, reading["recipe_space"], described)
        return self._translations[key]


def numbers_of(found: Sequence[Outline]) -> dict[str, list[int]]:
    """Return the numbers of trials by their searches."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for outline in found:
        numbers[outline.search].append(outline.number)
    return dict(numbers)
