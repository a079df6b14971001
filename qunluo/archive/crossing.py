"""What lies in two segments: the neighbour across a cut, the reply over it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.counted import CROSSING, found_replies_plan
from qunluo.archive.engines.base import Engine, Files


def crossing_rows(
    engine: Engine, *, edges: Files, unresolved: Files, messages: Files
) -> pa.Table:
    """Rows of `CROSSING`: every pair that no single segment holds."""
    return pa.concat_tables(
        [_neighbours(edges), _replies(engine, unresolved, messages)]
    ).sort_by([(n, "ascending") for n in CROSSING.names])


def _neighbours(edges: Files) -> pa.Table:
    """Of each group, the first message of a segment with the last of the one before."""
    rows: list[dict[str, Any]] = []
    last: dict[int, tuple[Any, int]] = {}
    for path in edges.paths:
        for edge in pq.read_table(path).to_pylist():
            if before := last.get(edge["group_key"]):
                rows.append(_neighbour(edge, *before))
            last[edge["group_key"]] = (edge["last_at"], edge["last_key"])
    return pa.Table.from_pylist(rows, CROSSING)


def _neighbour(edge: dict[str, Any], before_at: Any, before_key: int) -> dict[str, Any]:
    gap = int(edge["first_at"].timestamp()) - int(before_at.timestamp())
    return {
        "group_key": edge["group_key"],
        "sender_key": edge["first_key"],
        "other_key": before_key,
        "month": edge["first_local"].date().replace(day=1),
        "tie": "next",
        "gap_s": gap,
    }


def _replies(engine: Engine, unresolved: Files, messages: Files) -> pa.Table:
    if not sum(pq.read_metadata(p).num_rows for p in unresolved.paths):
        return CROSSING.empty_table()
    plan = found_replies_plan()
    return engine.run([plan], {"open": unresolved, "messages": messages})[plan.name].cast(
        CROSSING
    )
