"""Latency on a new device from past devices and a few measurements."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.contracts import toys
from tests.meta.conftest import evaluator

from archwise.errors import DataError
from archwise.meta.agreement import rank_correlation
from archwise.meta.latency import DeviceTable, LatencyTransfer
from archwise.spaces.architecture import Architecture

PAST = ("1080ti_1", "1080ti_256", "silver_4114", "samsung_a50", "pixel3")
"""Some of those with which HELP does it, none of them like the new ones."""
QUERIES = 400


class Devices:
    """Measured latencies of NAS-Bench-201's cells."""

    def __init__(self, folder: Path):
        self.space = evaluator(folder / "nasbench201.npz").space
        with np.load(folder / "nasbench201_latency.npz", allow_pickle=False) as data:
            self.latency = dict(zip(map(str, data["devices"]), data["latency_ms"].T.astype(float), strict=True))

    def table(self, device: str, seed: int, count: int = 120) -> DeviceTable:
        rows = np.random.default_rng(seed).choice(len(self.space.table.select), count, replace=False).tolist()
        architectures = [self.space.candidate(row).architecture for row in rows]
        return DeviceTable(device, architectures, self.latency[device][rows])

    def measured(self, device: str, architectures: list[Architecture]) -> dict[Architecture, float]:
        recipe = self.space.recipe.default
        rows = [self.space.row(self.space.default._replace(architecture=a, recipe=recipe)) for a in architectures]
        return dict(zip(architectures, self.latency[device][rows].tolist(), strict=True))

    @cache  # noqa: B019 (one object a session)
    def transfer(self) -> LatencyTransfer:
        return LatencyTransfer([self.table(device, seed) for seed, device in enumerate(PAST)], self.space)


@pytest.fixture(scope="session")
def devices(shared_data: Path) -> Devices:
    return Devices(shared_data / "nas")


def agreement(transfer: LatencyTransfer, latency: Mapping[Architecture, float]) -> float:
    predicted = transfer.predict(list(latency)).milliseconds
    return rank_correlation(predicted, np.array(list(latency.values())))


def queries(devices: Devices, device: str) -> dict[Architecture, float]:
    return devices.measured(device, list(devices.table(device, 99, QUERIES).architectures))


@pytest.mark.parametrize(("device", "least", "gain"), [("eyeriss", 0.93, 0.15), ("gold_6226", 0.95, 0.0)])
def test_ten_measurements_rank_all_others(devices, device, least, gain):
    transfer, other = devices.transfer(), queries(devices, device)
    transfer.fit({})
    before = agreement(transfer, other)
    transfer.fit(devices.measured(device, transfer.to_measure(10)))
    assert agreement(transfer, other) > max(least, before + gain)


def test_the_level_and_its_doubt_are_those_of_the_device(devices):
    transfer, other = devices.transfer(), queries(devices, "raspi4")
    transfer.fit(devices.measured("raspi4", transfer.to_measure(10)))
    found = transfer.predict(list(other))
    off = np.abs(np.log(np.array(list(other.values())) / found.milliseconds))
    assert np.median(off) < 0.3
    assert 0.45 < np.mean(off < np.log(found.factor)) < 0.98


def test_past_devices_are_worth_many_measurements(devices):
    other = queries(devices, "gold_6226")
    alone = LatencyTransfer([], devices.space)
    alone.fit(devices.measured("gold_6226", alone.to_measure(5)))
    transfer = devices.transfer()
    transfer.fit({})
    assert agreement(transfer, other) > agreement(alone, other)


def test_what_is_to_be_measured_tells_more_than_the_first_best(devices):
    transfer, other, device = devices.transfer(), queries(devices, "eyeriss"), "eyeriss"
    chosen, drawn = [], []
    for seed in range(3):
        transfer.fit(devices.measured(device, transfer.to_measure(6, seed)))
        chosen.append(agreement(transfer, other))
        transfer.fit(devices.measured(device, list(devices.table(device, seed, 6).architectures)))
        drawn.append(agreement(transfer, other))
    assert np.mean(chosen) > np.mean(drawn) + 0.01


def test_one_wrong_measurement_does_no_harm(devices):
    transfer, other = devices.transfer(), queries(devices, "gold_6226")
    measured = devices.measured("gold_6226", transfer.to_measure(10))
    for architecture in list(measured)[:8:3]:
        transfer.fit({**measured, architecture: 30 * measured[architecture]})
        assert agreement(transfer, other) > 0.9


def test_what_is_to_be_measured_can_be(devices):
    transfer = LatencyTransfer([], toys.pools())
    chosen = transfer.to_measure(6)
    assert len(set(chosen)) == len(chosen) == 6
    assert all(toys.pools().allows(toys.pools().default._replace(architecture=a)) for a in chosen)
    assert transfer.to_measure(6) == chosen != transfer.to_measure(6, seed=1)
    space = devices.space
    assert all(space.network.check(a, space.signature) is None for a in devices.transfer().to_measure(20))


def test_it_is_not_for_cells_alone():
    space = toys.layers()
    rng = np.random.default_rng(0)
    drawn = [space.network.sample(rng) for _ in range(160)]

    def seconds(architecture: Architecture, activations: float) -> float:
        widths = [float(label) for path, label in architecture.items() if path.endswith("width")]
        slow = sum(label == "tanh" for label in architecture.values())
        return 1.0 + sum(a * b for a, b in pairwise(widths)) / 500 + activations * slow

    past = [DeviceTable(str(cost), drawn[:60], np.array([seconds(a, cost) for a in drawn[:60]])) for cost in (0, 1)]
    transfer = LatencyTransfer(past, space)
    other = {architecture: seconds(architecture, 8.0) for architecture in drawn[60:]}
    transfer.fit({})
    before = agreement(transfer, other)
    transfer.fit({architecture: seconds(architecture, 8.0) for architecture in transfer.to_measure(10)})
    assert agreement(transfer, other) > max(0.85, before + 0.1)


def test_what_is_no_latency_is_refused():
    architecture = toys.layers().network.default
    with pytest.raises(DataError, match="'phone' is -1 ms"):
        DeviceTable("phone", [architecture], np.array([-1.0]))
    with pytest.raises(DataError, match="for 1 architectures on the device 'phone'"):
        DeviceTable("phone", [architecture], np.array([1.0, 2.0]))
    with pytest.raises(DataError, match="the new device is nan ms"):
        LatencyTransfer([], toys.layers()).fit({architecture: float("nan")})
