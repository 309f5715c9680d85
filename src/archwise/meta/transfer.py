"""Transfer: Bayesian optimisation whose model starts from surrogates of past tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from archwise.meta.costs import CostTransfer
from archwise.meta.informed import InformedSources
from archwise.meta.landmarks import Landmarks
from archwise.meta.past_task import PastTask
from archwise.meta.source_prior import SourcePrior
from archwise.meta.sources import Sources
from archwise.meta.store import SurrogateStore
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.bayesian import BayesianOptimization
from archwise.strategies.pool import CandidatePool
from archwise.strategies.strategy import OneAtATime, Situation
from archwise.strategies.surrogate import Surrogate
from archwise.trial import Proposal, Trial

PROMISING = 200
"""Candidates of which past tasks promise most that are always looked at."""
TRUSTING, TRUST = 4, 0.2
"""Of the first candidates, how many are chosen as if the model were surer, and what its deviation is taken times."""
MISFIT = 4.0
"""How much likelier the new task's scores must be without past tasks than with them, as a logarithm, for these to be
left aside. The level and the unit that a model with past tasks has to learn cost it 1 to 2 of that."""
DOUBTED = 2.0
"""The same where past tasks think less of the space's default than of most candidates."""
LEFT_ASIDE = "past tasks left aside"
"""Stands in the origin of what is proposed then."""
NAMED = 60
"""Most characters of a past task's name that are said of a proposal."""
DEFAULT_BY = 5
"""The space's default is among so many first candidates."""


