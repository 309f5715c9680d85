"""Reading the records of one space as those of another one, where they mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice, product
from typing import Any

from archwise.errors import SpaceError
from archwise.experience.past import Recorded
from archwise.spaces.architecture import Architecture, Candidate, Label
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace
from archwise.spaces.settings import Settings
from archwise.spaces.space import Space

WHERE_SILENT: Mapping[str, Any] = {
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": 64,
    "warmup": 0.0,
    "label_smoothing": 0.0,
    "class_weights": False,
    "augmentation": "none",
}
"""What a training does where its recipe does not say."""
LOOKED_AT = 8
"""Records from which it is learnt how others are read."""
MOST_TRIED = 24
"""Ways of filling the gaps of each of these that are tried."""
ALIKE = 0.5
"""Share of a record's choices that a space must make, or they have nothing to do with each other."""

Gaps = dict[str, Label]
"""Name of a choice that records do not make, or `name=label` where that option is gone -> the option that is meant."""


class Translation:
    """Reads the candidates of a past search as those of a space of now.

    A choice is known again by its path, also where parts were put around it or taken away. What a past space did not
    leave open, or called otherwise, is a gap. An option that fills it is found by trying: the answer must be the same
    function trained alike, so its hashes must be those that the trial was stored with. So no record is ever misread;
    at worst it is not read.

    Recipes are the same where a training would do the same: no label smoothing is a label smoothing of 0.

    Args:
        space: the candidates of now.
        same: whether the past space of networks was the same tree, so that its records mean what they say as far as
            the limits of now leave that open, and no graph need be compared.
        gaps: what fills the gaps of networks and of recipes, as `learn` found it.
        recipe_space: hash of the past space of recipes.
        recipes: description of the past space of recipes, without which recipes must have the same settings.

    Example:
        >>> from archwise.spaces import Chain, Choice
        >>> from archwise.spaces.parts import activation, dense, head
        >>> past = Space(Chain(dense(Choice("width", [8, 16])), activation("relu"), head()))
        >>> act = Choice("act", ["tanh", "relu"])
        >>> wider = Space(Chain(dense(Choice("width", [8, 16, 32])), activation(act), head()))
        >>> recipe = Space(Settings(rate=0.1))
        >>> record = Architecture({"width": 16})
        >>> trial = Recorded(Candidate(record, Architecture({})), past.key(record), recipe.key(Architecture({})))
        >>> translation = Translation(JointSpace(wider, recipe))
        >>> translation.learn([trial])
        >>> translation(trial).architecture, translation.gaps
        (Architecture({'width': 16, 'act': 'relu'}), ({'act': 'relu'}, {}))
    """

    def __init__(
        self,
        space: JointSpace,
        same: bool = False,
        gaps: Sequence[Mapping[str, Label]] = ({}, {}),
        recipe_space: str = "",
        recipes: Any = None,
    ):
        self.space = space
        self.same = same
        self.gaps: tuple[Gaps, Gaps] = (dict(gaps[0]), dict(gaps[1]))
        self.recipe_space = recipe_space
        self._recipes = recipes
        self._parts = space.network, space.recipe
        self._limits = space.network.describe()["limits"] if same else {}
        self._meant = lru_cache(maxsize=10_000)(self._find_meant)

    def learn(self, records: Sequence[Recorded]) -> None:
        """Find out from a few records whether networks mean what they say, and what fills the gaps."""
        records = records[:LOOKED_AT]
        if self.same:
            stated = [recorded for recorded in records if _left_open(recorded.candidate.architecture, self._limits)]
            self.same = all(
                recorded.candidate.architecture in self.space.network
                and self._means(0, recorded.candidate.architecture, recorded)
                for recorded in stated
            )
        for side in (1,) if self.same else (0, 1):
            for recorded in records:
                record = recorded.candidate[side]
                for filled in islice(_ways(self._parts[side], record, self.gaps[side]), MOST_TRIED):
                    if self._means(side, _derived(self._parts[side], record, filled), recorded):
                        self.gaps[side].update(filled)
                        break

    def __call__(self, recorded: Recorded) -> Candidate | None:
        """Return the candidate that is the recorded one; None where none is known."""
        recipe = self._read(1, recorded)  # the cheaper one
        architecture = self._read(0, recorded) if recipe is not None else None
        return None if recipe is None or architecture is None else Candidate(architecture, recipe)

    def to_json(self) -> dict[str, Any]:
        """Return as plain JSON data what was learnt."""
        return {"same": self.same, "gaps": list(self.gaps), "recipe_space": self.recipe_space}

    def _read(self, side: int, recorded: Recorded) -> Architecture | None:
        record = recorded.candidate[side]
        if side == 0 and self.same:
            return record if _left_open(record, self._limits) else None
        found = _derived(self._parts[side], record, self.gaps[side])
        return found if self._means(side, found, recorded) else None

    def _means(self, side: int, found: Architecture, recorded: Recorded) -> bool:
        """Whether an architecture, or a recipe, is the recorded one."""
        if side == 0:
            return self.space.network.key(found) == recorded.architecture_hash
        recipe = self.space.recipe
        if recipe.key(found) == recorded.recipe_hash:
            return True
        meant = self._meant(recorded.candidate.recipe, recorded.recipe_hash)
        return meant is not None and meant == _in_full(recipe.values(found))

    def _find_meant(self, record: Architecture, recipe_hash: str) -> str | None:
        """Return what a past recipe says, as far as its hash proves it; `_meant` remembers it."""
        with suppress(LookupError, TypeError, ValueError, AttributeError, SpaceError):
            values = _described_values(self._recipes["root"], record, "")
            if Space(Settings(**values)).key(Architecture({})) == recipe_hash:
                return _in_full(values)
        return None


