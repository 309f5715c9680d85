"""A training job: all that a worker must know to train one network, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class TrainingJob:
    """One training of one network, complete in itself and JSON throughout.

    The network travels as source code, so a worker needs neither the space nor pickle.

    Args:
        source: Python text that defines `build_model() -> torch.nn.Module` and needs nothing but itself.
        task: the task's folder.
        objective: name of the metric that decides between weights, see `archwise.evaluators.metrics.METRICS`.
        epochs: the full schedule (fidelity 1), in passes over the training split; a fraction is allowed.
        settings: the recipe's values: "optimizer" ("adamw" or "sgd"), "learning_rate", "weight_decay",
            "batch_size", "warmup" (share of the schedule), "label_smoothing" and "class_weights"
            (classification), "augmentation" ("none", "light", "strong"); a missing one is neutral: adamw,
            1e-3, batches of 64, the others off.
        fidelity: share of the full schedule to do, in (0, 1]; rounded to the schedule's grid.
        seed: decides initial weights, order of the data, augmentation and dropout.
        device: "cpu" or "cuda".
        resume_from: checkpoint of the same candidate and seed at a lower fidelity; where it is missing or
            does not fit, training starts from scratch and ends with the same result.
        inherit_source, inherit_weights: source and weights file of a trained network that this one starts from, as far
            as they fit (see `archwise.evaluators.inheritance`); None to start from scratch.
        checkpoint_to: where to leave the training state for a later continuation.
        weights_to: where to leave the trained weights (a state_dict as safetensors).
        on: "train" validates and keeps the best weights; "train+validation", for the final training, learns
            from both splits, never validates, and keeps the last weights.
        seconds: how long the training may take: a timetable for its steps, of which those that come too late are left
            out, so that it ends in time with the learning rate where it should be; None for all steps.
        time_limit: seconds that the training may take; one whose first steps show that it will take longer fails at
            once. None for no limit.
        threads: threads to compute with on a CPU; None for the worker's share.
        measure_latency: whether to time single-example passes at the end (about 20 ms).

    Example:
        >>> job = TrainingJob("def build_model(): ...", "tasks/iris", "accuracy", epochs=20, seed=1)
        >>> TrainingJob.from_json(job.to_json()) == job
        True
    """

    source: str
    task: str
    objective: str
    epochs: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    fidelity: float = 1.0
    seed: int = 0
    device: str = "cpu"
    resume_from: str | None = None
    inherit_source: str | None = None
    inherit_weights: str | None = None
    checkpoint_to: str | None = None
    weights_to: str | None = None
    on: Literal["train", "train+validation"] = "train"
    seconds: float | None = None
    time_limit: float | None = None
    threads: int | None = None
    measure_latency: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the job as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TrainingJob:
        """Rebuild a job from what `to_json` returned."""
        return cls(**data)
