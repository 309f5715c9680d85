"""What a search was asked to do, as a value that a run folder keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SearchSettings:
    """The settings of a search.

    Args:
        minutes: wall-clock budget for everything, final training and report included; None for no limit on time.
        trials: how many trials the strategy may propose; None for no limit.
        strategy: name of a ready-made strategy, or of the class of one's own.
        space: name of the space of networks.
        objective: the metric that decides.
        seed: everything random derives from it.
        workers: worker processes.
        device: "cpu" or "cuda".
        epochs: passes over the training split of a full training (fidelity 1); None until it was decided.
        most_parameters: parameters above which networks are left out; None for no limit.
        most_flops: FLOPs for one example above which networks are left out, as they were given or, if that is less,
            as the time holds their training; None for no limit.
        fix: path, name or pattern of choices -> the options that stay open.
        exclude: path, name or pattern of choices -> options that are left out.
        memory_limit: resident bytes a worker may hold; None for no limit.
        trial_seconds: seconds a trial may take; None for no limit.
        minimise: names of the costs that are to be small, beside the objective.
    """

    minutes: float | None
    trials: int | None
    strategy: str
    space: str
    objective: str
    seed: int
    workers: int
    device: str = "cpu"
    epochs: float | None = None
    most_parameters: float | None = None
    most_flops: float | None = None
    fix: Mapping[str, Any] = field(default_factory=dict)
    exclude: Mapping[str, Any] = field(default_factory=dict)
    memory_limit: int | None = None
    trial_seconds: float | None = None
    minimise: Sequence[str] = ()

    @property
    def budget(self) -> dict[str, Any]:
        """What limits the search."""
        return {k: v for k, v in {"minutes": self.minutes, "trials": self.trials}.items() if v is not None}

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SearchSettings:
        """Rebuild settings from what `to_json` returned."""
        return cls(**data)
