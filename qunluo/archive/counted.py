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
    """One counted table: `count` answers rows with `columns` from what it counts, `of`.

    `raw` answers the same from messages, where that costs less than making `of` first.
    """

    name: str
    columns: tuple[tuple[str, pa.DataType], ...]
    count: Callable[[Any], Any]
    of: str = "messages"  # what it counts: messages, or a finer counted table
    raw: Callable[[Any], Any] | None = None
    by: tuple[str, ...] | None = None  # keys of the merged table, where they drop the month

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(*c) for c in self.columns])

    @property
    def rollup(self) -> str:
        """The name of its rollups."""
        return f"count_{self.name}"

    def plan(self) -> Plan:
        """Counts one segment."""
        of = self.of if self.of == "messages" else f"count_{self.of}"
        return Plan(self.rollup, lambda t: self.typed(self.count(t[of])))

    def typed(self, rows: Any) -> Any:
        kinds = {"int64": "int64", "date32[day]": "date", "timestamp[us]": "timestamp(6)"}
        wanted = {n: rows[n].cast(kinds.get(str(k), str(k))) for n, k in self.columns}
        return rows.select(**wanted)

    def merged(self, rollups: Any) -> Any:
        """The table over all segments from their rollups put under each other."""
        return rollups.group_by(*self.by).agg(n=rollups.n.sum()) if self.by else rollups


def _person(m: Any) -> Any:
    by_day = m.group_by("group_key", "sender_key", day=m.local_at.date()).agg(
        n=m.count(),
        actions=(m.kind == "action").sum(),
        chars=m.chars.sum(),
        first_at=m.local_at.min(),
        last_at=m.local_at.max(),
    )
    return by_day.group_by("group_key", "sender_key", month=_month_of(by_day.first_at)).agg(
        n=by_day.n.sum(),
        actions=by_day.actions.sum(),
        chars=by_day.chars.sum(),
        days=by_day.count(),
        first_at=by_day.first_at.min(),
        last_at=by_day.last_at.max(),
    )


def _person_day(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", day=m.local_at.date()).agg(n=m.count())


def _person_clock(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", month=_month(m), how=_how(m)).agg(n=m.count())


def _person_kind(m: Any) -> Any:
    return m.group_by("group_key", "sender_key", "kind", month=_month(m)).agg(n=m.count())


def _clock(person_clock: Any) -> Any:
    p = person_clock
    return p.group_by("group_key", "month", "how").agg(n=p.n.sum())


def _kind(person_kind: Any) -> Any:
    p = person_kind
    return p.group_by("group_key", "kind", "month").agg(n=p.n.sum())


def _raw_clock(m: Any) -> Any:
    return m.group_by("group_key", month=_month(m), how=_how(m)).agg(n=m.count())


def _raw_kind(m: Any) -> Any:
    return m.group_by("group_key", "kind", month=_month(m)).agg(n=m.count())


def _group_day(person_day: Any) -> Any:
    p = person_day
    return p.group_by("group_key", "day").agg(n=p.n.sum(), speakers=p.count())


def _day(person_day: Any) -> Any:
    p = person_day
    return p.group_by("day").agg(n=p.n.sum(), speakers=p.sender_key.nunique())


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
    return _month_of(m.local_at)


def _month_of(instant: Any) -> Any:
    return instant.truncate("M").date()


def _how(m: Any) -> Any:
    """Hour of the week, Monday 00 h = 0."""
    return m.local_at.day_of_week.index() * 24 + m.local_at.hour()


_GROUP, _SENDER, _N = ("group_key", _I64), ("sender_key", _I64), ("n", _I64)
_MONTH, _DATE, _HOW = ("month", _DAY), ("day", _DAY), ("how", _I64)
_KIND, _TIE = ("kind", pa.string()), ("tie", pa.string())
_PERSON = (
    *(_GROUP, _SENDER, _MONTH, _N, ("actions", _I64), ("chars", _I64), ("days", _I64)),
    *(("first_at", _AT), ("last_at", _AT)),
)
_PAIR = (_GROUP, _SENDER, ("other_key", _I64), _MONTH, _TIE, _N)

COUNTED: tuple[Counted, ...] = (
    Counted("person", _PERSON, _person),
    Counted("person_day", (_GROUP, _SENDER, _DATE, _N), _person_day),
    Counted(
        "person_clock",
        (_GROUP, _SENDER, _MONTH, _HOW, _N),
        _person_clock,
        by=("group_key", "sender_key", "how"),
    ),
    Counted("person_kind", (_GROUP, _SENDER, _MONTH, _KIND, _N), _person_kind),
    Counted(
        "clock",
        (_GROUP, _MONTH, _HOW, _N),
        _clock,
        of="person_clock",
        raw=_raw_clock,
        by=("group_key", "how"),
    ),
    Counted(
        "kind",
        (_GROUP, _MONTH, _KIND, _N),
        _kind,
        of="person_kind",
        raw=_raw_kind,
        by=("group_key", "kind"),
    ),
    Counted("group_day", (_GROUP, _DATE, _N, ("speakers", _I64)), _group_day, of="person_day"),
    Counted("day", (_DATE, _N, ("speakers", _I64)), _day, of="person_day"),
    Counted("burst", (_GROUP, _MONTH, ("size", _I64), ("minutes", _I64)), _burst),
    Counted(
        "latency",
        (_GROUP, _MONTH, ("delay_s", _I64), _N),
        _latency,
        by=("group_key", "delay_s"),
    ),
    Counted("pair", _PAIR, _pair, by=("group_key", "sender_key", "other_key", "tie")),
)
"""Finer tables before those that count them."""

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
