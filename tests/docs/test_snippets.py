"""The Python blocks of every page run, in order, in one namespace a page; ```python no-run marks those that do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if page.is_file()]
BLOCK = re.compile(r"^```python[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[int, str]]:
    """The Python blocks of a page, with the number of lines before each."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)), match.group(1)) for match in BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_snippet_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # an experience of its own
    # One file with the snippets at the lines of the page: tracebacks name the line, and layers have a source.
    file = tmp_path / f"{page.stem}.py"
    code = ""
    for before, block in blocks(page):
        code += "\n" * (before - code.count("\n")) + block
    file.write_text(code, encoding="utf-8")
    namespace = {"__name__": f"page_{page.stem}", "__file__": str(file)}
    for before, block in blocks(page):
        exec(compile("\n" * before + block, str(file), "exec"), namespace)


def test_pages_have_snippets() -> None:
    assert len(blocks(ROOT / "docs" / "spaces.md")) > 5
    assert blocks(ROOT / "docs" / "spaces.md")[0][1].startswith("import torch")


def test_a_space_with_a_layer_of_ones_own_takes_at_most_20_lines() -> None:
    whole = [block for _, block in blocks(ROOT / "docs" / "spaces.md") if "@layer" in block and "Space(" in block]
    assert whole and len([line for line in whole[0].splitlines() if line.strip()]) <= 20


def test_blocks_that_are_not_to_run_are_left_out(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n```python\na = 1\n```\n```python no-run\nboom()\n```\n```\nb\n```\n```python\nassert a\n```\n"
    )
    assert blocks(page) == [(2, "a = 1\n"), (11, "assert a\n")]