def same_tree(first: Any, second: Any) -> bool:
    """Whether two descriptions of spaces differ in nothing but the options that limits leave open."""
    roots = [description.get("root") if isinstance(description, Mapping) else None for description in (first, second)]
    return roots[0] is not None and roots[0] == roots[1]


def _left_open(record: Architecture, limits: Mapping[str, Sequence[Label]]) -> bool:
    """Whether the limits of a space (as it describes them) leave a record of the same tree open."""
    return all(
        any(label == record[path] and type(label) is type(record[path]) for label in labels)
        for path, labels in limits.items()
        if path in record
    )


def _derived(space: Space, record: Mapping[str, Label], gaps: Gaps, noted: _Notes | None = None) -> Architecture:
    """Return the member of a space that makes a record's choices.

    Args:
        space: the space.
        record: choices of another space.
        gaps: what is taken where the record does not say.
        noted: where given, gets what was met on the way.
    """
    noted = noted or _Notes()

    def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
        known = _known_again(path, record)
        gap = choice.name if known is None else f"{choice.name}={record[known]}"
        said = [] if known is None else [record[known]]
        for label in (*said, *([gaps[gap]] if gap in gaps else [])):
            place = choice.find(label)
            if place is not None and place in allowed:
                noted.made.update([] if known is None else [known])
                return place
        default = choice.default if choice.default in allowed else allowed[0]
        others = (i for i in allowed if i != default)
        noted.missing.setdefault(gap, [choice.labels[i] for i in (default, *others)])
        return default

    return space.derive(decide)


class _Notes:
    """What is met while a record is read."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        """The record's choices that the space makes too."""
        self.missing: dict[str, list[Label]] = {}
        """Gaps that nothing fills, each with its open options."""


def _ways(space: Space, record: Mapping[str, Label], known: Gaps) -> Iterator[Gaps]:
    """Yield ways of filling the gaps of a record, the likeliest first; none if it has little to do with the space."""
    noted = _Notes()
    _derived(space, record, known, noted)
    if len(noted.made) < ALIKE * len(record):
        return
    for labels in product(*noted.missing.values()):
        yield {**known, **dict(zip(noted.missing, labels, strict=True))}


def _known_again(path: str, record: Mapping[str, Label]) -> str | None:
    """Return the path of a record's choice that is the one at a path: the same, or one is the end of the other."""
    if path in record:
        return path
    steps = path.strip("/").split("/")
    best: tuple[int, str] | None = None
    for other in record:
        parts = other.strip("/").split("/")
        common = min(len(steps), len(parts))
        if steps[-common:] == parts[-common:] and (best is None or common > best[0]):
            best = common, other
    return best[1] if best else None


def _in_full(values: Mapping[str, Any]) -> str:
    """Return a recipe's values as text, without those that go without saying."""
    said = {key: value for key, value in values.items() if not _goes_without_saying(key, value)}
    return json.dumps(said, sort_keys=True)


def _goes_without_saying(key: str, value: Any) -> bool:
    usual = WHERE_SILENT.get(key)
    return usual is not None and usual == value and isinstance(usual, bool | str) == isinstance(value, bool | str)


def _described_values(described: Any, record: Mapping[str, Label], scope: str) -> dict[str, Any]:
    """Return the values of Settings from their description and the choices made."""
    values: dict[str, Any] = {}
    for key, part in described["settings"].items():
        value, inner, name = part, scope, None
        if isinstance(part, Mapping) and "choice" in part:
            path = f"/{part['choice']}" if part["shared"] else f"{scope}{part['choice']}"
            name = record[path]
            places = [i for i, label in enumerate(part["labels"]) if label == name and type(label) is type(name)]
            value, inner = part["options"][places[0]], f"{path}={name}/"
        if isinstance(value, Mapping) and "settings" in value:
            values |= {key: name} | _described_values(value, record, inner)
        else:
            values[key] = value
    return values
