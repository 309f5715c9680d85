"""What the spaces of past searches are to the space of a new one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from archwise.errors import ExperienceError
from archwise.experience import Experience, SearchRecord
from archwise.experience.past import Outline, PastSearch, Recorded, known_space, outlines, recorded, recorded_trials
from archwise.meta.foreign import ALIKE, links_in_common
from archwise.meta.translation import LOOKED_AT, Translation, same_tree
from archwise.signature import Signature
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

TRANSLATED = 1500
"""Most networks of changed spaces whose graphs are compared: that takes up to 5 ms each."""
LOOKED_THROUGH = 2
"""How many times more trials are looked through where limits or recipes have changed, as many will mean nothing now."""
FOREIGN = 8
"""Most past tasks of other spaces that are recalled: a surrogate of each has to look at every candidate anew."""

Rebuild = Callable[[SearchRecord, Signature], JointSpace | None]
"""Builds the candidates of a past search again; None where they cannot be the same."""


class Kind(NamedTuple):
    """What searches share whose records are read alike."""

    space: str
    recipe_space: str
    version: str


class PastSpaces:
    """Finds those trials of past searches that say something about a space.

    Args:
        memory: the experience.
        space: the candidates of the new search.
        rebuild: builds past spaces again, without which no other space says anything about this one.
    """

    def __init__(self, memory: Experience, space: JointSpace, rebuild: Rebuild | None = None):
        self.memory = memory
        self.space = space
        self._rebuild = rebuild
        self._read: dict[Kind, Translation | None] = {}
        self._unreadable: set[Kind] = set()
        self._rebuilt: dict[tuple[Kind, Signature], JointSpace | None] = {}
        self._alike: dict[str, bool] = {}
        self._left = TRANSLATED
        self._foreign_left = FOREIGN

    def outlines(self, searches: Sequence[PastSearch], most: int) -> Iterator[tuple[list[Outline], Translation | None]]:
        """Yield outlines of trials that mean a candidate of the space, with how they are read (None: as they stand).

        Args:
            searches: whose scores can be compared.
            most: how many trials of each space at most.
        """
        for kind, those in _kinds(searches).items():
            if kind not in self._read:
                records = self._few(those)
                if not records:
                    continue
                self._read[kind] = self._translation(kind, records)
            translation = self._read[kind]
            if translation is None:
                yield outlines(self.memory, those, most), None
            elif translation.same:
                yield self._meaning(outlines(self.memory, those, LOOKED_THROUGH * most), translation), translation
            elif kind not in self._unreadable and self._left > 0:
                found = outlines(self.memory, those, min(most, self._left))
                self._left -= len(found)
                yield self._meaning(found, translation), translation

    def foreign(self, searches: Sequence[PastSearch], signature: Signature, least: int, most: int) -> list[Outline]:
        """Return outlines of trials of another space that has layers in common with this one; of several, the latest.

        Args:
            searches: whose scores can be compared.
            signature: of their task.
            least: how many trials must have finished.
            most: how many trials at most.
        """
        if self._rebuild is None or not self._foreign_left:
            return []
        for kind, those in reversed(_kinds(searches).items()):
            if self._read.get(kind) is not None and self._says_something(kind, those, signature):
                found = outlines(self.memory, those, most)
                if sum(outline.score is not None for outline in found) >= least:
                    self._foreign_left -= 1
                    return found
        return []

    def _says_something(self, kind: Kind, searches: Sequence[PastSearch], signature: Signature) -> bool:
        """Whether a past space can be built again, is what was recorded, and has layers in common with this one."""
        assert self._rebuild is not None
        if (kind, signature) not in self._rebuilt:
            past = self._rebuild(self.memory.search(searches[-1].id), signature)
            if past is not None:
                proof = Translation(past, True)
                proof.learn(self._few(searches))
                past = past if proof.same else None
            self._rebuilt[kind, signature] = past
        past = self._rebuilt[kind, signature]
        if past is None:
            return False
        if kind.space not in self._alike:
            self._alike[kind.space] = links_in_common(past.network, self.space.network) >= ALIKE
        return self._alike[kind.space]

    def _meaning(self, found: list[Outline], translation: Translation) -> list[Outline]:
        """Return those that mean a candidate of the space."""
        records = recorded(self.memory, numbers_of(found))
        return [o for o in found if (o.search, o.number) in records and translation(records[o.search, o.number])]

    def _translation(self, kind: Kind, records: Sequence[Recorded]) -> Translation | None:
        """Return how the records of searches are read; None where they are the space's own."""
        networks, recipes = known_space(self.memory, kind.space), known_space(self.memory, kind.recipe_space)
        own = self.space.network
        same = kind.space == own.hash or same_tree(networks and networks.description, own.describe())
        translation = Translation(
            self.space, same, recipe_space=kind.recipe_space, recipes=recipes and recipes.description
        )
        translation.learn(records)
        if not translation.same and not any(map(translation, records)):
            self._unreadable.add(kind)
        unchanged = (kind.space, kind.recipe_space) == (own.hash, self.space.recipe.hash)
        return None if unchanged and translation.same else translation

    def _few(self, searches: Sequence[PastSearch]) -> list[Recorded]:
        return list(recorded(self.memory, numbers_of(outlines(self.memory, searches, LOOKED_AT))).values())


class Reader:
    """Reads trials of past searches as those of a space, as `PastSpaces` found out how.

    Args:
        memory: the experience.
        space: the candidates.
        rebuild: builds past spaces again.
    """

    def __init__(self, memory: Experience, space: JointSpace, rebuild: Rebuild | None = None):
        self.memory = memory
        self.space = space
        self._rebuild = rebuild
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

    def foreign_space(self, search: str, signature: Signature) -> JointSpace | None:
        """Return the candidates of a search of another space; None where they cannot be built again."""
        if self._rebuild is not None:
            with suppress(ExperienceError):  # it has lost the search
                return self._rebuild(self.memory.search(search), signature)
        return None

    def _translation(self, reading: Mapping[str, Any]) -> Translation:
        key = json.dumps(reading, sort_keys=True)
        if key not in self._translations:
            recipes = known_space(self.memory, reading["recipe_space"])
            described = recipes.description if recipes else None
            same, gaps = reading["same"], reading["gaps"]
            self._translations[key] = Translation(self.space, same, gaps, reading["recipe_space"], described)
        return self._translations[key]


def _kinds(searches: Sequence[PastSearch]) -> dict[Kind, list[PastSearch]]:
    kinds: dict[Kind, list[PastSearch]] = defaultdict(list)
    for search in searches:
        kinds[Kind(search.space, search.recipe_space, search.version)].append(search)
    return kinds


def numbers_of(found: Sequence[Outline]) -> dict[str, list[int]]:
    """Return the numbers of trials by their searches."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for outline in found:
        numbers[outline.search].append(outline.number)
    return dict(numbers)
