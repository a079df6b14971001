"""The groups of a sample: 67 archetypes with the study's shares, tiled to any number.

Sources of the shares: the reference study (docs/explanation/sample.md). A plan with fewer
groups takes an even pick of the archetypes, one with more repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qunluo.sample.numbers import Array, Floats, Ints, Random, apportion, stream
from qunluo.sample.plan import STUDY_GROUPS, STUDY_MESSAGES, Plan
from qunluo.sample.words import CIRCLES, PLACES, TRADES

Life = Literal["one wave", "recurring waves", "steady", "stillborn"]
Driver = Literal["", "shill", "draw", "question", "koc"]

LOW, MIDDLE, HIGH, TOP = (0.08, 0.18), (0.225, 0.37), (0.41, 0.475), (0.54, 0.62)
"""Heaps of the activity rate: 20 groups below 20 %, 20 up to 40 %, 24 at 40–50 %, 3 above."""

SHILL_GROUP_MESSAGES, SHILL_GROUP_SIZE, SHILL_GROUP_SPEAKERS = 44_352, 282, 100
SHILL_GROUP_TALK = 0.642  # members' share of it
SHILLS, SHILL_LEAST = 22, 520
SHILL_SHARES = (0.0125, 0.0215)  # of the group's messages, each
BIG_TALK = 50  # the archetypes that together hold 68 % of member messages
SHILL_GROUP_FLOOR = 15_000  # below it nobody can hold 500 messages and only 1–4 %


@dataclass(frozen=True)
class Archetype:
    """One kind of group: `count` of them in 67."""

    count: int
    life: Life
    driver: Driver
    rate: tuple[float, float]  # speaking members ÷ group size
    brand_day: tuple[float, float]  # brand messages a day
    days: tuple[int, int]  # from the first to the last message
    talk: float  # weight of its member messages, in 1,000
    loud: bool = False  # one plain member makes more than 20 % of its messages


ARCHETYPES = (
    Archetype(1, "recurring waves", "shill", (0.3546, 0.3546), (30, 30), (480, 480), 229),
    Archetype(1, "one wave", "", MIDDLE, (750, 750), (120, 120), 8),
    Archetype(1, "recurring waves", "draw", HIGH, (25, 40), (420, 500), 137),
    Archetype(1, "recurring waves", "question", HIGH, (25, 40), (420, 500), 116),
    Archetype(1, "recurring waves", "koc", TOP, (25, 40), (420, 500), 94),
    Archetype(1, "steady", "", HIGH, (25, 40), (420, 500), 73),
    Archetype(1, "one wave", "", TOP, (28, 34), (280, 320), 53),
    Archetype(1, "recurring waves", "draw", HIGH, (9, 17), (380, 480), 11),
    Archetype(2, "recurring waves", "question", MIDDLE, (9, 17), (380, 480), 11),
    Archetype(1, "recurring waves", "koc", HIGH, (9, 17), (380, 480), 11),
    Archetype(5, "steady", "", HIGH, (8, 17), (380, 500), 13),
    Archetype(3, "steady", "", MIDDLE, (8, 17), (380, 500), 13),
    Archetype(4, "stillborn", "", LOW, (0.65, 0.88), (120, 300), 0.3),
    Archetype(8, "stillborn", "", LOW, (2.5, 4.4), (100, 250), 0.3),
    Archetype(6, "one wave", "", LOW, (7, 17), (150, 330), 4.4),
    Archetype(10, "one wave", "", MIDDLE, (7, 17), (150, 330), 4.4),
    Archetype(10, "one wave", "", HIGH, (7, 17), (150, 330), 4.4),
    Archetype(2, "one wave", "", LOW, (23, 44), (120, 260), 4.4),
    Archetype(3, "one wave", "", HIGH, (23, 44), (120, 260), 4.4),
    Archetype(2, "one wave", "", MIDDLE, (2.6, 4.4), (150, 260), 4.4, loud=True),
    Archetype(1, "one wave", "", MIDDLE, (2.6, 4.4), (150, 260), 4.4),
    Archetype(1, "one wave", "", HIGH, (2.6, 4.4), (150, 260), 4.4),
    Archetype(1, "one wave", "", TOP, (60, 90), (120, 180), 4.4),
)


@dataclass(frozen=True)
class Groups:
    """All groups, by index. Days are counted from `first_on`."""

    kinds: tuple[Archetype, ...]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    trade: Ints
    place: Ints
    shop: Ints
    start: Ints
    days: Ints
    rate: Floats
    brand: Ints  # messages by class
    member: Ints
    system: Ints
    shills: tuple[Ints, ...]  # messages of each planted shill-like account

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def end(self) -> Ints:
        """The day of the last message."""
        return self.start + self.days - 1

    @property
    def planted(self) -> Ints:
        """Messages of all shill-like accounts, by group."""
        return np.array([int(n.sum()) for n in self.shills], np.int64)


def plan_groups(plan: Plan) -> Groups:
    """Which groups there are, when they live and how much is said in them."""
    random = stream(plan.seed, "groups")
    kinds = _pick(plan.groups)
    crowd = _shill_totals(plan, kinds)
    brand_day = _between(random, [k.brand_day for k in kinds])
    days = _days(plan, random, kinds, brand_day, crowd[:, 0])
    talk = np.array([k.talk for k in kinds]) * _unevenness(random, kinds)
    brand, member, system = _totals(plan, talk, brand_day * days, crowd)
    trade, shop, place, names = _names(plan, random)
    width = max(3, len(str(plan.groups)))
    return Groups(
        kinds=kinds,
        ids=tuple(f"g{g + 1:0{width}d}" for g in range(plan.groups)),
        names=names,
        trade=trade,
        place=place,
        shop=shop,
        start=_starts(plan, random, days),
        days=days,
        rate=_between(random, [k.rate for k in kinds]),
        brand=brand,
        member=member,
        system=system,
        shills=tuple(
            _shills(random, int(t), int(m)) for t, m in zip(*crowd[:, 1:].T, strict=True)
        ),
    )


def _pick(groups: int) -> tuple[Archetype, ...]:
    every = [a for a in ARCHETYPES for _ in range(a.count)]
    cycles, rest = divmod(groups, len(every))
    evenly = [every[int((i + 0.5) * len(every) / rest)] for i in range(rest)]
    return tuple(every * cycles + evenly)


def _between(random: Random, ranges: list[tuple[float, float]]) -> Floats:
    low, high = np.asarray(ranges, np.float64).T
    result: Floats = low + (high - low) * random.random(len(low))
    return result


def _shill_totals(plan: Plan, kinds: tuple[Archetype, ...]) -> Ints:
    """Brand, all and member messages of each shill group; zeros for every other group."""
    scale = plan.messages / STUDY_MESSAGES * STUDY_GROUPS / plan.groups
    total = round(SHILL_GROUP_MESSAGES * scale)
    member = round(total * SHILL_GROUP_TALK)
    brand = total - member - round(total * 0.03)
    on = total >= SHILL_GROUP_FLOOR
    rows = [(brand, total, member) if on and k.driver == "shill" else (0, 0, 0) for k in kinds]
    return np.array(rows, np.int64)


def _shills(random: Random, total: int, member: int) -> Ints:
    """Messages of every shill-like account: 1–4 % of the group's, and at least 500."""
    if not total:
        return np.zeros(0, np.int64)
    low, high = (round(total * share) for share in SHILL_SHARES)
    each = random.integers(max(low, SHILL_LEAST), max(high, SHILL_LEAST + 80), SHILLS)
    return each[np.cumsum(each) <= 0.62 * member].astype(np.int64)


