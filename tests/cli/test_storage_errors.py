"""Folders, disks and experiences that cannot be used."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archwise.experience import Experience

Refuses = Callable[..., None]
ON_IRIS = ("search", "iris.csv", "--target", "target")
QUICK = ("--trials", "1", "--epochs", "1", "--workers", "1", "--run", "run", "--experience", "experience.sqlite")


@pytest.mark.usefixtures("iris")
def test_run_folders_that_cannot_be_made(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    for folder in ("full", "iris.csv", "iris.csv/run"):
        refuses([*ON_IRIS, *QUICK, "--run", folder], folder)


@pytest.mark.usefixtures("iris")
@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("iris.csv", "iris.csv"),
        ("folder", "folder"),
        ("folder/other.sqlite", "something else"),
        ("folder/newer.sqlite", "newer archwise"),
        ("nonsense://there", "nonsense"),
    ],
)
def test_experiences_that_cannot_be_used(refuses: Refuses, tmp_path: Path, place: str, named: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with sqlite3.connect(folder / "other.sqlite") as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    Experience(folder / "newer.sqlite").close()
    with sqlite3.connect(folder / "newer.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '99'")
    refuses([*ON_IRIS, *QUICK, "--experience", place], named)
    refuses(["experience", "--experience", place], named)


def test_an_experience_that_is_not_there_is_not_made_by_looking(refuses: Refuses, tmp_path: Path) -> None:
    refuses(["experience", "--experience", "nowhere.sqlite"], "nowhere.sqlite")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system in memory with some options and returns its folder; skips where that is not allowed."""
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / f"mounted-{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        except FileNotFoundError:
            pytest.skip("there is no mount here")
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True, timeout=30)


@pytest.mark.usefixtures("iris")
def test_a_folder_that_cannot_be_written(refuses: Refuses, mount: Callable[[str], Path], run: Path) -> None:
    folder = mount("ro")
    refuses([*ON_IRIS, *QUICK, "--run", folder / "run"], str(folder))
    refuses([*ON_IRIS, *QUICK, "--run", "new", "--experience", folder / "experience.sqlite"], str(folder))
    refuses(["predict", run, "iris.csv", "--output", folder / "p.csv"], str(folder))
    assert not Path("new").exists()


@pytest.mark.usefixtures("iris")
def test_a_disk_that_is_full(refuses: Refuses, mount: Callable[[str], Path], run: Path) -> None:
    folder = mount("size=64k")
    (folder / "fill").write_bytes(bytes(60 * 1024))
    for options in (["--run", folder / "run"], ["--experience", folder / "experience.sqlite"]):
        refuses([*ON_IRIS, *QUICK, *options], str(folder))
        assert not Path("run.json").exists() and not (folder / "run").exists()
    refuses(["predict", run, "iris.csv", "--output", folder / "p.csv"], "p.csv")
    assert not (folder / "p.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("iris")
def test_a_search_whose_disk_fills_up_is_resumed_when_there_is_room(
    archwise: Callable[..., subprocess.CompletedProcess[str]], mount: Callable[[str], Path]
) -> None:
    folder = mount("size=100k")
    done = archwise(*ON_IRIS, *QUICK, "--run", folder / "run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "No space left" in done.stderr
    subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True, timeout=30)
    resumed = archwise("resume", folder / "run", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["trials"]["finished"] == 1
    assert not [path for path in (folder / "run").iterdir() if path.name.startswith(".")]
