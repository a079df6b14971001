"""How talk in a group rises and falls: life curves, waves, campaigns and spikes, by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qunluo.sample.clock import Clock
from qunluo.sample.groups import Groups
from qunluo.sample.numbers import Array, Floats, Ints, Random, apportion, stream
from qunluo.sample.plan import Plan

Cause = Literal["chatterbox", "event", "broad"]
CAUSES: tuple[Cause, ...] = ("chatterbox", "event", "broad")
CAUSE_SHARES = (0.66, 0.2, 0.14)  # "mostly one chatterbox"
TONES = ("everyday", "draw", "question", "koc", "topic", "monologue", "shill")
DAILY, DRAW, QUESTION, KOC, TOPIC, MONOLOGUE, SHILL = range(7)
DRIVER_TONES = {"draw": DRAW, "question": QUESTION, "koc": KOC, "shill": DAILY}

WAVE_DAYS = 58  # a one-wave group falls silent within two months
STRAY = 0.012  # share of its messages that come later
MEMBER_WEEK = (1.0, 1.02, 1.0, 1.03, 1.08, 0.95, 0.9)  # Monday to Sunday
BRAND_WEEK = (1.0, 1.05, 1.05, 1.05, 1.15, 0.8, 0.75)
CAMPAIGN_HOUR = 10
VAIN_EVERY = 40  # days
CAMPAIGN_LEAST = 200  # brand messages of a group that runs campaigns
HISTORY_WEEKS = 9  # a spike needs eight weeks before it
SPIKE_GAP_WEEKS = (6, 9)


@dataclass(frozen=True)
class Wave:
    """A rise of talk in a recurring group."""

    group: int
    day: int
    days: int


@dataclass(frozen=True)
class Campaign:
    """A planted campaign or lottery message, sent at 10:00."""

    group: int
    day: int
    lottery: bool


@dataclass(frozen=True)
class Spike:
    """A planted week of far more talk than usual. `day` is its Monday."""

    group: int
    day: int
    cause: Cause
    extra: int  # messages on top of the usual
    voice: int  # which of the group's talkative members, if a chatterbox


@dataclass(frozen=True)
class Lives:
    """Shares and events of every group's life. Matrices are groups × days."""

    curve: Floats  # of everyday member messages; rows sum to 1
    tone: Array  # index into TONES
    brand: Floats  # of brand messages; rows sum to 1
    waves: tuple[Wave, ...]
    campaigns: tuple[Campaign, ...]
    spikes: tuple[Spike, ...]


def plan_lives(plan: Plan, groups: Groups, clock: Clock) -> Lives:
    """Every group's curve, waves, campaigns and spikes."""
    random = stream(plan.seed, "lives")
    curve = np.zeros((len(groups), plan.days))
    waves: list[Wave] = []
    for g in range(len(groups)):
        curve[g, groups.start[g] : groups.end[g] + 1] = _curve(random, groups, g, waves)
    curve *= np.array(MEMBER_WEEK)[clock.weekdays()]
    curve /= curve.sum(axis=1, keepdims=True)
    spikes = _spikes(random, groups, clock)
    campaigns = [
        *_wave_campaigns(groups, waves),
        *_spike_campaigns(groups, spikes),
        *_vain_campaigns(random, groups),
    ]
    return Lives(
        curve=curve,
        tone=_tones(groups, waves, plan.days),
        brand=_brand(random, groups, clock),
        waves=tuple(waves),
        campaigns=tuple({(c.group, c.day): c for c in sorted(campaigns, key=_place)}.values()),
        spikes=tuple(spikes),
    )


def _place(campaign: Campaign) -> tuple[int, int, bool]:
    return campaign.group, campaign.day, campaign.lottery


def _curve(random: Random, groups: Groups, g: int, waves: list[Wave]) -> Floats:
    days = int(groups.days[g])
    life = groups.kinds[g].life
    if life == "steady":
        return _steady(random, days)
    if life == "recurring waves":
        return _recurring(random, groups, g, waves)
    return _one_wave(
        random, days, *((WAVE_DAYS, (6, 14)) if life == "one wave" else (9, (2, 3)))
    )


def _one_wave(random: Random, days: int, until: int, tau: tuple[int, int]) -> Floats:
    """A quick rise and an exponential decay, then a few stray messages."""
    t = np.arange(days)
    shape = (1 - np.exp(-(t + 1) / 1.5)) * np.exp(-t / random.uniform(*tau))
    shape[until:] = 0
    shape *= random.gamma(6, 1 / 6, days)
    result: Floats = shape / shape.sum() + STRAY / days
    return result


def _steady(random: Random, days: int) -> Floats:
    """The same every week, but for a slow trend and the noise of days."""
    trend = 1 + random.uniform(-0.2, 0.2) * np.arange(days) / days
    shape: Floats = trend * random.gamma(12, 1 / 12, days)
    return shape


