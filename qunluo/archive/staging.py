"""Staging: rows on their way from importers into segments, kept by local month.

Small imports stay in memory; what is more than `SPILL_BYTES` goes to temporary Parquet files,
so that memory does not grow with the export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.keys import keys_of, local_micros, month_numbers
from qunluo.archive.settled import STAGED_EVENTS, STAGED_MESSAGES

SPILL_BYTES = 192 << 20
_ID_OF_KEY = {
    "group_key": "group_id",
    "sender_key": "sender_id",
    "reply_sender_key": "reply_sender_id",
    "subject_key": "subject_id",
    "actor_key": "actor_id",
    "inviter_key": "inviter_id",
}


def staged(rows: pa.Table, *, to: pa.Schema, instant: str, source_no: int, first_pos: int,
           zone: ZoneInfo | timezone) -> pa.Table:  # fmt: skip
    """Importer rows with keys, local time and their place in the source."""
    instants = rows[instant].cast(pa.int64()).to_numpy()
    local = local_micros(instants, zone)
    made: dict[str, Any] = {
        "local_at": pa.array(local, pa.timestamp("us")),
        "source_no": pa.array(np.full(len(local), source_no, np.int32)),
        "pos": pa.array(np.arange(first_pos, first_pos + len(local), dtype=np.int64)),
    }
    columns = [made[f.name] if f.name in made else _column(rows, f) for f in to]
    return pa.Table.from_arrays(columns, schema=to)


def _column(rows: pa.Table, field_: pa.Field) -> Any:
    if field_.name in _ID_OF_KEY:
        return keys_of(rows["platform"], rows[_ID_OF_KEY[field_.name]])
    column = rows[field_.name]
    return (
        column.cast(pa.int64()).cast(field_.type)
        if pa.types.is_timestamp(field_.type)
        else column
    )


@dataclass
class Shelf:
    """The staged rows of one kind, by month."""

    schema: pa.Schema
    folder: Path
    kind: str
    in_memory: dict[int, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    on_disk: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    held_bytes: int = 0

    def put(self, rows: pa.Table) -> None:
        """Adds rows, each under its local month."""
        if not rows.num_rows:
            return
        months = month_numbers(rows["local_at"].cast(pa.int64()).to_numpy())
        if (np.diff(months) < 0).any():
            order = np.argsort(months, kind="stable")
            rows, months = rows.take(pa.array(order)), months[order]
        found, starts = np.unique(months, return_index=True)
        ends = [*starts[1:].tolist(), len(months)]
        for month, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True):
            self.in_memory[month].append(rows.slice(start, end - start))
            self.rows[month] += end - start
        self.held_bytes += rows.nbytes

    def spill(self) -> None:
        """Writes what is held in memory to disk."""
        for month, tables in sorted(self.in_memory.items()):
            path = self.folder / f"{self.kind}-{month}-{len(self.on_disk[month])}.parquet"
            pq.write_table(
                pa.concat_tables(tables), path, compression="lz4", use_dictionary=True
            )
            self.on_disk[month].append(path)
        self.in_memory.clear()
        self.held_bytes = 0

    def take(self, first: int, last: int) -> pa.Table:
        """The rows of these months, which then are no longer held in memory."""
        months = [m for m in sorted(self.rows) if first <= m <= last]
        tables = [pq.read_table(p) for m in months for p in self.on_disk.get(m, [])]
        tables += [t for m in months for t in self.in_memory.pop(m, [])]
        return pa.concat_tables(tables) if tables else self.schema.empty_table()


@dataclass
class Stage:
    """Everything one import brings, before it becomes part of the archive."""

    zone: ZoneInfo | timezone
    folder: Path
    pos: int = 0
    ids: bool = False
    replies: bool = False
    several: bool = False
    """Rows of more than one source, which may overlap."""
    _source: int | None = None

    def __post_init__(self) -> None:
        self.messages = Shelf(STAGED_MESSAGES, self.folder, "messages")
        self.events = Shelf(STAGED_EVENTS, self.folder, "events")

    def put(self, messages: pa.Table, events: pa.Table, source_no: int) -> None:
        """Adds a batch of one source; batches of a source come in its order."""
        if messages.num_rows or events.num_rows:
            self.several |= self._source not in (None, source_no)
            self._source = source_no
        self._put(self.messages, messages, "sent_at", source_no)
        self._put(self.events, events, "at", source_no)
        self.ids |= _any(messages["message_id"])
        self.replies |= _any(messages["reply_to"]) or _any(messages["reply_sender_id"])
        if self.messages.held_bytes + self.events.held_bytes > SPILL_BYTES:
            self.messages.spill()
            self.events.spill()

    def _put(self, shelf: Shelf, rows: pa.Table, instant: str, source_no: int) -> None:
        if rows.num_rows:
            to = shelf.schema
            shelf.put(
                staged(
                    rows,
                    to=to,
                    instant=instant,
                    source_no=source_no,
                    first_pos=self.pos,
                    zone=self.zone,
                )
            )
        self.pos += rows.num_rows

    def months(self) -> dict[int, int]:
        """Local month → rows staged."""
        both = set(self.messages.rows) | set(self.events.rows)
        return {m: self.messages.rows[m] + self.events.rows[m] for m in sorted(both)}


def _any(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count < len(column))


def months_of(tables: Iterable[pa.Table]) -> dict[int, int]:
    """Local month → rows, of settled tables together."""
    local = [rows["local_at"].cast(pa.int64()).to_numpy() for rows in tables]
    months, counts = np.unique(month_numbers(np.concatenate(local)), return_counts=True)
    return dict(zip(months.tolist(), counts.tolist(), strict=True))
