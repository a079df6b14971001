"""What orders there are, and why one costs what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from qunluo.commerce.models import Order, Refund
from qunluo.commerce.pricing import TOO_LITTLE, Missed, replay
from qunluo.community.models import Community
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.members.queries import search_members

NAMED = 50


@dataclass(frozen=True)
class Count:
    """How many orders wait for something."""

    to_send: int
    to_pay: int
    refunds_in_trouble: int


def list_orders(
    community: Community, *, state: str = "", text: str = "", before: int | None = None
) -> QuerySet[Order]:
    """Orders, the latest first; of a state, of a number, or of members found by some words."""
    rows = Order.objects.filter(community=community).select_related("member")
    if state:
        rows = rows.filter(state=state)
    if text.strip():
        people = [member.pk for member in search_members(community, text, limit=NAMED)]
        rows = rows.filter(Q(number=text.strip()) | Q(member__in=people))
    if before:
        rows = rows.filter(pk__lt=before)
    return rows.prefetch_related("lines").order_by("-pk")


def list_refunds_in_trouble(community: Community) -> QuerySet[Refund]:
    """Refunds that need a person, the oldest first."""
    rows = Refund.objects.filter(order__community=community, state__in=("failed", "by_hand"))
    return rows.select_related("order__member").order_by("pk")


def count_waiting(community: Community) -> Count:
    rows = Order.objects.filter(community=community, elsewhere=False)
    return Count(
        rows.filter(state="paid").count(),
        rows.filter(state="created").count(),
        list_refunds_in_trouble(community).count(),
    )


def list_missed(order: Order) -> list[Missed]:
    """Offers that did not count, with the reason; reckoned again from the snapshot, amounts as
    people of the order's currency write them."""
    found = replay(order.snapshot).missed if "offers" in order.snapshot else ()
    return [_in_money(one, order.currency) for one in found]


def _in_money(one: Missed, currency: str) -> Missed:
    if one.short is None:
        return one
    needs, has = (
        Text(*(format_money(minor, currency, lang) for lang in ("en", "zh")))
        for minor in one.short
    )
    return replace(one, why=TOO_LITTLE.format(threshold=needs, base=has))
