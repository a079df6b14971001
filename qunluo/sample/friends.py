"""Pairs of members who talk with each other every other week: planted into the drawn talk.

A conversation takes over messages that nobody in particular was told to write, so that nothing
else changes: not how much is said, nor where or when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qunluo.sample.clock import DAY, HOUR
from qunluo.sample.numbers import Array, Floats, Ints, Random, stream
from qunluo.sample.people import PLAIN, Members
from qunluo.sample.plan import Plan

if TYPE_CHECKING:
    from qunluo.sample.draws import Rows

LEAST_DAYS = 90  # that two know each other when the sample ends
LEAST_CHANCES = 5  # lively days since both were there
LENGTH = 5  # messages of a conversation, in turns
EVERY_DAYS = 9  # between two of a pair, on average
LEAST_TALK = 12  # a day: only where that much is said a conversation is had
SHARE = 0.15  # of a group's talk, at most
LATEST = 21 * HOUR  # it begins on a day
DELAY, LONGEST = 75, 600  # seconds to the next message, on average and at most


@dataclass(frozen=True)
class Friends:
    """Pairs of memberships (rows × 2), and the conversations they were to have."""

    pairs: Ints
    pair: Ints  # of each conversation
    day: Ints

    def talk(self, start: int, end: int) -> Floats:
        """By pair, messages of the days `start` to `end` (exclusive), of both together."""
        here = self.pair[(self.day >= start) & (self.day < end)]
        return LENGTH * np.bincount(here, minlength=len(self.pairs)).astype(np.float64)


def plan_friends(plan: Plan, members: Members, rate: Floats) -> Friends:
    """Among those who were there for long and stay; nobody has two friends. `rate` is how much is
    said by groups × days."""
    random = stream(plan.seed, "friends")
    lively = np.where(rate >= LEAST_TALK, rate, 0.0)
    room = lively.sum(axis=1) * SHARE / (LENGTH * plan.days / EVERY_DAYS)
    there = (members.first < plan.days - LEAST_DAYS) & (members.quiet >= plan.days)
    who = np.flatnonzero(there & (members.part == PLAIN))
    mixed = (random.random(len(who)), members.community[who], members.group[who])
    order = who[np.lexsort(mixed)]
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    pairs = random.permutation(pairs[_near(members, pairs)])
    pairs = pairs[_chances(members, pairs, lively) >= LEAST_CHANCES]
    pairs = _fitting(members, pairs, room)
    pair, day = _conversations(random, plan, members, pairs, lively)
    return Friends(pairs, pair, day)


def _near(members: Members, pairs: Ints) -> Array:
    one, other = pairs.T
    same = members.group[one] == members.group[other]
    same &= members.community[one] == members.community[other]
    result: Array = same & (members.account[one] != members.account[other])
    return result


def _chances(members: Members, pairs: Ints, lively: Floats) -> Ints:
    """Lively days since both are there."""
    known = members.first[pairs].max(axis=1) + 1
    days = np.cumsum(lively[:, ::-1] > 0, axis=1)[:, ::-1]
    result: Ints = days[members.group[pairs[:, 0]], np.minimum(known, lively.shape[1] - 1)]
    return result


def _fitting(members: Members, pairs: Ints, room: Floats) -> Ints:
    """As many in each group as it has room for; accounts that are in one pair only."""
    group = members.group[pairs[:, 0]]
    order = np.argsort(group, kind="stable")
    place = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    kept = pairs[order[place < room[group[order]]]]
    accounts = members.account[kept]
    _, at, count = np.unique(accounts, return_inverse=True, return_counts=True)
    result: Ints = kept[(count[at.reshape(accounts.shape)] == 1).all(axis=1)]
    return result


def _conversations(
    random: Random, plan: Plan, members: Members, pairs: Ints, lively: Floats
) -> tuple[Ints, Ints]:
    """On lively days since both are there, one in every nine days or so."""
    known = members.first[pairs].max(axis=1) + 1
    found = []
    for k, (since, group) in enumerate(zip(known, members.group[pairs[:, 0]], strict=True)):
        days = since + np.flatnonzero(lively[group, since:])
        number = min(len(days), max(1, round((plan.days - since) / EVERY_DAYS)))
        chosen = random.choice(days, number, replace=False) if number else days
        found.append(np.stack([np.full(number, k), np.sort(chosen)], axis=1))
    rows = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return rows[:, 0], rows[:, 1]


def converse(
    random: Random, rows: Rows, friends: Friends, members: Members,
    free: Array, days: tuple[int, int], explicit: int,
) -> None:  # fmt: skip
    """Gives `free` rows of the friends' group and day to them, each answering the one before."""
    here = np.flatnonzero((friends.day >= days[0]) & (friends.day < days[1]))
    place = np.flatnonzero(free & (rows.at % DAY < LATEST))
    place = place[random.permutation(len(place))]
    key = rows.group[place].astype(np.int64) * (days[1] + 1) + rows.at[place] // DAY
    order = np.argsort(key, kind="stable")
    place, key = place[order], key[order]
    pair = friends.pair[here]
    group = members.group[friends.pairs[pair, 0]]
    wanted = group * (days[1] + 1) + friends.day[here]
    turn = np.argsort(wanted, kind="stable")
    pair, wanted = pair[turn], wanted[turn]
    before = np.arange(len(wanted)) - np.searchsorted(wanted, wanted)
    begin = np.searchsorted(key, wanted) + before * LENGTH
    fits = begin + LENGTH <= np.searchsorted(key, wanted, "right")
    _take(random, rows, members, place[begin[fits, None] + np.arange(LENGTH)],
          friends.pairs[pair[fits]], explicit)  # fmt: skip


def _take(
    random: Random, rows: Rows, members: Members, taken: Ints, pairs: Ints,
    explicit: int,
) -> None:  # fmt: skip
    """`taken` are conversations × messages: rows that become theirs."""
    if not len(taken):
        return
    pause = 3 + np.minimum(random.exponential(DELAY, taken.shape), LONGEST).astype(np.int64)
    pause[:, 0] = 0
    rows.at[taken] = rows.at[taken].min(axis=1)[:, None] + np.cumsum(pause, axis=1)
    who = pairs[:, np.arange(LENGTH) % 2]
    rows.member[taken] = who
    rows.account[taken] = members.account[who]
    rows.target[taken[:, 1:]] = taken[:, :-1]
    rows.evidence[taken[:, 1:]] = explicit
