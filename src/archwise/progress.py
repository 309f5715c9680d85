"""What a search tells while it runs; terminals and notebooks listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archwise.trial import Trial

if TYPE_CHECKING:
    from archwise.result import Result
    from archwise.run import Run
    from archwise.tasks.task import Task


class Listener:
    """Hears what a search does; override what is of interest. All calls come from the searching thread."""

    def began(self, run: Run, task: Task, trials: list[Trial]) -> None:
        """The search begins, or goes on after `trials`."""

    def stage(self, name: str, expected: int | None) -> None:
        """A stage begins: "measuring", "searching", "confirming", "training" or "testing".

        Args:
            name: the stage.
            expected: how many trials it will have, where that is known.
        """

    def trial(self, trial: Trial) -> None:
        """A trial ended and is recorded."""

    def tick(self, left: float) -> None:
        """About once a second; `left` is the rest of the budget in seconds, infinite without one."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one sentence."""

    def ended(self, result: Result) -> None:
        """The search is over."""
