"""Building HTML so that text is always escaped: only `tag` makes markup, and all else is text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

_EMPTY = frozenset({"br", "col", "meta", "input", "path", "rect", "circle", "line", "ellipse"})


class Html(str):
    """Text that is markup already; everything else is escaped when it enters a tag."""

    __slots__ = ()


def tag(name: str, /, *content: Any, **attributes: Any) -> Html:
    """Return an element.

    Args:
        name: the element's name.
        content: text (escaped), elements, None (nothing) or iterables of these.
        attributes: None and False leave an attribute out, True writes it bare; `class_` is class and `_` a dash.

    Example:
        >>> tag("p", "a < b ", tag("b", 1), class_="note", data_key='"x"')
        '<p class="note" data-key="&quot;x&quot;">a &lt; b <b>1</b></p>'
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY and not content:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(content)}</{name}>")


def join(content: Any) -> Html:
    """Return contents one after the other, escaped where they are not markup."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, Iterable) and not isinstance(content, str):
        return Html("".join(map(join, content)))
    return Html(escape(str(content), quote=False))


def embed(data: Any, identifier: str) -> Html:
    r"""Return data as a JSON block for the page's scripts; no text in it can end the block.

    Example:
        >>> embed({"a": "</script>"}, "data")
        '<script type="application/json" id="data">{"a":"\\u003c/script\\u003e"}</script>'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(f'<script type="application/json" id="{escape(identifier)}">{text}</script>')


def _attribute(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
