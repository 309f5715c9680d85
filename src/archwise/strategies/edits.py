"""Edits: the single changes that make one candidate another."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from archwise.spaces.architecture import Candidate, Label
from archwise.spaces.choice import Decision
from archwise.spaces.joint import RECIPE, JointSpace
from archwise.spaces.walks import keeping

Kind = Literal["add", "change", "delete", "retrain"]


class Edit(NamedTuple):
    """A candidate that differs from another in one choice, and in what opens under it."""

    kind: Kind
    """"add" where the network then has more layers, "delete" where fewer, "change" where as many; "retrain" where the
    recipe alone is another."""
    path: str
    """The choice's path, as `JointSpace.decisions` gives it."""
    before: Label
    after: Label
    candidate: Candidate
    """What the edit leads to."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.path.removeprefix(RECIPE)} {self.before} to {self.after}"


def moves(decision: Decision) -> list[int]:
    """Return the options of a choice that an edit takes: of numbers, the next larger and smaller; else all others."""
    others = [i for i in decision.allowed if i != decision.index]
    if not decision.choice.numeric:
        return others
    smaller, larger = [i for i in others if i < decision.index], [i for i in others if i > decision.index]
    return [*smaller[-1:], *larger[:1]]


def edits_of(space: JointSpace, candidate: Candidate, seed: tuple[int, ...]) -> list[Edit]:
    """Return the edits of a candidate, in the order of its choices.

    Args:
        space: the candidates.
        candidate: one of them.
        seed: decides the choices that open under an option that is taken.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> [str(edit) for edit in edits_of(space, space.default, (0,))][:3]
        ['delete: depth 2 to 1', 'add: depth 2 to 3', 'add: /residual False to True']
    """
    rng = np.random.default_rng(list(seed))
    decisions = space.decisions(candidate)
    layers = _layers(space, candidate)
    found = []
    for decision in decisions:
        for index in moves(decision):
            label = decision.choice.labels[index]
            kept = {**{d.path: d.label for d in decisions}, decision.path: label}
            edited = space.derive(keeping(kept, lambda _path, _choice, open_: open_[rng.integers(len(open_))]))
            kind: Kind = "retrain"
            if edited.architecture != candidate.architecture:
                more = _layers(space, edited) - layers
                kind = "add" if more > 0 else "delete" if more < 0 else "change"
            found.append(Edit(kind, decision.path, decision.label, label, edited))
    return found


def _layers(space: JointSpace, candidate: Candidate) -> int:
    return len(space.network.graph(candidate.architecture).vertices)
