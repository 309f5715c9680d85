"""A search's progress: a live bar where a person watches, plain lines elsewhere."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from archwise.progress import Listener
from archwise.report.words import count
from archwise.run import Run
from archwise.tasks.task import Task
from archwise.terminal.console import Output
from archwise.terminal.standing import Standing
from archwise.trial import Trial

STAGES = {
    "measuring": "Measuring how long a training takes",
    "searching": "Searching",
    "confirming": "Training the best again with fresh seeds",
    "training": "Training the winner and the default in full",
    "testing": "Testing both, once",
}


class Lines(Listener):
    """Says what happens in lines: what was recognised, each stage, each new best, each new kind of failure.

    Args:
        output: where to.
    """

    def __init__(self, output: Output):
        self.output = output
        self.run: Run | None = None
        self.standing = Standing("")
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Nothing is left to do where lines were written."""

    def began(self, run: Run, task: Task, trials: list[Trial]) -> None:
        """Say what was recognised and what is going to happen."""
        self.run = run
        self.standing = Standing(run.settings.objective)
        for trial in trials:
            self.standing.add(trial)
        settings = run.settings
        self._say(Text.assemble(("Task ", "bold"), (task.name, "bold")))
        for note in task.notes:
            self._say(f"  {note}")
        parts = [f"space {settings.space}", f"strategy {settings.strategy}", f"objective {self.standing.name}"]
        parts += [f"{settings.minutes:g} min"] if settings.minutes else []
        parts += [count(settings.trials, "trial")] if settings.trials else []
        parts += [f"{count(settings.workers, 'worker')} on {settings.device}", f"seed {settings.seed}"]
        self._say(Text.assemble(("Search ", "bold"), ", ".join(parts)))
        self._say(Text.assemble(("Run folder ", "bold"), str(run.folder)))
        if trials:
            self._say(f"Going on after {count(len(trials), 'trial')}; {self._best()}.")

    def stage(self, name: str, expected: int | None) -> None:
        """Say that a stage begins."""
        amount = f" ({count(expected, 'training')})" if expected and name == "confirming" else ""
        self._event(f"{STAGES.get(name, name)}{amount}")

    def trial(self, trial: Trial) -> None:
        """Say that a trial is the best so far, or that one failed for a new reason."""
        news = self.standing.add(trial)
        if news and trial.outcome.status == "failed":
            what = "An evaluation of a finalist" if trial.purpose == "confirm" else f"Trial {trial.number}"
            self._event(f"{what} failed: {trial.outcome.reason}", "yellow")
        elif news:
            self._new_best(trial)

    def note(self, text: str) -> None:
        """Say a sentence."""
        self._event(text, "cyan")

    def _new_best(self, trial: Trial) -> None:
        origin = f" ({trial.origin})" if trial.origin else ""
        self._event(f"Trial {trial.number}{origin}: {self.standing.name} {self.standing.value(trial)}, best so far")

    def _best(self) -> str:
        best, default, name = self.standing.best, self.standing.default, self.standing.name
        if best is None:
            return "none has finished yet"
        beside = f" · default {self.standing.value(default)}" if default is not None and default is not best else ""
        return f"best {name} so far {self.standing.value(best)}{beside}"

    def _event(self, text: str, style: str = "") -> None:
        seconds = round(time.monotonic() - self._begun)
        self._say(Text.assemble((f"[{clock(seconds)}] ", "dim"), (text, style)))

    def _say(self, text: str | Text) -> None:
        self.output.say(text)


class LiveBar(Lines):
    """Says the same above a bar that is redrawn in place.

    Args:
        output: a terminal.
    """

    def __init__(self, output: Output):
        super().__init__(output)
        self._spinner = Spinner("dots", style="cyan")
        self._stage = "Reading the data"
        self._expected: int | None = None
        self._done = self._before = 0
        self._since = time.monotonic()
        self._deadline = math.inf
        self._budget = math.inf
        self._live = Live(
            console=output, get_renderable=self._view, refresh_per_second=4, transient=True, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()

    def began(self, run: Run, task: Task, trials: list[Trial]) -> None:
        """Say what is going to happen, and take the measure of the bar."""
        super().began(run, task, trials)
        if run.settings.minutes is not None:
            self._budget = 60 * run.settings.minutes

    def stage(self, name: str, expected: int | None) -> None:
        """Begin the bar of a stage."""
        self._stage = STAGES.get(name, name)
        # The trainings of the end are heard of when all are done.
        self._expected = expected if name in ("searching", "confirming") else None
        self._done = sum(self.standing.statuses.values()) if name == "searching" else 0
        self._before = self._done
        self._since = time.monotonic()

    def trial(self, trial: Trial) -> None:
        """Move the bar on."""
        super().trial(trial)
        self._done += 1

    def tick(self, left: float) -> None:
        """Learn how much of the budget is left."""
        self._deadline = time.monotonic() + left

    def _new_best(self, trial: Trial) -> None:
        """The bar shows it."""

    def _view(self) -> RenderableType:
        if self.run is None:
            return self._spinner_with(self._stage)
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        share, left = self._share(), self._left()
        bar = ProgressBar(total=1.0, completed=share or 0.0, pulse=share is None)
        percent = "" if share is None else f"{100 * share:3.0f} %"
        grid.add_row(self._spinner_with(self._stage), bar, f"{percent}  {left}".strip())
        lines = [f"  {self._counts()}", f"  {self._best()}"]
        state = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in lines]
        return Group(grid, *state)

    def _counts(self) -> str:
        counts = self.standing.statuses
        parts = [f"{counts[name]:,} {name}" for name in ("finished", "failed", "pruned") if counts[name]]
        return f"trials: {', '.join(parts) or 'none yet'}"

    def _spinner_with(self, text: str) -> RenderableType:
        self._spinner.update(text=text)
        return self._spinner

    def _share(self) -> float | None:
        """How much is done: of the time budget, or of the stage's trials, whichever ends the stage first."""
        timed = 1 - (self._deadline - time.monotonic()) / self._budget if math.isfinite(self._deadline) else None
        counted = self._done / self._expected if self._expected else None
        shares = [timed] if timed is not None and self._stage != STAGES["searching"] else [timed, counted]
        known = [share for share in shares if share is not None]
        return min(1.0, max(known)) if known else None

    def _left(self) -> str:
        """The time left: to the end of the budget, or else, at the pace that it has, to the end of the stage."""
        now = time.monotonic()
        if math.isfinite(self._deadline):
            return f"{clock(max(0, round(self._deadline - now)))} left"
        done = self._done - self._before
        if not self._expected or not done:
            return f"{clock(round(now - self._since))} so far"
        pace = (now - self._since) / done
        return f"about {clock(round(pace * max(0, self._expected - self._done)))} left"


@contextmanager
def listening(output: Output) -> Iterator[Lines]:
    """Listen to a search, live where that is possible; an interrupt says how the search can go on."""
    listener = LiveBar(output) if output.live else Lines(output)
    try:
        with listener:
            yield listener
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(listener)) from None


def _how_to_go_on(listener: Lines) -> str:
    if listener.run is None:
        return "Stopped before the search began; nothing is left behind."
    return f"Stopped; archwise resume {shlex.quote(str(listener.run.folder))} goes on where it was."


def clock(seconds: int) -> str:
    """Return a time span as on a clock.

    Example:
        >>> clock(75), clock(3675)
        ('1:15', '1:01:15')
    """
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
