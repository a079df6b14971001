"""The embedded engine: DuckDB in this process, over Parquet files and Arrow tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import duckdb
import pyarrow as pa

from qunluo.archive.engines.base import Files, Input, Inputs, Later, Plan
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
        texts = self._prepared(plans, inputs)
        return {name: self._fetch(sql) for name, sql in texts.items()}

    def write(self, plan: Plan, inputs: Inputs, to: Path) -> int:
        sql = self._narrow(self._prepared([plan], inputs)[plan.name])
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880"
        done = self._connection.execute(f"COPY ({sql}) TO {_quoted(to)} ({options})")
        return int((done.fetchone() or (0,))[0])

    def _prepared(self, plans: Sequence[Plan], inputs: Inputs) -> dict[str, str]:
        """The plans' texts, with every input that one of them reads in its place."""
        schemas = {name: table.schema for name, table in inputs.items()}
        texts = {p.name: sql_of(p, schemas, "duckdb") for p in plans}
        read = [n for n in inputs if any(f'"{n}"' in sql for sql in texts.values())]
        tables = {n: _made(inputs[n]) for n in read}  # may run plans of their own
        for name, table in tables.items():
            self._bind(name, table)
        return texts

    def _fetch(self, sql: str) -> pa.Table:
        """Rows in one order whatever the threads did: reports must not differ by a byte."""
        ordered = f"SELECT * FROM ({self._narrow(sql)}) ORDER BY ALL"
        return self._connection.sql(ordered).to_arrow_table()

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

    def _bind(self, name: str, table: pa.Table | Files) -> None:
        self._connection.execute(f'DROP VIEW IF EXISTS "{name}"')
        if isinstance(table, Files):
            paths = ", ".join(_quoted(p) for p in table.paths)
            columns = ", ".join(f'"{f}"' for f in table.schema.names)
            source = f"SELECT {columns} FROM read_parquet([{paths}])"
            self._connection.execute(f'CREATE TEMP VIEW "{name}" AS {source}')
        else:
            self._connection.register(name, table)


def _made(table: Input) -> pa.Table | Files:
    if isinstance(table, Files) and not table.paths:
        return pa.Table.from_batches([], table.schema)
    return table.table if isinstance(table, Later) else table


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
