"""Assist: a friend helps once, a tier is granted once, and what did not count is taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from pydantic import ValidationError

from qunluo.campaigns.mechanics.assist import (
    COMPLETE,
    ENOUGH,
    ENOUGH_TODAY,
    HELPED,
    MECHANIC,
    NEW_ONLY,
    NO_HELP,
    NO_WHY,
    OWN,
    Rules,
    Task,
    Tier,
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
from qunluo.campaigns.mechanics.steps import OVER, Reward
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import START, Schedule

OWNER = 1
MINUTE = timedelta(minutes=1)
TIERS = (
    Tier(helps=2, reward=Reward(unit=POINTS, amount=100)),
    Tier(helps=4, reward=Reward(unit=CENT, amount=500)),
)
THANKS = Reward(unit=POINTS, amount=5)


def rules_of(**more: Any) -> Rules:
    return Rules(**{"tiers": TIERS, "minutes": 600, "tasks": 3, **more})


class Helping:
    """A task `p` of `OWNER` and all that it needs."""

    def __init__(self, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = World(MECHANIC, self.rules)
        self.now, self.number = START, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)
        self.act("open", OWNER)

    def act(self, kind: str, member: int | None, play: str = "p", **data: Any) -> Any:
        self.number += 1
        return self.world.act(play, Act(kind, self.now, member, f"k{self.number}", data))

    def help(self, *members: int) -> None:
        for member in members:
            assert isinstance(self.act("help", member), Done)

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self.world.tick(self.now)

    @property
    def task(self) -> Task:
        state = self.world.plays["p"].state
        assert isinstance(state, Task)
        return state

    def has(self, member: int) -> tuple[int, int]:
        """Points and cents of a member."""
        return tuple(self.world.balance(unit, f"member:{member}") for unit in (POINTS, CENT))  # type: ignore[return-value]


# helping


def test_each_tier_is_granted_once_when_it_is_reached() -> None:
    shop = Helping()
    shop.help(2)
    assert shop.has(OWNER) == (0, 0)
    shop.help(3)
    assert shop.has(OWNER) == (100, 0)
    shop.help(4, 5)
    assert shop.has(OWNER) == (100, 500)
    assert shop.act("help", 6) == COMPLETE


def test_nobody_helps_themselves() -> None:
    assert Helping().act("help", OWNER) == OWN


def test_one_help_per_task_and_helper_also_for_those_who_left_and_rejoined() -> None:
    shop = Helping(helps_a_day=9)
    shop.help(2)
    shop.now += timedelta(hours=2)  # they left, joined again, and say that they are new
    assert shop.act("help", 2, newcomer=True) == HELPED
    shop.act("void", None, helper=2, why="left the group")
    assert shop.act("help", 2, newcomer=True) == HELPED
    assert shop.task.count == 0


@pytest.mark.parametrize(
    ("helpers", "told", "helps"),
    [
        ("newcomers", {"newcomer": True}, True),
        ("newcomers", {"newcomer": False}, False),
        ("newcomers", {}, False),
        ("newcomers", {"newcomer": "true"}, False),
        ("anyone", {"newcomer": False}, True),
        ("anyone", {"newcomer": True}, True),
    ],
)
def test_fault_must_be_new_friend_inverted(
    helpers: str, told: dict[str, Any], helps: bool
) -> None:
    answer = Helping(helpers=helpers).act("help", 2, **told)
    assert isinstance(answer, Done) if helps else answer == NEW_ONLY


def test_whether_somebody_is_new_is_never_told_by_a_page() -> None:
    assert "newcomer" in MECHANIC.facts


def test_fault_limit_checked_before_the_lock() -> None:
    """Thirty who all saw one help missing: one is the last."""
    shop = Helping()
    shop.help(2, 3, 4)
    answers = [shop.act("help", member) for member in range(10, 40)]
    assert sum(isinstance(answer, Done) for answer in answers) == 1
    assert [shop.task.count, shop.has(OWNER)] == [4, (100, 500)]


def test_helps_a_day_are_counted_over_all_tasks_by_the_days_of_the_campaign() -> None:
    shop = Helping(helps_a_day=2, tasks_each=3, minutes=5000, zone="Asia/Shanghai")
    for play in ("q", "r"):
        shop.act("open", OWNER, play)
    shop.now = datetime(2026, 3, 2, 15, 59, 59, 999_999, tzinfo=UTC)  # a moment before midnight
    answers = [shop.act("help", 2, play) for play in ("p", "q", "r")]
    assert [isinstance(a, Done) for a in answers] == [True, True, False]
    assert answers[2] == ENOUGH_TODAY
    shop.now += timedelta(microseconds=1)
    assert isinstance(shop.act("help", 2, "r"), Done)


def test_nothing_helps_after_the_end_even_before_the_clock_has_run() -> None:
    shop = Helping(minutes=30)
    shop.now += 30 * MINUTE
    assert shop.act("help", 2) == OVER


def test_who_helps_is_thanked() -> None:
    shop = Helping(helper_reward=THANKS)
    shop.help(2, 3)
    assert [shop.has(2), shop.has(3)] == [(5, 0), (5, 0)]


def test_members_begin_as_many_tasks_as_they_may_and_as_the_budget_bears() -> None:
    shop = Helping(tasks_each=2, tasks=2)
    assert isinstance(shop.act("open", OWNER, "q"), Done)
    assert shop.act("open", OWNER, "r") == ENOUGH
    assert shop.act("open", 2, "r") == NO_BUDGET
    shop.wait(600)
    assert isinstance(shop.act("open", 2, "r"), Done)


# review


def test_a_void_help_takes_back_what_it_brought_and_says_why() -> None:
    shop = Helping(helper_reward=THANKS)
    shop.help(2, 3)
    assert shop.act("void", None, helper=3) == NO_WHY
    assert shop.act("void", None, helper=9, why="x") == NO_HELP
    shop.act("void", None, helper=3, why="same device as the owner")
    assert [shop.task.count, shop.has(OWNER), shop.has(3)] == [1, (0, 0), (0, 0)]
    assert shop.task.helps[1].void == "same device as the owner"
    assert shop.act("void", None, helper=3, why="again") == NO_HELP


def test_a_tier_that_is_reached_again_is_granted_again_and_stands_once() -> None:
    shop = Helping(helper_reward=THANKS)
    shop.help(2, 3)
    for helper in (2, 3):
        shop.act("void", None, helper=helper, why="burst")
        assert shop.has(OWNER) == (0, 0)
        shop.help(helper + 10)
        assert shop.has(OWNER) == (100, 0)
    shop.help(4, 5)
    assert shop.has(OWNER) == (100, 500)


def test_an_appeal_restores_exactly() -> None:
    shop = Helping(helper_reward=THANKS, hold_days=1)
    shop.help(2, 3)
    before = [shop.world.balance(POINTS, f"{RESERVED}:p"), shop.world.balance(POINTS, BUDGET)]
    shop.act("void", None, helper=3, why="burst")
    shop.act("restore", None, helper=3)
    assert shop.act("restore", None, helper=3) == NO_HELP
    after = [shop.world.balance(POINTS, f"{RESERVED}:p"), shop.world.balance(POINTS, BUDGET)]
    assert before == after
    shop.wait(2 * 24 * 60)
    assert [shop.has(OWNER), shop.has(2), shop.has(3)] == [(100, 0), (5, 0), (5, 0)]


def test_what_was_spent_before_the_void_is_owed() -> None:
    shop = Helping()
    shop.help(2, 3)
    shop.world.balances[POINTS, "member:1"] -= 100
    shop.world.balances[POINTS, "shop"] = 100
    shop.act("void", None, helper=3, why="burst")
    assert shop.world.balance(POINTS, "owed:member:1") == -100
    assert shop.world.broken() == []


def test_a_help_can_be_found_void_and_right_after_the_task_is_over() -> None:
    shop = Helping(helper_reward=THANKS)
    shop.help(2, 3)
    shop.wait(600)
    shop.act("void", None, helper=3, why="burst")
    assert shop.has(OWNER) == (0, 0)
    shop.act("restore", None, helper=3)
    assert [shop.has(OWNER), shop.world.balance(POINTS, f"{RESERVED}:p")] == [(100, 0), 0]


def test_rewards_wait_while_helps_are_looked_at() -> None:
    shop = Helping(hold_days=3)
    shop.help(2, 3)
    assert shop.has(OWNER) == (0, 0)
    shop.wait(3 * 24 * 60)
    assert shop.has(OWNER) == (100, 0)


# rules, telling


def test_what_was_not_earned_goes_back_to_the_budget() -> None:
    shop = Helping(helper_reward=THANKS)
    shop.help(2, 3)
    shop.act("close", None)
    assert shop.act("help", 4) == OVER
    funded = 3 * (100 + 4 * 5)
    assert shop.world.balance(POINTS, BUDGET) == funded - 100 - 2 * 5
    assert shop.world.balance(CENT, BUDGET) == 1500


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, []),
        ({"tiers": TIERS[::-1]}, ["tiers"]),
        ({"tiers": (Tier(helps=31, reward=THANKS),)}, ["unreachable_tier"]),
        ({"tiers": (Tier(helps=11, reward=THANKS),), "helpers": "newcomers"},
         ["unreachable_tier"]),
        ({"helper_reward": THANKS}, ["paid_helps"]),
    ],
)  # fmt: skip
def test_rules_that_will_not_do_are_found(more: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../etc/passwd", "", "/etc"])
def test_a_zone_that_is_none_is_not_taken(zone: str) -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        rules_of(zone=zone)


def test_a_page_shows_what_is_missing_until_the_next_tier() -> None:
    shop = Helping()
    shop.help(2, 3)
    shown = MECHANIC.shown(shop.task, shop.rules, 3)
    assert [shown["missing"], shown["i_helped"], shown["may_help"]] == [2, True, False]
    assert [tier["reached"] for tier in shown["tiers"]] == [True, False]


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    return rules_of(
        helpers=draw(st.sampled_from(["anyone", "newcomers"])),
        helps_a_day=draw(st.integers(1, 4)), hold_days=draw(st.sampled_from([0, 1])),
        helper_reward=draw(st.sampled_from([None, THANKS])), tasks_each=2, tasks=4,
        minutes=draw(st.sampled_from([60, 20_000])),
    )  # fmt: skip


class AnyAssist(Schedule):
    """Helps, reviews, appeals and clocks in any order."""

    mechanic = MECHANIC
    rules_of = any_rules()
    kinds: ClassVar = {"help": st.fixed_dictionaries({"newcomer": st.booleans()})}
    most_plays = 3
    spans = st.sampled_from([1, 60, 1440])

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data())
    def many_help(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.plays)))
        for member in data.draw(st.permutations(range(1, 9)))[:5]:
            self.act(key, "help", member, {"newcomer": True})

    @precondition(lambda self: self.helps(void=False))
    @rule(data=st.data(), most=st.integers(1, 4))
    def some_are_found_void(self, data: st.DataObject, most: int) -> None:
        for key, helper in data.draw(st.permutations(self.helps(void=False)))[:most]:
            told = self.act(key, "void", None, {"helper": helper, "why": "burst"})
            assert isinstance(told, Done)

    @precondition(lambda self: self.helps(void=True))
    @rule(data=st.data(), most=st.integers(1, 4))
    def some_appeal(self, data: st.DataObject, most: int) -> None:
        for key, helper in data.draw(st.permutations(self.helps(void=True)))[:most]:
            assert isinstance(self.act(key, "restore", None, {"helper": helper}), Done)

    def helps(self, *, void: bool) -> list[tuple[str, int]]:
        return [
            (key, help_.member)
            for key, task in self.tasks().items()
            for help_ in task.helps if bool(help_.void) == void
        ]  # fmt: skip

    def tasks(self) -> dict[str, Task]:
        states = {key: play.state for key, play in self.world.plays.items()}
        return {key: state for key, state in states.items() if isinstance(state, Task)}

    @invariant()
    def grants_stand_as_tasks_say(self) -> None:
        if not hasattr(self, "world"):
            return
        stand = [
            (g.play, g.grant.rule, g.grant.member)
            for g in self.world.grants.values() if g.state != "clawed_back"
        ]  # fmt: skip
        assert isinstance(self.rules, Rules)
        due = [
            (key, f"tier:{tier.helps}", task.owner)
            for key, task in self.tasks().items()
            for tier in self.rules.tiers if tier.helps <= task.count
        ]  # fmt: skip
        if self.rules.helper_reward:
            due += [
                (key, "helper", help_.member)
                for key, task in self.tasks().items()
                for help_ in task.helps if not help_.void
            ]  # fmt: skip
        assert sorted(stand) == sorted(due)

    @invariant()
    def a_task_that_is_over_keeps_nothing(self) -> None:
        if hasattr(self, "world"):
            for key, task in self.tasks().items():
                kept = [self.world.balance(u, f"{RESERVED}:{key}") for u in (POINTS, CENT)]
                assert task.stage == "open" or kept == [0, 0]


TestAnyAssist = AnyAssist.TestCase
TestAnyAssist.settings = settings(max_examples=30, stateful_step_count=30)
