"""Moving one order on: locked first, from where it is, or not at all."""

from __future__ import annotations

from typing import Any

from qunluo.commerce.errors import OrderMovedError
from qunluo.commerce.models import Order
from qunluo.commerce.rules import Act, next_state
from qunluo.commerce.words import STATES
from qunluo.ledger.models import Hold

POINTS = "points"


def lock(order: Order) -> Order:
    """The order as it is, held until the transaction ends."""
    rows = Order.objects.select_for_update(of=("self",)).select_related("community", "member")
    return rows.get(pk=order.pk)


def do_move(order: Order, act: Act, **values: Any) -> bool:
    """Moves an order on by one act, if it is still where the act begins; whether it was."""
    to = next_state(order.state, act)
    if to is None:
        return False
    rows = Order.objects.filter(pk=order.pk, state=order.state)
    if not rows.update(state=to, **values):
        return False
    order.refresh_from_db()
    return True


def moved(order: Order) -> OrderMovedError:
    return OrderMovedError(state=STATES[order.state])


def list_holds(order: Order) -> list[Hold]:
    """What is held for an order: pieces in the order of their variants, then points."""
    keys = order.lines.order_by("variant").values_list("hold_id", flat=True)
    rows = {
        hold.pk: hold for hold in Hold.objects.filter(pk__in=keys).select_related("account")
    }
    points = Hold.objects.filter(
        account__community_id=order.community_id, account__unit=POINTS,
        cause=f"order:{order.pk}",
    )  # fmt: skip
    return [*(rows[pk] for pk in keys if pk), *points.select_related("account")]
