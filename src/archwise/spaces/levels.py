"""The levels of a search: parts of a network's choices, and the recipe."""

from __future__ import annotations

from dataclasses import dataclass, field

from archwise.errors import SpaceError
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace, Key

RECIPE_LEVEL = "recipe"
"""The level of all of a recipe's choices."""
PLACES = {"macro": 0, "cell": 2}
"""Before and behind the network's other levels, which come in the order of the tree."""


@dataclass(frozen=True)
class LevelSpace(JointSpace):
    """The candidates of another space that differ from one of them in the choices of one level alone.

    Args:
        whole: the other space, which says what is allowed and what is the same.
    """

    whole: JointSpace = field(kw_only=True)

    def key(self, candidate: Candidate) -> Key:
        """Return what tells candidates of the whole space apart."""
        return self.whole.key(candidate)

    def allows(self, candidate: Candidate) -> bool:
        """Whether the whole space allows the candidate."""
        return self.whole.allows(candidate)


def levels_of(space: JointSpace) -> tuple[str, ...]:
    """Return the levels of a search: macro before others of the network, its cell behind these, the recipe last.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.cnn import cnn
        >>> levels_of(JointSpace(cnn(), training_recipe("image")))
        ('macro', 'network', 'cell', 'recipe')
    """
    network = [level for level in space.network.levels if level != RECIPE_LEVEL]
    network.sort(key=lambda level: PLACES.get(level, 1))
    open_ = space.recipe.size > 1 or len(network) < len(space.network.levels)
    return (*network, RECIPE_LEVEL) if open_ else tuple(network)


def level_space(space: JointSpace, level: str, candidate: Candidate) -> LevelSpace:
    """Return the candidates that differ from one in the choices of one level alone; see `Space.only`.

    Args:
        space: the space.
        level: one of its levels; the recipe's choices are all of the level "recipe".
        candidate: one of its candidates.

    Raises:
        SpaceError: the space has no such level, or the candidate is not its member.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.cnn import cnn
        >>> space = JointSpace(cnn(), training_recipe("image"))
        >>> recipes = level_space(space, "recipe", space.default)
        >>> recipes.size == space.recipe.size, recipes.sample(0).architecture == space.default.architecture
        (True, True)
    """
    if level not in levels_of(space):
        raise SpaceError(f"The search has no level {level!r}: take some of {', '.join(map(repr, levels_of(space)))}.")
    network = space.network.only(candidate.architecture, [level])
    recipe = space.recipe if level == RECIPE_LEVEL else space.recipe.only(candidate.recipe, [])
    return LevelSpace(
        network,
        recipe,
        signature=space.signature,
        most_parameters=space.most_parameters,
        most_flops=space.most_flops,
        whole=space,
    )
