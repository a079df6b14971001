"""Rising price: the price of a piece is that of its number, and what is quoted is charged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from qunluo.campaigns.mechanics.kernel import RESERVED, SOLD_OUT, SPENT, Act, Done
from qunluo.campaigns.mechanics.rising_price import (
    CHANGED,
    FEWER,
    LIMIT,
    MECHANIC,
    PIECE,
    PIECES,
    SALE,
    Rules,
    Sale,
    Step,
    price_of,
    quantity_of,
    quote,
)
from qunluo.campaigns.mechanics.steps import OVER, STALE
from qunluo.campaigns.mechanics.world import LATE, STOCK, World
from tests.campaigns.schedules import START, Schedule

SKU = "ticket"
STEPS = (Step(pieces=3, price_minor=100), Step(pieces=2, price_minor=150),
         Step(pieces=4, price_minor=400))  # fmt: skip


def rules_of(**more: Any) -> Rules:
    return Rules(**{"sku": SKU, "steps": STEPS, "per_member": 4, **more})


class Selling:
    """A sale and all that it needs."""

    def __init__(self, stock: int = 20, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = World(MECHANIC, self.rules)
        self.now, self.number = START, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)
        self.world.fund(f"sku:{SKU}", STOCK, stock)

    def act(self, kind: str, member: int | None, **data: Any) -> Any:
        self.number += 1
        return self.world.act(SALE, Act(kind, self.now, member, f"k{self.number}", data))

    def buy(self, member: int, quantity: int = 1) -> Any:
        quoted = quote(self.sale.taken, quantity, self.rules)
        return self.act("buy", member, quantity=quantity, quoted_minor=quoted)

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.tick(self.now)

    @property
    def sale(self) -> Sale:
        play = self.world.plays.get(SALE)
        assert play is None or isinstance(play.state, Sale)
        return play.state if play else Sale()  # type: ignore[return-value]

    def amounts(self) -> list[int]:
        return [order.buy.amount_minor for order in self.world.orders.values()]


def test_the_price_is_a_function_of_the_number() -> None:
    rules = rules_of()
    assert [price_of(n, rules) for n in range(1, 10)] == [100] * 3 + [150] * 2 + [400] * 4
    with pytest.raises(ValueError, match="no piece 10"):
        price_of(10, rules)


def test_a_quantity_may_straddle_steps() -> None:
    shop = Selling()
    shop.buy(1, 2)
    assert shop.buy(2, 4).answer == {"ref": "sale:2x4", "amount_minor": 800, "first": 3}
    assert [shop.sale.taken, shop.amounts()] == [6, [200, 100 + 150 + 150 + 400]]


@settings(max_examples=100)
@given(st.lists(st.integers(1, 4), max_size=9))
def test_however_pieces_are_ordered_together_they_cost_what_their_numbers_cost(
    quantities: list[int],
) -> None:
    shop = Selling(per_member=4)
    for member, quantity in enumerate(quantities):
        if shop.sale.taken + quantity <= 9:
            assert isinstance(shop.buy(member, quantity), Done)
    assert sum(shop.amounts()) == quote(0, shop.sale.taken, shop.rules)


def test_what_is_charged_is_what_was_quoted_or_nothing_is_sold() -> None:
    shop = Selling()
    shop.buy(1, 3)
    for old in (100, 149, 151, None, "150", True):
        assert shop.act("buy", 2, quantity=1, quoted_minor=old) == CHANGED
    assert shop.act("buy", 2, quantity=1, quoted_minor=150).answer["amount_minor"] == 150


def test_fault_limit_checked_before_the_lock() -> None:
    """Thirty who all saw the last piece of a step at its price: one gets it."""
    shop = Selling()
    shop.buy(1, 2)
    answers = [shop.act("buy", m, quantity=1, quoted_minor=100) for m in range(10, 40)]
    assert sum(isinstance(answer, Done) for answer in answers) == 1
    assert answers[1:] == [CHANGED] * 29


def test_members_have_no_more_than_the_limit_in_all_their_orders() -> None:
    shop = Selling(per_member=3)
    shop.buy(1, 2)
    assert shop.buy(1, 2) == LIMIT
    assert [shop.act("buy", 1, quantity=n) for n in (4, 0, -1)] == [LIMIT] * 3
    assert isinstance(shop.buy(1, 1), Done)


def test_no_more_is_sold_than_there_is() -> None:
    shop = Selling()
    for member in (1, 2):
        shop.buy(member, 4)
    assert shop.act("buy", 3, quantity=2) == FEWER
    shop.buy(3)
    assert shop.act("buy", 4, quantity=1, quoted_minor=400) == SOLD_OUT


def test_what_is_called_off_gives_its_places_back_so_that_nobody_drives_the_price_up() -> None:
    shop = Selling(pay_minutes=10)
    shop.buy(1, 3)
    shop.wait(10)
    assert [shop.sale.taken, shop.world.balance(PIECE, PIECES)] == [0, 9]
    assert shop.buy(1).answer["amount_minor"] == 100
    told = shop.act("cancel", 1, ref="sale:2x1")
    assert isinstance(told, Done)
    assert [shop.sale.taken, shop.world.balance(f"sku:{SKU}", STOCK)] == [0, 20]


def test_nobody_calls_off_the_order_of_another() -> None:
    shop = Selling()
    shop.buy(1)
    assert shop.act("cancel", 2, ref="sale:1x1") == STALE


def test_a_refund_gives_the_places_back_once() -> None:
    shop = Selling()
    shop.buy(1, 2)
    shop.world.pay("sale:1x2", shop.now)
    assert [shop.world.balance(PIECE, SPENT), shop.sale.open] == [2, ()]
    shop.world.refund("sale:1x2", shop.now)
    assert [shop.sale.taken, shop.world.slot("buyer:1")] == [0, 0]
    again = Act("refunded", shop.now, 1, "another key", {"ref": "sale:1x2"})
    assert shop.world.act(SALE, again) == STALE
    assert shop.sale.taken == 0


def test_late_money_for_an_order_that_was_called_off_moves_nothing_twice() -> None:
    shop = Selling()
    shop.buy(1, 2)
    shop.wait(10)
    shop.buy(2, 2)
    shop.world.pay("sale:2x2", shop.now)
    assert shop.world.pay("sale:1x2", shop.now) == STALE
    assert shop.world.pay("sale:1x2", shop.now) == LATE
    refunded = Act("refunded", shop.now, 1, "refunded:sale:1x2", {"ref": "sale:1x2"})
    assert shop.world.act(SALE, refunded) == STALE
    assert [shop.sale.taken, shop.world.orders["sale:1x2"].state] == [2, "refunded"]


def test_fault_repeated_payment_callback_paying_twice() -> None:
    shop = Selling()
    shop.buy(1, 2)
    answers = [shop.world.pay("sale:1x2", shop.now) for _ in range(20)]
    assert all(answer == answers[0] for answer in answers)
    assert shop.world.balance(PIECE, SPENT) == 2


def test_goods_that_the_shop_does_not_have_leave_the_count_as_it_was() -> None:
    shop = Selling(stock=1)
    assert shop.buy(1, 2).code == "sold_out"
    assert [shop.sale.taken, shop.world.balance(PIECE, PIECES)] == [0, 9]


def test_a_sale_that_is_closed_sells_nothing_and_takes_what_is_owed() -> None:
    shop = Selling()
    shop.buy(1)
    shop.act("close", None)
    assert shop.buy(2) == OVER
    assert shop.act("close", None) == OVER
    assert isinstance(shop.world.pay("sale:1x1", shop.now), Done)
    assert shop.sale.closed


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, ["first_step_gone"]),
        ({"per_member": 3}, []),
        ({"per_member": 3, "steps": (STEPS[0], STEPS[0])}, ["not_rising"]),
        ({"per_member": 3, "steps": (STEPS[0], Step(pieces=1, price_minor=99))},
         ["not_rising"]),
        ({"per_member": 1, "steps": STEPS[:1]}, ["one_step"]),
    ],
)  # fmt: skip
def test_rules_that_will_not_do_are_found(more: dict[str, Any], codes: list[str]) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


def test_a_page_shows_the_price_now_and_what_more_pieces_cost() -> None:
    shop = Selling()
    shop.buy(1, 2)
    shown = MECHANIC.shown(shop.sale, shop.rules, 1)
    assert [shown["price_minor"], shown["quotes_minor"]] == [100, [100, 250, 400, 800]]
    assert shown["refs"] == ["sale:1x2"]


class AnySale(Schedule):
    """Orders at prices of now and of before, payments, cancels, refunds in any order."""

    mechanic = MECHANIC
    rules_of = st.builds(rules_of, per_member=st.integers(1, 4), pay_minutes=st.just(10))
    stock: ClassVar = {SKU: 8}
    most_plays = 1
    spans = st.sampled_from([1, 5, 10])

    @property
    def sale(self) -> Sale:
        play = self.world.plays.get(SALE)
        return play.state if play else Sale()  # type: ignore[return-value]

    @rule(member=st.integers(1, 5), quantity=st.integers(1, 4), seen=st.integers(0, 2))
    def buys(self, member: int, quantity: int, seen: int) -> None:
        """With the price of now, or of some pieces ago."""
        assert isinstance(self.rules, Rules)
        taken = max(0, self.sale.taken - seen)
        if taken + quantity > self.rules.pieces:
            return
        now = self.sale.taken
        quoted = quote(taken, quantity, self.rules)
        told = self.act(SALE, "buy", member, {"quantity": quantity, "quoted_minor": quoted})
        if isinstance(told, Done):
            order = self.world.orders[told.answer["ref"]]
            assert order.buy.amount_minor == quoted == quote(now, quantity, self.rules)

    @invariant()
    def pieces_taken_are_those_of_live_orders(self) -> None:
        if not hasattr(self, "world") or not isinstance(self.rules, Rules):
            return
        live = [o for o in self.world.orders.values() if o.state in ("open", "paid")]
        assert self.sale.taken == sum(o.buy.quantity for o in live)
        assert self.world.balance(PIECE, PIECES) == self.rules.pieces - self.sale.taken
        paid = sum(o.buy.quantity for o in live if o.state == "paid")
        assert self.world.balance(PIECE, SPENT) == paid
        assert self.world.balance(PIECE, f"{RESERVED}:{SALE}") == self.sale.taken - paid
        for member in range(1, 6):
            mine = sum(o.buy.quantity for o in live if o.buy.member == member)
            assert self.world.slot(f"buyer:{member}") == mine <= self.rules.per_member

    @invariant()
    def names_say_how_much_is_ordered(self) -> None:
        if hasattr(self, "world"):
            for ref, order in self.world.orders.items():
                assert quantity_of(ref) == order.buy.quantity


TestAnySale = AnySale.TestCase
TestAnySale.settings = settings(max_examples=30, stateful_step_count=30)
