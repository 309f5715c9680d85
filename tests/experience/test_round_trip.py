"""Any trial comes back equal (property-based)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archwise.experience import Experience
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(st.floats(allow_nan=False), st.integers(0, 2**80))
LABELS = st.one_of(TEXT, st.integers(), FINITE, st.booleans())
ARCHITECTURES = st.dictionaries(st.text(max_size=20), LABELS, max_size=8).map(Architecture)
CURVES = st.lists(st.builds(CurvePoint, *[st.floats(allow_nan=False)] * 5), max_size=5).map(tuple)
OUTCOMES = st.sampled_from(["finished", "failed", "pruned"]).flatmap(
    lambda status: st.builds(
        Outcome,
        status=st.just(status),
        score=FINITE if status == "finished" else st.none() | FINITE,
        metrics=st.dictionaries(TEXT, NUMBERS, max_size=4),
        costs=st.dictionaries(TEXT, NUMBERS, max_size=4),
        curve=CURVES,
        reason=TEXT,
        traceback=st.builds(lambda text, times: (text * times)[:20_000], TEXT, st.integers(0, 1000)),
    )
)
TRIALS = st.builds(
    Trial,
    number=st.integers(0, 2**31 - 1),
    candidate=st.builds(Candidate, ARCHITECTURES, ARCHITECTURES),
    fidelity=st.floats(0, 1, exclude_min=True),
    seed=st.integers(-(2**63), 2**63 - 1),
    outcome=OUTCOMES,
    parent=st.none() | st.integers(0, 2**31 - 1),
    inherits=st.none() | st.integers(0, 2**31 - 1),
    origin=TEXT,
    purpose=st.sampled_from(["search", "confirm"]),
    started=FINITE,
    seconds=FINITE,
)


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("round-trip") / "experience.sqlite"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trials=st.lists(TRIALS, min_size=1, max_size=3, unique_by=lambda trial: (trial.number, trial.purpose)))
def test_trials_come_back_equal(trials: list[Trial], shared_file: Path, begin: Callable[..., str]) -> None:
    with Experience(shared_file) as experience:
        search = begin(experience)
        for trial in trials:
            experience.add_trial(search, trial, "a", "r")
        found = experience.trials(search)
    expected = sorted(trials, key=lambda trial: (trial.number, trial.purpose == "confirm"))
    assert found == expected
    # Equality cannot tell 1 from 1.0 or True, nor one order of the choices from another; their text can.
    assert [repr(trial.candidate) for trial in found] == [repr(trial.candidate) for trial in expected]


def test_what_is_stored_is_strict_json_in_ascii(
    file: Path, begin: Callable[..., str], make_trial: Callable[..., Trial]
) -> None:
    metrics = {"größe": float("nan"), "loss": float("inf")}
    with Experience(file) as experience:
        search = begin(experience, settings={"temperature": float("-inf")})
        experience.add_trial(search, make_trial(0, outcome=Outcome("failed", metrics=metrics)), "a", "r")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    connection = sqlite3.connect(file)
    stored = connection.execute(
        "SELECT architecture, recipe, curve, metrics, costs, settings, budget FROM trial JOIN search"
    ).fetchone()
    connection.close()
    assert all(text.isascii() for text in stored)
    values = [json.loads(text, parse_constant=refuse) for text in stored]
    assert values[3] == {"größe": None, "loss": "Infinity"}
    assert values[5] == {"temperature": "-Infinity"}
