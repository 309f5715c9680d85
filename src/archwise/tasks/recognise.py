"""What the columns of a table and a target are, told from their values by rules that are said to the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from archwise.errors import DataError
from archwise.tasks.frame_inputs import VAGUE, as_dates, as_numbers, as_truths, as_words, date_parts

MOSTLY = 0.95
"""Share of a column's values that must be numbers (or dates) for the column to count as such."""
MOST_LEVELS = 64
DATE_PARTS = ("days", "year sine", "year cosine", "week sine", "week cosine", "day sine", "day cosine")
DAY_FORMS = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y",
    "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
DATE_FORMS = ("ISO8601", *(f"{day}{clock}" for clock in ("", " %H:%M", " %H:%M:%S") for day in DAY_FORMS))
"""Tried in this order; where several read equally many values the first is taken, and said."""
LIKE_A_DATE = re.compile(r"\d{1,4}[-/. ]\w{1,9}[-/., ]+\d{1,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}")
COMMA_FOR_DECIMALS = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
COMMA_FOR_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
ROW_NAMES = re.compile(r"(?i:(.*[ _.-])?(id|uuid|guid)|index|row|unnamed: \d+)|.*[a-z]I[dD]")

MANY_CLASSES = 20
"""Whole numbers with more different values than this are a quantity, unless they look like numbered classes."""
ROWS_PER_CLASS = 5


@dataclass(frozen=True)
class Target:
    """What a target was recognised as.

    Args:
        classes: the labels in order; empty for regression.
        values: the class number of each row (int64), or the quantity (float64).
        note: what was recognised and why, as a sentence.
    """

    classes: tuple[str | int | float | bool, ...]
    values: np.ndarray
    note: str

    @property
    def problem(self) -> Literal["binary", "multiclass", "regression"]:
        """What kind of problem this target poses."""
        return "regression" if not self.classes else "binary" if len(self.classes) == 2 else "multiclass"

    def encode(self, target: pd.Series[Any]) -> np.ndarray:
        """Turn targets of the source's own test split into class numbers or quantities.

        Raises:
            DataError: a class is not among those of the training rows, or a quantity is no number.
        """
        values = _plain_values(target, str(target.name))
        if not self.classes:
            if values.dtype.kind == "U":
                raise DataError(
                    f"The target {target.name!r} holds {values[0].item()!r} in the test split, where a number must be."
                )
            return values.astype(np.float64)
        words = isinstance(self.classes[0], str)
        numbers = {label: i for i, label in enumerate(self.classes)}
        labels = [str(value) if words else value for value in values.tolist()]
        unknown = next((label for label in labels if label not in numbers), None)
        if unknown is not None:
            raise DataError(f"Class {unknown!r} is in the test split but not among the training rows: remove its rows.")
        return np.array([numbers[label] for label in labels], dtype=np.int64)


def recognise_column(column: pd.Series[Any], rows: np.ndarray) -> tuple[dict[str, Any] | None, str]:
    """Tell what a column of the training split is.

    Args:
        column: its values.
        rows: the row numbers of these values in the source; a column that merely counts rows is left out.

    Returns:
        The column's settings for the preprocessing, or None where it is left out, and a note ("" where there is
        nothing to say).
    """
    name = str(column.name)
    words = as_words(column) if not pd.api.types.is_numeric_dtype(column.dtype) else []
    if column.isna().all() or (words and all(word is None for word in words)):
        return None, f"Column {name!r} has no value in the training split and is left out."
    distinct = len(set(words)) if words else column.nunique(dropna=False)
    if distinct == 1:
        return None, f"Column {name!r} holds one value only and is left out."
    if pd.api.types.is_complex_dtype(column.dtype):
        raise DataError(f"Column {name!r} holds complex numbers: split it into real columns or use --ignore {name}.")
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _date(column, "ISO8601")
    if pd.api.types.is_bool_dtype(column.dtype) or {w.lower() for w in words if w} in (
        {"true", "false"},
        {"true"},
        {"false"},
    ):
        return {"name": name, "type": "boolean"}, ""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return _number(column, rows)
    present = [word for word in words if word is not None and word.lower() not in VAGUE]
    comma = _comma(present)
    numbers = as_numbers(column, comma)
    share = (~np.isnan(numbers)).sum() / max(1, len(present))
    if share < MOSTLY:
        form = _date_form(present)
        if form:
            date, note = _date(column, form)
            return date, f"{note} {_unread(name, words, as_dates(column, form).to_numpy(), 'date')}".strip()
        found = _words(name, words)
        if found[0] is not None or share < 0.5:
            return found
    settings, note = _number(column, rows, comma)
    said = f"Column {name!r} is read with commas as {comma} separators." if comma else ""
    return settings, note or f"{said} {_unread(name, words, numbers, 'number')}".strip()


