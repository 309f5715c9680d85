"""The training recipe, as a space of its own beside the network's."""

from __future__ import annotations

from archwise.signature import Kind
from archwise.spaces import Choice, Settings, Space


def training_recipe(kind: Kind, classification: bool = True, imbalanced: bool = False) -> Space:
    """Return the space of training recipes for a kind of data.

    Args:
        kind: "table", "image" or "series"; selects the augmentations, and the default of weight decay.
        classification: whether label smoothing is a choice.
        imbalanced: whether weighing classes by their rarity is a choice (on by default).

    Example:
        >>> recipe = training_recipe("image")
        >>> recipe.values(recipe.default)["optimizer"], recipe.values(recipe.default)["learning_rate"]
        ('adamw', 0.003)
    """
    adamw = Settings(
        "adamw",
        learning_rate=Choice("learning_rate", [3e-4, 1e-3, 3e-3, 1e-2], default=3e-3, level="recipe"),
        weight_decay=Choice(
            "weight_decay", [1e-4, 1e-2, 1e-1], default=1e-1 if kind == "image" else 1e-2, level="recipe"
        ),
    )
    sgd = Settings(
        "sgd",
        learning_rate=Choice("learning_rate", [1e-2, 3e-2, 1e-1, 3e-1], default=1e-1, level="recipe"),
        weight_decay=Choice("weight_decay", [1e-5, 1e-4, 5e-4, 2e-3], default=5e-4, level="recipe"),
    )
    values: dict[str, object] = {
        "optimizer": Choice("optimizer", [adamw, sgd], level="recipe"),
        "batch_size": Choice("batch_size", [32, 64, 128, 256], default=64, level="recipe"),
        "warmup": 0.05,
    }
    if classification:
        values["label_smoothing"] = Choice("label_smoothing", [0.0, 0.05, 0.1], level="recipe")
    if classification and imbalanced:
        values["class_weights"] = Choice("class_weights", [True, False], level="recipe")
    if kind != "table":
        augmentations = ["none", "light", "strong"]
        values["augmentation"] = Choice("augmentation", augmentations, default="light", level="recipe")
    return Space(Settings(**values), f"recipe-{kind}")