def _recurring(random: Random, groups: Groups, g: int, waves: list[Wave]) -> Floats:
    """Several waves with quiet weeks between, on a low murmur."""
    days = int(groups.days[g])
    shape = np.full(days, 0.14 / days)
    number = max(2, days // 75)
    for k in range(number):
        at = int((k + 0.12 + 0.2 * random.random()) * days / number)
        length = min(int(random.integers(13, 20)), days - at)
        t = np.arange(length)
        wave = np.exp(-t / 6) * random.gamma(8, 1 / 8, length)
        shape[at : at + length] += wave / wave.sum() * random.uniform(0.7, 1.3) / number
        waves.append(Wave(g, int(groups.start[g]) + at, length))
    return shape


def _tones(groups: Groups, waves: Sequence[Wave], days: int) -> Array:
    tone = np.zeros((len(groups), days), np.int8)
    for wave in waves:
        driver = groups.kinds[wave.group].driver
        tone[wave.group, wave.day : wave.day + wave.days] = DRIVER_TONES[driver]
    return tone


def _brand(random: Random, groups: Groups, clock: Clock) -> Floats:
    """Brand posts go on at their pace, whether or not anybody answers."""
    inside = _alive(groups, clock.days)
    noise = random.gamma(9, 1 / 9, inside.shape)
    share = inside * noise * np.array(BRAND_WEEK)[clock.weekdays()]
    result: Floats = share / share.sum(axis=1, keepdims=True)
    return result


def _alive(groups: Groups, days: int) -> Array:
    day = np.arange(days)
    result: Array = (day >= groups.start[:, None]) & (day <= groups.end[:, None])
    return result


def _wave_campaigns(groups: Groups, waves: Sequence[Wave]) -> list[Campaign]:
    """Draw-driven waves begin with a lottery and get a second one after six days."""
    rich = groups.brand >= CAMPAIGN_LEAST
    drawn = [w for w in waves if groups.kinds[w.group].driver == "draw" and rich[w.group]]
    days = [(w, w.day + d) for w in drawn for d in (0, 6)]
    return [Campaign(w.group, d, True) for w, d in days if d <= groups.end[w.group]]


def _spike_campaigns(groups: Groups, spikes: Sequence[Spike]) -> list[Campaign]:
    """A campaign on the Tuesday of every event spike; elsewhere one that nobody minded."""
    found = []
    for k, spike in enumerate(spikes):
        day = spike.day + 1 if spike.cause == "event" else spike.day + 22
        if (spike.cause == "event" or k % 3 == 0) and day <= groups.end[spike.group]:
            found.append(Campaign(spike.group, day, k % 2 == 0))
    return found


def _vain_campaigns(random: Random, groups: Groups) -> list[Campaign]:
    """One-wave groups get a campaign every few weeks, mostly long after their wave."""
    found = []
    for g in range(len(groups)):
        if groups.kinds[g].life == "one wave" and groups.brand[g] >= CAMPAIGN_LEAST:
            every = random.integers(0, groups.days[g], groups.days[g] // VAIN_EVERY)
            days = np.unique(every) + groups.start[g]
            found += [Campaign(g, int(day), k % 2 == 0) for k, day in enumerate(days)]
    return found


def _spikes(random: Random, groups: Groups, clock: Clock) -> list[Spike]:
    places = [
        (g, week, int(k))
        for g in range(len(groups))
        if groups.kinds[g].life == "steady"
        for k, week in enumerate(_weeks(random, groups, clock, g))
    ]
    counts = apportion(len(places), CAUSE_SHARES)
    causes = random.permutation(np.repeat(np.arange(len(CAUSES)), counts))
    extras = _extras(random, groups, clock, [g for g, _, _ in places])
    return [
        Spike(g, week * 7 - clock.weekday, CAUSES[cause], int(extra), k % 3)
        for (g, week, k), cause, extra in zip(places, causes, extras, strict=True)
    ]


def _weeks(random: Random, groups: Groups, clock: Clock, g: int) -> list[int]:
    """Weeks with a spike, some two months apart; none where talk is too thin to show one."""
    if groups.member[g] < 8 * groups.days[g] / 7 or groups.brand[g] < CAMPAIGN_LEAST:
        return []
    week = int(clock.week(groups.start[g])) + HISTORY_WEEKS + 1
    last = int(clock.week(groups.end[g])) - 2
    weeks = []
    while week <= last:
        weeks.append(week)
        week += int(random.integers(*SPIKE_GAP_WEEKS, endpoint=True))
    return weeks


def _extras(random: Random, groups: Groups, clock: Clock, at: list[int]) -> Ints:
    """Extra messages: 3.4 to 6 usual weeks each, taken from the group's total."""
    times = random.uniform(3.4, 6.0, len(at))
    where = np.array(at, np.int64)
    weeks = groups.days / 7 + np.bincount(where, times, len(groups))
    result: Ints = np.rint(times * (groups.member / weeks)[where]).astype(np.int64)
    return result
