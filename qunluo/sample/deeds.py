"""What members did besides talking in the last weeks: reactions, check-ins, items, gatherings,
testimonies, adopted wishes, accepted answers, nicknames and refunds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qunluo.archive.schema import INSTANT
from qunluo.sample.clock import DAY, HOUR, Clock
from qunluo.sample.friends import Friends
from qunluo.sample.groups import Groups
from qunluo.sample.habits import PACES, RECORDED_DAYS, Habits, check_in, spread
from qunluo.sample.numbers import Array, Floats, Ints, Random, expand, offsets, stream
from qunluo.sample.orders import NONE, Orders
from qunluo.sample.pace import Pace
from qunluo.sample.people import Members, People
from qunluo.sample.plan import Plan
from qunluo.sample.roster import Registry
from qunluo.sample.seats import seats
from qunluo.sample.stays import STILL_THERE, Stays

REACTIONS = 0.3  # per message of members
SAME_COMMUNITY = 0.8
FRIENDLY = 0.7  # reactions a week of a friend, and as many back
TOGETHER_DAYS = 28  # between two gatherings that friends go to
GIVES = {"wish_adopted": 1.5, "answer_accepted": 2.0, "testimony_posted": 0.3}  # besides one
CHANCE = 0.004  # of anybody else, that one of their answers is accepted
NICKNAMED, REFUNDED = 0.25, 0.03  # of those who join; of orders
KINDS = (
    "message_reacted", *PACES, *GIVES, "nickname_set", "order_refunded",
)  # fmt: skip
CODE = {kind: k for k, kind in enumerate(KINDS)}
SCHEMA = pa.schema(
    [
        ("at", INSTANT),
        ("group_id", pa.string()),
        ("member_id", pa.string()),
        ("kind", pa.string()),
        ("others", pa.list_(pa.string())),
        ("amount_minor", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Deeds:
    """One row each, in order of time. `other` is an account they turned to, or NONE."""

    at: Ints
    group: Ints
    account: Ints
    kind: Ints
    other: Ints
    minor: Ints  # given back, of a refund
    order: Ints  # number of the refunded order, or NONE

    def of(self, *kinds: str) -> Array:
        result: Array = np.isin(self.kind, [CODE[k] for k in kinds])
        return result


Part = dict[str, Array]


def plan_deeds(
    plan: Plan, people: People, stays: Stays, orders: Orders, pace: Pace, habits: Habits,
    friends: Friends,
) -> Deeds:  # fmt: skip
    random = stream(plan.seed, "deeds")
    parts = [
        _reactions(random, plan, people.members, pace),
        _to_the_loved(random, plan, people, stays, pace.rate, habits),
        *(_by_habit(random, stays, habits, kind) for kind in PACES),
        _check_ins(random, plan, stays, habits),
        *_friendly(random, plan, people.members, friends),
        *_gifts(random, plan, people.members, habits),
        _nicknames(random, plan, stays),
        _refunds(random, plan, stays, orders),
    ]
    columns = {
        name: np.concatenate([p.get(name, np.full(len(p["day"]), NONE)) for p in parts])
        for name in ("day", "group", "account", "kind", "other", "minor", "order", "at")
    }
    drawn = columns["day"] * DAY + random.integers(9 * HOUR, 22 * HOUR, len(columns["day"]))
    at = np.where(columns["at"] == NONE, drawn, columns["at"])
    order = np.argsort(at, kind="stable")
    del columns["day"], columns["at"]
    return Deeds(at=at[order], **{name: c[order] for name, c in columns.items()})


def _part(kind: str, day: Array, group: Array, account: Array, **more: Array) -> Part:
    return {"kind": np.full(len(day), CODE[kind]), "day": day, "group": group,
            "account": account, **more}  # fmt: skip


def _reactions(random: Random, plan: Plan, members: Members, pace: Pace) -> Part:
    """Where much is said there is much to like; mostly within a community."""
    start = max(0, plan.days - RECORDED_DAYS)
    cell = expand(random.poisson(REACTIONS * pace.rate[:, start:]).ravel())
    group, day = np.divmod(cell, plan.days - start)
    day = day + start
    seated = seats(members, start, plan.days, len(pace.rate))
    to = seated.anybody(random, group, day)
    near = random.random(len(to)) < SAME_COMMUNITY
    by = seated.anybody(random, group, day, np.where(near, members.community[to], NONE))
    kept = _there(members, by, day) & _there(members, to, day)
    return _liked(day, group, members.account[by], members.account[to], kept)


def _to_the_loved(
    random: Random, plan: Plan, people: People, stays: Stays, rate: Floats, habits: Habits
) -> Part:
    """Some are liked for every little thing."""
    start = max(0, plan.days - RECORDED_DAYS)
    span = habits.loved_days(start, plan.days)
    to = expand(random.poisson(habits.loved * span / 7))
    day = habits.begin[to] + np.floor(random.random(len(to)) * span[to]).astype(np.int64)
    group = stays.group[to]
    by = seats(people.members, start, plan.days, len(rate)).anybody(random, group, day)
    kept = _there(people.members, by, day)
    return _liked(day, group, people.members.account[by], stays.account[to], kept)


def _there(members: Members, who: Ints, day: Ints) -> Array:
    result: Array = (members.first[who] < day) & (day < members.quiet[who])
    return result


def _liked(day: Ints, group: Ints, by: Ints, to: Ints, kept: Array) -> Part:
    """Nobody likes their own."""
    kept = kept & (by != to)
    return _part("message_reacted", day[kept], group[kept], by[kept], other=to[kept])


def _by_habit(random: Random, stays: Stays, habits: Habits, kind: str) -> Part:
    row, day = spread(random, habits, habits.weekly(kind))
    return _part(kind, day, stays.group[row], stays.account[row])


def _check_ins(random: Random, plan: Plan, stays: Stays, habits: Habits) -> Part:
    row, day = check_in(random, plan.days, habits)
    return _part("checked_in", day, stays.group[row], stays.account[row])


def _friendly(random: Random, plan: Plan, members: Members, friends: Friends) -> list[Part]:
    """Friends like what the other says, and go out together."""
    start = max(0, plan.days - RECORDED_DAYS)
    both = np.concatenate([friends.pairs, friends.pairs[:, ::-1]])
    row = expand(random.poisson(FRIENDLY * (plan.days - start) / 7, len(both)))
    day = random.integers(start, plan.days, len(row))
    meets = np.arange(start + 2, plan.days - 1, TOGETHER_DAYS)
    one, other = np.repeat(both, len(meets), axis=0).T
    return [
        _turned("message_reacted", members, day, *both[row].T),
        _turned("gathering_attended", members, np.tile(meets, len(both)), one, other),
    ]


def _turned(kind: str, members: Members, day: Ints, one: Ints, other: Ints) -> Part:
    return _part(kind, day, members.group[one], members.account[one],
                 other=members.account[other])  # fmt: skip


def _gifts(random: Random, plan: Plan, members: Members, habits: Habits) -> list[Part]:
    """Adopted wishes, accepted answers, testimonies."""
    start = max(0, plan.days - RECORDED_DAYS)
    there = np.minimum(members.quiet, plan.days) > np.maximum(members.first, start) + 7
    parts = []
    for kind, more in GIVES.items():
        often = np.where(habits.product[: len(members)], random.poisson(more, len(members)), 0)
        often += habits.product[: len(members)] & (kind == "wish_adopted")
        if kind == "answer_accepted":
            often += ~habits.product[: len(members)] & (random.random(len(members)) < CHANCE)
        row = expand(np.where(there, often, 0))
        begin = np.maximum(members.first[row] + 1, start)
        span = np.minimum(members.quiet[row], plan.days) - begin
        day = begin + np.floor(random.random(len(row)) * span).astype(np.int64)
        parts.append(_part(kind, day, members.group[row], members.account[row]))
    return parts


def _nicknames(random: Random, plan: Plan, stays: Stays) -> Part:
    """Right after joining, as the welcome asks."""
    joined, left = stays.joined[stays.people], stays.left[stays.people]
    late = joined >= max(0, plan.days - RECORDED_DAYS) * DAY
    at = joined + 300
    stayed = (left == STILL_THERE) | (left > at)
    row = np.flatnonzero(late & stayed & (random.random(len(late)) < NICKNAMED))
    return _part("nickname_set", at[row] // DAY, stays.group[row], stays.account[row],
                 at=at[row])  # fmt: skip


def _refunds(random: Random, plan: Plan, stays: Stays, orders: Orders) -> Part:
    """Some orders of members are paid back within ten days."""
    whose = (orders.account != NONE) & (random.random(len(orders.at)) < REFUNDED)
    row = np.flatnonzero(whose)
    day = orders.at[row] // DAY + random.integers(1, 11, len(row))
    row, day = row[day < plan.days], day[day < plan.days]
    return _part("order_refunded", day, np.full(len(row), NONE), orders.account[row],
                 minor=orders.minor[row], order=row)  # fmt: skip


def write_deeds(
    to: Path, deeds: Deeds, groups: Groups, registry: Registry, clock: Clock
) -> None:
    """at, group_id, member_id, kind, others, amount_minor."""
    turned = deeds.other != NONE
    ends = pa.array(offsets(turned.astype(np.int64)).astype(np.int32))
    group, minor = deeds.group, deeds.minor
    columns = [
        clock.instants(deeds.at),
        pa.array(groups.ids).take(pa.array(group, mask=group == NONE)),
        registry.ids.take(pa.array(deeds.account)),
        pa.array(KINDS).take(pa.array(deeds.kind)),
        pa.ListArray.from_arrays(ends, registry.ids.take(pa.array(deeds.other[turned]))),
        pa.array(minor, mask=minor == NONE),
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), to, compression="zstd")


def standing_orders(orders: Orders, deeds: Deeds) -> Array:
    """Which orders were not given back."""
    kept = np.ones(len(orders.at), bool)
    kept[deeds.order[deeds.order != NONE]] = False
    return kept
