"""The sandbox's own house: its book, and how it tells us what is in it.

It tells until it is heard, as a real one does: at once, and by the worker where that failed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from qunluo.commerce.provider import Answer, Notification, RefundBill, RefusedError
from qunluo.kit import clock
from qunluo.payments.models import SandboxMove
from qunluo.payments.sandbox.signing import Ticket, pack

NAME = "sandbox"
LATE = timedelta(minutes=1)  # after the last moment to pay
AGAIN = timedelta(seconds=15)
MOST_TRIES = 40
TOLD_AT_ONCE = 50
FINE = range(200, 300)

Door = Callable[[str, Mapping[str, str], bytes], Answer]


def do_pay(ticket: Ticket, *, late: bool = False) -> SandboxMove:
    """Takes the play money for an order, once; `late`: only after its time is over."""
    now = clock.now()
    at = max(now, datetime.fromisoformat(ticket.pay_by) + LATE) if late else now
    values = {
        "kind": "paid", "key": f"sb-{secrets.token_hex(12)}", "number": ticket.number,
        "amount_minor": ticket.amount_minor, "currency": ticket.currency, "at": at,
        "tell_at": at,
    }  # fmt: skip
    try:
        with transaction.atomic():
            return SandboxMove.objects.create(**values)
    except IntegrityError:  # it was paid in another window
        return SandboxMove.objects.get(kind="paid", number=ticket.number)


def do_give_back(refund: RefundBill) -> Notification | None:
    """Gives play money back, once for the refund's key, and tells later. Raises
    `RefusedError` where more would go back than came."""
    with transaction.atomic():
        paid = SandboxMove.objects.select_for_update().filter(
            kind="paid", key=refund.payment_key, number=refund.number, at__lte=clock.now()
        )
        found = paid.first()
        if found is None:
            raise RefusedError("the sandbox knows no such payment")
        if not SandboxMove.objects.filter(key=refund.key).exists():
            _check_left(found, refund)
            SandboxMove.objects.create(
                kind="refunded", key=refund.key, number=refund.number, at=clock.now(),
                amount_minor=refund.amount_minor, currency=found.currency, tell_at=clock.now(),
            )  # fmt: skip
    return None


def _check_left(paid: SandboxMove, refund: RefundBill) -> None:
    back = SandboxMove.objects.filter(kind="refunded", number=paid.number)
    gone = back.aggregate(n=Sum("amount_minor"))["n"] or 0
    if gone + refund.amount_minor > paid.amount_minor:
        raise RefusedError("more would go back than came")


def is_paid(number: str) -> bool:
    """Whether somebody paid, be it only for later."""
    return SandboxMove.objects.filter(kind="paid", number=number).exists()


def find_payment(number: str) -> Notification | None:
    """The payment of an order; one that is to come later is none yet."""
    return _as_told(kind="paid", number=number)


def find_refund(key: str) -> Notification | None:
    return _as_told(kind="refunded", key=key)


def _as_told(**which: str) -> Notification | None:
    found = SandboxMove.objects.filter(at__lte=clock.now(), **which).first()
    if found is None:
        return None
    return Notification(**{**write(found), "at": found.at})


def write(move: SandboxMove) -> dict[str, Any]:
    """What is told of a move."""
    return {
        "key": move.key, "number": move.number, "amount_minor": move.amount_minor,
        "at": move.at.isoformat(), "kind": move.kind, "currency": move.currency,
    }  # fmt: skip


# telling


def tell(move: SandboxMove, door: Door) -> bool:
    """Tells of one move, as often as this is called; whether it was heard."""
    headers, body = pack(write(move), clock.now())
    heard = door(NAME, headers, body).status in FINE
    rows = SandboxMove.objects.filter(pk=move.pk)
    if heard:
        rows.update(tell_at=None, tries=F("tries") + 1)
    else:
        again = clock.now() + AGAIN * (1 + move.tries)
        rows.update(tell_at=again if move.tries < MOST_TRIES else None, tries=F("tries") + 1)
    return heard


def tell_due(door: Door) -> bool:
    """Tells what nobody heard yet; whether there was any."""
    due = SandboxMove.objects.filter(tell_at__lte=clock.now()).order_by("tell_at", "pk")
    moves = list(due[:TOLD_AT_ONCE])
    for move in moves:
        tell(move, door)
    return bool(moves)
