"""Bargain: the floor exactly at the last cut, and a won price that no order burns."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from qunluo.campaigns.mechanics.bargain import (
    AT_FLOOR,
    BUYING,
    HELPED,
    HELPED_ENOUGH,
    MECHANIC,
    NOT_YET,
    OWN,
    Bargain,
    Rules,
    draw_cut,
    price,
)
from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    CENT,
    NO_BUDGET,
    RESERVED,
    SPENT,
    Act,
    Done,
    Draw,
    Refused,
)
from qunluo.campaigns.mechanics.steps import NOT_YOURS, OVER
from qunluo.campaigns.mechanics.world import LATE, STOCK, World
from tests.campaigns.schedules import START, Schedule

OWNER, SKU = 1, "mug"
MINUTE = timedelta(minutes=1)


class Dice(Draw):
    """The same draws from a quicker source, where very many are needed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def below(self, n: int) -> int:
        return self.random.randrange(n)


def rules_of(**more: Any) -> Rules:
    told = {"sku": SKU, "start_minor": 1000, "floor_minor": 400, "helpers": 4,
            "cut_min_minor": 50, "cut_max_minor": 300, "winners": 3}  # fmt: skip
    return Rules(**{**told, **more})


@st.composite
def sound_rules(draw: st.DrawFn, most_helpers: int = 6) -> Rules:
    """Rules that lint lets pass: N·min ≤ start − floor ≤ N·max."""
    helpers = draw(st.integers(1, most_helpers))
    low = draw(st.integers(1, 50))
    high = low + draw(st.integers(0, 200))
    floor = draw(st.integers(1, 500))
    start = floor + draw(st.integers(helpers * low, helpers * high))
    return rules_of(
        start_minor=start, floor_minor=floor, helpers=helpers, cut_min_minor=low,
        cut_max_minor=high, newcomer_bonus_minor=draw(st.integers(0, 60)),
        minutes=draw(st.sampled_from([60, 10_000])), pay_minutes=draw(st.sampled_from([8, 60, 2000])),
        buy_early=draw(st.booleans()), plays_each=draw(st.integers(1, 3)),
        helps_each=draw(st.integers(1, 4)),
    )  # fmt: skip


class Bargaining:
    """One bargain of `OWNER`, with all that it needs."""

    def __init__(self, stock: int = 5, **more: Any) -> None:
        self.rules = rules_of(**more)
        self.world = World(MECHANIC, self.rules)
        self.now, self.number = START, 0
        for supply in MECHANIC.supplies(self.rules):
            self.world.fund(supply.unit, supply.place, supply.amount)
        self.world.fund(f"sku:{SKU}", STOCK, stock)
        self.opened = self.act("open", OWNER)

    def act(self, kind: str, member: int | None, play: str = "p", **data: Any) -> Any:
        self.number += 1
        return self.world.act(play, Act(kind, self.now, member, f"k{self.number}", data))

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self.world.tick(self.now)

    def cut_down(self) -> None:
        for helper in range(2, 2 + self.rules.helpers):
            assert isinstance(self.act("help", helper), Done)

    @property
    def state(self) -> Bargain:
        state = self.world.plays["p"].state
        assert isinstance(state, Bargain)
        return state

    @property
    def price(self) -> int:
        return price(self.state, self.rules)


# cutting


def test_a_hundred_thousand_random_runs_land_on_the_floor_exactly() -> None:
    dice = Dice(7)
    for _ in range(100_000):
        cuts_left, low = dice.between(1, 8), dice.between(1, 40)
        high, bonus = low + dice.below(60), dice.below(30)
        left = dice.between(cuts_left * low, cuts_left * high)
        while cuts_left:
            cut = draw_cut(left, cuts_left, (low, high), dice, bonus=bonus)
            assert low <= cut <= high
            left, cuts_left = left - cut, cuts_left - 1
        assert left == 0


@settings(max_examples=100)
@given(
    sound_rules(most_helpers=12), st.binary(min_size=1), st.lists(st.booleans(), min_size=12)
)
def test_a_whole_run_lands_on_the_floor_at_the_last_cut_and_not_before(
    rules: Rules, seed: bytes, new: list[bool]
) -> None:
    world = World(MECHANIC, rules, seed=seed)
    for supply in MECHANIC.supplies(rules):
        world.fund(supply.unit, supply.place, supply.amount)
    world.act("p", Act("open", START, OWNER))
    for helper, newcomer in zip(range(rules.helpers), new, strict=False):
        assert price(world.plays["p"].state, rules) > rules.floor_minor  # type: ignore[arg-type]
        data = {"newcomer": newcomer}
        assert isinstance(world.act("p", Act("help", START, 50 + helper, data=data)), Done)
    assert price(world.plays["p"].state, rules) == rules.floor_minor  # type: ignore[arg-type]
    assert world.broken() == []


