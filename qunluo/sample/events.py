"""Membership events of a sample: joins, leaves, removals and changes of name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.schema import EVENTS
from qunluo.sample.accounts import Accounts
from qunluo.sample.clock import DAY, Clock
from qunluo.sample.groups import Groups
from qunluo.sample.numbers import Array
from qunluo.sample.people import FOREVER, People
from qunluo.sample.roster import SLICE, Registry, take
from qunluo.sample.stays import NOBODY, STILL_THERE, Stays
from qunluo.sample.tables import PLATFORM

JOIN, LEAVE, REMOVE, RENAME = range(4)
WORDS = ("join", "leave", "remove", "rename")
RAW_WORDS = ("加入了群聊", "退出了群聊", "被移出群聊", "修改了群昵称")


@dataclass(frozen=True)
class Happenings:
    """One row per event, in order of time."""

    at: Array
    group: Array
    kind: Array
    subject: Array
    actor: Array
    inviter: Array


def plan_events(plan_days: int, stays: Stays, people: People, accounts: Accounts) -> Happenings:
    """Everything that happened to memberships of members."""
    rows = np.arange(stays.people.stop)
    left = rows[stays.left[rows] != STILL_THERE]
    hosts = people.hosts.group[: people.hosts.speakers - len(people.hosts.service)]
    main_host = np.searchsorted(hosts, stays.group[left])
    out = np.where(stays.removed[left], REMOVE, LEAVE)
    parts = [
        _part(stays, rows, stays.joined[rows], JOIN, inviter=stays.inviter[rows]),
        _part(
            stays, left, stays.left[left], out, actor=np.where(out == REMOVE, main_host + 1, -1)
        ),
        _renames(plan_days, stays, accounts),
    ]
    columns = [np.concatenate(c) for c in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Happenings(*(c[order] for c in columns))


def _part(
    stays: Stays,
    rows: Array,
    at: Array,
    kind: Array | int,
    actor: Array | int = NOBODY,
    inviter: Array | int = NOBODY,
) -> tuple[Array, ...]:
    group, subject = stays.group[rows], stays.account[rows]
    others = (np.broadcast_to(c, group.shape) for c in (actor, inviter))
    return at, group, np.broadcast_to(kind, group.shape), subject, *others


def _renames(days: int, stays: Stays, accounts: Accounts) -> tuple[Array, ...]:
    """In every group somebody is in at the time."""
    rows = np.arange(stays.speaking)
    at = accounts.renamed_at[stays.account[rows]]
    gone = np.where(stays.left[rows] == STILL_THERE, days * DAY, stays.left[rows])
    rows = rows[(at < FOREVER) & (stays.joined[rows] < at) & (at < gone)]
    return _part(stays, rows, accounts.renamed_at[stays.account[rows]], RENAME)


def event_tables(
    happenings: Happenings, groups: Groups, registry: Registry, accounts: Accounts, clock: Clock
) -> Iterator[pa.Table]:
    """Tables of `EVENTS`, some rows at a time."""
    for begin in range(0, len(happenings.at), SLICE):
        yield _table(happenings, slice(begin, begin + SLICE), groups, registry, accounts, clock)


def _table(
    happenings: Happenings,
    part: slice,
    groups: Groups,
    registry: Registry,
    accounts: Accounts,
    clock: Clock,
) -> pa.Table:
    at, subject, kind = happenings.at[part], happenings.subject[part], happenings.kind[part]
    n, group = len(at), pa.array(happenings.group[part])
    known = subject < len(accounts.later)
    code = np.where(known, subject, 0)
    later = np.where(known & (kind == RENAME), accounts.later[code], NOBODY)
    renamed = np.where(known & (accounts.renamed_at[code] < at), accounts.later[code], NOBODY)
    columns = {
        "platform": pa.array([PLATFORM]).take(pa.array(np.zeros(n, np.int8))),
        "group_id": pa.array(groups.ids).take(group),
        "group_name": pa.array(groups.names).take(group),
        "event_id": pa.array(np.arange(part.start, part.start + n) + 1).cast(pa.string()),
        "at": clock.instants(at),
        "zone_known": pa.array(["utc"]).take(pa.array(np.zeros(n, np.int8))),
        "kind": pa.array(WORDS).take(pa.array(kind)),
        "raw_kind": pa.array(RAW_WORDS).take(pa.array(kind)),
        "subject_id": registry.ids.take(pa.array(subject)),
        "subject_name": _name_then(registry, accounts, subject, renamed),
        "actor_id": take(registry.ids, happenings.actor[part]),
        "inviter_id": take(registry.ids, happenings.inviter[part]),
        "new_name": take(accounts.names, later),
    }
    arrays = [columns.get(f.name, pa.nulls(n, f.type)) for f in EVENTS]
    return pa.Table.from_arrays(arrays, schema=EVENTS)


def _name_then(
    registry: Registry, accounts: Accounts, subject: Array, renamed: Array
) -> pa.Array:
    """The later name for those who changed it before; the first name otherwise."""
    first = registry.names.take(pa.array(subject))
    return pc.coalesce(take(accounts.names, renamed), first)
