"""Rank correlation of predicted and measured latency on devices that were never seen, NAS-Bench-201.

Past devices are those of HELP (Lee et al. 2021), with some hundred random architectures each; all architectures of the
table but those measured are queries. Run it with OMP_NUM_THREADS=1:

    python benchmarks/latency.py shared/data/nas [--seeds 20] [--known 900] [--left-out]

With --left-out, each past device is the new one and the others (but its near twins) are past: what was tuned on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from archwise.bench.tables import find_table
from archwise.evaluators.table_space import table_space
from archwise.meta.agreement import rank_correlation
from archwise.meta.latency import DeviceTable, LatencyTransfer
from archwise.spaces import encoding

encoding.REMEMBERED = 16_000  # all of the table: else each seed would encode it anew

TWINS = (("1080ti_1", "1080ti_32", "1080ti_256"), ("silver_4114", "silver_4210r"))
PAST = (*TWINS[0], *TWINS[1], "samsung_a50", "pixel3", "essential_ph_1", "samsung_s7")
NEW = ("titan_rtx_256", "gold_6226", "fpga", "pixel2", "raspi4", "eyeriss")
COUNTS = (5, 10, 20)
CHUNK = 4_000
"""Queries at a time: as many as the space remembers the encodings of."""


class Measured:
    """The table: each architecture's latency on each device."""

    def __init__(self, folder: Path):
        self.space = table_space(find_table(str(folder / "nasbench201.npz")))
        with np.load(folder / "nasbench201_latency.npz", allow_pickle=False) as data:
            self.latency = dict(zip(map(str, data["devices"]), data["latency_ms"].T.astype(float), strict=True))
        self.architectures = [self.space.candidate(row).architecture for row in range(len(self.space.table.select))]
        self.row = {architecture: row for row, architecture in enumerate(self.architectures)}

    def transfer(self, past: tuple[str, ...], known: int, seed: int) -> LatencyTransfer:
        """Return what learnt from past devices, each with its own random architectures."""
        tables = []
        for name in past:
            rows = np.random.default_rng([seed, PAST.index(name)]).choice(len(self.row), known, replace=False)
            tables.append(DeviceTable(name, [self.architectures[row] for row in rows], self.latency[name][rows]))
        return LatencyTransfer(tables, self.space)


def correlations(measured: Measured, transfer: LatencyTransfer, devices: tuple[str, ...], seed: int) -> np.ndarray:
    """Return rank correlations: (ways of measuring, devices)."""
    drawn = np.random.default_rng([seed, 99]).choice(len(measured.row), max(COUNTS), replace=False)
    chosen = [measured.row[architecture] for architecture in transfer.to_measure(max(COUNTS), seed)]
    ways = [[], *(rows[:count] for count in COUNTS for rows in (list(drawn), chosen))]
    predicted = np.zeros((len(ways), len(devices), len(measured.row)))
    for begin in range(0, len(measured.row), CHUNK):
        queries = measured.architectures[begin : begin + CHUNK]
        for way, rows in enumerate(ways):
            for place, device in enumerate(devices):
                transfer.fit({measured.architectures[row]: measured.latency[device][row] for row in rows})
                predicted[way, place, begin : begin + CHUNK] = transfer.predict(queries).milliseconds
    found = np.zeros((len(ways), len(devices)))
    for way, rows in enumerate(ways):
        others = np.setdiff1d(np.arange(len(measured.row)), rows)
        for place, device in enumerate(devices):
            found[way, place] = rank_correlation(predicted[way, place, others], measured.latency[device][others])
    return found


def main() -> None:
    """Print a row for each way of measuring: mean, standard deviation over seeds, and each device's mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where nasbench201.npz and nasbench201_latency.npz are")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--known", type=int, default=900, help="architectures known of each past device")
    parser.add_argument("--left-out", action="store_true", help="each past device in turn is the new one")
    asked = parser.parse_args()
    measured = Measured(asked.folder)
    begun = time.perf_counter()
    found = []
    for seed in range(asked.seeds):
        if asked.left_out:
            columns = []
            for device in PAST:
                alike = next((twins for twins in TWINS if device in twins), (device,))
                past = tuple(name for name in PAST if name not in alike)
                columns.append(correlations(measured, measured.transfer(past, asked.known, seed), (device,), seed))
            found.append(np.concatenate(columns, axis=1))
        else:
            found.append(correlations(measured, measured.transfer(PAST, asked.known, seed), NEW, seed))
    devices = PAST if asked.left_out else NEW
    ways = ["none", *(f"{count} {how}" for count in COUNTS for how in ("random", "chosen"))]
    print(f"{asked.seeds} seeds, {asked.known} architectures a past device, {time.perf_counter() - begun:.0f} s\n")
    print("| measured | mean | sd over seeds | worst seed | worst device | " + " | ".join(devices) + " |")
    print("|---" * (5 + len(devices)) + "|")
    every = np.array(found)
    for place, way in enumerate(ways):
        means = every[:, place].mean(axis=1)
        spread = means.std(ddof=1) if len(means) > 1 else 0.0
        numbers = [means.mean(), spread, means.min(), *every[:, place].mean(axis=0)]
        cells = [f"{number:.4f}" if i == 1 else f"{number:.3f}" for i, number in enumerate(numbers)]
        cells.insert(3, devices[int(every[:, place].mean(axis=0).argmin())])
        print(f"| {way} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
