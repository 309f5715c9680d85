"""Where text for people goes, and how plain it must be there."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

UNWATCHED_WIDTH = 120
"""Width of tables where no terminal says its own."""


class Output(Console):
    """A console that never breaks what people want to copy, and lets a closed pipe reach the one who handles it.

    Args:
        stderr: write to standard error instead of standard output.
    """

    def __init__(self, stderr: bool = False):
        watched = (sys.stderr if stderr else sys.stdout).isatty()
        width = None if watched or "COLUMNS" in os.environ else UNWATCHED_WIDTH
        super().__init__(stderr=stderr, highlight=False, emoji=False, markup=False, width=width)

    @property
    def live(self) -> bool:
        """Whether a person watches: a terminal that can move its cursor."""
        # Rich takes FORCE_COLOR for a terminal; a file or a pipe with colours is still none.
        return (sys.stderr if self.stderr else sys.stdout).isatty() and not self.is_dumb_terminal

    def say(self, text: str | Text, style: str = "") -> None:
        """Print a sentence, or a line; a path in it stays whole, so that it can be copied."""
        words = str(text).split()
        whole = not self.is_terminal or max(map(len, words), default=0) > self.width
        self.print(text, style=style, soft_wrap=whole)

    def on_broken_pipe(self) -> NoReturn:
        """Hand a closed pipe on, where Rich would end the process."""
        raise


def print_json(data: Any) -> None:
    """Print plain data as one JSON object on standard output; what is no number comes as null."""
    print(json.dumps(_strict(data), ensure_ascii=False))


def _strict(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _strict(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_strict(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
