"""Files are whole or not there, alone and together."""

from __future__ import annotations

from pathlib import Path

import pytest

from archwise.files import write_together

OLD = {"weights": "old", "code": "old", "numbers": "old"}
NEW = {"weights": "new", "code": b"new", "numbers": "new"}


def _content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_files_replace_each_other_together(tmp_path: Path) -> None:
    write_together(tmp_path, OLD)
    assert _content(tmp_path) == OLD
    write_together(tmp_path, NEW)
    assert _content(tmp_path) == dict.fromkeys(OLD, "new")


def test_what_cannot_be_written_leaves_the_old_files(tmp_path: Path) -> None:
    write_together(tmp_path, OLD)
    with pytest.raises(OSError, match="long"):
        write_together(tmp_path, {**NEW, "x" * 300: "no file system takes this name"})
    assert _content(tmp_path) == OLD


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_kill_between_the_files_leaves_none_that_says_all_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    write_together(tmp_path, OLD)
    replace, calls = Path.replace, []

    def dying(self: Path, target: Path) -> Path:
        if target.parent == tmp_path:
            calls.append(target)
        if len(calls) == moment:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        write_together(tmp_path, NEW)
    assert "numbers" not in _content(tmp_path)
