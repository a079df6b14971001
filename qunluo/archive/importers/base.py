"""What an importer is given and what it gives back.

One importer is one module with one class that satisfies `Importer`, listed in
`importers/__init__.py`. It is pure parsing: bytes in, typed rows and rejects out, streaming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timezone
from typing import BinaryIO, Literal, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa

from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.kit.text import Text

FLUSH_ROWS = 20_000
_MESSAGE, _EVENT = pa.struct(list(MESSAGES)), pa.struct(list(EVENTS))
NO_MESSAGES, NO_EVENTS = MESSAGES.empty_table(), EVENTS.empty_table()  # costly to make
REJECT_CHARS = 500

DateOrder = Literal["dmy", "mdy", "ymd"]


class Source(Protocol):
    """One file to read, wherever it lies: on disk, in a folder, in a zip, tar or gz."""

    name: str
    """Its path inside what the user named, with `/` (for messages and for group names)."""

    def open(self) -> BinaryIO:
        """A fresh binary stream from the start. Reading is bounded by the caller's limits."""

    def sibling(self, path: str) -> Source | None:
        """Another file of the same folder or container, by relative path (`../users.json`)."""


@dataclass(frozen=True)
class Options:
    """What only the user can know about a file."""

    zone: ZoneInfo | timezone = UTC  # of files that state none
    date_order: DateOrder | None = None  # of ambiguous dates
    group: str | None = None  # instead of the name found in the file or its path
    unit: Literal["s", "ms"] | None = None  # of epoch numbers, where a format has both


@dataclass(frozen=True)
class Reject:
    """A line that could not be read, kept so that nothing is lost."""

    line: int
    reason: str  # an English sentence without names or message text
    content: str


@dataclass
class Tally:
    """Where every line (or record, for formats without lines) of a source went.

    `messages + events + rejects + continuation + blank + header == lines`; the store checks it.
    """

    lines: int = 0
    messages: int = 0
    events: int = 0
    rejects: int = 0
    blank: int = 0
    continuation: int = 0  # further lines of a message that has several
    header: int = 0  # lines about the file itself

    def accounts_for_every_line(self) -> bool:
        parts = (self.messages, self.events, self.rejects)
        return sum(parts) + self.blank + self.continuation + self.header == self.lines

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Batch:
    """Some rows in the order of the source. Tables have the exact schemas of `archive.schema`."""

    messages: pa.Table = field(default_factory=lambda: NO_MESSAGES)
    events: pa.Table = field(default_factory=lambda: NO_EVENTS)
    rejects: list[Reject] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    warnings: list[Text] = field(
        default_factory=list
    )  # e.g. "looks cut off at 40,000 messages"


class Importer(Protocol):
    """Reads one export format."""

    name: str  # "whatsapp"
    label: Text
    lacks: frozenset[str]
    """What the format can't carry, of: ids replies reactions leaves joins zone edits mentions
    roster threads senders. The report names figures that need it as absent."""

    def sniff(self, head: bytes, source: Source) -> float:
        """How surely this is ours, 0 to 1, judged by content: the first 64 kB of the file."""

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        """All rows of the file, streaming, memory not growing with the file."""


@dataclass
class Rows:
    """Collects rows for importers that parse one record at a time; `take()` empties it.

    Values not given stay null. `sent_at`/`at` are aware datetimes or integer microseconds
    since 1970 UTC. Strings are cleaned of lone surrogates and NUL so that Arrow takes them.
    """

    platform: str
    batch_messages: list[dict[str, object]] = field(default_factory=list)
    batch_events: list[dict[str, object]] = field(default_factory=list)
    batch_rejects: list[Reject] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    warnings: list[Text] = field(default_factory=list)

    def message(self, **values: object) -> None:
        """One message; keys are columns of `MESSAGES` without `platform`."""
        values["platform"] = self.platform
        self.batch_messages.append(values)
        self.tally.messages += 1

    def event(self, *, same_line: bool = False, **values: object) -> None:
        """One event; keys are columns of `EVENTS` without `platform`.

        `same_line` for the second and later events of one record (three people invited
        at once), so that the tally counts the record once.
        """
        values["platform"] = self.platform
        self.batch_events.append(values)
        self.tally.events += not same_line

    def reject(self, line: int, reason: str, content: str) -> None:
        self.batch_rejects.append(Reject(line, reason, clean(content[:REJECT_CHARS]) or ""))
        self.tally.rejects += 1

    def full(self) -> bool:
        return len(self.batch_messages) + len(self.batch_events) >= FLUSH_ROWS

    def take(self) -> Batch:
        """What was collected since the last call, as a batch."""
        batch = Batch(
            messages=_table(self.batch_messages, MESSAGES),
            events=_table(self.batch_events, EVENTS),
            rejects=self.batch_rejects,
            tally=self.tally,
            warnings=self.warnings,
        )
        self.batch_messages, self.batch_events, self.batch_rejects = [], [], []
        self.tally, self.warnings = Tally(), []
        return batch


def table_of(schema: pa.Schema, count: int, columns: Mapping[str, object]) -> pa.Table:
    """`count` rows given as columns, for importers in a hurry.

    A list or Arrow array holds a value per row, anything else is the same in all rows, a
    column not given is null. Instants are integer microseconds; texts must be clean already.
    """
    unknown = columns.keys() - set(schema.names)
    if unknown:
        raise KeyError(sorted(unknown))
    arrays = [_filled(field, count, columns.get(field.name)) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _filled(column: pa.Field, count: int, values: object) -> pa.Array:
    if values is None:
        return pa.nulls(count, column.type)
    if not isinstance(values, list | pa.Array | pa.ChunkedArray):
        return pa.repeat(pa.scalar(values, column.type), count)
    if isinstance(values, list) and pa.types.is_timestamp(column.type):
        return pa.array(values, pa.int64()).cast(column.type)
    return pa.array(values, column.type) if isinstance(values, list) else values


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """Rows as a table, all columns in one go: a column at a time costs twice as much."""
    if not rows:
        return NO_MESSAGES if schema is MESSAGES else NO_EVENTS
    kind = _MESSAGE if schema is MESSAGES else _EVENT
    if any("\x00" in v for row in rows for v in row.values() if type(v) is str):
        rows = [{name: _cleaned(value) for name, value in row.items()} for row in rows]
    try:
        taken = pa.array(rows, kind)
    except UnicodeEncodeError:  # a lone surrogate somewhere: rare, so only then every text
        taken = pa.array(
            [{n: _cleaned(value) for n, value in row.items()} for row in rows], kind
        )
    return pa.Table.from_arrays(taken.flatten(), schema=schema)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(v) for v in value]
    return {k: _cleaned(v) for k, v in value.items()} if isinstance(value, dict) else value


def clean(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become "?", NUL goes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant, exactly."""
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def decode(raw: bytes) -> str:
    """Text in the encodings exports come in: UTF-8 (with or without BOM), UTF-16, GB18030."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")
