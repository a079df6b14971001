"""打卡 check-in: come every day; days in a row and days in all bring more.

    (none) ──the first check_in──▶ running ──check_in · make_up──▶ running ──its days──▶ closed

    a day:  missed ──make_up (a card)──▶ made up        missed ──check_in (that day)──▶ checked

What must hold: one check-in per local date, in the zone that the programme had when the member
began, whatever becomes of clocks, of summer time and of the rules; streaks and totals are those
of the dates and of nothing else; a bonus is granted as often as the dates earn it, and never
again because a made-up day joined two streaks; a made-up day brings its place in the streak,
not the day's own reward; so many cards in a calendar month. What a member can still earn at the
most is set aside from their first day on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from qunluo.campaigns.mechanics.kernel import (
    CENT,
    EXPIRE,
    OPEN,
    Act,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Grant,
    Mechanic,
    Refused,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    NOBODY,
    NOT_BEGUN,
    NOT_YOURS,
    OVER,
    STALE,
    UNKNOWN,
    Reward,
    budget,
    day_of,
    given_by,
    grant_of,
    known_zone,
    no,
    set_aside,
    who,
    worth,
)
from qunluo.kit.text import Text

CHECK_IN, MAKE_UP = "check_in", "make_up"
ONE = timedelta(days=1)

# fmt: off
DONE_TODAY = no("done_today", "You have checked in today: come again tomorrow.",
                "今天已经打过卡了，明天再来吧。")
NO_DAY = no("no_day", "That day can't be made up: choose a day you missed, not too long ago.",
            "这一天不能补卡，请选择近期漏打的日子。")
NO_CARD = no("no_card", "You have used all make-up cards of this month.", "本月补卡次数已用完。")
# fmt: on


class Bonus(Frozen):
    """After so many days (of a cycle, or in all) there is more."""

    days: int = Field(ge=1, le=366)
    reward: Reward


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    reward: Reward = parameter(
        Text("For each day", "每日奖励"),
        Text("What a check-in brings.", "每次打卡的奖励。"), "reward")
    cycle_days: int = parameter(
        Text("Cycle", "连续周期"),
        Text("After so many days in a row the bonuses begin again.", "连续打卡满多少天后重新计算。"),
        "day", default=7, ge=1, le=366)
    cycle: tuple[Bonus, ...] = parameter(
        Text("Bonuses in a row", "连续奖励"),
        Text("What is added on which day of a cycle.", "周期内连续第几天额外奖励什么。"),
        "bonuses", default=(), max_length=31)
    totals: tuple[Bonus, ...] = parameter(
        Text("Bonuses in all", "累计奖励"),
        Text("What is added after how many days in all.", "累计打卡满多少天额外奖励什么。"),
        "bonuses", default=(), max_length=31)
    cards: int = parameter(
        Text("Make-up cards", "每月补卡次数"),
        Text("How many missed days a member may make up in a calendar month.",
             "每位成员每个自然月可补卡几次。"), default=0, ge=0, le=31)
    back_days: int = parameter(
        Text("Days back", "可补天数"),
        Text("How many days ago a missed day may be.", "最多可补几天前的卡。"),
        "day", default=7, ge=1, le=60)
    days: int = parameter(
        Text("Length", "活动天数"),
        Text("How many days the programme of a member lasts.", "每位成员的打卡周期共多少天。"),
        "day", default=30, ge=1, le=366)
    members: int = parameter(
        Text("Members", "参与人数"),
        Text("For how many members rewards are set aside.", "为多少位成员预留奖励预算。"),
        "member", ge=1, le=10**6)
    zone: Annotated[str, AfterValidator(known_zone)] = parameter(
        Text("Time zone", "时区"),
        Text("Whose days are counted; who has begun keeps theirs.",
             "按哪个时区的日期计算；已开始的成员不受更改影响。"),
        "zone", default="Asia/Shanghai")
    # fmt: on


class Run(Frozen):
    """Days in a row, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


class Given(Frozen):
    """A bonus, and how often it was granted."""

    what: str
    times: int


class CheckIns(Frozen):
    """One member's days. `made_up` are those that a card was used for, `used` when it was."""

    member: int
    zone: str
    first: date
    runs: tuple[Run, ...] = ()
    made_up: tuple[date, ...] = ()
    used: tuple[date, ...] = ()
    given: tuple[Given, ...] = ()
    closed: bool = False

    @property
    def total(self) -> int:
        return sum(run.days for run in self.runs)

    def has(self, day: date) -> bool:
        return any(run.first <= day <= run.last for run in self.runs)

    def but(self, **change: Any) -> CheckIns:
        return self.model_copy(update=change)


def add_day(runs: tuple[Run, ...], day: date) -> tuple[Run, ...]:
    """With one day more, which joins what it touches."""
    touching = [run for run in runs if run.first - ONE <= day <= run.last + ONE]
    one = Run(first=min([day, *(r.first for r in touching)]),
              last=max([day, *(r.last for r in touching)]))  # fmt: skip
    rest = [run for run in runs if run not in touching]
    return tuple(sorted([*rest, one], key=lambda run: run.first))


