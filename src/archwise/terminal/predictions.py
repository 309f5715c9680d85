"""Predictions of a finished search, as CSV."""

from __future__ import annotations

import sys
from pathlib import Path

from archwise.errors import DataError
from archwise.files import write_atomic
from archwise.result import Result


def write_predictions(run: Path, data: Path, output: Path | None) -> None:
    """Predict for a file and write CSV.

    Args:
        run: the run folder.
        data: a file in the form that the search was given.
        output: the file to write, whole or not at all; standard output if None.

    Raises:
        ArchwiseError: the run has no result, the data cannot be read, or the file cannot be written.
    """
    if output is not None and output.exists() and data.exists() and output.samefile(data):
        raise DataError(f"The predictions would replace the data {data}: name another file as --output.")
    if output is not None and not output.parent.is_dir():
        raise DataError(f"There is no folder {output.parent} for the predictions: make it, or name another --output.")
    table = Result(run).predict(data)
    text = table.to_csv(index=False, lineterminator="\n")
    if output is None:
        sys.stdout.buffer.write(text.encode())
        return
    try:
        write_atomic(output, text)
    except OSError as error:
        raise DataError(f"The predictions cannot be written to {output} ({error.strerror}): name another.") from error
    print(f"{len(table):,} predictions are in {output}.", file=sys.stderr)
