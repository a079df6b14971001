"""Orders that another system took: noted once each, as what happened when it happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction

from qunluo.community.models import Community
from qunluo.events.actions import SYSTEM, record
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.members.queries import find_survivor
from qunluo.standing.errors import NoOrderError, OrderDiffersError, WrongAmountError

MOST = 10**12  # minor units of one order
LONGEST_ORDER, LONGEST_REFUND = 80, 40


@transaction.atomic
def do_note_order(
    community: Community,
    *,
    order: str,
    member: Member,
    amount_minor: int,
    paid_at: datetime,
    items: Sequence[str] = (),
    store: str = "",
    by: str = SYSTEM,
) -> Event:
    """A paid order, once for its number: told again, it is the one that is known. Amounts are
    minor units. Raises `OrderDiffersError`, `WrongAmountError`."""
    if not 0 <= amount_minor <= MOST:
        raise WrongAmountError(amount=amount_minor, most=MOST)
    data = {
        "order": order, "amount_minor": amount_minor, "items": [item[:80] for item in items][:50],
        "store": store[:80],
    }  # fmt: skip
    found = record(
        "order_paid", community=community.pk, member=member.pk, actor=by, data=data,
        cause=_cause(community, order), at=min(paid_at.astimezone(UTC), clock.now()),
    )  # fmt: skip
    known = Member.objects.filter(pk=found.member_id or 0).first()
    same = known is not None and find_survivor(known).pk == find_survivor(member).pk
    if not same or found.data["amount_minor"] != amount_minor:
        raise OrderDiffersError(order=order)
    return found


def _cause(community: Community, order: str) -> str:
    return f"order:{community.pk}:{order[:LONGEST_ORDER]}"


@transaction.atomic
def do_note_refund(
    community: Community,
    *,
    order: str,
    amount_minor: int,
    refunded_at: datetime,
    refund: str = "1",
    by: str = SYSTEM,
) -> Event:
    """Money of an order given back, once for the refund's number. What reaches the whole amount
    makes the order one that does not stand. Raises `NoOrderError`, `WrongAmountError`."""
    cause = f"refund:{community.pk}:{order[:LONGEST_ORDER]}:{refund[:LONGEST_REFUND]}"
    paid = find_order(community, order)
    known = Event.objects.filter(cause=cause).first()
    if known is not None:
        return known
    mine = Event.objects.filter(
        community_id=community.pk, kind="order_refunded", member_id=paid.member_id,
        data__order=order,
    )  # fmt: skip
    back = sum(row.data["amount_minor"] for row in mine)
    left = paid.data["amount_minor"] - back
    whole_before = any(row.data["whole"] for row in mine)
    if not 0 <= amount_minor <= left or whole_before:
        raise WrongAmountError(amount=amount_minor, most=0 if whole_before else left)
    data = {"order": order, "refund": refund, "amount_minor": amount_minor,
            "whole": amount_minor == left}  # fmt: skip
    at = max(paid.at, min(refunded_at.astimezone(UTC), clock.now()))
    return record("order_refunded", community=community.pk, member=paid.member_id, actor=by,
                  data=data, cause=cause, at=at)  # fmt: skip


def find_order(community: Community, order: str) -> Event:
    """The order of that number, held until the transaction ends. Raises `NoOrderError`."""
    rows = Event.objects.select_for_update().filter(cause=_cause(community, order))
    found = rows.first()
    if found is None:
        raise NoOrderError(order=order)
    return found
