"""A tree over columns: the same answer as the database gives, in a fraction of the time.

Three tables: `people` (a row for each member, tags as bits), `days` (sums of `standing` for each
member, kind and day), `seats` (who is or was in which group). No Django here, and no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from qunluo.archive.engines.base import Plan
from qunluo.members.rules import ALL
from qunluo.segments.rules import (
    NUMBERS,
    PURPOSES,
    RISKS,
    UTM,
    WORDS,
    All,
    Allows,
    Birthday,
    Came,
    Did,
    Either,
    Flagged,
    Met,
    Near,
    Node,
    Not,
    OfField,
    Region,
    Seated,
    Spent,
    StandsAt,
    StandsIn,
    Tagged,
    walk,
)
from qunluo.segments.windows import birthdays, first_day, haversine_most, latitudes

VERSION = 2  # of what is built here: compiled plans are kept under it
BITS = 62  # of a column: the sign is left alone
DAYS = pa.schema(
    [("member", pa.int64()), ("kind", pa.string()), ("day", pa.int32()), ("n", pa.int64()),
     ("amount", pa.int64())]
)  # fmt: skip
SEATS = pa.schema([("member", pa.int64()), ("group", pa.int64()), ("inside", pa.bool_())])
TOUCHED = pa.schema([("id", pa.int64())])
FIELD_TYPES = {
    "text": pa.string(), "choice": pa.string(), "date": pa.string(), "number": pa.float64(),
    "yes_no": pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where in `people` tags, fields and consents lie."""

    tags: Mapping[int, int]  # tag → its bit, counted over all columns
    fields: Mapping[str, tuple[str, str]]  # key → column, kind
    channels: tuple[str, ...] = (ALL,)  # that words of consent name, all of them first

    @property
    def tag_columns(self) -> list[str]:
        return [f"tags_{n}" for n in range(-(-len(self.tags) // BITS))]

    def allows(self, purpose: str, channel: str) -> str:
        """The column of a consent; no word names other channels, but for those of all."""
        place = self.channels.index(channel) if channel in self.channels else 0
        return f"allows_{place}_{purpose}"

    @property
    def allow_columns(self) -> list[str]:
        return [self.allows(p, c) for c in self.channels for p in PURPOSES]

    @property
    def schema(self) -> pa.Schema:
        """Of `people`. Times are microseconds since 1970; `born` is month × 100 + day; `flags`
        has a bit for each of `RISKS`; `told`: the first touch has a code, an inviter or a utm."""
        columns: list[tuple[str, pa.DataType]] = [
            ("id", pa.int64()), ("region", pa.string()), ("born", pa.int16()),
            ("lat", pa.float64()), ("lon", pa.float64()), ("made", pa.int64()),
            ("flags", pa.int64()), ("code", pa.int64()), ("invited", pa.bool_()), ("told", pa.bool_()),
        ]  # fmt: skip
        columns += [(f"utm_{part}", pa.string()) for part in UTM]
        columns += [(name, pa.bool_()) for name in self.allow_columns]
        columns += [(name, pa.int64()) for name in self.tag_columns]
        columns += [(name, pa.string()) for name in WORDS]
        columns += [(name, pa.int64()) for name in NUMBERS]
        columns += [(name, FIELD_TYPES[kind]) for name, kind in self.fields.values()]
        return pa.schema(columns)


def columns_of(node: Node, layout: Layout) -> list[str]:
    """The columns of `people` that a resolved tree reads, in their order."""
    names = {"id"}
    for part in walk(node):
        names |= _columns_of(part, layout)
    return [name for name in layout.schema.names if name in names]


def _columns_of(part: Node, layout: Layout) -> set[str]:
    if isinstance(part, Tagged):
        return {f"tags_{layout.tags[part.tag] // BITS}"} if part.tag in layout.tags else set()
    if isinstance(part, OfField):
        return {layout.fields[part.key][0]} if part.key in layout.fields else set()
    if isinstance(part, StandsIn | StandsAt):
        return {part.name}
    if isinstance(part, Allows):
        return {layout.allows(part.purpose, part.channel)}
    if isinstance(part, Came):
        return {_SOURCE[part.by] + part.key}
    return _READ.get(type(part), set())


_SOURCE = {"code": "code", "inviter": "invited", "nothing": "told", "utm": "utm_"}
_READ: dict[type, set[str]] = {
    Flagged: {"flags"},
    Near: {"lat", "lon"}, Region: {"region"}, Birthday: {"born"}, Met: {"made"},
}  # fmt: skip


def kinds_of(node: Node) -> list[str]:
    """The kinds of sums that a resolved tree reads."""
    found: set[str] = set()
    for part in walk(node):
        if isinstance(part, Did):
            found.add(part.kind)
        elif isinstance(part, Spent):
            found |= {"paid", "refunded"}
    return sorted(found)


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    passed = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


@dataclass(frozen=True)
class Asked:
    """What a plan is built of."""

    tables: Mapping[str, Any]
    layout: Layout
    today: date
    zone: ZoneInfo

    @property
    def people(self) -> Any:
        return self.tables["people"]

    def window(self, rows: Any, days: int | None) -> Any:
        since = first_day(days, self.today)
        if since is None:
            return rows
        return rows.filter(rows.day >= since.toordinal(), rows.day <= self.today.toordinal())


def as_ibis(node: Node, asked: Asked) -> Any:
    """The condition on `people`, never null; the tree must be resolved."""
    import ibis  # noqa: PLC0415 - 0.3 s that only who counts by columns pays

    if isinstance(node, All | Either):
        parts = [as_ibis(part, asked) for part in node.parts]
        found = parts[0]
        for part in parts[1:]:
            found = found & part if isinstance(node, All) else found | part
        return found
    if isinstance(node, Not):
        return ~as_ibis(node.part, asked)
    builder = _BUILDERS.get(type(node))
    if builder is None:
        return ibis.literal(False)
    return builder(node, asked)


def plan_count(
    node: Node, layout: Layout, today: date, zone: ZoneInfo, *, touched: bool
) -> Plan:
    """Counts those who are meant, but for the touched ones."""

    def build(tables: Mapping[str, Any]) -> Any:
        people = tables["people"]
        where = as_ibis(node, Asked(tables, layout, today, zone))
        if touched:
            where &= ~people.id.isin(tables["touched"].id)
        meant = people.filter(where)
        return meant.aggregate(n=meant.count())

    return Plan(_name("count", node, layout, today, zone, touched), build, lasting=False)


def plan_ids(node: Node, layout: Layout, today: date, zone: ZoneInfo) -> Plan:
    """The ids of those who are meant."""

    def build(tables: Mapping[str, Any]) -> Any:
        people = tables["people"]
        return people.filter(as_ibis(node, Asked(tables, layout, today, zone))).select("id")

    return Plan(_name("ids", node, layout, today, zone, False), build, lasting=False)


def _name(what: str, *parts: Any) -> str:
    text = repr((VERSION, *parts))
    return f"segment_{what}_{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _false() -> Any:
    import ibis  # noqa: PLC0415 - half a second that only counting needs

    return ibis.literal(False)


def _known(condition: Any) -> Any:
    """What is not known is not so."""
    return condition.fill_null(False)


def _compare(column: Any, op: str, value: Any) -> Any:
    found = {">=": column >= value, "<=": column <= value}.get(op)
    return _known(column == value if found is None else found)


def _tagged(node: Tagged, asked: Asked) -> Any:
    place = asked.layout.tags.get(node.tag)
    if place is None:
        return _false()
    column = asked.people[f"tags_{place // BITS}"]
    return (column & (1 << place % BITS)) != 0


def _stands_in(node: StandsIn, asked: Asked) -> Any:
    return _known(asked.people[node.name].isin(list(node.values)))


def _stands_at(node: StandsAt, asked: Asked) -> Any:
    return _compare(asked.people[node.name], node.op, node.value)


def _flagged(node: Flagged, asked: Asked) -> Any:
    mask = sum(1 << RISKS.index(risk) for risk in node.risks)
    return _known((asked.people["flags"] & mask) != 0)


def _came(node: Came, asked: Asked) -> Any:
    column = asked.people[_SOURCE[node.by] + node.key]
    if node.by == "nothing":
        return ~column
    return column if node.by == "inviter" else _known(column == node.value)


def _allows(node: Allows, asked: Asked) -> Any:
    return asked.people[asked.layout.allows(node.purpose, node.channel)]


def _among(rows: Any, asked: Asked) -> Any:
    return asked.people.id.isin(rows.member)


def _did(node: Did, asked: Asked) -> Any:
    rows = asked.tables["days"]
    rows = asked.window(rows.filter(rows.kind == node.kind), node.days)
    summed = rows.group_by("member").aggregate(much=rows.n.sum())
    if node.at_most is not None:
        return ~_among(summed.filter(summed.much > node.at_most), asked)
    return _among(summed.filter(summed.much >= node.at_least), asked)


def _spent(node: Spent, asked: Asked) -> Any:
    import ibis  # noqa: PLC0415 - half a second that only counting needs

    rows = asked.tables["days"]
    rows = asked.window(rows.filter(rows.kind.isin(["paid", "refunded"])), node.days)
    signed = ibis.ifelse(rows.kind == "paid", rows.amount, -rows.amount)
    summed = rows.group_by("member").aggregate(much=signed.sum())
    where = None
    if node.low:
        where = _among(summed.filter(summed.much >= node.low), asked)
    if node.high is not None:
        most = ~_among(summed.filter(summed.much > node.high), asked)
        where = most if where is None else where & most
    return ibis.literal(True) if where is None else where


def _seated(node: Seated, asked: Asked) -> Any:
    rows = asked.tables["seats"]
    mine = rows.filter(rows.group == node.group)
    return _among(mine if node.ever else mine.filter(mine.inside), asked)


def _near(node: Near, asked: Asked) -> Any:
    import ibis  # noqa: PLC0415 - half a second that only counting needs

    lat, lon = asked.people.lat, asked.people.lon
    south, north = latitudes(node)
    half = ((lat - node.lat).radians() / 2.0).sin()
    wide = ((lon - node.lon).radians() / 2.0).sin()
    here = ibis.literal(node.lat).radians().cos()
    away = half * half + here * lat.radians().cos() * wide * wide
    return _known((lat >= south) & (lat <= north) & (away <= haversine_most(node.km)))


def _region(node: Region, asked: Asked) -> Any:
    column = asked.people.region
    if node.op == "set":
        return column != ""
    return column == node.value if node.op == "is" else column.contains(node.value)


def _birthday(node: Birthday, asked: Asked) -> Any:
    days = [m * 100 + d for m, found in birthdays(node, asked.today).items() for d in found]
    return _known(asked.people.born.isin(sorted(days)))


def _met(node: Met, asked: Asked) -> Any:
    first = asked.today - timedelta(days=node.value - 1)
    since = micros(datetime.combine(first, time(), asked.zone).astimezone(UTC))
    late = asked.people.made >= since
    return late if node.op == "within" else ~late


def _of_field(node: OfField, asked: Asked) -> Any:
    if node.key not in asked.layout.fields:
        return _false()
    column = asked.people[asked.layout.fields[node.key][0]]
    if node.op == "set":
        return column.notnull()
    if node.op == "contains":
        return _known(column.contains(node.value))
    return _compare(column, node.op, node.value)


_BUILDERS: dict[type, Callable[[Any, Asked], Any]] = {
    Tagged: _tagged, StandsIn: _stands_in, StandsAt: _stands_at, Did: _did, Spent: _spent,
    Seated: _seated, Near: _near, Region: _region, Birthday: _birthday, Met: _met,
    OfField: _of_field, Flagged: _flagged, Came: _came, Allows: _allows,
}  # fmt: skip