def test_cuts_are_uniform_between_their_bounds() -> None:
    dice = Dice(3)
    drawn = [draw_cut(60, 2, (20, 40), dice) for _ in range(21_000)]
    counts = [drawn.count(value) for value in range(20, 41)]
    assert sum(counts) == 21_000
    assert all(850 < count < 1150 for count in counts)  # 1000 each, ± 5 standard deviations


def test_a_cut_is_the_same_whoever_asks_again_and_can_be_checked_from_the_seed() -> None:
    shop = Bargaining()
    told = shop.act("help", 2).answer
    again = draw_cut(600, 4, (50, 300), Draw(b"seed", "p:1"))
    assert told == {"cut_minor": again, "price_minor": 1000 - again}


def test_a_new_helper_cuts_deeper_by_the_bonus_up_to_the_largest_cut() -> None:
    plain, bonus = Bargaining(), Bargaining(newcomer_bonus_minor=40)
    cut = plain.act("help", 2).answer["cut_minor"]
    assert bonus.act("help", 2, newcomer=True).answer["cut_minor"] == min(300, cut + 40)
    assert Bargaining(newcomer_bonus_minor=40).act("help", 2).answer["cut_minor"] == cut


def test_a_page_that_says_newcomer_in_words_gets_no_bonus() -> None:
    told = Bargaining(newcomer_bonus_minor=40).act("help", 2, newcomer="yes")
    assert told.answer == Bargaining().act("help", 2).answer
    assert "newcomer" in MECHANIC.facts


def test_fault_bargain_drawing_from_the_floor_price() -> None:
    """What is drawn from is what is left to cut, not the price: a low floor of a dear thing."""
    shop = Bargaining(
        start_minor=100_000, floor_minor=99_900, cut_min_minor=1, cut_max_minor=97
    )
    shop.cut_down()
    assert [shop.price, sum(cut.minor for cut in shop.state.cuts)] == [99_900, 100]
    assert shop.act("help", 9) == AT_FLOOR


def test_fault_draw_off_by_one() -> None:
    """Both bounds are drawn, and nothing beyond them, also where they are the same."""
    dice = Dice(1)
    assert {draw_cut(10, 2, (4, 6), dice) for _ in range(200)} == {4, 5, 6}
    assert {draw_cut(10, 2, (5, 5), dice) for _ in range(20)} == {5}
    assert {draw_cut(12, 2, (4, 6), dice) for _ in range(20)} == {6}


def test_nobody_cuts_their_own_price_or_one_price_twice() -> None:
    shop = Bargaining()
    assert shop.act("help", OWNER) == OWN
    shop.act("help", 2)
    assert shop.act("help", 2) == HELPED
    assert len(shop.state.cuts) == 1


def test_helps_per_member_are_counted_over_all_bargains() -> None:
    shop = Bargaining(plays_each=3, helps_each=2)
    for play in ("q", "r"):
        shop.act("open", OWNER, play)
    answers = [shop.act("help", 2, play) for play in ("p", "q", "r")]
    assert [isinstance(a, Done) for a in answers] == [True, True, False]
    assert answers[2] == HELPED_ENOUGH


def test_nothing_is_cut_after_the_end_even_before_the_clock_has_run() -> None:
    shop = Bargaining(minutes=30)
    shop.now += 30 * MINUTE - timedelta(microseconds=1)
    assert isinstance(shop.act("help", 2), Done)
    shop.now += timedelta(microseconds=1)
    assert shop.act("help", 3) == OVER
    assert shop.act("buy", OWNER) == OVER


# buying


def test_a_bargain_is_bought_at_the_floor() -> None:
    shop = Bargaining()
    shop.cut_down()
    assert shop.act("buy", 2) == NOT_YOURS
    told = shop.act("buy", OWNER)
    assert told.answer == {"ref": "p:1", "price_minor": 400}
    shop.world.pay("p:1", shop.now)
    assert shop.state.stage == "bought"
    assert shop.world.balance(CENT, SPENT) == 600
    assert shop.world.balance(CENT, f"{RESERVED}:p") == 0


