"""What goes into the experience comes out of it, once and in order."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archwise.errors import ExperienceError
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.signature import Signature
from archwise.trial import CurvePoint, Outcome, Trial

Begin = Callable[..., str]
MakeTrial = Callable[..., Trial]


def test_trials_survive_closing_and_come_back_in_the_order_of_their_numbers(
    file: Path, begin: Begin, make_trial: MakeTrial
) -> None:
    recorded = [make_trial(number, parent=number - 1 if number else None) for number in (3, 0, 2, 1)]
    with Experience(file) as experience:
        search = begin(experience)
        for trial in recorded:
            experience.add_trial(search, trial, f"hash {trial.number}", "recipe")
    with Experience(file) as experience:
        assert experience.trials(search) == sorted(recorded, key=lambda trial: trial.number)


def test_a_trial_is_recorded_once_and_the_first_record_stays(
    experience: Experience, begin: Begin, make_trial: MakeTrial
) -> None:
    search, other = begin(experience), begin(experience)
    first, again = make_trial(5), make_trial(5, seed=99)
    confirm = make_trial(5, purpose="confirm", seed=7)
    for trial in (first, again, confirm, again):
        experience.add_trial(search, trial, "a", "r")
    experience.add_trial(other, again, "a", "r")
    assert experience.trials(search) == [first, confirm]
    assert experience.trials(other) == [again]


def test_numbers_that_are_not_finite_come_back(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    metrics = {"log_loss": math.nan, "rmse": math.inf, "r2": -math.inf, "accuracy": 0.5}
    curve = (CurvePoint(0.5, 1.0, math.inf, math.nan, 0.1),)
    outcome = Outcome("failed", math.nan, metrics, {"flops": math.nan}, curve, reason="diverged")
    search = begin(experience)
    experience.add_trial(search, make_trial(0, outcome=outcome), "a", "r")
    found = experience.trials(search)[0].outcome
    assert found.score is None
    assert found.reason == "diverged"
    assert math.isnan(found.metrics["log_loss"])
    assert math.isnan(found.costs["flops"])
    assert [found.metrics[name] for name in ("rmse", "r2", "accuracy")] == [math.inf, -math.inf, 0.5]
    assert found.curve[0].train_loss == math.inf
    assert math.isnan(found.curve[0].validation_loss)


def test_text_that_no_database_holds_is_mended_and_a_huge_traceback_cut(
    experience: Experience, begin: Begin, make_trial: MakeTrial
) -> None:
    lines = "".join(f"line {number}\n" for number in range(100_000))
    outcome = Outcome("failed", reason="bad name \udce4\0 für", traceback=f"Traceback\n{lines}RuntimeError: the end")
    search = begin(experience)
    experience.add_trial(search, make_trial(0, outcome=outcome), "a", "r")
    found = experience.trials(search)[0].outcome
    assert found.reason == "bad name \ufffd\ufffd für"
    assert len(found.traceback) == 20_000
    assert found.traceback.startswith("Traceback\nline 0\n")
    assert found.traceback.endswith("line 99999\nRuntimeError: the end")


def test_tasks_and_spaces_are_added_once(experience: Experience) -> None:
    task = TaskRecord("print", "Größe", "regression", Signature((7,), 1, "table"), "rmse", {"train": 5}, {"skew": 0.25})
    assert experience.add_task(task) == experience.add_task(replace(task, name="other")) == "print"
    plain = replace(task, fingerprint="second", descriptor=None)
    experience.add_task(plain)
    assert experience.tasks() == [task, plain]
    known = replace(plain, descriptor={"skew": 0.5}, sketch=[4, 2**52 - 1])
    experience.add_task(replace(known, name="other"))
    experience.add_task(replace(known, descriptor={"skew": 0.75}, sketch=[8]))
    assert experience.tasks() == [task, known]
    space = SpaceRecord("hash", "cnn", {"choices": []})
    assert experience.add_space(space) == experience.add_space(space) == "hash"


def test_a_search_is_recorded_ended_and_continued(experience: Experience, begin: Begin) -> None:
    search = begin(
        experience, settings={"population": 20}, budget={"trials": 10, "seconds": math.inf}, run="/runs/ü", seed=-3
    )
    running = experience.search(search)
    assert (running.task, running.space, running.recipe_space) == ("print of digits", "hash of cnn", "hash of recipe")
    assert (running.state, running.ended, running.run, running.seed) == ("running", None, "/runs/ü", -3)
    assert running.settings == {"population": 20}
    assert running.budget == {"trials": 10, "seconds": "Infinity"}
    experience.end_search(search, "finished")
    ended = experience.search(search)
    assert ended.state == "finished"
    assert ended.ended is not None
    assert ended.ended >= ended.started
    assert experience.begin_search(replace(ended, budget={"trials": 30}, strategy="changed")) == search
    assert experience.searches() == [replace(running, budget={"trials": 30})]


def test_a_search_keeps_versions_and_hardware_by_itself(experience: Experience, begin: Begin) -> None:
    known = experience.search(begin(experience))
    record = SearchRecord(known.task, known.space, known.recipe_space, "random", 1, "accuracy")
    found = experience.search(experience.begin_search(record))
    assert found == record
    assert set(found.versions) == {"archwise", "python", "torch", "numpy"}
    assert found.hardware["cores"] >= 1


def test_what_is_not_there_is_named(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    begin(experience)
    with pytest.raises(ExperienceError, match="no search 'lost'"):
        experience.add_trial("lost", make_trial(0), "a", "r")
    with pytest.raises(ExperienceError, match="no search 'lost'"):
        experience.trials("lost")
    with pytest.raises(ExperienceError, match="no search 'lost'"):
        experience.end_search("lost", "finished")
    with pytest.raises(ExperienceError, match="no task 'unknown'"):
        experience.begin_search(SearchRecord("unknown", "hash of cnn", "hash of recipe", "random", 0, "accuracy"))
    with pytest.raises(ExperienceError, match="no space 'unknown'"):
        experience.begin_search(SearchRecord("print of digits", "unknown", "x", "random", 0, "accuracy"))
    assert len(experience.searches()) == 1


def test_trials_of_a_space_come_task_by_task_over_many_pages(
    experience: Experience, begin: Begin, make_trial: MakeTrial
) -> None:
    digits = begin(experience, "digits")
    elsewhere = begin(experience, "digits", space="mlp")
    wine = begin(experience, "wine", objective="log_loss")
    experience.add_trial(elsewhere, make_trial(0), "a", "r")
    # Written in turns and read in pages of 500: one page ends inside a task, one holds two tasks.
    for number in range(520):
        experience.add_trial(digits, make_trial(number), "a", "r")
        experience.add_trial(wine, make_trial(number, seed=1), "a", "r")
    found = [
        (task.name, task.objective, trial.number, trial.seed)
        for task, trial in experience.trials_of_space("hash of cnn")
    ]
    expected = [("digits", "accuracy", number, number) for number in range(520)]
    assert found == expected + [("wine", "log_loss", number, 1) for number in range(520)]
    assert list(experience.trials_of_space("hash of nothing")) == []


def test_trials_are_recorded_while_others_are_read(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    search = begin(experience)
    for number in range(501):
        experience.add_trial(search, make_trial(number), "a", "r")
    stream = experience.trials_of_space("hash of cnn")
    next(stream)
    experience.add_trial(search, make_trial(501), "a", "r")
    assert [trial.number for _, trial in stream][-1] == 501


def test_summary_counts_by_task_and_objective(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    digits, again, wine = begin(experience), begin(experience), begin(experience, "wine", objective="rmse")
    experience.add_task(TaskRecord("new", "new", "binary", Signature((2,), 2, "table"), "f1", {"train": 4}))
    experience.add_trial(digits, make_trial(0), "a", "r")
    experience.add_trial(digits, make_trial(8), "a", "r")
    experience.add_trial(again, make_trial(3), "a", "r")
    experience.add_trial(again, make_trial(4, outcome=Outcome("failed", reason="out of memory")), "a", "r")
    experience.add_trial(again, make_trial(5, outcome=Outcome("pruned", 0.95)), "a", "r")
    for number, error in enumerate((4.0, 2.0, 3.0)):
        outcome = Outcome("finished", -error, {"rmse": error})
        experience.add_trial(wine, make_trial(number, outcome=outcome), "a", "r")
    summary = experience.summary()
    counts = [(t.name, t.objective, t.searches, t.finished, t.failed, t.pruned, t.best) for t in summary.tasks]
    assert counts == [
        ("wine", "rmse", 1, 3, 0, 0, 2.0),
        ("digits", "accuracy", 2, 3, 1, 1, 0.9),
        ("new", "f1", 0, 0, 0, 0, None),
    ]
    assert [task.examples for task in summary.tasks] == [1797, 1797, 4]
    assert (summary.searches, summary.trials) == (3, 8)
    assert summary.tasks[0].last_used is not None
    assert summary.tasks[2].last_used is None
    assert summary.location == experience.location
    assert summary.file_bytes is not None
    assert summary.file_bytes > 8 * 500


def test_without_a_location_the_experience_lies_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Begin
) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name, appauthor: tmp_path / "data" / name)
    with Experience() as experience:
        begin(experience)
    assert experience.location == str(tmp_path / "data" / "archwise" / "experience.sqlite")
    with Experience(tmp_path / "data" / "archwise" / "experience.sqlite") as experience:
        assert len(experience.searches()) == 1


def test_threads_share_one_experience(experience: Experience, begin: Begin, make_trial: MakeTrial) -> None:
    search = begin(experience)

    def record(first: int) -> None:
        # The even numbers come from two threads each: still one record.
        for number in range(first % 4, 100, 2):
            experience.add_trial(search, make_trial(number), "a", "r")

    threads = [threading.Thread(target=record, args=(first,)) for first in (0, 1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert experience.trials(search) == [make_trial(number) for number in range(100)]
