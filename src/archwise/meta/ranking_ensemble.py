"""DRE: networks that rank candidates, trained on the rankings of past tasks, which disagree where they know little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from archwise.errors import ArchwiseError
from archwise.meta.descent import descend, parts
from archwise.meta.learned_model import Model, ModelFromPastTasks
from archwise.meta.meta_trained import MOST, MetaTrained, Observed, lessons, stacked
from archwise.meta.past_task import PastTask
from archwise.meta.sources import Sources
from archwise.spaces.architecture import Candidate
from archwise.strategies.acquisition import log_expected_improvement
from archwise.strategies.strategy import Situation
from archwise.strategies.surrogate import thinned

if TYPE_CHECKING:
    import torch

    Stacked = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

WIDTH = 32
"""Units of each hidden layer."""
LATENT = 16
"""Numbers that stand for the trials at hand."""
FIRST_DEVIATION = 0.5
"""Of the first layers' initial weights."""
LIST = 50
"""Most trials that are ranked in one step of meta-training."""
SHOWN = 20
"""Most trials of the same task that are shown beside them."""
RATE = 3e-3
"""Learning rate of meta-training at first."""
TUNING_RATE = 1e-3
"""That of the training on the new task's trials."""
SHOWN_IN_TUNING = 5
"""One in so many of the new task's trials is shown in each of these steps, and the others are ranked."""
FIRST_LAYERS = 0, 6
"""Places of the weights that meet rows, in the order of `_Networks`."""
PADDING = -1e9
"""Score of what is not in a list."""


class RankingEnsemble(ModelFromPastTasks):
    """Proposes the largest expected improvement of rank under an ensemble of networks that rank candidates (DRE).

    Each network scores candidates by their encoding and by a summary of the trials at hand, which all share: the mean
    over these of what another network makes of each (a deep set). They are trained on lists of trials of past tasks by
    a weighted listwise loss, in which the best places count most, while some other trials of the same task are shown.
    One trial in five is held out, and training stops where these are ranked best. The networks are trained on for a few
    steps on the new task's trials, anew whenever their number has grown by a sixteenth. Mean and standard deviation of
    a candidate's rank in the networks' lists make its expected improvement on the best trial's rank. Failed trials
    count as the worst.

    Source: Khazi et al. 2023, Deep ranking ensembles for hyperparameter optimization; the loss without weights: Xia et
    al. 2008, Listwise approach to learning to rank; the summary: Zaheer et al. 2017, Deep sets. In the first,
    validation tasks say when to stop, and the trials shown are 20.

    Args:
        past: past tasks.
        members: networks of the ensemble.
        steps: of meta-training.
        tuning: steps of training on the new task's trials.

    Raises:
        ArchwiseError: there are fewer than 2 members, no step of meta-training, or fewer than none on the new task.

    Example:
        >>> RankingEnsemble([], members=3).members
        3
    """

    origin = "largest expected improvement of rank"

    def __init__(self, past: Sequence[PastTask], members: int = 10, steps: int = 400, tuning: int = 30):
        if members < 2 or steps < 1 or tuning < 0:
            raise ArchwiseError(
                "A ranking ensemble needs 2 networks, 1 step of meta-training or more, and 0 later: "
                f"not {members}, {steps}, {tuning}."
            )
        super().__init__(past)
        self.members = members
        self.steps = steps
        self.tuning = tuning

    def learn(self, sources: Sources) -> Model | None:
        """Return the ensemble, to be meta-trained; None where no past task has trials of the space."""
        return _Ensemble(sources, self.members, self.steps, self.tuning) if lessons(sources) else None


