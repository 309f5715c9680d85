"""Files that are not an experience, disks that are full, locks: one sentence each, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.pool import Pool

from archwise.errors import ExperienceError
from archwise.experience import Experience, schema
from archwise.experience.database import Database
from archwise.trial import Trial

Begin = Callable[..., str]
MakeTrial = Callable[..., Trial]


def refusal(location: str | Path, **options: Any) -> str:
    """Open an experience that cannot be opened, and return the sentence."""
    with pytest.raises(ExperienceError) as caught:
        Experience(location, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_garbage_is_no_experience(file: Path) -> None:
    file.write_bytes(os.urandom(10_000))
    before = file.read_bytes()
    sentence = refusal(file)
    assert str(file) in sentence
    assert "not a database" in sentence
    assert file.read_bytes() == before


def test_a_torn_file_is_named_damaged(file: Path, begin: Begin, make_trial: MakeTrial) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        for number in range(100):
            experience.add_trial(search, make_trial(number), "a", "r")
    whole = file.read_bytes()
    for length in (50, 512, 5_000, len(whole) // 2, len(whole) - 4096):
        file.write_bytes(whole[:length])
        with pytest.raises(ExperienceError, match=r"is damaged|not a database"), Experience(file) as experience:
            experience.trials(search)
            experience.add_trial(search, make_trial(100), "a", "r")


def test_a_page_that_is_overwritten_is_an_error_with_the_files_name(
    file: Path, begin: Begin, make_trial: MakeTrial
) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        for number in range(100):
            experience.add_trial(search, make_trial(number), "a", "r")
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(ExperienceError, match=r"experience\.sqlite is damaged"):
        Experience(file)


def test_an_empty_file_becomes_an_experience(file: Path, begin: Begin) -> None:
    file.touch()
    with Experience(file) as experience:
        begin(experience)
        assert len(experience.searches()) == 1


def test_a_database_of_something_else_is_left_alone(file: Path) -> None:
    for statement in ("CREATE TABLE songs (name TEXT)", "CREATE TABLE meta (owner TEXT)"):
        connection = sqlite3.connect(file)
        connection.execute(statement)
        connection.close()
        assert "database of something else" in refusal(file)
    connection = sqlite3.connect(file)
    assert {name for (name,) in connection.execute("SELECT name FROM sqlite_master")} == {"songs", "meta"}
    connection.close()


def _set_version(file: Path, version: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE meta SET value = ?", (version,))
    connection.close()


def test_a_newer_experience_is_refused_and_left_as_it_is(file: Path) -> None:
    Experience(file).close()
    _set_version(file, "999")
    sentence = refusal(file)
    assert "999" in sentence
    assert "upgrade archwise" in sentence
    assert str(file) in sentence
    assert "999" in refusal(file)


def test_an_older_experience_is_lifted_once(
    file: Path, begin: Begin, make_trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        experience.add_trial(search, make_trial(0), "a", "r")
    _set_version(file, "0")
    assert "schema version 0" in refusal(file)

    def lift(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE lifted (x INTEGER)"))  # a second time it would fail

    monkeypatch.setattr(
        schema, "MIGRATIONS", dict.fromkeys(range(1, schema.SCHEMA_VERSION), lambda _: None) | {0: lift}
    )
    for _ in range(2):
        with Experience(file) as experience:
            assert experience.trials(search) == [make_trial(0)]
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (str(schema.SCHEMA_VERSION),)
    connection.close()


LATER = {1: ("trial.inherits", "task.sketch", "search.source"), 2: ("task.sketch", "search.source")}
"""Version -> columns that it did not have."""


@pytest.mark.parametrize("version", LATER)
def test_an_older_experience_is_read_and_written_on(
    file: Path, begin: Begin, make_trial: MakeTrial, version: int
) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        experience.add_trial(search, make_trial(0), "a", "r")
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("DROP INDEX trial_outline")
        for place in LATER[version]:
            connection.execute("ALTER TABLE {} DROP COLUMN {}".format(*place.split(".")))
    connection.close()
    _set_version(file, str(version))
    heir = replace(make_trial(1), inherits=0)
    for known in ([make_trial(0)], [make_trial(0), heir]):
        with Experience(file) as experience:
            assert experience.trials(search) == known
            assert (experience.search(search).source, experience.tasks()[0].sketch) == ("", None)
            experience.add_trial(search, heir, "b", "r")
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'trial_outline'").fetchone() == (1,)
    connection.close()


def test_a_migration_that_fails_leaves_the_old_version(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Experience(file).close()
    _set_version(file, "0")

    def lift(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE lifted (x INTEGER)"))
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    monkeypatch.setitem(schema.MIGRATIONS, 0, lift)
    assert "nowhere" in refusal(file)
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == ("0",)
    assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lifted'").fetchone() is None
    connection.close()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("a file")
    assert "cannot be made" in refusal(tmp_path / "report.txt" / "experience.sqlite")
    assert "cannot be made" in refusal(tmp_path / "report.txt" / "deeper" / "experience.sqlite")
    assert str(tmp_path) in refusal(tmp_path)
    assert "cannot be opened for writing" in refusal(tmp_path)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that not even root can write")
def test_a_folder_that_not_even_root_can_write() -> None:
    assert "cannot be" in refusal("/proc/experience.sqlite")
    assert "cannot be" in refusal("/proc/folder/experience.sqlite")


def test_an_experience_that_may_only_be_read_is_read_and_not_written(
    file: Path, begin: Begin, make_trial: MakeTrial
) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        experience.add_trial(search, make_trial(0), "a", "r")
    # SQLite's own read-only mode, because root may write whatever the permissions say.
    with Experience(f"sqlite:///file:{file}?mode=ro&uri=true") as experience:
        assert experience.trials(search) == [make_trial(0)]
        with pytest.raises(ExperienceError, match="cannot be opened for writing"):
            experience.add_trial(search, make_trial(1), "a", "r")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let every database that is opened grow to 60 pages."""

    def limit(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA max_page_count = 60")

    event.listen(Pool, "connect", limit)
    yield
    event.remove(Pool, "connect", limit)


def test_a_full_disk_is_a_sentence_and_loses_nothing(
    file: Path, begin: Begin, make_trial: MakeTrial, small_disk: None
) -> None:
    with Experience(file) as experience:
        search = begin(experience)
        acknowledged = []

        def fill() -> None:
            for number in range(10_000):
                experience.add_trial(search, make_trial(number), "a", "r")
                acknowledged.append(make_trial(number))

        with pytest.raises(ExperienceError, match=r"The disk of .*experience\.sqlite is full; free some space"):
            fill()
        assert len(acknowledged) > 10
        assert experience.trials(search) == acknowledged
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    with Experience(file) as experience:
        assert experience.trials(search) == acknowledged


def test_a_lock_that_stays_is_a_sentence_and_one_that_ends_is_waited_for(
    file: Path, begin: Begin, make_trial: MakeTrial
) -> None:
    with Experience(file, timeout=0.3) as experience:
        search = begin(experience)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ExperienceError, match=r"stayed locked by another process for 0\.3 seconds"):
            experience.add_trial(search, make_trial(0), "a", "r")
        assert experience.trials(search) == []  # readers need no lock
        other.execute("ROLLBACK")
        experience.add_trial(search, make_trial(0), "a", "r")
        assert experience.trials(search) == [make_trial(0)]
        other.close()


