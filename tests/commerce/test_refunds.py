"""Money back: exactly what was paid and granted, once, each refund by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.commerce.errors import (
    KeyTakenError,
    OrderMovedError,
    RefundMovedError,
    TooLateError,
    WrongRefundError,
)
from qunluo.commerce.models import Order, OrderLine, Refund
from qunluo.commerce.ordering import Delivery, do_cancel, do_complete, do_fulfil
from qunluo.commerce.paying import do_hear
from qunluo.commerce.pricing import Offer
from qunluo.commerce.provider import Capabilities, Notification, RefusedError, UnreachableError
from qunluo.commerce.refunding import (
    do_confirm_refund,
    do_refund,
    do_refund_each,
    do_send_again,
    plan,
)
from qunluo.commerce.sending import send_refunds
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.models import Entry, Lot
from qunluo.ledger.queries import balance_of
from qunluo.members.models import Member
from tests.cast import NOON, make_member
from tests.commerce.shop import STAFF, House, buy, give_points, pay, pieces, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def refund(order: Order, key: str = "r", **more: object) -> Refund:
    made = do_refund(order, why="broken", by=STAFF, key=key, **more)  # type: ignore[arg-type]
    order.refresh_from_db()
    return made


def send_all(at: datetime = NOON) -> None:
    with clock.use(clock.faster(0, at)):
        while send_refunds():
            pass


def points_of(member: Member) -> int:
    return balance_of(member.community_id, "member", member.pk, "points")


def off(minor: int) -> Offer:
    return Offer("c", "coupon", "amount", minor, Text("Coupon", "券"))


# what comes back


def test_an_order_that_did_not_go_out_comes_back_whole_with_shipping(
    bob: Member, house: House
) -> None:
    tea = sell(bob.community)
    order = buy(bob, tea, quantity=2, to=Delivery(shipping_minor=800))
    pay(order)
    made = refund(order)
    assert (made.amount_minor, made.whole, made.restocked) == (10_800, True, True)
    assert (order.state, order.left_minor) == ("refunded", 0)
    assert pieces(tea) == (10, 0, 0)
    send_all()
    made.refresh_from_db()
    assert made.state == "done"
    assert house.sent == {made.number: 10_800}
    told = Event.objects.get(kind="order_refunded")
    assert (told.data["amount_minor"], told.data["whole"]) == (10_800, True)


def test_lines_come_back_piece_by_piece_to_the_last_minor_unit(bob: Member) -> None:
    tea = sell(bob.community, price_minor=1_000)
    order = buy(bob, tea, quantity=3, offers=[off(100)])
    pay(order)
    line = OrderLine.objects.get()
    back = [refund(order, f"r{n}", lines={line.pk: 1}).amount_minor for n in range(3)]
    assert back == [966, 967, 967]
    assert sum(back) == order.paid_minor == 2_900
    assert (order.state, pieces(tea)) == ("refunded", (10, 0, 0))
    assert [e.data["whole"] for e in Event.objects.filter(kind="order_refunded").order_by("id")] == [
        False, False, True,
    ]  # fmt: skip


def test_more_than_is_left_is_refused_and_says_what_is_left(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    refund(order, amount_minor=4_000)
    with pytest.raises(WrongRefundError) as error:
        refund(order, "again", amount_minor=1_001)
    assert "CN¥10.00" in error.value.message("en")
    assert "¥10.00" in error.value.message("zh")


def test_the_same_key_gives_back_once(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    assert refund(order, amount_minor=500) == refund(order, amount_minor=500)
    assert order.refunded_minor == 500
    with pytest.raises(KeyTakenError):
        refund(order, amount_minor=600)


def test_what_is_not_paid_or_has_ended_is_not_given_back(bob: Member) -> None:
    tea = sell(bob.community)
    unpaid, gone = buy(bob, tea), buy(bob, tea)
    do_cancel(gone, "", bob.actor)
    for order in (unpaid, gone):
        with pytest.raises(OrderMovedError):
            refund(order)


def test_what_went_out_stays_out_unless_it_came_back(bob: Member) -> None:
    tea = sell(bob.community)
    for restock, shelf in ((None, 9), (True, 9)):
        order = buy(bob, tea)
        pay(order)
        do_fulfil(order, by=STAFF)
        refund(order, restock=restock)
        assert pieces(tea)[0] == shelf


def test_members_ask_back_within_the_window_and_staff_at_any_time(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    do_fulfil(order, by=STAFF)
    do_complete(order, by=bob.actor)
    with clock.use(clock.faster(0, NOON + timedelta(days=7))):
        with pytest.raises(TooLateError):
            do_refund(order, why="x", by=bob.actor, key="m")
        assert refund(order).whole


def test_a_plan_writes_nothing(bob: Member) -> None:
    order = buy(bob, sell(bob.community), quantity=2)
    pay(order)
    line = OrderLine.objects.get()
    assert plan(order, lines={line.pk: 1}).amount_minor == 5_000
    assert not Refund.objects.exists()


# points


def test_points_come_back_with_the_expiry_they_had(bob: Member) -> None:
    soon, late = NOON + timedelta(days=3), NOON + timedelta(days=90)
    give_points(bob, 100, expires_at=soon)
    give_points(bob, 100, expires_at=late)
    offer = Offer("p", "points", "points", 150, Text("Points", "积分"))
    order = buy(bob, sell(bob.community, price_minor=1_000), quantity=3, offers=[offer])
    pay(order)
    line = OrderLine.objects.get()
    assert points_of(bob) == 50
    refund(order, "one", lines={line.pk: 1})
    assert points_of(bob) == 100
    assert left(bob) == {soon: 0, late: 100}  # those that last longest first
    refund(order, "rest")
    assert points_of(bob) == 200
    assert left(bob) == {soon: 100, late: 100}


def left(member: Member) -> dict[datetime, int]:
    found: dict[datetime, int] = {}
    for lot in Lot.objects.filter(account__owner=str(member.pk), account__unit="points"):
        assert lot.expires_at is not None
        found[lot.expires_at] = found.get(lot.expires_at, 0) + lot.left
    return found


def test_money_alone_brings_no_points_back_while_the_goods_are_kept(bob: Member) -> None:
    give_points(bob, 100)
    offer = Offer("p", "points", "points", 100, Text("Points", "积分"))
    order = buy(bob, sell(bob.community), offers=[offer])
    pay(order)
    refund(order, amount_minor=4_900)
    assert (points_of(bob), order.state) == (0, "refunded")


# faults that others shipped


def test_pieces_come_back_onto_an_empty_shelf(bob: Member) -> None:
    """Restock is not guarded by stock: what is sold out comes back all the same."""
    tea = sell(bob.community, stock=2)
    order = buy(bob, tea, quantity=2)
    pay(order)
    assert pieces(tea) == (0, 0, 2)
    refund(order)
    assert pieces(tea) == (2, 0, 0)


def test_one_refund_that_fails_rolls_back_no_other(bob: Member, house: House) -> None:
    tea = sell(bob.community)
    orders = [buy(bob, tea) for _ in range(4)]
    for order in orders[:3]:
        pay(order)
    outcomes = do_refund_each(orders, why="not full", by=STAFF, key="campaign:1")
    assert [o.refund is not None for o in outcomes] == [True, True, True, False]
    assert isinstance(outcomes[3].error, OrderMovedError)
    house.answers[f"{orders[0].number}-R1"] = RefusedError("account closed")
    house.answers[f"{orders[1].number}-R1"] = ValueError("broken answer")
    send_all()
    states = dict(Refund.objects.values_list("order__number", "state"))
    assert [states[o.number] for o in orders[:3]] == ["failed", "asked", "done"]


# sending


def test_a_house_that_is_away_is_asked_later_and_in_the_end_a_person_looks(
    bob: Member, house: House
) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    made = refund(order)
    house.answers[made.number] = UnreachableError("away")
    send_all()
    assert len(house.asked) == 1
    for hour in range(1, 40):
        send_all(NOON + timedelta(hours=hour))
    made.refresh_from_db()
    assert (made.state, made.tries, len(house.asked)) == ("failed", 5, 5)
    house.answers = {}
    with clock.use(clock.faster(0, NOON + timedelta(hours=41))):
        do_send_again(made, by=STAFF)
    send_all(NOON + timedelta(hours=41))
    made.refresh_from_db()
    assert made.state == "done"
    with pytest.raises(RefundMovedError):
        do_send_again(made, by=STAFF)


def test_a_refund_that_is_on_its_way_is_heard_of(bob: Member, house: House) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    made = refund(order)
    house.answers[made.number] = None
    send_all()
    made.refresh_from_db()
    assert made.state == "sent"
    told = Notification(made.number, order.number, 5_000, NOON, "refunded")
    for _ in range(3):
        do_hear(told, "house")
    made.refresh_from_db()
    assert made.state == "done"
    assert Event.objects.filter(kind="refund_done").count() == 1


def test_a_refund_whose_notification_was_lost_is_asked_about(bob: Member, house: House) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    made = refund(order)
    house.answers[made.number] = None
    send_all()
    send_all(NOON + timedelta(minutes=11))
    made.refresh_from_db()
    assert (made.state, len(house.asked)) == ("done", 1)


def test_where_no_house_sends_money_a_person_does_and_says_so(
    bob: Member, house: House
) -> None:
    house.can = Capabilities(("instructions",), refunds=False, staff_confirm=True)
    order = buy(bob, sell(bob.community))
    pay(order)
    made = refund(order)
    send_all()
    made.refresh_from_db()
    assert made.state == "by_hand"
    do_confirm_refund(made, by=STAFF)
    assert made.state == "done"
    with pytest.raises(RefundMovedError):
        do_confirm_refund(made, by=STAFF)


def test_a_house_that_is_set_up_no_more_holds_up_nothing(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    made = refund(order)
    send_all()
    made.refresh_from_db()
    assert made.state == "asked"
    assert "house" in made.problem


# what always holds


@given(st.data())
@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_any_orders_and_refunds_conserve_money_pieces_and_points(
    bob: Member, data: st.DataObject
) -> None:
    fresh = make_member(bob.community, "Dora")
    give_points(fresh, 1_000)
    sku = f"s{Order.objects.count()}-{data.draw(st.uuids())}"[:40]
    tea = sell(fresh.community, sku, price_minor=data.draw(st.integers(0, 5_000)), stock=6)
    offers = [
        Offer("c", "coupon", "amount", data.draw(st.integers(0, 9_000)), Text("c", "c")),
        Offer("p", "points", "points", data.draw(st.integers(0, 1_000)), Text("p", "p")),
    ]
    order = buy(fresh, tea, quantity=data.draw(st.integers(1, 6)), offers=offers, key=sku)
    if order.state == "created":
        pay(order)
    line = OrderLine.objects.get(order=order)
    for n in range(data.draw(st.integers(0, 5))):
        wanted = data.draw(st.none() | st.just({line.pk: data.draw(st.integers(1, 3))}))
        amount = data.draw(st.none() | st.integers(1, 9_000))
        try:
            refund(order, f"r{n}", lines=wanted, amount_minor=amount)
        except (WrongRefundError, OrderMovedError):
            continue
    line.refresh_from_db()
    given_back = sum(r.amount_minor for r in order.refunds.all())
    assert given_back == order.refunded_minor <= order.paid_minor == order.total_minor
    assert pieces(tea) == (6 - line.quantity + line.returned, 0, line.quantity - line.returned)
    back = sum(r.points for r in order.refunds.all())
    assert points_of(fresh) == 1_000 - order.points + back
    if line.returned == line.quantity:
        assert points_of(fresh) == 1_000
    assert (order.state == "refunded") == (
        (order.total_minor > 0 and order.left_minor == 0)
        or (order.total_minor == 0 and line.returned == line.quantity)
    )
    assert sum(Entry.objects.values_list("amount", flat=True)) == 0
