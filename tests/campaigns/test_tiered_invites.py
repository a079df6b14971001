"""Tiered invites: who stays counts, once for life, and every tier that is reached is granted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    NO_BUDGET,
    POINTS,
    RESERVED,
    Act,
    Done,
)
from qunluo.campaigns.mechanics.steps import BEGUN, OVER, Reward
from qunluo.campaigns.mechanics.tiered_invites import (
    ATTRIBUTED,
    MECHANIC,
    NO_INVITE,
    NO_WHY,
    NOT_NEW,
    SELF,
    Inviting,
    Rules,
    Tier,
)
from qunluo.campaigns.mechanics.world import World
from tests.campaigns.schedules import START, Schedule

TIERS = tuple(
    Tier(invites=n, reward=Reward(unit=POINTS, amount=amount))
    for n, amount in ((2, 100), (3, 300), (5, 1000))
)
EACH = Reward(unit=POINTS, amount=10)
DAY = timedelta(days=1)
MINE, OTHERS = "inviter:1", "inviter:2"


def rules_of(**more: Any) -> Rules:
    told = {"tiers": TIERS, "days": 3, "hold_days": 7, "inviters": 3, "minutes": 30 * 24 * 60}
    return Rules(**{**told, **more})


class Club:
    """The invites of member 1, and all that they need."""

    def __init__(self, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = World(MECHANIC, self.rules)
        self.now, self.number = START, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)
        self.act("open", 1)

    def act(self, kind: str, member: int | None, play: str = MINE, **data: Any) -> Any:
        self.number += 1
        return self.world.act(play, Act(kind, self.now, member, f"k{self.number}", data))

    def invite(self, *members: int, play: str = MINE) -> list[Any]:
        return [self.act("invited", member, play, newcomer=True) for member in members]

    def wait(self, days: float) -> None:
        self.now += days * DAY
        self.world.tick(self.now)

    def review(self, kind: str, invitee: int) -> Any:
        return self.act(kind, None, invitee=invitee, why="same device")

    @property
    def state(self) -> Inviting:
        state = self.world.plays[MINE].state
        assert isinstance(state, Inviting)
        return state

    def granted(self) -> int:
        """Points that were granted and not taken back."""
        grants = self.world.grants.values()
        return sum(g.grant.amount for g in grants if g.state != "clawed_back")

    def points(self) -> int:
        return self.world.balance(POINTS, "member:1")


# who counts


def test_only_those_count_who_are_still_there_after_some_days() -> None:
    club = Club()
    club.invite(11, 12, 13)
    club.wait(2)
    club.act("left", 13)
    club.wait(1)
    assert [club.state.count, club.granted(), club.points()] == [2, 100, 0]
    club.wait(7)
    assert club.points() == 100


def test_who_leaves_after_the_gate_counts_even_if_the_clock_is_late() -> None:
    club = Club()
    club.invite(11, 12)
    club.now += 3 * DAY  # nothing has run yet
    club.act("left", 12)
    assert [club.state.count, club.granted()] == [2, 100]


def test_who_leaves_and_joins_again_counts_never_more() -> None:
    club = Club()
    club.invite(11, 12)
    club.act("left", 12)
    assert club.invite(12) == [ATTRIBUTED]
    club.wait(10)
    assert club.state.count == 1


def test_an_invitee_counts_for_the_first_inviter_for_life() -> None:
    club = Club()
    club.act("open", 2, OTHERS)
    club.invite(11)
    assert club.invite(11, play=OTHERS) == [ATTRIBUTED]
    club.act("left", 11)
    club.review("void", 11)
    assert club.invite(11, play=OTHERS) == [ATTRIBUTED]


def test_fault_must_be_new_friend_inverted() -> None:
    club = Club()
    answers = [club.act("invited", 11, newcomer=told) for told in (False, None, "true", 1)]
    assert answers == [NOT_NEW] * 4
    assert isinstance(club.act("invited", 11, newcomer=True), Done)
    assert "newcomer" in MECHANIC.facts


def test_nobody_invites_themselves_or_acts_for_others() -> None:
    club = Club()
    assert club.invite(1) == [SELF]
    assert club.act("open", 1) == BEGUN
    assert MECHANIC.play_of(Act("open", START, 5, data={"inviter": 1}), None) == "inviter:5"
    assert MECHANIC.play_of(Act("invited", START, 5, data={"inviter": 1}), None) == MINE


# tiers


def test_crossing_two_tiers_at_once_grants_both() -> None:
    club = Club()
    club.invite(11, 12, 13)
    club.wait(3)
    assert [club.state.count, club.granted()] == [3, 400]


def test_each_tier_is_granted_once_however_many_follow() -> None:
    club = Club(days=0, hold_days=0)
    club.invite(*range(11, 31))
    assert [club.state.count, club.points()] == [20, 1400]


def test_each_invitee_is_rewarded_up_to_the_last_tier() -> None:
    club = Club(days=0, hold_days=0, each=EACH)
    club.invite(*range(11, 31))
    assert club.points() == 1400 + 5 * 10


# review


def test_a_void_invite_takes_back_what_has_not_vested() -> None:
    club = Club(each=EACH)
    club.invite(11, 12, 13)
    club.wait(3)
    assert club.granted() == 430
    assert club.act("void", None, invitee=13) == NO_WHY
    club.review("void", 13)
    assert [club.state.count, club.granted()] == [2, 120]
    club.wait(7)
    assert club.points() == 120


def test_what_has_vested_stays_and_is_not_granted_twice() -> None:
    club = Club(each=EACH)
    club.invite(11, 12)
    club.wait(3)
    club.wait(7)
    assert club.points() == 120
    club.review("void", 12)
    assert [club.state.count, club.points()] == [1, 120]
    club.invite(13)
    club.wait(10)
    club.wait(7)
    assert [club.state.count, club.points()] == [2, 130]


def test_an_appeal_restores_exactly() -> None:
    club = Club(each=EACH)
    club.invite(11, 12, 13)
    club.wait(3)
    before = [club.granted(), club.world.balance(POINTS, BUDGET)]
    club.review("void", 12)
    club.review("restore", 12)
    assert before == [club.granted(), club.world.balance(POINTS, BUDGET)]
    club.wait(7)
    assert club.points() == 430


def test_who_left_while_void_is_not_restored_to_a_gate_they_did_not_pass() -> None:
    club = Club()
    club.invite(11)
    club.review("void", 11)
    club.act("left", 11)
    club.wait(5)
    club.review("restore", 11)
    assert [club.state.count, club.state.invites[0].state] == [0, "lost"]


def test_who_was_void_at_the_gate_passes_it_when_restored() -> None:
    club = Club()
    club.invite(11)
    club.review("void", 11)
    club.wait(5)
    assert club.review("void", 11) == NO_INVITE
    assert club.act("left", 11) == NO_INVITE
    club.review("restore", 11)
    assert club.state.count == 1


# ending


def test_after_the_end_gates_are_still_passed_and_then_the_rest_goes_back() -> None:
    club = Club(minutes=24 * 60)
    club.invite(11, 12)
    club.wait(1)
    assert [club.invite(13), club.state.closed] == [[OVER], False]
    assert club.world.tick(club.now) == 0
    club.wait(2)
    assert [club.granted(), club.state.closed] == [100, True]
    assert club.world.balance(POINTS, f"{RESERVED}:{MINE}") == 0
    assert club.world.balance(POINTS, BUDGET) == 3 * 1400 - 100


def test_the_operator_ends_inviting_and_who_waits_still_counts() -> None:
    club = Club()
    club.invite(11, 12)
    assert isinstance(club.act("close", None), Done)
    assert [club.act("close", None), club.invite(13)] == [OVER, [OVER]]
    club.wait(3)
    assert [club.state.count, club.state.closed] == [2, True]


def test_a_budget_for_one_inviter_is_for_one() -> None:
    club = Club(inviters=1)
    assert club.act("open", 2, OTHERS) == NO_BUDGET


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, []),
        ({"tiers": (TIERS[1], TIERS[0])}, ["tiers", "flat"]),
        ({"tiers": (TIERS[0], Tier(invites=3, reward=TIERS[0].reward))}, ["flat"]),
        ({"days": 0}, ["no_gate"]),
        ({"hold_days": 0}, ["no_review"]),
    ],
)
def test_rules_that_will_not_do_are_found(more: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


def test_a_page_shows_what_is_missing() -> None:
    club = Club()
    club.invite(11, 12, 13)
    club.act("left", 13)
    club.wait(3)
    shown = MECHANIC.shown(club.state, club.rules, 1)
    assert [shown["invites"], shown["missing"], shown["lost"], shown["mine"]] == [2, 1, 1, True]


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    return rules_of(
        days=draw(st.sampled_from([0, 1, 3])), hold_days=draw(st.sampled_from([0, 1, 7])),
        each=draw(st.sampled_from([None, EACH])), tiers=TIERS[: draw(st.integers(1, 3))],
        minutes=draw(st.sampled_from([60, 5 * 24 * 60, 60 * 24 * 60])),
    )  # fmt: skip


class AnyInvites(Schedule):
    """Joins, leaves, reviews, appeals and clocks in any order."""

    mechanic = MECHANIC
    rules_of = any_rules()
    kinds: ClassVar = {
        "invited": st.fixed_dictionaries({"newcomer": st.sampled_from([True, True, False])}),
        "left": st.just({}),
        "close": st.just({}),
    }
    most_plays = 3
    spans = st.sampled_from([1, 60, 1440, 3 * 1440])

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), most=st.integers(1, 6))
    def many_join(self, data: st.DataObject, most: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.plays)))
        for member in data.draw(st.permutations(range(1, 13)))[:most]:
            self.act(key, "invited", member, {"newcomer": True})

    @precondition(lambda self: self.invites("waiting", "counted"))
    @rule(data=st.data(), most=st.integers(1, 4))
    def some_are_found_void(self, data: st.DataObject, most: int) -> None:
        for key, who in data.draw(st.permutations(self.invites("waiting", "counted")))[:most]:
            told = self.act(key, "void", None, {"invitee": who, "why": "burst"})
            assert isinstance(told, Done)

    @precondition(lambda self: self.invites("void"))
    @rule(data=st.data())
    def some_appeal(self, data: st.DataObject) -> None:
        key, who = data.draw(st.sampled_from(self.invites("void")))
        self.act(key, "restore", None, {"invitee": who})

    def states(self) -> dict[str, Inviting]:
        found = {key: play.state for key, play in self.world.plays.items()}
        return {key: state for key, state in found.items() if isinstance(state, Inviting)}

    def invites(self, *states: str) -> list[tuple[str, int]]:
        plays = self.states().items()
        return [(k, i.member) for k, s in plays for i in s.invites if i.state in states]

    @invariant()
    def everybody_counts_for_one_inviter(self) -> None:
        if hasattr(self, "world"):
            members = [i.member for state in self.states().values() for i in state.invites]
            assert len(set(members)) == len(members)

    @invariant()
    def grants_stand_as_plays_say(self) -> None:
        if not hasattr(self, "world"):
            return
        stand = sorted(
            (g.play, g.grant.rule)
            for g in self.world.grants.values() if g.state != "clawed_back"
        )  # fmt: skip
        assert stand == sorted(
            (key, e.what) for key, s in self.states().items() for e in s.earned if e.stands
        )

    @invariant()
    def what_stands_without_its_invites_has_vested(self) -> None:
        if not hasattr(self, "world") or not isinstance(self.rules, Rules):
            return
        for state in self.states().values():
            due = {f"tier:{t.invites}" for t in self.rules.tiers if t.invites <= state.count}
            due |= {f"each:{i.member}" for i in state.invites if i.state == "counted"}
            for earned in state.earned:
                assert not earned.stands or earned.what in due or earned.vests_at <= self.now

    def teardown(self) -> None:
        """In the end nothing is set aside, and everything that stands is paid."""
        if not hasattr(self, "world"):
            return
        self.now += 100 * DAY
        while self.world.tick(self.now):
            pass
        self.now += 8 * DAY
        self.world.tick(self.now)
        assert all(state.closed for state in self.states().values())
        assert not any(self.world.balance(POINTS, f"{RESERVED}:{k}") for k in self.states())
        assert all(g.state in ("paid", "clawed_back") for g in self.world.grants.values())


TestAnyInvites = AnyInvites.TestCase
TestAnyInvites.settings = settings(max_examples=30, stateful_step_count=30)
