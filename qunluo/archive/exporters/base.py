"""What all exporters share: what came out, rows in the shape of the schema, files put in place
only when whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from qunluo.archive.schema import EVENTS, MESSAGES

Batches = Iterable[pa.RecordBatch]
EVENT = "event"  # of a table with both kinds of rows: the kind of event, null for messages

TABLE = pa.schema(
    [
        *[f.with_nullable(True) for f in MESSAGES],
        pa.field(EVENT, pa.string()),
        *[EVENTS.field(n) for n in ("event_id", "subject_id", "subject_name")],
        *[EVENTS.field(n) for n in ("actor_id", "inviter_id", "new_name")],
    ]
)
"""Messages and events in one table; an event's `at` stands in `sent_at`."""


@dataclass(frozen=True)
class Written:
    """What was written, and how many rows the format can't carry."""

    messages: int
    events: int
    left_out: int = 0


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, cast where needed, null where absent; others are dropped."""
    columns = [
        batch.column(f.name).cast(f.type)
        if f.name in batch.schema.names
        else pa.nulls(batch.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def table_of_messages(batch: pa.RecordBatch) -> pa.Table:
    """Messages as rows of `TABLE`."""
    return conform(batch, TABLE)


def table_of_events(batch: pa.RecordBatch) -> pa.Table:
    """Events as rows of `TABLE`."""
    table = conform(batch, EVENTS)
    names = {"at": "sent_at", "kind": EVENT}
    renamed = table.rename_columns([names.get(n, n) for n in table.column_names])
    return (
        conform(renamed.combine_chunks().to_batches()[0], TABLE)
        if len(table)
        else TABLE.empty_table()
    )


def tables(messages: Batches, events: Batches) -> Iterator[tuple[pa.Table, int, int]]:
    """All rows as `TABLE`, with how many messages and events each holds."""
    for batch in messages:
        yield table_of_messages(batch), batch.num_rows, 0
    for batch in events:
        yield table_of_events(batch), 0, batch.num_rows


@contextmanager
def whole_file(to: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when all of it was written."""
    part = to.with_name(to.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
