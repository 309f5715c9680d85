"""Files of strangers: one sentence with the line's number, and nothing is taken in."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.experience.stocked import content, stocked

from archwise.errors import ExperienceError
from archwise.experience import Experience, export_file, import_file
from archwise.experience.portable import LINE_BYTES

HEADER, SPACE, TASK, SEARCH, TRIAL = 1, 2, 5, 7, 8
"""Numbers of the lines of `lines` on which these stand: the trial finished."""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a good export."""
    folder = tmp_path_factory.mktemp("good")
    with Experience(stocked(folder / "mine.sqlite")) as mine:
        export_file(mine, folder / "mine.jsonl.gz")
    with gzip.open(folder / "mine.jsonl.gz") as stream:
        found = stream.read().splitlines(keepends=True)
    assert [json.loads(found[i - 1])["kind"] for i in (HEADER, SPACE, TASK, SEARCH, TRIAL)] == [
        "header",
        "space",
        "task",
        "search",
        "trial",
    ]
    return found


def refusal(tmp_path: Path, raw: bytes) -> str:
    """Import a file that must be refused, and return the sentence."""
    file, into = tmp_path / "bad.jsonl.gz", tmp_path / "into.sqlite"
    file.write_bytes(raw)
    with pytest.raises(ExperienceError) as caught:
        import_file(file, into)
    assert not into.exists()
    sentence = str(caught.value)
    assert sentence.endswith(".") and sentence.isprintable() and len(sentence) < 500
    return sentence