def test_fault_price_won_but_burnt_by_a_cancelled_order() -> None:
    shop = Bargaining(pay_minutes=60)
    shop.cut_down()
    shop.act("buy", OWNER)
    shop.wait(20)
    shop.world.cancel("p:1", shop.now)
    assert [shop.state.stage, shop.price] == ["won", 400]
    assert shop.act("buy", OWNER).answer == {"ref": "p:2", "price_minor": 400}
    assert isinstance(shop.world.pay("p:2", shop.now), Done)
    assert shop.world.balance(f"sku:{SKU}", STOCK) == 4


def test_a_won_price_ends_at_pay_by_and_cannot_be_kept_longer_by_new_orders() -> None:
    shop = Bargaining(pay_minutes=60, minutes=30)
    shop.cut_down()
    for number in (1, 2):
        shop.wait(20)
        assert isinstance(shop.act("buy", OWNER), Done)
        shop.world.cancel(f"p:{number}", shop.now)
    shop.wait(20)
    assert shop.state.stage == "over"
    assert shop.act("buy", OWNER) == OVER
    assert shop.world.balance(CENT, BUDGET) == 1800


def test_buying_early_takes_the_price_of_the_moment_and_a_cancel_lets_friends_go_on() -> None:
    shop = Bargaining()
    shop.act("help", 2)
    now = shop.price
    assert shop.act("buy", OWNER).answer["price_minor"] == now
    assert shop.act("help", 3) == BUYING
    assert shop.act("buy", OWNER) == BUYING
    shop.world.cancel("p:1", shop.now)
    assert [shop.state.stage, shop.price] == ["cutting", now]
    assert isinstance(shop.act("help", 3), Done)


def test_an_early_price_outlives_the_bargain_until_its_own_pay_by() -> None:
    shop = Bargaining(minutes=30, pay_minutes=60)
    shop.act("help", 2)
    shop.wait(29)
    shop.act("buy", OWNER)
    shop.wait(10)
    shop.world.cancel("p:1", shop.now)
    assert shop.state.stage == "won"
    assert isinstance(shop.act("buy", OWNER), Done)
    assert isinstance(shop.world.pay("p:2", shop.now), Done)


def test_where_buying_early_is_not_allowed_the_floor_comes_first() -> None:
    shop = Bargaining(buy_early=False)
    assert shop.act("buy", OWNER) == NOT_YET
    shop.cut_down()
    assert isinstance(shop.act("buy", OWNER), Done)


def test_money_that_comes_after_pay_by_goes_back_by_itself_and_only_once() -> None:
    shop = Bargaining(pay_minutes=10)
    shop.cut_down()
    shop.act("buy", OWNER)
    shop.now += 10 * MINUTE  # the clock of orders has not run yet
    answers = [shop.world.pay("p:1", shop.now) for _ in range(3)]
    assert all(isinstance(answer, Refused) for answer in answers)
    assert answers[1:] == [LATE, LATE]
    assert [shop.world.orders["p:1"].state, shop.world.orders["p:1"].refunded_minor] == [
        "refunded", 400,
    ]  # fmt: skip
    shop.wait(1)
    assert shop.state.stage == "over"
    assert shop.world.balance(f"sku:{SKU}", STOCK) == 5


def test_a_payment_made_in_time_counts_also_if_we_hear_of_it_a_little_later() -> None:
    shop = Bargaining(pay_minutes=10)
    shop.cut_down()
    shop.act("buy", OWNER)
    paid_at = shop.now + 10 * MINUTE - MINUTE / 60
    shop.now += 10.5 * MINUTE
    shop.world._expire(shop.now)
    assert isinstance(shop.world.pay("p:1", paid_at), Done)
    assert shop.state.stage == "bought"


def test_fault_repeated_payment_callback_paying_twice() -> None:
    shop = Bargaining()
    shop.cut_down()
    shop.act("buy", OWNER)
    first = shop.world.pay("p:1", shop.now)
    assert all(shop.world.pay("p:1", shop.now) == first for _ in range(19))
    assert shop.world.balance(CENT, SPENT) == 600


def test_a_refund_gives_the_discount_back_to_the_budget() -> None:
    shop = Bargaining()
    shop.cut_down()
    shop.act("buy", OWNER)
    shop.world.pay("p:1", shop.now)
    shop.world.refund("p:1", shop.now)
    assert shop.state.stage == "returned"
    assert shop.world.balance(CENT, BUDGET) == 1800


def test_a_sold_out_product_keeps_the_won_price() -> None:
    shop = Bargaining(stock=0)
    shop.cut_down()
    assert shop.act("buy", OWNER).code == "sold_out"
    assert [shop.state.stage, shop.price] == ["won", 400]


