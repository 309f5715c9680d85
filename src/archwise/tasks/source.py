"""What every form of data is brought to: inputs and targets as they are, before anything is split or transformed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass
class Part:
    """Rows of inputs and targets, and their row numbers in the source."""

    x: pd.DataFrame | np.ndarray
    y: pd.Series[Any]
    rows: np.ndarray


@dataclass
class Source:
    """Everything that the user gave.

    Args:
        name: what to call the task.
        train: the rows to learn from (and to draw the test split from, where there is no `test`).
        test: the source's own test split.
        ignored: columns of the inputs to leave out (of an array table: their numbers).
        tensors: the inputs are tensors, whose channels come first where nothing else tells.
        notes: what was found, as sentences.
    """

    name: str
    train: Part
    test: Part | None = None
    ignored: tuple[str, ...] = ()
    tensors: bool = False
    notes: list[str] = field(default_factory=list)
