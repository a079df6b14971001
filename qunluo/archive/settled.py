"""How staged rows become a segment: ordered, without duplicates, with their neighbours known.

The result is a function of the *set* of rows ever imported, whatever the order of imports:
the same message in two overlapping exports is one message (the platform's own id says so, or
the same group, instant, sender and words, and the how-manieth of these in its export); of two
versions the later edited wins, by a total order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from qunluo.archive.engines.base import Plan
from qunluo.archive.schema import EVENTS, MESSAGES

NAIVE = pa.timestamp("us")  # UTC in sent_at and at, the community's clock in local_at
CUT = pa.schema([pa.field("first", NAIVE), pa.field("end", NAIVE)])
"""One row: the local months of a segment, from the first instant to before `end`."""
STAGED_EXTRA = [("source_no", pa.int32()), ("pos", pa.int64())]


def _stored(
    schema: pa.Schema, keys: list[str], derived: list[tuple[str, pa.DataType]]
) -> pa.Schema:
    naive = [f.with_type(NAIVE) if pa.types.is_timestamp(f.type) else f for f in schema]
    first = [pa.field(k, pa.int64()) for k in keys] + [pa.field("local_at", NAIVE)]
    return pa.schema(
        first + [f.with_nullable(True) for f in naive] + [pa.field(*d) for d in derived]
    )


_MESSAGE_KEYS = ["group_key", "sender_key"]
_EVENT_KEYS = ["group_key", "subject_key", "actor_key", "inviter_key"]
_ORDER = [("seq", pa.int64()), ("nth", pa.int64())]

STAGED_MESSAGES = _stored(
    MESSAGES, _MESSAGE_KEYS, [("reply_sender_key", pa.int64()), *STAGED_EXTRA]
)
STAGED_EVENTS = _stored(EVENTS, _EVENT_KEYS, STAGED_EXTRA)
SEGMENT_MESSAGES = _stored(
    MESSAGES,
    _MESSAGE_KEYS,
    [
        ("reply_sender_key", pa.int64()),
        *_ORDER,
        ("chars", pa.int64()),
        ("reaction_count", pa.int64()),
        ("reply_delay_s", pa.int64()),
        ("prev_sender_key", pa.int64()),
        ("prev_gap_s", pa.int64()),
    ],
)
SEGMENT_EVENTS = _stored(EVENTS, _EVENT_KEYS, _ORDER)

_LATEST_FIRST = ["edited_at", "revoked", "reaction_count", "seq"]
_THEN_ANY = [
    "text",
    "sender_name",
    "group_name",
    "raw_kind",
    "reply_to",
    "media_name",
    "sent_at",
]


def messages_plan(*, dedup: bool, merge: bool, replies: bool) -> Plan:
    """Staged (and stored, if `merge`) messages to a segment.

    `dedup`: rows of several exports or with the platform's ids may be the same message;
    `replies`: some rows answer another. Each saves a pass where it is false.
    """
    name = f"settle_messages_{dedup:d}{merge:d}{replies:d}"

    def build(t: Mapping[str, Any]) -> Any:
        rows = _arrived_messages(t["staged"])
        if merge:
            kept = _within_cut(t).drop("reply_delay_s", "prev_sender_key", "prev_gap_s")
            rows = rows.union(kept.select(rows.columns), distinct=False)
        if merge or dedup:
            rows = _one_of_each(rows, _message_identity(rows), _LATEST_FIRST, _THEN_ANY)
        rows = _with_reply(rows) if replies else _without_reply(rows)
        order = ["group_key", "sent_at", "seq", "sender_key", "nth", "message_id", "text"]
        return _with_previous(rows, order).select(SEGMENT_MESSAGES.names).order_by(order)

    return Plan(name, build)


def events_plan(*, merge: bool) -> Plan:
    """Staged (and stored) events to a segment."""

    def build(t: Mapping[str, Any]) -> Any:
        same = ["kind", "subject_key", "actor_key", "new_name", "text"]
        rows = _numbered(t["staged"], "at", same, "event_id")
        if merge:
            rows = rows.union(_within_cut(t).select(rows.columns), distinct=False)
        identity = [
            "group_key",
            "event_id",
            *[_unless(rows, "event_id", c) for c in ["at", *same, "nth"]],
        ]
        rows = _one_of_each(rows, identity, ["seq"], ["subject_name", "group_name", "raw_kind"])
        return rows.select(SEGMENT_EVENTS.names).order_by(
            ["group_key", "at", "seq", "kind", "subject_key", "nth", "new_name", "text"]
        )

    return Plan(f"settle_events_{merge:d}", build)


def _within_cut(t: Mapping[str, Any]) -> Any:
    """Stored rows of the months of the segment that is being made."""
    stored, cut = t["stored"], t["cut"]
    first, end = cut.first.as_scalar(), cut.end.as_scalar()
    return stored.filter(stored.local_at >= first, stored.local_at < end)


def _arrived_messages(staged: Any) -> Any:
    rows = _numbered(staged, "sent_at", ["sender_key", "kind", "text"], "message_id")
    return rows.mutate(
        chars=rows.text.length().fill_null(0).cast("int64"),
        reaction_count=rows.reactions.map(lambda r: r["count"])
        .sums()
        .fill_null(0)
        .cast("int64"),
    )


def _numbered(staged: Any, instant: str, same: list[str], own_id: str) -> Any:
    """Adds `seq`, the order among rows of one group and instant, and `nth`, the order among
    those that are equal, both as their source has them."""
    import ibis  # noqa: PLC0415

    place = ["source_no", "group_key", instant]
    among = ibis.window(group_by=place, order_by="pos")
    equal = ibis.window(group_by=[*place, *same], order_by="pos")
    nth = ibis.ifelse(staged[own_id].isnull(), ibis.row_number().over(equal), 0)
    return staged.mutate(
        seq=ibis.row_number().over(among).cast("int64"), nth=nth.cast("int64")
    ).drop("source_no", "pos")


def _message_identity(rows: Any) -> list[Any]:
    own = [
        _unless(rows, "message_id", c) for c in ["sent_at", "sender_key", "kind", "text", "nth"]
    ]
    return ["group_key", "message_id", *own]


def _unless(rows: Any, own_id: str, column: str) -> Any:
    """The column where the platform gives no id; null where it does."""
    import ibis  # noqa: PLC0415

    return ibis.ifelse(rows[own_id].isnull(), rows[column], None).name(f"identity_{column}")


def _one_of_each(rows: Any, identity: list[Any], latest: list[str], ties: list[str]) -> Any:
    import ibis  # noqa: PLC0415

    order = [ibis.desc(rows[c], nulls_first=False) for c in latest + ties]
    rank = ibis.row_number().over(ibis.window(group_by=identity, order_by=order))
    return rows.mutate(rank=rank).filter(ibis._.rank == 0).drop("rank")


def _with_reply(rows: Any) -> Any:
    """Fills whom a reply answers and after how long, where its target is in the segment."""
    import ibis  # noqa: PLC0415

    wanted = (
        rows.filter(rows.reply_to.notnull()).select("group_key", id=ibis._.reply_to).distinct()
    )
    answered = rows.filter(rows.message_id.notnull()).select(
        "group_key", id=rows.message_id, target_key=rows.sender_key, target_at=rows.sent_at
    )
    answered = answered.semi_join(wanted, ["group_key", "id"])
    joined = rows.left_join(
        answered, [rows.group_key == answered.group_key, rows.reply_to == answered.id]
    )
    key = ibis.coalesce(joined.target_key, joined.reply_sender_key)
    at = ibis.coalesce(joined.target_at, joined.reply_sent_at)
    filled = joined.mutate(reply_sender_key=key, reply_delay_s=_seconds(joined.sent_at, at))
    return filled.select(*rows.columns, "reply_delay_s")


def _without_reply(rows: Any) -> Any:
    import ibis  # noqa: PLC0415

    return rows.mutate(reply_delay_s=ibis.null("int64"))


def _with_previous(rows: Any, order: list[str]) -> Any:
    """Fills who wrote before in the group; null for a group's first message in the segment."""
    import ibis  # noqa: PLC0415

    before = ibis.window(group_by="group_key", order_by=order[1:])
    gap = _seconds(rows.sent_at, rows.sent_at.lag().over(before))
    return rows.mutate(prev_sender_key=rows.sender_key.lag().over(before), prev_gap_s=gap)


def _seconds(later: Any, earlier: Any) -> Any:
    """Whole seconds between two instants: an integer, so that sums never depend on order."""
    return later.epoch_seconds() - earlier.epoch_seconds()
