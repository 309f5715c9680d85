"""The command `archwise experience` and those below it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.experience.stocked import SECRETS, change, content, stocked
from typer.testing import Result

from archwise.experience import Experience

Invoke = Callable[..., Result]
Refuses = Callable[..., None]


def told(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout


def test_merging_exporting_and_importing(invoke: Invoke, tmp_path: Path) -> None:
    for seed, name in enumerate(("mine", "laptop", "server")):
        stocked(tmp_path / f"{name}.sqlite", seed)
    text = told(invoke("experience", "merge", "laptop.sqlite", "server.sqlite", "--into", "mine.sqlite"))
    assert "mine.sqlite learned 0 tasks, 6 searches and 30 trials." in text
    again = told(invoke("experience", "merge", "laptop.sqlite", "--into", "mine.sqlite", "--json"))
    assert json.loads(again) == {
        "location": str(tmp_path / "mine.sqlite"),
        "tasks": 0,
        "spaces": 0,
        "searches": 0,
        "trials": 0,
        "left": 0,
    }
    text = told(invoke("experience", "export", "all.jsonl.gz", "--experience", "mine.sqlite"))
    assert text == "Exported 2 tasks, 9 searches and 45 trials to all.jsonl.gz.\n"
    options = ("--anonymous", "--task", "wine", "--experience", "mine.sqlite", "--json")
    written = json.loads(told(invoke("experience", "export", "wine.jsonl.gz", *options)))
    assert written == {
        "file": "wine.jsonl.gz",
        "anonymous": True,
        "tasks": 1,
        "spaces": 2,
        "searches": 3,
        "trials": 15,
        "left": 0,
    }
    assert b"wine" not in gzip.decompress(Path("wine.jsonl.gz").read_bytes())
    text = told(invoke("experience", "import", "wine.jsonl.gz", "--into", "new.sqlite"))
    assert "new.sqlite learned 1 task, 3 searches and 15 trials." in text
    assert "knew all of it already" in told(invoke("experience", "import", "wine.jsonl.gz", "--into", "new.sqlite"))
    text = told(invoke("experience", "import", "all.jsonl.gz", "--into", "mine.sqlite"))
    assert "2 searches were left as known here" in text


@pytest.mark.parametrize("columns", [None, "80"])
def test_the_summary_says_how_much_is_from_elsewhere(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str | None
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    stocked(tmp_path / "mine.sqlite", 0)
    stocked(tmp_path / "other.sqlite", 1, trials=6)
    told(invoke("experience", "merge", "other.sqlite", "--into", "mine.sqlite"))
    text = told(invoke("experience", "--experience", "mine.sqlite"))
    [head] = [line for line in text.splitlines() if line.startswith(" task ")]
    assert head.split()[-1] == "elsewhere"
    rows = {line.split()[0]: line.split()[-1] for line in text.splitlines() if line.startswith(" ") and line.strip()}
    assert (rows["Patients"], rows["wine"]) == ("12", "11")
    assert "2 searches with 12 trials from elsewhere: merged from other.sqlite on 20" in text
    summary = json.loads(told(invoke("experience", "--experience", "mine.sqlite", "--json")))
    assert {task["name"]: task["elsewhere"] for task in summary["tasks"]} == {SECRETS[0]: 12, "wine": 11}
    assert [(origin["searches"], origin["trials"]) for origin in summary["origins"]] == [(2, 12), (2, 11)]


def test_options_before_the_commands_name_count_as_well(invoke: Invoke, tmp_path: Path) -> None:
    stocked(tmp_path / "mine.sqlite", 0)
    stocked(tmp_path / "other.sqlite", 1)
    done = invoke("experience", "--experience", "mine.sqlite", "--json", "merge", "other.sqlite")
    assert json.loads(told(done))["trials"] == 15
    done = invoke("experience", "merge", "other.sqlite", "--experience", "mine.sqlite", "--json")
    assert json.loads(told(done))["trials"] == 0, "it may also stand behind, as everywhere"
    with Experience(tmp_path / "mine.sqlite") as mine:
        assert mine.summary().trials == 30


def test_what_cannot_be_taken_in_is_refused_and_nothing_made(refuses: Refuses, tmp_path: Path) -> None:
    stocked(tmp_path / "good.sqlite")
    (tmp_path / "bad.jsonl.gz").write_bytes(gzip.compress(b'{"kind": "header"}\n'))
    (tmp_path / "notes.txt").write_text("mine")
    into = ("--into", "new.sqlite")
    refuses(["experience", "merge", "good.sqlite", "nowhere.sqlite", *into], "nowhere.sqlite")
    refuses(["experience", "merge", "good.sqlite", "notes.txt", *into], "notes.txt", "archwise experience import")
    refuses(["experience", "import", "bad.jsonl.gz", *into], "bad.jsonl.gz")
    refuses(["experience", "import", "notes.txt", *into], "notes.txt", "archwise experience merge")
    refuses(["experience", "import", "nowhere.jsonl.gz", *into], "nowhere.jsonl.gz")
    good = ("--experience", "good.sqlite")
    refuses(["experience", "export", "notes.txt", *good], "notes.txt")
    refuses(["experience", "export", "nowhere/a.jsonl.gz", *good], "There is no folder nowhere")
    refuses(["experience", "export", "a.jsonl.gz", "--task", "beer", *good], "beer")
    refuses(["experience", "export", "a.jsonl.gz", "--experience", "nowhere.sqlite"], "nowhere.sqlite")
    change(tmp_path / "good.sqlite", "UPDATE meta SET value = '99' WHERE key = 'schema'")
    refuses(["experience", "merge", "good.sqlite", *into], "good.sqlite", "newer archwise")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("command", ["merge", "export", "import"])
def test_help_has_an_example(invoke: Invoke, command: str) -> None:
    text = told(invoke("experience", command, "--help"))
    assert f"Example: archwise experience {command} " in text
    assert "--debug" in text


def test_a_real_search_is_shared_without_its_names(
    invoke: Invoke, searched: tuple[Path, object], tmp_path: Path
) -> None:
    place = searched[0] / "experience.sqlite"
    told(invoke("experience", "export", "shared.jsonl.gz", "--anonymous", "--experience", place))
    text = gzip.decompress((tmp_path / "shared.jsonl.gz").read_bytes()).decode()
    with Experience(place) as mine:
        [search], [task] = mine.searches(), mine.tasks()
        trials = mine.trials(search.id)
    for word in ("iris", task.fingerprint, search.id, str(searched[0]), search.strategy, search.hardware["system"]):
        assert word not in text
    told(invoke("experience", "import", "shared.jsonl.gz", "--into", "other.sqlite"))
    with Experience(tmp_path / "other.sqlite") as other:
        [taken] = other.searches()
        assert (taken.space, taken.recipe_space, taken.objective) == (search.space, search.recipe_space, "accuracy")
        assert [(t.candidate, t.score, t.fidelity) for t in other.trials(taken.id)] == [
            (t.candidate, t.score, t.fidelity) for t in trials
        ]
        assert other.tasks()[0].signature == task.signature
    told(invoke("experience", "export", "named.jsonl.gz", "--experience", place))
    told(invoke("experience", "import", "named.jsonl.gz", "--into", "named.sqlite"))
    with Experience(place) as mine, Experience(tmp_path / "named.sqlite") as named:
        assert content(named) == content(mine)
