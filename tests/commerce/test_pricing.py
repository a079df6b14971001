"""Prices: every discount adds up, one winner in each group, told line by line, and again later."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.commerce.pricing import Line, Offer, Priced, price, replay, spread
from qunluo.kit.text import Text
from tests.cast import NOON

TEA = Line("tea", 2, 5_000)
POT = Line("pot", 1, 3_333)
HOUR = timedelta(hours=1)


def offer(name: str, phase: str, kind: str, value: int, **more: object) -> Offer:
    return Offer(name, phase, kind, value, Text(name, name), **more)  # type: ignore[arg-type]


def reckon(*offers: Offer, shipping_minor: int = 0) -> Priced:
    return price([TEA, POT], offers, at=NOON, shipping_minor=shipping_minor)


def why(made: Priced, name: str) -> str:
    return next(missed.why.en for missed in made.missed if missed.offer == name)


def test_without_offers_the_list_price_is_paid() -> None:
    made = reckon(shipping_minor=800)
    assert made.total_minor == 13_333 + 800
    assert made.offers == frozenset()


def test_phases_follow_one_another_and_every_line_says_why() -> None:
    made = reckon(
        offer("members", "segment", "unit_price", 4_500, scope=("tea",)),
        offer("ten", "campaign", "percent", 1_000),
        offer("welcome", "coupon", "amount", 1_000, threshold_minor=10_000),
        offer("mine", "points", "points", 250, points_each=100, minor_each=100),
        offer("free", "shipping", "percent", 10_000),
        shipping_minor=800,
    )
    tea, pot = made.lines
    assert [reason.offer for reason in tea.reasons] == ["members", "ten", "welcome", "mine"]
    assert [reason.offer for reason in pot.reasons] == ["ten", "welcome", "mine"]
    assert tea.reasons[0].minor == -1_000
    assert made.goods_minor == 12_333 - 1_233 - 1_000 - 200
    assert made.points == 200  # in blocks of a hundred
    assert (made.shipping_minor, made.shipping_reasons[0].minor) == (0, -800)


def test_of_one_group_the_best_for_the_buyer_wins_and_the_others_say_so() -> None:
    made = reckon(
        offer("five", "coupon", "amount", 500), offer("nine", "coupon", "amount", 900)
    )
    assert made.offers == {"nine"}
    assert why(made, "five") == "“nine” counts instead: only one of these does."


def test_groups_of_one_phase_add_up() -> None:
    made = reckon(
        offer("five", "coupon", "amount", 500, group="a"),
        offer("nine", "coupon", "amount", 900, group="b"),
    )
    assert made.total_minor == 13_333 - 1_400


def test_a_flash_price_may_exclude_coupons() -> None:
    flash = offer("flash", "campaign", "unit_price", 4_000, scope=("tea",), group="no-coupons")
    made = reckon(flash, offer("five", "coupon", "amount", 500, group="no-coupons"))
    assert made.offers == {"flash"}


def test_a_price_that_a_campaign_quoted_holds_upwards_too() -> None:
    quoted = offer("step", "campaign", "fixed", 12_345, scope=("tea",))
    made = reckon(quoted, offer("half", "campaign", "percent", 5_000))
    assert made.lines[0].amount_minor == 12_345
    assert made.lines[1].amount_minor == 3_333


def test_a_price_that_was_quoted_is_what_is_charged_whatever_else_there_is() -> None:
    made = reckon(
        offer("members", "segment", "percent", 1_000),
        offer("quoted", "campaign", "fixed", 8_000, scope=("tea",)),
        offer("five", "coupon", "amount", 500),
        offer("mine", "points", "points", 10**6),
    )
    assert made.lines[0].amount_minor == 8_000
    assert made.lines[1].amount_minor == 0
    alone = price([TEA], [offer("quoted", "campaign", "fixed", 8_000),
                          offer("five", "coupon", "amount", 500)], at=NOON)  # fmt: skip
    assert alone.total_minor == 8_000
    assert why(alone, "five") == "It would change nothing here."


def test_a_threshold_counts_only_what_is_in_scope() -> None:
    made = reckon(offer("x", "coupon", "amount", 100, scope=("pot",), threshold_minor=3_334))
    assert made.offers == frozenset()
    assert why(made, "x").startswith("It needs a purchase of 3334")


@pytest.mark.parametrize(("shift", "counts"), [(-HOUR, True), (timedelta(0), False)])
def test_an_offer_ends_before_its_end(shift: timedelta, counts: bool) -> None:
    made = price([TEA], [offer("x", "coupon", "amount", 1, starts_at=NOON - HOUR, ends_at=NOON)],
                 at=NOON + shift)  # fmt: skip
    assert ("x" in made.offers) is counts


def test_nobody_is_paid_for_buying() -> None:
    made = reckon(
        offer("a", "coupon", "amount", 10**9),
        offer("b", "coupon", "percent", 90_000, group="b"),
        offer("c", "points", "points", 10**9),
    )
    assert (made.total_minor, made.points) == (0, 0)


def test_no_point_is_spent_for_nothing() -> None:
    made = price([Line("x", 1, 250)], [offer("p", "points", "points", 999, points_each=100,
                                             minor_each=100)], at=NOON)  # fmt: skip
    assert (made.total_minor, made.points) == (50, 200)


# what always holds

money = st.integers(0, 2_000_000)
keys = st.sampled_from("abcd")
lines = st.lists(
    st.builds(Line, keys, st.integers(1, 30), money), min_size=1, max_size=4,
    unique_by=lambda line: line.key,
)  # fmt: skip
more = {
    "group": st.sampled_from(["", "", "x", "y"]),
    "scope": st.lists(keys, max_size=3, unique=True).map(tuple),
    "threshold_minor": st.integers(0, 3_000_000),
    "cap_minor": st.none() | money,
    "starts_at": st.sampled_from([None, NOON - HOUR, NOON, NOON + HOUR]),
    "ends_at": st.sampled_from([None, NOON - HOUR, NOON, NOON + HOUR]),
}
plain = st.builds(
    Offer, st.uuids().map(str), st.sampled_from(["segment", "campaign", "coupon", "shipping"]),
    st.sampled_from(["unit_price", "percent", "amount"]), money, st.just(Text("x", "x")), **more,
)  # fmt: skip
points = st.builds(
    Offer, st.uuids().map(str), st.just("points"), st.just("points"), money,
    st.just(Text("p", "p")), points_each=st.integers(1, 200), minor_each=st.integers(1, 200),
    **more,
)  # fmt: skip
offers = st.lists(plain | points, max_size=7)


def tidy(given_offers: list[Offer]) -> list[Offer]:
    """Shipping knows no pieces."""
    return [
        replace(o, kind="amount") if (o.phase, o.kind) == ("shipping", "unit_price") else o
        for o in given_offers
    ]


@given(lines, offers, st.integers(0, 5_000))
@settings(max_examples=80)
def test_discounts_add_up_and_never_exceed_what_there_is(
    bought: list[Line], given_offers: list[Offer], shipping: int
) -> None:
    wanted = tidy(given_offers)
    made = price(bought, wanted, at=NOON, shipping_minor=shipping)
    for line in made.lines:
        assert line.amount_minor == line.line.whole_minor + sum(r.minor for r in line.reasons)
        assert 0 <= line.amount_minor <= line.line.whole_minor
    assert 0 <= made.shipping_minor <= shipping
    by_offer: dict[str, int] = {}
    for reason in (r for line in made.lines for r in line.reasons):
        by_offer[reason.offer] = by_offer.get(reason.offer, 0) + reason.minor
    whole = sum(line.whole_minor for line in bought)
    assert -sum(by_offer.values()) == whole - made.goods_minor <= whole
    for one in wanted:
        if one.kind in ("percent", "amount", "points") and one.cap_minor is not None:
            assert -by_offer.get(one.id, 0) <= one.cap_minor
        if one.kind == "amount":
            assert -by_offer.get(one.id, 0) <= one.value


@given(lines, offers)
@settings(max_examples=80)
def test_each_group_has_one_winner_and_everybody_else_a_reason(
    bought: list[Line], given_offers: list[Offer]
) -> None:
    wanted = tidy(given_offers)
    made = price(bought, wanted, at=NOON, shipping_minor=1_000)
    winners = [one.exclusive for one in wanted if one.id in made.offers]
    assert len(winners) == len(set(winners))
    assert {missed.offer for missed in made.missed} == {o.id for o in wanted} - made.offers


@given(lines, offers, st.integers(0, 5_000))
@settings(max_examples=50)
def test_a_snapshot_is_reckoned_to_the_same_again(
    bought: list[Line], given_offers: list[Offer], shipping: int
) -> None:
    made = price(bought, tidy(given_offers), at=NOON, shipping_minor=shipping)
    kept = json.loads(json.dumps(made.snapshot))
    assert replay(kept) == made
    assert kept["total_minor"] == made.total_minor


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_parts_add_up_and_are_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts, whole = spread(total, weights), sum(weights)
    assert sum(parts) == (total if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert whole == 0 or abs(part * whole - total * weight) < whole


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_what_is_spread_over_amounts_is_no_more_than_each(
    total: int, amounts: list[int]
) -> None:
    parts = spread(min(total, sum(amounts)), amounts)
    assert all(part <= amount for part, amount in zip(parts, amounts, strict=True))
