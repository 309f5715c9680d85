"""Training, validation and test rows: drawn once, seeded, every class in each."""

from __future__ import annotations

import numpy as np

from archwise.errors import DataError

FEWEST_ROWS = 10
VALIDATION_SHARE, MOST_VALIDATION = 0.2, 6_000
"""The validation split: this share, and no more rows than that, since every trial is measured on all of them."""


def split_rows(
    labels: np.ndarray | None,
    rows: int,
    *,
    seed: int,
    test_share: float = 0.2,
    validation_share: float | None = None,
    own_test: bool = False,
) -> dict[str, np.ndarray]:
    """Divide row numbers into "train", "validation" and, unless the data has its own, "test".

    Args:
        labels: class number of each row, for splits in which every class has its share, and one row at least;
            None draws rows regardless of their target (regression).
        rows: how many rows there are.
        seed: the same seed draws the same rows.
        test_share: share of all rows that the test split takes.
        validation_share: share of the remaining rows that the validation split takes; if None, a fifth of them,
            6,000 at most.
        own_test: the data has its own test split, so none is drawn.

    Raises:
        DataError: a share lies outside (0, 1), or there are too few rows.

    Example:
        >>> parts = split_rows(np.array([0] * 20 + [1] * 5), 25, seed=0)
        >>> {name: len(part) for name, part in parts.items()}
        {'train': 16, 'validation': 4, 'test': 5}
    """
    for name, share in (("test", test_share), ("validation", validation_share)):
        if share is not None and not 0 < share < 1:
            raise DataError(f"The {name} share must lie between 0 and 1, not at {share}: 0.2 is usual.")
    refuse_too_few(rows)
    random = np.random.default_rng(seed)
    groups = np.zeros(rows, dtype=np.int64) if labels is None else labels
    remaining = random.permutation(rows)
    parts = {}
    if not own_test:
        remaining, parts["test"] = _divide(remaining, groups, test_share, keep=2)
    if validation_share is None:
        validation_share = min(VALIDATION_SHARE, MOST_VALIDATION / len(remaining))
    train, validation = _divide(remaining, groups, validation_share, keep=1)
    return {"train": train, "validation": validation, **parts}


def refuse_too_few(rows: int) -> None:
    """Raise DataError where there are too few rows for three splits."""
    if rows < FEWEST_ROWS:
        raise DataError(f"There are only {rows} rows with a target to learn from: give at least {FEWEST_ROWS}.")


def _divide(order: np.ndarray, groups: np.ndarray, share: float, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the share from every group: at least one row, leaving at least `keep`; both parts stay in random order."""
    counts = np.bincount(groups[order], minlength=int(groups.max()) + 1)
    exact = counts * share
    taken = np.clip(np.floor(exact), 1, np.maximum(counts - keep, 0)).astype(np.int64)
    for group in np.argsort(taken - exact, kind="stable"):  # the largest remainders first
        if taken.sum() >= round(len(order) * share):
            break
        taken[group] += taken[group] < counts[group] - keep
    position = np.empty(len(order), dtype=np.int64)  # of each row within its group
    by_group = np.argsort(groups[order], kind="stable")
    position[by_group] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    inside = position < taken[groups[order]]
    return order[~inside], order[inside]
