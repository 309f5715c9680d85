"""What a network must accept and return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["table", "image", "series"]
DIMENSIONS: Mapping[Kind, int] = {"table": 1, "series": 2, "image": 3}
"""How many dimensions one example of each kind has."""


@dataclass(frozen=True)
class Signature:
    """The shapes that connect a task with the networks that can learn it.

    Args:
        input: shape of one example without the batch: `(features,)` for a table, `(channels, height, width)`
            for an image, `(channels, time)` for a series.
        outputs: how many numbers the network returns for one example: the number of classes, or 1 for regression.
        kind: what the input is; it selects the ready-made space and the augmentation.

    Example:
        >>> Signature((1, 8, 8), 10, "image")
        Signature(input=(1, 8, 8), outputs=10, kind='image')
    """

    input: tuple[int, ...]
    outputs: int
    kind: Kind

    def to_json(self) -> dict[str, Any]:
        """Return the signature as plain JSON data."""
        return {"input": list(self.input), "outputs": self.outputs, "kind": self.kind}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Signature:
        """Rebuild a signature from what `to_json` returned."""
        return cls(tuple(data["input"]), data["outputs"], data["kind"])
