"""What is counted of a search's trials, and what of them is news."""

from __future__ import annotations

from archwise.evaluators.metrics import score_of
from archwise.spaces.architecture import Architecture, Candidate
from archwise.terminal.standing import Standing
from archwise.trial import Outcome, Trial


def trial(
    number: int, rmse: float | None, *, fidelity: float = 1.0, width: int = 1, reason: str = "", confirm: bool = False
) -> Trial:
    candidate = Candidate(Architecture({"width": width}), Architecture({}))
    failed = Outcome("failed", reason=reason)
    outcome = failed if rmse is None else Outcome("finished", score_of("rmse", rmse), {"rmse": rmse})
    return Trial(number, candidate, fidelity, 0, outcome, purpose="confirm" if confirm else "search")


def test_the_best_is_the_smallest_error_in_its_natural_sign() -> None:
    standing = Standing("rmse")
    assert [standing.add(trial(i, value, width=i)) for i, value in enumerate([2.0, 3.0, 1.5])] == [True, False, True]
    assert standing.best is not None and standing.value(standing.best) == "1.500"
    assert standing.default is not None and standing.value(standing.default) == "2.000"


def test_the_default_is_known_by_its_longest_training() -> None:
    standing = Standing("rmse")
    for one in (trial(0, 2.0, fidelity=1 / 9), trial(1, 1.0, width=2), trial(2, 1.8, fidelity=1 / 3)):
        standing.add(one)
    assert standing.default is not None
    assert (standing.default.number, standing.value(standing.default)) == (2, "1.800 after 33 % of its training")


def test_a_failure_is_news_once_however_its_numbers_differ() -> None:
    standing = Standing("rmse")
    reasons = ["time limit: stopped after 3.2 seconds", "diverged", "time limit: stopped after 11 seconds"]
    assert [standing.add(trial(i, None, reason=reason)) for i, reason in enumerate(reasons)] == [True, True, False]
    assert dict(standing.reasons) == {reasons[0]: 2, "diverged": 1}
    assert standing.statuses["failed"] == 3 and standing.best is None


def test_finalists_are_not_trials_of_the_search() -> None:
    standing = Standing("rmse")
    standing.add(trial(0, 2.0))
    assert not standing.add(trial(0, 1.0, confirm=True))
    assert standing.add(trial(1, None, reason="crash", confirm=True))
    assert dict(standing.statuses) == {"finished": 1, "failed": 0}
    assert standing.best is not None and standing.best.outcome.metrics["rmse"] == 2.0