def _number(column: pd.Series[Any], rows: np.ndarray, comma: str = "") -> tuple[dict[str, Any] | None, str]:
    name = str(column.name)
    values = as_numbers(column, comma)
    finite = bool(np.isfinite(values).all())
    whole = finite and len(np.unique(values)) == len(values) and bool((values % 1 == 0).all())
    if whole and (len(np.unique(values - rows)) == 1 or ROW_NAMES.fullmatch(name)) and len(values) > 20:
        return None, f"Column {name!r} numbers the rows and is left out (rename it if it is a quantity)."
    return {"name": name, "type": "number", "comma": comma}, ""


def _date(column: pd.Series[Any], form: str) -> tuple[dict[str, Any], str]:
    name = str(column.name)
    values = date_parts(as_dates(column, form), list(DATE_PARTS))
    parts = [p for p, v in zip(DATE_PARTS, values, strict=True) if np.nanmax(v) > np.nanmin(v)] or ["days"]
    said = {"ISO8601": "year-month-day"}.get(form, form.replace("%", ""))
    return {"name": name, "type": "date", "format": form, "parts": parts}, f"Column {name!r} is read as dates ({said})."


def _words(name: str, words: list[str | None]) -> tuple[dict[str, Any] | None, str]:
    levels, counts = np.unique(np.array([w for w in words if w is not None], dtype=str), return_counts=True)
    if len(levels) > max(20, 0.5 * counts.sum()):
        return None, f"Column {name!r} has other words in nearly every row and is left out."
    enough = max(2, int(np.ceil(0.001 * len(words))))
    frequent = [i for i in np.argsort(-counts, kind="stable")[:MOST_LEVELS] if counts[i] >= enough]
    chosen = sorted(str(levels[i]) for i in frequent)
    other = len(chosen) < len(levels)
    note = f"Column {name!r}: {len(levels) - len(chosen)} rare words of {len(levels)} count as other." if other else ""
    return {"name": name, "type": "words", "levels": chosen, "other": other, "missing": None in words}, note


def _unread(name: str, words: list[str | None], values: np.ndarray, kind: str) -> str:
    odd = [w for w, lost in zip(words, pd.isna(values), strict=True) if lost and w and w.lower() not in VAGUE]
    return f"Column {name!r}: {len(odd)} values that are no {kind} ({odd[0]!r}) count as missing." if odd else ""


def _comma(words: list[str]) -> str:
    """What commas are in these words: "decimal" as in 1.234,5, "thousands" as in 1,234.5, or "" for neither."""
    with_comma = [word for word in words if "," in word]
    if with_comma and all(COMMA_FOR_THOUSANDS.fullmatch(word) for word in with_comma):
        return "thousands"
    if with_comma and all(COMMA_FOR_DECIMALS.fullmatch(word) for word in words):
        return "decimal"
    return ""


def _date_form(words: list[str]) -> str | None:
    sample = pd.Series(sorted(set(words))[:500], dtype=object)
    if sample.empty or np.mean([bool(LIKE_A_DATE.match(word)) for word in sample]) < MOSTLY:
        return None
    shares = [float(as_dates(sample, form).notna().mean()) for form in DATE_FORMS]
    best = int(np.argmax(shares))
    return DATE_FORMS[best] if shares[best] >= MOSTLY else None


