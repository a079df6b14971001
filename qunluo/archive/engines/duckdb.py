"""The embedded engine: DuckDB in this process, over Parquet files and Arrow tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from qunluo.archive.engines.base import Files, Input, Inputs, Plan
from qunluo.archive.engines.compiled import sql_of

MEMORY = os.environ.get("QUNLUO_ENGINE_MEMORY", "1GB")


class DuckDB:
    """A DuckDB session; larger work than `memory` spills to a temporary folder."""

    def __init__(self, memory: str = MEMORY, threads: int | None = None) -> None:
        self._spill = TemporaryDirectory(prefix="qunluo-spill-")
        config = {
            "memory_limit": memory,
            "temp_directory": self._spill.name,
            "threads": threads or os.cpu_count() or 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._connection = duckdb.connect(":memory:", config=config)

    def __enter__(self) -> DuckDB:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._spill.cleanup()

    def run(self, plans: Sequence[Plan], inputs: Inputs) -> dict[str, pa.Table]:
        self._bind(inputs)
        schemas = _schemas(inputs)
        return {p.name: _ordered(self._fetch(sql_of(p, schemas, "duckdb"))) for p in plans}

    def write(self, plan: Plan, inputs: Inputs, to: Path) -> int:
        self._bind(inputs)
        sql = sql_of(plan, _schemas(inputs), "duckdb")
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880"
        done = self._connection.execute(
            f"COPY ({self._narrow(sql)}) TO {_quoted(to)} ({options})"
        )
        return int((done.fetchone() or (0,))[0])

    def _fetch(self, sql: str) -> pa.Table:
        return self._connection.sql(self._narrow(sql)).to_arrow_table()

    def _narrow(self, sql: str) -> str:
        """The query with sums of integers as 64-bit integers: DuckDB widens them to 128."""
        rows = self._connection.sql(sql)
        wide = [str(kind) == "HUGEINT" for kind in rows.types]
        if not any(wide):
            return sql
        columns = ", ".join(
            f'CAST("{name}" AS BIGINT) AS "{name}"' if is_wide else f'"{name}"'
            for name, is_wide in zip(rows.columns, wide, strict=True)
        )
        return f"SELECT {columns} FROM ({sql})"

    def _bind(self, inputs: Inputs) -> None:
        for name, table in inputs.items():
            self._bind_one(name, table)

    def _bind_one(self, name: str, table: Input) -> None:
        self._connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        if isinstance(table, Files) and table.paths:
            paths = ", ".join(_quoted(p) for p in table.paths)
            columns = ", ".join(f'"{f}"' for f in table.schema.names)
            source = f"SELECT {columns} FROM read_parquet([{paths}])"
            self._connection.execute(f'CREATE TEMP VIEW "{name}" AS {source}')
        else:
            rows = table.schema.empty_table() if isinstance(table, Files) else table
            self._connection.register(name, rows)


def _schemas(inputs: Inputs) -> Mapping[str, pa.Schema]:
    return {name: table.schema for name, table in inputs.items()}


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _ordered(rows: pa.Table) -> pa.Table:
    """Rows in one order whatever the threads did: reports must not differ by a byte."""
    keys: list[Any] = [
        (f.name, "ascending") for f in rows.schema if not pa.types.is_nested(f.type)
    ]
    return rows.sort_by(keys) if keys and rows.num_rows > 1 else rows.combine_chunks()
