"""The worker's steps of the shop; importing this registers them."""

from __future__ import annotations

import logging
from datetime import timedelta

from qunluo.commerce.errors import OrderMovedError
from qunluo.commerce.imports import step_import
from qunluo.commerce.joining import follow_merges
from qunluo.commerce.models import Order
from qunluo.commerce.ordering import do_complete, do_expire
from qunluo.commerce.paying import ask_provider
from qunluo.commerce.sending import send_refunds
from qunluo.events.actions import SYSTEM
from qunluo.events.turns import Turns
from qunluo.kit import clock
from qunluo.ledger.actions import do_expire_holds, do_expire_lots
from qunluo.messaging.tasks import Task, register

logger = logging.getLogger("qunluo.commerce")
RECEIVED = timedelta(days=10)  # after it was sent; then it counts as arrived
AT_ONCE = 100
_unpaid, _received = Turns(), Turns()


def expire_unpaid() -> bool:
    """Ends what was not paid in time; asks the provider first, whose word may have been lost."""
    now = clock.now()
    due = Order.objects.filter(state="created", pay_by__lte=now).order_by("pay_by", "pk")
    return _unpaid.go(due, _expire, at_once=AT_ONCE) > 0


def _expire(order: Order) -> bool:
    told = _ask(order)
    return do_expire(order) or told


def _ask(order: Order) -> bool:
    """Whether the provider knows of money."""
    try:
        return ask_provider(order) is not None
    except Exception as error:
        logger.warning("order %s: %s", order.pk, type(error).__name__)
        return False


def complete_received() -> bool:
    """What was sent long ago has arrived."""
    sent = Order.objects.filter(state="fulfilled", fulfilled_at__lte=clock.now() - RECEIVED)
    return _received.go(sent.order_by("pk"), _complete, at_once=AT_ONCE) > 0


def _complete(order: Order) -> bool:
    try:
        do_complete(order, by=SYSTEM)
    except OrderMovedError:  # somebody was quicker
        return False
    return True


def expire_promises() -> bool:
    """Promises of value whose time is over; the ledger, below, has no worker."""
    return do_expire_holds(clock.now()) > 0


def expire_points() -> bool:
    """Points whose time is over."""
    return do_expire_lots(clock.now()) > 0


for _task in (
    Task("commerce.unpaid", expire_unpaid, every_s=5.0),
    Task("commerce.refunds", send_refunds, every_s=1.0),
    Task("commerce.imports", step_import, every_s=1.0),
    Task("commerce.merges", follow_merges, every_s=2.0),
    Task("commerce.promises", expire_promises, every_s=30.0),
    Task("commerce.points", expire_points, every_s=30.0),
    Task("commerce.received", complete_received, every_s=600.0),
):
    register(_task)
