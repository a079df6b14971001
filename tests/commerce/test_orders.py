"""Orders the whole way: ordered, paid, sent, completed, called off, run out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.commerce.catalogue import (
    ProductForm,
    do_change_product,
    do_change_stock,
    list_movements,
)
from qunluo.commerce.errors import (
    KeyTakenError,
    NotToShipError,
    OffSaleError,
    OrderMovedError,
    PointsShortError,
    SoldOutError,
    WrongOrderError,
    WrongStockError,
)
from qunluo.commerce.models import Order, OrderLine, Payment, Product, Refund
from qunluo.commerce.offers import RuleForm, do_make_rule, points_offer
from qunluo.commerce.ordering import (
    Ask,
    Delivery,
    Wish,
    _keepers,
    do_cancel,
    do_complete,
    do_fulfil,
    do_order,
    do_order_all,
    register_keeper,
)
from qunluo.commerce.paying import begin_payment, do_hear
from qunluo.commerce.pricing import replay
from qunluo.commerce.provider import Notification, UnreachableError
from qunluo.commerce.tasks import complete_received, expire_unpaid
from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.models import Hold
from qunluo.ledger.queries import balance_of
from qunluo.members.actions import do_tag
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.segments.actions import do_make
from qunluo.standing.errors import NoOrderError
from tests.cast import NOON, make_member, make_user
from tests.commerce.shop import (
    STAFF,
    House,
    buy,
    expire_unpaid_at,
    give_points,
    pay,
    pieces,
    sell,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def kinds(order: Order) -> list[str]:
    rows = Event.objects.filter(data__order=order.number).order_by("id")
    return list(rows.values_list("kind", flat=True))


def test_an_order_is_held_paid_sent_and_completed(bob: Member) -> None:
    tea, pot = sell(bob.community), sell(bob.community, "pot", price_minor=9_900)
    order = buy(bob, tea, pot, quantity=2)
    assert (order.state, order.total_minor, order.currency) == ("created", 29_800, "CNY")
    assert pieces(tea) == (10, 2, 0)
    assert pay(order).verdict == "taken"
    assert (order.state, order.paid_minor) == ("paid", 29_800)
    assert pieces(tea) == (8, 0, 2)
    do_fulfil(order, by=STAFF)
    assert do_complete(order, by=bob.actor).state == "completed"
    assert kinds(order) == ["order_created", "order_paid", "order_fulfilled", "order_completed"]


def test_the_same_key_is_the_same_order(bob: Member) -> None:
    tea = sell(bob.community)
    assert buy(bob, tea, key="k") == buy(bob, tea, key="k")
    assert pieces(tea) == (10, 1, 0)
    with pytest.raises(KeyTakenError):
        buy(bob, tea, key="k", quantity=2)
    with pytest.raises(KeyTakenError):
        buy(make_member(bob.community, "Dora"), tea, key="k")


def test_what_was_ordered_is_found_again_when_nothing_is_left_or_sold_any_more(
    bob: Member,
) -> None:
    tea = sell(bob.community, stock=1)
    last = buy(bob, tea, key="last")
    assert buy(bob, tea, key="last") == last
    Product.objects.filter(pk=tea.product_id).update(state="off_sale")
    tea.product.refresh_from_db()
    assert buy(bob, tea, key="last") == last
    assert pieces(tea) == (1, 1, 0)


def test_of_many_orders_those_that_are_there_stay_and_the_others_are_new(bob: Member) -> None:
    tea = sell(bob.community)
    first = buy(bob, tea, key="first")
    wishes = [Wish(bob, [Ask(tea)], key, bob.actor) for key in ("second", "first", "third")]
    made = do_order_all(bob.community, wishes)
    assert [order.key for order in made] == ["second", "first", "third"]
    assert made[1] == first
    assert pieces(tea) == (10, 3, 0)
    assert Event.objects.filter(kind="order_created").count() == 3
    assert do_order_all(bob.community, wishes) == made


def test_nobody_orders_more_than_there_is_and_nothing_is_half_ordered(bob: Member) -> None:
    tea, pot = sell(bob.community, stock=3), sell(bob.community, "pot", stock=1)
    with pytest.raises(SoldOutError) as error:
        buy(bob, tea, pot, quantity=2)
    assert error.value.data["available"] == 1
    assert pieces(tea) == (3, 0, 0)
    assert not Order.objects.exists()
    assert not Hold.objects.exists()


def test_what_is_no_order_is_refused(bob: Member) -> None:
    tea = sell(bob.community)
    for asks in ([], [Ask(tea, 0)], [Ask(tea, 1), Ask(tea, 1)]):
        with pytest.raises(WrongOrderError):
            do_order(bob.community, bob, asks, key="k", by=bob.actor)


def test_what_is_off_sale_or_somebody_elses_is_not_sold(bob: Member) -> None:
    tea = sell(bob.community)
    other = sell(do_found("Coffee", make_user("dave")), "beans")
    Product.objects.filter(pk=tea.product_id).update(state="off_sale")
    tea.product.refresh_from_db()
    for variant in (tea, other):
        with pytest.raises(OffSaleError):
            buy(bob, variant)


def test_an_order_called_off_gives_its_pieces_and_points_back(bob: Member) -> None:
    tea = sell(bob.community)
    give_points(bob, 300)
    offer = points_offer(300, points_each=1, minor_each=1)
    order = buy(bob, tea, offers=[offer])
    assert (order.total_minor, order.points) == (4_700, 300)
    assert balance_of(bob.community_id, "member", bob.pk, "points") == 0
    for _ in range(2):  # twice is once
        do_cancel(order, "changed my mind", bob.actor)
    assert pieces(tea) == (10, 0, 0)
    assert balance_of(bob.community_id, "member", bob.pk, "points") == 300
    assert kinds(order) == ["order_created", "order_cancelled"]


def test_what_is_paid_is_not_called_off_and_what_is_called_off_not_sent(bob: Member) -> None:
    tea = sell(bob.community)
    paid, gone = buy(bob, tea), buy(bob, tea)
    pay(paid)
    with pytest.raises(OrderMovedError):
        do_cancel(paid, "", bob.actor)
    do_cancel(gone, "", bob.actor)
    for act in (do_fulfil, do_complete):
        with pytest.raises(OrderMovedError):
            act(gone, by=STAFF)


def test_goods_of_an_undecided_group_buy_stay_here(bob: Member) -> None:
    keeper = register_keeper(lambda order: Text("not full yet", "未成团"))
    try:
        order = buy(bob, sell(bob.community))
        pay(order)
        with pytest.raises(NotToShipError):
            do_fulfil(order, by=STAFF)
    finally:
        _keepers.remove(keeper)


def test_what_is_not_paid_in_time_runs_out(bob: Member) -> None:
    tea = sell(bob.community)
    order = buy(bob, tea, pay_by=NOON + timedelta(minutes=5))
    assert expire_unpaid_at(NOON + timedelta(minutes=4)) == 0
    assert expire_unpaid_at(NOON + timedelta(minutes=5)) == 1
    order.refresh_from_db()
    assert order.state == "expired"
    assert pieces(tea) == (10, 0, 0)


def test_a_payment_whose_notification_was_lost_is_asked_for(bob: Member, house: House) -> None:
    order = buy(bob, sell(bob.community), pay_by=NOON + timedelta(minutes=5))
    begun = begin_payment(order, "house", return_url="https://tea.example/back")
    assert begun.data["url"].endswith(order.number)
    house.paid[order.number] = Notification("p-1", order.number, 5_000, NOON, "paid")
    with clock.use(clock.faster(0, NOON + timedelta(minutes=6))):
        assert expire_unpaid()
    order.refresh_from_db()
    assert order.state == "paid"


def test_a_house_that_answers_strangely_keeps_no_other_order_open(
    bob: Member, house: House
) -> None:
    tea = sell(bob.community)
    orders = [buy(bob, tea, pay_by=NOON + timedelta(minutes=5)) for _ in range(3)]
    for order, answer in zip(orders, (ValueError("x"), UnreachableError("away")), strict=False):
        begin_payment(order, "house", return_url="https://tea.example/back")
        house.paid[order.number] = answer
    with clock.use(clock.faster(0, NOON + timedelta(minutes=6))):
        assert expire_unpaid()
    assert set(Order.objects.values_list("state", flat=True)) == {"expired"}


def test_nobody_is_sent_to_pay_what_can_not_be_paid(bob: Member, house: House) -> None:
    order = buy(bob, sell(bob.community))
    do_cancel(order, "", bob.actor)
    with pytest.raises(OrderMovedError):
        begin_payment(order, "house", return_url="https://tea.example/back")


def test_what_costs_nothing_is_paid_at_once(bob: Member) -> None:
    give_points(bob, 5_000)
    tea = sell(bob.community)
    order = buy(bob, tea, offers=[points_offer(5_000, points_each=1, minor_each=1)])
    assert (order.state, order.total_minor) == ("paid", 0)
    assert pieces(tea) == (9, 0, 1)
    assert not Payment.objects.exists()


# money that arrives


def test_a_notification_finds_its_order(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    told = Notification("p-1", order.number, 5_000, NOON, "paid")
    assert do_hear(told, "house") == do_hear(told, "house")
    assert Payment.objects.get().verdict == "taken"
    with pytest.raises(NoOrderError):
        do_hear(Notification("p-2", "Q-none", 5_000, NOON, "paid"), "house")


def test_another_currency_is_not_the_amount(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    told = Notification("p-1", order.number, 5_000, NOON, "paid", currency="USD")
    payment = do_hear(told, "house")
    assert payment is not None
    assert payment.verdict == "wrong_amount"


@pytest.mark.parametrize("amount", [4_999, 5_001])
def test_money_that_is_not_the_amount_goes_back_by_itself(bob: Member, amount: int) -> None:
    order = buy(bob, sell(bob.community))
    assert pay(order, amount_minor=amount).verdict == "wrong_amount"
    assert order.state == "created"
    back = Refund.objects.get()
    assert (back.amount_minor, back.by_itself, back.state) == (amount, True, "asked")


def test_late_money_goes_back_by_itself_and_is_no_error(bob: Member) -> None:
    tea = sell(bob.community, stock=1)
    order = buy(bob, tea, pay_by=NOON + timedelta(minutes=5))
    expire_unpaid_at(NOON + timedelta(minutes=5))
    buy(make_member(bob.community, "Dora"), tea)  # the piece is somebody else's by now
    for _ in range(3):
        assert pay(order, key="late").verdict == "late"
    assert order.state == "expired"
    back = Refund.objects.get()
    assert (back.amount_minor, back.order) == (5_000, order)
    assert kinds(order)[-1] == "payment_returned"


def test_a_second_payment_of_one_order_goes_back(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    assert [pay(order, key=key).verdict for key in "ab"] == ["taken", "twice"]
    assert (order.state, order.paid_minor) == ("paid", 5_000)
    assert Refund.objects.get().payment == Payment.objects.get(key="b")


def test_a_key_pays_one_order(bob: Member) -> None:
    tea = sell(bob.community)
    one, other = buy(bob, tea), buy(bob, tea)
    pay(one, key="k")
    with pytest.raises(KeyTakenError):
        pay(other, key="k")


# faults that others shipped


def test_a_payment_callback_that_is_repeated_pays_once(bob: Member) -> None:
    tea = sell(bob.community)
    order = buy(bob, tea)
    payments = {pay(order, key="callback").pk for _ in range(5)}
    assert len(payments) == 1
    assert (order.paid_minor, pieces(tea)) == (5_000, (9, 0, 1))
    assert kinds(order) == ["order_created", "order_paid"]
    assert not Refund.objects.exists()


def test_a_discount_is_not_kept_when_points_are_short(bob: Member) -> None:
    tea = sell(bob.community)
    give_points(bob, 299)
    offer = points_offer(300, points_each=1, minor_each=1)  # a page that knew more points
    with pytest.raises(PointsShortError) as error:
        buy(bob, tea, offers=[offer])
    assert error.value.data == {"needed": 300, "available": 299}
    assert not Order.objects.exists()
    assert pieces(tea) == (10, 0, 0)
    assert balance_of(bob.community_id, "member", bob.pk, "points") == 299


def test_a_form_that_is_saved_late_loses_no_stock(bob: Member) -> None:
    tea = sell(bob.community)
    open_form = Product.objects.get(pk=tea.product_id)  # somebody begins to edit
    pay(buy(bob, tea, quantity=4))
    do_change_product(open_form, ProductForm("Green tea", state="on_sale"), by=STAFF)
    assert pieces(tea) == (6, 0, 4)
    assert not [f.name for f in tea._meta.get_fields() if "stock" in f.name]


# prices


def test_an_order_keeps_its_reasons_and_is_reckoned_again_from_its_snapshot(
    bob: Member,
) -> None:
    tea = sell(bob.community)
    do_make_rule(
        bob.community, RuleForm("Spring", "campaign", "percent", 1_000, NOON, variants=[tea]),
        by=STAFF,
    )  # fmt: skip
    order = buy(bob, tea, to=Delivery(shipping_minor=800))
    line = OrderLine.objects.get(order=order)
    assert (line.amount_minor, order.total_minor) == (4_500, 5_300)
    assert [(r["en"], r["minor"]) for r in line.reasons] == [("Spring", -500)]
    order.refresh_from_db()
    again = replay(order.snapshot)
    assert again.total_minor == order.total_minor
    assert [r.minor for r in again.lines[0].reasons] == [-500]


def test_a_price_for_a_segment_is_for_its_members(tea: Community, bob: Member) -> None:
    pot = sell(tea, "pot")
    dora = make_member(tea, "Dora")
    tag = Tag.objects.create(group=TagGroup.objects.create(community=tea, name="x"), name="vip")
    do_tag(bob, tag, by=STAFF, why="buys a lot")
    segment = do_make(tea, name="VIP", tree={"tag": tag.pk}, by=STAFF)
    form = RuleForm("VIP price", "segment", "unit_price", 4_000, NOON, segment=segment)
    do_make_rule(tea, form, by=STAFF)
    assert (buy(bob, pot).total_minor, buy(dora, pot).total_minor) == (4_000, 5_000)


# stock, time, people


def test_stock_moves_for_a_reason_once_and_never_below_what_is_promised(bob: Member) -> None:
    tea = sell(bob.community, stock=5)
    buy(bob, tea, quantity=3)
    for _ in range(2):
        do_change_stock(tea, -2, why="broken", by=STAFF, key="k")
    assert pieces(tea) == (3, 3, 0)
    with pytest.raises(WrongStockError) as error:
        do_change_stock(tea, -1, why="broken", by=STAFF, key="l")
    assert error.value.data["available"] == 0
    with pytest.raises(WrongStockError):
        do_change_stock(tea, 5, why=" ", by=STAFF, key="m")
    assert [(m.amount, m.note, m.balance) for m in list_movements(tea)] == [
        (-2, "broken", 3), (5, "delivery", 5),
    ]  # fmt: skip


def test_what_was_sent_long_ago_has_arrived(bob: Member) -> None:
    order = buy(bob, sell(bob.community))
    pay(order)
    do_fulfil(order, by=STAFF)
    assert not complete_received()
    with clock.use(clock.faster(0, NOON + timedelta(days=11))):
        assert complete_received()
    order.refresh_from_db()
    assert order.state == "completed"


def test_an_erased_member_has_no_address_here(bob: Member) -> None:
    to = Delivery(address="Bob, 5 Elm Street, 13800000000", note="ring twice")
    order = buy(bob, sell(bob.community), to=to)
    order.refresh_from_db()
    assert "Elm" not in order.address_sealed
    assert order.address_sealed
    do_erase(bob, by=STAFF)
    order.refresh_from_db()
    assert (order.address_sealed, order.note) == ("", "")
    assert order.total_minor == 5_000
