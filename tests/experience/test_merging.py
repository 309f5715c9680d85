"""Merging: twice is once, the order does not matter, and what is only read stays as it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.experience.stocked import FINGERPRINT, change, content, stock, stocked

from archwise.errors import ExperienceError
from archwise.experience import Amounts, Experience, merge, opened_copy, taking
from archwise.experience.entries import Entry, entries

LIKE_VERSION_2 = (
    "ALTER TABLE task DROP COLUMN sketch",
    "ALTER TABLE search DROP COLUMN source",
    "DROP INDEX IF EXISTS trial_outline",
    "UPDATE meta SET value = '2' WHERE key = 'schema'",
)


def merged(into: Path, other: Path) -> Amounts:
    with opened_copy(other) as read, Experience(into) as experience:
        return merge(experience, read)


def test_merging_takes_all_and_a_second_time_nothing(tmp_path: Path) -> None:
    mine, other = stocked(tmp_path / "mine.sqlite", 1), stocked(tmp_path / "other.sqlite", 2, trials=7)
    assert merged(mine, other) == Amounts(tasks=0, spaces=0, searches=3, trials=21)
    assert merged(mine, other) == Amounts()
    with Experience(mine) as experience, Experience(other) as read:
        both, theirs = content(experience), content(read)
    assert {key: both[key] for key in theirs} == theirs
    assert sum(key[0] == "trial" for key in both) == 15 + 21


def test_the_order_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_AT_ONCE", 4)  # searches, and runs of trials, end anywhere in a batch
    files = [stocked(tmp_path / f"{seed}.sqlite", seed, trials=3 + seed) for seed in range(3)]
    held = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 1, 0, 2)):
        into = tmp_path / f"into {order}.sqlite"
        for number in order:
            merged(into, files[number])
        with Experience(into) as experience:
            held.append(content(experience))
    assert held[0] == held[1] == held[2]
    assert sum(key[0] == "trial" for key in held[0]) == 3 * (3 + 4 + 5)


def test_what_is_taken_in_is_written_on_the_way_and_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "_AT_ONCE", 10)
    with (
        opened_copy(stocked(tmp_path / "other.sqlite", trials=30)) as other,
        Experience(tmp_path / "mine.sqlite") as mine,
    ):

        def watched(stream: Iterator[Entry]) -> Iterator[Entry]:
            for number, entry in enumerate(stream):
                assert len(content(mine)) >= number - 10
                yield entry

        gain = other.database.read(lambda c: taking.take(mine, watched(entries(c)), "there", trusted=True))
        assert gain.trials == 90
        assert content(mine) == content(other)


def test_a_known_search_gets_its_missing_trials_and_its_later_state(tmp_path: Path) -> None:
    early, late = tmp_path / "early.sqlite", tmp_path / "late.sqlite"
    with Experience(early) as experience:
        first = stock(experience, trials=2)[1]
    stocked(late, trials=5)  # the same searches, a few trials later
    with Experience(late) as experience:
        experience.begin_search(replace(experience.search(first), budget={"trials": 80}))
        experience.end_search(first, "interrupted")
    assert merged(late, early) == Amounts()
    assert merged(early, late) == Amounts(trials=9)
    with Experience(early) as one, Experience(late) as two:
        own = ("source", "created", "ended")  # moments of recording
        assert content(one, own) == content(two, own)
        assert one.search(first).state == "interrupted"
        assert one.search(first).budget == {"trials": 80}
        assert [trial.number for trial in one.trials(first)] == [0, 1, 2, 3, 4]


def test_searches_say_where_they_came_from_and_keep_it(tmp_path: Path) -> None:
    other, mine, third = (tmp_path / f"{name}.sqlite" for name in ("other", "mine", "third"))
    stocked(other, 1)
    stocked(mine, 2)
    merged(mine, other)
    merged(third, mine)
    today = time.strftime("%Y-%m-%d")
    from_jane = "merged from jane.sqlite on 2031-01-01"
    with Experience(mine) as experience:
        sources = [search.source for search in experience.searches()]
        assert sorted(sources) == ["", "", from_jane, from_jane, *[f"merged from other.sqlite on {today}"] * 2]
        summary = experience.summary()
        assert {(task.name, task.elsewhere, task.finished + task.failed) for task in summary.tasks} == {
            ("Patients Zürich 2031", 10, 20),
            ("wine", 10, 10),
        }
        assert {(origin.source, origin.searches, origin.trials) for origin in summary.origins} == {
            (from_jane, 2, 10),
            (f"merged from other.sqlite on {today}", 2, 10),
        }
    with Experience(third) as experience:
        sources = [search.source for search in experience.searches()]
    here, there = f"merged from mine.sqlite on {today}", f"merged from other.sqlite on {today}"
    assert sorted(sources) == sorted([here, here, there, there, from_jane, from_jane])


def test_what_was_not_known_of_a_task_is_filled_in_and_nothing_is_replaced(tmp_path: Path) -> None:
    mine, other = stocked(tmp_path / "mine.sqlite"), stocked(tmp_path / "other.sqlite")
    change(mine, "UPDATE task SET descriptor = NULL, name = 'mine'")
    change(other, "UPDATE task SET sketch = '[7]'")
    merged(mine, other)
    with Experience(mine) as experience:
        first = experience.tasks()[0]
    assert (first.fingerprint, first.name, first.sketch) == (FINGERPRINT, "mine", [1234567890123456, 987654321987654])
    assert first.descriptor == {"log_rows": 7.123456789, "scatter": 0.51234567}


def test_the_other_file_is_not_written_to_whatever_its_state(tmp_path: Path) -> None:
    def state(folder: Path) -> dict[str, tuple[str, int]]:
        return {
            path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in folder.iterdir()
        }

    folder = tmp_path / "theirs"
    folder.mkdir()
    stocked(folder / "closed.sqlite", 1)
    stocked(folder / "older.sqlite", 2)
    change(folder / "older.sqlite", *LIKE_VERSION_2)
    before = state(folder)
    for name in ("closed.sqlite", "older.sqlite"):
        assert merged(tmp_path / "mine.sqlite", folder / name).trials == 15
    assert state(folder) == before


def test_an_experience_that_a_search_is_writing_to_is_read_with_its_latest_trials(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tests.experience.stocked import stock\nfrom archwise.experience import Experience\n"
        "experience = Experience(sys.argv[1])\nstock(experience, 3)\nprint('ready', flush=True)\nsys.stdin.read()\n"
    )
    file = tmp_path / "other.sqlite"
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    command = [sys.executable, "-c", code, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=environment) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        assert file.with_name("other.sqlite-wal").stat().st_size > 0
        gain = merged(tmp_path / "mine.sqlite", file)
        writer.communicate()
    assert gain.trials == 15


def test_what_is_no_experience_is_named_and_the_copy_is_gone(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_bytes(b"no database at all" * 100)
    change(tmp_path / "songs.sqlite", "CREATE TABLE songs (name TEXT)")
    Experience(tmp_path / "newer.sqlite").close()
    change(tmp_path / "newer.sqlite", "UPDATE meta SET value = '99'")
    places = {
        tmp_path / "nowhere.sqlite": "There is no experience",
        tmp_path / "notes.sqlite": "not a database",
        tmp_path / "songs.sqlite": "database of something else",
        tmp_path / "newer.sqlite": "newer archwise",
        tmp_path: "cannot be read",
    }
    files = set(tmp_path.iterdir())
    for place, why in places.items():
        with pytest.raises(ExperienceError, match=why) as caught, opened_copy(place, tmp_path):
            pass
        assert str(place) in str(caught.value)
        assert ".new-" not in str(caught.value)
    assert set(tmp_path.iterdir()) == files


def test_what_is_no_file_is_read_where_it_is_and_never_lifted(tmp_path: Path) -> None:
    file = stocked(tmp_path / "other.sqlite")
    url = f"sqlite:///file:{file}?mode=ro&uri=true"  # as a server's address would, it keeps the file's place to itself
    with opened_copy(url) as read, Experience(tmp_path / "mine.sqlite") as mine:
        assert merge(mine, read).trials == 15
    change(file, *LIKE_VERSION_2)
    with pytest.raises(ExperienceError, match="older archwise"), opened_copy(url):
        pass
