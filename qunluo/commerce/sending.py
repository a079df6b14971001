"""Sending money back: one refund at a time, outside of every transaction.

Who sends it takes a lease first, by one conditional statement. Killed between the lease and the
answer, another worker asks again when the lease is over: the provider knows the refund by its
number and gives it back once.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import F

from qunluo.commerce.models import Refund
from qunluo.commerce.provider import (
    NoProviderError,
    Notification,
    PaymentProvider,
    RefundBill,
    RefusedError,
    UnreachableError,
    find_provider,
)
from qunluo.commerce.refunding import do_settle_refund
from qunluo.commerce.rules import LEASE, next_try
from qunluo.kit import clock

ASK_AGAIN = timedelta(minutes=10)  # about one that is on its way
logger = logging.getLogger("qunluo.commerce")


def send_refunds() -> bool:
    """Sends, or asks about, the refund that waits longest; whether there was one."""
    now = clock.now()
    refund = find_due(now)
    if refund is None:
        return False
    if not take(refund, now):
        return True  # another worker has it
    try:
        _send(refund)
    except UnreachableError as error:
        _put_off(refund, str(error), error.retry_after)
    except NoProviderError as error:
        _put_off(refund, error.message("en"), None)
    except RefusedError as error:
        do_settle_refund(refund.number, "refund_failed", str(error))
    except Exception as error:
        logger.warning("refund %s: %s", refund.pk, type(error).__name__)
        _put_off(refund, type(error).__name__, None)
    return True


def find_due(now: datetime) -> Refund | None:
    rows = Refund.objects.filter(state__in=("asked", "sending", "sent"), due_at__lte=now)
    found = rows.select_related("order", "payment").order_by("due_at", "pk")
    return found.first()


def take(refund: Refund, now: datetime) -> bool:
    """The lease; whether it is ours."""
    mine = Refund.objects.filter(pk=refund.pk, state=refund.state, due_at=refund.due_at)
    state = "sent" if refund.state == "sent" else "sending"
    return bool(mine.update(state=state, due_at=now + LEASE, tries=F("tries") + 1))


def _send(refund: Refund) -> None:
    payment = refund.payment
    if payment is None:
        _set(refund, state="by_hand")
        return
    house = find_provider(payment.provider)
    if not house.capabilities.refunds:
        _set(refund, state="by_hand")
        return
    answer = _ask(house, refund)
    if answer is not None:
        do_settle_refund(refund.number, answer.kind, answer.why)
    else:
        _set(refund, state="sent", due_at=clock.now() + ASK_AGAIN, tries=0)


def _ask(house: PaymentProvider, refund: Refund) -> Notification | None:
    """What became of it: of one that is on its way we only ask, where that can be asked."""
    bill = make_refund_bill(refund)
    if refund.state != "sent":
        return house.ask_refund(bill)
    return house.query_refund(bill) if house.capabilities.queries else None


def make_refund_bill(refund: Refund) -> RefundBill:
    """A refund as its provider sees it."""
    payment = refund.payment
    return RefundBill(
        key=refund.number, number=refund.order.number, amount_minor=refund.amount_minor,
        payment_key=payment.key if payment else "", why=refund.why[:80],
        paid_minor=payment.amount_minor if payment else 0, currency=refund.order.currency,
    )  # fmt: skip


def _put_off(refund: Refund, problem: str, wait: timedelta | None) -> None:
    """Later again; after the last try a person has to look."""
    refund.refresh_from_db(fields=["tries", "state"])
    pause = next_try(refund.tries)
    if pause is None:
        do_settle_refund(refund.number, "refund_failed", problem)
    else:
        state = "sent" if refund.state == "sent" else "asked"
        _set(refund, state=state, due_at=clock.now() + (wait or pause), problem=problem[:200])


def _set(refund: Refund, **values: object) -> None:
    """What somebody settled meanwhile stays settled."""
    Refund.objects.filter(pk=refund.pk, state__in=("sending", "sent")).update(**values)
