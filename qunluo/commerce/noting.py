"""Orders that another shop or till took: noted here, once each, when we hear of them.

They have no lines and no stock here, and nobody pays or gives back money through us. Standing
reads the same events for them as for our own orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from qunluo.commerce.errors import OwnOrderError
from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.events.actions import SYSTEM
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.standing.actions import do_note_order, do_note_refund


@dataclass(frozen=True)
class Sale:
    """What another shop says of an order."""

    number: str
    amount_minor: int
    paid_at: datetime
    items: Sequence[str] = ()
    store: str = ""


@transaction.atomic
def do_note_sale(
    community: Community, member: Member, sale: Sale, *, by: str = SYSTEM
) -> Event:
    """Notes a paid order of another shop; its number again is the same order. Raises
    `OrderDiffersError`, `WrongAmountError`, `OwnOrderError`."""
    refuse_own(community, sale.number)
    event = do_note_order(
        community, order=sale.number, member=member, amount_minor=sale.amount_minor,
        paid_at=sale.paid_at, items=sale.items, store=sale.store, by=by,
    )  # fmt: skip
    Order.objects.get_or_create(
        community=community, number=sale.number,
        defaults={
            "member": member, "state": "completed", "elsewhere": True, "at": clock.now(),
            "currency": settings_of(community).currency, "store": sale.store[:80],
            "total_minor": sale.amount_minor, "paid_minor": sale.amount_minor,
            "snapshot": {"items": event.data["items"]}, "paid_at": event.at,
            "completed_at": event.at,
        },
    )  # fmt: skip
    return event


@transaction.atomic
def do_note_return(
    community: Community, *, number: str, amount_minor: int, refunded_at: datetime,
    refund: str = "1", by: str = SYSTEM,
) -> Event:  # fmt: skip
    """Notes money that another shop gave back, once for the refund's number. Raises
    `NoOrderError`, `WrongAmountError`, `OwnOrderError`."""
    refuse_own(community, number)
    event = do_note_refund(
        community, order=number, refund=refund, amount_minor=amount_minor,
        refunded_at=refunded_at, by=by,
    )  # fmt: skip
    # the event is the same when it is told again: what came back is read from the events
    told = Event.objects.filter(
        community_id=community.pk, kind="order_refunded", member_id=event.member_id,
        data__order=number,
    )  # fmt: skip
    back = sum(one.data["amount_minor"] for one in told)
    whole = any(one.data["whole"] for one in told)
    ended = {"state": "refunded", "closed_at": event.at} if whole else {}
    rows = Order.objects.filter(community=community, number=number, paid_minor__gte=back)
    rows.update(refunded_minor=back, **ended)
    return event


def refuse_own(community: Community, number: str) -> None:
    """Raises `OwnOrderError` where the order was taken here."""
    if Order.objects.filter(community=community, number=number, elsewhere=False).exists():
        raise OwnOrderError(number=number)
