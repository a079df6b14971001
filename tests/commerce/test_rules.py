"""The life of an order as rules: where acts lead, what money comes to, what refunds add up to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.commerce.rules import (
    AFTER_SALE,
    BACKOFF,
    ENDED,
    NEXT,
    PAID,
    BoughtLine,
    judge_payment,
    may_ask_back,
    next_state,
    next_try,
    part_of,
    plan_refund,
)
from tests.cast import NOON

HOUR = timedelta(hours=1)


def test_an_order_goes_its_way() -> None:
    state: str | None = "created"
    for act in ("pay", "fulfil", "refund_part", "complete", "refund_whole"):
        state = next_state(state or "", act)  # type: ignore[arg-type]
    assert state == "refunded"


@pytest.mark.parametrize("state", ENDED)
def test_nothing_leads_out_of_an_end(state: str) -> None:
    assert not [act for of, act in NEXT if of == state]


def test_goods_leave_only_after_they_were_paid() -> None:
    assert {of for of, act in NEXT if act == "fulfil"} == {"paid"}
    assert {of for of, act in NEXT if act in ("cancel", "expire")} == {"created"}


@pytest.mark.parametrize(
    ("state", "amount", "late", "verdict"),
    [
        ("created", 100, -HOUR, "taken"),
        ("created", 100, timedelta(0), "late"),
        ("created", 99, -HOUR, "wrong_amount"),
        ("created", 101, -HOUR, "wrong_amount"),
        ("created", 99, HOUR, "late"),
        ("expired", 100, -HOUR, "late"),
        ("cancelled", 100, -HOUR, "late"),
        ("refunded", 100, -HOUR, "late"),
        ("paid", 100, -HOUR, "twice"),
        ("completed", 100, HOUR, "twice"),
    ],
)
def test_money_is_judged_by_state_time_and_amount(
    state: str, amount: int, late: timedelta, verdict: str
) -> None:
    found = judge_payment(state=state, due_minor=100, amount_minor=amount, paid_at=NOON + late,
                          pay_by=NOON)  # fmt: skip
    assert found == verdict


def test_members_ask_back_until_the_window_closes() -> None:
    assert all(may_ask_back(state, None, NOON) for state in PAID)
    assert not may_ask_back("created", None, NOON)
    assert may_ask_back("completed", NOON - AFTER_SALE + HOUR, NOON)
    assert not may_ask_back("completed", NOON - AFTER_SALE, NOON)


def test_after_the_last_try_a_person_looks() -> None:
    assert [next_try(n) for n in range(1, 6)] == [*BACKOFF, None]


lines = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 10**6), st.integers(0, 5_000)),
    min_size=1, max_size=4,
).map(lambda rows: [BoughtLine(n, q, 0, a, p) for n, (q, a, p) in enumerate(rows)])  # fmt: skip


@given(st.integers(0, 10**9), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_pieces_bring_back_the_whole_whichever_way_they_come(
    whole: int, parts: list[int]
) -> None:
    quantity, before, total = sum(parts), 0, 0
    for more in parts:
        back = part_of(whole, quantity, before, more)
        assert back >= 0
        before, total = before + more, total + back
    assert total == whole


@given(lines, st.integers(0, 2_000), st.data())
@settings(max_examples=80)
def test_refunds_of_any_kind_never_exceed_what_was_paid_and_the_last_gives_the_rest(
    bought: list[BoughtLine], shipping: int, data: st.DataObject
) -> None:
    paid = sum(line.amount_minor for line in bought) + shipping
    left, points = paid, sum(line.points for line in bought)
    for _ in range(data.draw(st.integers(0, 4))):
        wanted = data.draw(st.none() | st.dictionaries(st.integers(0, 4), st.integers(-1, 5)))
        amount = data.draw(st.none() | st.integers(-1, 10**6))
        plan = plan_refund(bought, left_minor=left, shipping_minor=shipping, wanted=wanted,
                           amount_minor=amount)  # fmt: skip
        if plan is None:
            continue
        assert 0 <= plan.amount_minor <= left
        left, points = left - plan.amount_minor, points - plan.points
        back = {line.id: line.quantity for line in plan.lines}
        bought = [
            BoughtLine(
                b.id, b.quantity, b.returned + back.get(b.id, 0), b.amount_minor, b.points
            )
            for b in bought
        ]
        assert all(b.returned <= b.quantity for b in bought)
        if plan.whole:
            assert left == 0
    assert points >= 0
    rest = plan_refund(bought, left_minor=left, shipping_minor=shipping)
    if rest is not None and left == paid:
        assert (rest.amount_minor, rest.points, rest.whole) == (paid, points, True)


def test_money_alone_leaves_the_goods_where_they_are() -> None:
    bought = [BoughtLine(1, 2, 0, 1_000, 50)]
    plan = plan_refund(bought, left_minor=1_000, amount_minor=300)
    assert plan is not None
    assert (plan.amount_minor, plan.lines, plan.points, plan.whole) == (300, (), 0, False)
    rest = plan_refund(bought, left_minor=700)
    assert rest is not None
    assert (rest.amount_minor, rest.points, rest.whole) == (700, 50, True)


def test_shipping_comes_back_with_the_last_piece_only() -> None:
    bought = [BoughtLine(1, 2, 0, 1_000)]
    one = plan_refund(bought, left_minor=1_800, shipping_minor=800, wanted={1: 1})
    last = plan_refund([BoughtLine(1, 2, 1, 1_000)], left_minor=1_300, shipping_minor=800)
    assert one is not None
    assert last is not None
    assert (one.amount_minor, last.amount_minor) == (500, 1_300)


@pytest.mark.parametrize(
    "more",
    [{"wanted": {1: 3}}, {"wanted": {2: 1}}, {"wanted": {1: 0}}, {"amount_minor": 1_001},
     {"amount_minor": 0}, {"wanted": {}}],
)  # fmt: skip
def test_more_than_there_is_or_nothing_is_no_refund(more: dict[str, object]) -> None:
    bought = [BoughtLine(1, 2, 0, 1_000)]
    assert plan_refund(bought, left_minor=1_000, **more) is None  # type: ignore[arg-type]
