"""Orders that a shop or till took: what standing, segments and values are read from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Path, Schema
from pydantic import Field

from qunluo.api.areas.members import find_member
from qunluo.api.operations import Area, Call
from qunluo.api.values import Instant, Name, Number
from qunluo.commerce.noting import Sale, do_note_return, do_note_sale
from qunluo.events.models import Event
from qunluo.standing.orders import LONGEST_ORDER, LONGEST_REFUND, MOST

area = Area("orders")
OrderId = Annotated[str, Field(min_length=1, max_length=LONGEST_ORDER, pattern=r"^[!-~]+$")]
InAddress = Annotated[str, Path(min_length=1, max_length=LONGEST_ORDER, pattern=r"^[!-.0-~]+$")]
Minor = Annotated[int, Field(ge=0, le=MOST)]
"""Minor units, such as fen or cents."""


class OrderIn(Schema):
    """A paid order. The same number again is the same order, whatever the key of the call."""

    order: OrderId
    member_id: Number
    amount_minor: Minor
    paid_at: Instant
    items: list[Name] = Field(default_factory=list, max_length=50)
    store: str = Field("", max_length=80)


class RefundIn(Schema):
    """Money given back; what reaches the whole amount undoes the order."""

    refund: str = Field("1", min_length=1, max_length=LONGEST_REFUND, pattern=r"^[!-~]+$")
    amount_minor: Minor
    refunded_at: Instant


class OrderOut(Schema):
    order: str
    member_id: int
    amount_minor: int
    at: datetime
    event_id: int


class RefundOut(OrderOut):
    refund: str
    whole: bool


def _show(event: Event) -> dict[str, object]:
    names = ("order", "amount_minor", "refund", "whole")
    said = {name: event.data[name] for name in names if name in event.data}
    return {"member_id": event.member_id, "at": event.at, "event_id": event.pk, **said}


@area.post("/orders", "members:write", OrderOut, 201)
def note_order(request: Call, body: OrderIn) -> dict[str, object]:
    """An order that was paid somewhere else."""
    member = find_member(request, body.member_id)
    sale = Sale(body.order, body.amount_minor, body.paid_at, body.items, body.store)
    by = request.auth.actor
    return _show(do_note_sale(request.auth.community, member, sale, by=by))


@area.post("/orders/{order}/refunds", "members:write", RefundOut, 201)
def note_refund(request: Call, order: InAddress, body: RefundIn) -> dict[str, object]:
    """A refund of an order, once for its number."""
    return _show(
        do_note_return(
            request.auth.community, number=order, refund=body.refund, by=request.auth.actor,
            amount_minor=body.amount_minor, refunded_at=body.refunded_at,
        )
    )  # fmt: skip
