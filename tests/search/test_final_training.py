"""The final training: how long it may take, and what happens when it fails or is interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.search.conftest import Maker, add_trial, candidates

from archwise.clock import default_epochs
from archwise.errors import RunError
from archwise.evaluators.job import TrainingJob
from archwise.final_training import FinalTraining
from archwise.runtime.cores import share_threads
from archwise.trial import Outcome


def test_after_an_interrupt_the_final_training_is_no_longer_than_a_trial(make_search: Maker) -> None:
    search = make_search(minutes=20.0, epochs=10.0)
    [candidate] = candidates(search, 1)
    add_trial(search, candidate, 0.9, full=2.0)
    assert FinalTraining(search)._jobs([candidate], hurry=True)[0].epochs == 10
    assert FinalTraining(search)._jobs([candidate])[0].epochs == 150
    search.run.update(epochs_given=True)
    assert FinalTraining(search)._jobs([candidate])[0].epochs == 10


def test_a_candidate_of_unknown_speed_gets_time_too(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0, workers=1)
    known, unknown = candidates(search, 2)
    add_trial(search, known, 0.9, full=20.0)
    seconds = [job.seconds or 0.0 for job in FinalTraining(search)._jobs([known, unknown])]
    assert seconds[0] == pytest.approx(seconds[1])


def test_the_final_training_uses_the_time_and_never_shrinks(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0)
    candidate, other = candidates(search, 2)
    add_trial(search, candidate, 0.9, full=20.0)
    add_trial(search, other, 0.9, full=10.0)
    final = FinalTraining(search)
    both = final._jobs([candidate, other])
    assert both[0].epochs == both[1].epochs
    assert 10 < both[0].epochs < default_epochs(search.task.sizes["train"])
    assert [job.seconds for job in both] == pytest.approx([113, 113], abs=3)
    assert [job.threads for job in both] == [share_threads(2)] * 2
    [alone] = final._jobs([other])
    assert alone.threads == share_threads(1)
    faster = 2 * share_threads(1) / share_threads(2)
    assert alone.epochs == pytest.approx(min(faster * both[0].epochs, default_epochs(96)), rel=0.05)
    search.run.update(final_epochs=120.0)
    longer = final._jobs([candidate, other])
    assert [job.epochs for job in longer] == [120.0] * 2
    full = final.training_seconds(candidate) * share_threads(2) / share_threads(search.settings.workers)
    assert longer[0].seconds == pytest.approx(full * 120 / 10, rel=0.01)
    assert final.expected_seconds([candidate]) >= longer[0].seconds


def test_one_worker_shares_the_time_of_the_final_training_by_need(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0, workers=1)
    candidate, other = candidates(search, 2)
    add_trial(search, candidate, 0.9, full=20.0)
    add_trial(search, other, 0.9, full=10.0)
    longer, shorter = (job.seconds or 0.0 for job in FinalTraining(search)._jobs([candidate, other]))
    assert longer == pytest.approx(2 * shorter)
    assert longer + shorter == pytest.approx(113, abs=3)


DONE = Outcome("finished", -0.1, {}, {"steps": 10.0})
FAILED = Outcome("failed", reason="diverged at step 3: the loss is nan")


class _Pool:
    """In the place of the workers: ends the jobs submitted, in order, as it is told; an exception is an interrupt."""

    def __init__(self, *outcomes: Outcome | type[KeyboardInterrupt]):
        self.outcomes = list(outcomes)
        self.submitted: list[TrainingJob] = []
        self._pending: list[int] = []

    @property
    def pending(self) -> Sequence[int]:
        return self._pending

    def submit(self, key: int, job: TrainingJob) -> None:
        self.submitted.append(job)
        self._pending.append(key)

    def wait(self, timeout: float) -> list[tuple[int, Outcome]]:
        outcome = self.outcomes.pop(0)
        if not isinstance(outcome, Outcome):
            raise outcome
        return [(self._pending.pop(0), outcome)]


def test_a_training_that_fails_is_tried_again_with_another_seed_in_the_time_left(make_search: Maker) -> None:
    search = make_search(minutes=2.0, epochs=10.0)
    [winner] = candidates(search, 1)
    add_trial(search, winner, 0.9, full=20.0)
    pool = _Pool(FAILED, DONE)
    results = FinalTraining(search).train(pool, [winner])
    first, again = pool.submitted
    assert again.seed == first.seed + 1
    assert (again.seconds or 0) <= (first.seconds or 0)
    assert results == {winner: (DONE, Path(str(again.weights_to)))}


def test_a_winner_that_fails_twice_ends_the_session_and_has_new_seeds_in_the_next(make_search: Maker) -> None:
    search = make_search()
    [winner] = candidates(search, 1)
    add_trial(search, winner, 0.9)
    pool = _Pool(FAILED, FAILED)
    with pytest.raises(RunError, match=r"failed twice .diverged at step 3.*resume"):
        FinalTraining(search).train(pool, [winner])
    [later] = FinalTraining(search)._jobs([winner])
    assert later.seed not in [job.seed for job in pool.submitted]


def test_without_the_default_there_is_an_answer_all_the_same(make_search: Maker) -> None:
    search = make_search()
    winner, default = candidates(search, 2)
    for candidate in (winner, default):
        add_trial(search, candidate, 0.9)
    notes: list[str] = []
    search.listener.note = notes.append
    results = FinalTraining(search).train(_Pool(DONE, FAILED, FAILED), [winner, default])
    assert set(results) == {winner}
    assert "diverged" in notes[0]


def test_the_first_interrupt_waits_for_the_answer_and_the_second_does_not(make_search: Maker) -> None:
    search = make_search()
    [winner] = candidates(search, 1)
    add_trial(search, winner, 0.9)
    notes: list[str] = []
    search.listener.note = notes.append
    results = FinalTraining(search).train(_Pool(KeyboardInterrupt, DONE), [winner])
    assert set(results) == {winner}
    assert "Ctrl-C again" in notes[0]
    with pytest.raises(KeyboardInterrupt):
        FinalTraining(search).train(_Pool(KeyboardInterrupt, KeyboardInterrupt, DONE), [winner])
    with pytest.raises(KeyboardInterrupt):
        FinalTraining(search).train(_Pool(KeyboardInterrupt, DONE), [winner], hurry=True)
