"""How many messages each class writes in each group on each day: exact in sum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from qunluo.sample.clock import Clock
from qunluo.sample.groups import Groups
from qunluo.sample.lives import Lives
from qunluo.sample.numbers import Array, Ints, stream
from qunluo.sample.people import Members
from qunluo.sample.plan import Plan
from qunluo.sample.planted import Planted

SLAB_ROWS = 600_000  # rows made at once, at most (one day may have more)


@dataclass(frozen=True)
class Counts:
    """Messages by group and day. `member` are the everyday ones, without planted rows."""

    brand: Array
    member: Array
    system: Array
    planted: Ints  # planted rows by day

    def by_day(self) -> Ints:
        every = sum(c.sum(axis=0) for c in (self.brand, self.member, self.system))
        result: Ints = every + self.planted
        return result


def plan_counts(
    plan: Plan, groups: Groups, lives: Lives, members: Members, planted: Planted
) -> Counts:
    """Splits every group's totals over its days."""
    random = stream(plan.seed, "counts")
    forced = _forced(groups, lives, plan.days)
    free = groups.brand - forced.sum(axis=1)
    everyday = groups.member - np.bincount(planted.group, minlength=len(groups))
    if everyday.min() < 0:
        raise AssertionError("more is planted than a group's members say")
    mixed = (lives.brand + lives.curve) / 2
    return Counts(
        brand=forced + random.multinomial(free, lives.brand).astype(np.int32),
        member=random.multinomial(everyday, lives.curve).astype(np.int32),
        system=random.multinomial(groups.system, mixed).astype(np.int32),
        planted=np.bincount(planted.at // 86_400, minlength=plan.days),
    )


def _forced(groups: Groups, lives: Lives, days: int) -> Array:
    """The brand writes on a group's first and last day, and where a campaign is planted."""
    forced = np.zeros((len(groups), days), np.int32)
    every = np.arange(len(groups))
    forced[every, groups.start] = 1
    forced[every, groups.end] = 1
    for campaign in lives.campaigns:
        forced[campaign.group, campaign.day] = 1
    return forced


def plan_slabs(clock: Clock, counts: Counts) -> list[tuple[int, int]]:
    """Ranges of days to make at once: within a month, and not too many rows."""
    by_day = counts.by_day()
    months = clock.month_starts()
    slabs = []
    for start, end in pairwise(months):
        begin = start
        for day in range(start + 1, end + 1):
            if day == end or by_day[begin : day + 1].sum() > SLAB_ROWS:
                slabs.append((begin, day))
                begin = day
    return slabs
