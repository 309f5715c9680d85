"""Options that commands share, and what makes one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Device(StrEnum):
    """Where networks are trained."""

    cpu = "cpu"
    cuda = "cuda"


class DataKind(StrEnum):
    """What inputs are."""

    table = "table"
    image = "image"
    series = "series"


class Problem(StrEnum):
    """What is predicted."""

    classification = "classification"
    regression = "regression"


Data = Annotated[str, typer.Argument(metavar="DATA", show_default=False)]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder of a search.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and all else to standard error.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, too.")]
Place = Annotated[
    str | None, typer.Option("--experience", metavar="PATH|URL", help="The experience, instead of the user's own.")
]


def option(metavar: str | None, text: str) -> Any:
    """Return a Typer option that has a name for its value and a sentence of help."""
    return typer.Option(metavar=metavar, help=text, show_default=False)
