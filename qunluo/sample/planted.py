"""Messages whose moment and author are planted: first words, spikes and shill sessions.

Everything else is drawn day by day (`draws.py`). One row per message, sorted by time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.sample.clock import DAY, HOUR, MINUTE
from qunluo.sample.groups import Groups
from qunluo.sample.lives import (
    CAMPAIGN_HOUR,
    DRAW,
    MONOLOGUE,
    TOPIC,
    Lives,
    Spike,
)
from qunluo.sample.lives import SHILL as SHILL_TONE
from qunluo.sample.numbers import (
    Array,
    Floats,
    Ints,
    Random,
    apportion,
    draw,
    expand,
    stream,
    within,
)
from qunluo.sample.people import SHILL, Members
from qunluo.sample.plan import Plan
from qunluo.sample.shares import MEMBER_HOURS, minute_table

ANYBODY = -1
SPIKE_TONES = {"chatterbox": MONOLOGUE, "event": DRAW, "broad": TOPIC}
CHATTER_SHARE = (0.72, 0.92)  # of the extra messages
CHATTER_GAP, CHATTER_SESSIONS = 45, 3  # seconds between messages
EVENT_DAYS, BROAD_DAYS = (0.6, 0.27, 0.13), (0.24, 0.24, 0.22, 0.18, 0.12)  # from Tuesday
SESSION_CLOCKS = (9.5, 11, 15, 19.5, 21, 10.25, 14, 12.5, 20.25, 16.5)  # o'clock, in this order
SESSION_GAP = 4 * MINUTE  # to the next session at the same o'clock
SQUAD = 8.5  # shills in a session, on average
ROUND = 60  # seconds between the two messages of one shill in a session


@dataclass(frozen=True)
class Planted:
    """`member` is a membership or ANYBODY; `tone` as in `lives.TONES`."""

    at: Ints
    group: Array
    member: Array
    tone: Array

    def between(self, start: int, end: int) -> Planted:
        low, high = np.searchsorted(self.at, (start, end))
        part = slice(int(low), int(high))
        return Planted(self.at[part], self.group[part], self.member[part], self.tone[part])


def plan_planted(plan: Plan, groups: Groups, lives: Lives, members: Members) -> Planted:
    """All planted messages of members, in order of time."""
    parts = [_first_words(lives, members)]
    minutes = minute_table(MEMBER_HOURS)
    for k, spike in enumerate(lives.spikes):
        parts.append(_spike(stream(plan.seed, "spike", k), spike, members, minutes))
    for g, each in enumerate(groups.shills):
        if len(each):
            parts.append(_shills(stream(plan.seed, "shills", g), g, each, lives, members))
    at, group, member, tone = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.argsort(at, kind="stable")
    small = (c[order].astype(np.int32) for c in (group, member, tone))
    return Planted(at[order], *small)


def _first_words(lives: Lives, members: Members) -> tuple[Array, ...]:
    """Everybody who speaks has said something: the first message of every membership."""
    who = np.flatnonzero(members.part != SHILL)
    group, day = members.group[who], members.first[who]
    return members.spoke_at[who], group, who, lives.tone[group, day].astype(np.int64)


def _spike(random: Random, spike: Spike, members: Members, minutes: Array) -> tuple[Array, ...]:
    start, n = spike.day * DAY + DAY, spike.extra  # Tuesday
    member = np.full(n, ANYBODY)
    if spike.cause == "chatterbox":
        own = round(n * random.uniform(*CHATTER_SHARE))
        member[:own] = voice_of(members, spike)
        at = np.concatenate(
            [_monologue(random, own), _hours(random, minutes, n - own, (1, 1, 1))]
        )
    elif spike.cause == "event":
        at = _after_campaign(random, minutes, n)
    else:
        at = _hours(random, minutes, n, BROAD_DAYS)
    return start + at, np.full(n, spike.group), member, np.full(n, SPIKE_TONES[spike.cause])


def voice_of(members: Members, spike: Spike) -> int:
    """The membership of the one who talks, if the spike is a chatterbox's."""
    start, end = members.starts[spike.group : spike.group + 2]
    ranks = members.rank[start:end]
    found = np.flatnonzero(ranks == 1 + spike.voice % max(1, len(ranks) - 1))
    return int(start + found[0])


