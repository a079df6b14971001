"""Whether two tools found the same figures, row for row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.keys import keys_of

PLATFORM = "sample"
KEYS = {"group_id": "group_key", "sender_id": "sender_key"}

Figures = Mapping[str, pa.Table]


def as_tables(frames: Mapping[str, Any]) -> dict[str, pa.Table]:
    """Frames of `pandas_twelve` in the terms of Qunluo's cubes: keys for ids, days for months."""
    return {name: _as_table(frame) for name, frame in frames.items()}


def _as_table(frame: Any) -> pa.Table:
    columns = {KEYS.get(name, name): _column(name, frame[name]) for name in frame}
    return pa.table(columns)


def _column(name: str, column: Any) -> pa.Array:
    if name in KEYS:
        ids = pa.chunked_array([pa.array(column.astype(str))])
        return keys_of(pa.chunked_array([[PLATFORM] * len(ids)]), ids.cast(pa.string()))
    if str(column.dtype).startswith("period"):
        column = column.dt.to_timestamp()
    if str(column.dtype).startswith("datetime"):
        return pa.array(column).cast(pa.date32())
    if str(column.dtype) in ("category", "str", "object"):
        return pa.array(column.astype(str)).cast(pa.string())
    return pa.array(column).cast(pa.int64())


def read(folder: Path) -> dict[str, pa.Table]:
    """Figures that a contender kept."""
    return {p.stem: pq.read_table(p) for p in sorted(folder.glob("*.parquet"))}


def differences(first: Figures, second: Figures) -> list[str]:
    """What is not the same in both, in words; nothing if all is."""
    found = [f"only one has {name}" for name in sorted(first.keys() ^ second.keys())]
    for name in sorted(first.keys() & second.keys()):
        found += [f"{name}: {d}" for d in _difference(first[name], second[name])]
    return found


def _difference(first: pa.Table, second: pa.Table) -> list[str]:
    if sorted(first.column_names) != sorted(second.column_names):
        return [f"columns {first.column_names} and {second.column_names}"]
    one, other = (_sorted(t, sorted(first.column_names)) for t in (first, second))
    if one.num_rows != other.num_rows:
        return [f"{one.num_rows} and {other.num_rows} rows"]
    wrong = [c for c in one.column_names if one[c].to_pylist() != other[c].to_pylist()]
    return [f"column {c}" for c in wrong]


def _sorted(table: pa.Table, names: list[str]) -> pa.Table:
    return table.select(names).sort_by([(n, "ascending") for n in names])
