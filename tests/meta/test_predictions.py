"""What surrogates of past tasks predict together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archwise.bench.history import History
from archwise.meta.agreement import rank_correlation
from archwise.meta.past_task import PastTask
from archwise.meta.predictions import Means, Measured
from archwise.meta.sources import Sources
from archwise.strategies.surrogate import MOST, Surrogate, thinned


def test_one_measurement_more_is_what_the_process_itself_would_make_of_it(nasbench201):
    """Of more trials than a surrogate is conditioned on, each other one is taken as if it had been the one more."""
    space = nasbench201.space
    [past, _] = History(700).past_tasks(nasbench201, "cifar10", 0)
    surrogate = Surrogate(space.encoding)
    surrogate.fit(past.trials)
    known = thinned(past.trials, MOST)
    told = {trial.candidate for trial in known}
    place = int(np.argmin([trial.score for trial in known]))
    other = next(trial for trial in past.trials if trial.candidate not in told)
    worst = replace(other, outcome=known[place].outcome)
    trials = [worst if trial is other else trial for trial in past.trials]
    found = Means([surrogate], space, [trials])([other.candidate])[0, 0]

    process = surrogate.process
    seen = surrogate.look([trial.candidate for trial in [*known, other]])
    values = np.append(process.values, process.values[place])
    process.fit(seen.rows, seen.trend, values, process.parameters)
    assert found == pytest.approx(surrogate.predict([other.candidate])[0][0], abs=1e-3)  # the noise and a little


def test_complete_tables_are_known_better_than_a_surrogate_knows_them(nasbench201):
    space, table = nasbench201.space, nasbench201.space.table
    past = History(None).past_tasks(nasbench201, "cifar10", 0)
    sources = Sources(past, space)
    rows = np.random.default_rng(0).permutation(len(table.architectures))[:500].tolist()
    candidates = [space.candidate(row) for row in rows]
    for column, task in enumerate(sources.used):
        truth = table.select[rows, table.task_number(task.name)]
        surrogate = rank_correlation(sources.surrogates[column].predict(candidates)[0], truth)
        assert rank_correlation(sources.predict(candidates)[:, column], truth) > surrogate + 0.01


def test_what_surrogates_were_told_changes_nothing(nasbench201):
    space = nasbench201.space
    past: list[PastTask] = [*History(100).past_tasks(nasbench201, "cifar10", 0)]
    sources = Sources(past, space)
    candidates = [trial.candidate for trial in past[0].trials]
    means = np.zeros((len(candidates), len(past)))
    assert np.array_equal(Measured(sources.surrogates, sources.trials)(candidates, means), means)
