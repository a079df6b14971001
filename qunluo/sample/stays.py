"""Who was in which group from when to when: the truth behind roster and membership events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.clock import DAY, HOUR, MINUTE
from qunluo.sample.groups import Groups
from qunluo.sample.numbers import Array, Ints, Random, expand, stream
from qunluo.sample.people import FOREVER, SHILL, Members, People
from qunluo.sample.plan import Plan

STILL_THERE = -1
NOBODY = -1
LEFT = 0.32  # of speakers who fell silent
SILENT_LEAVERS = 0.3  # of the group's size: came, said nothing, went
AT_ONCE = 0.45  # of speakers write within half an hour of joining
INVITED, REMOVED = 0.3, 0.06
CREATED = 6 * HOUR  # of a group's first day


@dataclass(frozen=True)
class Stays:
    """One row per account and group; times are local seconds."""

    group: Ints
    account: Ints
    joined: Ints
    left: Ints  # or STILL_THERE
    inviter: Ints  # account, or NOBODY
    removed: Array  # left because a brand account removed them
    speaking: int  # the first so many rows are the speaking memberships, in their order
    hosts: int  # the last so many rows are corporate accounts
    silent: int  # members who never spoke

    @property
    def people(self) -> slice:
        """The rows that are members, not corporate accounts."""
        return slice(0, len(self.group) - self.hosts)


def plan_stays(plan: Plan, groups: Groups, people: People) -> Stays:
    """Memberships of speakers, of the silent, and of corporate accounts."""
    random = stream(plan.seed, "stays")
    members, hosts = people.members, people.hosts
    joined, left = _speakers(plan, random, groups, members)
    group, silent_joined, silent_left = _silent(plan, random, groups, people, left)
    silent = people.first_silent + np.arange(len(group))
    host_accounts = 1 + np.arange(len(hosts.group))
    joined = np.concatenate([joined, silent_joined])
    left = np.concatenate([left, silent_left])
    every = np.concatenate([members.group, group])
    inviter = _inviters(random, members, every, joined)
    none = np.full(len(hosts.group), NOBODY)
    return Stays(
        group=np.concatenate([every, hosts.group]),
        account=np.concatenate([members.account, silent, host_accounts]),
        joined=np.concatenate([joined, groups.start[hosts.group] * DAY + CREATED]),
        left=np.concatenate([left, np.full(len(hosts.group), STILL_THERE)]),
        inviter=np.concatenate([inviter, none]),
        removed=random.random(len(every) + len(none)) < REMOVED,
        speaking=len(members),
        hosts=len(hosts.group),
        silent=len(silent),
    )


def _speakers(
    plan: Plan, random: Random, groups: Groups, members: Members
) -> tuple[Ints, Ints]:
    n = len(members)
    soon = random.integers(20, 30 * MINUTE, n)
    later = (random.exponential(5 * DAY, n) + 30 * MINUTE).astype(np.int64)
    lag = np.where(random.random(n) < AT_ONCE, soon, later)
    lag = np.where(members.part == SHILL, random.integers(60, 40 * MINUTE, n), lag)
    created = groups.start[members.group] * DAY + CREATED + random.integers(0, 50 * MINUTE, n)
    joined = np.maximum(members.spoke_at - lag, created)
    gone = members.quiet + random.exponential(30, n).astype(np.int64)
    goes = (members.quiet < FOREVER) & (members.part == 0) & (random.random(n) < LEFT)
    left = gone * DAY + random.integers(9 * HOUR, 22 * HOUR, n)
    return joined, np.where(goes & (gone < plan.days), left, STILL_THERE)


def _silent(
    plan: Plan, random: Random, groups: Groups, people: People, left: Ints
) -> tuple[Ints, Ints, Ints]:
    """As many silent members as bring every group to its planned size today."""
    members, n = people.members, len(groups)
    speakers = np.diff(members.starts)
    size = np.rint(speakers / groups.rate).astype(np.int64)
    there = np.bincount(members.group[left == STILL_THERE], minlength=n)
    hosts = np.bincount(people.hosts.group, minlength=n)
    stay = np.maximum(size - there - hosts, 0)
    gone = np.rint(size * SILENT_LEAVERS * random.uniform(0.6, 1.4, n)).astype(np.int64)
    group = np.concatenate([expand(stay), expand(gone)])
    leaves = np.arange(len(group)) >= stay.sum()
    joined, went = _silent_times(plan, random, groups, group)
    order = np.argsort(group, kind="stable")
    return group[order], joined[order], np.where(leaves, went, STILL_THERE)[order]


def _silent_times(plan: Plan, random: Random, groups: Groups, group: Ints) -> tuple[Ints, Ints]:
    n = len(group)
    day = groups.start[group] + (groups.days[group] * random.beta(1, 2.5, n)).astype(np.int64)
    joined = day * DAY + random.integers(8 * HOUR, 22 * HOUR, n)
    went = joined + (random.exponential(60 * DAY, n)).astype(np.int64) + 10 * MINUTE
    return joined, np.minimum(went, plan.days * DAY - 1 - random.integers(0, HOUR, n))


def _inviters(random: Random, members: Members, group: Ints, joined: Ints) -> Ints:
    """For some, a speaking member who was there before; the rest came by a code."""
    size = np.diff(members.starts)[group]
    # Squaring favours the well-connected ones, who stand first in their community.
    who = members.starts[group] + (random.random(len(group)) ** 2 * size).astype(np.int64)
    before = members.spoke_at[who] < joined
    invited = before & (random.random(len(group)) < INVITED)
    result: Ints = np.where(invited, members.account[who], NOBODY)
    return result
