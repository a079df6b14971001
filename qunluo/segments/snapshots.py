"""Columns of a community as of one moment, on disk: written in chunks, read by `counting`.

Everything is read in one view of the database, together with how far the record had come. What
happened later is told by the record and by the rounds of `standing`, so that a count can add it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q, QuerySet, Sum

from qunluo.archive.engines.base import Files
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Consent, Field, Member, MemberImport, Tag, Tagging
from qunluo.members.rules import ALL
from qunluo.segments.columns import BITS, DAYS, SEATS, VERSION, Layout, micros
from qunluo.segments.knowing import consents_of, flag_bits, sources_of
from qunluo.segments.rules import NUMBERS, WORDS
from qunluo.standing.models import Reckoning, Standing, Tally

CHUNK = 20_000  # members at a time
ROWS = 50_000  # sums and seats at a time
ROW_GROUP = 122_880
QUIET_MS = 300  # how long writers may be held up to see how far the record has come
TABLES = ("people", "days", "seats")
_STANDING = (*WORDS, *NUMBERS)
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Snapshot:
    """What is on disk. `position`: the last event that is in it for sure; `revision`: the last
    round of standing; `imported`: rows read of files; `unsettled`: members to be asked of the
    database in any case."""

    at: str
    position: int
    revision: int
    imported: int
    last_member: int
    members: int
    tags: dict[int, int]
    fields: dict[str, tuple[str, str]]
    channels: tuple[str, ...]
    unsettled: tuple[int, ...] = field(default_factory=tuple)
    folder: str = ""

    @property
    def layout(self) -> Layout:
        return Layout(self.tags, self.fields, self.channels)

    def inputs(self) -> dict[str, Files]:
        """The tables, for an engine."""
        schemas = {"people": self.layout.schema, "days": DAYS, "seats": SEATS}
        there = Path(self.folder)
        return {name: Files((there / f"{name}.parquet",), schemas[name]) for name in TABLES}


def folder_of(community: Community) -> Path:
    return Path(settings.QUNLUO.data) / "segments" / str(community.pk)


def find_snapshot(community: Community) -> Snapshot | None:
    """The newest one that is whole."""
    for folder in _folders(community):
        try:
            kept = json.loads((folder / _MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if kept.pop("version", 0) == VERSION:  # else of other columns than we read
            return _read(kept, folder)
    return None


def _folders(community: Community) -> list[Path]:
    """The newest first."""
    found = folder_of(community).glob("[0-9]*")
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def _read(kept: dict[str, Any], folder: Path) -> Snapshot:
    kept["tags"] = {int(tag): bit for tag, bit in kept["tags"].items()}
    kept["fields"] = {key: (name, kind) for key, (name, kind) in kept["fields"].items()}
    kept |= {name: tuple(kept[name]) for name in ("channels", "unsettled")}
    return Snapshot(**kept, folder=str(folder))


def do_snapshot(community: Community) -> Snapshot | None:
    """Writes the columns anew; None where the record is too busy, or sums are counted anew: try
    again later. The one before stays for those who read it."""
    there = _folders(community)
    number = int(there[0].name) + 1 if there else 1
    folder = folder_of(community) / str(number)
    fresh = folder.with_name(f".{number}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    try:
        position = _find_position()
        with _one_view():
            found = _write(community, position, fresh)
        if found is None:
            return None
        kept = {k: v for k, v in asdict(found).items() if k != "folder"}
        text = json.dumps({**kept, "version": VERSION})
        (fresh / _MANIFEST).write_text(text, "utf-8")
        fresh.rename(folder)
    except OperationalError:  # the lock was not to be had: somebody writes for long
        return None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for old in there[1:]:
        shutil.rmtree(old, ignore_errors=True)
    return find_snapshot(community)


def _find_position() -> int:
    """The last event that any view from now on has, with what was written beside it.

    On PostgreSQL ids are drawn before they are seen: for a moment nobody may write events, so
    that every one up to the last is there, or never will be.
    """
    if connection.vendor != "postgresql":
        return _last(Event.objects.all())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{QUIET_MS}ms'")
        cursor.execute("LOCK TABLE events_event IN SHARE MODE")
        return _last(Event.objects.all())


def _last(rows: QuerySet[Any]) -> int:
    return rows.aggregate(last=Max("pk"))["last"] or 0


@contextmanager
def _one_view() -> Iterator[None]:
    """All reads inside see one moment, and hold up no writer."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own would be a writer's
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _write(community: Community, position: int, folder: Path) -> Snapshot | None:
    now = clock.now()
    reckoning = Reckoning.objects.filter(community=community).first()
    if reckoning is not None and reckoning.behind is not None:
        return None
    members = Member.objects.filter(community=community)
    lapsed = Tagging.objects.filter(member__community=community, expires_at__lte=now)
    found = Snapshot(
        at=now.isoformat(), position=position, revision=reckoning.revision if reckoning else 0,
        imported=count_imported(community), last_member=_last(members),
        members=members.filter(merged_into=None, erased_at=None).count(),
        tags=_tag_bits(community), fields=_field_columns(community),
        channels=_channels(community),
        unsettled=tuple(sorted(set(lapsed.values_list("member_id", flat=True)))),
    )  # fmt: skip
    _write_people(community, found.layout, now, folder / "people.parquet")
    _write_days(community, folder / "days.parquet")
    _write_seats(community, folder / "seats.parquet")
    return found