def _days(
    plan: Plan, random: Random, kinds: tuple[Archetype, ...], brand_day: Floats, fixed: Ints
) -> Ints:
    """Days of life, stretched so that brand messages add up at the wanted pace."""
    days = _between(random, [k.days for k in kinds])
    free = fixed == 0
    wanted = (plan.brand_messages - fixed.sum()) / max(
        1.0, float((brand_day * days)[free].sum())
    )
    days[free] *= np.clip(wanted, 0.8, 1.25)
    if len(kinds) == 1:
        days[0] = plan.days
    result: Ints = np.minimum(np.rint(days), plan.days).astype(np.int64)
    return result


def _starts(plan: Plan, random: Random, days: Ints) -> Ints:
    """First days; the longest life begins the sample, the second longest ends it."""
    start = np.floor(random.random(len(days)) * (plan.days - days + 1)).astype(np.int64)
    longest = np.argsort(-days, kind="stable")
    start[longest[0]] = 0
    if len(days) > 1:
        start[longest[1]] = plan.days - days[longest[1]]
    result: Ints = start
    return result


def _unevenness(random: Random, kinds: tuple[Archetype, ...]) -> Floats:
    """Groups of one archetype differ, but the share of the big ones stays."""
    noise = np.exp(random.normal(0, 0.3, len(kinds)))
    talk = np.array([k.talk for k in kinds])
    small = talk < BIG_TALK
    noise[~small] = 1.0
    noise[small] *= talk[small].sum() / max(1e-9, float((talk * noise)[small].sum()))
    result: Floats = noise
    return result


def _totals(plan: Plan, talk: Floats, brand: Floats, crowd: Ints) -> tuple[Ints, Ints, Ints]:
    """Messages by class and group; every class adds up exactly."""
    fixed_brand, fixed_all, fixed_member = crowd.T
    free = fixed_all == 0
    brands, members = fixed_brand.copy(), fixed_member.copy()
    brands[free] = apportion(plan.brand_messages - fixed_brand.sum(), brand[free], 6)
    members[free] = apportion(plan.member_messages - fixed_member.sum(), talk[free], 6)
    systems = fixed_all - fixed_brand - fixed_member
    rest = plan.system_messages - systems.sum()
    systems[free] = apportion(int(rest), (brands + 3 * members)[free])
    return brands, members, systems


def _names(plan: Plan, random: Random) -> tuple[Ints, Ints, Ints, tuple[str, ...]]:
    """Trade, shop, place and a distinct name of every group."""
    trade: Array = random.permutation(np.arange(plan.groups) % len(TRADES))
    shop: Array = random.integers(0, 4, plan.groups)
    place: Array = random.integers(0, len(PLACES), plan.groups)
    seen: dict[str, int] = {}
    names = []
    for t, s, p, c in zip(trade, shop, place, random.integers(0, 6, plan.groups), strict=True):
        name = f"{TRADES[t].shops[s]}·{PLACES[p]}{CIRCLES[c]}"
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}{seen[name]}" if seen[name] > 1 else name)
    return trade, shop, place, tuple(names)
