"""Surrogates of past tasks that learn from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archwise.meta.past_task import PastTask
from archwise.meta.predictions import Measured, Predictions
from archwise.meta.similarity import similarity
from archwise.meta.source_prior import Predict, SourcePrior
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.strategies.stacked import StackedMeans
from archwise.strategies.surrogate import LEVEL, Surrogate
from archwise.trial import Trial


class InformedSources(Sources):
    """Surrogates of past tasks, each fitted to its own trials with what all others predict as its prior.

    So past tasks that agree fill each other's gaps, as they do those of a new task. What others say of a past task
    comes from surrogates that have not seen it. Trials of other spaces are heard, and stay as they are.

    Arguments are those of `Sources`; what they learn from each other is not kept in the store.
    """

    def exchanged(self) -> Predictions:
        """Return what the past tasks predict once they know of each other."""
        own = [i for i, surrogate in enumerate(self.surrogates) if surrogate.encoding is self.space.encoding]
        if len(self) < 2 or not own:
            return self.alone
        informed = _Informed(self.used, [self.trials[i] for i in own], own, self.alone, self.space)
        return Predictions(informed, self.references, self.reliability)


class _Informed:
    """The means of surrogates that know what others predict; those of other spaces' trials stay as they are.

    Args:
        tasks: past tasks.
        trials: the finished ones of those that have trials of the space.
        own: which these are.
        alone: what surrogates predict that know the trials of one task each.
        space: the candidates.
    """

    def __init__(
        self,
        tasks: Sequence[PastTask],
        trials: Sequence[Sequence[Trial]],
        own: Sequence[int],
        alone: Predict,
        space: JointSpace,
    ):
        self._alone = alone
        self._own = list(own)
        self._priors = [SourcePrior(alone, _shares(tasks, i)) for i in own]
        self._look = Surrogate(space.encoding).look
        surrogates = [Surrogate(space.encoding, prior) for prior in self._priors]
        for surrogate, finished in zip(surrogates, trials, strict=True):
            surrogate.fit(finished)
        self._beside = StackedMeans([surrogate.process for surrogate in surrogates])
        self._measured = Measured(surrogates, trials)

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        seen, alone = self._look(candidates), self._alone(candidates)
        # A past task's own column is nothing to its own model, whose coefficient for it is therefore 0.
        trend = np.column_stack([seen.trend, LEVEL * np.ones(len(alone)), self._priors[0].deviation * alone])
        means = alone.copy()
        weights = np.stack([prior.weights for prior in self._priors], axis=1)
        means[:, self._own] = self._measured(candidates, alone @ weights + self._beside(seen.rows, trend))
        return means


def _shares(tasks: Sequence[PastTask], but: int) -> np.ndarray:
    """Return how much each past task counts for one of them, itself nothing."""
    others = [task.descriptor for i, task in enumerate(tasks) if i != but]
    return np.insert(similarity(tasks[but].descriptor, others), but, 0.0)
