"""What follows when an order is paid: what was held for it is captured, and the record says so."""

from __future__ import annotations

from qunluo.commerce.catalogue import open_shelf
from qunluo.commerce.models import Order, Payment
from qunluo.commerce.moving import POINTS, do_move, list_holds, moved
from qunluo.events.actions import SYSTEM
from qunluo.kit import clock
from qunluo.ledger.actions import do_capture, do_open
from qunluo.ledger.models import Account, Hold
from qunluo.standing.actions import do_note_order


def do_settle(order: Order, payment: Payment | None) -> None:
    """Makes an open order a paid one, in the caller's transaction; without a payment where it
    costs nothing. Raises `OrderMovedError`."""
    paid_at = payment.paid_at if payment else clock.now()
    paid_minor = payment.amount_minor if payment else 0
    if not do_move(order, "pay", paid_at=paid_at, paid_minor=paid_minor):
        raise moved(order)
    for hold in list_holds(order):
        do_capture(hold, _place(order, hold), by=SYSTEM)
    titles = [line.title for line in order.lines.order_by("pk")]
    do_note_order(
        order.community, order=order.number, member=order.member, amount_minor=paid_minor,
        paid_at=paid_at, items=titles, store=order.store,
    )  # fmt: skip


def _place(order: Order, hold: Hold) -> Account:
    """Pieces are sold; points stay with the order, from where they can come back."""
    if hold.account.unit == POINTS:
        return do_open(order.community_id, "order", order.pk, POINTS)
    return sold_of(order, hold)


def sold_of(order: Order, hold: Hold) -> Account:
    line = order.lines.select_related("variant").get(hold_id=hold.pk)
    return open_shelf(line.variant)[1]
