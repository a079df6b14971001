"""Many at once, in threads and in processes of their own: nothing is sold, paid or given back
twice. Each race is first shown to be there, by doing it without the guard."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection, connections, transaction

from qunluo.commerce.catalogue import open_shelf, stock_of
from qunluo.commerce.errors import OrderMovedError, SoldOutError, WrongRefundError
from qunluo.commerce.models import Order, OrderLine, Payment, Refund, Variant
from qunluo.commerce.ordering import do_cancel, do_expire, do_fulfil
from qunluo.commerce.refunding import do_refund
from qunluo.commerce.sending import find_due, send_refunds
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.ledger.models import Account, Entry, Hold
from qunluo.members.models import Member
from tests.cast import make_member
from tests.commerce.shop import STAFF, House, buy, pay, pieces, sell

pytestmark = pytest.mark.django_db(transaction=True)
LOSING = (SoldOutError, OrderMovedError, WrongRefundError)
BUYERS, PIECES, PROCESSES = 300, 50, 6


def at_once(steps: list[Callable[[], object]]) -> list[Exception]:
    """Runs all steps in threads of their own, all beginning together; what they raised."""
    raised: list[Exception] = []
    start = Barrier(len(steps), timeout=60)

    def run(step: Callable[[], object]) -> None:
        try:
            start.wait()
            step()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    unexpected = [error for error in raised if not isinstance(error, LOSING)]
    assert unexpected == []
    return raised


def in_processes(steps: list[Callable[[], object]]) -> None:
    """Each step in a process of its own, all beginning together."""
    connections.close_all()
    begin = time.time() + 0.3
    children = []
    for step in steps:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                time.sleep(max(0.0, begin - time.time()))
                step()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * len(steps)


def whole(community: Community) -> None:
    """The ledger is balanced: its own sums, its entries, its holds."""
    assert sum(Entry.objects.values_list("amount", flat=True)) == 0
    for account in Account.objects.filter(community_id=community.pk):
        entries = sum(Entry.objects.filter(account=account).values_list("amount", flat=True))
        held = Hold.objects.filter(account=account, state="held").values_list(
            "amount", flat=True
        )
        assert (account.balance, account.held) == (entries, sum(held))


# the last pieces


def test_without_the_guard_more_is_sold_than_there_is(tea: Community) -> None:
    """The control: looking first and writing then sells one piece twice."""
    pot, looked = sell(tea, stock=1), Barrier(2, timeout=30)

    def look_then_write() -> None:
        shelf = open_shelf(pot)[0]
        assert shelf.available >= 1
        looked.wait()
        with transaction.atomic():
            Account.objects.filter(pk=shelf.pk).update(balance=shelf.balance - 1)
            sold.append(1)

    sold: list[int] = []
    at_once([look_then_write] * 2)
    assert (len(sold), stock_of(pot).on_hand) == (2, 0)


def test_300_buyers_in_processes_never_get_more_than_50_pieces(tea: Community) -> None:
    pot = sell(tea, stock=PIECES)
    buyers = [make_member(tea, f"M{n}") for n in range(BUYERS)]

    def some(part: int) -> None:
        fresh = Variant.objects.get(pk=pot.pk)
        for member in buyers[part::PROCESSES]:
            try:
                buy(Member.objects.get(pk=member.pk), fresh, key=f"k-{member.pk}")
            except SoldOutError:
                continue

    in_processes([partial(some, part) for part in range(PROCESSES)])
    assert Order.objects.count() == PIECES
    assert pieces(pot) == (PIECES, PIECES, 0)
    whole(tea)


def test_buyers_in_threads_pay_cancel_and_run_out_and_every_piece_is_somewhere(
    tea: Community,
) -> None:
    pot = sell(tea, stock=5)
    buyers = [make_member(tea, f"M{n}") for n in range(16)]

    def live(number: int) -> None:
        try:
            order = buy(buyers[number], pot, key=f"k{number}")
        except SoldOutError:
            return
        if number % 3 == 0:
            do_cancel(order, "", STAFF)
        elif number % 3 == 1:
            pay(order)
        else:
            do_expire(order)

    at_once([partial(live, number) for number in range(len(buyers))])
    paid = Order.objects.filter(state="paid").count()
    assert pieces(pot) == (5 - paid, 0, paid)
    whole(tea)


def test_one_key_sent_many_times_at_once_is_one_order(tea: Community, bob: Member) -> None:
    pot = sell(tea)
    at_once([partial(buy, bob, pot, key="k")] * 10)
    assert Order.objects.count() == 1
    assert pieces(pot) == (10, 1, 0)


# money


def test_without_the_guard_one_notification_pays_twice(tea: Community, bob: Member) -> None:
    """The control: a callback that looks first and books then books each time."""
    order, looked = buy(bob, sell(tea)), Barrier(2, timeout=30)
    booked: list[int] = []

    def look_then_book() -> None:
        assert Order.objects.get(pk=order.pk).state == "created"
        looked.wait()
        with transaction.atomic():
            Order.objects.filter(pk=order.pk).update(state="paid")
            booked.append(order.total_minor)

    at_once([look_then_book] * 2)
    assert sum(booked) == 2 * order.total_minor


def test_one_notification_20_times_at_once_pays_once(tea: Community, bob: Member) -> None:
    pot = sell(tea)
    order = buy(bob, pot)
    at_once([lambda: pay(Order.objects.get(pk=order.pk), key="n") for _ in range(20)])
    assert Payment.objects.get().verdict == "taken"
    assert pieces(pot) == (9, 0, 1)
    assert Event.objects.filter(kind="order_paid").count() == 1
    assert not Refund.objects.exists()
    whole(tea)


def test_20_payments_at_once_pay_once_and_19_go_back(tea: Community, bob: Member) -> None:
    order = buy(bob, sell(tea))
    at_once([partial(pay, Order.objects.get(pk=order.pk), key=f"n{n}") for n in range(20)])
    verdicts = list(Payment.objects.order_by("verdict").values_list("verdict", flat=True))
    assert verdicts == ["taken", *["twice"] * 19]
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 19 * 5_000
    assert len(set(Refund.objects.values_list("number", flat=True))) == 19
    whole(tea)


def test_payment_and_expiry_at_once_leave_one_of_both(tea: Community, bob: Member) -> None:
    pot = sell(tea, stock=12)
    orders = [buy(bob, pot) for _ in range(6)]
    steps: list[Callable[[], object]] = []
    for order in orders:
        steps += [partial(pay, Order.objects.get(pk=order.pk)), partial(do_expire, order)]
    at_once(steps)
    states = list(Order.objects.values_list("state", flat=True))
    paid, expired = states.count("paid"), states.count("expired")
    assert paid + expired == 6
    assert pieces(pot) == (12 - paid, 0, paid)
    assert Refund.objects.filter(by_itself=True).count() == expired
    whole(tea)


# back again


def test_many_refunds_at_once_never_give_back_more_than_was_paid(
    tea: Community, bob: Member
) -> None:
    pot = sell(tea)
    order = buy(bob, pot, quantity=4)
    pay(order)
    line = OrderLine.objects.get()
    steps: list[Callable[[], object]] = [
        partial(do_refund, order, lines={line.pk: 1}, why="x", by=STAFF, key=f"l{n}")
        for n in range(8)
    ]
    steps += [
        partial(do_refund, order, amount_minor=3_000, why="x", by=STAFF, key=f"a{n}")
        for n in range(4)
    ]
    at_once(steps)
    order.refresh_from_db()
    line.refresh_from_db()
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == order.refunded_minor
    assert order.refunded_minor <= order.paid_minor
    assert pieces(pot) == (6 + line.returned, 0, 4 - line.returned)
    whole(tea)


def test_refund_and_shipping_at_once_are_one_after_the_other(
    tea: Community, bob: Member
) -> None:
    order = buy(bob, sell(tea))
    pay(order)
    at_once([
        partial(do_fulfil, order, by=STAFF),
        partial(do_refund, order, why="x", by=STAFF, key="r"),
    ])  # fmt: skip
    order.refresh_from_db()
    assert order.state == "refunded"
    assert Refund.objects.get().restocked is (order.fulfilled_at is None)


def test_without_its_lease_a_refund_would_be_sent_twice(
    tea: Community, bob: Member, house: House
) -> None:
    """The control: two workers that only look both find it."""
    order = buy(bob, sell(tea))
    pay(order)
    do_refund(order, why="x", by=STAFF, key="r")
    assert [find_due(clock.now()), find_due(clock.now())] == [Refund.objects.get()] * 2


def test_workers_at_once_send_each_refund_once(
    tea: Community, bob: Member, house: House
) -> None:
    pot = sell(tea)
    for n in range(5):
        order = buy(bob, pot)
        pay(order)
        do_refund(order, why="x", by=STAFF, key=f"r{n}")

    def work() -> None:
        while send_refunds():
            pass

    at_once([work] * 4)
    assert sorted(house.asked) == sorted(set(house.asked))
    assert set(Refund.objects.values_list("state", flat=True)) == {"done"}
