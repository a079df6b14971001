"""Counted tables: small exact counts of a segment, made once when it is written.

Each is one expression over messages. Over one segment it is the segment's rollup; over all
messages it is the truth that a property test compares with the merged rollups. A segment
holds whole local months, and every count has its month or day among its keys, so merging is
mostly putting rollups under each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from qunluo.archive.engines.base import Plan

_I64, _DAY, _AT = pa.int64(), pa.date32(), pa.timestamp("us")


@dataclass(frozen=True)
class Counted:
    """One counted table: `count(messages)` answers rows with `columns`, unique by `keys`.

    `merge` names the columns that several segments may share a key in, and how to join them
    ("sum"); None where keys never repeat across segments.
    """

    name: str
    columns: tuple[tuple[str, pa.DataType], ...]
    count: Callable[[Any], Any]
    by: tuple[str, ...] | None = None  # keys of the merged table, where they drop the month

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(*c) for c in self.columns])

    def plan(self) -> Plan:
        """Counts one segment."""
        return Plan(f"count_{self.name}", lambda t: self.typed(self.count(t["messages"])))

    def typed(self, rows: Any) -> Any:
        kinds = {"int64": "int64", "date32[day]": "date", "timestamp[us]": "timestamp(6)"}
        wanted = {n: rows[n].cast(kinds.get(str(k), str(k))) for n, k in self.columns}
        return rows.select(**wanted)

    def merged(self, rollups: Any) -> Any:
        """The table over all segments from their rollups put under each other."""
        return rollups.group_by(*self.by).agg(n=rollups.n.sum()) if self.by else rollups


def _person(m: Any) -> Any:
    keys = m.group_by("group_key", "sender_key", month=_month(m))
    return keys.agg(
        n=m.count(),
        actions=(m.kind == "action").sum(),
        chars=m.chars.sum(),
        days=m.local_at.date().nunique(),
        first_at=m.local_at.min(),
        last_at=m.local_at.max(),
    )


def _person_day(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", day=m.local_at.date()).agg(n=m.count())


def _person_clock(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", month=_month(m), how=_how(m)).agg(n=m.count())


def _person_kind(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", "kind", month=_month(m)).agg(n=m.count())


def _clock(m: Any) -> Any:
    return m.group_by("group_key", month=_month(m), how=_how(m)).agg(n=m.count())


def _kind(m: Any) -> Any:
    return m.group_by("group_key", "kind", month=_month(m)).agg(n=m.count())


def _group_day(m: Any) -> Any:
    keys = m.group_by("group_key", day=m.local_at.date())
    return keys.agg(n=m.count(), speakers=m.sender_key.nunique())


def _day(m: Any) -> Any:
    return m.group_by(day=m.local_at.date()).agg(n=m.count(), speakers=m.sender_key.nunique())


def _burst(m: Any) -> Any:
    """Sizes of bursts; several groups' minutes are bursts of their own."""
    minutes = m.group_by("group_key", minute=m.local_at.truncate("m")).agg(size=m.count())
    month = minutes.minute.truncate("M").date()
    return minutes.group_by("group_key", "size", month=month).agg(minutes=minutes.count())


def _latency(m: Any) -> Any:
    answers = m.filter(m.reply_sender_key != m.sender_key, m.reply_delay_s >= 0)
    keys = answers.group_by("group_key", month=_month(answers), delay_s=answers.reply_delay_s)
    return keys.agg(n=answers.count())


def _pair(m: Any) -> Any:
    import ibis  # noqa: PLC0415

    answers = m.filter(m.reply_sender_key.notnull())
    follows = m.filter(m.prev_sender_key.notnull())
    both = [
        rows.group_by("group_key", "sender_key", month=_month(rows), other_key=rows[other])
        .agg(n=rows.count())
        .mutate(tie=ibis.literal(tie))
        for rows, other, tie in [
            (answers, "reply_sender_key", "reply"),
            (follows, "prev_sender_key", "next"),
        ]
    ]
    return both[0].union(both[1], distinct=False)


def _month(m: Any) -> Any:
    return m.local_at.truncate("M").date()


def _how(m: Any) -> Any:
    """Hour of the week, Monday 00 h = 0."""
    return m.local_at.day_of_week.index() * 24 + m.local_at.hour()


_GROUP, _SENDER, _MONTH, _N = (
    ("group_key", _I64),
    ("sender_key", _I64),
    ("month", _DAY),
    ("n", _I64),
)

COUNTED: tuple[Counted, ...] = (
    Counted(
        "person",
        (
            _GROUP,
            _SENDER,
            _MONTH,
            _N,
            ("actions", _I64),
            ("chars", _I64),
            ("days", _I64),
            ("first_at", _AT),
            ("last_at", _AT),
        ),
        _person,
    ),
    Counted("person_day", (_GROUP, _SENDER, ("day", _DAY), _N), _person_day),
    Counted(
        "person_clock",
        (_GROUP, _SENDER, _MONTH, ("how", _I64), _N),
        _person_clock,
        by=("group_key", "sender_key", "how"),
    ),
    Counted("person_kind", (_GROUP, _SENDER, _MONTH, ("kind", pa.string()), _N), _person_kind),
    Counted("clock", (_GROUP, _MONTH, ("how", _I64), _N), _clock, by=("group_key", "how")),
    Counted(
        "kind", (_GROUP, _MONTH, ("kind", pa.string()), _N), _kind, by=("group_key", "kind")
    ),
    Counted("group_day", (_GROUP, ("day", _DAY), _N, ("speakers", _I64)), _group_day),
    Counted("day", (("day", _DAY), _N, ("speakers", _I64)), _day),
    Counted("burst", (_GROUP, _MONTH, ("size", _I64), ("minutes", _I64)), _burst),
    Counted(
        "latency",
        (_GROUP, _MONTH, ("delay_s", _I64), _N),
        _latency,
        by=("group_key", "delay_s"),
    ),
    Counted(
        "pair",
        (_GROUP, _SENDER, ("other_key", _I64), _MONTH, ("tie", pa.string()), _N),
        _pair,
        by=("group_key", "sender_key", "other_key", "tie"),
    ),
)

