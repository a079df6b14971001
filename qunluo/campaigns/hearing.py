"""What the shop says of an order, for the models that asked for none: coupons that were used,
gifts that came with it, friends who bought.

What follows is made from what the order is by now, not from the one event: so the same word
twice, late, or in another order than it was said, leads to the same acts in the same sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from qunluo.campaigns import gifts
from qunluo.campaigns.coupons import do_settle
from qunluo.campaigns.mechanics import coupon
from qunluo.campaigns.mechanics.kernel import CANCELLED, PAID, REFUNDED
from qunluo.campaigns.models import Coupon, Following, Play
from qunluo.commerce.models import Order
from qunluo.commerce.moving import lock
from qunluo.events.models import Event
from qunluo.kit import clock


def hear(events: Sequence[Event]) -> None:
    """Called in the transaction that follows the record. Most orders concern nobody here, which
    is asked of all of them at once."""
    orders = {order.pk: order for order in _orders(events)}
    numbers = {order.number: order for order in orders.values()}
    for pk in _with_coupons(orders, numbers):
        do_follow(orders[pk])
    for play in gifts.list_plays_of(orders.values()):
        order = numbers[gifts.number_of(play)]
        if order.community_id == play.campaign.community_id:
            _tell_gift(order, play)


def _with_coupons(orders: Collection[int], numbers: Mapping[str, Order]) -> list[int]:
    """Orders with coupons in them, and refunded ones that had some when they were paid."""
    held = set(Coupon.objects.filter(order__in=orders).values_list("order", flat=True))
    back = {f"{PAID}:{n}": o.pk for n, o in numbers.items() if o.state == "refunded"}
    told = Following.objects.filter(
        key__in=back, kind=PAID, campaign__mechanic=coupon.MECHANIC.name
    )
    had = {back[key] for key in told.values_list("key", flat=True)} if back else set()
    return sorted({pk for pk in held if pk} | had)


def _orders(events: Iterable[Event]) -> list[Order]:
    said = {(event.community_id, str(event.data.get("order", ""))) for event in events}
    rows = Order.objects.filter(
        community__in={community for community, _ in said},
        number__in={number for _, number in said}, elsewhere=False,
    )  # fmt: skip
    return [row for row in rows.order_by("pk") if (row.community_id, row.number) in said]


@transaction.atomic
def do_follow(order: Order) -> None:
    """The coupons of an order are what it is by now, and who waits for it hears of it: together,
    so that neither is lost where the other one happened."""
    order = lock(order)
    _tell_friends(order, do_settle(order))


def _tell_friends(order: Order, used: Iterable[Coupon]) -> None:
    """An order with a coupon is what its inviter waits for; one that went back is not."""
    for row in used:
        if row.reward.campaign.mechanic == coupon.MECHANIC.name:
            _tell_owner(row, order)
    if order.state == "refunded":
        told = Following.objects.filter(
            campaign__community=order.community_id, kind=PAID, key=f"{PAID}:{order.number}",
            campaign__mechanic=coupon.MECHANIC.name,
        )  # fmt: skip
        for found in told.order_by("pk"):
            _follow_up(found.campaign_id, found.play, REFUNDED, order, order.closed_at)


def _tell_owner(row: Coupon, order: Order) -> None:
    """Where the owner takes part: a coupon that the operator handed out has no play of theirs."""
    play, campaign = f"m{row.reward.member_id}", row.reward.campaign_id
    if Play.objects.filter(campaign=campaign, key=play).exists():
        _follow_up(campaign, play, PAID, order, order.paid_at)


def _tell_gift(order: Order, play: Play) -> None:
    """Refunds are settled with their gift at once, by `gifts.settle`."""
    if order.paid_at is not None:
        _follow_up(play.campaign_id, play.key, PAID, order, order.paid_at)
    elif order.state in ("cancelled", "expired"):
        _follow_up(play.campaign_id, play.key, CANCELLED, order, order.closed_at)


def _follow_up(
    campaign: int, play: str, kind: str, order: Order, at: datetime | None
) -> None:  # fmt: skip
    values: dict[str, Any] = {
        "play": play, "kind": kind, "member_id": order.member_id,
        "data": {"ref": order.number}, "at": at or clock.now(),
    }  # fmt: skip
    Following.objects.get_or_create(
        campaign_id=campaign, key=f"{kind}:{order.number}", defaults=values
    )
