"""Where every member was meant to stand when the sample ends: what the generator intended, not
what its dice then showed.

Joining, buying, bringing and what was given are facts. Whether somebody is to be heard, and by
how many, is told by the pace that messages are drawn by: the likelier of two values is the
planted one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qunluo.sample.clock import DAY
from qunluo.sample.deeds import FRIENDLY, REACTIONS, TOGETHER_DAYS, Deeds
from qunluo.sample.draws import EVIDENCE_SHARES, EXPLICIT, MENTION
from qunluo.sample.friends import Friends
from qunluo.sample.habits import HABITS, PACES, RECORDED_DAYS, TURNS, Habits, turns
from qunluo.sample.numbers import Array, Floats, Ints
from qunluo.sample.orders import NONE, Orders
from qunluo.sample.pace import Pace
from qunluo.sample.people import CIRCLES
from qunluo.sample.roster import Registry
from qunluo.sample.stays import NOBODY, STILL_THERE, Stays
from qunluo.sample.tables import TOLD_MENTIONS

CORE, INFLUENCE = 0.05, 0.25  # shares of all who are in a group
SHOWN = EVIDENCE_SHARES[EXPLICIT - 1] + TOLD_MENTIONS * EVIDENCE_SHARES[MENTION - 1]
NEW_DAYS, STAY_DAYS = 14, 7
PRICES = {  # points for a deed
    "item_read": 1, "item_watched": 2, "gathering_attended": 5, "checked_in": 3,
}  # fmt: skip
PAID = 20
LEVELS = (1, 60, 300)
HEARD_DAYS = 90


@dataclass(frozen=True)
class Plans:
    """All that was planned about members."""

    days: int
    pace: Pace
    stays: Stays
    orders: Orders
    deeds: Deeds
    habits: Habits
    friends: Friends
    familiar: Array  # by account


class Meant:
    """Everything by account number."""

    def __init__(self, plans: Plans) -> None:
        self.plans, self.days, self.stays = plans, plans.days, plans.stays
        self.rows = np.arange(plans.stays.people.stop)
        self.account = plans.stays.account[self.rows]
        self.n = int(plans.stays.account.max()) + 1

    def _sum(self, values: Array, account: Array | None = None) -> Floats:
        whose = self.account if account is None else account
        weights: Floats = values.astype(np.float64)
        summed = np.bincount(whose[: len(values)], weights, self.n)
        return summed.astype(np.float64)

    def inside(self) -> Array:
        result: Array = self._sum(self.stays.left[self.rows] == STILL_THERE) > 0
        return result

    # signs of life

    def shows(self, start: int, end: int) -> Floats:
        """How likely each shows a sign in these days: check-ins come by the calendar, all else
        by chance."""
        sure = np.minimum(1, self.turns(start, end))
        result: Floats = 1 - (1 - sure) * np.exp(-self.signs(start, end))
        return result

    def turns(self, start: int, end: int) -> Floats:
        return self._sum(turns(self.days, self.plans.habits, start, end))

    def signs(self, start: int, end: int) -> Floats:
        """Expected signs of life by chance, besides the facts."""
        found = self._sum(self.plans.pace.talk(start, end))
        found += REACTIONS * self._sum(self.plans.pace.everyday(start, end))
        habits = self.plans.habits
        span = habits.days(start, end) / 7
        for deed in PACES:
            found += self._sum(habits.weekly(deed) * span)
        return found + self._given(start, end) + self._among_friends(start, end)

    def _loved(self, start: int, end: int) -> Floats:
        """By stay, reactions to those who are liked anyhow, in these days."""
        habits, begin = self.plans.habits, max(start, self.days - RECORDED_DAYS)
        result: Floats = habits.loved * habits.loved_days(begin, end) / 7
        return result

    def _given(self, start: int, end: int) -> Floats:
        """Of these, how many come from each: the talkative give more."""
        members, talk = self.plans.pace.members, self.plans.pace.everyday(start, end)
        groups = len(self.plans.pace.rate)
        whole = np.bincount(members.group, talk, groups)
        loved = np.bincount(self.stays.group[self.rows], self._loved(start, end), groups)
        return self._sum(talk * (loved / np.maximum(whole, 1e-9))[members.group])

    def _among_friends(self, start: int, end: int) -> Floats:
        """What a friend does, and what comes back from the other, in these days: half of their
        talk, reactions and gatherings."""
        friends = self.plans.friends
        span = max(0, end - max(start, self.days - RECORDED_DAYS))
        each = friends.talk(start, end) / 2 + span * (FRIENDLY / 7 + 1 / TOGETHER_DAYS)
        whose = self.plans.pace.members.account[friends.pairs.ravel()]
        return self._sum(np.repeat(each, 2), whose)

    def fact(self, start: int) -> Array:
        """Who joined, bought or gave something since a day."""
        found = np.zeros(self.n, bool)
        deeds, orders = self.plans.deeds, self.plans.orders
        given = deeds.of(*PACES, "message_reacted", "order_refunded")
        found[self.account[self.stays.joined[self.rows] // DAY >= start]] = True
        found[orders.account[(orders.account != NONE) & (orders.at // DAY >= start)]] = True
        found[deeds.account[~given & (deeds.at // DAY >= start)]] = True
        return found

    def likely(self, back: int) -> Array:
        """How likely each is to show a sign in so many last days."""
        start = self.days - back
        return np.where(self.fact(start), 1.0, self.shows(start, self.days))

    # circles

    def liked(self, back: int) -> Floats:
        """Reactions each was to get in the last days."""
        start = self.days - back
        found = REACTIONS * self._sum(self.plans.pace.everyday(start, self.days))
        found += self._sum(self._loved(start, self.days))
        return found + self._among_friends(start, self.days)

    def echo(self, back: int) -> Floats:
        """Answers each was to get in the last days."""
        return self._sum(self.plans.pace.echo(self.days - back, self.days))

    def invited(self, back: int) -> Floats:
        """Whom each brought in the last days."""
        first = self._first_stays()
        late = first[self.stays.joined[first] // DAY >= self.days - back]
        by = self.stays.inviter[late]
        return self._sum(np.ones(int((by != NOBODY).sum())), by[by != NOBODY])

    def circles(self) -> Ints:
        """Index into CIRCLES: by what was to come back to each in four weeks."""
        inside, back = self.inside(), 28
        reach = self.liked(back) + SHOWN * self.echo(back) + 3 * self.invited(back)
        tied = 1 - np.exp(-reach - SHOWN * self.echo(back)) > 0.5
        able = inside & tied & (self.likely(back) > 0.5)
        ranked = np.argsort(-reach, kind="stable")
        ranked = ranked[able[ranked]]
        steady = ranked[self._three_weeks()[ranked] > 0.5]
        core = steady[: int(CORE * inside.sum())]
        rest = ranked[~np.isin(ranked, core)][: int(INFLUENCE * inside.sum())]
        found = np.full(self.n, 2)
        found[rest], found[core] = 1, 0
        return found

    def _three_weeks(self) -> Floats:
        """How likely each is to show in three of the last four weeks."""
        by_number = np.zeros((5, self.n))
        by_number[0] = 1
        for week in range(4):
            end = self.days - 7 * week
            shows = self.shows(end - 7, end)
            by_number[1:] = by_number[1:] * (1 - shows) + by_number[:-1] * shows
            by_number[0] *= 1 - shows
        result: Floats = by_number[3:].sum(axis=0)
        return result

    # lifecycle

    def bought(self) -> Ints:
        """Orders that were not given back."""
        orders, given = self.plans.orders, self.plans.deeds.order
        kept = orders.account != NONE
        kept[given[given != NONE]] = False
        return self._sum(np.ones(int(kept.sum())), orders.account[kept]).astype(np.int64)

    def lifecycle(self, circle: Ints) -> Array:
        orders, began = self.bought(), np.full(self.n, self.days)
        np.minimum.at(began, self.account, self.stays.joined[self.rows] // DAY)
        heard, known = self.likely(30), self.likely(90)
        mature = (orders >= 2) | ((orders >= 1) & (circle < 2))
        new = (self.days - 1 - began <= NEW_DAYS) & (orders == 0)
        alive = np.where(mature, "mature", np.where(new, "new", "growing"))
        quiet = np.where(known - heard > 1 - known, "silent", "lost")
        found = np.where(heard > np.maximum(known - heard, 1 - known), alive, quiet)
        return np.where(self.inside(), found, "lost")

    # trust

    def trust(self) -> Ints:
        deeds = self.plans.deeds
        items = self._sum(
            deeds.of("item_read", "item_watched", "gathering_attended"), deeds.account
        )
        rungs = {
            2: self._acquainted(), 3: items >= 3, 4: self.plans.familiar[: self.n],
            5: self._sum(self.plans.orders.account != NONE, self.plans.orders.account % self.n)
            > 0,
            6: (self._sum(deeds.of("testimony_posted"), deeds.account) > 0)
            | self._advocates(),
        }  # fmt: skip
        found = np.ones(self.n, np.int64)
        for rung, has in rungs.items():
            found[has] = rung
        return found

    def _acquainted(self) -> Array:
        """Said something on the day of joining or the next, or set the nickname."""
        members, deeds = self.plans.pace.members, self.plans.deeds
        joined = self.stays.joined[: self.stays.speaking]
        soon = members.spoke_at // DAY - joined // DAY <= 1
        named = self._sum(deeds.of("nickname_set"), deeds.account) > 0
        result: Array = (self._sum(soon.astype(np.float64)) > 0) | named
        return result

    def _first_stays(self) -> Ints:
        order = np.lexsort((self.rows, self.stays.joined[self.rows], self.account))
        first = np.ones(len(order), bool)
        first[1:] = self.account[order][1:] != self.account[order][:-1]
        result: Ints = order[first]
        return result

    def _advocates(self) -> Array:
        """Brought somebody who stayed a week."""
        first = self._first_stays()
        joined, left = self.stays.joined // DAY, self.stays.left // DAY
        stays = (self.stays.left == STILL_THERE) | (left > joined + STAY_DAYS)
        stayed = np.zeros(self.n, bool)
        stayed[self.account[first]] = stays[first]
        known = joined[first] + STAY_DAYS < self.days
        guests = first[known & stayed[self.account[first]]]
        by = self.stays.inviter[guests]
        found = np.zeros(self.n, bool)
        found[by[by != NOBODY]] = True
        return found

    # worth

    def points(self) -> Floats:
        """What the deeds that were meant are worth, by the usual prices."""
        habits, days = self.plans.habits, self.days
        found: Floats = PAID * self.bought().astype(np.float64)
        found += self._sum(self.plans.pace.talk(0, days))
        found += REACTIONS * self._sum(self.plans.pace.everyday(days - HEARD_DAYS, days))
        found += self._among_friends(0, days) + self._given(days - HEARD_DAYS, days)
        span = habits.days(0, days) / 7
        found += PRICES["checked_in"] * self.turns(0, days)
        for deed, price in PRICES.items():
            found += price * self._sum(habits.weekly(deed) * span)
        return found

    def content(self) -> Floats:
        """What was to come back to each for what they say, in three months."""
        return self.liked(HEARD_DAYS) + self.echo(HEARD_DAYS)

    def product(self) -> Array:
        deeds = self.plans.deeds
        result: Array = self._sum(deeds.of("wish_adopted"), deeds.account) > 0
        return result

    def brought(self) -> Ints:
        return self.invited(self.days).astype(np.int64)

    def spent(self) -> Ints:
        orders, given = self.plans.orders, self.plans.deeds.order
        kept = orders.account != NONE
        kept[given[given != NONE]] = False
        return self._sum(orders.minor[kept], orders.account[kept]).astype(np.int64)

    def going(self) -> Array:
        """Who is rather not to be heard of in the month that follows, at the pace of the last
        four weeks: because they go, or because they came by chance."""
        back, ahead = 28, 30
        members, habits = self.plans.pace.members, self.plans.habits
        stays = np.clip(members.quiet - self.days, 0, ahead) / back
        found = (1 + REACTIONS) * self._sum(
            self.plans.pace.talk(self.days - back, self.days) * stays
        )
        ahead_weeks = np.clip(habits.ends - self.days, 0, ahead) / 7
        each = np.array(TURNS).mean(axis=1)[habits.kind]
        each = each + sum(habits.weekly(deed) for deed in PACES)
        found += self._sum(each * ahead_weeks)
        found += self._among_friends(self.days - back, self.days)
        found += self._given(self.days - back, self.days)
        return np.exp(-found) > 0.5


def standing_table(plans: Plans, registry: Registry) -> pa.Table:
    """One row per member who was ever in a group, at the end of the last day."""
    meant = Meant(plans)
    who = np.unique(meant.account)
    circle, points = meant.circles(), meant.points()
    habit = np.zeros(meant.n, np.int64)
    np.maximum.at(habit, meant.account, plans.habits.kind)
    columns = {
        "member_id": registry.ids.take(pa.array(who)),
        "lifecycle": pa.array(meant.lifecycle(circle)[who]),
        "trust": pa.array(meant.trust()[who]),
        "circle": pa.array(CIRCLES).take(pa.array(circle[who])),
        "habit": pa.array(HABITS).take(pa.array(habit[who])),
        "level": pa.array(np.searchsorted(LEVELS, points[who] + 0.5)),
        "points": pa.array(np.round(points[who], 3)),
        "product": pa.array(meant.product()[who]),
        "brought": pa.array(meant.brought()[who]),
        "content": pa.array(np.round(meant.content()[who], 3)),
        "orders": pa.array(meant.bought()[who]),
        "spent_minor": pa.array(meant.spent()[who]),
        "going": pa.array(meant.going()[who]),
    }
    return pa.table(columns)


def tie_table(plans: Plans, registry: Registry) -> pa.Table:
    """Pairs of friends."""
    accounts = plans.pace.members.account[plans.friends.pairs]
    one, other = (registry.ids.take(pa.array(accounts[:, k])) for k in (0, 1))
    return pa.table({"member_id": one, "other_id": other})
