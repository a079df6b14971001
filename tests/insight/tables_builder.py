"""The tables of `insight.tables` from a few plain rows, by naive Python: an oracle for metrics.

    t = tables([Said("g", "ann", at(1, 9), "hello")], classes={"ann": "member"})
    finding = find(metric, t)

Everything is derived row by row with dictionaries, on purpose: no archive, no rollups, no
engine of ours stands between a test and what it claims. Cubes run as the SQL that Ibis writes
for DuckDB.
"""

from __future__ import annotations

import atexit
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from qunluo.archive.schema import REACTIONS
from qunluo.insight.figures import Cube, Facts, Finding, Metric, Need
from qunluo.insight.inputs import ORDERS, schema

START = datetime(2022, 1, 3)  # a Monday

Key = int
Row = dict[str, Any]


def at(day: int = 0, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    """A local time `day` days after Monday 2022-01-03."""
    return START + timedelta(days=day, hours=hour, minutes=minute, seconds=second)


@cache
def key(name: str) -> Key:
    """A stable signed 64-bit key of a group or sender name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@dataclass(frozen=True)
class Said:
    """One message. `at` is local; `reply_to` names a `message_id` of the same group."""

    group: str
    sender: str
    at: datetime
    text: str | None = "hello"
    kind: str = "text"
    message_id: str | None = None
    reply_to: str | None = None
    thread_id: str | None = None
    mentions: tuple[str, ...] = ()
    reactions: tuple[tuple[str, int], ...] = ()
    revoked: bool | None = None
    forwarded: bool | None = None
    raw_kind: str | None = None


@dataclass(frozen=True)
class Happened:
    """One membership event. `at` is local."""

    group: str
    subject: str | None
    at: datetime
    kind: str = "join"
    actor: str | None = None
    inviter: str | None = None
    new_name: str | None = None
    text: str | None = None


@dataclass
class Built:
    """Table expressions as attributes (`built.person_day`); their rows from `arrow(name)`."""

    messages_said: Sequence[Said]
    events_seen: Sequence[Happened]
    class_of: Mapping[Any, str]
    suspected: frozenset[str]
    offset: timedelta
    given: Mapping[str, pa.Table]
    made: dict[str, pa.Table] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not (name in SCHEMAS or name in self.given):
            raise AttributeError(name)
        schema = self.given[name].schema if name in self.given else SCHEMAS[name]
        return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)

    @property
    def names(self) -> list[str]:
        return sorted({*SCHEMAS, *self.given})

    def arrow(self, name: str) -> pa.Table:
        """The table as Arrow, in the column order of `SCHEMAS`."""
        if name in self.given:
            return self.given[name]
        if name not in self.made:
            self.made[name] = pa.Table.from_pylist(ROWS[name](self), schema=SCHEMAS[name])
        return self.made[name]

    def class_in(self, group: str, sender: str) -> str:
        """Given by (group, sender), else by sender, else `member`."""
        return self.class_of.get((group, sender)) or self.class_of.get(sender, "member")

    @cached_property
    def sorted_said(self) -> list[tuple[int, Said]]:
        """`(seq, message)` ordered by group, time and the order given."""
        numbered = list(enumerate(self.messages_said))
        return sorted(numbered, key=lambda n: (key(n[1].group), n[1].at, n[0]))

    @cached_property
    def members(self) -> list[tuple[str, str]]:
        """Every (group, sender) that wrote, in order of first appearance."""
        return list(dict.fromkeys((m.group, m.sender) for _, m in self.sorted_said))


def tables(
    said: Iterable[Said],
    *,
    events: Iterable[Happened] = (),
    classes: Mapping[Any, str] | None = None,
    suspected: Iterable[str] = (),
    offset: timedelta = timedelta(0),
    **given: pa.Table,
) -> Built:
    """All tables of these rows. `classes` by sender or (group, sender); `offset` is local minus
    UTC; further tables (`roster=`, `staff=`, `orders=`, …) are taken as they are."""
    return Built(list(said), list(events), classes or {}, frozenset(suspected), offset, given)


def find(metric: Metric, built: Built, *, has: Iterable[Need] = (), **facts: Any) -> Finding:
    """What `metric` finds in these tables, its cubes written as SQL by Ibis."""
    rows = {cube.name: collect(cube, built) for cube in metric.cubes}
    return metric.summarise(rows, replace(facts_of(built, has), **facts))


def facts_of(built: Built, has: Iterable[Need] = ()) -> Facts:
    days = sorted(m.at.date().isoformat() for m in built.messages_said)
    names = {m.sender for m in built.messages_said}
    groups = {m.group for m in built.messages_said}
    return Facts(
        zone="UTC",
        first_on=days[0] if days else None,
        last_on=days[-1] if days else None,
        has=frozenset(has),
        group_names={key(name): name for name in sorted(groups)},
        sender_names={key(name): name for name in sorted(names)},
    )


def collect(cube: Cube, built: Built) -> pa.Table:
    """The cube's rows, sorted by all columns as an engine sorts them."""
    sql, needed = _compiled(cube, built)
    for name in needed:
        _database().register(name, built.arrow(name))
    rows = _whole_numbers(_database().sql(sql).to_arrow_table())
    keys = [(f.name, "ascending") for f in rows.schema if not pa.types.is_nested(f.type)]
    return rows.sort_by(keys) if rows.num_rows > 1 else rows


def _whole_numbers(rows: pa.Table) -> pa.Table:
    """Sums as 64-bit integers, as engines answer them."""
    decimal = pa.types.is_decimal
    fields = [f.with_type(pa.int64()) if decimal(f.type) else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


@cache
def _database() -> Any:
    """One in-memory database for all tests; one thread because the tables are small."""
    atexit.register(_database.cache_clear)
    return duckdb.connect(":memory:", config={"threads": 1})


_kept: dict[tuple[str, int], tuple[str, list[str]]] = {}


def _compiled(cube: Cube, built: Built) -> tuple[str, list[str]]:
    """SQL text and the tables it names; kept, because Ibis takes long to write it."""
    which = (cube.name, id(cube.build))
    if which not in _kept:
        sql = str(ibis.to_sql(cube.build(built), dialect="duckdb"))
        named = set(re.findall(r'(?:FROM|JOIN)\s+"(\w+)"', sql))
        _kept[which] = (sql, [n for n in built.names if n in named])
    return _kept[which]


# -- raw rows -------------------------------------------------------------------------------


def _messages(b: Built) -> list[Row]:
    by_id = {(m.group, m.message_id): m for m in b.messages_said if m.message_id}
    before: dict[str, Said] = {}
    rows = []
    for seq, m in b.sorted_said:
        target = by_id.get((m.group, m.reply_to)) if m.reply_to else None
        rows.append(_message(b, seq, m, target, before.get(m.group)))
        before[m.group] = m
    return rows


def _message(b: Built, seq: int, m: Said, target: Said | None, prev: Said | None) -> Row:
    return {
        "group_key": key(m.group), "sender_key": key(m.sender), "sent_at": _utc(b, m.at),
        "local_at": m.at, "seq": seq, "kind": m.kind, "raw_kind": m.raw_kind, "text": m.text,
        "message_id": m.message_id, "thread_id": m.thread_id, "reply_to": m.reply_to,
        "reply_sender_key": key(target.sender) if target else None,
        "reply_delay_s": _seconds(m.at - target.at) if target else None,
        "prev_sender_key": key(prev.sender) if prev else None,
        "prev_gap_s": _seconds(m.at - prev.at) if prev else None,
        "mentions": list(m.mentions), "revoked": m.revoked, "forwarded": m.forwarded,
        "edited_at": None, "reactions": [{"emoji": e, "count": n} for e, n in m.reactions],
        "reaction_count": sum(n for _, n in m.reactions),
        "media_name": None, "media_type": None, "media_bytes": None, "media_seconds": None,
    }  # fmt: skip


def _classed(b: Built) -> list[Row]:
    classes = [b.class_in(m.group, m.sender) for _, m in b.sorted_said]
    return [row | {"class": word} for row, word in zip(_messages(b), classes, strict=True)]


def _events(b: Built) -> list[Row]:
    ordered = sorted(b.events_seen, key=lambda e: (key(e.group), e.at))
    return [
        {
            "group_key": key(e.group), "subject_key": _key(e.subject),
            "actor_key": _key(e.actor), "inviter_key": _key(e.inviter),
            "at": _utc(b, e.at), "local_at": e.at, "kind": e.kind, "raw_kind": None,
            "text": e.text, "new_name": e.new_name, "subject_name": e.subject,
        }
        for e in ordered
    ]  # fmt: skip


# -- counted --------------------------------------------------------------------------------


def _person(b: Built) -> list[Row]:
    found: dict[tuple[str, str, date], list[Said]] = defaultdict(list)
    for _, m in b.sorted_said:
        found[m.group, m.sender, _month(m.at)].append(m)
    return [
        {
            "group_key": key(group), "sender_key": key(sender), "month": month, "n": len(said),
            "actions": sum(m.kind == "action" for m in said),
            "chars": sum(len(m.text or "") for m in said),
            "days": len({m.at.date() for m in said}),
            "first_at": min(m.at for m in said), "last_at": max(m.at for m in said),
        }
        for (group, sender, month), said in found.items()
    ]  # fmt: skip


def _person_day(b: Built) -> list[Row]:
    counts = Counter((m.group, m.sender, m.at.date()) for _, m in b.sorted_said)
    return [
        {"group_key": key(g), "sender_key": key(s), "day": day, "n": n}
        for (g, s, day), n in counts.items()
    ]


def _person_clock(b: Built) -> list[Row]:
    counts = Counter(
        (m.group, m.sender, m.at.weekday() * 24 + m.at.hour) for _, m in b.sorted_said
    )
    return [
        {"group_key": key(g), "sender_key": key(s), "how": how, "n": n}
        for (g, s, how), n in counts.items()
    ]


def _person_kind(b: Built) -> list[Row]:
    counts = Counter((m.group, m.sender, _month(m.at), m.kind) for _, m in b.sorted_said)
    return [
        {"group_key": key(g), "sender_key": key(s), "month": month, "kind": kind, "n": n}
        for (g, s, month, kind), n in counts.items()
    ]


def _group_day(b: Built) -> list[Row]:
    found: dict[tuple[str, date], list[str]] = defaultdict(list)
    for _, m in b.sorted_said:
        found[m.group, m.at.date()].append(m.sender)
    return [
        {"group_key": key(g), "day": day, "n": len(who), "speakers": len(set(who))}
        for (g, day), who in found.items()
    ]


def _day(b: Built) -> list[Row]:
    found: dict[date, list[str]] = defaultdict(list)
    for _, m in b.sorted_said:
        found[m.at.date()].append(m.sender)
    return [{"day": d, "n": len(w), "speakers": len(set(w))} for d, w in found.items()]


def _burst(b: Built) -> list[Row]:
    minutes = Counter(
        (m.group, m.at.replace(second=0, microsecond=0)) for _, m in b.sorted_said
    )
    counts = Counter((g, _month(minute), size) for (g, minute), size in minutes.items())
    return [
        {"group_key": key(g), "month": month, "size": size, "minutes": n}
        for (g, month, size), n in counts.items()
    ]


def _latency(b: Built) -> list[Row]:
    counts = Counter(
        (row["group_key"], row["reply_delay_s"])
        for row in _messages(b)
        if row["reply_sender_key"] is not None and row["reply_sender_key"] != row["sender_key"]
    )
    return [{"group_key": g, "delay_s": s, "n": n} for (g, s), n in counts.items()]


def _pair(b: Built) -> list[Row]:
    counts: Counter[tuple[int, int, int, str]] = Counter()
    for row in _messages(b):
        for tie, other in (("reply", "reply_sender_key"), ("next", "prev_sender_key")):
            if row[other] is not None and row[other] != row["sender_key"]:
                counts[row["group_key"], row["sender_key"], row[other], tie] += 1
    return [
        {"group_key": g, "sender_key": s, "other_key": o, "tie": tie, "n": n}
        for (g, s, o, tie), n in counts.items()
    ]


# -- small ----------------------------------------------------------------------------------


def _classes(b: Built) -> list[Row]:
    return [
        {
            "group_key": key(g), "sender_key": key(s), "class": b.class_in(g, s),
            "suspected": s in b.suspected,
        }
        for g, s in b.members
    ]  # fmt: skip


def _accounts(b: Built) -> list[Row]:
    names = dict.fromkeys(s for _, s in b.members)
    return [
        {"sender_key": key(s), "platform": "test", "sender_id": s, "name": s, "role": None}
        for s in names
    ]


def _groups(b: Built) -> list[Row]:
    names = dict.fromkeys([g for g, _ in b.members] + [e.group for e in b.events_seen])
    return [{"group_key": key(g), "platform": "test", "group_id": g, "name": g} for g in names]


def _month(when: datetime) -> date:
    return when.date().replace(day=1)


def _utc(b: Built, local: datetime) -> datetime:
    return (local - b.offset).replace(tzinfo=UTC)


def _key(name: str | None) -> Key | None:
    return None if name is None else key(name)


def _seconds(delta: timedelta) -> int:
    return int(delta.total_seconds())


def gaps(times: Sequence[datetime]) -> list[float]:
    """Seconds between neighbours of sorted times, for oracles in tests."""
    return [(b - a).total_seconds() for a, b in pairwise(sorted(times))]


_LOCAL, _INSTANT, _INT = pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.int64()
_WHO = [("group_key", _INT), ("sender_key", _INT)]
_TEXT = pa.string()
_MESSAGE = [
    *_WHO, ("sent_at", _INSTANT), ("local_at", _LOCAL), ("seq", _INT), ("kind", _TEXT),
    ("raw_kind", _TEXT), ("text", _TEXT), ("message_id", _TEXT), ("thread_id", _TEXT),
    ("reply_to", _TEXT), ("reply_sender_key", _INT), ("reply_delay_s", _INT),
    ("prev_sender_key", _INT), ("prev_gap_s", _INT), ("mentions", pa.list_(_TEXT)),
    ("revoked", pa.bool_()), ("forwarded", pa.bool_()), ("edited_at", _INSTANT),
    ("reactions", REACTIONS), ("reaction_count", _INT), ("media_name", _TEXT),
    ("media_type", _TEXT), ("media_bytes", _INT), ("media_seconds", pa.float64()),
]  # fmt: skip

SCHEMAS: dict[str, pa.Schema] = {
    name: pa.schema(columns)
    for name, columns in {
        "messages": _MESSAGE,
        "classed": [*_MESSAGE, ("class", _TEXT)],
        "events": [
            ("group_key", _INT), ("subject_key", _INT), ("actor_key", _INT),
            ("inviter_key", _INT), ("at", _INSTANT), ("local_at", _LOCAL), ("kind", _TEXT),
            ("raw_kind", _TEXT), ("text", _TEXT), ("new_name", _TEXT), ("subject_name", _TEXT),
        ],
        "person": [
            *_WHO, ("month", pa.date32()), ("n", _INT), ("actions", _INT), ("chars", _INT),
            ("days", _INT), ("first_at", _LOCAL), ("last_at", _LOCAL),
        ],
        "person_day": [*_WHO, ("day", pa.date32()), ("n", _INT)],
        "person_clock": [*_WHO, ("how", _INT), ("n", _INT)],
        "person_kind": [*_WHO, ("month", pa.date32()), ("kind", _TEXT), ("n", _INT)],
        "group_day": [
            ("group_key", _INT), ("day", pa.date32()), ("n", _INT), ("speakers", _INT),
        ],
        "day": [("day", pa.date32()), ("n", _INT), ("speakers", _INT)],
        "burst": [
            ("group_key", _INT), ("month", pa.date32()), ("size", _INT), ("minutes", _INT),
        ],
        "latency": [("group_key", _INT), ("delay_s", _INT), ("n", _INT)],
        "pair": [*_WHO, ("other_key", _INT), ("tie", _TEXT), ("n", _INT)],
        "classes": [*_WHO, ("class", _TEXT), ("suspected", pa.bool_())],
        "accounts": [
            ("sender_key", _INT), ("platform", _TEXT), ("sender_id", _TEXT), ("name", _TEXT),
            ("role", _TEXT),
        ],
        "groups": [
            ("group_key", _INT), ("platform", _TEXT), ("group_id", _TEXT), ("name", _TEXT),
        ],
        "roster": [*_WHO, ("name", _TEXT), ("joined_at", _LOCAL), ("left_at", _LOCAL)],
        "orders": [(f.name, f.type) for f in schema(ORDERS)],
    }.items()
}  # fmt: skip

ROWS: dict[str, Callable[[Built], list[Row]]] = {
    "messages": _messages, "classed": _classed, "events": _events, "person": _person,
    "person_day": _person_day, "person_clock": _person_clock, "person_kind": _person_kind,
    "group_day": _group_day, "day": _day, "burst": _burst, "latency": _latency, "pair": _pair,
    "classes": _classes, "accounts": _accounts, "groups": _groups,
    "roster": lambda b: [], "orders": lambda b: [],
}  # fmt: skip
