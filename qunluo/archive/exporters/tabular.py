"""CSV by the documented schema: messages, then events, in one UTF-8 file.

Cells that a spreadsheet would run as a formula get an apostrophe in front, which the importer
takes away again. Lists are JSON; an unquoted empty cell is null.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from qunluo.archive.exporters.base import TABLE, Batches, Written, tables, whole_file

FORMULA = r"\A('*[=+\-@\t\r])"
INSTANT_FORM = "%Y-%m-%dT%H:%M:%SZ"


def write(messages: Batches, events: Batches, to: Path) -> Written:
    """Write all rows to the CSV file `to`, streaming."""
    counts = [0, 0]
    with whole_file(to) as file:
        _header(file)
        options = pa.csv.WriteOptions(include_header=False)
        for table, written, happened in tables(messages, events):
            pa.csv.write_csv(as_cells(table), file, options)
            counts = [counts[0] + written, counts[1] + happened]
    return Written(*counts)


def as_cells(table: pa.Table) -> pa.Table:
    """Columns that CSV can hold: text, numbers, true and false."""
    columns = [_cells(table.column(f.name).combine_chunks(), f.type) for f in table.schema]
    return pa.table(columns, names=table.column_names)


def _header(file: BinaryIO) -> None:
    file.write((",".join(TABLE.names) + "\n").encode())


def _cells(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pc.strftime(column, INSTANT_FORM)
    if pa.types.is_string(kind):
        return harmless(column)
    if pa.types.is_list(kind):
        return pa.array([_json(v) for v in column.to_pylist()], pa.string())
    return column


def harmless(column: pa.Array) -> pa.Array:
    """Texts no spreadsheet takes for a formula."""
    return pc.replace_substring_regex(column, FORMULA, r"'\1")


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
