"""A run folder: where a search leaves what it is, how far it is, and its answer."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from archwise import __version__
from archwise.errors import RunError
from archwise.files import STAGING, json_text, write_atomic, write_together
from archwise.settings import SearchSettings
from archwise.tasks.task import Task

FORMAT = 1
"""Version of the folder's layout; a newer one is refused."""


class Run:
    """A run folder.

    Args:
        folder: the folder; see `create` and `open`.
        data: the content of run.json.
    """

    def __init__(self, folder: Path, data: dict[str, Any]):
        self.folder = folder
        self._data = data

    @classmethod
    @contextmanager
    def reserve(cls, folder: str | Path | None, name: str) -> Iterator[Path]:
        """Make the folder of a new run; where the block fails, nothing of it is left.

        Args:
            folder: where; `runs/NAME-DATE-TIME` below the working folder if None.
            name: what is searched for.

        Raises:
            RunError: the folder holds something already, or cannot be written.
        """
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        path = Path(folder) if folder is not None else _unused(Path("runs") / f"{name}-{stamp}")
        made = [place for place in (path, *path.parents) if not place.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RunError(f"The folder {path} is not empty: choose another, or continue it with archwise resume.")
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise RunError(f"The run folder {path} cannot be written ({error.strerror}): choose another.") from error
        try:
            yield path
        except BaseException:
            for entry in path.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for place in made:
                with suppress(OSError):
                    place.rmdir()
            raise

    @classmethod
    def create(cls, folder: Path, settings: SearchSettings, search: str, experience: str, facts: dict[str, Any]) -> Run:
        """Write run.json for a new search.

        Args:
            folder: the run folder; the task lies in its subfolder `task`.
            settings: what was asked for.
            search: id of the search in the experience.
            experience: where the experience is.
            facts: what else is to be kept (the task's name, why the strategy was chosen, the past tasks that it knows).
        """
        data = {"format": FORMAT, "archwise": __version__, "search": search, "experience": experience}
        data |= {"epochs_given": False, "first_trials": settings.trials, "recalled": [], **facts}
        run = cls(
            folder,
            data
            | {
                "started": time.time(),
                "sessions": [],
                "ends": [],
                "state": "new",
                "test_openings": 0,
                "final_epochs": 0.0,
                "final_failures": 0,
            },
        )
        run.update(settings=settings.to_json())
        return run

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Read a run folder.

        Raises:
            RunError: it is none, or was made by a newer archwise.
        """
        path = Path(folder)
        try:
            data = json.loads((path / "run.json").read_text())
            if data["format"] > FORMAT:
                raise RunError(f"The run {path} was made by a newer archwise: install version {data['archwise']}.")
            data.setdefault("recalled", [])
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(f"{path} is no run folder: it holds no run.json; archwise search makes one.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path / 'run.json'} cannot be read ({error}): restore it from a copy.") from error
        return cls(path, data)

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    @property
    def settings(self) -> SearchSettings:
        """What the search was asked to do."""
        return SearchSettings.from_json(self._data["settings"])

    @property
    def task(self) -> Task:
        """The task."""
        return Task.load(self.folder / "task")

    @property
    def checkpoints(self) -> Path:
        """Folder of the training states that trials continue from; losing it costs time and changes nothing."""
        return self.folder / "checkpoints"

    @property
    def weights(self) -> Path:
        """Folder of the trained weights that other trials may start from."""
        return self.folder / "weights"

    def update(self, **changes: Any) -> None:
        """Change entries of run.json.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        self._data |= changes
        with self._writing(str(self.folder / "run.json")):
            write_atomic(self.folder / "run.json", json_text(self._data))

    def write_answer(self, contents: Mapping[str, bytes | str]) -> None:
        """Write the answer's files so that the last of them is there only when all are the new ones.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        with self._writing(f"The answer in {self.folder}"):
            write_together(self.folder, contents)

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(
                f"{what} cannot be written ({error.strerror}): free the disk, then resume the run."
            ) from error

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the folder.

        Raises:
            RunError: the file is missing or broken.
        """
        try:
            return json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            raise RunError(f"The run {self.folder} has no {name} yet: archwise resume finishes it.") from None
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.folder / name} cannot be read ({error}): archwise resume writes it again."
            ) from error

    def forget_leftovers(self) -> None:
        """Delete what a killed session had begun to write."""
        for path in [*self.folder.glob(f"{STAGING}*"), *self.folder.glob(".weights-*")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def forget_checkpoints(self) -> None:
        """Delete the training states."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)


def _unused(path: Path) -> Path:
    """Return the path, or the first of path-2, path-3, ... that does not exist."""
    number = 1
    candidate = path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate
