"""Whatever is told twice, late or in the wrong order: one payment, and no more back than came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.commerce.errors import OrderMovedError, TooLateError, WrongRefundError
from qunluo.commerce.models import Order, Payment, Refund
from qunluo.commerce.ordering import do_cancel
from qunluo.commerce.refunding import do_refund
from qunluo.commerce.sending import send_refunds
from qunluo.commerce.tasks import expire_unpaid
from qunluo.kit import clock
from qunluo.ledger.models import Account
from qunluo.members.models import Member
from qunluo.payments.beginning import ask_due, begin, may_pay
from qunluo.payments.door import hear
from qunluo.payments.models import SandboxMove
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.signing import Ticket, pack
from tests.cast import NOON
from tests.commerce.shop import buy, pieces, sell

REFUSALS = (OrderMovedError, WrongRefundError, TooLateError)
ENOUGH = timedelta(days=2)


class Street:
    """One order, the house where it is paid, and a postman who brings what he likes."""

    def __init__(self, bob: Member) -> None:
        self.order = buy(bob, sell(bob.community, price_minor=1000))
        self.letters: list[tuple[dict[str, str], bytes]] = []
        self.paid_in_time: int | None = None

    @property
    def ticket(self) -> Ticket:
        assert self.order.pay_by is not None
        return Ticket(self.order.number, 1000, "CNY", "Tea", self.order.pay_by.isoformat(), "/")

    def begin(self) -> None:
        self.order.refresh_from_db()
        if may_pay(self.order):
            begin(self.order, "sandbox", return_url="/me?back=1")

    def pay(self) -> None:
        house.do_pay(self.ticket)

    def pay_late(self) -> None:
        house.do_pay(self.ticket, late=True)

    def post(self) -> None:
        """The house writes of all that it did; letters may stay under way for long."""
        for move in SandboxMove.objects.filter(at__lte=clock.now()):
            self.letters.append(pack(house.write(move), clock.now()))

    def deliver(self) -> None:
        for letter in self.letters:
            hear("sandbox", *letter)

    def deliver_backwards(self) -> None:
        for letter in reversed(self.letters):
            hear("sandbox", *letter)

    def ask(self) -> None:
        ask_due()

    def expire(self) -> None:
        expire_unpaid()

    def cancel(self) -> None:
        self.order.refresh_from_db()
        do_cancel(self.order, "changed my mind", self.order.member.actor)

    def refund(self) -> None:
        self.order.refresh_from_db()
        do_refund(self.order, why="broken", by="staff:1", key=f"r{Refund.objects.count()}",
                  amount_minor=400)  # fmt: skip

    def send(self) -> None:
        while send_refunds():
            pass


STEPS = [name for name, step in vars(Street).items()
         if callable(step) and not name.startswith("_")]  # fmt: skip
TELLING = ("deliver", "deliver_backwards", "ask", "refund", "expire")
WAITS = st.sampled_from([0, 0, 0, 1, 4, 29, 31, 600])  # minutes


@pytest.mark.django_db
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), WAITS), min_size=3, max_size=10))
def test_any_order_of_messages_gives_one_payment(
    bob: Member, steps: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        now = NOON
        with clock.use(clock.faster(0, now)):
            street = Street(bob)
        for name, minutes in [*steps, *_rest(steps)]:
            now += timedelta(minutes=minutes, seconds=1)
            with clock.use(clock.faster(0, now)):
                _try(getattr(street, name))
            if name in TELLING:
                check(street.order)
        settled(street.order)
        transaction.set_rollback(True)


def _rest(steps: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """What happens in the end, however it began: the worker goes on, the letters come."""
    return [("ask", 60), ("expire", 1), ("post", 1), ("deliver", 1), ("send", 60), ("send", 60),
            ("post", 1), ("deliver_backwards", 1)]  # fmt: skip


def _try(step: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            step()
    except REFUSALS:
        pass


def check(order: Order) -> None:
    """What holds after every step."""
    order.refresh_from_db()
    payments = Payment.objects.filter(order=order)
    assert payments.count() <= 1
    assert payments.filter(verdict="taken").count() == (order.paid_minor > 0)
    back = Refund.objects.filter(order=order).aggregate(n=Sum("amount_minor"))["n"] or 0
    came = payments.aggregate(n=Sum("amount_minor"))["n"] or 0
    assert back <= came
    given_back = SandboxMove.objects.filter(kind="refunded").aggregate(n=Sum("amount_minor"))
    assert (given_back["n"] or 0) <= came
    on_hand, held, sold = pieces(order.lines.get().variant)
    assert on_hand + sold == 10
    assert held == (order.state == "created")
    assert sum(Account.objects.filter(unit="piece").values_list("balance", flat=True)) == 0


def settled(order: Order) -> None:
    """What holds in the end: whatever was paid in the house is known, and what could not pay the
    order is back."""
    order.refresh_from_db()
    paid = SandboxMove.objects.filter(kind="paid").first()
    assert order.state != "created"
    assert Payment.objects.filter(order=order).exists() == (paid is not None)
    for refund in Refund.objects.filter(order=order):
        assert refund.state == "done"
        assert SandboxMove.objects.get(key=refund.number).amount_minor == refund.amount_minor
    for payment in Payment.objects.exclude(verdict="taken"):
        assert payment.refunds.get().amount_minor == payment.amount_minor