def streak(state: CheckIns, today: date) -> int:
    """How many days in a row until today, or until yesterday where today is still open."""
    return next((run.days for run in state.runs if run.last in (today, today - ONE)), 0)


def ends_at(state: CheckIns, rules: Rules) -> datetime:
    """Midnight after the last day, where the member's programme is."""
    day = state.first + rules.days * ONE
    return datetime.combine(day, time.min, ZoneInfo(state.zone)).astimezone(UTC)


# what days bring


def _bonuses(rules: Rules) -> Iterator[tuple[str, Reward]]:
    yield from ((f"cycle:{bonus.days}", bonus.reward) for bonus in rules.cycle)
    yield from ((f"total:{bonus.days}", bonus.reward) for bonus in rules.totals)


def due(state: CheckIns, rules: Rules) -> Counter[str]:
    """How often the dates earn each bonus."""
    result: Counter[str] = Counter()
    for bonus in rules.cycle:
        for run in state.runs:
            result[f"cycle:{bonus.days}"] += _times(run.days, bonus.days, rules.cycle_days)
    for bonus in rules.totals:
        result[f"total:{bonus.days}"] = int(state.total >= bonus.days)
    return result


def _times(length: int, day: int, cycle: int) -> int:
    """How often so many days in a row have a certain day of the cycle."""
    return (length - day) // cycle + 1 if length >= day else 0


