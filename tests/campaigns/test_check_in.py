"""Check-in: once a local date, whatever clocks and zones do; bonuses as the dates earn them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.check_in import (
    DONE_TODAY,
    MECHANIC,
    NO_CARD,
    NO_DAY,
    Bonus,
    CheckIns,
    Rules,
    Run,
    add_day,
    due,
    worst,
)
from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    CENT,
    NO_BUDGET,
    POINTS,
    RESERVED,
    Act,
    Done,
)
from qunluo.campaigns.mechanics.steps import NOT_BEGUN, NOT_YOURS, OVER, Reward, day_of
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import START, Schedule

DAILY = Reward(unit=POINTS, amount=1)
PLAY = "member:1"
DAY = timedelta(days=1)
ZONES = ["Asia/Shanghai", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
         "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago"]  # fmt: skip


def bonus(days: int, amount: int) -> Bonus:
    return Bonus(days=days, reward=Reward(unit=POINTS, amount=amount))


def rules_of(**more: Any) -> Rules:
    told = {"reward": DAILY, "cycle_days": 7, "cycle": (bonus(3, 10), bonus(7, 100)),
            "totals": (bonus(10, 1000),), "cards": 2, "back_days": 5, "days": 60,
            "members": 2}  # fmt: skip
    return Rules(**{**told, **more})


class Habit:
    """The days of member 1."""

    def __init__(self, at: datetime = START, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = World(MECHANIC, self.rules)
        self.now, self.number = at, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)

    def act(self, kind: str, member: int | None = 1, play: str = PLAY, **data: Any) -> Any:
        self.number += 1
        return self.world.act(play, Act(kind, self.now, member, f"k{self.number}", data))

    def come(self, days: int) -> None:
        """On so many days in a row, from today."""
        for _ in range(days):
            assert isinstance(self.act("check_in"), Done)
            self.now += DAY

    def miss(self, days: int) -> None:
        self.now += days * DAY

    def make_up(self, days_ago: int) -> Any:
        day = day_of(self.now, self.state.zone) - days_ago * DAY
        return self.act("make_up", date=day.isoformat())

    @property
    def state(self) -> CheckIns:
        state = self.world.plays[PLAY].state
        assert isinstance(state, CheckIns)
        return state

    def points(self) -> int:
        return self.world.balance(POINTS, "member:1")


# once a day


def test_fault_two_sign_ins_in_a_day_by_second_resolution_keys() -> None:
    """Other keys, other seconds, the same microsecond: one day is one day."""
    habit = Habit()
    assert isinstance(habit.act("check_in"), Done)
    for pause in (0, 1, 1_000_000, 3_600_000_000):
        habit.now += timedelta(microseconds=pause)
        assert habit.act("check_in") == DONE_TODAY
    assert [habit.points(), habit.state.total] == [1, 1]


def test_the_same_day_is_one_day_also_if_its_play_were_lost() -> None:
    habit = Habit()
    habit.act("check_in")
    assert habit.act("check_in", play="another") == DONE_TODAY


def test_the_day_ends_at_midnight_of_the_programme() -> None:
    habit = Habit(datetime(2026, 3, 2, 15, 59, 59, 999_999, tzinfo=UTC), zone="Asia/Shanghai")
    assert isinstance(habit.act("check_in"), Done)
    habit.now += timedelta(microseconds=1)
    assert isinstance(habit.act("check_in"), Done)
    assert habit.state.runs == (Run(first=date(2026, 3, 2), last=date(2026, 3, 3)),)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_days_of_23_and_25_hours_are_one_day(day: str) -> None:
    zone = ZoneInfo("America/New_York")
    habit = Habit(zone="America/New_York")
    midnight = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC)
    hours = 23 if day == "2026-03-08" else 25
    answers = []
    for hour in range(-1, hours + 1):
        habit.now = midnight + timedelta(hours=hour, minutes=30)
        answers.append(isinstance(habit.act("check_in"), Done))
    assert answers == [True, True] + [False] * (hours - 1) + [True]


def test_a_changed_zone_never_grants_a_second_day() -> None:
    habit = Habit(datetime(2026, 3, 2, 9, tzinfo=UTC), zone="Asia/Shanghai")
    habit.act("check_in")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
        habit.world.rules = rules_of(zone=zone)
        assert habit.act("check_in") == DONE_TODAY
    assert habit.state.zone == "Asia/Shanghai"


def test_a_clock_that_goes_back_grants_nothing() -> None:
    habit = Habit()
    habit.come(2)
    habit.now -= 3 * DAY
    assert habit.act("check_in") == DONE_TODAY


@settings(max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-31"]),
    st.lists(st.integers(0, 6 * 24 * 60), max_size=40),
    st.lists(st.sampled_from(ZONES), min_size=40, max_size=40),
)
def test_across_summer_time_and_zone_changes_days_are_never_doubled(
    zone: str, start: str, minutes: list[int], zones: list[str]
) -> None:
    """As many check-ins as local dates, though the rules name another zone each time."""
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    habit = Habit(zone=zone)
    instants = [begin + timedelta(minutes=m) for m in sorted(minutes)]
    for number, instant in enumerate(instants):
        habit.now = instant
        if number:
            habit.world.rules = rules_of(zone=zones[number])
        habit.act("check_in")
    dates = {day_of(instant, zone) for instant in instants}
    assert habit.world.balance(POINTS, "member:1") >= len(dates)
    granted = [g for g in habit.world.grants.values() if g.grant.rule == "day"]
    assert len(granted) == len(dates)
    if instants:
        assert habit.state.total == len(dates)


# streaks


def test_days_in_a_row_bring_the_bonuses_of_each_cycle() -> None:
    habit = Habit(totals=())
    habit.come(7)
    assert habit.points() == 7 + 10 + 100
    habit.come(7)
    assert habit.points() == 14 + 20 + 200


def test_a_missed_day_begins_a_new_streak_and_days_in_all_go_on() -> None:
    habit = Habit()
    habit.come(6)
    habit.miss(1)
    habit.come(4)
    assert [habit.state.total, habit.state.runs[-1].days] == [10, 4]
    assert habit.points() == 10 + 10 + 10 + 1000


def test_what_was_gained_is_told() -> None:
    habit = Habit()
    habit.come(2)
    told = habit.act("check_in").answer
    assert told == {"streak": 3, "total": 3, "gained": {POINTS: 11}, "bonuses": ["cycle:3"]}


# make-up cards


def test_a_made_up_day_joins_two_streaks_and_brings_no_days_reward() -> None:
    habit = Habit(totals=())
    habit.come(3)
    habit.miss(1)
    habit.come(3)
    assert [habit.points(), len(habit.state.runs)] == [6 + 20, 2]
    told = habit.make_up(4)
    assert isinstance(told, Done)
    assert [run.days for run in habit.state.runs] == [7]
    assert told.answer["bonuses"] == ["cycle:7"]
    assert habit.points() == 6 + 20 + 100


def test_nobody_gains_by_missing_a_day_on_purpose() -> None:
    """Bonuses of two streaks that a card joined are not granted a third time."""
    steady, sly = Habit(totals=()), Habit(totals=())
    steady.come(17)
    sly.come(3)
    sly.miss(1)
    sly.come(3)
    sly.make_up(4)
    sly.come(10)
    assert sly.state.runs == steady.state.runs
    assert sly.points() == steady.points() - 1


@pytest.mark.parametrize("days_ago", [0, -1, 1, 6])
def test_only_missed_days_of_late_can_be_made_up(days_ago: int) -> None:
    habit = Habit()
    habit.come(1)
    habit.miss(7)
    habit.come(2)  # yesterday and the day before
    assert habit.make_up(days_ago) == NO_DAY
    assert isinstance(habit.make_up(5), Done)
    assert habit.make_up(5) == NO_DAY


def test_days_before_the_programme_and_nonsense_are_not_made_up() -> None:
    habit = Habit()
    assert habit.act("make_up", date="2026-03-01") == NOT_BEGUN
    habit.come(1)
    assert habit.make_up(2) == NO_DAY
    assert [habit.act("make_up", date=d) for d in ("", "soon", None, 20260301)] == [NO_DAY] * 4


def test_cards_are_counted_by_the_month_they_are_used_in() -> None:
    habit = Habit(datetime(2026, 3, 26, 4, tzinfo=UTC), cards=1)
    habit.come(1)
    habit.miss(4)
    assert isinstance(habit.make_up(1), Done)
    assert habit.make_up(2) == NO_CARD
    habit.miss(1)  # the first of April
    assert isinstance(habit.make_up(3), Done)


def test_a_made_up_day_is_not_checked_in_again() -> None:
    habit = Habit()
    habit.come(1)
    habit.miss(2)
    habit.make_up(1)
    habit.now -= DAY
    assert habit.act("check_in") == DONE_TODAY


# the programme


def test_nobody_checks_in_for_another() -> None:
    habit = Habit()
    habit.come(1)
    assert habit.act("check_in", 2) == NOT_YOURS
    assert MECHANIC.play_of(Act("check_in", START, 2), habit.rules) == "member:2"


def test_a_programme_ends_after_its_days_and_the_rest_goes_back() -> None:
    habit = Habit(days=5, totals=())
    habit.come(5)
    assert habit.act("check_in") == OVER
    habit.world.tick(habit.now + DAY)
    assert [habit.state.closed, habit.world.balance(POINTS, f"{RESERVED}:{PLAY}")] == [True, 0]
    assert habit.world.balance(POINTS, BUDGET) == 2 * worst(habit.rules)[POINTS] - 15


def test_the_operator_ends_a_programme() -> None:
    habit = Habit()
    habit.come(1)
    assert isinstance(habit.act("close", None), Done)
    assert [habit.act("check_in"), habit.act("close", None)] == [OVER, OVER]


def test_a_budget_for_two_is_for_two() -> None:
    habit = Habit()
    answers = [habit.act("check_in", m, f"member:{m}") for m in (1, 2, 3)]
    assert [isinstance(a, Done) for a in answers] == [True, True, False]
    assert answers[2] == NO_BUDGET


@settings(max_examples=100)
@given(st.sets(st.integers(0, 39), min_size=1), st.integers(1, 9), st.integers(1, 9))
def test_the_worst_case_is_never_exceeded(days: set[int], cycle: int, first: int) -> None:
    """Also not by those who break their streaks where it pays most."""
    first = min(first, cycle)
    rules = rules_of(
        days=40, cycle_days=cycle, cycle=(bonus(first, 7),), totals=(bonus(20, 50),)
    )
    start = date(2026, 3, 2)
    runs: tuple[Run, ...] = ()
    for day in days:
        runs = add_day(runs, start + day * DAY)
    state = CheckIns(member=1, zone="UTC", first=start, runs=runs)
    assert state.total == len(days)
    earned = due(state, rules)
    cost = len(days) + 7 * earned[f"cycle:{first}"] + 50 * earned["total:20"]
    assert cost <= worst(rules)[POINTS]


@pytest.mark.parametrize("first", [1, 2, 5])
def test_the_worst_case_is_reached_by_somebody(first: int) -> None:
    """It is no looser than it must be."""
    rules = rules_of(days=20, cycle_days=5, cycle=(bonus(first, 7),), totals=())
    best = 0
    for length in range(first, 21):
        runs = tuple(
            Run(first=START.date() + s * DAY, last=START.date() + (s + length - 1) * DAY)
            for s in range(0, 21 - length, length + 1)
        )
        state = CheckIns(member=1, zone="UTC", first=START.date(), runs=runs)
        best = max(best, due(state, rules)[f"cycle:{first}"])
    assert worst(rules)[POINTS] == 20 + 7 * best


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, []),
        ({"cycle": (bonus(8, 1),)}, ["beyond_cycle"]),
        ({"cycle": (bonus(3, 1), bonus(3, 2))}, ["same_day"]),
        ({"totals": (bonus(9, 1), bonus(9, 2))}, ["same_total"]),
        ({"days": 9}, ["unreachable"]),
        ({"reward": Reward(unit=CENT, amount=1)}, ["paid_check_in"]),
    ],
)
def test_rules_that_will_not_do_are_found(more: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


def test_a_page_shows_days_and_cards() -> None:
    habit = Habit()
    habit.come(2)
    shown = MECHANIC.shown(habit.state, habit.rules, 1)
    assert [shown["total"], shown["streak"], shown["mine"]] == [2, 2, True]
    assert shown["runs"] == [["2026-03-02", "2026-03-03"]]


class AnyHabit(Schedule):
    """Days that come and go, cards, and the clock."""

    mechanic = MECHANIC
    rules_of = st.builds(
        rules_of, cards=st.integers(0, 4), days=st.sampled_from([3, 20, 40]), members=st.just(8),
        cycle_days=st.just(4), cycle=st.just((bonus(1, 3), bonus(4, 20))),
        totals=st.just((bonus(6, 50),)), zone=st.sampled_from(ZONES),
    )  # fmt: skip
    most_plays = 2
    spans = st.sampled_from([60, 12 * 60, 24 * 60, 2 * 24 * 60])

    def states(self) -> dict[str, CheckIns]:
        found = {key: play.state for key, play in self.world.plays.items()}
        return {key: state for key, state in found.items() if isinstance(state, CheckIns)}

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), days=st.integers(1, 5))
    def comes_some_days(self, data: st.DataObject, days: int) -> None:
        key, state = data.draw(
            st.sampled_from(sorted(self.states().items(), key=lambda i: i[0]))
        )
        for _ in range(days):
            told = self.act(key, "check_in", state.member, {})
            assert isinstance(told, Done) or told in (DONE_TODAY, OVER)
            self.now += DAY

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), ago=st.integers(0, 6))
    def makes_up(self, data: st.DataObject, ago: int) -> None:
        key, state = data.draw(
            st.sampled_from(sorted(self.states().items(), key=lambda i: i[0]))
        )
        day = day_of(self.now, state.zone) - ago * DAY
        told = self.act(key, "make_up", state.member, {"date": day.isoformat()})
        assert isinstance(told, Done) or told in (NO_DAY, NO_CARD, OVER)

    @invariant()
    def members_have_what_their_days_earn(self) -> None:
        if not hasattr(self, "world") or not isinstance(self.rules, Rules):
            return
        for key, state in self.states().items():
            amounts = {"cycle:1": 3, "cycle:4": 20, "total:6": 50}
            bonuses = sum(amounts[g.what] * g.times for g in state.given)
            had = state.total - len(state.made_up) + bonuses
            assert self.world.balance(POINTS, f"member:{state.member}") == had
            kept = self.world.balance(POINTS, f"{RESERVED}:{key}")
            assert kept == (0 if state.closed else worst(self.rules)[POINTS] - had)

    @invariant()
    def every_day_is_one_slot(self) -> None:
        if hasattr(self, "world"):
            days = [n for slot, n in self.world.slots.items() if slot.startswith("day:")]
            assert sum(days) == sum(state.total for state in self.states().values())
            assert max(days, default=0) <= 1


TestAnyHabit = AnyHabit.TestCase
TestAnyHabit.settings = settings(max_examples=30, stateful_step_count=25)
