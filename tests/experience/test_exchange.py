"""Exporting and importing: all comes back, or all but the names."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.experience.stocked import FINGERPRINT, SECRETS, SKETCH, content, stock, stocked
from tests.experience.test_round_trip import ARCHITECTURES, NUMBERS

from archwise.errors import ExperienceError
from archwise.evaluators.metrics import METRICS as EVALUATED
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Amounts, Experience, export_file, import_file, merge, schema
from archwise.experience.anonymous import COSTS, METRICS, RECIPES
from archwise.experience.fields import FIELDS
from archwise.spaces.architecture import Architecture, Candidate
from archwise.trial import CurvePoint, Outcome, Trial

PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40)
FINITE = st.floats(-1e12, 1e12)
MEASURED = st.dictionaries(PRINTABLE, NUMBERS | st.just(math.nan), max_size=4)
OUTCOMES = st.sampled_from(["finished", "failed", "pruned"]).flatmap(
    lambda status: st.builds(
        Outcome,
        status=st.just(status),
        score=FINITE if status == "finished" else st.none() | FINITE,
        metrics=MEASURED,
        costs=MEASURED,
        curve=st.lists(st.builds(CurvePoint, *[st.floats()] * 5), max_size=3).map(tuple),
        reason=PRINTABLE,
        traceback=PRINTABLE.map(lambda text: f"{text}\n\t{text}"),
    )
)
TRIALS = st.integers(1, 2**31 - 1).flatmap(
    lambda number: st.builds(
        Trial,
        number=st.just(number),
        candidate=st.builds(Candidate, ARCHITECTURES, ARCHITECTURES),
        fidelity=st.floats(0, 1, exclude_min=True),
        seed=st.integers(-(2**63), 2**63 - 1),
        outcome=OUTCOMES,
        parent=st.none() | st.integers(0, number - 1),
        inherits=st.none() | st.integers(0, number - 1),
        origin=PRINTABLE,
        purpose=st.sampled_from(["search", "confirm"]),
        started=st.floats(0, 1e11),
        seconds=FINITE,
    )
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trials=st.lists(TRIALS, max_size=4, unique_by=lambda trial: (trial.number, trial.purpose)))
def test_any_trials_come_back_equal(trials: list[Trial], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    with Experience(folder / "mine.sqlite") as mine, Experience(folder / "other.sqlite") as other:
        search = stock(mine, trials=0)[0]
        for trial in trials:
            mine.add_trial(search, trial, "a", "r")
        export_file(mine, folder / "mine.jsonl.gz")
        assert import_file(folder / "mine.jsonl.gz", other) == Amounts(2, 3, 3, len(trials))
        assert content(other) == content(mine)
        # Equality cannot tell 1 from 1.0 or True, nor NaN from NaN; their text can.
        assert repr(other.trials(search)) == repr(mine.trials(search))


def test_the_file_is_the_same_each_time_and_importing_twice_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl.gz"
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine, Experience(tmp_path / "other.sqlite") as other:
        for anonymous in (False, True):
            assert export_file(mine, file, anonymous=anonymous) == Amounts(2, 3, 3, 15)
            first = file.read_bytes()
            export_file(mine, file, anonymous=anonymous)
            assert file.read_bytes() == first
            assert import_file(file, other).trials == 15
            held = content(other, without=())
            assert import_file(file, other) == Amounts()
            assert content(other, without=()) == held
    assert {path.suffix for path in tmp_path.iterdir()} <= {".gz", ".sqlite", ".sqlite-wal", ".sqlite-shm"}


def test_all_columns_are_exported_and_checked() -> None:
    own = {"id", "task_id", "space_id", "recipe_space_id", "search_id"}
    named = {"task": set(), "space": set(), "search": {"id", "task", "space", "recipe_space"}, "trial": {"search"}}
    for kind, fields in FIELDS.items():
        columns = {column.name for column in schema.metadata.tables[kind].columns}
        assert set(fields) == (columns - own) | named[kind]


def test_an_anonymous_export_holds_no_name_and_nothing_to_recognise_data_by(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl.gz"
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine:
        ids = [search.id for search in mine.searches()]
        export_file(mine, file)
        open_text = gzip.decompress(file.read_bytes()).decode()
        export_file(mine, file, anonymous=True)
        key = mine.database.read(lambda c: c.exec_driver_sql("SELECT value FROM meta WHERE key LIKE '%key'").scalar())
    text = gzip.decompress(file.read_bytes()).decode()
    numbers = [str(number) for number in (*SKETCH, 7.123456789, 1_900_000_000.25)]
    numbers += [f":{number}" for number in (14981, 3127, 377)]
    for word in (*SECRETS, FINGERPRINT, *ids, *numbers):
        assert json.dumps(word)[1:-1].split("\\n")[0] in open_text, word
        assert word not in text and json.dumps(word)[1:-1] not in text, word
    for word in ("wine", "acme", "jane", "hiv", "e" * 64, key):
        assert word not in text.lower(), word


def test_an_anonymous_export_keeps_what_others_learn_from(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl.gz"
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine, Experience(tmp_path / "other.sqlite") as other:
        export_file(mine, file, anonymous=True)
        import_file(file, other)
        # Pseudonyms are in another order.
        mine_searches, searches = (sorted(known.searches(), key=lambda search: search.seed) for known in (mine, other))
        pairs = list(zip(mine_searches, [search.id for search in searches], strict=True))
        for search, pseudonym in pairs:
            for own, trial in zip(mine.trials(search.id), other.trials(pseudonym), strict=True):
                same = ("candidate", "fidelity", "seed", "number", "parent", "score", "seconds", "purpose")
                assert all(getattr(own, name) == getattr(trial, name) for name in same)
                assert own.outcome.metrics.get("accuracy") == trial.outcome.metrics.get("accuracy")
                assert len(own.outcome.metrics) == len(trial.outcome.metrics)
                assert trial.outcome.reason == ("cannot be built" if own.outcome.status == "failed" else "")
        task = other.tasks()[0]
        assert (task.problem, task.signature, task.objective) == ("binary", mine.tasks()[0].signature, "accuracy")
        assert task.descriptor == {"log_rows": 7.12, "scatter": 0.512}
        assert task.sizes == {"train": 15000, "validation": 3100, "test": 380}
        assert task.sketch is None
        assert {search.space for search in searches} == {search.space for search in mine_searches}
        of_ready_space = {"epochs": 12.5, "space": "mlp", "fix": {"depth": [1]}}
        assert [search.settings for search in sorted(searches, key=lambda search: search.space)] == [
            {"epochs": 12.5},
            of_ready_space,
            of_ready_space,
        ]
        assert searches[0].hardware == {"cpu": "Fast CPU", "cores": 8, "gpus": []}
        assert searches[0].versions == {"archwise": "0.1.0", "torch": "2.9"}
        assert all(search.source.endswith("(anonymous)") for search in searches)
        spaces = {key[1]: row for key, row in content(other).items() if key[0] == "space"}
        assert spaces["cd" * 16]["name"] == "mlp"
        assert spaces["ab" * 16]["name"] == "ab" * 16 == spaces["ab" * 16]["description"]["name"]
        assert spaces["ab" * 16]["description"]["root"] == {"layer": "linear"}


def test_pseudonyms_are_kept_when_passed_on_and_differ_between_experiences(tmp_path: Path) -> None:
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine, Experience(tmp_path / "copy.sqlite") as copy:
        merge(copy, mine)
        export_file(mine, tmp_path / "mine.jsonl.gz", anonymous=True)
        export_file(copy, tmp_path / "copy.jsonl.gz", anonymous=True)
    with Experience(tmp_path / "b.sqlite") as b, Experience(tmp_path / "c.sqlite") as c:
        import_file(tmp_path / "mine.jsonl.gz", b)
        export_file(b, tmp_path / "b.jsonl.gz", anonymous=True)
        import_file(tmp_path / "b.jsonl.gz", c)
        assert import_file(tmp_path / "mine.jsonl.gz", c) == Amounts()
        assert import_file(tmp_path / "copy.jsonl.gz", c).tasks == 2


def test_an_experience_does_not_take_its_own_trials_for_a_strangers(tmp_path: Path) -> None:
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine:
        before = content(mine)
        export_file(mine, tmp_path / "mine.jsonl.gz", anonymous=True)
        with pytest.raises(ExperienceError, match="which knows all of it already"):
            import_file(tmp_path / "mine.jsonl.gz", mine)
        export_file(mine, tmp_path / "named.jsonl.gz")
        assert import_file(tmp_path / "named.jsonl.gz", mine) == Amounts(left=2)
        assert content(mine) == before


def test_some_tasks_alone_with_their_spaces(tmp_path: Path) -> None:
    file = tmp_path / "wine.jsonl.gz"
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine:
        assert export_file(mine, file, tasks=["wine"]) == Amounts(1, 2, 1, 5)
        assert export_file(mine, file, tasks=["wine", SECRETS[0]]) == Amounts(2, 3, 3, 15)
        before = file.read_bytes()
        with pytest.raises(ExperienceError, match=r"no task 'beer': take some .*wine"):
            export_file(mine, file, tasks=["beer"])
        with pytest.raises(ExperienceError, match=r"named something\.jsonl\.gz, not mine\.sqlite"):
            export_file(mine, tmp_path / "mine.sqlite")
        with pytest.raises(ExperienceError, match=r"There is no folder .*nowhere for the export: make it"):
            export_file(mine, tmp_path / "nowhere" / "a.jsonl.gz")
    assert file.read_bytes() == before


def test_a_file_adds_to_what_came_from_elsewhere_but_not_to_this_experiences_own(tmp_path: Path) -> None:
    short, long = tmp_path / "short.jsonl.gz", tmp_path / "long.jsonl.gz"
    for file, trials in ((short, 2), (long, 4)):
        with Experience(stocked(tmp_path / f"{trials}.sqlite", trials=trials)) as experience:
            export_file(experience, file)
    with Experience(tmp_path / "mine.sqlite") as mine:
        assert import_file(short, mine).trials == 6
        assert import_file(long, mine) == Amounts(trials=6)
        assert import_file(short, mine) == Amounts()
    with Experience(tmp_path / "2.sqlite") as own:
        assert import_file(long, own) == Amounts(trials=2, left=2)  # one of its searches was merged from elsewhere
        assert [len(own.trials(search.id)) for search in own.searches()] == [2, 2, 4]


def test_a_search_of_another_task_is_not_mixed_into_a_known_one(tmp_path: Path) -> None:
    with Experience(stocked(tmp_path / "mine.sqlite")) as mine:
        export_file(mine, tmp_path / "mine.jsonl.gz")
    with Experience(tmp_path / "other.sqlite") as other:
        import_file(tmp_path / "mine.jsonl.gz", other)
        wine = other.search("search 2 of 0")
        with Experience(tmp_path / "forged.sqlite") as forged:
            stock(forged, seed=9, trials=0)
            forged.begin_search(replace(wine, task=FINGERPRINT))
            forged.add_trial(
                wine.id,
                Trial(77, Candidate(Architecture({}), Architecture({})), 1.0, 0, Outcome("finished", 1.0)),
                "a",
                "r",
            )
            export_file(forged, tmp_path / "forged.jsonl.gz")
        assert import_file(tmp_path / "forged.jsonl.gz", other).left == 1
        assert 77 not in [trial.number for trial in other.trials(wine.id)]


def test_known_names_are_those_that_archwise_gives() -> None:
    assert set(METRICS) == set(EVALUATED)
    assert set(COSTS) == {"parameters", "flops", "latency_ms", "memory_bytes", "train_seconds"}
    assert {training_recipe(kind).name for kind in ("table", "image", "series")} == set(RECIPES)
