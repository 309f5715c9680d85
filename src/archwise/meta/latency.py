"""How long an architecture takes on a new device: from past devices, and ten measurements or fewer on the new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from archwise.errors import DataError
from archwise.meta.cost_model import CostModel, Costs
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.joint import JointSpace


@dataclass(frozen=True, eq=False)
class DeviceTable:
    """What some architectures took on a device.

    Args:
        name: what the device is called.
        architectures: those that were measured.
        milliseconds: (n,), what each took.

    Raises:
        DataError: there is not one latency above zero for each architecture.
    """

    name: str
    architectures: Sequence[Architecture] = field(repr=False)
    milliseconds: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        _check(f"the device {self.name!r}", len(self.architectures), np.asarray(self.milliseconds, dtype=float))


class PredictedLatency(NamedTuple):
    """What architectures are expected to take."""

    milliseconds: np.ndarray
    """(n,), medians."""
    factor: np.ndarray
    """(n,), two of three measurements lie between the median divided by this and the median times this."""


class LatencyTransfer:
    """Latency on a new device: what past devices say, corrected by a few measurements on the new one.

    See `CostModel` for how. Ten measurements of the architectures that `to_measure` names are enough for most devices.

    Args:
        past: tables of past devices, some hundred architectures each.
        space: the architectures; its recipes play no part.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> network = Space(Chain(dense(Choice("width", [8, 16, 32, 64, 128])), head()))
        >>> space = JointSpace(network, Space(Settings(rate=0.1)))
        >>> every = list(network.enumerate())
        >>> slow = DeviceTable("slow", every, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
        >>> transfer = LatencyTransfer([slow], space)
        >>> transfer.fit({architecture: 0.1 * architecture["width"] for architecture in transfer.to_measure(2)})
        >>> bool(np.all(np.diff(transfer.predict(every).milliseconds) > 0))
        True
    """

    def __init__(self, past: Sequence[DeviceTable], space: JointSpace):
        self.space = space
        tables = [Costs(self._candidates(table.architectures), np.asarray(table.milliseconds)) for table in past]
        self._model = CostModel(tables, space)

    def to_measure(self, count: int = 10, seed: int = 0) -> list[Architecture]:
        """Return the architectures whose measurement on the new device tells most, the most telling first.

        Args:
            count: how many.
            seed: of the random architectures among which they are chosen.
        """
        return list(dict.fromkeys(candidate.architecture for candidate in self._model.to_measure(count, seed)))

    def fit(self, measurements: Mapping[Architecture, float]) -> None:
        """Learn from what architectures took on the new device, in milliseconds; of any, in any number.

        Raises:
            DataError: a latency is not above zero.
        """
        values = np.array(list(measurements.values()), dtype=float)
        _check("the new device", len(measurements), values)
        self._model.fit(Costs(self._candidates(list(measurements)), values))

    def predict(self, architectures: Sequence[Architecture]) -> PredictedLatency:
        """Return what architectures will take on the new device; without a measurement there, only ranks mean much."""
        logs = self._model.predict(self._candidates(architectures))
        return PredictedLatency(np.exp(logs.mean), np.exp(logs.deviation))

    def _candidates(self, architectures: Sequence[Architecture]) -> list[Candidate]:
        return [Candidate(architecture, self.space.recipe.default) for architecture in architectures]


def _check(where: str, count: int, milliseconds: np.ndarray) -> None:
    if milliseconds.shape != (count,):
        raise DataError(f"There are latencies of shape {milliseconds.shape} for {count} architectures on {where}.")
    if not (np.isfinite(milliseconds) & (milliseconds > 0)).all():
        wrong = milliseconds[~(np.isfinite(milliseconds) & (milliseconds > 0))][0]
        raise DataError(f"A latency on {where} is {wrong:g} ms: leave out what could not be measured.")
