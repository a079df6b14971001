"""Columns that were asked for lately, held in memory: reading them takes longer than counting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.engines.base import Files
from qunluo.segments.columns import DAYS, Layout, columns_of, kinds_of
from qunluo.segments.rules import Node

MOST_BYTES = 400_000_000  # held in one process; then all are read anew


class Held:
    """Columns of one snapshot's files at a time; another snapshot's take their place."""

    def __init__(self) -> None:
        self._of: Path | None = None
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._days: dict[str, pa.Table] = {}

    def tables(
        self, inputs: Mapping[str, Files], node: Node, layout: Layout
    ) -> dict[str, pa.Table | Files]:
        """What a tree reads of `people` and `days`; the rest stays on disk."""
        people = inputs["people"].paths[0]
        if people != self._of or self._size() > MOST_BYTES:
            self._of, self._columns, self._days = people, {}, {}
        names = columns_of(node, layout)
        missing = [name for name in names if name not in self._columns]
        if missing:
            table = pq.read_table(people, columns=missing)
            self._columns |= {name: table.column(name) for name in missing}
        found: dict[str, pa.Table | Files] = {**inputs}
        schema = pa.schema([layout.schema.field(name) for name in names])
        found["people"] = pa.table([self._columns[name] for name in names], schema=schema)
        found["days"] = self._days_of(inputs["days"].paths[0], kinds_of(node))
        return found

    def _days_of(self, path: Path, kinds: list[str]) -> pa.Table:
        for kind in kinds:
            if kind not in self._days:
                self._days[kind] = pq.read_table(
                    path, filters=[("kind", "=", kind)], schema=DAYS
                )
        return pa.concat_tables([DAYS.empty_table(), *(self._days[kind] for kind in kinds)])

    def _size(self) -> int:
        held = [*self._columns.values(), *self._days.values()]
        return sum(one.nbytes for one in held)