def changed(lines: list[bytes], number: int, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a file in which the record of one line was changed."""
    record = json.loads(lines[number - 1])
    change(record)
    return gzip.compress(b"".join([*lines[: number - 1], json.dumps(record).encode() + b"\n", *lines[number:]]), 1)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BAD = [
    (TRIAL, {"fidelity": 2.0}, "the trial's fidelity is 2.0"),
    (TRIAL, {"fidelity": 0}, "above 0 and at most 1"),
    (TRIAL, {"fidelity": True}, "fidelity"),
    (TRIAL, {"status": "won"}, "one of finished, failed, pruned"),
    (TRIAL, {"score": None}, "finished without a score"),
    (TRIAL, {"score": float("nan")}, "NaN is no number"),
    (TRIAL, {"score": float("inf")}, "Infinity is no number"),
    (TRIAL, {"score": 10**400}, "finite"),
    (TRIAL, {"score": -1.7e308}, "a number from -1e+100 to 1e+100"),
    (TRIAL, {"number": -1}, "whole number"),
    (TRIAL, {"number": 2**31}, "whole number"),
    (TRIAL, {"seed": 2**63}, "whole number"),
    (TRIAL, {"parent": 10**6}, "not an earlier trial"),
    (TRIAL, {"search": "another"}, "not the last one before it"),
    (TRIAL, {"architecture": {"op": [1]}}, "option"),
    (TRIAL, {"architecture": ["op"]}, "an object"),
    (TRIAL, {"curve": [[1, 2, 3]]}, "curve"),
    (TRIAL, {"metrics": {"accuracy": "high"}}, "metrics"),
    (TRIAL, {"metrics": {"\ud800": 1.0}}, "text that can be written down"),
    (TRIAL, {"reason": "x" * 20_001}, "at most 20,000 letters"),
    (TRIAL, {"started": 1e300}, "started"),
    (TRIAL, {"purpose": "fun"}, "purpose"),
    (TRIAL, {"extra": 1}, "unknown 'extra'"),
    (SEARCH, {"task": "nobody"}, "was not named before it"),
    (SEARCH, {"recipe_space": "nothing"}, "was not named before it"),
    (SEARCH, {"settings": {"epochs": []}}, "settings"),
    (SEARCH, {"settings": {"epochs": -5}}, "settings"),
    (SEARCH, {"settings": {"space": ["mlp"]}}, "settings"),
    (SEARCH, {"settings": {"fix": [1]}}, "settings"),
    (SEARCH, {"settings": {"exclude": {"depth": {"a": 1}}}}, "settings"),
    (SEARCH, {"settings": {"deep": deep(300)}}, "nested more than"),
    (SEARCH, {"state": "undead"}, "state"),
    (SEARCH, {"id": "two\nlines"}, "a word"),
    (SEARCH, {"ended": -1}, "ended"),
    (TASK, {"signature": {"input": [0], "outputs": 2, "kind": "table"}}, "whole number"),
    (TASK, {"signature": {"input": [3], "outputs": 2, "kind": "smell"}}, "one of table, image, series"),
    (TASK, {"signature": {"input": [5], "outputs": 3, "kind": "image"}}, "where kind 'image' has 3"),
    (TASK, {"sizes": {"train": "many"}}, "sizes"),
    (TASK, {"descriptor": {"mean": [1]}}, "descriptor"),
    (TASK, {"sketch": [-1]}, "sketch"),
    (SPACE, {"hash": ""}, "hash"),
    (SPACE, {"description": None}, "description"),
    (SPACE, {"kind": "virus"}, "its kind is 'virus'"),
    (SPACE, {"kind": ["space"]}, "its kind is"),
]


@pytest.mark.parametrize(("number", "change", "why"), BAD, ids=[f"{n}-{next(iter(c))}-{w[:12]}" for n, c, w in BAD])
def test_a_field_that_cannot_be_is_named_with_its_line(
    lines: list[bytes], tmp_path: Path, number: int, change: dict[str, Any], why: str
) -> None:
    sentence = refusal(tmp_path, changed(lines, number, lambda record: record.update(change)))
    assert sentence.startswith(f"Line {number} of ")
    assert why in sentence


def test_missing_fields_and_lines_that_are_no_records(lines: list[bytes], tmp_path: Path) -> None:
    assert "has no 'seed'" in refusal(tmp_path, changed(lines, TRIAL, lambda record: record.pop("seed")))
    for text, why in {
        b"\n": "no JSON",
        b"[1, 2]\n": "not an object",
        b"{'a': 1}\n": "no JSON",
        b"\xff\xfe\n": "no JSON",
        b"[" * 100_000 + b"\n": "nested too deep",
        b'{"kind": "trial", "score": ' + b"9" * 5000 + b"}\n": "no JSON",
        b'{"kind": "trial"}\n' + lines[TRIAL - 1]: "has no",
    }.items():
        sentence = refusal(tmp_path, gzip.compress(b"".join([*lines[:8], text, *lines[8:]]), 1))
        assert sentence.startswith("Line 9 of ") and why in sentence


def test_files_that_are_cut_off_damaged_or_something_else(lines: list[bytes], tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(lines), 6)
    for length in (11, len(whole) // 3, len(whole) - 9, len(whole) - 1):
        assert "damaged or cut off" in refusal(tmp_path, whole[:length])
    middle = len(whole) // 2
    refusal(tmp_path, whole[:middle] + bytes(20) + whole[middle + 20 :])
    assert "ends too early" in refusal(tmp_path, gzip.compress(b"".join(lines[:-1])))
    assert "the last line has come before it" in refusal(tmp_path, gzip.compress(b"".join([*lines, lines[1]])))
    without_one = gzip.compress(b"".join([*lines[: TRIAL - 1], *lines[TRIAL:]]))
    assert "it counts" in refusal(tmp_path, without_one)
    assert "not gzipped" in refusal(tmp_path, b"".join(lines))
    assert "it is empty" in refusal(tmp_path, b"")
    assert "no exported experience" in refusal(tmp_path, gzip.compress(b'{"kind": "header", "format": "music"}\n'))
    newer = changed(lines, HEADER, lambda record: record.update(version=2))
    assert "upgrade archwise" in refusal(tmp_path, newer)
    with pytest.raises(ExperienceError, match=r"nowhere\.jsonl\.gz cannot be read"):
        import_file("nowhere.jsonl.gz", tmp_path / "into.sqlite")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems measure memory in other units")
def test_a_bomb_takes_no_memory(tmp_path: Path, lines: list[bytes]) -> None:
    file = tmp_path / "bomb.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(lines[0] + b'{"kind": "space", "name": "')
        for _ in range(300):
            stream.write(b"a" * 2**20)
    code = (
        "import sys, resource\n"
        "from archwise.experience import import_file\nfrom archwise.errors import ExperienceError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    import_file(sys.argv[1], sys.argv[2])\nexcept ExperienceError as error:\n    print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    command = [sys.executable, "-c", code, str(file), str(tmp_path / "into.sqlite")]
    sentence, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert sentence.startswith("Line 2 of ") and f"longer than {LINE_BYTES:,} bytes" in sentence
    assert int(grown) < 60


def test_what_could_speak_to_a_terminal_is_made_harmless(lines: list[bytes], tmp_path: Path) -> None:
    names = {"name": "\x1b]0;owned\x07 iris\u202e"}
    (tmp_path / "file.jsonl.gz").write_bytes(changed(lines, TASK, lambda record: record.update(names)))
    with Experience(tmp_path / "into.sqlite") as experience:
        import_file(tmp_path / "file.jsonl.gz", experience)
        assert "\ufffd]0;owned\ufffd iris\ufffd" in [task.name for task in experience.tasks()]


def test_known_records_are_not_overwritten(lines: list[bytes], tmp_path: Path) -> None:
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine:
        before = content(mine, without=())
        for number, change in (
            (SPACE, {"description": {"forged": True}}),
            (TASK, {"name": "forged", "descriptor": {"log_rows": -1.0}}),
            (SEARCH, {"state": "failed", "ended": 2e9, "budget": {"trials": 1}, "source": ""}),
            (TRIAL, {"score": 1e9, "metrics": {"accuracy": 1e9}}),
        ):
            raw = changed(lines, number, lambda record, change=change: record.update(change))
            (tmp_path / "forged.jsonl.gz").write_bytes(raw)
            import_file(tmp_path / "forged.jsonl.gz", mine)
        assert content(mine, without=()) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_written_over_a_file_it_is_imported_or_refused_with_a_sentence(
    data: st.DataObject, lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    number = data.draw(st.integers(1, len(lines)))
    record = json.loads(lines[number - 1])
    name = data.draw(st.sampled_from(sorted(record)))
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    record[name] = data.draw(st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=4))
    text = b"".join([*lines[: number - 1], json.dumps(record).encode() + b"\n", *lines[number:]])
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "file.jsonl.gz").write_bytes(gzip.compress(text, 1))
    try:
        import_file(folder / "file.jsonl.gz", folder / "into.sqlite")
    except ExperienceError as error:
        assert not (folder / "into.sqlite").exists()
        assert str(error).isprintable()
    else:
        with Experience(folder / "into.sqlite") as experience:
            assert experience.summary().trials == 15
            assert sum(len(experience.trials(search.id)) for search in experience.searches()) == 15
