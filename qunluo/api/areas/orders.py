"""Orders: those that another shop or till took are noted, our own are read, sent, given back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Path, Query, Schema
from pydantic import Field

from qunluo.api.areas.members import find_member
from qunluo.api.areas.shop import Key, find_variant
from qunluo.api.errors import NotThereError
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Instant, Name, Number, Why
from qunluo.commerce import ordering, refunding
from qunluo.commerce.models import Order, Refund
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


class AskIn(Schema):
    variant_id: Number
    quantity: Annotated[int, Field(ge=1, le=ordering.MOST_OF_ONE)] = 1


class CheckoutIn(Schema):
    """What a member orders here. `key` names the order: again, it is the same one."""

    member_id: Number
    lines: list[AskIn] = Field(min_length=1, max_length=ordering.MOST_LINES)
    key: Key
    pay_by: Instant | None = None
    address: str = Field("", max_length=500)
    shipping_minor: Minor = 0


class LineOut(Schema):
    """`reasons` say why it costs `amount_minor`, in English and Chinese."""

    id: int
    variant_id: int
    title: str
    sku: str
    quantity: int
    list_minor: int
    amount_minor: int
    returned: int
    reasons: list[dict[str, Any]]


class SoldOut(Schema):
    """An order with its lines; one that another shop took has none."""

    order: str
    member_id: int
    state: Literal[
        "created", "paid", "fulfilled", "completed", "cancelled", "expired", "refunded"
    ]  # fmt: skip
    currency: str
    total_minor: int
    shipping_minor: int
    paid_minor: int
    refunded_minor: int
    elsewhere: bool
    source: str
    at: datetime
    pay_by: datetime | None
    paid_at: datetime | None
    lines: list[LineOut]


class OrdersAsked(Paging):
    state: Literal["created", "paid", "fulfilled", "completed", "cancelled", "expired",
                   "refunded", "any"] = "any"  # fmt: skip
    member_id: Number | None = None


class ReturnLineIn(Schema):
    line_id: Number
    quantity: Annotated[int, Field(ge=1, le=ordering.MOST_OF_ONE)]


class ReturnIn(Schema):
    """What goes back of an order that was taken here: pieces, an amount, or all that is left.
    With `dry_run` nothing is done, and the answer says what would be."""

    key: Key
    why: Why
    lines: list[ReturnLineIn] = Field(default_factory=list, max_length=50)
    amount_minor: Minor | None = None
    restock: bool | None = None
    dry_run: bool = False


class ReturnOut(Schema):
    """`state` says how far the money is; null for a dry run."""

    number: str | None
    state: Literal["asked", "sending", "sent", "by_hand", "done", "failed"] | None
    amount_minor: int
    points: int
    whole: bool


class CancelIn(Schema):
    why: Why


class SentIn(Schema):
    note: str = Field("", max_length=120)


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


# our own


def _show_order(row: Order) -> dict[str, Any]:
    names = [name for name in SoldOut.model_fields if name not in ("order", "lines")]
    shown = {name: getattr(row, name) for name in names}
    return {**shown, "order": row.number, "lines": list(row.lines.order_by("pk"))}


def _find(request: Call, number: str) -> Order:
    rows = Order.objects.filter(community=request.auth.community, number=number)
    found = rows.select_related("community", "member").first()
    if found is None:
        raise NotThereError
    return found


@area.get("/orders", "shop:read", Page[SoldOut])
def list_orders(request: Call, asked: Query[OrdersAsked]) -> dict[str, Any]:
    """Orders taken here, and those that other shops told of; the latest first."""
    rows = Order.objects.filter(community=request.auth.community)
    rows = rows if asked.state == "any" else rows.filter(state=asked.state)
    rows = rows.filter(member=asked.member_id) if asked.member_id else rows
    return cut(rows, asked, of="orders", show=_show_order)


@area.get("/orders/{order}", "shop:read", SoldOut)
def read_order(request: Call, order: InAddress) -> dict[str, Any]:
    """One order, and why it costs what it costs."""
    return _show_order(_find(request, order))


@area.post("/checkouts", "shop:write", SoldOut, 201)
def take_order(request: Call, body: CheckoutIn) -> dict[str, Any]:
    """Orders for a member: the price is reckoned and the pieces are held until it is paid."""
    member = find_member(request, body.member_id)
    asks = [ordering.Ask(find_variant(request, n.variant_id), n.quantity) for n in body.lines]
    made = ordering.do_order(
        request.auth.community, member, asks, key=f"api:{body.key}", by=request.auth.actor,
        pay_by=body.pay_by,
        to=ordering.Delivery(address=body.address, shipping_minor=body.shipping_minor),
    )  # fmt: skip
    return _show_order(made)


@area.post("/orders/{order}/cancel", "shop:write", SoldOut)
def cancel_order(request: Call, order: InAddress, body: CancelIn) -> dict[str, Any]:
    """Calls off an order that is not paid."""
    return _show_order(ordering.do_cancel(_find(request, order), body.why, request.auth.actor))


@area.post("/orders/{order}/fulfil", "shop:write", SoldOut)
def fulfil_order(request: Call, order: InAddress, body: SentIn) -> dict[str, Any]:
    """Notes that its goods went out."""
    row = _find(request, order)
    return _show_order(ordering.do_fulfil(row, by=request.auth.actor, note=body.note))


@area.post("/orders/{order}/complete", "shop:write", SoldOut)
def complete_order(request: Call, order: InAddress) -> dict[str, Any]:
    """Notes that it has arrived."""
    return _show_order(ordering.do_complete(_find(request, order), by=request.auth.actor))


@area.post("/orders/{order}/returns", "refunds:write", ReturnOut, 201)
def give_back(request: Call, order: InAddress, body: ReturnIn) -> dict[str, Any]:
    """Gives money of our own order back, once for its key; or says what that would be."""
    row = _find(request, order)
    lines = {line.line_id: line.quantity for line in body.lines} or None
    if body.dry_run:
        plan = refunding.plan(
            row, amount_minor=body.amount_minor, lines=lines, restock=body.restock
        )
        return {"number": None, "state": None, "amount_minor": plan.amount_minor,
                "points": plan.points, "whole": plan.whole}  # fmt: skip
    made: Refund = refunding.do_refund(
        row, amount_minor=body.amount_minor, lines=lines, why=body.why, by=request.auth.actor,
        key=f"api:{body.key}", restock=body.restock,
    )  # fmt: skip
    return {name: getattr(made, name) for name in ReturnOut.model_fields}