def test_a_transaction_that_is_refused_without_waiting_is_run_again(file: Path) -> None:
    Experience(file).close()
    database = Database(file, timeout=5)
    runs = []

    def work(connection: Connection) -> None:
        # Another writes after this transaction has read: SQLite refuses its write at once, as its snapshot is old.
        seen = connection.execute(text("SELECT value FROM meta WHERE key = 'schema'")).scalar()
        if not runs:
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("INSERT INTO meta VALUES ('other', 'x')")
            other.close()
        runs.append(seen)
        connection.execute(text("INSERT INTO meta VALUES ('mine', 'y')"))

    database.read(work)
    database.close()
    version = str(schema.SCHEMA_VERSION)
    assert runs == [version, version]
    connection = sqlite3.connect(file)
    assert dict(connection.execute("SELECT * FROM meta")) == {"schema": version, "other": "x", "mine": "y"}
    connection.close()


def test_urls_and_odd_file_names(tmp_path: Path, begin: Begin) -> None:
    for name in ("with space.sqlite", "question?mark=1#.sqlite", "per%20cent.db", "ünï.sqlite"):
        with Experience(tmp_path / "new folder" / name) as experience:
            begin(experience)
        assert (tmp_path / "new folder" / name).is_file()
    with Experience(f"sqlite:///{tmp_path}/url.sqlite") as experience:
        begin(experience)
    with Experience(tmp_path / "url.sqlite") as experience:
        assert len(experience.searches()) == 1


def test_urls_that_lead_nowhere_are_sentences() -> None:
    assert "nosuch://host/name" in refusal("nosuch://host/name")
    assert "is no database URL" in refusal("://")
    sentence = refusal("postgresql+pg8000://me:secret@localhost/name")
    assert "'pg8000'" in sentence
    assert "secret" not in sentence


def test_a_seed_beyond_64_bits_is_a_sentence(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    search = begin(experience)
    with pytest.raises(ExperienceError, match="seed within 64 bits"):
        experience.add_trial(search, make_trial(0, seed=2**64), "a", "r")
    experience.add_trial(search, make_trial(0), "a", "r")
    assert experience.trials(search) == [make_trial(0)]


def test_questions_are_answered_by_an_index(experience: Experience, file: Path) -> None:
    questions = {
        "SELECT * FROM trial WHERE search_id = 'x' ORDER BY number": "search_id=?",
        "SELECT * FROM trial WHERE space_id = 1 AND task_id = 2": "space_id=? AND task_id=?",
        "SELECT * FROM trial WHERE task_id = 1 AND architecture_hash = 'a' AND recipe_hash = 'r' "
        "AND fidelity = 1.0 AND seed = 0": "fidelity=? AND seed=?",
    }
    connection = sqlite3.connect(file)
    for question, searched in questions.items():
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}"))
        assert "USING INDEX" in plan
        assert searched in plan
        assert "TEMP B-TREE" not in plan
    connection.close()
