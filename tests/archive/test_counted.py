"""Rollups as files: what is promised of their columns is what lies on disk."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from qunluo.archive.counted import COUNTED, Counted
from qunluo.archive.engines.duckdb import DuckDB
from tests.archive.store_builder import Line, add, new_archive


@pytest.mark.parametrize("counted", COUNTED, ids=lambda c: c.name)
def test_a_rollup_has_the_columns_it_declares(tmp_path: Path, counted: Counted) -> None:
    with DuckDB(threads=1) as engine:
        archive = new_archive(tmp_path / "a", engine)
        add(archive, [Line(n, "ann" if n % 3 else "bob", id=str(n)) for n in range(9)])
        (path,) = archive.rollups(archive.manifest(), counted).paths
    stored = pq.read_schema(path)
    assert stored.names == counted.schema.names
    assert stored.types == counted.schema.types
