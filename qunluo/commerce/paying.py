"""Money that arrives: once for its key, for the order that it was meant for, or back again."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from qunluo.commerce.errors import KeyTakenError
from qunluo.commerce.models import Order, Payment
from qunluo.commerce.moving import lock, moved
from qunluo.commerce.provider import (
    Begun,
    Bill,
    Notification,
    ProviderError,
    Way,
    find_provider,
    list_providers,
)
from qunluo.commerce.refunding import do_return_payment, do_settle_refund
from qunluo.commerce.rules import judge_payment
from qunluo.commerce.settling import do_settle
from qunluo.kit import clock
from qunluo.kit.sealed import blind
from qunluo.standing.errors import NoOrderError

LONGEST_TITLE = 60


def begin_payment(
    order: Order, provider: str, *, return_url: str, way: Way | None = None, account: str = "",
    address: str = "", lang: str = "en",
) -> Begun:  # fmt: skip
    """Sends the payer on their way; never inside a transaction, since it uses the network.
    Raises `OrderMovedError`, `NoProviderError`, `ProviderError`."""
    house = find_provider(provider)
    order.refresh_from_db()
    if order.state != "created" or (order.pay_by and clock.now() >= order.pay_by):
        raise moved(order)
    Order.objects.filter(pk=order.pk).update(provider=provider)
    bill = make_bill(order, way=way, account=account, address=address, lang=lang)
    return house.begin(bill, return_url=return_url)


def make_bill(
    order: Order, *, way: Way | None = None, account: str = "", address: str = "",
    lang: str = "en",
) -> Bill:  # fmt: skip
    """An order as its provider sees it."""
    titles = list(order.lines.order_by("pk").values_list("title", flat=True)[:2])
    title = (titles[0] if titles else order.number)[:LONGEST_TITLE]
    return Bill(
        number=order.number, amount_minor=order.total_minor, currency=order.currency,
        title=f"{title} …" if len(titles) > 1 else title, pay_by=order.pay_by or clock.now(),
        way=way, account=account, address=address, lang=lang,
    )  # fmt: skip


def do_hear(notification: Notification, provider: str) -> Payment | None:
    """What follows from what a provider says, whichever way it says so and however often.
    Raises `NoOrderError`, `KeyTakenError`."""
    if notification.kind != "paid":
        do_settle_refund(notification.key, notification.kind, notification.why)
        return None
    order = find_by_number(notification.number)
    if order is None:
        raise NoOrderError(order=notification.number)
    return do_pay(order, notification.key, notification.amount_minor, notification.at, provider,
                  currency=notification.currency, payer=notification.payer)  # fmt: skip


def find_by_number(number: str) -> Order | None:
    """An order of ours, of whichever community."""
    return Order.objects.filter(number=number, elsewhere=False).first()


@transaction.atomic
def do_pay(
    order: Order, payment_key: str, amount_minor: int, paid_at: datetime, provider: str, *,
    currency: str | None = None, payer: str = "",
) -> Payment:  # fmt: skip
    """Money for an order, once for its key. What can't pay it (it came too late, for the second
    time, or is not the amount) is kept as a payment and goes back by itself: that is no error.
    Raises `KeyTakenError` where the key is that of another payment."""
    order = lock(order)
    known = Payment.objects.filter(provider=provider, key=payment_key).first()
    if known is not None:
        if (known.order_id, known.amount_minor) != (order.pk, amount_minor):
            raise KeyTakenError
        return known
    verdict = judge_payment(
        state=order.state, due_minor=order.total_minor, amount_minor=amount_minor,
        paid_at=paid_at, pay_by=order.pay_by,
    )  # fmt: skip
    if verdict == "taken" and currency not in (None, order.currency):
        verdict = "wrong_amount"
    payment = Payment.objects.create(
        order=order, provider=provider, key=payment_key, amount_minor=amount_minor,
        verdict=verdict, paid_at=paid_at.astimezone(UTC), at=clock.now(),
        payer_hash=_hash(order, f"{provider}:{payer}") if payer else "",
    )  # fmt: skip
    if verdict == "taken":
        do_settle(order, payment)
    else:
        do_return_payment(payment, order)
    return payment


def _hash(order: Order, payer: str) -> str:
    """The same payer has the same in one community; it says nothing without our key."""
    return blind(f"payer:{order.community_id}:{payer}", settings.SECRET_KEY)


def ask_provider(order: Order) -> Payment | None:
    """Asks whether an order was paid whose notification never came; outside of a transaction."""
    houses = {provider.name: provider for provider in list_providers()}
    house = houses.get(order.provider)
    if house is None or not house.capabilities.queries:
        return None
    try:
        found = house.query(make_bill(order))
    except ProviderError:  # it can't say: should money come later, it goes back by itself
        return None
    return do_hear(found, house.name) if found is not None and found.kind == "paid" else None
