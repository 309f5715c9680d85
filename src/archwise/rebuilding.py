"""The spaces of past searches, built again."""

from __future__ import annotations

from archwise.errors import SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.experience import SearchRecord
from archwise.limits import limit_spaces
from archwise.signature import DIMENSIONS, Signature
from archwise.spaces.joint import JointSpace
from archwise.spaces.ready import READY, ready_space


def rebuilt(search: SearchRecord, signature: Signature) -> JointSpace | None:
    """Return the candidates of a past search, where they were those of a ready-made space that is the same now.

    Args:
        search: the search.
        signature: of its task.

    Returns:
        The space, whose hashes are those that were recorded; None where it cannot be built.
    """
    settings = search.settings
    if settings.get("space") not in READY or len(signature.input) != DIMENSIONS[signature.kind]:
        return None
    for classes in ({}, {"imbalanced": True}, {"classification": False}):
        parts = [ready_space(settings["space"], signature), training_recipe(signature.kind, **classes)]
        try:
            network, recipe = limit_spaces(parts, settings.get("fix") or {}, settings.get("exclude") or {})
        except SpaceError:
            continue
        if (network.hash, recipe.hash) == (search.space, search.recipe_space):
            return JointSpace(network, recipe, signature)
    return None
