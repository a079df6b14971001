"""The one door where providers tell us what happened, and what we asked them comes in, too.

A notification is believed once its provider vouches for it, and counts once for its key: its
row, and what commerce makes of it, are one transaction. Told again, it is answered as taken.
What was refused leaves one line in the log, with neither keys nor people in it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from qunluo.commerce import paying
from qunluo.commerce.provider import Answer, ForgedError, Notification, find_provider
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.payments.models import Attempt, Notice

log = logging.getLogger(__name__)


class StrangeNoticeError(Exception):
    """It is the provider's, and still can't be: nothing is done about it."""


def hear(name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """What a provider hears after it called. Raises `NoProviderError`."""
    provider = find_provider(name)
    try:
        told = provider.read_notification(headers, body)
        do_take(name, told)
    except (ForgedError, StrangeNoticeError) as error:
        mark = hashlib.sha256(body).hexdigest()[:12]
        log.warning("pay/%s: a notification was refused: %s (%s)", name, error, mark)
        return provider.answer(False)
    return provider.answer(True)


def do_take(name: str, told: Notification) -> bool:
    """Takes what a provider told, in one transaction; whether it was new. Raises
    `StrangeNoticeError`."""
    try:
        with transaction.atomic():
            _note(name, told)
            payment = paying.do_hear(told, name)
            if payment is not None:
                here = Attempt.objects.filter(order=payment.order_id, provider=name)
                here.update(ask_at=None)  # others may have been paid, too
    except IntegrityError:
        if not _known(name, told):
            raise
        return False
    except QunluoError as error:
        raise StrangeNoticeError(error.code) from None
    if payment is not None and payment.verdict != "taken":
        log.warning("pay/%s: %s is not paid by it: %s", name, told.number, payment.verdict)
    return True


def _note(name: str, told: Notification) -> None:
    Notice.objects.create(
        provider=name, kind=told.kind, key=_key(told), nonce=told.nonce or None,
        number=told.number, amount_minor=told.amount_minor, at=told.at, heard_at=clock.now(),
    )  # fmt: skip


def _key(told: Notification) -> str:
    """A refund may fail again after it was tried again: each such message counts."""
    if told.kind == "refund_failed":
        return f"{told.key}@{told.nonce or told.at.isoformat()}"[:140]
    return told.key


def _known(name: str, told: Notification) -> bool:
    """Whether this was told before; raises `StrangeNoticeError` where its nonce was used for
    something else, or its key for another order or amount."""
    found = Notice.objects.filter(provider=name, kind=told.kind, key=_key(told)).first()
    if found is not None:
        if (found.number, found.amount_minor) != (told.number, told.amount_minor):
            raise StrangeNoticeError(f"another story about {found.number}")
        return True
    if told.nonce and Notice.objects.filter(provider=name, nonce=told.nonce).exists():
        raise StrangeNoticeError("replayed nonce")
    return False
