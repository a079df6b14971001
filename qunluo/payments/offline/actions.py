"""A transfer that members announce and staff find on the bank's statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from qunluo.commerce.models import Order, Payment
from qunluo.commerce.provider import Notification
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.payments.door import StrangeNoticeError, do_take
from qunluo.payments.errors import NoReferenceError, ReferenceTakenError
from qunluo.payments.models import Attempt, BankAccount

NAME = "offline"
WAIT = timedelta(days=2)  # banks are slow; the goods are held that long
REFERENCE = 60  # characters


def do_wait_for_transfer(order: Order) -> None:
    """Gives an open order the time that a bank takes, once from when it was ordered."""
    until = order.at + WAIT
    rows = Order.objects.filter(pk=order.pk, state="created", source="", pay_by__lt=until)
    rows.update(pay_by=until)
    order.refresh_from_db()


def list_awaited(community: Community) -> QuerySet[Order]:
    """Orders whose members said that they send the money, those that end first first."""
    begun = Attempt.objects.filter(provider=NAME, order__community=community)
    rows = Order.objects.filter(pk__in=begun.values("order"), state="created")
    return rows.select_related("member", "community").order_by("pay_by", "pk")


def list_confirmed(community: Community) -> QuerySet[Payment]:
    rows = Payment.objects.filter(provider=NAME, order__community=community)
    return rows.select_related("order__member").order_by("-pk")


@transaction.atomic
def do_confirm_transfer(
    order: Order, *, reference: str, amount_minor: int, by: str, at: datetime | None = None
) -> Payment:
    """The money of a transfer has arrived: it pays the order, or goes back where it can't. The
    same transfer again changes nothing. Raises `NoReferenceError`, `ReferenceTakenError`."""
    reference = " ".join(reference.split())[:REFERENCE]
    if not reference:
        raise NoReferenceError
    key = f"{order.community_id}:{reference}"  # banks number for themselves
    known = Payment.objects.filter(provider=NAME, key=key).select_related("order").first()
    if known is not None and (known.order_id, known.amount_minor) != (order.pk, amount_minor):
        raise ReferenceTakenError(reference=reference, number=known.order.number)
    told = Notification(
        key=key, number=order.number, amount_minor=amount_minor, kind="paid",
        currency=order.currency, at=at or clock.now(),
    )  # fmt: skip
    try:
        new = do_take(NAME, told)
    except StrangeNoticeError:  # somebody confirmed it for another order just now
        raise ReferenceTakenError(reference=reference, number="…") from None
    payment = Payment.objects.get(provider=NAME, key=key)
    if new:
        record("transfer_confirmed", community=order.community_id, actor=by,
               member=order.member_id, data={"order": order.number, "reference": reference,
               "amount_minor": amount_minor, "verdict": payment.verdict})  # fmt: skip
    return payment


# where members send it


def find_account(community: Community) -> BankAccount | None:
    return BankAccount.objects.filter(community=community).first()


@transaction.atomic
def do_set_account(community: Community, words: str, *, by: str) -> None:
    """Says where members send money; no words: nowhere."""
    words = words.strip()[:1000]
    if words:
        BankAccount.objects.update_or_create(
            community=community, defaults={"words": words, "by": by, "at": clock.now()}
        )
    else:
        BankAccount.objects.filter(community=community).delete()
    record("bank_account_set", community=community.pk, actor=by, data={"given": bool(words)})
