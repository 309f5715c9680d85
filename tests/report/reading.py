"""Reading a report as a browser does, for the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = {"br", "col", "meta", "input"}


@dataclass
class Element:
    """An element of a page with what is in it."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, name: str, **attributes: str) -> list[Element]:
        """Every element inside with this name whose attributes contain these words."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                words = {key: (child.attributes.get(key) or "").split() for key in attributes}
                if child.name == name and all(value in words[key] for key, value in attributes.items()):
                    found.append(child)
                found += child.all(name, **attributes)
        return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(path: Path) -> Element:
    """Parse a page; every element must be closed in its order."""
    parser = _Parser()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].name}> is not closed"
    return parser.open[0]


def page_data(page: Element) -> dict[str, Any]:
    """The data that the page's scripts draw."""
    (block,) = page.all("script", id="data")
    data: dict[str, Any] = json.loads(block.text)
    return data


def column(data: dict[str, Any], name: str) -> list[Any]:
    """A column of the trials."""
    if name in data["numbers"]:
        return list(data["numbers"][name])
    coded = data["words"][name] if name in data["words"] else data["choices"][name]
    return [coded["values"][code] for code in coded["codes"]]


def table_figures(page: Element, heading: str) -> list[list[float]]:
    """The exact values in each row of the table under a heading."""
    (section,) = [s for s in page.all("section") if any(h.text == heading for h in s.all("h2"))]
    rows = section.all("table")[0].all("tbody")[0].all("tr")
    return [[float(cell.attributes["value"] or "nan") for cell in row.all("data")] for row in rows]
