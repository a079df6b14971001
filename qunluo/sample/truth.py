"""The planted truth of a sample, gathered while its rows are made.

`truth.json` (format version 1) holds what is small, `truth_members.parquet` one row per
speaking membership, `truth_replies.parquet` one row per answer with its target.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.archive.schema import KINDS
from qunluo.sample.clock import DAY, HOUR, Clock
from qunluo.sample.contents import Content
from qunluo.sample.draws import BRAND, CLASSES, EVIDENCE, MEMBER, Rows
from qunluo.sample.groups import Groups
from qunluo.sample.lives import Lives
from qunluo.sample.numbers import Array, Ints
from qunluo.sample.orders import Orders, campaign_ids
from qunluo.sample.partners import Partners
from qunluo.sample.people import CIRCLES, PARTS, STANDINGS, People
from qunluo.sample.plan import Plan
from qunluo.sample.planted import voice_of
from qunluo.sample.roster import Registry, take
from qunluo.sample.stays import STILL_THERE, Stays
from qunluo.sample.story import Story
from qunluo.sample.tables import MESSAGE_BASE
from qunluo.sample.words import VENDORS

FORMAT_VERSION = 1
REPLIES = pa.schema(
    [
        ("group_id", pa.string()),
        ("message_id", pa.string()),
        ("target_id", pa.string()),
        ("evidence", pa.string()),
        ("delay_s", pa.int64()),
    ]
)
BRAND_BUCKETS = (1, 5, 20, 50, 100)


class Tally:
    """Counts what was written, slab by slab."""

    def __init__(self, story: Story) -> None:
        n, people, clock = len(story.groups), story.people, story.clock
        self.clock = clock
        self.weeks = clock.week_of(clock.days - 1) + 1
        self.kinds = np.zeros((len(CLASSES), len(KINDS)), np.int64)
        self.hours = np.zeros((len(CLASSES), 24), np.int64)
        self.member_weeks = np.zeros((n, self.weeks), np.int64)
        self.brand_top = np.zeros(n, np.int64)
        self.by_member = np.zeros(len(people.members), np.int64)
        self.evidence = np.zeros(len(EVIDENCE), np.int64)
        self.messages = 0
        self.partners = Partners(people.first_silent)

    def add(self, rows: Rows, content: Content) -> None:
        """Counts one slab; slabs are whole days."""
        klass = rows.klass.astype(np.int64)
        self.messages += len(rows)
        self.kinds += _crossed(klass, content.kind, self.kinds.shape)
        self.hours += _crossed(klass, rows.at % DAY // HOUR, self.hours.shape)
        talk = np.flatnonzero(klass == MEMBER)
        week = self.clock.week(rows.at[talk] // DAY)
        self.member_weeks += _crossed(rows.group[talk], week, self.member_weeks.shape)
        self.by_member += np.bincount(rows.member[talk], minlength=len(self.by_member))
        self.evidence += np.bincount(rows.evidence, minlength=len(EVIDENCE))
        self._brand_days(rows, np.flatnonzero(klass == BRAND))
        self.partners.add(rows)

    def _brand_days(self, rows: Rows, brand: Array) -> None:
        if not len(brand):
            return
        day = rows.at[brand] // DAY
        low, span = int(day.min()), int(day.max() - day.min()) + 1
        counts = _crossed(rows.group[brand], day - low, (len(self.brand_top), span))
        self.brand_top = np.maximum(self.brand_top, counts.max(axis=1))


def _crossed(row: Array, column: Array, shape: tuple[int, ...]) -> Ints:
    cell = row.astype(np.int64) * shape[1] + column
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def reply_table(rows: Rows, groups: Groups, before: int) -> pa.Table:
    """Every answer of a slab with the message it answers."""
    answers = np.flatnonzero(rows.target >= 0)
    target = rows.target[answers]
    ids = [pa.array(p + (MESSAGE_BASE + before)).cast(pa.string()) for p in (answers, target)]
    columns = [
        pa.array(groups.ids).take(pa.array(rows.group[answers])),
        *ids,
        pa.array(EVIDENCE).take(pa.array(rows.evidence[answers])),
        pa.array(rows.at[answers] - rows.at[target]),
    ]
    return pa.Table.from_arrays(columns, schema=REPLIES)


def member_table(story: Story, tally: Tally, registry: Registry, stays: Stays) -> pa.Table:
    """Every speaking membership: part, circle, community, messages, its times, the day from
    which on they say nothing, and who brought them."""
    members, n = story.people.members, stays.speaking
    groups, clock = story.groups, story.clock
    left = stays.left[:n]
    return pa.table(
        {
            "group_id": pa.array(groups.ids).take(pa.array(members.group)),
            "member_id": registry.ids.take(pa.array(members.account)),
            "part": pa.array(PARTS).take(pa.array(members.part)),
            "circle": pa.array(CIRCLES).take(pa.array(members.circle)),
            "community": pa.array(members.community.astype(np.int32)),
            "messages": pa.array(tally.by_member),
            "joined_at": clock.instants(stays.joined[:n]),
            "left_at": _masked(clock, left),
            "quiet_on": _days(clock, members.quiet),
            "inviter_id": take(registry.ids, stays.inviter[:n]),
        }
    )


def _masked(clock: Clock, left: Ints) -> pa.Array:
    known = clock.instants(np.maximum(left, 0))
    return known.take(pa.array(np.arange(len(left)), mask=left == STILL_THERE))


def _days(clock: Clock, day: Ints) -> pa.Array:
    """Local days; null for never, and for what lies after the sample."""
    known = day < clock.days
    first = np.datetime64(clock.date(0), "D")
    days = first + np.where(known, day, 0).astype("timedelta64[D]")
    return pa.array(days, pa.date32(), mask=~known)


def truth_of(
    story: Story, tally: Tally, stays: Stays, orders: Orders, registry: Registry
) -> dict[str, Any]:
    """What was planted, as plain JSON."""
    plan, groups, lives = story.plan, story.groups, story.lives
    people, clock = story.people, story.clock
    return {
        "format_version": FORMAT_VERSION,
        "plan": _plan(plan),
        "totals": {
            "messages": tally.messages,
            "groups": len(groups),
            "speakers": plan.speakers,
            "customers": orders.customers(),
            "orders": len(orders.at),
            "repeat_rate": orders.repeat_rate(),
        },
        "classes": dict(zip(CLASSES, tally.kinds.sum(axis=1).tolist(), strict=True)),
        "kinds": {c: _named(KINDS, tally.kinds[k]) for k, c in enumerate(CLASSES)},
        "hours": {c: tally.hours[k].tolist() for k, c in enumerate(CLASSES)},
        "replies": _named(EVIDENCE[1:], tally.evidence[1:]),
        "corporate": {
            "standing": _named(STANDINGS, np.bincount(people.hosts.standing, minlength=3)),
            "vendor": _named(VENDORS, np.bincount(people.hosts.vendor, minlength=len(VENDORS))),
        },
        "brand_accounts": _brand_accounts(people, groups, registry),
        "later_staff": _later_staff(people, groups, registry, clock),
        "groups": _groups(tally, groups, people, stays, registry),
        "waves": [
            {"group": groups.ids[w.group], "from": clock.date(w.day), "days": w.days}
            for w in lives.waves
        ],
        "campaigns": _campaigns(lives, groups, clock),
        "spikes": _spikes(story, tally, registry),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "messages": plan.messages,
        "groups": plan.groups,
        "speakers": plan.speakers,
        "seed": plan.seed,
        "first_on": plan.first_on.isoformat(),
        "last_on": plan.last_on.isoformat(),
        "zone": plan.zone.key,
    }


def _named(names: tuple[str, ...], counts: Array) -> dict[str, int]:
    return {name: int(n) for name, n in zip(names, counts, strict=True) if n}


def _brand_accounts(people: People, groups: Groups, registry: Registry) -> list[dict[str, Any]]:
    """Corporate accounts that speak: `main` ones make more than 20 % of their group."""
    hosts = people.hosts
    service = set(hosts.service.tolist())
    ids = registry.ids.slice(1, hosts.speakers).to_pylist()
    return [
        {"group": groups.ids[g], "account": ids[k], "main": k not in service}
        for k, g in enumerate(hosts.group[: hosts.speakers].tolist())
    ]


def _later_staff(
    people: People, groups: Groups, registry: Registry, clock: Clock
) -> list[dict[str, Any]]:
    members = people.members
    return [
        {
            "group": groups.ids[members.group[m]],
            "account": registry.ids[int(members.account[m])].as_py(),
            "from": clock.date(day),
        }
        for m, day in people.hosts.staff_from.items()
    ]


def _groups(
    tally: Tally, groups: Groups, people: People, stays: Stays, registry: Registry
) -> list[dict[str, Any]]:
    n, members = len(groups), people.members
    there = stays.left == STILL_THERE
    size = np.bincount(stays.group[there], minlength=n).tolist()
    ever = np.bincount(stays.group, minlength=n).tolist()
    speakers = np.diff(members.starts).tolist()
    return [
        {
            "group": groups.ids[g],
            "name": groups.names[g],
            "life": groups.kinds[g].life,
            "driver": groups.kinds[g].driver,
            "messages": {
                "brand": int(groups.brand[g]),
                "member": int(groups.member[g]),
                "system": int(groups.system[g]),
            },
            "days": int(groups.days[g]),
            "brand_day": int(groups.brand[g]) / int(groups.days[g]),
            "brand_day_bucket": _bucket(int(groups.brand[g]) / int(groups.days[g])),
            "brand_day_most": int(tally.brand_top[g]),
            "speaking_members": speakers[g],
            "size": size[g],
            "ever": ever[g],
            "parts": _parts(people, g, registry),
        }
        for g in range(n)
    ]


def _bucket(brand_day: float) -> str:
    words = ("≤1", "2–5", "6–20", "21–50", "51–100", ">100")
    return words[int(np.searchsorted(BRAND_BUCKETS, brand_day))]


def _parts(people: People, g: int, registry: Registry) -> dict[str, list[str]]:
    """Ids of those who play a planted part in a group."""
    members = people.members
    rows = slice(int(members.starts[g]), int(members.starts[g + 1]))
    part, account = members.part[rows], members.account[rows]
    return {
        name: sorted(registry.ids.take(pa.array(account[part == k])).to_pylist())
        for k, name in enumerate(PARTS)
        if k and (part == k).any()
    }


def _campaigns(lives: Lives, groups: Groups, clock: Clock) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "group": groups.ids[c.group],
            "on": clock.date(c.day),
            "lottery": c.lottery,
        }
        for name, c in zip(campaign_ids(lives).to_pylist(), lives.campaigns, strict=True)
    ]


def _spikes(story: Story, tally: Tally, registry: Registry) -> list[dict[str, Any]]:
    """Planted spikes, with the week's member messages and the median of the eight before."""
    groups, people, clock = story.groups, story.people, story.clock
    found = []
    for spike in story.lives.spikes:
        week = clock.week_of(spike.day)
        before = tally.member_weeks[spike.group, max(0, week - 8) : week]
        voice = voice_of(people.members, spike)
        account = int(people.members.account[voice])
        found.append(
            {
                "group": groups.ids[spike.group],
                "week": clock.monday(week),
                "cause": spike.cause,
                "extra": spike.extra,
                "messages": int(tally.member_weeks[spike.group, week]),
                "median_before": float(np.median(before)),
                "member": registry.ids[account].as_py()
                if spike.cause == "chatterbox"
                else None,
            }
        )
    return found
