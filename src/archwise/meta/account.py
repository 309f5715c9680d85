"""How a search by transfer explains itself: which past tasks it believed, when, and what that came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isclose
from typing import Any, NamedTuple

import numpy as np

from archwise.meta.guard import SCRATCH, TRANSFER, GuardedTransfer
from archwise.meta.saving import estimated_saving
from archwise.meta.source_prior import SourcePrior
from archwise.meta.sources import REFERENCES
from archwise.meta.transfer import LEFT_ASIDE, NAMED, Transfer
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.members import name_in
from archwise.strategies.strategy import ELSEWHERE
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Trial

SHOWN = 30
"""Most past tasks that are told one by one: those that were believed most."""
FIRST_LOOK = 5
"""Trials after which the belief is looked at first; from twice as many on, whenever they have doubled."""
DEFAULT, FAVOURITES, OTHERS = "the default", "the best of past tasks", "others"


class Belief(NamedTuple):
    """What the model of a search rests on after some trials."""

    weights: np.ndarray
    """Of each past task, as learnt."""
    deviations: np.ndarray
    """How unsure each weight is."""
    shares: np.ndarray
    """What part of what the model expects of candidates rests on each past task; the rest to 1, on none of them."""
    left_aside: bool = False
    """Whether past tasks are left aside, so that nothing rests on them."""


def account(
    strategy: object, space: JointSpace, trials: Sequence[Trial], seconds: float | None = None
) -> dict[str, Any] | None:
    """Return which past tasks a search believed, how that changed, what it proposed for it, and what was saved.

    All of it is computed anew from the trials, as the strategy saw them. Where trainings of several lengths were made,
    those are looked at with which most candidates began, as their scores can be compared.

    Args:
        strategy: a transfer strategy, guarded or not, or a schedule around one.
        space: the candidates.
        trials: those of the search.
        seconds: how long estimating what was saved may take; None for as long as it takes.

    Returns:
        None for other strategies, and where there is no past task. Else plain data:

        - "tasks": a past task each, those first that are believed most at the end: "name", "trials" (that say something
          about this space), "reliability" (how well its own trials are predicted), "proposed" (candidates for which it
          said most), and lists "weight", "deviation" and "share", a value for each of "after" (numbers of trials); see
          `Belief`.
        - "others": how many past tasks more there are ("count"), with their "share"s; "none": the shares of none.
        - "unused": names of past tasks that say nothing reliable about the space.
        - "aside": whether past tasks are left aside, after the same numbers.
        - "left_aside": how many candidates transfer proposed without past tasks, as the scores were far likelier so.
        - "guard": share of the proposals that transfer gets next, after the same numbers; None where there is no guard.
        - "origins": who proposed -> "proposals", and "improvements" of the best so far.
        - "fidelity": share of a full training that the trials got; "trials": how many they are.
        - "saving": see `estimated_saving`.
    """
    transfer, guard = _transfer_in(strategy)
    if transfer is None or not transfer.past:
        return None
    sources, prior = transfer.sources(space), transfer.prior(space)
    begun = _comparable(trials, space)
    used = sources.used
    told: dict[str, Any] = {
        "fidelity": begun[0].fidelity if begun else 1.0,
        "trials": len(begun),
        "unused": [task.name for task in transfer.past if not any(task is known for known in used)][:SHOWN],
        "origins": _origins(begun, guard is not None),
        "left_aside": sum(LEFT_ASIDE in trial.origin for trial in begun),
        "after": [],
        "tasks": [],
    }
    if not used:
        return told
    after = _looked_at(len(begun))
    references = _references(space)
    surrogate = Surrogate(space.encoding, prior)
    beliefs = [believed(transfer, prior, surrogate, begun[:count], references) for count in after]
    weights = np.stack([found.weights for found in beliefs], axis=1)
    deviations = np.stack([found.deviations for found in beliefs], axis=1)
    shares = np.stack([found.shares for found in beliefs], axis=1)
    order = np.argsort(-shares[:, -1], kind="stable")
    proposed = _proposed(begun, [task.name for task in used])
    tasks = [
        {
            "name": used[i].name,
            "trials": len(used[i].within(used[i].space or space)),
            "reliability": _rounded(sources.reliability[i]),
            "proposed": proposed[used[i].name],
            "weight": _rounded_all(weights[i]),
            "deviation": _rounded_all(deviations[i]),
            "share": _rounded_all(shares[i]),
        }
        for i in order[:SHOWN]
    ]
    rest = order[SHOWN:]
    return told | {
        "after": after,
        "aside": [found.left_aside for found in beliefs],
        "tasks": tasks,
        "others": {"count": len(rest), "share": _rounded_all(shares[rest].sum(axis=0))},
        "none": _rounded_all(1 - shares.sum(axis=0)),
        "guard": [_rounded(guard.share(begun[:count])) for count in after] if guard else None,
        "saving": estimated_saving(surrogate, space, begun, seconds),
    }


def belief(
    prior: SourcePrior, surrogate: Surrogate, trials: Sequence[Trial], references: Sequence[Candidate]
) -> Belief:
    """Return what a model rests on that was fitted to trials; before any has finished, on its prior.

    What past tasks say together and what the model says beside them each vary from candidate to candidate: their parts
    are those of the sum of the two variances. Each past task has a part of the former by how much its weighted word
    varies, whether for or against.

    Args:
        prior: what past tasks expect.
        surrogate: a model with this prior; it is fitted.
        trials: those of the search so far.
        references: candidates.
    """
    said = prior.predict(references)
    if any(trial.score is not None for trial in trials):
        surrogate.fit(trials)
        weights, deviations = prior.learnt(surrogate)
        expected, _ = surrogate.predict(references)
    else:
        weights, deviations, expected = prior.weights, prior.deviations, said @ prior.weights
    together, beside = (said @ weights).var(), (expected - said @ weights).var()
    words = np.abs(weights) * said.std(axis=0)
    shares = words / max(words.sum(), 1e-12) * together / max(together + beside, 1e-12)
    return Belief(weights, deviations, shares)


def believed(
    transfer: Transfer,
    prior: SourcePrior,
    surrogate: Surrogate,
    trials: Sequence[Trial],
    references: Sequence[Candidate],
) -> Belief:
    """Return what a search rests on after some trials: while past tasks are left aside, on none of them."""
    found = belief(prior, surrogate, trials, references)
    if any(trial.score is not None for trial in trials) and transfer.leaves_aside(surrogate, trials):
        return found._replace(shares=np.zeros_like(found.shares), left_aside=True)
    return found


def _transfer_in(strategy: object) -> tuple[Transfer | None, GuardedTransfer | None]:
    """Return the transfer of a strategy or of the one whose candidates it schedules, and its guard."""
    if isinstance(strategy, GuardedTransfer):
        return strategy.transfer, strategy
    if isinstance(strategy, Transfer):
        return strategy, None
    proposer = getattr(strategy, "proposer", None)
    return _transfer_in(proposer) if proposer is not None else (None, None)


def _comparable(trials: Sequence[Trial], space: JointSpace) -> list[Trial]:
    """Return the trials that began at the fidelity at which most did, by number."""
    own = sorted((t for t in trials if t.number >= 0 and t.candidate in space), key=lambda trial: trial.number)
    new = [trial for trial in own if trial.parent is None]
    counts = Counter(trial.fidelity for trial in new)
    usual = max(counts, key=lambda fidelity: (counts[fidelity], -fidelity)) if counts else 1.0
    return [trial for trial in new if isclose(trial.fidelity, usual)]


def _looked_at(count: int) -> list[int]:
    """Return the numbers of trials after which the belief is looked at.

    Example:
        >>> _looked_at(3), _looked_at(23)
        ([0, 3], [0, 5, 10, 20, 23])
    """
    looked, following = [0], FIRST_LOOK
    while following < count:
        looked.append(following)
        following *= 2
    return [*looked, count] if count else looked


def _references(space: JointSpace) -> list[Candidate]:
    rng = np.random.default_rng(0)
    return [space.sample(rng) for _ in range(REFERENCES)]


def _origins(trials: Sequence[Trial], guarded: bool) -> dict[str, dict[str, int]]:
    """Return how many candidates came from where, and how many of them were better than all before.

    Args:
        trials: those of the search.
        guarded: whether origins begin with the name of who proposed.
    """
    told: dict[str, dict[str, int]] = {}
    best: float | None = None
    for trial in trials:
        count = told.setdefault(_source(trial.origin, guarded), {"proposals": 0, "improvements": 0})
        count["proposals"] += 1
        if trial.score is not None and (best is None or trial.score > best):
            count["improvements"] += best is not None
            best = trial.score
    return told


def _source(origin: str, guarded: bool) -> str:
    if origin.endswith("the space's default"):
        return DEFAULT
    if origin.endswith(ELSEWHERE):
        return FAVOURITES
    name = name_in(origin) if guarded else TRANSFER
    return name if name in (TRANSFER, SCRATCH) else OTHERS


def _proposed(trials: Sequence[Trial], names: Sequence[str]) -> Counter[str]:
    """Return for how many candidates each past task said most."""
    found: Counter[str] = Counter()
    for trial in trials:
        _, sign, most = trial.origin.partition("most by ")
        found.update([name for name in dict.fromkeys(names) if sign and name[:NAMED] == most][:1])
    return found


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _rounded_all(values: np.ndarray) -> list[float]:
    return [_rounded(value) for value in values]