def recognise_target(
    target: pd.Series[Any], problem: str | None = None, *, fewest: int = 3, labels: bool = False
) -> Target:
    """Tell whether a target holds classes or a quantity, by these rules:

    - words and truth values are classes, and so are two different values of any type;
    - numbers with fractions are a quantity;
    - whole numbers are classes where there are at most 20 different ones, each five times on average; or where they
      count 0, 1, 2, ... (or 1, 2, ...) without a gap and no class has three times the rows of another, as numbered
      classes do; otherwise a quantity.

    Args:
        target: its values, none missing.
        problem: "classification" or "regression" overrides the rules.
        fewest: rows that each class must have.
        labels: whole numbers that count up without a gap are classes, however many rows each has (the usual
            form of image and series data).

    Raises:
        DataError: nothing can be learned from this target; the text names the value and the remedy.

    Example:
        >>> recognise_target(pd.Series(["no", "yes", "no", "no", "yes", "yes"])).classes
        ('no', 'yes')
        >>> recognise_target(pd.Series([1.5, 2.25, 3.0, 4.5])).problem
        'regression'
    """
    name = str(target.name)
    if problem not in (None, "classification", "regression"):
        raise DataError(f"The problem must be 'classification' or 'regression', not {problem!r}.")
    values = _plain_values(target, name)
    levels, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(levels) < 2:
        held = f"the value {levels.tolist()[0]!r} only" if len(levels) else "no value"
        raise DataError(f"The target {name!r} holds {held}, so there is nothing to learn: name another target.")
    reason = _why_classes(levels, counts, labels)
    if problem == "regression" or (problem is None and not reason):
        if values.dtype.kind not in "iuf":
            raise DataError(f"The target {name!r} holds {levels.tolist()[0]!r}, no number: regression needs numbers.")
        said = "as asked for" if problem else f"the target {name!r} holds {len(levels)} different numbers"
        return Target((), values.astype(np.float64), f"Regression: {said}.")
    if values.dtype.kind == "U" and len(levels) > max(20, 0.5 * len(values)):
        raise DataError(
            f"The target {name!r} holds {len(levels)} different words in {len(values)} rows, as {levels[0].item()!r}:"
            " name a column of classes or numbers."
        )
    if counts.min() < fewest:
        rare, count = levels[counts.argmin()].item(), int(counts.min())
        raise DataError(
            f"Class {rare!r} of the target {name!r} has {count} row{'s' * (count > 1)}, but each split needs one, so"
            f" {fewest} at least: add rows, remove it, or ask for regression if the target is a quantity."
        )
    said = "as asked for" if problem else f"the target {name!r} holds {reason}"
    return Target(tuple(levels.tolist()), codes.astype(np.int64), f"Classification, {len(levels)} classes: {said}.")


def _plain_values(target: pd.Series[Any], name: str) -> np.ndarray:
    """The target as truth values, int64, float64 or text."""
    dtype = target.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        raise DataError(f"The target {name!r} holds dates: name a column of classes or numbers.")
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError(f"The target {name!r} holds complex numbers: name a column of classes or real numbers.")
    if pd.api.types.is_bool_dtype(dtype):
        return target.to_numpy(dtype=bool)
    if pd.api.types.is_integer_dtype(dtype):
        return target.to_numpy(dtype=np.int64)
    words = [] if pd.api.types.is_numeric_dtype(dtype) else [word or "" for word in as_words(target)]
    if words and {word.lower() for word in words} <= {"true", "false"}:
        return as_truths(target).astype(bool)
    numbers = as_numbers(target, _comma(words))
    if np.isnan(numbers).any():
        return np.array(words, dtype=str)
    if np.isinf(numbers).any():
        row = int(np.isinf(numbers).argmax())
        raise DataError(
            f"The target {name!r} holds {numbers[row]} in row {target.index[row]} (the first is 0): replace it."
        )
    whole = bool(words) and all(re.fullmatch(r"[-+]?\d{1,15}", word) for word in words)
    return numbers.astype(np.int64) if whole else numbers


def _why_classes(levels: np.ndarray, counts: np.ndarray, labels: bool) -> str:
    """Why these values are classes, in words; "" where they are a quantity."""
    if levels.dtype.kind == "b" or len(levels) == 2:
        return f"two values ({levels[0].item()!r}, {levels[1].item()!r})"
    if levels.dtype.kind == "U":
        return "words"
    if (levels % 1 != 0).any():
        return ""
    if len(levels) <= MANY_CLASSES and counts.sum() >= ROWS_PER_CLASS * len(levels):
        return f"{len(levels)} whole numbers"
    consecutive = levels[0] in (0, 1) and levels[-1] - levels[0] == len(levels) - 1
    alike = counts.max() < 3 * counts.min() and counts.min() >= 3
    if consecutive and (alike or (labels and counts.sum() >= ROWS_PER_CLASS * len(levels))):
        return f"the whole numbers {levels[0]:g} to {levels[-1]:g}, as numbered classes do"
    return ""
