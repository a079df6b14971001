"""Group-buy: paid ≤ size, success once, and every payment of a failed group comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.group_buy import MECHANIC, Group
from qunluo.campaigns.mechanics.group_terms import (
    ENOUGH,
    FULL,
    HELD,
    IN_ONE,
    NO_SUCH,
    NOT_IN,
    NOT_OPEN,
    TOO_MANY,
    Price,
    Rules,
    Tier,
)
from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    POINTS,
    RESERVED,
    Act,
    Buy,
    Cancel,
    Done,
    Refund,
    Refused,
)
from qunluo.campaigns.mechanics.steps import OVER, Reward
from qunluo.campaigns.mechanics.world import LATE, STOCK, World
from tests.campaigns.schedules import START, Schedule

SKU, OTHER = "tea", "pot"
MINUTE = timedelta(minutes=1)
BONUS = Reward(unit=POINTS, amount=50)
TIERS = (Tier(people=3, off_minor=100), Tier(people=5, off_minor=250))


def rules_of(**more: Any) -> Rules:
    prices = (Price(sku=SKU, price_minor=1000), Price(sku=OTHER, price_minor=3000))
    told = {"prices": prices, "size": 3, "minutes": 60, "pay_minutes": 15, "groups": 5}
    return Rules(**{**told, **more})


class Breaking(World):
    """A world in which a refund fails now and then, as providers do."""

    breaks: ClassVar[set[str]] = set()

    def ask(self, ask: Buy | Cancel | Refund, play: str) -> Refused | None:
        if isinstance(ask, Refund) and ask.ref in self.breaks:
            raise ConnectionError(ask.ref)
        return super().ask(ask, play)


class Shop:
    """A group `p` and all that it needs."""

    def __init__(self, stock: int = 20, world: type[World] = World, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = world(MECHANIC, self.rules)
        self.now, self.number = START, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)
        self.world.fund(f"sku:{SKU}", STOCK, stock)
        self.world.fund(f"sku:{OTHER}", STOCK, stock)

    def act(self, kind: str, member: int | None, play: str = "p", **data: Any) -> Any:
        self.number += 1
        return self.world.act(play, Act(kind, self.now, member, f"k{self.number}", data))

    def ref(self, member: int, play: str = "p") -> str:
        return next(seat.ref for seat in self.group(play).seats if seat.member == member)

    def pay(self, member: int, play: str = "p") -> Any:
        return self.world.pay(self.ref(member, play), self.now)

    def gather(self, *payers: int) -> None:
        """The first opens, the others join, and all pay."""
        for member in payers:
            self.act("join" if "p" in self.world.plays else "open", member)
            assert isinstance(self.pay(member), Done)

    def wait(self, minutes: float) -> None:
        self.now += minutes * MINUTE
        self.world.tick(self.now)

    def group(self, play: str = "p") -> Group:
        state = self.world.plays[play].state
        assert isinstance(state, Group)
        return state

    def stock(self, sku: str = SKU) -> int:
        return self.world.balance(f"sku:{sku}", STOCK)

    def states(self) -> list[str]:
        return [order.state for order in self.world.orders.values()]


# a group that succeeds


def test_a_group_succeeds_when_enough_have_paid() -> None:
    shop = Shop()
    shop.gather(1, 2)
    assert [shop.group().stage, shop.rules.size - len(shop.group().paid)] == ["open", 1]
    shop.gather(3)
    assert [shop.group().stage, shop.states()] == ["success", ["paid"] * 3]
    shop.wait(10_000)
    assert shop.states() == ["paid"] * 3


def test_nothing_ships_before_success() -> None:
    shop = Shop()
    shop.gather(1, 2)
    ref = shop.ref(1)
    assert not MECHANIC.ships(shop.group(), ref)
    shop.gather(3)
    assert MECHANIC.ships(shop.group(), ref)
    shop.world.refund(ref, shop.now)
    assert not MECHANIC.ships(shop.group(), ref)


def test_others_join_when_the_leader_has_paid_and_the_clock_begins_then() -> None:
    shop = Shop()
    shop.act("open", 1)
    assert shop.act("join", 2) == NOT_OPEN
    shop.wait(10)
    shop.pay(1)
    assert shop.group().ends_at == shop.now + 60 * MINUTE
    assert isinstance(shop.act("join", 2), Done)


def test_a_leader_who_does_not_pay_opens_nothing() -> None:
    shop = Shop()
    shop.act("open", 1)
    shop.wait(15)
    assert [shop.group().stage, shop.states(), shop.stock()] == ["failed", ["cancelled"], 20]
    assert isinstance(shop.act("open", 1, "q"), Done)


def test_each_product_has_its_price_and_orders_their_limit() -> None:
    shop = Shop(quantity_most=2)
    assert shop.act("open", 1, sku=OTHER, quantity=2).answer["price_minor"] == 6000
    shop.pay(1)
    assert shop.act("join", 2, sku="car") == NO_SUCH
    assert [shop.act("join", 2, quantity=n) for n in (3, 0, -1, True, "1")] == [TOO_MANY] * 5


# seats


def test_seats_that_are_held_are_told_from_seats_that_are_paid() -> None:
    shop = Shop()
    shop.gather(1, 2)
    shop.act("join", 3)
    assert shop.act("join", 4) == HELD
    shop.wait(15)
    assert shop.states()[2] == "cancelled"
    assert isinstance(shop.act("join", 4), Done)
    shop.pay(4)
    assert shop.act("join", 5) == OVER


def test_fault_limit_checked_before_the_lock() -> None:
    """Thirty who all saw one seat left: one gets it, and paid ≤ size."""
    shop = Shop()
    shop.gather(1, 2)
    answers = [shop.act("join", member) for member in range(10, 40)]
    assert sum(isinstance(answer, Done) for answer in answers) == 1
    assert {answer for answer in answers if isinstance(answer, Refused)} == {HELD}


def test_a_full_group_of_tiers_says_so_while_it_runs() -> None:
    shop = Shop(tiers=(Tier(people=4, off_minor=1),))
    shop.gather(1, 2, 3)
    assert shop.group().stage == "open"
    shop.gather(4)
    assert shop.act("join", 5) in (FULL, OVER)
    assert shop.group().stage == "success"


def test_a_member_is_in_one_live_group_of_the_activity() -> None:
    shop = Shop(groups_each=2)
    shop.gather(1, 2)
    assert shop.act("join", 2) == IN_ONE
    assert shop.act("open", 2, "q") == IN_ONE
    shop.gather(3)
    assert isinstance(shop.act("open", 2, "q"), Done)


def test_successful_groups_count_against_the_limit_and_failed_ones_do_not() -> None:
    shop = Shop(groups_each=1)
    shop.gather(1, 2)
    shop.wait(61)
    shop.wait(1)
    assert isinstance(shop.act("open", 1, "q"), Done)
    other = Shop(groups_each=1)
    other.gather(1, 2, 3)
    assert other.act("open", 2, "q") == ENOUGH


# leaving


def test_a_leader_who_quits_hands_over_to_the_next_payer_and_the_clock_stays() -> None:
    shop = Shop(tiers=TIERS)
    shop.gather(1)
    shop.act("join", 2)
    shop.wait(1)
    shop.gather(3)
    shop.wait(1)
    shop.pay(2)
    ends_at = shop.group().ends_at
    shop.act("quit", 1)
    assert [shop.group().leader, shop.group().ends_at] == [3, ends_at]
    assert shop.world.orders["p:1"].state == "refunded"
    assert isinstance(shop.act("open", 1, "q"), Done)


def test_a_group_that_everybody_left_ends_and_calls_off_what_is_not_paid() -> None:
    shop = Shop()
    shop.gather(1)
    shop.act("join", 2)
    shop.act("quit", 1)
    assert [shop.group().stage, shop.states()] == ["failed", ["refunded", "cancelled"]]
    assert isinstance(shop.act("open", 2, "q"), Done)


def test_a_seat_that_was_quit_is_free_again_and_stock_is_back() -> None:
    shop = Shop()
    shop.gather(1, 2)
    assert shop.act("quit", 3) == NOT_IN
    shop.act("quit", 2)
    assert shop.stock() == 19
    shop.gather(3, 4)
    assert shop.group().stage == "success"
    assert shop.act("quit", 3) == OVER


# a group that fails


def test_a_group_that_fails_gives_everything_back() -> None:
    shop = Shop(leader_bonus=BONUS)
    shop.gather(1, 2)
    shop.act("join", 3)
    shop.wait(61)
    shop.world.tick(shop.now)
    assert [shop.group().stage, shop.group().seats, shop.stock()] == ["failed", (), 20]
    assert shop.states() == ["refunded", "refunded", "cancelled"]
    assert shop.world.balance(POINTS, BUDGET) == 250
    assert set(shop.world.slots.values()) == {0}


def test_fault_one_failed_refund_rolling_back_all() -> None:
    shop = Shop(world=Breaking, size=4)
    shop.gather(1, 2, 3)
    Breaking.breaks.add("p:2")
    shop.now += 61 * MINUTE
    shop.world.tick(shop.now)  # the group fails
    while shop.world.waiting:
        try:
            shop.world.tick(shop.now)
        except ConnectionError:
            continue
    assert shop.states() == ["refunded", "paid", "refunded"]
    Breaking.breaks.clear()
    shop.wait(10)  # it is asked for again
    shop.world.tick(shop.now)
    assert [shop.states(), shop.world.plays["p"].deadline] == [["refunded"] * 3, None]


def test_fault_restock_guarded_by_stock() -> None:
    """What comes back comes back also where nothing was left."""
    shop = Shop(stock=2)
    shop.gather(1, 2)
    assert shop.stock() == 0
    shop.wait(61)
    shop.world.tick(shop.now)
    assert shop.stock() == 2


@pytest.mark.parametrize(("early", "stage"), [(MINUTE / 60, "success"), (0 * MINUTE, "failed")])
def test_fault_last_join_racing_expiry(early: timedelta, stage: str) -> None:
    """The last payment and the clock meet: one of them decides, once, and money follows it."""
    shop = Shop()
    shop.gather(1, 2)
    shop.wait(50)
    shop.act("join", 3)
    ref, end = shop.ref(3), shop.group().ends_at
    shop.now = end - early
    paid = shop.world.pay(ref, shop.now)
    assert isinstance(paid, Done) == (stage == "success")
    shop.now = end + MINUTE
    for _ in range(3):
        shop.world.tick(shop.now)
        shop.world.pay(ref, shop.now)
    assert shop.group().stage == stage
    assert shop.states() == (["paid"] * 3 if stage == "success" else ["refunded"] * 3)


def test_a_clock_that_comes_first_turns_the_last_payment_back_whatever_its_time() -> None:
    shop = Shop()
    shop.gather(1, 2)
    shop.wait(50)
    shop.act("join", 3)
    before, ref = shop.now, shop.ref(3)
    shop.now = shop.group().ends_at + MINUTE
    shop.world._expire(shop.now)
    assert shop.world.pay(ref, before).code == "stale"
    assert shop.world.pay(ref, before) == LATE
    shop.world.tick(shop.now)
    assert shop.states() == ["refunded"] * 3


def test_a_payment_made_in_time_counts_also_if_we_hear_of_it_a_little_later() -> None:
    shop = Shop()
    shop.gather(1, 2)
    shop.wait(50)
    shop.act("join", 3)
    ref, paid_at = shop.ref(3), shop.group().ends_at - MINUTE / 60
    shop.now = shop.group().ends_at + MINUTE / 2
    shop.world._expire(shop.now)
    assert isinstance(shop.world.pay(ref, paid_at), Done)
    assert shop.group().stage == "success"


def test_fault_repeated_payment_callback_paying_twice() -> None:
    shop = Shop(leader_bonus=BONUS, hold_days=0)
    shop.gather(1, 2)
    shop.act("join", 3)
    ref = shop.ref(3)
    answers = [shop.world.pay(ref, shop.now) for _ in range(20)]
    assert all(answer == answers[0] for answer in answers)
    assert [shop.group().payers, shop.world.balance(POINTS, "member:1")] == [3, 50]


# tiers, guarantee, bonus


@pytest.mark.parametrize(("payers", "off"), [(2, 0), (3, 100), (4, 100), (5, 250)])
def test_tiered_groups_refund_the_difference(payers: int, off: int) -> None:
    shop = Shop(size=2, tiers=TIERS, quantity_most=3)
    shop.act("open", 1, quantity=3)
    shop.pay(1)
    shop.gather(*range(2, payers + 1))
    shop.wait(61)
    shop.wait(1)
    back = [order.refunded_minor for order in shop.world.orders.values()]
    assert back == [3 * off] + [off] * (payers - 1)
    assert [shop.states(), shop.stock()] == [["paid"] * payers, 20 - 3 - (payers - 1)]
    assert shop.world.plays["p"].deadline is None


def test_fault_refund_freeing_the_seat_while_the_goods_are_kept() -> None:
    """A difference that is refunded changes neither stock nor what a member may still buy."""
    shop = Shop(size=2, tiers=TIERS)
    shop.gather(1, 2, 3, 4, 5)
    shop.world.tick(shop.now)
    assert shop.world.slots["times:1"] == 1
    assert shop.act("open", 1, "q") == ENOUGH


def test_a_group_completed_by_the_merchant_says_so_and_invents_nobody() -> None:
    shop = Shop(guarantee_from=2)
    shop.gather(1, 2)
    shop.wait(61)
    shown = MECHANIC.shown(shop.group(), shop.rules, 1)
    assert [shown["stage"], shown["guaranteed"], shown["members"]] == ["success", True, [1, 2]]


def test_a_guarantee_by_hand_calls_off_what_is_not_paid() -> None:
    shop = Shop()
    shop.gather(1)
    shop.act("join", 2)
    assert isinstance(shop.act("guarantee", None), Done)
    assert [shop.group().guaranteed, shop.states()] == [True, ["paid", "cancelled"]]
    assert shop.act("guarantee", None) == OVER


def test_the_operator_ends_groups_that_are_not_complete() -> None:
    shop = Shop(guarantee_from=1)
    shop.gather(1, 2)
    shop.act("close", None)
    shop.world.tick(shop.now)
    assert [shop.group().stage, shop.states()] == ["failed", ["refunded"] * 2]


def test_the_leader_is_paid_after_some_days_and_not_if_they_return_the_goods() -> None:
    for returned, points in ((False, 50), (True, 0)):
        shop = Shop(leader_bonus=BONUS, hold_days=7)
        shop.gather(1, 2, 3)
        if returned:
            shop.world.refund(shop.ref(1), shop.now)
        shop.wait(7 * 24 * 60)
        assert shop.world.balance(POINTS, "member:1") == points
        assert shop.world.balance(POINTS, BUDGET) == 250 - points


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, []),
        ({"tiers": TIERS}, []),
        ({"tiers": TIERS[::-1]}, ["tiers"]),
        ({"tiers": (Tier(people=2, off_minor=1),)}, ["tiers"]),
        ({"tiers": (Tier(people=4, off_minor=1000),)}, ["below_nothing"]),
        ({"guarantee_from": 3}, ["guarantee"]),
        ({"size": 30}, ["large"]),
        ({"prices": (Price(sku=SKU, price_minor=5),) * 2}, ["same_product"]),
    ],
)
def test_rules_that_cannot_be_kept_are_found(more: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    size = draw(st.integers(2, 4))
    tiers = (Tier(people=size + 1, off_minor=10), Tier(people=size + 2, off_minor=30))
    return rules_of(
        size=size, tiers=draw(st.sampled_from([(), tiers])), quantity_most=2,
        minutes=draw(st.sampled_from([20, 600])), groups_each=draw(st.integers(1, 3)),
        guarantee_from=draw(st.sampled_from([0, 1])), hold_days=draw(st.sampled_from([0, 1])),
        leader_bonus=draw(st.sampled_from([None, BONUS])),
    )  # fmt: skip


class AnyGroup(Schedule):
    """Joins, payments, quits, cancels, refunds, guarantees and clocks in any order."""

    mechanic = MECHANIC
    rules_of = any_rules()
    opening = st.fixed_dictionaries({"quantity": st.integers(1, 2)})
    kinds: ClassVar = {
        "join": st.fixed_dictionaries({"quantity": st.integers(1, 3)}),
        "quit": st.just({}),
        "guarantee": st.just({}),
    }
    stock: ClassVar = {SKU: 8}
    most_plays = 3
    spans = st.sampled_from([1, 7, 10, 30, 1440])

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), most=st.integers(1, 5))
    def several_join_and_pay(self, data: st.DataObject, most: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.world.plays)))
        for member in data.draw(st.permutations(range(1, 9)))[:most]:
            self.act(key, "join", member, {})
        for ref, order in list(self.world.orders.items()):
            if order.play == key:
                self.world.pay(ref, self.now)

    def groups(self) -> dict[str, Group]:
        states = {key: play.state for key, play in self.world.plays.items()}
        return {key: state for key, state in states.items() if isinstance(state, Group)}

    @invariant()
    def paid_seats_are_paid_orders(self) -> None:
        if hasattr(self, "world"):
            paid = {ref for ref, order in self.world.orders.items() if order.state == "paid"}
            assert paid == {seat.ref for g in self.groups().values() for seat in g.paid}

    @invariant()
    def members_hold_as_many_slots_as_seats(self) -> None:
        if not hasattr(self, "world"):
            return
        for member in range(1, 9):
            mine = [g for g in self.groups().values() if member in {s.member for s in g.seats}]
            assert self.world.slot(f"times:{member}") == len(mine)
            live = sum(g.stage != "success" for g in mine)
            assert self.world.slot(f"live:{member}") == live <= 1

    @invariant()
    def bonuses_are_set_aside_for_groups_that_run(self) -> None:
        if hasattr(self, "world") and isinstance(self.rules, Rules):
            worth = self.rules.leader_bonus.amount if self.rules.leader_bonus else 0
            for key, group in self.groups().items():
                kept = self.world.balance(POINTS, f"{RESERVED}:{key}")
                assert kept == (worth if group.runs else 0)

    def teardown(self) -> None:
        """In the end every group is decided, once, and nothing is owed."""
        if not hasattr(self, "world"):
            return
        for _ in range(4):
            self.now = max([self.now, *self.ends()]) + timedelta(days=3)
            self.world.tick(self.now)
        for group in self.groups().values():
            assert group.stage in ("success", "failed")
            assert group.stage == "success" or not group.seats
            for seat in group.seats:
                off = group.off_minor * seat.quantity
                assert self.world.orders[seat.ref].refunded_minor == off
        sold = sum(s.quantity for g in self.groups().values() for s in g.seats)
        assert self.world.balance(f"sku:{SKU}", STOCK) == 8 - sold
        assert all(play.deadline is None for play in self.world.plays.values())

    def ends(self) -> list[datetime]:
        return [group.ends_at for group in self.groups().values()]


TestAnyGroup = AnyGroup.TestCase
TestAnyGroup.settings = settings(max_examples=30, stateful_step_count=30)
