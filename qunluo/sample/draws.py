"""Everyday messages of a few days at once, as plain number columns (no text yet).

Rows are made in four steps: brand posts in pushes, members' own messages, answers to
either, system notices. Answers aim at a message of the same group and day, mostly by somebody
of the same community, and follow it after a delay.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qunluo.sample.clock import DAY, HOUR, MINUTE
from qunluo.sample.counts import Counts
from qunluo.sample.friends import Friends, converse
from qunluo.sample.groups import Groups
from qunluo.sample.lives import CAMPAIGN_HOUR, MONOLOGUE, Lives
from qunluo.sample.numbers import Array, Ints, Random, draw, expand, stream, table_of
from qunluo.sample.people import HOST_SLOTS, STAFF_SLOTS, SYSTEM_ACCOUNT, People
from qunluo.sample.planted import ANYBODY, Planted
from qunluo.sample.seats import Seats, seats
from qunluo.sample.shares import (
    BRAND_HOURS,
    MEMBER_HOURS,
    PUSH_SIZES,
    SYSTEM_HOURS,
    minute_table,
)

CLASSES = ("brand", "member", "system")
BRAND, MEMBER, SYSTEM = range(3)
EVIDENCE = ("none", "explicit", "mention", "quote", "proximity")
EVIDENCE_SHARES = (0.5, 0.2, 0.1, 0.2)  # of answers, from "explicit" on
EXPLICIT, MENTION, QUOTE, PROXIMITY = range(1, 5)
ANSWERS = (0.26, 0.3, 0.42, 0.36, 0.3, 0.05, 0.0)  # share of member messages, by tone
SECOND_ROUND = 0.3  # of answers: to an answer, often by the one first answered
BRAND_ANSWERS = 0.03
BRAND_TARGETS = 0.12  # of brand posts that members may answer
SAME_COMMUNITY = 0.8
GIVES_BACK = 0.6
DELAYS = {MEMBER: (np.log(75), 1.35), BRAND: (np.log(260), 1.2)}  # lognormal, seconds
NEAR = 0.35  # a proximity answer comes sooner
DELAY_RANGE = (3, 6 * HOUR)
NOBODY = -1


@dataclass
class Rows:
    """Number columns of some messages. `target` is a row of the same set, or -1."""

    at: Array
    group: Array
    account: Array
    member: Array  # membership, or -1
    klass: Array
    tone: Array
    target: Array
    evidence: Array
    campaign: Array  # number of the planted campaign, or -1

    def __len__(self) -> int:
        return len(self.at)


def stacked(parts: list[Rows]) -> Rows:
    """All rows below each other; targets are moved along."""
    columns = {}
    for f in fields(Rows):
        columns[f.name] = np.concatenate([getattr(p, f.name) for p in parts])
    return Rows(**columns)


class Drawing:
    """Draws the rows of any range of days of one planned sample."""

    def __init__(
        self,
        seed: int,
        groups: Groups,
        lives: Lives,
        people: People,
        counts: Counts,
        planted: Planted,
        friends: Friends,
    ) -> None:
        self.friends = friends
        self.seed, self.groups, self.lives = seed, groups, lives
        self.people, self.counts, self.planted = people, counts, planted
        self.minutes = [minute_table(h) for h in (BRAND_HOURS, MEMBER_HOURS, SYSTEM_HOURS)]
        self.pushes = table_of(PUSH_SIZES)
        self.evidence = table_of(dict(enumerate(EVIDENCE_SHARES, 1)), 1 << 12)
        self.answers = np.array(ANSWERS, np.float32)
        where = [(c.group, c.day) for c in lives.campaigns]
        self.campaigns = np.array(where, np.int64).reshape(-1, 2).T

    def rows(self, start: int, end: int) -> Rows:
        """All messages of the days `start` to `end` (exclusive), in order of time."""
        random = stream(self.seed, "rows", start)
        seated = seats(self.people.members, start, end, len(self.groups))
        brand, talk = self._brand(random, start, end), self._members(random, seated, start, end)
        rows = stacked([brand, talk, self._system(random, start, end)])
        self._answer(random, seated, rows, len(brand), end)
        self._befriend(rows, start, end)
        return _by_time(rows)

    def _cells(self, counts: Array, start: int, end: int) -> tuple[Array, Array]:
        """Group and day of every row that `counts` promises."""
        cell = expand(counts[:, start:end].ravel())
        group, day = np.divmod(cell.astype(np.int32), np.int32(end - start))
        return group, day + np.int32(start)

    def _brand(self, random: Random, start: int, end: int) -> Rows:
        group, day = self._cells(self.counts.brand, start, end)
        at = day * np.int64(DAY) + self._pushed(random, group, day)
        turn = random.integers(0, HOST_SLOTS, len(group))
        account = self.people.hosts.slots[group, turn]
        rows = _plain(at, group, account, np.full(len(group), NOBODY), BRAND)
        self._put_campaigns(random, rows, day, start, end)
        self._put_staff(rows, day, turn)
        return rows

    def _pushed(self, random: Random, group: Array, day: Array) -> Array:
        """Seconds of the day: messages of one push share a clock minute."""
        n = len(group)
        sizes = draw(random, self.pushes, n * 6 // 10 + 64)
        push = np.resize(expand(sizes), n)
        opens = np.ones(n, bool)
        opens[1:] = (push[1:] != push[:-1]) | (day[1:] != day[:-1]) | (group[1:] != group[:-1])
        push = np.cumsum(opens) - 1
        minute = draw(random, self.minutes[BRAND], int(opens.sum()))[push]
        result: Array = minute * MINUTE + random.integers(0, MINUTE, n)
        return result

    def _put_campaigns(
        self, random: Random, rows: Rows, day: Array, start: int, end: int
    ) -> None:
        """The first post of the group on that day becomes the campaign message, at 10:00."""
        group, on = self.campaigns
        chosen = np.flatnonzero((on >= start) & (on < end))
        place = rows.group.astype(np.int64) * end + day
        first = np.searchsorted(place, group[chosen] * end + on[chosen])
        rows.campaign[first] = chosen
        at = on[chosen] * DAY + CAMPAIGN_HOUR * HOUR
        rows.at[first] = at + random.integers(0, 40, len(chosen))

    def _put_staff(self, rows: Rows, day: Array, turn: Array) -> None:
        """Posts of the member who joined the staff mid-way."""
        members = self.people.members
        for m, since in self.people.hosts.staff_from.items():
            low, high = np.searchsorted(rows.group, (members.group[m], members.group[m] + 1))
            part = slice(int(low), int(high))
            own = (turn[part] >= HOST_SLOTS - STAFF_SLOTS) & (day[part] >= since)
            rows.account[part][own & (rows.campaign[part] < 0)] = members.account[m]

    def _members(self, random: Random, seated: Seats, start: int, end: int) -> Rows:
        group, day = self._cells(self.counts.member, start, end)
        member = seated.anybody(random, group, day)
        at = day * np.int64(DAY) + self._moments(random, MEMBER, len(day))
        fixed = self.planted.between(start * DAY, end * DAY)
        rows = self._joined(random, seated, fixed, group, member, at)
        self._after_first(random, rows)
        return rows

    def _joined(
        self,
        random: Random,
        seated: Seats,
        fixed: Planted,
        group: Array,
        member: Array,
        at: Array,
    ) -> Rows:
        """Everyday and planted messages together."""
        crowd = np.flatnonzero(fixed.member == ANYBODY)
        who = fixed.member.copy()
        who[crowd] = seated.anybody(random, fixed.group[crowd], fixed.at[crowd] // DAY)
        tone = self.lives.tone[group, at // DAY]
        everyone = np.concatenate([member, who])
        rows = _plain(
            np.concatenate([at, fixed.at]),
            np.concatenate([group, fixed.group]),
            self.people.members.account[everyone],
            everyone,
            MEMBER,
        )
        rows.tone = np.concatenate([tone, fixed.tone]).astype(np.int8)
        rows.campaign[len(at) :][fixed.member != ANYBODY] = PLANTED_ROW
        return rows

    def _after_first(self, random: Random, rows: Rows) -> None:
        """Nobody speaks before their first words, nor on a group's first day before 7:30."""
        spoke = self.people.members.spoke_at[rows.member]
        early = np.flatnonzero((rows.at < spoke) & (rows.campaign != PLANTED_ROW))
        later = spoke[early] + random.integers(40, 2 * HOUR, len(early))
        rows.at[early] = np.minimum(later, spoke[early] // DAY * DAY + DAY - 1)

    def _moments(self, random: Random, klass: int, n: int) -> Array:
        minute = draw(random, self.minutes[klass], n)
        result: Array = minute * MINUTE + random.integers(0, MINUTE, n, dtype=np.int32)
        return result

    def _system(self, random: Random, start: int, end: int) -> Rows:
        group, day = self._cells(self.counts.system, start, end)
        at = day * np.int64(DAY) + self._moments(random, SYSTEM, len(day))
        opening = self.groups.start[group] == day
        at[opening] = np.maximum(at[opening], day[opening] * np.int64(DAY) + 8 * HOUR)
        account = np.full(len(group), SYSTEM_ACCOUNT)
        return _plain(at, group, account, np.full(len(group), NOBODY), SYSTEM)

    def _answer(self, random: Random, seated: Seats, rows: Rows, brands: int, end: int) -> None:
        """Turns some rows into answers: their time, author and target change, not their day."""
        free = rows.campaign == NOBODY
        dice = random.random(len(rows), np.float32)
        talk = rows.klass == MEMBER
        replies = np.flatnonzero(talk & free & (dice < self.answers[rows.tone]))
        second = random.random(len(replies)) < SECOND_ROUND
        staff = np.flatnonzero((rows.klass == BRAND) & free & (dice < BRAND_ANSWERS))
        open_to = (rows.klass == BRAND) & (dice > 1 - BRAND_TARGETS)
        open_to |= talk
        open_to[replies] = False
        aim = Aim(self, random, seated, rows, end)
        aim.answer(replies[~second], np.flatnonzero(open_to))
        aim.answer(staff, np.flatnonzero(open_to & talk))
        aim.answer(replies[second], replies[~second][rows.target[replies[~second]] >= 0])

    def _befriend(self, rows: Rows, start: int, end: int) -> None:
        """Friends take over messages that are no answer and have none."""
        members = self.people.members
        free = (rows.klass == MEMBER) & (rows.campaign == NOBODY) & (rows.target < 0)
        free &= (rows.tone < MONOLOGUE) & (rows.at > members.spoke_at[rows.member] + 1)
        free[rows.target[rows.target >= 0]] = False
        random = stream(self.seed, "conversations", start)
        converse(random, rows, self.friends, members, free, (start, end), EXPLICIT)


PLANTED_ROW = -2  # in `campaign`: a row whose time and author must stay


class Aim:
    """Gives answers their targets, within one set of rows."""

    def __init__(
        self, drawing: Drawing, random: Random, seated: Seats, rows: Rows, end: int
    ) -> None:
        self.random, self.seated, self.rows, self.evidence = (
            random,
            seated,
            rows,
            drawing.evidence,
        )
        self.members = drawing.people.members
        last = np.minimum(drawing.groups.end, end - 1)
        self.until = (last + 1) * DAY - 1  # by group
        self.width = end + 1

    def answer(self, replies: Ints, targets: Ints) -> None:
        """Aims every one of `replies` that has a target in its group and day."""
        found = self._targets(replies, targets)
        replies, found = replies[found >= 0], found[found >= 0]
        evidence = draw(self.random, self.evidence, len(replies))
        at = self.rows.at[found] + self._delays(replies, evidence)
        fits = at <= self.until[self.rows.group[found]]
        replies, found, evidence, at = replies[fits], found[fits], evidence[fits], at[fits]
        self._speak(replies, found, at)
        other = self.rows.account[replies] != self.rows.account[found]
        self.rows.at[replies] = at
        self.rows.target[replies[other]] = found[other]
        self.rows.evidence[replies[other]] = evidence[other]

    def _targets(self, replies: Ints, targets: Ints) -> Ints:
        """A random target of the same group and day for each, or -1."""
        key = self._key(targets)
        order = np.argsort(key, kind="stable")
        key, targets = key[order], targets[order]
        wanted = self._key(replies)
        low, high = (np.searchsorted(key, wanted, side) for side in ("left", "right"))
        some = high > low
        pick = low + (self.random.random(len(replies)) * (high - low)).astype(np.int64)
        result = np.full(len(replies), NOBODY, np.int64)
        result[some] = targets[pick[some]]
        return result

    def _key(self, rows: Ints) -> Ints:
        group = self.rows.group[rows].astype(np.int64)
        key: Ints = group * self.width + self.rows.at[rows] // DAY
        return key

    def _delays(self, replies: Ints, evidence: Array) -> Ints:
        brand = self.rows.klass[replies] == BRAND
        mean = np.where(brand, DELAYS[BRAND][0], DELAYS[MEMBER][0])
        spread = np.where(brand, DELAYS[BRAND][1], DELAYS[MEMBER][1])
        seconds = np.exp(self.random.normal(mean, spread))
        seconds *= np.where(evidence == PROXIMITY, NEAR, 1.0)
        return np.clip(seconds, *DELAY_RANGE).astype(np.int64)

    def _speak(self, replies: Ints, found: Ints, at: Ints) -> None:
        """Who answers: the one first answered, somebody of the community, or anybody."""
        talk = np.flatnonzero(self.rows.klass[replies] == MEMBER)
        whose, when = found[talk], at[talk]
        who = self._neighbours(whose, when)
        before = np.where(self.rows.target[whose] >= 0, self.rows.target[whose], whose)
        first = self.rows.member[before]
        back = (first >= 0) & (before != whose) & (self.random.random(len(talk)) < GIVES_BACK)
        who = np.where(back & self._there(first, when), first, who)
        self.rows.member[replies[talk]] = who
        self.rows.account[replies[talk]] = self.members.account[who]

    def _neighbours(self, whose: Ints, when: Ints) -> Ints:
        asked, group = self.rows.member[whose], self.rows.group[whose]
        near = (asked >= 0) & (self.random.random(len(whose)) < SAME_COMMUNITY)
        community = np.where(near, self.members.community[np.maximum(asked, 0)], NOBODY)
        who = self.seated.anybody(self.random, group, when // DAY, community)
        there = self._there(who, when)
        result: Ints = np.where(there, who, self.members.starts[group])
        return result

    def _there(self, who: Array, when: Ints) -> Array:
        spoke, quiet = self.members.spoke_at[who], self.members.quiet[who]
        result: Array = (spoke < when) & (when // DAY < quiet)
        return result


def _plain(at: Array, group: Array, account: Array, member: Array, klass: int) -> Rows:
    n = len(at)
    return Rows(
        at=at.astype(np.int64),
        group=group.astype(np.int32),
        account=account.astype(np.int32),
        member=member.astype(np.int32),
        klass=np.full(n, klass, np.int8),
        tone=np.zeros(n, np.int8),
        target=np.full(n, NOBODY, np.int32),
        evidence=np.zeros(n, np.int8),
        campaign=np.full(n, NOBODY, np.int32),
    )


def _by_time(rows: Rows) -> Rows:
    order = np.argsort(rows.at, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    columns = {f.name: getattr(rows, f.name)[order] for f in fields(Rows)}
    linked = columns["target"] >= 0
    columns["target"][linked] = place[columns["target"][linked]]
    return Rows(**columns)
