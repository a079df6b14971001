"""Flash sale: few pieces, each member's limit, time to pay, a price that friends unlock."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from qunluo.campaigns.mechanics.flash_sale import (
    BUY,
    CANCEL,
    INVITED,
    MECHANIC,
    Rules,
    State,
    held,
    lint,
)
from qunluo.campaigns.mechanics.kernel import OPEN, Act, Done, Refused
from qunluo.campaigns.mechanics.world import STOCK, World
from tests.campaigns.schedules import MEMBERS, START, Schedule

STOCKED = 12
CHEAP = Rules(sku="mug", pieces=5, price_minor=990, invites=2, unlocked_minor=10)


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    return Rules(
        sku="mug", pieces=draw(st.integers(1, 15)), price_minor=draw(st.integers(20, 2000)),
        per_member=draw(st.integers(1, 3)), pay_minutes=draw(st.sampled_from([1, 10, 60])),
        invites=draw(st.integers(0, 3)), unlocked_minor=draw(st.integers(1, 19)),
        unlocked_pieces=draw(st.integers(1, 2)), new_only=draw(st.booleans()),
    )  # fmt: skip


class FlashSales(Schedule):
    mechanic = MECHANIC
    rules_of = any_rules()
    kinds: ClassVar = {
        BUY: st.fixed_dictionaries({"quantity": st.integers(1, 3)}),
        INVITED: st.fixed_dictionaries({"new": st.booleans()}),
        CANCEL: st.fixed_dictionaries({"ref": st.from_regex(r"\Am[1-8]:[1-4]\Z")}),
    }
    stock: ClassVar = {"mug": STOCKED}

    @rule(member=MEMBERS, quantity=st.integers(1, 2))
    def buy_at_once(self, member: int, quantity: int) -> None:
        self.act(f"m{member}", BUY, member, {"quantity": quantity})

    @invariant()
    def no_more_are_sold_than_there_are(self) -> None:
        if not hasattr(self, "world"):
            return
        states = [s for p in self.world.plays.values() if isinstance(s := p.state, State)]
        sold = sum(held(s) for s in states)
        assert isinstance(self.rules, Rules)
        assert sold <= min(self.rules.pieces, STOCKED)
        assert self.world.slots.get("sold", 0) == sold
        assert self.world.balance("sku:mug", STOCK) == STOCKED - sold
        for state in states:
            assert self.world.slots.get(f"buyer:{state.member}", 0) == held(state)
        friends = Counter(f for s in states for f in s.invited)
        assert all(count == 1 for count in friends.values())

    @invariant()
    def what_the_plays_say_is_what_the_orders_are(self) -> None:
        if not hasattr(self, "world"):
            return
        said = {o.ref: o.state for p in self.world.plays.values()
                if isinstance(p.state, State) for o in p.state.orders}  # fmt: skip
        assert said == {r: o.state for r, o in self.world.orders.items()
                        if o.state in ("open", "paid")}  # fmt: skip


TestFlashSales = FlashSales.TestCase
TestFlashSales.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def sale(rules: Rules = CHEAP, stock: int = 50) -> World:
    world = World(MECHANIC, rules)
    world.fund(f"sku:{rules.sku}", STOCK, stock)
    return world


def buy(world: World, member: int, key: str = "", **data: Any) -> Any:
    return world.act(f"m{member}", Act(BUY, START, member, key, data))


def invite(world: World, inviter: int, friend: int, *, new: bool = True) -> Any:
    return world.act(f"m{inviter}", Act(INVITED, START, friend, "", {"new": new}))


def code(answer: Any) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def ref(answer: Any) -> str:
    assert isinstance(answer, Done), answer
    return str(answer.answer["ref"])


def test_three_hundred_members_who_want_five_pieces_get_five() -> None:
    world = sale()
    answers = [buy(world, member) for member in range(1, 301)]
    assert sum(isinstance(a, Done) for a in answers) == 5
    assert {code(a) for a in answers[5:]} == {"sold_out"}


def test_pieces_that_the_shop_does_not_have_are_not_sold() -> None:
    world = sale(stock=2)
    assert [isinstance(buy(world, m), Done) for m in (1, 2, 3)] == [True, True, False]
    assert world.slots["sold"] == 2  # the refused one left no slot behind


def test_a_member_has_no_more_than_the_limit_whatever_is_asked_twice() -> None:
    world = sale()
    first = buy(world, 1, "tap")
    assert buy(world, 1, "tap") == first  # the same tap
    assert code(buy(world, 1, "other tap")) == "limit"


def test_restock_is_not_guarded_by_stock_what_is_not_paid_in_time_is_free_again() -> None:
    world = sale(CHEAP.model_copy(update={"pieces": 1}))
    buy(world, 1)
    assert code(buy(world, 2)) == "sold_out"
    world.tick(START + timedelta(minutes=10))
    assert isinstance(buy(world, 2), Done)


def test_money_after_the_piece_went_to_another_goes_back() -> None:
    world = sale(CHEAP.model_copy(update={"pieces": 1}), stock=1)
    late = ref(buy(world, 1))
    world.tick(START + timedelta(minutes=10))
    buy(world, 2)
    world.pay(late, START + timedelta(minutes=11))
    assert world.orders[late].state == "refunded"
    assert world.orders[late].refunded_minor == 990


def test_a_payment_notified_many_times_sells_one_piece() -> None:
    world = sale()
    bought = ref(buy(world, 1))
    for _ in range(20):
        world.pay(bought, START)
    assert held(world.plays["m1"].state) == 1  # type: ignore[arg-type]
    assert world.balance("sku:mug", STOCK) == 49


def test_limit_checked_before_the_lock_two_taps_that_both_saw_nothing_bought() -> None:
    world = sale()
    unaware = world.plays.copy()
    buy(world, 1)
    world.plays = unaware  # the second tap had read the play before the first was written
    assert code(buy(world, 1)) == "limit"
    assert world.slots["sold"] == 1


def test_two_friends_unlock_the_lower_price_for_one_piece() -> None:
    world = sale(CHEAP.model_copy(update={"per_member": 3}))
    world.act("m1", Act(OPEN, START, 1))
    invite(world, 1, 2)
    assert not world.notices
    invite(world, 1, 3)
    assert [n.member for n in world.notices] == [1]
    assert buy(world, 1, quantity=2).answer["amount_minor"] == 10 + 990
    assert buy(world, 1).answer["amount_minor"] == 990


def test_a_price_won_is_not_burnt_by_a_cancelled_order() -> None:
    world = sale()
    world.act("m1", Act(OPEN, START, 1))
    invite(world, 1, 2)
    invite(world, 1, 3)
    first = ref(buy(world, 1))
    world.cancel(first, START)
    assert buy(world, 1).answer["amount_minor"] == 10
    world.act("m1", Act(CANCEL, START, 1, "", {"ref": "m1:2"}))
    world.tick(START + timedelta(days=1))
    assert buy(world, 1).answer["amount_minor"] == 10


def test_must_be_a_new_friend_is_not_inverted() -> None:
    world = sale()
    world.act("m1", Act(OPEN, START, 1))
    assert code(invite(world, 1, 2, new=False)) == "not_new"
    assert isinstance(invite(world, 1, 2, new=True), Done)


def test_a_friend_counts_once_in_the_whole_sale_and_never_for_oneself() -> None:
    world = sale()
    for member in (1, 2):
        world.act(f"m{member}", Act(OPEN, START, member))
    assert code(invite(world, 1, 1)) == "self_invite"
    invite(world, 1, 3)
    assert code(invite(world, 1, 3)) == "invited_before"
    assert code(invite(world, 2, 3)) == "invited_before"


def test_nobody_buys_for_another() -> None:
    world = sale()
    world.act("m1", Act(OPEN, START, 1))
    assert code(world.act("m1", Act(BUY, START, 2))) == "not_yours"


def test_rules_that_make_no_sense_are_found_before_publishing() -> None:
    wrong = CHEAP.model_copy(update={"unlocked_minor": 990, "per_member": 6, "invites": 5,
                                     "pay_minutes": 90})  # fmt: skip
    assert [f.code for f in lint(wrong) if f.level == "error"] == [
        "unlocked_not_lower", "limit_above_pieces",
    ]  # fmt: skip
    assert [f.code for f in lint(wrong) if f.level == "warning"] == ["many_invites", "slow_pay"]
    assert lint(CHEAP) == []


def test_a_page_shows_orders_to_their_owner_only() -> None:
    world = sale()
    buy(world, 1)
    state = world.plays["m1"].state
    assert MECHANIC.shown(state, CHEAP, 1)["held"] == 1
    assert "orders" not in MECHANIC.shown(state, CHEAP, 2)