def _monologue(random: Random, n: int) -> Ints:
    """A few sittings of one message after the other, by day."""
    sitting = expand(apportion(n, np.ones(CHATTER_SESSIONS)))
    gaps = random.exponential(CHATTER_GAP, n).astype(np.int64) + 3
    begin = sitting * DAY + random.integers(9 * HOUR, 19 * HOUR, CHATTER_SESSIONS)[sitting]
    run = np.cumsum(gaps)
    first = np.searchsorted(sitting, np.arange(CHATTER_SESSIONS))
    since = run - run[np.minimum(first, n - 1)][sitting]
    result: Ints = begin + np.minimum(since, 4 * HOUR)
    return result


def _hours(random: Random, minutes: Array, n: int, days: tuple[float, ...]) -> Ints:
    """Usual hours on several days."""
    day = expand(apportion(n, days))
    result: Ints = day * DAY + draw(random, minutes, n) * MINUTE + random.integers(0, MINUTE, n)
    return result


def _after_campaign(random: Random, minutes: Array, n: int) -> Ints:
    """Most answers come on the day of the campaign, after it."""
    at = _hours(random, minutes, n, EVENT_DAYS)
    evening = (22.5 - CAMPAIGN_HOUR) * HOUR
    same = (
        CAMPAIGN_HOUR * HOUR + 2 * MINUTE + (random.beta(1, 2.2, n) * evening).astype(np.int64)
    )
    result: Ints = np.where(at < DAY, same, at)
    return result


def _shills(
    random: Random, g: int, each: Ints, lives: Lives, members: Members
) -> tuple[Array, ...]:
    """Sessions in which a squad posts one after the other, twice, by the clock."""
    turns = -(-each // 2)
    number = int(max(turns.max(), turns.sum() / min(SQUAD, 0.4 * len(each))))
    dice = random.random((len(each), number)).argsort(axis=1).argsort(axis=1)
    present = dice < turns[:, None]
    who, session = np.nonzero(present)
    place = (np.cumsum(present, axis=0) - 1)[who, session]
    start = _sessions(random, lives.curve[g], number)
    step = ROUND / np.maximum(1, present.sum(axis=0))
    once = start[session] + np.rint(place * step[session]).astype(np.int64)
    who, at = np.concatenate([who, who]), np.concatenate([once, once + ROUND])
    at, who = _drop_odd(at, who, each, turns)
    at = at + random.integers(-1, 2, len(at))
    begin = members.starts[g]
    shills = begin + np.flatnonzero(members.part[begin : members.starts[g + 1]] == SHILL)
    return at, np.full(len(at), g), shills[who], np.full(len(at), SHILL_TONE)


def _sessions(random: Random, curve: Floats, number: int) -> Ints:
    """When sessions begin: on lively days, by the clock, one after the other."""
    by_day = random.multinomial(number, curve)
    round_, place = np.divmod(within(by_day), len(SESSION_CLOCKS))
    clock = (np.array(SESSION_CLOCKS) * HOUR).astype(np.int64)[place]
    late = random.integers(2, 40, number)
    result: Ints = expand(by_day) * DAY + clock + round_ * SESSION_GAP + late
    return result


def _drop_odd(at: Ints, who: Ints, each: Ints, turns: Ints) -> tuple[Ints, Ints]:
    """An odd number of messages means one session with a single one."""
    keep = np.ones(len(at), bool)
    for i in np.flatnonzero(turns * 2 > each):
        keep[np.flatnonzero(who == i)[-1]] = False
    return at[keep], who[keep]