# budget, rules, telling


def test_a_budget_for_one_lets_one_bargain_run_and_the_next_when_it_is_over() -> None:
    shop = Bargaining(winners=1, minutes=30)
    assert shop.act("open", 2, "q") == NO_BUDGET
    shop.wait(30)
    assert isinstance(shop.act("open", 2, "q"), Done)


def test_the_operator_ends_the_cutting_but_not_a_price_that_is_won() -> None:
    shop = Bargaining(plays_each=2)
    shop.act("open", OWNER, "q")
    shop.cut_down()
    assert isinstance(shop.act("close", None, "q"), Done)
    assert shop.act("close", None) == OVER
    assert isinstance(shop.act("buy", OWNER), Done)


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, []),
        ({"cut_max_minor": 149}, ["unreachable_floor"]),
        ({"cut_max_minor": 150}, []),
        ({"cut_min_minor": 150, "cut_max_minor": 150}, []),
        ({"cut_min_minor": 151}, ["unreachable_floor"]),
        ({"floor_minor": 1000}, ["unreachable_floor"]),
        ({"helpers": 60, "cut_min_minor": 10}, ["too_many_helpers"]),
        ({"newcomer_bonus_minor": 251}, ["bonus_cut_short"]),
    ],
)
def test_rules_can_be_published_only_if_the_floor_can_be_reached(
    more: dict[str, Any], codes: list[str]
) -> None:
    assert [finding.code for finding in MECHANIC.lint(rules_of(**more))] == codes


def test_a_page_shows_what_a_member_can_do() -> None:
    shop = Bargaining()
    shop.act("help", 2)
    owner, helper, other = (MECHANIC.shown(shop.state, shop.rules, who) for who in (1, 2, None))
    assert [owner["may_buy"], owner["may_help"]] == [True, False]
    assert [helper["may_help"], helper["my_cut_minor"]] == [False, 1000 - shop.price]
    assert [other["may_help"], other["may_buy"], other["needed"]] == [True, False, 4]


class AnyBargain(Schedule):
    """Helps, orders, payments, refunds and clocks in any order."""

    mechanic = MECHANIC
    rules_of = sound_rules()
    kinds: ClassVar = {
        "help": st.fixed_dictionaries({"newcomer": st.booleans()}),
    }
    stock: ClassVar = {SKU: 2}
    most_plays = 3
    spans = st.sampled_from([1, 7, 30, 60, 1440])

    def some_play(self, data: st.DataObject) -> tuple[str, Bargain]:
        key = data.draw(st.sampled_from(sorted(self.world.plays)))
        state = self.world.plays[key].state
        assert isinstance(state, Bargain)
        return key, state

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data())
    def all_help(self, data: st.DataObject) -> None:
        key, _ = self.some_play(data)
        for member in range(1, data.draw(st.integers(2, 9))):
            self.act(key, "help", member, {})

    @precondition(lambda self: self.world.plays)
    @rule(data=st.data(), pays=st.booleans())
    def owner_buys(self, data: st.DataObject, pays: bool) -> None:
        key, state = self.some_play(data)
        told = self.act(key, "buy", state.owner, {})
        if pays and isinstance(told, Done):
            self.world.pay(told.answer["ref"], self.now)

    @invariant()
    def value_is_where_it_belongs(self) -> None:
        if not hasattr(self, "world"):
            return
        spent = 0
        for play in self.world.plays.values():
            state, rules = play.state, self.rules
            assert isinstance(state, Bargain)
            assert isinstance(rules, Rules)
            runs = state.stage in ("cutting", "won", "ordered")
            kept = self.world.balance(CENT, f"{RESERVED}:{play.key}")
            assert kept == (rules.discount if runs else 0)
            if state.stage == "bought":
                order = self.world.orders[state.order]
                assert [order.state, order.buy.amount_minor] == ["paid", price(state, rules)]
                spent += rules.start_minor - price(state, rules)
        assert self.world.balance(CENT, SPENT) == spent

    @invariant()
    def money_is_kept_for_what_was_bought_only(self) -> None:
        if hasattr(self, "world"):
            paid = {ref for ref, order in self.world.orders.items() if order.state == "paid"}
            states = [play.state for play in self.world.plays.values()]
            bought = {s.order for s in states if isinstance(s, Bargain) and s.stage == "bought"}
            assert paid == bought


TestAnyBargain = AnyBargain.TestCase
TestAnyBargain.settings = settings(max_examples=30, stateful_step_count=30)
