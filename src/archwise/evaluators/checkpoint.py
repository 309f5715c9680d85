"""Where a training stands, and its way to a file and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from archwise.evaluators.job import TrainingJob
from archwise.evaluators.schedule import Schedule
from archwise.files import write_atomic
from archwise.trial import CurvePoint

FORMAT = 2


@dataclass
class Progress:
    """Where a training stands after an interval of its schedule, beside the states of model and optimiser.

    Args:
        interval: how many intervals are done.
        steps: how many steps were done.
        curve: one point for each.
        best: the interval after which the score was best (of equal ones the last).
        improved: the interval after which the score was last better than ever before.
        best_weights: the model's state after interval `best`.
        best_outputs: raw outputs on the validation split after interval `best`.
        memory_bytes: what a training step takes; 0 until the first was done.
        inherited: share of the weights that came from a parent; None where there was none.
    """

    interval: int = 0
    steps: int = 0
    curve: list[CurvePoint] = field(default_factory=list)
    best: int = 0
    improved: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    best_outputs: Tensor = field(default_factory=lambda: torch.empty(0))
    memory_bytes: int = 0
    inherited: float | None = None

    @property
    def seconds(self) -> float:
        """Training time so far."""
        return self.curve[-1].seconds if self.curve else 0.0

    def costs(self, schedule: Schedule) -> dict[str, float]:
        """Return what was spent so far, by the names of an outcome's costs."""
        costs = {
            "train_seconds": self.seconds,
            "steps": self.steps,
            "best_fidelity": schedule.share(self.best),
            "memory_bytes": self.memory_bytes,
        }
        return costs if self.inherited is None else costs | {"inherited": self.inherited}


def training_key(job: TrainingJob, task_fingerprint: str) -> str:
    """Return a hash of all that decides how a training runs, and nothing that decides only how far."""
    facts = {
        "format": FORMAT,
        "source": job.source,
        "settings": dict(job.settings),
        "task": task_fingerprint,
        "objective": job.objective,
        "epochs": job.epochs,
        "seed": job.seed,
        "device": job.device,
        "on": job.on,
    }
    if job.inherit_weights is not None:
        facts["inherits"] = [job.inherit_source, Path(job.inherit_weights).name]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies on the CPU that share no memory, as safetensors wants them."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def save_weights(path: str | Path, weights: Mapping[str, Tensor]) -> None:
    """Write a state_dict as a safetensors file.

    Raises:
        OSError: the file cannot be written.
    """
    write_atomic(path, safetensors.torch.save(plain(weights)))


def save_checkpoint(
    path: str | Path,
    key: str,
    progress: Progress,
    model: Mapping[str, Tensor],
    optimizer: Mapping[str, Tensor],
) -> None:
    """Write the whole state of a training as one safetensors file whose header holds the rest as JSON.

    Args:
        path: the file; its folder must exist.
        key: what `training_key` returned.
        progress: where the training stands.
        model: the model's state_dict.
        optimizer: the optimiser's state.

    Raises:
        OSError: the file cannot be written.
    """
    parts = {"model": model, "optimizer": optimizer, "best": progress.best_weights}
    tensors = {f"{part}/{name}": tensor for part, group in parts.items() for name, tensor in group.items()}
    header = {
        "key": key,
        "interval": progress.interval,
        "steps": progress.steps,
        "curve": progress.curve,
        "best": progress.best,
        "improved": progress.improved,
        "memory_bytes": progress.memory_bytes,
        "inherited": progress.inherited,
    }
    content = safetensors.torch.save(
        plain(tensors | {"best_outputs": progress.best_outputs}), {"archwise": json.dumps(header)}
    )
    write_atomic(path, content)


def load_checkpoint(
    path: str | Path, key: str, latest: int
) -> tuple[Progress, dict[str, Tensor], dict[str, Tensor]] | None:
    """Read what `save_checkpoint` wrote, or return None where that is no use for this training.

    A missing, damaged or foreign file, or one that went further than asked, is no error: the training starts
    from scratch instead, which costs time and changes nothing else.

    Args:
        path: the file.
        key: what `training_key` returned for the training that wants to go on.
        latest: the last interval that it will do.

    Returns:
        (progress, the model's state_dict, the optimiser's state)
    """
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            header: dict[str, Any] = json.loads(file.metadata()["archwise"])
            if header["key"] != key or header["interval"] > latest:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "best": {}}
        best_outputs = tensors.pop("best_outputs")
        for name, tensor in tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = tensor
        progress = Progress(
            interval=header["interval"],
            steps=header["steps"],
            curve=[CurvePoint(*point) for point in header["curve"]],
            best=header["best"],
            improved=header["improved"],
            best_weights=parts["best"],
            best_outputs=best_outputs,
            memory_bytes=header["memory_bytes"],
            inherited=header.get("inherited"),
        )
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError):
        return None
    return progress, parts["model"], parts["optimizer"]