def worst(rules: Rules) -> Counter[str]:
    """The most one member can earn: a bonus comes oftest either in one long streak, or in many
    that are just long enough for it."""
    result = worth([rules.reward], rules.days) + worth(bonus.reward for bonus in rules.totals)
    for bonus in rules.cycle:
        in_one = _times(rules.days, bonus.days, rules.cycle_days)
        times = max(in_one, (rules.days + 1) // (bonus.days + 1))
        result += worth([bonus.reward], times)
    return result


def _reserved(state: CheckIns | None, rules: Rules) -> Counter[str]:
    if state is None or state.closed:
        return Counter()
    times = {given.what: given.times for given in state.given}
    had = worth([rules.reward], state.total - len(state.made_up))
    for what, reward in _bonuses(rules):
        had += worth([reward], times.get(what, 0))
    return worst(rules) - had


def _with_bonuses(
    state: CheckIns, act: Act, rules: Rules
) -> tuple[CheckIns, tuple[Grant, ...]]:
    """Grants what the dates earn and was not granted yet."""
    times = {given.what: given.times for given in state.given}
    earned, grants = due(state, rules), []
    for what, reward in _bonuses(rules):
        for time_ in range(times.get(what, 0) + 1, earned[what] + 1):
            cause = f"{act.play}:{time_}"
            grants.append(grant_of(reward, what, state.member, cause, at=act.at))
            times[what] = time_
    given = tuple(Given(what=what, times=n) for what, n in sorted(times.items()))
    return state.but(given=given), tuple(grants)


# checking in


def _decide(state: CheckIns | None, act: Act, rules: Rules, draw: Draw
            ) -> Done[CheckIns] | Refused:  # fmt: skip
    if act.kind in (OPEN, CHECK_IN):
        return _check_in(state, act, rules) if act.member is not None else NOBODY
    if state is None:
        return NOT_BEGUN
    steps = {MAKE_UP: _make_up, EXPIRE: _expire, CLOSE: _close}
    return steps[act.kind](state, act, rules) if act.kind in steps else UNKNOWN


def _check_in(before: CheckIns | None, act: Act, rules: Rules) -> Done[CheckIns] | Refused:
    state = before or CheckIns(
        member=who(act), zone=rules.zone, first=day_of(act.at, rules.zone)
    )
    today = day_of(act.at, state.zone)
    if (why := _not_now(state, act, rules)) is not None:
        return why
    if state.runs and today <= state.runs[-1].last:
        return DONE_TODAY
    daily = grant_of(rules.reward, "day", state.member, f"{act.play}:{today}", at=act.at)
    after = state.but(runs=add_day(state.runs, today))
    return _done(before, after, act, rules, daily, claims=(_day(state, today),))


def _not_now(state: CheckIns, act: Act, rules: Rules) -> Refused | None:
    if act.member != state.member:
        return NOT_YOURS
    over = day_of(act.at, state.zone) >= state.first + rules.days * ONE
    return OVER if state.closed or over else None


def _day(state: CheckIns, day: date) -> Claim:
    return Claim(f"day:{state.member}:{day}", 1, DONE_TODAY)


def _done(before: CheckIns | None, after: CheckIns, act: Act, rules: Rules, *daily: Grant,
          claims: tuple[Claim, ...]) -> Done[CheckIns]:  # fmt: skip
    after, bonuses = _with_bonuses(after, act, rules)
    grants = (*daily, *bonuses)
    today = day_of(act.at, after.zone)
    return Done(
        after, claims=claims, grants=grants, deadline=ends_at(after, rules),
        moves=set_aside(_reserved(before, rules), _reserved(after, rules), given_by(grants)),
        answer={"streak": streak(after, today), "total": after.total,
                "gained": dict(given_by(grants)), "bonuses": [g.rule for g in bonuses]},
    )  # fmt: skip


def _make_up(state: CheckIns, act: Act, rules: Rules) -> Done[CheckIns] | Refused:
    if (why := _not_now(state, act, rules)) is not None:
        return why
    today, day = day_of(act.at, state.zone), _read(act.data.get("date"))
    early = max(state.first, today - rules.back_days * ONE)
    if day is None or not early <= day < today or state.has(day):
        return NO_DAY
    month = f"{today:%Y-%m}"
    if sum(f"{used:%Y-%m}" == month for used in state.used) >= rules.cards:
        return NO_CARD
    after = state.but(runs=add_day(state.runs, day), made_up=(*state.made_up, day),
                      used=(*state.used, today))  # fmt: skip
    card = Claim(f"card:{state.member}:{month}", rules.cards, NO_CARD)
    return _done(state, after, act, rules, claims=(_day(state, day), card))


def _read(given: Any) -> date | None:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        return None


def _expire(state: CheckIns, act: Act, rules: Rules) -> Done[CheckIns] | Refused:
    return STALE if act.at < ends_at(state, rules) else _close(state, act, rules)


def _close(state: CheckIns, act: Act, rules: Rules) -> Done[CheckIns] | Refused:
    """What was not earned goes back."""
    if state.closed:
        return OVER
    after = state.but(closed=True)
    return Done(after, moves=set_aside(_reserved(state, rules), _reserved(after, rules)))


# telling


def _broken(state: CheckIns, rules: Rules) -> list[str]:
    times = {given.what: given.times for given in state.given}
    last = state.first + (rules.days - 1) * ONE
    pairs = zip(state.runs, state.runs[1:], strict=False)
    wrong = {
        "streaks that touch": any(a.last + ONE >= b.first for a, b in pairs),
        "a day outside the programme": any(
            run.first < state.first or run.last > last for run in state.runs
        ),
        "a made-up day that does not count": not all(map(state.has, state.made_up)),
        "more cards than there are": max(
            Counter(f"{day:%Y-%m}" for day in state.used).values(), default=0
        ) > rules.cards,
        "a bonus that was earned and not granted": any(
            times.get(what, 0) < n for what, n in due(state, rules).items()
        ),
    }  # fmt: skip
    return [name for name, is_so in wrong.items() if is_so]


def _lint(rules: Rules) -> list[Finding]:
    cycle, totals = [b.days for b in rules.cycle], [b.days for b in rules.totals]
    longest = max([*totals, *cycle], default=0)
    # fmt: off
    return findings(
        (max(cycle, default=0) > rules.cycle_days,
         error("cycle", "beyond_cycle", "A bonus lies after the end of its cycle.",
               "连续奖励的天数超过了周期。")),
        (len(set(cycle)) < len(cycle),
         error("cycle", "same_day", "A day of the cycle has two bonuses.", "同一天有两个连续奖励。")),
        (len(set(totals)) < len(totals),
         error("totals", "same_total", "A total has two bonuses.", "同一累计天数有两个奖励。")),
        (longest > rules.days,
         error("days", "unreachable", "A bonus needs more days than the programme has.",
               "有奖励所需天数超过活动天数，无法达到。")),
        (rules.reward.unit == CENT,
         warning("reward", "paid_check_in",
                 "WeChat forbids paying money for checking in.", "微信禁止以现金诱导签到。")),
    )
    # fmt: on


def _shown(state: CheckIns, rules: Rules, member: int | None) -> Mapping[str, Any]:
    return {
        "mine": member == state.member, "total": state.total, "zone": state.zone,
        "first": state.first.isoformat(), "ends_at": ends_at(state, rules).isoformat(),
        "last": state.runs[-1].last.isoformat() if state.runs else None,
        "streak": state.runs[-1].days if state.runs else 0,  # as of the last day
        "runs": [[run.first.isoformat(), run.last.isoformat()] for run in state.runs],
        "made_up": [day.isoformat() for day in state.made_up],
        "cards": rules.cards, "used": [day.isoformat() for day in state.used],
        "closed": state.closed,
    }  # fmt: skip


# fmt: off
MECHANIC = Mechanic(
    name="check_in",
    label=Text("Check-in", "打卡签到"),
    gist=Text("Come every day; days in a row bring more.", "每天来打卡，连续越久奖励越多。"),
    use=Text("To make coming back a habit, with little rewards.", "用小奖励培养每天来看看的习惯。"),
    avoid=Text("Where there is nothing new every day.", "没有每日新内容的社群。"),
    rules=Rules, state=CheckIns, decide=_decide,
    play_of=lambda act, rules: f"member:{act.member}",
    supplies=lambda rules: budget(worst(rules), rules.members),
    broken=_broken, lint=_lint, shown=_shown,
    staff=frozenset({CLOSE}), within=frozenset({CHECK_IN, MAKE_UP}),
)