EDGES = pa.schema(
    [
        pa.field("group_key", _I64),
        pa.field("first_at", _AT),
        pa.field("first_local", _AT),
        pa.field("first_key", _I64),
        pa.field("last_at", _AT),
        pa.field("last_key", _I64),
    ]
)
"""The first and last message of each group in a segment: what adjacency across segments needs."""

OPEN_REPLIES = pa.schema(
    [
        pa.field("group_key", _I64),
        pa.field("sender_key", _I64),
        pa.field("sent_at", _AT),
        pa.field("local_at", _AT),
        pa.field("reply_to", pa.string()),
    ]
)
"""Replies whose target is not in their segment."""

CROSSING = pa.schema(
    [
        pa.field("group_key", _I64),
        pa.field("sender_key", _I64),
        pa.field("other_key", _I64),
        pa.field("month", _DAY),
        pa.field("tie", pa.string()),
        pa.field("gap_s", _I64),
    ]
)
"""Replies and neighbours that lie in two segments, one row each."""


ACCOUNTS = pa.schema(
    [
        pa.field("sender_key", _I64),
        pa.field("platform", pa.string()),
        pa.field("sender_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("role", pa.string()),
        pa.field("last_at", _AT),
    ]
)
GROUPS = pa.schema(
    [
        pa.field("group_key", _I64),
        pa.field("platform", pa.string()),
        pa.field("group_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("last_at", _AT),
    ]
)


def accounts_plan() -> Plan:
    """The latest name and the platform's own word on each account of a segment."""

    def build(t: Mapping[str, Any]) -> Any:
        m = t["messages"]
        return m.group_by("sender_key").agg(
            platform=m.platform.max(),
            sender_id=m.sender_id.max(),
            name=_latest(m.sender_name, m.sent_at),
            role=m.role.max(),
            last_at=m.sent_at.max(),
        )

    return Plan("segment_accounts", build)


def groups_plan() -> Plan:
    """The latest name of each group of a segment."""

    def build(t: Mapping[str, Any]) -> Any:
        m = t["messages"]
        return m.group_by("group_key").agg(
            platform=m.platform.max(),
            group_id=m.group_id.max(),
            name=_latest(m.group_name, m.sent_at),
            last_at=m.sent_at.max(),
        )

    return Plan("segment_groups", build)


def _latest(name: Any, at: Any) -> Any:
    """The latest of names; of several at one instant the greatest, so that order is no matter."""
    import ibis  # noqa: PLC0415

    stamped = at.epoch_seconds().cast("string").lpad(12, "0") + ibis.literal("\x1f") + name
    return stamped.max().split("\x1f")[1]


def edges_plan() -> Plan:
    """First and last message of each group; segments are sorted by group and time."""

    def build(t: Mapping[str, Any]) -> Any:
        import ibis  # noqa: PLC0415

        m = t["messages"]
        order = ["sent_at", "seq", "sender_key", "nth", "message_id", "text"]
        ranked = m.select(
            "group_key",
            "sender_key",
            "sent_at",
            "local_at",
            first=ibis.row_number().over(ibis.window(group_by="group_key", order_by=order))
            == 0,
            last=m.sent_at.lead()
            .over(ibis.window(group_by="group_key", order_by=order))
            .isnull(),
        )
        ends = ranked.filter(ranked.first | ranked.last)
        return ends.group_by("group_key").agg(
            first_at=ends.sent_at.min(where=ends.first),
            first_local=ends.local_at.min(where=ends.first),
            first_key=ends.sender_key.min(where=ends.first),
            last_at=ends.sent_at.max(where=ends.last),
            last_key=ends.sender_key.max(where=ends.last),
        )

    return Plan("segment_edges", build)


def open_replies_plan() -> Plan:
    """Explicit replies that a segment could not resolve."""

    def build(t: Mapping[str, Any]) -> Any:
        m = t["messages"]
        unresolved = m.filter(m.reply_to.notnull(), m.reply_sender_key.isnull())
        return unresolved.select(OPEN_REPLIES.names)

    return Plan("segment_open_replies", build)


def found_replies_plan() -> Plan:
    """Open replies of all segments met with the messages they answer."""

    def build(t: Mapping[str, Any]) -> Any:
        import ibis  # noqa: PLC0415

        o, m = (
            t["open"],
            t["messages"].select("group_key", "message_id", "sender_key", "sent_at"),
        )
        m = m.rename(target_group="group_key", other_key="sender_key", target_at="sent_at")
        met = o.join(m, [o.group_key == m.target_group, o.reply_to == m.message_id])
        gap = met.sent_at.epoch_seconds() - met.target_at.epoch_seconds()
        month = met.local_at.truncate("M").date()
        return met.mutate(month=month, tie=ibis.literal("reply"), gap_s=gap).select(
            CROSSING.names
        )

    return Plan("found_replies", build)
