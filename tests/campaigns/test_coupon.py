"""Coupons: how many there are, the inviter's side, and a coupon's own life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.coupons import offer
from qunluo.campaigns.mechanics.coupon import (
    CLAIM,
    COUPONS,
    ISSUE,
    MECHANIC,
    Rules,
    State,
    lint,
    play_of,
    unit,
)
from qunluo.campaigns.mechanics.coupon_life import Coupon, Event, step
from qunluo.campaigns.mechanics.kernel import PAID, REFUNDED, Act, Done, Refused
from qunluo.campaigns.mechanics.steps import CLOSE
from qunluo.campaigns.mechanics.world import World
from qunluo.commerce.pricing import Line, price
from tests.campaigns.schedules import MEMBERS, START, Schedule

DAY = timedelta(days=1)
TEN_OFF = Rules(name="ten", total=5, off_minor=1000, threshold_minor=3000, inviter_most=2)


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    return Rules(
        name="c", total=draw(st.integers(1, 12)), per_member=draw(st.integers(1, 3)),
        percent=10, valid_days=draw(st.integers(1, 10)),
        inviter_most=draw(st.integers(1, 2)), return_days=draw(st.integers(0, 3)),
    )  # fmt: skip


class Coupons(Schedule):
    mechanic = MECHANIC
    rules_of = any_rules()
    spans = st.sampled_from([60, 1440, 4 * 1440])
    most_plays = 6

    @rule(member=MEMBERS, inviter=MEMBERS, new=st.sampled_from([True, True, False]))
    def claim(self, member: int, inviter: int, new: bool) -> None:
        self.act(f"m{member}", CLAIM, member, {"inviter": inviter, "new": new})

    @precondition(lambda self: self.number % 4 == 3)
    @rule(members=st.lists(MEMBERS, max_size=4, unique=True))
    def issue(self, members: list[int]) -> None:
        self.act(f"b{self.number}", ISSUE, None, {"members": members})

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), order=st.integers(1, 3), kind=st.sampled_from([PAID, REFUNDED]))
    def order_news(self, data: st.DataObject, order: int, kind: str) -> None:
        """The shop tells of orders once, and in no certain order."""
        play = data.draw(st.sampled_from(sorted(self.world.plays)))
        ref = f"{play}-{order}"
        self.world.act(play, Act(kind, self.now, None, f"{kind}:{ref}", {"ref": ref}))

    @precondition(lambda self: self.number % 10 == 9 and self.world.plays)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.act(data.draw(st.sampled_from(sorted(self.world.plays))), CLOSE, None, {})

    @invariant()
    def no_more_are_issued_than_there_are(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        alive = [g for g in self.world.grants.values() if g.state != "clawed_back"]
        left = self.world.balance(unit(self.rules), COUPONS)
        assert left >= 0
        assert len(alive) + left == self.rules.total

    @invariant()
    def each_member_and_inviter_has_what_the_limits_allow(self) -> None:
        if not hasattr(self, "world"):
            return
        assert isinstance(self.rules, Rules)
        alive = [g.grant for g in self.world.grants.values() if g.state != "clawed_back"]
        for member in range(1, 9):
            mine = [g.rule for g in alive if g.member == member]
            assert mine.count("coupon") <= self.rules.per_member
            assert mine.count("inviter") <= self.rules.inviter_most

    @invariant()
    def an_inviter_is_paid_only_for_what_is_paid_and_past_its_window(self) -> None:
        if not hasattr(self, "world"):
            return
        paid = {name for name, g in self.world.grants.items()
                if g.grant.rule == "inviter" and g.state == "paid"}  # fmt: skip
        assert isinstance(self.rules, Rules)
        window = timedelta(days=self.rules.return_days)
        for play in self.world.plays.values():
            state = play.state
            assert isinstance(state, State)
            name = f"inviter|{state.inviter}|friend:{state.member}"
            assert (name in paid) == (state.tie == "given")
            if state.tie == "waiting" and state.paid:
                due = min(one.at for one in state.paid) + window
                assert play.deadline == due


TestCoupons = Coupons.TestCase
TestCoupons.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def shop(rules: Rules = TEN_OFF) -> World:
    world = World(MECHANIC, rules)
    world.fund(unit(rules), COUPONS, rules.total)
    return world


def take(world: World, member: int, inviter: int | None = None, *, new: bool = True) -> Any:
    act = Act(CLAIM, START, member, "", {"inviter": inviter, "new": new})
    answer = world.act(f"m{member}", act)
    world.tick(START)
    return answer


def told(world: World, member: int, kind: str, at: datetime, ref: str = "o1") -> Any:
    return world.act(f"m{member}", Act(kind, at, None, f"{kind}:{ref}", {"ref": ref}))


def has(world: World, member: int) -> int:
    return world.balance(unit(world.rules), f"member:{member}")


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_the_last_coupon_is_taken_once() -> None:
    world = shop()
    answers = [take(world, member) for member in range(1, 9)]
    assert [isinstance(a, Done) for a in answers] == [True] * 5 + [False] * 3
    assert code(answers[5]) == "sold_out"


def test_batch_issue_beyond_the_total_issues_nothing() -> None:
    world = shop()
    act = Act(ISSUE, START, None, "b", {"members": [1, 2, 3, 4, 5, 6]})
    assert code(world.act("b", act)) == "sold_out"
    assert world.balance(unit(TEN_OFF), COUPONS) == 5
    assert not world.grants
    whole = Act(ISSUE, START, None, "b", {"members": [1, 2, 3, 4, 5]})
    assert isinstance(world.act("b", whole), Done)


def test_a_batch_counts_towards_each_members_limit() -> None:
    world = shop()
    world.act("b", Act(ISSUE, START, None, "b", {"members": [1]}))
    assert code(take(world, 1)) == "limit"
    assert (
        code(world.act("c", Act(ISSUE, START, None, "c", {"members": [2, 2]}))) == "bad_batch"
    )


def test_limit_checked_before_the_lock_two_taps_that_both_saw_no_coupon() -> None:
    world = shop()
    unaware = world.plays.copy()
    take(world, 1)
    world.plays = unaware
    assert code(take(world, 1)) == "limit"


def test_the_inviter_is_paid_when_the_friends_order_cannot_come_back() -> None:
    world = shop()
    take(world, 2, inviter=1)
    told(world, 2, PAID, START + DAY)
    world.tick(START + 7 * DAY)
    assert has(world, 1) == 0
    world.tick(START + 8 * DAY)
    assert has(world, 1) == 1
    assert [n.member for n in world.notices] == [1]


def test_an_order_refunded_in_its_window_pays_no_inviter() -> None:
    world = shop()
    take(world, 2, inviter=1)
    told(world, 2, PAID, START + DAY)
    told(world, 2, REFUNDED, START + 3 * DAY)
    world.tick(START + 8 * DAY)
    assert has(world, 1) == 0
    assert world.balance(unit(TEN_OFF), COUPONS) == 4  # set aside for nobody any more
    assert world.slots["inviter:1"] == 0


def test_a_friend_who_buys_again_after_a_refund_still_counts() -> None:
    world = shop()
    take(world, 2, inviter=1)
    told(world, 2, PAID, START)
    told(world, 2, REFUNDED, START + DAY)
    told(world, 2, PAID, START + 2 * DAY, "o2")
    world.tick(START + 9 * DAY)
    assert has(world, 1) == 1


def test_a_repeated_payment_callback_does_not_pay_the_inviter_twice() -> None:
    world = shop()
    take(world, 2, inviter=1)
    for number in range(20):
        world.act("m2", Act(PAID, START, None, f"n{number}", {"ref": "o1"}))
    for days in range(5, 40):
        world.tick(START + days * DAY)
    assert has(world, 1) == 1


def test_who_is_no_new_friend_or_oneself_brings_the_inviter_nothing() -> None:
    world = shop()
    take(world, 2, inviter=1, new=False)
    take(world, 3, inviter=3)
    assert [g.grant.rule for g in world.grants.values()] == ["coupon", "coupon"]


def test_an_inviter_at_the_limit_does_not_cost_the_friend_a_coupon() -> None:
    world = shop(TEN_OFF.model_copy(update={"total": 20, "inviter_most": 1}))
    for member in (2, 3):
        assert isinstance(take(world, member, inviter=1), Done)
    assert sum(g.grant.rule == "inviter" for g in world.grants.values()) == 1


def test_members_take_coupons_for_themselves_only() -> None:
    world = shop()
    take(world, 1)
    assert code(world.act("m1", Act(CLAIM, START, 2))) == "not_yours"
    assert play_of(Act(CLAIM, START, 2), TEN_OFF) == "m2"


# a coupon's own life

MINE = Coupon(valid_from=START, valid_until=START + 7 * DAY)


def went(coupon: Coupon, *events: tuple[Event, str], at: datetime = START) -> Coupon:
    for event, order in events:
        after = step(coupon, event, at=at, order=order)
        assert isinstance(after, Coupon), after
        coupon = after
    return coupon


def test_a_coupon_is_in_one_order_at_most() -> None:
    locked = went(MINE, ("lock", "a"), ("lock", "a"))
    assert code(step(locked, "lock", at=START, order="b")) == "in_order"
    assert code(step(locked, "use", at=START, order="b")) == "in_order"
    used = went(locked, ("use", "a"), ("use", "a"))
    assert code(step(used, "lock", at=START, order="b")) == "over"


def test_a_refund_does_not_free_a_coupon_while_the_goods_are_kept() -> None:
    used = went(MINE, ("lock", "a"), ("use", "a"))
    kept = went(used, ("refund_kept", "a"))
    assert kept.state == "used"
    assert code(step(kept, "lock", at=START, order="b")) == "over"
    back = went(used, ("refund", "a"))
    assert went(back, ("lock", "b")).order == "b"


def test_a_cancelled_order_gives_the_coupon_back_until_its_end() -> None:
    locked = went(MINE, ("lock", "a"))
    assert went(locked, ("release", "a")).state == "returned"
    assert went(locked, ("release", "a"), at=MINE.valid_until).state == "expired"
    assert code(step(locked, "release", at=START, order="b")) == "in_order"


def test_a_window_ends_before_its_last_instant() -> None:
    end = MINE.valid_until
    assert code(step(MINE, "lock", at=end, order="a")) == "not_valid"
    assert code(step(MINE, "lock", at=START - DAY, order="a")) == "not_valid"
    assert went(MINE, ("lock", "a"), at=end - timedelta(microseconds=1)).state == "locked"
    assert went(MINE, ("lock", "a"), ("use", "a"), at=START).state == "used"
    assert went(went(MINE, ("lock", "a")), ("use", "a"), at=end).state == "used"


def test_what_is_in_an_order_neither_expires_nor_is_revoked() -> None:
    locked = went(MINE, ("lock", "a"))
    assert went(locked, ("expire", ""), at=START + 30 * DAY) == locked
    assert code(step(locked, "revoke", at=START)) == "in_order"
    assert went(MINE, ("revoke", "")).state == "revoked"
    assert went(MINE, ("expire", ""), at=MINE.valid_until).state == "expired"


EVENTS = st.tuples(st.sampled_from(get_args(Event)), st.sampled_from("abc"), st.integers(0, 10))


@given(events=st.lists(EVENTS, max_size=30))
@settings(max_examples=150)
def test_whatever_happens_one_order_has_the_coupon_until_it_gives_it_back(
    events: list[tuple[Event, str, int]],
) -> None:
    coupon, holder = MINE, ""
    for event, order, day in events:
        after = step(coupon, event, at=START + day * DAY, order=order)
        if isinstance(after, Refused):
            continue
        if after.order != coupon.order and coupon.order:
            assert order == holder
            assert event in ("release", "refund")
        coupon, holder = after, after.order
        assert bool(holder) == (coupon.state in ("locked", "used"))
        if coupon.state in ("expired", "revoked"):
            assert code(step(coupon, "lock", at=START, order="z")) == "over"


# what it takes off

NAMED = {f"l{n}": f"l{n}" for n in range(5)}
LINES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9999)), min_size=1, max_size=5)


@st.composite
def terms(draw: st.DrawFn) -> Rules:
    percent = draw(st.integers(0, 100))
    return Rules(
        name="t", total=1, percent=percent, off_minor=0 if percent else draw(st.integers(1, 9999)),
        cap_minor=draw(st.integers(0, 5000)), threshold_minor=draw(st.integers(0, 9999)),
        scope=draw(st.sampled_from([(), ("l0",), ("l0", "l2")])),
    )  # fmt: skip


@given(lines=LINES, offered=st.lists(terms(), min_size=1, max_size=3))
@settings(max_examples=150)
def test_line_discounts_add_up_to_the_orders_and_never_exceed_it(
    lines: list[tuple[int, int]], offered: list[Rules]
) -> None:
    asked = [Line(f"l{n}", quantity, minor) for n, (quantity, minor) in enumerate(lines)]
    offers = [offer(rules, MINE, f"c{n}", NAMED) for n, rules in enumerate(offered)]
    priced = price(asked, offers, at=START)
    whole = sum(line.whole_minor for line in asked)
    off = sum(-r.minor for line in priced.lines for r in line.reasons)
    assert whole - off == priced.total_minor
    assert 0 <= off <= whole
    assert all(line.amount_minor >= 0 for line in priced.lines)
    assert len(priced.offers) <= 1  # one winner of the group
    for winner in priced.offers:
        rules = offered[int(winner[1:])]
        scoped = [
            q * m for n, (q, m) in enumerate(lines) if not rules.scope or f"l{n}" in rules.scope
        ]
        assert sum(scoped) >= rules.threshold_minor
        assert off <= (rules.cap_minor or whole)


def test_rules_that_give_goods_away_are_found_before_publishing() -> None:
    def errors(**changes: Any) -> list[str]:
        found = lint(TEN_OFF.model_copy(update=changes))
        return [f.code for f in found if f.level == "error"]

    assert errors() == []
    assert errors(percent=10) == ["amount_or_percent"]
    assert errors(threshold_minor=999) == ["free_goods"]
    assert errors(off_minor=0, percent=60) == ["no_cap"]
    assert [f.code for f in lint(TEN_OFF.model_copy(update={"return_days": 0}))] == [
        "paid_at_once"
    ]


def test_a_page_tells_what_is_left_to_take() -> None:
    world = shop()
    take(world, 1)
    state = world.plays["m1"].state
    assert MECHANIC.shown(state, TEN_OFF, 1)["may_claim"] == 0
    assert MECHANIC.shown(None, TEN_OFF, 2)["may_claim"] == 1
