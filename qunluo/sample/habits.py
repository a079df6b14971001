"""Who comes by habit in the last weeks, and who brings the product on.

All of it is planted by lot, more of it among the inner circles; those who are about to go let
their habit go first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.numbers import Array, Floats, Ints, Random, expand, stream
from qunluo.sample.people import FOREVER, Members, People
from qunluo.sample.plan import Plan
from qunluo.sample.stays import STILL_THERE, Stays

RECORDED_DAYS = 91  # before the end: since then deeds are on record, not only talk
HABITS = ("", "visitor", "regular", "devoted")
HABIT_SHARES = ((0.0, 0.4, 0.3), (0.0, 0.3, 0.15), (0.05, 0.08, 0.03))  # by circle
SILENT_SHARES = (0.08, 0.04, 0.006)  # of those who never speak
PACES = {  # deeds a week, by chance: of nobody in particular, of each habit
    "item_read": (0.001, 0.0, 3.0, 2.0), "item_watched": (0.0003, 0.0, 0.5, 4.0),
    "gathering_attended": (0.0001, 0.0, 0.1, 0.5), "checked_in": (0.0006, 0.0, 0.0, 0.0),
}  # fmt: skip
TURNS = ((0, 0), (1, 0), (1, 2), (6, 6))  # check-ins in one week and the next, by the calendar
WEEK = 7
GOING_DAYS = (-14, 8)  # who says nothing from a day this near to the end on is about to go
GOING_SHARE = 0.15  # of the silent with a habit
FADES = (8, 21)  # days before they go in which the habit has ended already
LOVED = (3.0, 0.9, 0.0)  # reactions a week to whom others like anyhow, by circle
VISITED = 2.0  # to those who look in every other week
LIVELY_DAYS, LIVELY = 28, 0.5  # in groups where so much is said a day before the end
PRODUCT_SHARES = (0.3, 0.12, 0.02)  # who bring the product on, by circle


@dataclass(frozen=True)
class Habits:
    """One row per stay of a member (`stays.people`); days are of the plan."""

    kind: Ints  # index into HABITS
    begin: Ints  # from when to when it shows
    until: Ints
    ends: Ints  # the habit, maybe after the sample
    product: Array  # brings the product on
    loved: Floats  # reactions a week that come without a word
    there: Ints  # until when they can be liked

    def weekly(self, deed: str) -> Floats:
        result: Floats = np.array(PACES[deed])[self.kind]
        return result

    def loved_days(self, start: int, end: int) -> Floats:
        """Days of the range on which each is there to be liked, on record."""
        found = np.minimum(self.there, end) - np.maximum(self.begin, start)
        result: Floats = np.where(self.loved > 0, np.maximum(0, found), 0).astype(np.float64)
        return result

    def days(self, start: int, end: int) -> Ints:
        """Days of the range on which each has the habit."""
        result: Ints = np.maximum(
            0, np.minimum(self.until, end) - np.maximum(self.begin, start)
        )
        return result


def plan_habits(plan: Plan, people: People, stays: Stays, rate: Floats) -> Habits:
    """`rate` is how much is said by groups × days."""
    random = stream(plan.seed, "habits")
    n, speaking, days = stays.people.stop, stays.speaking, plan.days
    members = people.members
    shares = np.tile(np.array(SILENT_SHARES), (n, 1))
    shares[:speaking] = np.array(HABIT_SHARES)[members.circle]
    dice = random.random(n)
    kind = np.where(dice < shares.sum(axis=1),
                    1 + (dice[:, None] >= np.cumsum(shares, axis=1)).sum(axis=1), 0)  # fmt: skip
    goes_on = np.full(n, FOREVER)
    goes_on[:speaking] = members.quiet
    silent = (np.arange(n) >= speaking) & (kind > 0) & (random.random(n) < GOING_SHARE)
    goes_on[silent] = days + random.integers(*GOING_DAYS, int(silent.sum()))
    going = (goes_on >= days + GOING_DAYS[0]) & (goes_on < days + GOING_DAYS[1])
    ends = np.where(going, goes_on - random.integers(*FADES, n), goes_on)
    left = np.where(stays.left[:n] == STILL_THERE, days, stays.left[:n] // 86_400)
    begin = np.maximum(stays.joined[:n] // 86_400 + 1, max(0, days - RECORDED_DAYS))
    return Habits(
        kind=kind,
        begin=begin,
        until=np.maximum(begin, np.minimum(np.minimum(ends, left), days)),
        ends=np.where(left >= days, ends, left),
        product=_product(random, members, n),
        loved=_loved(members, stays.group[:n], rate, kind),
        there=np.minimum(np.minimum(goes_on, left), days),
    )


def _product(random: Random, members: Members, n: int) -> Array:
    chance = np.zeros(n)
    chance[: len(members)] = np.array(PRODUCT_SHARES)[members.circle]
    result: Array = random.random(n) < chance
    return result


def _loved(members: Members, group: Ints, rate: Floats, kind: Ints) -> Floats:
    """Who speaks by their circle; who looks in every other week, where others are there to like
    it."""
    lively = rate[:, -LIVELY_DAYS:].mean(axis=1) >= LIVELY
    found = np.zeros(len(group))
    found[: len(members)] = np.array(LOVED)[members.circle]
    found[kind == HABITS.index("visitor")] = VISITED
    result: Floats = np.where(lively[group], found, 0.0)
    return result


def check_in(random: Random, days: int, habits: Habits) -> tuple[Ints, Ints]:
    """Rows and days of check-ins: so many every week, counted back from the end."""
    rows, found = [], []
    for week, (low, high) in enumerate(_weeks(days)):
        wanted = np.array([turn[week % 2] for turn in TURNS])[habits.kind]
        begin, until = np.maximum(habits.begin, low), np.minimum(habits.until, high)
        span = np.maximum(0, until - begin)
        row = expand(random.binomial(wanted, span / WEEK))
        rows.append(row)
        found.append(
            begin[row] + np.floor(random.random(len(row)) * span[row]).astype(np.int64)
        )
    return np.concatenate(rows), np.concatenate(found)


def _weeks(days: int) -> list[tuple[int, int]]:
    """Calendar weeks of the record, the last one first."""
    ends = range(days, max(0, days - RECORDED_DAYS), -WEEK)
    return [(end - WEEK, end) for end in ends]


def turns(days: int, habits: Habits, start: int, end: int) -> Floats:
    """How many check-ins each was to have in these days."""
    found = np.zeros(len(habits.kind))
    for week, (low, high) in enumerate(_weeks(days)):
        wanted = np.array([turn[week % 2] for turn in TURNS])[habits.kind]
        begin = np.maximum(habits.begin, max(low, start))
        span = np.maximum(0, np.minimum(habits.until, min(high, end)) - begin)
        found += wanted * span / WEEK
    return found


def spread(random: Random, habits: Habits, weekly: Floats) -> tuple[Ints, Ints]:
    """Rows and days of deeds at a weekly pace, within the days of the habit."""
    span = habits.until - habits.begin
    row = expand(random.poisson(weekly * span / 7))
    day = habits.begin[row] + np.floor(random.random(len(row)) * span[row]).astype(np.int64)
    return row, day
