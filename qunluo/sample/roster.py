"""The roster, staff and corporate files of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from qunluo.sample.accounts import Accounts, account_ids, nicknames
from qunluo.sample.clock import Clock
from qunluo.sample.groups import Groups
from qunluo.sample.numbers import Array, Ints
from qunluo.sample.people import STANDINGS, People
from qunluo.sample.plan import Plan
from qunluo.sample.stays import STILL_THERE, Stays
from qunluo.sample.words import VENDORS

SLICE = 400_000
ROSTER = pa.schema(
    [
        (name, pa.string())
        for name in (
            "group_id", "member_id", "name", "joined_at", "left_at", "corporate", "vendor",
        )
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Registry:
    """Ids and first names of every account, the silent members' too."""

    ids: pa.Array
    names: pa.Array

    @classmethod
    def of(cls, plan: Plan, people: People, accounts: Accounts, silent: int) -> Registry:
        first = people.first_silent
        more = nicknames(plan.seed, np.arange(first, first + silent))
        return cls(
            ids=pa.concat_arrays([accounts.ids, account_ids(first, first + silent)]),
            names=pa.concat_arrays([accounts.names.slice(0, first), more]),
        )


def take(values: pa.Array, place: Array) -> pa.Array:
    """Values by place; null where the place is negative."""
    return values.take(pa.array(place, mask=np.asarray(place) < 0))


def write_roster(
    to: Path, stays: Stays, groups: Groups, people: People, registry: Registry, clock: Clock
) -> None:
    """group_id, member_id, name, joined_at, left_at (local time), corporate, vendor."""
    group_ids = pa.array(groups.ids)
    order = np.lexsort((stays.joined, stays.group))
    with pa_csv.CSVWriter(to, ROSTER, write_options=plain_csv()) as out:
        for begin in range(0, len(order), SLICE):
            rows = order[begin : begin + SLICE]
            account, left = stays.account[rows], stays.left[rows]
            columns = [
                group_ids.take(pa.array(stays.group[rows])),
                registry.ids.take(pa.array(account)),
                registry.names.take(pa.array(account)),
                clock.iso(stays.joined[rows]),
                clock.iso(np.maximum(left, 0), left == STILL_THERE),
                *_corporate(people, account),
            ]
            out.write_table(pa.Table.from_arrays(columns, schema=ROSTER))


def write_corporate(to: Path, people: People, groups: Groups, registry: Registry) -> None:
    """account, corporate, vendor, group: the same facts, for when there is no roster."""
    account = 1 + np.arange(len(people.hosts.group))
    standing, vendor = _corporate(people, account)
    table = pa.table(
        {
            "account": registry.ids.take(pa.array(account)),
            "corporate": standing,
            "vendor": vendor,
            "group": pa.array(groups.ids).take(pa.array(people.hosts.group)),
        }
    )
    pa_csv.write_csv(table, to, plain_csv())


def write_staff(
    to: Path, people: People, groups: Groups, registry: Registry, clock: Clock
) -> None:
    """account, role, from, until, group: speaking brand accounts, and who joined mid-way."""
    hosts, members = people.hosts, people.members
    later = list(hosts.staff_from)
    account = np.concatenate([1 + np.arange(hosts.speakers), members.account[later]])
    group = np.concatenate([hosts.group[: hosts.speakers], members.group[later]])
    since = [None] * hosts.speakers + [clock.date(d) for d in hosts.staff_from.values()]
    table = pa.table(
        {
            "account": registry.ids.take(pa.array(account.astype(np.int64))),
            "role": pa.array(["brand"] * len(account)),
            "from": pa.array(since, pa.string()),
            "until": pa.nulls(len(account), pa.string()),
            "group": pa.array(groups.ids).take(pa.array(group.astype(np.int64))),
        }
    )
    pa_csv.write_csv(table, to, plain_csv())


def plain_csv() -> pa_csv.WriteOptions:
    return pa_csv.WriteOptions(quoting_style="needed")


def _corporate(people: People, account: Array) -> tuple[pa.Array, pa.Array]:
    """Standing and tool vendor of corporate accounts, null for everybody else."""
    place: Ints = np.where(account < people.first_member, account - 1, -1)
    standing = take(pa.array(STANDINGS).take(pa.array(people.hosts.standing)), place)
    vendor = take(pa.array(VENDORS).take(pa.array(people.hosts.vendor)), place)
    return standing, pc.if_else(pc.is_valid(standing), vendor, None)
