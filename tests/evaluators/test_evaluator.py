"""The evaluator that trains, held to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contracts.evaluator_contract import EvaluatorContract

from archwise.evaluators.evaluator import TrainingEvaluator
from archwise.evaluators.recipe import training_recipe
from archwise.spaces import Architecture, JointSpace
from archwise.spaces.architecture import Candidate
from archwise.spaces.mlp import mlp
from archwise.tasks.load import make_task
from archwise.tasks.task import Task
from archwise.trial import Proposal


class TestTrainingEvaluator(EvaluatorContract):
    """Training in this process, without checkpoints and with."""

    @pytest.fixture
    def task(self, tmp_path: Path) -> Task:
        return make_task("wine", folder=tmp_path / "task")

    @pytest.fixture
    def space(self, task: Task) -> JointSpace:
        return JointSpace(mlp(), training_recipe("table"), task.signature)

    @pytest.fixture(params=[False, True], ids=["no checkpoints", "checkpoints"])
    def evaluator(self, request: pytest.FixtureRequest, space: JointSpace, tmp_path: Path) -> TrainingEvaluator:
        folder = tmp_path / "checkpoints"
        folder.mkdir()
        return TrainingEvaluator(space, "accuracy", epochs=12, checkpoints=folder if request.param else None)

    @pytest.fixture
    def bad(self, space: JointSpace) -> Proposal:
        return Proposal(Candidate(Architecture({"depth": 99}), space.recipe.default))