def count_imported(community: Community) -> int:
    """Rows of files that were read; they change members without an event for each."""
    rows = MemberImport.objects.filter(community=community)
    return rows.aggregate(n=Sum("read"))["n"] or 0


def _tag_bits(community: Community) -> dict[int, int]:
    tags = Tag.objects.filter(group__community=community).order_by("pk")
    return {pk: bit for bit, pk in enumerate(tags.values_list("pk", flat=True))}


def _field_columns(community: Community) -> dict[str, tuple[str, str]]:
    rows = Field.objects.filter(community=community).order_by("pk")
    return {row.key: (f"field_{n}", row.kind) for n, row in enumerate(rows)}


def _channels(community: Community) -> tuple[str, ...]:
    rows = Consent.objects.filter(member__community=community).exclude(channel=ALL).order_by()
    return ALL, *sorted(rows.values_list("channel", flat=True).distinct())


def _write_people(community: Community, layout: Layout, now: datetime, to: Path) -> None:
    live = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    names = ("pk", "region", "birthday", "lat", "lon", "made_at", "fields")
    last = 0
    with pq.ParquetWriter(to, layout.schema, compression="zstd", compression_level=1) as out:
        while True:
            after = live.filter(pk__gt=last).order_by("pk").values_list(*names)
            rows = list(after[:CHUNK])
            if not rows:
                return
            last = rows[-1][0]
            table = _people(rows, layout, now)
            out.write_table(table, row_group_size=ROW_GROUP)


def _people(rows: Sequence[Any], layout: Layout, now: datetime) -> pa.Table:
    ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    span = {"member_id__gte": int(ids[0]), "member_id__lte": int(ids[-1])}
    columns: dict[str, Any] = {
        "id": ids, "region": [row[1] for row in rows], "born": [_born(row[2]) for row in rows],
        "lat": [row[3] for row in rows], "lon": [row[4] for row in rows],
        "made": [micros(row[5]) for row in rows],
    }  # fmt: skip
    columns |= _bits(ids, span, layout, now)
    columns |= _standings(ids, span)
    columns |= sources_of(ids, span)
    columns |= consents_of(ids, span, layout)
    for key, (name, kind) in layout.fields.items():
        columns[name] = [_value(row[6].get(key), kind) for row in rows]
    schema = layout.schema
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in schema}, schema)


def _born(day: date | None) -> int | None:
    return None if day is None else day.month * 100 + day.day


def _value(value: Any, kind: str) -> Any:
    """What the field holds, where it is of the field's kind."""
    if kind == "number":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if fits else None
    return value if isinstance(value, bool if kind == "yes_no" else str) else None


def _bits(ids: Any, span: dict[str, int], layout: Layout, now: datetime) -> dict[str, Any]:
    """Tags that count now, as bits of as many columns as it takes."""
    current = Q(expires_at=None) | Q(expires_at__gt=now)
    found = {name: np.zeros(len(ids), np.int64) for name in layout.tag_columns}
    if not found:
        return found
    rows = Tagging.objects.filter(current, **span).order_by().values_list("member_id", "tag_id")
    pairs = np.array(list(rows), np.int64).reshape(-1, 2)
    pairs = pairs[np.isin(pairs[:, 0], ids)]
    places = np.searchsorted(ids, pairs[:, 0])
    tags, which = np.unique(pairs[:, 1], return_inverse=True)
    for n, tag in enumerate(tags):
        bit = layout.tags.get(int(tag))
        if bit is not None:
            found[f"tags_{bit // BITS}"][places[which == n]] |= 1 << bit % BITS
    return found


def _standings(ids: Any, span: dict[str, int]) -> dict[str, Any]:
    rows = Standing.objects.filter(**span).values_list("member_id", *_STANDING, "flags")
    by_id = {row[0]: (*row[1:-1], flag_bits(row[-1])) for row in rows}
    nothing = (None,) * (len(_STANDING) + 1)
    found = [by_id.get(int(pk), nothing) for pk in ids]
    return {name: [row[n] for row in found] for n, name in enumerate((*_STANDING, "flags"))}


def _write_days(community: Community, to: Path) -> None:
    """By kind and day, so that a question reads only its part."""
    rows = Tally.objects.filter(community=community).order_by("kind", "day")
    names = ("member_id", "kind", "day", "n", "amount_minor")
    _write_rows(
        rows.values_list(*names), DAYS, to, lambda row: (*row[:2], row[2].toordinal(), *row[3:])
    )


def _write_seats(community: Community, to: Path) -> None:
    seats: Any = Member._meta.get_field("memberships").related_model
    rows = seats.objects.filter(group__community=community).order_by("group_id")
    names = ("member_id", "group_id", "left_at")
    _write_rows(rows.values_list(*names), SEATS, to, lambda row: (*row[:2], row[2] is None))


def _write_rows(
    rows: Any, schema: pa.Schema, to: Path, shape: Callable[[Any], tuple[Any, ...]]
) -> None:
    with pq.ParquetWriter(to, schema, compression="zstd", compression_level=1) as out:
        waiting: list[tuple[Any, ...]] = []
        for row in rows.iterator(chunk_size=5_000):
            waiting.append(shape(row))
            if len(waiting) == ROWS:
                out.write_table(_table(waiting, schema), row_group_size=ROW_GROUP)
                waiting = []
        if waiting:
            out.write_table(_table(waiting, schema))


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )
