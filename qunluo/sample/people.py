"""Who speaks in a sample: accounts, and their memberships in groups.

Accounts are numbered: 0 is the system account, then the corporate accounts (those who speak
first), then the members who speak, then (only in the roster) members who never do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.clock import DAY, HOUR
from qunluo.sample.groups import SHILL_GROUP_SPEAKERS, Groups
from qunluo.sample.lives import Lives
from qunluo.sample.numbers import (
    Array,
    Floats,
    Ints,
    Random,
    apportion,
    capped,
    expand,
    offsets,
    stream,
    within,
)
from qunluo.sample.plan import STUDY_GROUPS, Plan

SYSTEM_ACCOUNT = 0
CORPORATE_ACCOUNTS, SERVICE_ACCOUNTS = 362, 24  # in 67 groups
STANDINGS, STANDING_COUNTS = ("verified", "lapsed", "never"), (278, 81, 3)
VENDOR_SHARES = (0.572, 0.18, 0.12, 0.078, 0.05)
GROUP_CAP = 500  # members of a group on the common platforms
OVERLAP = 0.06  # memberships of people already in another group
OVERLAP_GROUPS = 10  # fewer groups share nobody
LOUDEST_HOSTS = {1: (1.0,), 2: (0.58, 0.42), 3: (0.36, 0.33, 0.31)}
SERVICE_SLOTS, STAFF_SLOTS, HOST_SLOTS = 30, 50, 1_000
BUSY_BRAND = 1_500  # brand messages that need a service account
FOREVER = 1 << 30

PARTS = ("", "shill", "chatty", "koc", "chatterbox", "loud", "later staff")
PLAIN, SHILL, CHATTY, KOC, CHATTERBOX, LOUD, LATER_STAFF = range(7)
CIRCLES = ("core", "influence", "periphery")
CIRCLE_SHARES, CIRCLE_WEIGHTS = (0.05, 0.15), (30.0, 6.0, 1.0)
COMMUNITY_SIZE, MOST_COMMUNITIES = 25, 6
MOST_WEIGHT = 0.2  # of a group's talk, for those without a planted part
EVERGREEN = 0.28
STAY_DAYS = {"one wave": 24, "stillborn": 8, "steady": 130, "recurring waves": 160}


@dataclass(frozen=True)
class Members:
    """Speaking memberships, sorted by group and community. Times are local seconds."""

    group: Ints
    account: Ints
    rank: Ints  # 0 is the group's most faithful member
    weight: Floats  # how much of the group's everyday talk is theirs
    part: Ints  # index into PARTS
    circle: Ints
    community: Ints  # within the group
    first: Ints  # day of the first message
    spoke_at: Ints  # its time
    quiet: Ints  # from this day on they say nothing
    starts: Ints  # where each group begins; the end as well

    def __len__(self) -> int:
        return len(self.group)


@dataclass(frozen=True)
class Hosts:
    """Corporate accounts: `group` of each, and the table that shares brand posts among them."""

    group: Ints
    speakers: int  # the first so many of them speak
    service: Ints  # those of them who only answer
    standing: Ints
    vendor: Ints
    slots: Array  # groups × HOST_SLOTS → account
    staff_from: dict[int, int]  # membership → day since which they are staff


@dataclass(frozen=True)
class People:
    members: Members
    hosts: Hosts
    first_member: int  # account number
    first_silent: int


def plan_people(plan: Plan, groups: Groups, lives: Lives) -> People:
    """Accounts and memberships; the number of distinct speakers is exactly the plan's."""
    random = stream(plan.seed, "people")
    hosts = _hosts(plan, random, groups)
    first_member = 1 + len(hosts.group)
    distinct = plan.speakers - 1 - hosts.speakers
    sizes = _speakers(random, groups, distinct)
    members = _members(random, groups, lives, sizes, (first_member, distinct))
    hosts.staff_from.update(_later_staff(groups, members))
    _place_staff(hosts, groups, members)
    return People(members, hosts, first_member, first_member + distinct)


def _speakers(random: Random, groups: Groups, distinct: int) -> Ints:
    """Speaking members by group; in sum the distinct ones and those in two groups."""
    planted = np.array([len(n) for n in groups.shills])
    wanted: Floats = 270 * groups.rate * np.exp(random.normal(0, 0.3, len(groups)))
    room: Floats = 0.45 * (groups.member - groups.planted).astype(np.float64)
    fixed = np.where(planted > 0, SHILL_GROUP_SPEAKERS, 0)
    total = distinct + (round(distinct * OVERLAP) if len(groups) >= OVERLAP_GROUPS else 0)
    free = planted == 0
    sizes = fixed.astype(np.int64)
    cap: Array = np.maximum(np.minimum(GROUP_CAP * groups.rate, room), 2)[free]
    if cap.sum() < total - fixed.sum():  # more people than such groups usually hold
        cap = np.maximum(room, 2)[free]
    sizes[free] = capped(total - int(fixed.sum()), wanted[free], 2, cap)
    result: Ints = sizes
    return result


