"""Taking an order to a provider, and asking there what became of it."""

from __future__ import annotations

import logging
from dataclasses import replace

from django.db import transaction

from qunluo.commerce.models import Order
from qunluo.commerce.moving import moved
from qunluo.commerce.paying import begin_payment, make_bill
from qunluo.commerce.provider import (
    Begun,
    NoProviderError,
    PaymentProvider,
    ProviderError,
    UnreachableError,
    Way,
    find_provider,
    list_providers,
)
from qunluo.kit import clock
from qunluo.payments.door import StrangeNoticeError, do_take
from qunluo.payments.errors import PlatformRefusedError, PlatformSilentError
from qunluo.payments.models import Attempt
from qunluo.payments.offline.actions import do_wait_for_transfer
from qunluo.payments.rules import next_ask

AT_ONCE = 20
MOST_KEYS = 8  # ways and terms of one order
log = logging.getLogger(__name__)


def may_pay(order: Order) -> bool:
    in_time = order.pay_by is None or clock.now() < order.pay_by
    return order.state == "created" and in_time and not order.elsewhere


def list_ways(order: Order) -> list[PaymentProvider]:
    """Who may be chosen to take the money, the quickest first. A campaign's clock waits for no
    bank."""
    found = [p for p in list_providers() if not (p.capabilities.staff_confirm and order.source)]
    return sorted(found, key=lambda p: (p.capabilities.staff_confirm, p.name))


def begin(
    order: Order, name: str, *, return_url: str, way: Way | None = None, account: str = "",
    address: str = "", lang: str = "en",
) -> Begun:  # fmt: skip
    """What the payer does next. That it was begun is kept before the provider is called: who
    dies in between asks there later. Raises `OrderMovedError`, `NoProviderError`,
    `PlatformSilentError`, `PlatformRefusedError`."""
    provider = find_provider(name)
    if not may_pay(order) or provider not in list_ways(order):
        raise moved(order)
    if provider.capabilities.staff_confirm:
        do_wait_for_transfer(order)
    _note(order, provider, way or provider.capabilities.ways[0])
    try:
        begun = begin_payment(order, name, return_url=return_url, way=way, account=account,
                              address=address, lang=lang)  # fmt: skip
    except ProviderError as error:
        log.warning("pay/%s: %s could not be begun: %s", name, order.number, error)
        silent = isinstance(error, UnreachableError)
        raise (PlatformSilentError if silent else PlatformRefusedError) from None
    _keep(order, name, begun.key)
    return begun


def _note(order: Order, provider: PaymentProvider, way: str) -> None:
    now = clock.now()
    later = next_ask(now, order.pay_by, now) if provider.capabilities.queries else None
    Attempt.objects.update_or_create(
        order=order, provider=provider.name, defaults={"way": way, "ask_at": later},
        create_defaults={"way": way, "ask_at": later, "begun_at": now},
    )  # fmt: skip


@transaction.atomic
def _keep(order: Order, name: str, key: str) -> None:
    attempt = Attempt.objects.select_for_update().get(order=order, provider=name)
    if key and key not in attempt.keys:
        attempt.keys = [*attempt.keys, key][-MOST_KEYS:]
        attempt.save(update_fields=["keys"])


# the worker's part


def ask_due() -> bool:
    """Asks about payments whose word may have got lost; whether there were any."""
    due = Attempt.objects.filter(ask_at__lte=clock.now()).select_related("order")
    attempts = list(due.order_by("ask_at", "pk")[:AT_ONCE])
    for attempt in attempts:
        if _claim(attempt):
            ask(attempt)
    return bool(attempts)


def _claim(attempt: Attempt) -> bool:
    """The next time is set before the question, so that no two workers ask at once."""
    order = attempt.order
    later = next_ask(attempt.begun_at, order.pay_by, clock.now())
    mine = Attempt.objects.filter(pk=attempt.pk, ask_at=attempt.ask_at)
    return bool(mine.update(ask_at=later, asks=attempt.asks + 1))


def ask(attempt: Attempt) -> bool:
    """Asks how one payment stands; whether that was news. The network is outside of any
    transaction."""
    order, name = attempt.order, attempt.provider
    try:
        told = find_provider(name).query(replace(make_bill(order), keys=tuple(attempt.keys)))
        return told is not None and do_take(name, told)
    except (ProviderError, NoProviderError, StrangeNoticeError) as error:
        log.warning("pay/%s: asking about %s: %s", name, order.number, error)
        return False
