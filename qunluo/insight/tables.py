"""The tables a cube may stand on, as attributes of one object. Keys are stable 64-bit hashes.

Raw (one row a message or event, the truth):

- `messages`: group_key, sender_key, sent_at (UTC), local_at (naive, community zone), seq, kind,
  raw_kind, text, message_id, thread_id, reply_to, reply_sender_key, reply_delay_s (explicit
  replies whose target is in the archive; null otherwise), prev_sender_key, prev_gap_s (who
  wrote before in the group, and how long before), mentions, revoked, forwarded, edited_at,
  reactions, reaction_count, media_*; sorted by group, sent_at, seq.
- `classed`: `messages` with `class` (brand, member, bot, system).
- `events`: group_key, subject_key, actor_key, inviter_key, at, local_at, kind, text, new_name …

Counted (small, exact; from rollups made at import, or from raw rows with equal results):

- `person`: group_key, sender_key, month (date), n (messages and actions), actions, chars, days,
  first_at, last_at (local, naive)
- `person_day`: group_key, sender_key, day (date), n
- `person_clock`: group_key, sender_key, how (0–167, Monday 00 h = 0), n
- `person_kind`: group_key, sender_key, month, kind, n
- `group_day`: group_key, day, n, speakers
- `day`: day, n, speakers (distinct over all groups)
- `burst`: group_key, month, size (messages in one clock minute), minutes
- `latency`: group_key, delay_s (int), n (explicit replies by another account)
- `pair`: group_key, sender_key, other_key, tie ("reply": sender answered other; "next": sender
  wrote right after other), n

Shared (merged once for all cubes that ask):

- `account`: group_key, sender_key, n
- `active`: sender_key, month, n
- `minutes`: group_key, minute (local, naive), n, people (messages of neither bots nor system)

Small, in memory:

- `classes`: group_key, sender_key, class, suspected (bool)
- `accounts`: sender_key, platform, sender_id, name (latest), role (platform's own word or null)
- `groups`: group_key, platform, group_id, name
- `roster`: group_key, sender_key (also of members who never wrote), name, joined_at, left_at
  (local, naive, null if unknown or still there)
- `corporate`: group_key (null: all groups), sender_key, name, corporate (verified, lapsed,
  never or null), vendor; from the corporate table and from the roster's columns
- `staff`, `orders`: what the user gave (see `insight.inputs`); all empty tables if not
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from qunluo.archive.counted import COUNTED, Counted
from qunluo.archive.engines.base import Derived, Inputs, Later, Plan
from qunluo.archive.manifest import Manifest
from qunluo.archive.store import Archive
from qunluo.insight.inputs import ORDERS, STAFF, schema

_I64, _TEXT, _LOCAL = pa.int64(), pa.string(), pa.timestamp("us")

CLASSES = pa.schema(
    [("group_key", _I64), ("sender_key", _I64), ("class", _TEXT), ("suspected", pa.bool_())]
)
DATED = pa.schema(
    [("group_key", _I64), ("sender_key", _I64), ("acting_key", _I64), ("first", _LOCAL),
     ("end", _LOCAL)]
)  # fmt: skip
"""Accounts that were staff only for a time: while they were, they count as `acting_key`."""

SMALL: dict[str, pa.Schema] = {
    "classes": CLASSES,
    "dated": DATED,
    "accounts": pa.schema(
        [("sender_key", _I64), ("platform", _TEXT), ("sender_id", _TEXT), ("name", _TEXT),
         ("role", _TEXT)]
    ),
    "groups": pa.schema(
        [("group_key", _I64), ("platform", _TEXT), ("group_id", _TEXT), ("name", _TEXT)]
    ),
    "roster": pa.schema(
        [("group_key", _I64), ("sender_key", _I64), ("name", _TEXT), ("joined_at", _LOCAL),
         ("left_at", _LOCAL)]
    ),
    "corporate": pa.schema(
        [("group_key", _I64), ("sender_key", _I64), ("name", _TEXT), ("corporate", _TEXT),
         ("vendor", _TEXT)]
    ),
    "staff": schema(STAFF),
    "orders": schema(ORDERS),
}  # fmt: skip


MINUTES = pa.schema([("group_key", _I64), ("minute", _LOCAL), ("n", _I64), ("people", _I64)])
NOT_PEOPLE = ("bot", "system")


@dataclass(frozen=True)
class Tables:
    """The tables as attributes, over an engine's named inputs.

    `dated`: some accounts were staff for a time only, and stand as their acting accounts then.
    """

    inputs: Mapping[str, Any]
    dated: bool = False

    def __getattr__(self, name: str) -> Any:
        if name in BY_NAME:
            return self.counted(BY_NAME[name])
        if name in SMALL or name in SHARED:
            return self.inputs[name]
        raise AttributeError(name)

    @cached_property
    def messages(self) -> Any:
        rows = self.inputs["messages"]
        return _acting(rows, self.inputs["dated"]) if self.dated else rows

    @cached_property
    def events(self) -> Any:
        return self.inputs["events"]

    @cached_property
    def classed(self) -> Any:
        classes = self.inputs["classes"].drop("suspected")
        return self.messages.inner_join(classes, ["group_key", "sender_key"])

    @cached_property
    def minutes(self) -> Any:
        return self.inputs["minutes"]

    def own(self, rows: Any) -> Any:
        """The rows with every account under its own key, while it was staff too."""
        if not self.dated:
            return rows
        dated = self.inputs["dated"]
        own = dated.select(acting_key=dated.acting_key, own_key=dated.sender_key).distinct()
        met = rows.left_join(own, rows.sender_key == own.acting_key)
        return met.mutate(sender_key=met.own_key.coalesce(met.sender_key)).select(rows.columns)

    def counted(self, table: Counted) -> Any:
        """A counted table of all segments."""
        return table.merged(self.rows(table.name))

    def rows(self, name: str) -> Any:
        """Rows of a counted table with their months and not yet merged: enough for sums."""
        table = BY_NAME[name]
        rows = self.inputs[table.rollup]
        if name not in _CROSSED:
            return rows
        return rows.union(_crossing(self.inputs["crossing"], table), distinct=False)


BY_NAME = {c.name: c for c in COUNTED}
_CROSSED = ("pair", "latency")


def _crossing(crossing: Any, table: Counted) -> Any:
    """Pairs that lie in two segments, as rows of a counted table."""
    import ibis  # noqa: PLC0415

    rows = crossing.mutate(n=ibis.literal(1, "int64"))
    if table.name == "latency":
        other = rows.other_key != rows.sender_key
        rows = rows.filter(rows.tie == "reply", other, rows.gap_s >= 0).rename(delay_s="gap_s")
    return rows.select([n for n, _ in table.columns])


def _acting(messages: Any, dated: Any) -> Any:
    """Messages in which an account that was staff then stands as its acting account."""
    import ibis  # noqa: PLC0415

    spans = dated.rename(dated_group="group_key", dated_sender="sender_key")
    met = messages.left_join(
        spans,
        [
            messages.group_key == spans.dated_group,
            messages.sender_key == spans.dated_sender,
            messages.local_at >= spans.first,
            messages.local_at < spans.end,
        ],
    )
    acting = met.mutate(sender_key=ibis.coalesce(met.acting_key, met.sender_key))
    return acting.select(messages.columns)


def _account(person: Any) -> Any:
    return person.group_by("group_key", "sender_key").agg(n=person.n.sum().cast("int64"))


def _active(person: Any) -> Any:
    return person.group_by("sender_key", "month").agg(n=person.n.sum().cast("int64"))


SHARED: dict[str, tuple[pa.Schema, Callable[[Any], Any]]] = {
    "account": (
        pa.schema([("group_key", _I64), ("sender_key", _I64), ("n", _I64)]),
        _account,
    ),
    "active": (pa.schema([("sender_key", _I64), ("month", pa.date32()), ("n", _I64)]), _active),
}
"""Tables made of `person` that several cubes need."""


def inputs_of(archive: Archive, manifest: Manifest, small: Mapping[str, Later]) -> Inputs:
    """Every table an archive offers, under the names that plans use, with those of `SMALL`."""
    return {
        "messages": archive.messages(manifest),
        "events": archive.events(manifest),
        "crossing": archive.crossing(manifest),
        **{c.rollup: archive.rollups(manifest, c) for c in COUNTED},
        **{name: Derived(s, _shared(name, of)) for name, (s, of) in SHARED.items()},
        **small,
    }


def _shared(name: str, of: Callable[[Any], Any]) -> Plan:
    return Plan(f"shared_{name}", lambda t: of(t["count_person"]))


def by_minute(*, dated: bool) -> Inputs:
    """`minutes`, counted from raw rows."""
    suffix = "_dated" if dated else ""
    plan = Plan(f"minutes{suffix}", lambda t: _minutes(Tables(t, dated)))
    return {"minutes": Derived(MINUTES, plan)}


def _minutes(t: Tables) -> Any:
    rows = t.classed
    return rows.group_by("group_key", minute=rows.local_at.truncate("m")).agg(
        n=rows.count(), people=rows["class"].notin(NOT_PEOPLE).sum()
    )


def recounted(inputs: Inputs, *, dated: bool) -> Inputs:
    """The same inputs with every counted table counted from raw rows, with equal results."""
    return {**inputs, **{c.rollup: Derived(c.schema, _recount(c, dated)) for c in COUNTED}}


def _recount(table: Counted, dated: bool) -> Plan:
    def build(t: Mapping[str, Any]) -> Any:
        if table.raw or table.of == "messages":
            return table.typed((table.raw or table.count)(Tables(t, dated).messages))
        return table.typed(table.count(t[BY_NAME[table.of].rollup]))

    return Plan(f"recount_{table.name}{'_dated' if dated else ''}", build)