def _members(
    random: Random, groups: Groups, lives: Lives, sizes: Ints, accounts: tuple[int, int]
) -> Members:
    group, rank = expand(sizes), within(sizes)
    part = _parts(groups, group, rank)
    circle = _circles(sizes, group, rank)
    many = np.clip(sizes // COMMUNITY_SIZE, 1, MOST_COMMUNITIES)[group]
    first = _first_days(random, groups, lives, group, rank, part)
    order = np.lexsort((rank, rank % many, group))
    columns: dict[str, Array] = {
        "group": group,
        "account": _accounts(random, sizes, accounts[1], part, accounts[0]),
        "rank": rank,
        "weight": _weights(random, group, rank, part, circle, sizes),
        "part": part,
        "circle": circle,
        "community": rank % many,
        "first": first,
        "spoke_at": first * DAY + _first_seconds(random, rank, part),
        "quiet": _quiet(random, groups, group, rank, part, first),
    }
    return Members(**{k: v[order] for k, v in columns.items()}, starts=offsets(sizes))


def _parts(groups: Groups, group: Ints, rank: Ints) -> Ints:
    """Who plays a planted part: told by the rank in the group."""
    kinds = [(k.driver, k.loud, k.life) for k in groups.kinds]
    shills = np.array([len(n) for n in groups.shills])[group]
    koc = np.array([d == "koc" for d, _, _ in kinds])[group]
    loud = np.array([is_loud for _, is_loud, _ in kinds])[group]
    steady = np.array([life == "steady" for _, _, life in kinds])[group]
    part = np.zeros(len(group), np.int64)
    part[koc & (rank < 2)] = KOC
    part[loud & (rank == 0)] = LOUD
    part[steady & (rank >= 1) & (rank <= 3)] = CHATTERBOX
    crowd = shills > 0
    part[crowd & (rank < 7)] = CHATTY
    part[crowd & (rank >= 7) & (rank < 7 + shills)] = SHILL
    return part


def _circles(sizes: Ints, group: Ints, rank: Ints) -> Ints:
    core = np.maximum(1, np.rint(CIRCLE_SHARES[0] * sizes)).astype(np.int64)[group]
    influence = core + np.rint(CIRCLE_SHARES[1] * sizes).astype(np.int64)[group]
    result: Ints = np.where(rank < core, 0, np.where(rank < influence, 1, 2)).astype(np.int64)
    return result


def _weights(
    random: Random, group: Ints, rank: Ints, part: Ints, circle: Ints, sizes: Ints
) -> Floats:
    """Everyday talk by member: heavy-tailed, with the shares that planted parts need."""
    weight = np.array(CIRCLE_WEIGHTS)[circle] * np.exp(random.normal(0, 0.5, len(group)))
    weight[part == SHILL] = 0.0
    weight[part == CHATTERBOX] = 6.0
    special = np.zeros(len(group))
    special[(part == KOC) & (rank == 0)] = 0.15
    special[(part == KOC) & (rank == 1)] = 0.09
    special[part == LOUD] = 0.7
    # Two who talk more than 4 % of the shill group, five honest ones within 1–4 %.
    special[(part == CHATTY) & (rank < 2)] = 0.215
    special[(part == CHATTY) & (rank >= 2)] = 0.076
    taken = np.bincount(group, special, len(sizes))
    plain = np.bincount(group, np.where(special > 0, 0, weight), len(sizes))
    scaled = weight * ((1 - taken) / np.maximum(plain, 1e-9))[group]
    result: Floats = np.where(special > 0, special, np.minimum(scaled, MOST_WEIGHT))
    return result


def _first_days(
    random: Random, groups: Groups, lives: Lives, group: Ints, rank: Ints, part: Ints
) -> Ints:
    """Newcomers arrive where the group is lively; those who play a part are there early."""
    curve = np.cumsum(lives.curve, axis=1) + np.arange(len(groups))[:, None]
    # The earlier of two draws: there must be people before there is talk.
    dice = random.random((2, len(group))).min(axis=0) * 0.999_999
    at = np.searchsorted(curve.ravel(), group + dice)
    first = np.minimum(at - group * lives.curve.shape[1], groups.end[group])
    early = groups.start[group] + random.integers(0, 5, len(group))
    first = np.where((part > 0) | (rank == 4), np.minimum(early, groups.end[group]), first)
    opening = (rank == 0) | (part == SHILL)
    result: Ints = np.where(opening, groups.start[group], first).astype(np.int64)
    return result


def _first_seconds(random: Random, rank: Ints, part: Ints) -> Ints:
    """Between 8:00 and 22:00; the faithful one is there before anybody else."""
    second = random.integers(8 * HOUR, 22 * HOUR, len(rank))
    result: Ints = np.where((rank == 0) | (part == SHILL), 7 * HOUR, second)
    return result


def _quiet(
    random: Random, groups: Groups, group: Ints, rank: Ints, part: Ints, first: Ints
) -> Ints:
    stay = np.array([STAY_DAYS[k.life] for k in groups.kinds])[group]
    quiet = first + 1 + np.floor(random.exponential(1, len(group)) * stay).astype(np.int64)
    ever = (random.random(len(group)) < EVERGREEN) | (rank == 0) | (part > 0)
    result: Ints = np.where(ever, FOREVER, quiet)
    return result


def _accounts(random: Random, sizes: Ints, distinct: int, part: Ints, first: int) -> Ints:
    """An account for every membership; the last ones of a group may be guests from others."""
    shared = np.zeros(len(sizes), np.int64)
    if extra := int(sizes.sum()) - distinct:
        shared[1:] = capped(
            extra, sizes[1:].astype(np.float64), 0, (sizes[1:] / 2).astype(np.float64)
        )
    own = within(sizes) < (sizes - shared)[expand(sizes)]
    account = np.full(len(part), -1, np.int64)
    account[own] = first + np.arange(distinct)
    plain = account[own & (part == PLAIN)]
    begin = offsets(sizes)
    for g in np.flatnonzero(shared):
        known = int(np.searchsorted(plain, account[begin[g]]))
        guests = random.choice(known, shared[g], replace=False)
        account[begin[g + 1] - shared[g] : begin[g + 1]] = plain[np.sort(guests)]
    return account


def _hosts(plan: Plan, random: Random, groups: Groups) -> Hosts:
    """Brand accounts: one to three who each make more than 20 % of a group, and the rest."""
    loud = _host_counts(random, groups)
    busy = np.flatnonzero((groups.brand >= BUSY_BRAND) & (groups.planted == 0))
    number = min(len(busy), round(SERVICE_ACCOUNTS * plan.groups / STUDY_GROUPS))
    service = np.sort(random.permutation(busy)[:number])
    speakers = int(loud.sum()) + number
    total = max(speakers, round(CORPORATE_ACCOUNTS * plan.groups / STUDY_GROUPS))
    silent = expand(apportion(total - speakers, np.ones(len(groups))))
    return Hosts(
        group=np.concatenate([expand(loud), service, silent]),
        speakers=speakers,
        service=np.arange(int(loud.sum()), speakers),
        standing=_standings(random, total, speakers),
        vendor=random.permutation(expand(apportion(total, VENDOR_SHARES))),
        slots=_host_slots(loud, service),
        staff_from={},
    )


def _host_counts(random: Random, groups: Groups) -> Ints:
    """As many main brand accounts as can each hold more than 20 % of the messages."""
    share = groups.brand / (groups.brand + groups.member)
    most = np.where(
        groups.brand < 300, 1, np.where(share > 0.86, 3, np.where(share > 0.62, 2, 1))
    )
    result: Ints = 1 + np.floor(random.random(len(groups)) * most).astype(np.int64)
    return result


def _standings(random: Random, total: int, speakers: int) -> Ints:
    """Verified, lapsed, never; never only among the silent, so that speakers stay corporate."""
    counts = apportion(total, STANDING_COUNTS)
    never = min(int(counts[2]), total - speakers)
    others = random.permutation(np.repeat([0, 1], [counts[0] + counts[2] - never, counts[1]]))
    standing = np.full(total, 2)
    standing[: total - never] = others
    result: Ints = standing
    return result


def _host_slots(loud: Ints, service: Ints) -> Array:
    """Whose turn it is, per group: accounts in proportion to their share of brand posts."""
    begin = 1 + offsets(loud)
    slots = np.empty((len(loud), HOST_SLOTS), np.int32)
    for g, n in enumerate(loud):
        turns = apportion(HOST_SLOTS, LOUDEST_HOSTS[int(n)])
        slots[g] = np.repeat(np.arange(begin[g], begin[g] + n), turns)
    slots[service, :SERVICE_SLOTS] = (begin[-1] + np.arange(len(service)))[:, None]
    return slots


def _later_staff(groups: Groups, members: Members) -> dict[int, int]:
    """In one of 67 groups a member joins the staff mid-way: membership → day."""
    size = np.diff(members.starts)
    fits = (groups.brand >= BUSY_BRAND) & (groups.planted == 0) & (size >= 20)
    chosen = np.flatnonzero(fits)[:: STUDY_GROUPS // 2][: -(-len(groups) // STUDY_GROUPS)]
    place = np.flatnonzero((members.rank == 4) & np.isin(members.group, chosen))
    return {int(m): int((groups.start + groups.days // 2)[members.group[m]]) for m in place}


def _place_staff(hosts: Hosts, groups: Groups, members: Members) -> None:
    for m, day in hosts.staff_from.items():
        members.part[m] = LATER_STAFF
        members.quiet[m] = day
