"""Surrogates of past tasks that are kept beside an experience."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.contracts import toys
from tests.meta.conftest import like_tasks

from archwise.meta.sources import Sources
from archwise.meta.store import SurrogateStore
from archwise.strategies.gaussian_process import GaussianProcess

CANDIDATES = [toys.layers().sample(seed) for seed in range(20)]


def predicted(store: SurrogateStore | None, **changes: object) -> np.ndarray:
    """Return what past tasks say, in a space that remembers nothing."""
    space = replace(toys.layers(), **changes)
    return Sources(like_tasks(), space, store=store).predict(CANDIDATES)


def test_what_is_kept_is_not_fitted_again_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    choose = GaussianProcess.choose
    monkeypatch.setattr(GaussianProcess, "choose", lambda *given: chosen.append(1) or choose(*given))
    store = SurrogateStore(tmp_path / "surrogates")
    fresh = predicted(None)
    assert len(chosen) == 2
    first, again = predicted(store), predicted(store)
    assert len(chosen) == 4, "fitted once without the store, and once for it"
    assert (first == fresh).all() and (again == fresh).all() and fresh.std() > 0.1
    assert len(list((tmp_path / "surrogates").iterdir())) == 2

    more = [replace(task, trials=task.trials[3:]) for task in like_tasks()]
    Sources(more, toys.layers(), store=store)
    assert len(chosen) == 6, "other trials are fitted anew"
    predicted(store, most_parameters=1e9)
    assert len(chosen) == 8, "another space's rows are others"


def test_spoilt_files_cost_time_alone(tmp_path: Path) -> None:
    store = SurrogateStore(tmp_path)
    fresh = predicted(store)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for spoil in (lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no arrays"):
        for path, content in whole.items():
            path.write_bytes(spoil(content))
        assert (predicted(store) == fresh).all()
    for path in whole:
        np.savez(path, parameters=np.zeros(3), rows=np.zeros((2, 2)), sizes=np.full(2, np.nan))
    assert (predicted(store) == fresh).all()


def test_a_spoilt_byte_is_told_or_harmless(tmp_path: Path) -> None:
    store, space = SurrogateStore(tmp_path), toys.layers()
    Sources(like_tasks()[:1], space, store=store)
    trials = [trial for trial in like_tasks()[0].within(space) if trial.score is not None]
    whole = store.read(space, trials)
    [path] = tmp_path.iterdir()
    content, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    assert whole is not None
    for place in rng.integers(len(content), size=400):
        spoilt = bytearray(content)
        spoilt[place] ^= int(rng.integers(1, 256))
        path.write_bytes(spoilt)
        found = store.read(space, trials)
        refused += found is None
        assert found is None or all(map(np.array_equal, found, whole))
    assert refused > 200


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert (predicted(SurrogateStore(tmp_path / "file")) == predicted(None)).all()


def test_the_oldest_go_first(tmp_path: Path) -> None:
    store = SurrogateStore(tmp_path, most=2)
    predicted(store)
    for age, path in enumerate(sorted(tmp_path.iterdir())):
        os.utime(path, (age, age))
    oldest = sorted(tmp_path.iterdir())[0]
    Sources([replace(like_tasks()[0], trials=like_tasks()[0].trials[3:])], toys.layers(), store=store)
    assert not oldest.exists() and len(list(tmp_path.iterdir())) == 2
