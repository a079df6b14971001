"""Parquet by the documented schema: messages, then events, typed, compressed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from qunluo.archive.exporters.base import TABLE, Batches, Written, tables, whole_file


def write(messages: Batches, events: Batches, to: Path) -> Written:
    """Write all rows to the Parquet file `to`, one row group a batch."""
    counts = [0, 0]
    with whole_file(to) as file, pq.ParquetWriter(file, TABLE, compression="zstd") as writer:
        for table, written, happened in tables(messages, events):
            writer.write_table(table)
            counts = [counts[0] + written, counts[1] + happened]
    return Written(*counts)
