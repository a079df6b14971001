"""The embedded engine: DuckDB in this process, over Parquet files and Arrow tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from qunluo.archive.engines.base import Derived, Files, Input, Inputs, Later, Plan
from qunluo.archive.engines.compiled import sql_of
from qunluo.kit.scratch import scratch

_TABLE = re.compile(r'(?:FROM|JOIN)\s+"([^"]+)"')
MEMORY = os.environ.get("QUNLUO_ENGINE_MEMORY", "1GB")


class DuckDB:
    """A DuckDB session; larger work than `memory` spills to a temporary folder."""

    def __init__(self, memory: str = MEMORY, threads: int | None = None) -> None:
        self._closing = ExitStack()
        spill = self._closing.enter_context(scratch("spill"))
        config = {
            "memory_limit": memory,
            "temp_directory": str(spill),
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
        self._closing.close()

    def run(self, plans: Sequence[Plan], inputs: Inputs) -> dict[str, pa.Table]:
        with self._bound(plans, inputs) as texts:
            return {name: self._fetch(sql) for name, sql in texts.items()}

    def write(self, plan: Plan, inputs: Inputs, to: Path) -> int:
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880"
        with self._bound([plan], inputs) as texts:
            copy = f"COPY ({texts[plan.name]}) TO {_quoted(to)} ({options})"
            done = self._connection.execute(copy)
            return int((done.fetchone() or (0,))[0])

    @contextmanager
    def _bound(self, plans: Sequence[Plan], inputs: Inputs) -> Iterator[dict[str, str]]:
        """The plans' texts, while every table that they read is in its place."""
        schemas = {name: table.schema for name, table in inputs.items()}
        texts = {p.name: sql_of(p, schemas, "duckdb") for p in plans}
        sources = _sources(texts.values(), inputs, schemas)
        made = {n: sql or _made(inputs[n]) for n, sql in sources.items()}
        try:
            for name, table in made.items():  # what is derived after what it is derived from
                self._bind(name, table)
            yield texts
        finally:
            for name, sql in sources.items():
                kind = "TABLE" if sql else "VIEW"
                self._connection.execute(f'DROP {kind} IF EXISTS "{name}"')

    def _fetch(self, sql: str) -> pa.Table:
        """Rows in one order whatever the threads did: reports must not differ by a byte."""
        ordered = f"SELECT * FROM ({sql}) ORDER BY ALL"
        return self._connection.sql(ordered).to_arrow_table()

    def _bind(self, name: str, table: pa.Table | Files | str) -> None:
        """Puts a table in its place; text is a query whose rows it shall have."""
        if isinstance(table, str):
            self._connection.execute(f'CREATE TEMP TABLE "{name}" AS {table}')
        elif isinstance(table, Files):
            paths = ", ".join(_quoted(p) for p in table.paths)
            columns = ", ".join(f'"{f}"' for f in table.schema.names)
            source = f"SELECT {columns} FROM read_parquet([{paths}])"
            self._connection.execute(f'CREATE TEMP VIEW "{name}" AS {source}')
        else:
            self._connection.register(name, table)


def _sources(
    texts: Iterable[str], inputs: Inputs, schemas: Mapping[str, pa.Schema]
) -> dict[str, str]:
    """Inputs that queries read, each after those it is derived from, with its own query."""
    named = {name for text in texts for name in _TABLE.findall(text)}
    found: dict[str, str] = {}
    for name in sorted(named & inputs.keys()):
        table = inputs[name]
        own = sql_of(table.plan, schemas, "duckdb") if isinstance(table, Derived) else ""
        rest = {n: t for n, t in inputs.items() if n != name}
        of = _sources([own], rest, schemas)
        found |= {n: sql for n, sql in (of | {name: own}).items() if n not in found}
    return found


def _made(table: Input) -> pa.Table | Files:
    if isinstance(table, Files):
        return table if table.paths else pa.Table.from_batches([], table.schema)
    return table.table if isinstance(table, Later) else table


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