class _Ensemble(MetaTrained):
    """Networks that were trained on past tasks, and are on the trials of a search.

    Args:
        sources: the past tasks.
        members: how many networks.
        steps: of meta-training.
        tuning: steps on the trials of the search.
    """

    def __init__(self, sources: Sources, members: int, steps: int, tuning: int):
        super().__init__(sources)
        self.steps = steps
        self.tuning = tuning
        self.networks = _Networks(self.tasks[0].rows.shape[1], members)

    def promise(self, now: Situation, pool: Sequence[Candidate]) -> np.ndarray:
        """Return the logarithm of the expected improvement of rank on the best trial."""
        import torch

        parameters = self.tuned(now)
        observed = self.observed(thinned(now.own, MOST))
        best = observed.rows[[int(np.argmax(observed.scores))]]
        shown = _stacked([observed.some(np.arange(len(observed.scores)))])
        rows = torch.from_numpy(np.concatenate([best, self.rows(pool)]))[None].float()
        with torch.no_grad():
            scored = self.networks.scores(parameters, shown, rows)[:, 0].numpy()
        ranks = scored.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        mean, deviation = ranks.mean(axis=0), ranks.std(axis=0) + 1e-3
        return log_expected_improvement(mean[1:], deviation[1:], float(mean[0]))

    def tune(self, parameters: torch.Tensor, observed: Observed) -> torch.Tensor:
        """Return parameters that rank the trials better."""
        rng = np.random.default_rng(len(observed.scores))
        count = len(observed.scores) // SHOWN_IN_TUNING

        def loss(vector: torch.Tensor) -> torch.Tensor:
            places = rng.permutation(len(observed.scores))
            shown, ranked = observed.some(places[:count]), observed.some(_best_first(observed, places[count:]))
            return self.networks.loss(vector, _stacked([shown]), _stacked([ranked]))

        return descend(loss, parameters, self.tuning, TUNING_RATE)

    def meta_train(self) -> torch.Tensor:
        """Return parameters trained on lists of each task's trials, by which the others are ranked best."""
        rng = np.random.default_rng(0)
        kept, held_out = self.split(rng)

        def loss(vector: torch.Tensor) -> torch.Tensor:
            count = int(rng.integers(SHOWN + 1))
            shown, ranked = [], []
            for task, places in zip(self.tasks, kept, strict=True):
                drawn = rng.permutation(places)
                first = min(count, len(drawn) // 2)
                shown.append(task.some(drawn[:first]))
                ranked.append(task.some(_best_first(task, drawn[first : first + LIST])))
            return self.networks.loss(vector, _stacked(shown), _stacked(ranked))

        shown, ranked = (
            _stacked([task.some(choose(task, places)) for task, places in zip(self.tasks, groups, strict=True)])
            for groups, choose in ((kept, lambda _, places: places[:SHOWN]), (held_out, _best_first))
        )
        start = self.networks.start(rng)
        judge = (lambda vector: self.networks.loss(vector, shown, ranked)) if any(map(len, held_out)) else None
        return descend(loss, start, self.steps, RATE, judge)


class _Networks:
    """What the parameters of the ensemble mean.

    They are one vector: weights and biases of the network that looks at a trial, and of the one that sums up; of each
    member's first layer for the row, and for the summary, and of its other layers.

    Args:
        columns: of the rows that are ranked.
        members: how many networks rank.
    """

    def __init__(self, columns: int, members: int):
        looking, summing = [columns + 1, WIDTH, WIDTH, WIDTH], [WIDTH, WIDTH, WIDTH, LATENT]
        shared = [*pairwise(looking), *pairwise(summing)]
        own = [*pairwise([columns, WIDTH, WIDTH, WIDTH, WIDTH, 1]), (LATENT, WIDTH)]
        weights: list[tuple[int, ...]] = [*shared, *((members, *size) for size in own)]
        biases: list[tuple[int, ...]] = [*((b,) for _, b in shared), *((members, 1, 1, b) for _, b in own[:-1])]
        self._count = len(weights)
        self._shapes = [*weights, *biases]

    def start(self, rng: np.random.Generator) -> torch.Tensor:
        """Return initial parameters."""
        import torch

        flat = []
        for i, shape in enumerate(self._shapes[: self._count]):
            deviation = FIRST_DEVIATION if i in FIRST_LAYERS else (2 / shape[-2]) ** 0.5
            flat.append(deviation * rng.standard_normal(prod(shape)))
        flat += [np.zeros(prod(shape)) for shape in self._shapes[self._count :]]
        return torch.from_numpy(np.concatenate(flat)).float()

    def scores(self, parameters: torch.Tensor, shown: Stacked, rows: torch.Tensor) -> torch.Tensor:
        """Return each member's scores of rows: (members, tasks, n).

        Args:
            parameters: the vector.
            shown: the trials that are at hand of each task.
            rows: (tasks, n, columns).
        """
        import torch

        shaped = parts(parameters, self._shapes)
        weights, biases = shaped[: self._count], shaped[self._count :]
        seen = torch.cat([shown[0], shown[1][:, :, None]], dim=2)
        for layer in range(3):
            seen = (seen @ weights[layer] + biases[layer]).relu()
        summary = (seen * shown[2][:, :, None]).sum(dim=1) / shown[2].sum(dim=1, keepdim=True).clamp(min=1)
        for layer in range(3, 6):
            summary = summary @ weights[layer] + biases[layer]
            summary = summary.relu() if layer < 5 else summary
        given = rows @ weights[6][:, None] + (summary @ weights[-1])[:, :, None] + biases[6]
        for layer in range(7, 11):
            given = given.relu() @ weights[layer][:, None] + biases[layer]
        return given[..., 0]

    def loss(self, parameters: torch.Tensor, shown: Stacked, ranked: Stacked) -> torch.Tensor:
        """Return how unlikely the order of lists is, the best places weighing most; a mean over places and members.

        Args:
            parameters: the vector.
            shown: the trials that are at hand of each task.
            ranked: lists of trials of the same tasks, best first.
        """
        import torch

        known = ranked[2]
        given = self.scores(parameters, shown, ranked[0])
        given = torch.where(known > 0, given, PADDING)
        after = given.flip(-1).logcumsumexp(dim=-1).flip(-1)
        weights = known / torch.log(torch.arange(known.shape[1]) + 2.0)
        return ((after - given) * weights).sum() / (weights.sum() * given.shape[0])


def _best_first(observed: Observed, places: np.ndarray) -> np.ndarray:
    """Return places of trials in the order of their scores."""
    ordered: np.ndarray = places[np.argsort(-observed.scores[places], kind="stable")]
    return ordered


def _stacked(tasks: Sequence[Observed]) -> Stacked:
    rows, scores, known = stacked(tasks)
    return rows.float(), scores.float(), known.float()
