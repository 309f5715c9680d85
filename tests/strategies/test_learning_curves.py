"""How learning curves are predicted to end, as freeze-thaw shows it to its proposer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts.watched import Watched
from tests.strategies.learning_curves import SPACE, begun, chain, curve_of, run

from archwise.strategies.freeze_thaw import FreezeThaw
from archwise.trial import Outcome, Trial


def predicted(history: Sequence[Trial], **settings) -> dict[int, float | None]:
    """Return the score that the proposer is shown for each candidate, by the number of its first trial."""
    watched = Watched()
    FreezeThaw(watched, **settings).propose(SPACE, history, [], 0, 50)
    return {trial.number: trial.score for trial in watched.history if trial.number >= 0}


def test_predictions_come_nearer_to_the_ends_than_the_scores_do():
    history = run(150)
    last = {trial.candidate: trial for trial in history}
    shown = predicted(history)
    first = {trial.candidate: trial.number for trial in reversed(history) if trial.parent is None}
    partly = [trial for trial in last.values() if trial.fidelity < 1]
    ends = np.array([curve_of(trial.candidate)[-1] for trial in partly])
    now = np.array([trial.score for trial in partly])
    then = np.array([shown[first[trial.candidate]] for trial in partly])
    assert len(partly) > 50
    assert np.mean((then - ends) ** 2) < 0.6 * np.mean((now - ends) ** 2)


def test_what_was_trained_in_full_is_shown_as_it_is():
    history = begun([0.1, 0.2, 0.3, 0.35], [0.2, 0.1], [0.3, 0.2, 0.1], [0.05], [None], [0.1, None])
    shown = predicted(history, start=3)
    assert list(shown) == [0, 4, 6, 9, 10, 11]
    assert shown[0] == 0.35
    assert shown[10] is None is shown[11]
    assert shown[9] > 0.05, "scores rise with training"


def test_the_training_speed_decides_between_equal_scores():
    """At the lowest rung all have learned nothing; those whose training loss falls faster end higher."""
    history: list[Trial] = []
    for i in range(12):
        loss = 1.0 + i / 10
        losses = [loss] * 27
        scores = [0.1, 0.1, 0.8 - loss / 5, 1.0 - loss / 3]
        history += chain(len(history), scores[: 4 if i % 3 == 0 else 2], losses=losses)
    slow, fast = len(history), len(history) + 1
    history += chain(slow, [0.1], losses=[2.0]) + chain(fast, [0.1], losses=[1.0])
    shown = predicted(history, start=3)
    assert shown[fast] > shown[slow] + 0.1
    without = [replace(trial, outcome=replace(trial.outcome, curve=())) for trial in history]
    shown = predicted(without, start=3)
    assert shown[fast] == pytest.approx(shown[slow])


def test_the_gain_of_the_last_rung_decides_between_equal_scores():
    """Some stand still, some rise on and on: who rose by more lately ends higher."""
    rising, still = [0.1, 0.3, 0.5, 0.7], [0.29, 0.3, 0.31, 0.32]
    history = begun(*[[score + i / 100 for score in kind] for i in range(4) for kind in (rising, still)])
    first = len(history)
    history += chain(first, [0.1, 0.31]) + chain(first + 2, [0.3, 0.31])
    shown = predicted(history, start=3)
    assert shown[first] > shown[first + 2] + 0.1


def test_a_curve_of_one_long_training_teaches_as_much_as_its_parts():
    parts = run(60)
    full = next(trial for trial in parts if trial.fidelity == 1)
    ancestors = {full.parent}
    for trial in reversed(parts):
        if trial.number in ancestors and trial.parent is not None:
            ancestors.add(trial.parent)
    number = min(ancestors)
    whole = [trial for trial in parts if trial.number not in ancestors]
    whole = [replace(trial, number=number, parent=None) if trial is full else trial for trial in whole]
    whole.sort(key=lambda trial: trial.number)
    assert predicted(whole) == pytest.approx(predicted(parts))


def test_one_broken_candidate_bends_nothing():
    history = run(60)
    before = predicted(history)
    worst = min((trial for trial in history if trial.parent is None), key=lambda trial: trial.score or 0)
    for broken in (-1e3, -1e9):
        changed = [replace(t, outcome=Outcome("finished", broken)) if t.number == worst.number else t for t in history]
        after = predicted(changed)
        others = [number for number in before if number != worst.number]
        assert [after[number] for number in others] == pytest.approx([before[number] for number in others], abs=0.05)
