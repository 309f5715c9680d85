"""What a search tells the experience of its task, by which later searches find it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from archwise.experience import Experience, TaskRecord
from archwise.session import joint_space, register
from archwise.settings import SearchSettings
from archwise.tasks.descriptor import describe_task
from archwise.tasks.load import make_task
from archwise.tasks.sketch import SAME, overlap
from archwise.tasks.task import Task


def tell(memory: Experience, task: Task, settings: SearchSettings) -> TaskRecord:
    register(memory, task, joint_space(task, settings, None), settings, task.folder)
    return next(known for known in memory.tasks() if known.fingerprint == task.fingerprint)


def test_descriptor_and_sketch_are_remembered(tmp_path: Path) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:500]
    settings = SearchSettings(
        minutes=None, trials=3, strategy="random", space="mlp", objective="accuracy", seed=0, workers=1, device="cpu"
    )
    task, other = make_task("breast-cancer", folder=tmp_path / "a"), make_task("wine", folder=tmp_path / "b")
    part = make_task((x[order], y[order]), folder=tmp_path / "c", name="patients", seed=5)
    with Experience(tmp_path / "experience.sqlite") as memory:
        # An older version recorded neither.
        facts = task.fingerprint, task.name, task.problem, task.signature, task.objective, task.sizes
        memory.add_task(TaskRecord(*facts))
        first, second, third = (tell(memory, known, settings) for known in (task, part, other))
        assert first.descriptor == describe_task(task) and tuple(first.sketch or ()) == task.sketch
        # The bundled task's classes have names, those of the arrays numbers.
        assert overlap(first.sketch, second.sketch) == 0 and overlap(first.sketch, second.sketch, targets=False) > SAME
        assert overlap(first.sketch, third.sketch, targets=False) == 0
        assert memory.tasks()[0] == first
        memory.add_task(replace(first, descriptor={"other": 1.0}, sketch=[4]))
        assert memory.tasks()[0] == first
