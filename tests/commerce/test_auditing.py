"""The monitor of the shop: silent on what is right, and each check notices its own fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from qunluo.commerce.models import Order, OrderLine, Payment, Refund
from qunluo.commerce.offers import points_offer
from qunluo.commerce.ordering import do_cancel, do_expire, do_fulfil
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.models import Account, Hold
from qunluo.members.models import Member
from tests.commerce.shop import STAFF, buy, give_points, pay, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def lived(tea: Community, bob: Member, noon: datetime) -> Community:
    """Orders in every state, money that came late and twice, pieces that came back or not."""
    pot = sell(tea, stock=20)
    give_points(bob, 500)
    offer = points_offer(300, points_each=1, minor_each=1)
    orders = [buy(bob, pot, quantity=2, offers=[offer] if n == 0 else ()) for n in range(7)]
    for order in orders[:4]:
        pay(order)
    pay(orders[1], key="twice")
    do_refund(orders[0], why="x", by=STAFF, key="r")
    line = orders[1].lines.get()
    do_refund(orders[1], lines={line.pk: 1}, why="x", by=STAFF, key="r")
    do_fulfil(orders[2], by=STAFF)
    do_refund(orders[2], why="x", by=STAFF, key="r")
    do_cancel(orders[4], "x", STAFF)
    do_expire(orders[5])
    pay(orders[5], key="late")
    return tea


def broken(community: Community) -> set[str]:
    return {v.check.name for v in do_audit(community.pk) if not v.holds}


def test_nothing_is_broken_after_a_life(lived: Community) -> None:
    assert broken(lived) == set()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("order_money", lambda: Order.objects.filter(state="paid").update(paid_minor=99_999)),
        ("order_money", lambda: Payment.objects.filter(key="late").update(verdict="taken")),
        ("order_returned", lambda: Refund.objects.filter(by_itself=True).delete()),
        ("order_holds", lambda: Order.objects.filter(state="created").update(state="expired")),
        ("order_holds", lambda: Hold.objects.filter(state="held").update(state="released")),
        ("order_sold", lambda: Account.objects.filter(kind="sold").update(balance=1)),
        ("order_returns", lambda: OrderLine.objects.filter(returned=1).update(returned=0)),
        ("order_refunds", lambda: Refund.objects.update(state="failed")),
    ],
)
def test_each_fault_is_noticed(
    lived: Community, name: str, fault: Callable[[], object]
) -> None:
    fault()
    assert name in broken(lived)
