"""What is asked for on the command line reaches the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from archwise.errors import RunError


def test_the_same_data_is_left_out_where_that_is_asked_for(
    invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, Any]] = []

    def search(*_: Any, **options: Any) -> None:
        heard.append(options)
        raise RunError("That is enough.")

    monkeypatch.setattr("archwise.api.search", search)
    for options in ([], ["--leave-out-same-data"]):
        assert "That is enough." in invoke("search", "iris", *options).stderr
    assert [options["leave_out_same_data"] for options in heard] == [False, True]
