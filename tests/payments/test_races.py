"""Many at once: a payment is one however often it is told in the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from threading import Barrier

import pytest
from django.db.models import F
from django.test import Client

from qunluo.commerce.models import Order, Payment, Refund
from qunluo.commerce.provider import Notification, register, unregister
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.payments.door import do_take
from qunluo.payments.models import Notice, SandboxMove
from qunluo.payments.offline.actions import do_confirm_transfer
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.signing import Ticket
from qunluo.payments.wechat.provider import WechatProvider
from tests.commerce.shop import buy, pieces, sell
from tests.payments.wechat_house import payment, seal, sign
from tests.racing import won

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    """Nothing moves but what a test moves."""
    return noon


@pytest.fixture
def order(bob: Member) -> Order:
    return buy(bob, sell(bob.community, price_minor=1250))


def test_without_the_guard_a_payment_would_count_twice(order: Order) -> None:
    """The control: looking whether it was told, and noting it then, takes both."""
    both_looked = Barrier(2, timeout=30)

    def look_then_take() -> None:
        known = Notice.objects.filter(provider="x", kind="paid", key="one").exists()
        both_looked.wait()
        if not known:
            paid = F("paid_minor") + order.total_minor
            Order.objects.filter(pk=order.pk).update(paid_minor=paid)

    won([look_then_take, look_then_take])
    order.refresh_from_db()
    assert order.paid_minor == 2 * order.total_minor


@pytest.fixture
def wechat_registered(wechat: WechatProvider) -> Iterator[WechatProvider]:
    register(wechat)
    yield wechat
    unregister(wechat.name)


@pytest.mark.usefixtures("wechat_registered")
def test_the_same_notification_twenty_times_at_once_is_one_payment(order: Order) -> None:
    body = seal("TRANSACTION.SUCCESS", payment(order.number, 1250, clock.now()))

    def call() -> int:
        headers = {**sign(body, clock.now()), "host": "localhost"}
        answer = Client(headers=headers).post(
            "/pay/wechat/notify", body, content_type="application/json"
        )
        return answer.status_code

    assert won([call] * 20) == [204] * 20
    order.refresh_from_db()
    assert (order.state, order.paid_minor) == ("paid", 1250)
    assert Payment.objects.count() == Notice.objects.count() == 1
    assert Event.objects.filter(kind="order_paid").count() == 1
    assert not Refund.objects.exists()
    assert pieces(order.lines.get().variant) == (9, 0, 1)


def test_two_payments_at_once_pay_once_and_the_other_goes_back(order: Order) -> None:
    told = [Notification(f"k{n}", order.number, 1250, clock.now(), "paid") for n in range(6)]
    assert won([partial(do_take, "sandbox", one) for one in told]) == [True] * 6
    verdicts = sorted(Payment.objects.values_list("verdict", flat=True))
    assert verdicts == ["taken", *["twice"] * 5]
    assert Refund.objects.count() == 5


def test_play_money_is_paid_once_in_two_windows(order: Order) -> None:
    assert order.pay_by is not None
    ticket = Ticket(order.number, 1250, "CNY", "Tea", order.pay_by.isoformat(), "/me?back=1")
    won([partial(house.do_pay, ticket)] * 8)
    assert SandboxMove.objects.count() == 1


def test_two_of_the_staff_confirm_one_transfer_once(order: Order) -> None:
    confirm = partial(do_confirm_transfer, order, reference="TT 1", amount_minor=1250,
                      by="staff:1")  # fmt: skip
    won([confirm] * 4)
    assert Payment.objects.count() == 1
    assert Event.objects.filter(kind="transfer_confirmed").count() == 1
