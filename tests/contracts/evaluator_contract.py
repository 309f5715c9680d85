"""The contract of evaluators, as a suite that every evaluator passes, a third party's too."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from archwise.evaluators.evaluator import Evaluator
from archwise.spaces.joint import JointSpace
from archwise.trial import Outcome, Proposal


def without_seconds(outcome: Outcome) -> Outcome:
    """Return an outcome without what may differ from run to run: times."""
    costs = {name: value for name, value in outcome.costs.items() if not name.endswith(("seconds", "_ms"))}
    return replace(outcome, costs=costs, curve=tuple(point._replace(seconds=0.0) for point in outcome.curve))


class EvaluatorContract:
    """Subclass it and make fixtures `evaluator`, `task`, `space` and `bad` (a proposal that must fail)."""

    continues = True
    """Whether a higher fidelity is the same training, gone on with; in a published table each may be its own."""

    def spoil(self, evaluator: Evaluator[Any], task: Any) -> Evaluator[Any]:
        """Return the evaluator, what is kept for the final test being garbage."""
        for path in (task.folder / "sealed").iterdir():
            path.write_bytes(b"garbage")
        return evaluator

    def test_the_same_proposal_gives_the_same_outcome(
        self, evaluator: Evaluator[Any], task: Any, space: JointSpace
    ) -> None:
        first = evaluator.evaluate(Proposal(space.default), task, 1)
        again = evaluator.evaluate(Proposal(space.default), task, 1)
        assert first.status == "finished"
        assert without_seconds(first) == without_seconds(again)

    def test_different_candidates_are_told_apart(self, evaluator: Evaluator[Any], task: Any, space: JointSpace) -> None:
        candidates = [space.sample(i) for i in range(6)]
        outcomes = [evaluator.evaluate(Proposal(candidate), task, 1) for candidate in candidates]
        scores = {outcome.score for outcome in outcomes if outcome.score is not None}
        assert len(scores) >= 2
        assert all(math.isfinite(score) for score in scores)

    def test_a_failure_is_an_outcome_with_a_reason(self, evaluator: Evaluator[Any], task: Any, bad: Proposal) -> None:
        outcome = evaluator.evaluate(bad, task, 1)
        assert outcome.status == "failed"
        assert outcome.reason
        assert outcome.score is None

    def test_the_test_split_is_not_read(self, evaluator: Evaluator[Any], task: Any, space: JointSpace) -> None:
        before = evaluator.evaluate(Proposal(space.default), task, 1)
        after = self.spoil(evaluator, task).evaluate(Proposal(space.default), task, 1)
        assert without_seconds(after) == without_seconds(before)

    def test_a_lower_fidelity_is_less_of_the_training(
        self, evaluator: Evaluator[Any], task: Any, space: JointSpace
    ) -> None:
        part = evaluator.evaluate(Proposal(space.default, fidelity=0.4), task, 1)
        whole = evaluator.evaluate(Proposal(space.default), task, 1)
        assert 0 < part.curve[-1].fidelity < whole.curve[-1].fidelity
        if self.continues:
            seconds = [point._replace(seconds=0.0) for point in whole.curve]
            assert [point._replace(seconds=0.0) for point in part.curve] == seconds[: len(part.curve)]
