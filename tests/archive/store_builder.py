"""Archives from a few plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from qunluo.archive.engines.duckdb import DuckDB
from qunluo.archive.importers.base import Rows
from qunluo.archive.staging import Stage
from qunluo.archive.store import Archive

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2022, 1, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """One message of an export; `minute` counts from two days before a month's end."""

    minute: int
    sender: str = "ann"
    text: str = "hello"
    group: str = "g"
    id: str | None = None
    reply_to: str | None = None
    edited: int | None = None
    kind: str = "text"


@dataclass(frozen=True)
class Join:
    minute: int
    subject: str = "ann"
    group: str = "g"
    kind: str = "join"


def instant(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def new_archive(path: Path, engine: DuckDB, *, segment_rows: int = 1_000_000) -> Archive:
    made = Archive.create(path, engine, zone="Asia/Shanghai")
    return Archive(made.path, engine, segment_rows)


def add(archive: Archive, *exports: Sequence[Line | Join]) -> None:
    """Adds exports in one import, each a source of its own."""
    stage = Stage(SHANGHAI, archive.path)
    for number, rows in enumerate(exports):
        batch = rows_of(rows).take()
        stage.put(batch.messages, batch.events, number)
    archive.add(stage, {})


def rows_of(lines: Iterable[Line | Join]) -> Rows:
    rows = Rows("test")
    for line in lines:
        if isinstance(line, Join):
            rows.event(
                group_id=line.group, at=instant(line.minute), zone_known="utc", kind=line.kind,
                subject_id=line.subject,
            )  # fmt: skip
        else:
            rows.message(
                group_id=line.group, sent_at=instant(line.minute), zone_known="utc",
                sender_id=line.sender, sender_name=line.sender, kind=line.kind, text=line.text,
                message_id=line.id, reply_to=line.reply_to,
                edited_at=None if line.edited is None else instant(line.edited),
            )  # fmt: skip
    return rows


def stored(archive: Archive) -> tuple[pa.Table, pa.Table]:
    """All messages and all events, in the archive's order."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    manifest = archive.manifest()
    kinds = (archive.messages(manifest), archive.events(manifest))
    found = [
        pa.concat_tables([f.schema.empty_table(), *(pq.read_table(p) for p in f.paths)])
        for f in kinds
    ]
    return found[0], found[1]
