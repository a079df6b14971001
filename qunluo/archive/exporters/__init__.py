"""Exporters: one module per format, each with a streaming `write(messages, events, to)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.engines.base import Files
from qunluo.archive.exporters.base import Batches, Written
from qunluo.archive.store import Archive

FORMATS: dict[str, str] = {
    "csv": "tabular",
    "parquet": "parquet",
    "convokit": "convokit",
    "chatlab": "chatlab",
}
"""What a user calls a format → its module."""


def export_archive(archive: Archive, form: str, to: Path) -> Written:
    """Writes all rows of an archive in one of `FORMATS`, streaming."""
    write: Callable[[Batches, Batches, Path], Written]
    write = import_module(f"{__name__}.{FORMATS[form]}").write
    manifest = archive.manifest()
    return write(_rows(archive.messages(manifest)), _rows(archive.events(manifest)), to)


def _rows(files: Files) -> Iterator[pa.RecordBatch]:
    for path in files.paths:
        yield from pq.ParquetFile(path).iter_batches(batch_size=20_000)