class Transfer(OneAtATime):
    """Proposes the largest expected improvement under a model that follows past tasks as far as they prove right.

    The model is `f(x) = b + sum_s w_s m_s(x) + g(x)`: what the surrogate of each past task predicts, weighted, and a
    Gaussian process on the candidate for the rest. The surrogates of past tasks learn from each other in the same way.
    The weights start from how much each past task resembles the new one, and are learnt from the search's own trials,
    with the level and the unit of its scores. What is to be improved on is the best of what the model now says of the
    trials, not a score that may have been luck.

    - The first candidate is the one of which past tasks promise most. Where they think less of the space's default than
      of most candidates, that comes first: either it or the experience is not good for much.
    - Of the first four, those are proposed of which most is expected, with little regard to what is not known, by
      surrogates of past tasks that have not learnt from each other: an error of one would else be in all of them.
    - The default is among the first five; the second is the best of earlier trials on the same data.
    - While the trials' scores are far likelier without past tasks than with them, a search from scratch proposes.
    - What failed on past tasks is likely to fail again, and what takes longer than allowed is known before it is tried.
    - Without a past task that says anything about the space, Bayesian optimisation from scratch proposes.

    Args:
        past: past tasks.
        descriptor: numbers that describe the new task, as `tasks.descriptor` finds them; None where not known.
        limits: name of a cost -> the most of it that a full training may have; see `CostTransfer`.
        warm_start: whether the first candidates come from past tasks; else, they are those of a search from scratch.
        learn_weights: whether the weights of past tasks are learnt; else, they stay as they were.
        informed: whether the surrogates of past tasks learn from each other; else, from their own trials alone.
        questioned: whether past tasks are left aside while they make the scores unlikely; else, they never are.
        store: where surrogates of past tasks are kept; None to fit all of them.
        landmarks: scores of a few candidates on the new task, which describe it too; see `PerformanceLandmarks`.
    """

    default_by = DEFAULT_BY

    def __init__(
        self,
        past: Sequence[PastTask],
        descriptor: Mapping[str, float] | None = None,
        limits: Mapping[str, float] | None = None,
        warm_start: bool = True,
        learn_weights: bool = True,
        informed: bool = True,
        questioned: bool = True,
        store: SurrogateStore | None = None,
        landmarks: Landmarks | None = None,
    ):
        self.past = tuple(past)
        self.descriptor = descriptor
        self.limits = dict(limits or {})
        self.warm_start = warm_start
        self.learn_weights = learn_weights
        self.informed = informed
        self.questioned = questioned
        self.landmarks = dict(landmarks or {})
        self._store = store
        self._scratch = _WithoutScores()
        self._memory: _Memory | None = None
        self._pool: CandidatePool | None = None

    def knows(self, space: JointSpace) -> bool:
        """Whether a past task says anything about a space."""
        return len(self._remembered(space).sources) > 0

    def favourites(self, space: JointSpace) -> list[Trial]:
        """Return the best of past tasks with too few trials for more; see `Sources.favourites`."""
        return self._remembered(space).favourites

    def sources(self, space: JointSpace) -> Sources:
        """Return the surrogates of past tasks that say something about a space."""
        return self._remembered(space).sources

    def prior(self, space: JointSpace) -> SourcePrior:
        """Return what past tasks expect of a space's candidates, after the first."""
        return self._remembered(space).later.prior

    def leaves_aside(self, surrogate: Surrogate, own: Sequence[Trial]) -> bool:
        """Whether the scores of a search's own trials are far likelier without past tasks than with them.

        Args:
            surrogate: a model with past tasks, fitted to these trials.
            own: the trials, one finished or more.
        """
        if not self.questioned or self._memory is None:
            return False
        without = self._memory.without
        without.fit(own)
        likelier = without.log_evidence - surrogate.log_evidence
        return likelier > (DOUBTED if self._memory.doubtful else MISFIT)

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the candidate of the largest promise that is new."""
        memory = self._remembered(now.space)
        memory.costs.fit(now.own)
        if not len(memory.sources):
            return self._scratch.propose_one(now)
        begun, default = len(now.seen), now.space.starting_candidate
        if not self.warm_start and len(now.finished) < self._scratch.first:
            return self._scratch.propose_one(now)
        if begun < DEFAULT_BY and (begun == DEFAULT_BY - 1 or memory.doubtful) and now.is_new(default):
            return Proposal(default, origin="the space's default")
        if begun == 1 and memory.best_on_same_data and now.is_new(memory.best_on_same_data):
            return Proposal(memory.best_on_same_data, origin="the best of earlier trials on the same data")
        if self._pool is None or self._pool.space is not now.space or self._pool.seed != now.seed:
            self._pool = CandidatePool(now.space, now.seed)
        known = {trial.candidate for trial in now.finished}
        pool = [*self._pool.around(now.number, now.finished), *memory.promising]
        pool = [candidate for candidate in dict.fromkeys(pool) if candidate not in known]
        prior, surrogate = memory.first if begun < TRUSTING else memory.later
        promise, weights = prior(pool).mean, prior.weights
        if now.finished:
            surrogate.fit(now.own, now.under_way)
            if self.leaves_aside(surrogate, now.own):
                found = self._scratch.propose_one(now)
                return replace(found, origin=f"{LEFT_ASIDE}: {found.origin}") if found else None
            weights, _ = prior.learnt(surrogate)
            mean, deviation = surrogate.predict(pool)
            sureness = TRUST if begun < TRUSTING else 1.0
            incumbent = surrogate.predict([trial.candidate for trial in now.finished])[0].max()
            promise = log_expected_improvement(mean, sureness * deviation, float(incumbent))
        promise = promise + memory.costs.log_feasible(pool)
        best = (pool[i] for i in np.argsort(-promise, kind="stable"))
        candidate = next(filter(now.is_new, best), None)
        if candidate is None:
            return now.random()
        return Proposal(candidate, origin=memory.praise(weights * prior.predict([candidate])[0]))

    def _remembered(self, space: JointSpace) -> _Memory:
        if self._memory is None or self._memory.sources.space is not space:
            kind = InformedSources if self.informed else Sources
            sources = kind(self.past, space, self.descriptor, self._store, self.landmarks)
            self._scratch.costs = CostTransfer(self.past, space, self.limits)
            self._memory = _Memory(sources, self.learn_weights, self._scratch.costs)
        return self._memory


class _WithoutScores(BayesianOptimization):
    """A search that knows no past scores, but which past trials failed and what they cost."""

    costs: CostTransfer

    def log_feasible(self, candidates: Sequence[Candidate], surrogate: Surrogate) -> np.ndarray:
        """Return what the risk of failing takes off the logarithm of each candidate's promise."""
        return self.costs.log_feasible(candidates)


class _Model(NamedTuple):
    """A model of the new task's scores."""

    prior: SourcePrior
    surrogate: Surrogate


class _Memory:
    """What was computed for one space."""

    def __init__(self, sources: Sources, learns: bool, costs: CostTransfer):
        space = sources.space
        self.costs = costs
        self.sources = sources
        priors = [SourcePrior(predict, sources.shares, learns) for predict in (sources.alone, sources.predict)]
        self.first, self.later = (_Model(prior, Surrogate(space.encoding, prior)) for prior in priors)
        self.without = Surrogate(space.encoding)
        self.favourites = sources.favourites()
        self.promising = sources.promising(PROMISING) if len(sources) else []
        self.doubtful = bool(len(sources)) and float(self.first.prior([space.starting_candidate]).mean[0]) < 0
        self.best_on_same_data = sources.best_on_same_data()

    def praise(self, said: np.ndarray) -> str:
        """Return where a candidate comes from, in words: the past task that says most for it, of what each says."""
        most = int(np.argmax(said))
        if said[most] <= 0:
            return "tried beyond what past tasks promise"
        return f"promised by past tasks, most by {self.sources.used[most].name[:NAMED]}"
