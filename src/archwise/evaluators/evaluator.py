"""The border between evaluators and everything else, and the evaluator that trains."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from archwise.errors import SpaceError
from archwise.evaluators.job import TrainingJob
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.tasks.task import Task
from archwise.trial import Outcome, Proposal

TaskT = TypeVar("TaskT", contravariant=True)
"""What an evaluator takes for a task: `Task` where it trains, `TableTask` where it looks up a published table."""


class Evaluator(Protocol[TaskT]):
    """Says how good a candidate is on a task at a fidelity: by training, from a table, or by any other means.

    The contract, checked by the shared test-suite: the same proposal, task and seed give the same outcome (seconds
    aside); what is kept for the final test is never read; a failure is an outcome with a reason, never an exception;
    a lower fidelity is less of the training.
    """

    def evaluate(self, proposal: Proposal, task: TaskT, seed: int) -> Outcome:
        """Return what came of evaluating a proposal.

        Args:
            proposal: candidate and fidelity.
            task: what is learned.
            seed: decides everything random.
        """
        ...


class Start(NamedTuple):
    """A trained network that a training starts from.

    Args:
        candidate: its architecture and recipe.
        weights: its weights, as a safetensors file.
    """

    candidate: Candidate
    weights: Path


@dataclass(frozen=True)
class TrainingEvaluator:
    """Trains candidates; the same training can be carried out here, or by a worker from `job`.

    Args:
        space: the candidates.
        objective: name of the metric that scores come from.
        epochs: passes over the training split of a full training (fidelity 1).
        device: "cpu" or "cuda".
        checkpoints: folder where unfinished trainings leave their state, so that a higher fidelity continues them;
            None leaves none. Losing a state costs time and changes nothing.
    """

    space: JointSpace
    objective: str
    epochs: float
    device: str = "cpu"
    checkpoints: Path | None = None

    def evaluate(self, proposal: Proposal, task: Task, seed: int) -> Outcome:
        """Train the candidate in this process; see `Evaluator.evaluate`.

        What is to inherit another trial's weights fails: `job` takes these, and they are not known here.
        """
        from archwise.evaluators.training import train

        if proposal.inherits is not None:
            return Outcome("failed", reason=f"the weights of trial {proposal.inherits} are not here to start from")
        try:
            return train(self.job(proposal, task, seed))
        except SpaceError as error:
            return Outcome("failed", reason=f"cannot be built: {error}")

    def job(self, proposal: Proposal, task: Task, seed: int, start: Start | None = None) -> TrainingJob:
        """Return the training as plain data for a worker.

        Args:
            proposal, task, seed: as for `evaluate`.
            start: the network whose weights the proposal inherits.

        Raises:
            SpaceError: the candidate cannot be built for the task.
        """
        state = self.checkpoint(proposal.candidate, seed)
        return TrainingJob(
            source=self.space.network.source(proposal.candidate.architecture, task.signature),
            task=str(task.folder.absolute()),
            objective=self.objective,
            epochs=self.epochs,
            settings=self.space.recipe.values(proposal.candidate.recipe),
            fidelity=proposal.fidelity,
            seed=seed,
            device=self.device,
            resume_from=None if state is None or not state.exists() else str(state),
            checkpoint_to=None if state is None or proposal.fidelity == 1 else str(state),
            inherit_source=None
            if start is None
            else self.space.network.source(start.candidate.architecture, task.signature),
            inherit_weights=None if start is None else str(start.weights.absolute()),
        )

    def checkpoint(self, candidate: Candidate, seed: int) -> Path | None:
        """Return the file in which an unfinished training of a candidate leaves its state."""
        if self.checkpoints is None:
            return None
        record = json.dumps([candidate.architecture.to_json(), candidate.recipe.to_json(), seed], sort_keys=True)
        name = hashlib.sha256(record.encode()).hexdigest()[:24]
        return self.checkpoints.absolute() / f"{name}.safetensors"
