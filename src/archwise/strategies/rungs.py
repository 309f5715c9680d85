"""What the strategies that train many a little and few in full share: rungs of fidelity, and who climbs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isclose

from archwise.spaces.joint import JointSpace
from archwise.strategies.strategy import Strategy, next_number
from archwise.trial import Pending, Proposal, Trial


def fidelities_of(eta: int, rungs: int) -> tuple[float, ...]:
    """Return the rungs' fidelities: from the lowest to 1, each `eta` times the one below."""
    return tuple(float(eta) ** (rung - rungs + 1) for rung in range(rungs))


def rung_of(fidelity: float, fidelities: Sequence[float]) -> int | None:
    """Return the rung that has a fidelity, or None."""
    return next((rung for rung, known in enumerate(fidelities) if isclose(fidelity, known)), None)


def like_with_like(
    history: Sequence[Trial], pending: Sequence[Pending], fidelity: float
) -> tuple[list[Trial], list[Pending]]:
    """Return what to show a strategy that compares scores: a history of one fidelity, and the rest as pending.

    What was trained for longer, or not yet as long, cannot be compared, but it is known: the strategy sees it as under
    way, each candidate once. What failed with less training would have failed here. A continuation is shown with the
    origin of the trial that it continues. Trials of other searches are shown as they are.

    Args:
        history: as the strategy's own.
        pending: as the strategy's own, with what is proposed beside the new candidates.
        fidelity: that of this search's trials that are shown.
    """
    alike: list[Trial] = []
    rest: list[Pending] = []
    origins: dict[int | None, str] = {}
    for trial in history:
        origin = trial.origin
        if trial.number >= 0:
            origin = origins[trial.number] = origins.get(trial.parent, trial.origin)
        failed_before = trial.score is None and trial.fidelity < fidelity
        if trial.number < 0 or failed_before or isclose(trial.fidelity, fidelity):
            alike.append(trial if origin == trial.origin else replace(trial, origin=origin))
        else:
            rest.append(Pending(trial.number, Proposal(trial.candidate, trial.fidelity, origin=origin)))
    for number, proposal in pending:
        origin = origins.get(proposal.parent, proposal.origin)
        rest.append(Pending(number, replace(proposal, origin=origin)))
    return alike, under_way(rest, alike)


def under_way(known: Sequence[Pending], shown: Sequence[Trial]) -> list[Pending]:
    """Return what is known but not among the trials of this search that are shown, each candidate once."""
    candidates = {trial.candidate for trial in shown if trial.number >= 0}
    known = sorted(known, key=lambda item: item.number)
    latest = {item.proposal.candidate: item for item in known}
    # The largest number stays, as the next proposal's number follows from it.
    return [item for candidate, item in latest.items() if candidate not in candidates or item is known[-1]]


def comparable_fidelity(history: Sequence[Trial], fidelities: Sequence[float], enough: int) -> float:
    """Return the highest fidelity at which `enough` trials of this search have finished; the lowest if at none."""
    finished = [
        rung_of(trial.fidelity, fidelities) for trial in history if trial.number >= 0 and trial.score is not None
    ]
    return next((fidelities[r] for r in reversed(range(len(fidelities))) if finished.count(r) >= enough), fidelities[0])


def new_candidates(
    proposer: Strategy,
    space: JointSpace,
    history: Sequence[Trial],
    pending: Sequence[Pending],
    due: Sequence[Proposal],
    fidelity: float,
    seed: int,
    n: int,
) -> list[Proposal]:
    """Return what another strategy proposes when it compares this search's trials of one fidelity alone.

    Args:
        proposer: the other strategy.
        space, history, pending, seed: as for `Strategy.propose`.
        due: continuations that are proposed before the new candidates.
        fidelity: that of the trials it is shown.
        n: how many new candidates are wanted; of none it is not asked.
    """
    if n <= 0:
        return []
    first = next_number(history, pending)
    promoted = [Pending(first + i, proposal) for i, proposal in enumerate(due)]
    alike, under_way = like_with_like(history, [*pending, *promoted], fidelity)
    return proposer.propose(space, alike, under_way, seed, n)


class Climb:
    """What a search has begun, and which trials continue on the next rung.

    Args:
        history, pending: as for `Strategy.propose`.
        fidelities: the rungs', from the lowest to 1.
    """

    def __init__(self, history: Sequence[Trial], pending: Sequence[Pending], fidelities: Sequence[float]):
        self.fidelities = fidelities
        self.ended = {trial.number: trial for trial in history if trial.number >= 0}
        known: dict[int, Trial | Proposal] = {**self.ended, **{item.number: item.proposal for item in pending}}
        self.children = {trial.parent: number for number, trial in sorted(known.items()) if trial.parent is not None}
        self.new = [(number, trial.fidelity) for number, trial in sorted(known.items()) if trial.parent is None]

    def promotions(self, cohort: Sequence[int], places: Sequence[int]) -> list[Proposal]:
        """Return the continuations of a cohort that are due: those of the best, once all of a rung have ended.

        Args:
            cohort: numbers of the trials that were begun together, on one rung.
            places: how many of them reach the next rung, the one after, and so on to full training.
        """
        due: list[Proposal] = []
        for rung, count in enumerate(places, start=len(self.fidelities) - len(places)):
            if any(number not in self.ended for number in cohort):
                break
            best = self.best([self.ended[number] for number in cohort], count)
            due += [self.continuation(trial, rung) for trial in best if trial.number not in self.children]
            cohort = [self.children[trial.number] for trial in best if trial.number in self.children]
            if len(cohort) < len(best):
                break
        return due

    def best(self, trials: Sequence[Trial], places: int) -> list[Trial]:
        """Return those that go on; of equal scores the earlier.

        Who has gone on already keeps the place: a kill loses what was pending, and the cohorts behind move up.
        """
        finished = [trial for trial in trials if trial.score is not None]
        rank = lambda trial: (trial.number not in self.children, -(trial.outcome.score or 0.0), trial.number)  # noqa: E731
        return sorted(finished, key=rank)[:places]

    def continuation(self, trial: Trial, rung: int) -> Proposal:
        """Return the proposal that continues a trial up to a rung."""
        origin = f"continues trial {trial.number}"
        return Proposal(trial.candidate, self.fidelities[rung], trial.number, origin, trial.inherits)
