"""Orders: what waits, one order with the reasons of its price, and giving money back."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.gifts import list_plays, state_of, titled
from qunluo.commerce.errors import WrongRefundError
from qunluo.commerce.models import Order, Refund
from qunluo.commerce.ordering import do_cancel, do_complete, do_fulfil, why_not_to_ship
from qunluo.commerce.queries import (
    count_waiting,
    list_missed,
    list_orders,
    list_refunds_in_trouble,
)
from qunluo.commerce.refunding import do_confirm_refund, do_refund, do_send_again, plan
from qunluo.commerce.rules import PAID, RefundPlan
from qunluo.community.rules import may
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, number_in, telling
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import format_money, read_money
from qunluo.kit.sealed import WrongKeyError, unseal

PAGE = 50
TABS = ("", "paid", "created", "fulfilled", "completed", "refunded", "cancelled", "expired")


@staff_view("see_shop")
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    return redirect("shop:orders")


@staff_view("see_shop")
@require_safe
def orders(request: StaffRequest) -> HttpResponse:
    """Orders, the latest first, of a state or of somebody."""
    state = request.GET.get("state", "")
    state = state if state in TABS else ""
    text = request.GET.get("who", "")[:100]
    rows = list_orders(request.community, state=state, text=text,
                       before=number_in(request, "before"))  # fmt: skip
    shown = list(rows[: PAGE + 1])
    context = {
        "rows": shown[:PAGE], "next": shown[PAGE - 1].pk if len(shown) > PAGE else None,
        "state": state, "tabs": TABS, "who": text, "count": count_waiting(request.community),
        "trouble": list_refunds_in_trouble(request.community)[:PAGE],
    }  # fmt: skip
    return render(request, "console/shop/orders.html", context)


def _find(request: StaffRequest, order_id: int) -> Order:
    rows = Order.objects.filter(community=request.community)
    return found(rows.select_related("community", "member"), order_id)


@staff_view("see_shop")
@require_safe
def order(request: StaffRequest, order_id: int) -> HttpResponse:
    """One order: what was bought and why it cost that, what was paid and given back."""
    return page(request, _find(request, order_id))


def page(request: StaffRequest, row: Order, **more: Any) -> HttpResponse:
    refunds = row.refunds.prefetch_related("lines__line").order_by("pk")
    keeps = why_not_to_ship(row) if row.state == "paid" else None
    context = {
        "row": row, "lines": row.lines.order_by("pk"), "missed": list_missed(row),
        "payments": row.payments.order_by("pk"), "refunds": refunds,
        "address": _address(request, row), "keeps": keeps, "key": secrets.token_hex(8),
        "may_refund": row.state in PAID and not row.elsewhere,
        "coupons": row.coupons.select_related("reward__campaign").order_by("pk"),
        "gifts": [(one.campaign, state_of(one), titled(row.community, state_of(one).gift))
                  for one in list_plays(row)], **more,
    }  # fmt: skip
    status = REFUSED if more.get("refused") else 200
    return render(request, "console/shop/order.html", context, status=status)


def _address(request: StaffRequest, row: Order) -> str:
    """For whoever sends it, and nobody else."""
    if not row.address_sealed or not may(request.staff.role, "run_shop"):
        return ""
    try:
        return unseal(row.address_sealed, settings.SECRET_KEY)
    except WrongKeyError as error:
        return error.message(current_lang())


@staff_view("run_shop")
@require_POST
@telling
def move(request: StaffRequest, order_id: int) -> HttpResponseBase:
    """Sends it, notes that it arrived, or calls it off."""
    row, by = _find(request, order_id), request.staff.actor
    act = request.POST.get("act", "")
    if act == "fulfil":
        do_fulfil(row, by=by, note=request.POST.get("note", ""))
        said = _("Its goods went out.")
    elif act == "complete":
        do_complete(row, by=by)
        said = _("It has arrived.")
    else:
        do_cancel(row, request.POST.get("why", ""), by)
        said = _("Called off: what was held for it is free again.")
    return done(request, said, "shop:order", row.pk)


# giving back


@staff_view("refund")
@require_POST
@telling
def refund(request: StaffRequest, order_id: int) -> HttpResponseBase:
    """First says what would be given back; the second time, with the key of that page, does
    it."""
    row = _find(request, order_id)
    restock = "restock" in request.POST
    try:
        wanted = _read(request, row)
        seen = plan(row, restock=restock, **wanted)
    except QunluoError as error:
        return page(request, row, refused=error.message(current_lang()), typed=request.POST)
    if "really" not in request.POST:
        return page(request, row, plan=seen, restock=restock, wanted=wanted["lines"] or {},
                    typed=request.POST, pieces_back=count_back(seen))  # fmt: skip
    made = do_refund(
        row, why=request.POST.get("why", ""), by=request.staff.actor, restock=restock,
        key=f"console:{request.POST.get('key', '')[:40]}", **wanted,
    )  # fmt: skip
    return done(request, _say(row, made), "shop:order", row.pk)


def _read(request: StaffRequest, row: Order) -> dict[str, Any]:
    """The pieces and the amount that were typed; neither: all that is left."""
    lines = {}
    for line in row.lines.all():
        typed = request.POST.get(f"line-{line.pk}", "").strip()
        if typed.isascii() and typed.isdecimal() and int(typed[:9]) > 0:
            lines[line.pk] = int(typed[:9])
    amount = request.POST.get("amount", "").strip()
    minor = read_money(amount, row.currency) if amount else None
    if not lines and minor is None and "all" not in request.POST:
        raise WrongRefundError(left=format_money(row.left_minor, row.currency, current_lang()))
    return {"lines": lines or None, "amount_minor": minor}


def _say(row: Order, made: Refund) -> str:
    amount = format_money(made.amount_minor, row.currency, current_lang())
    return _("{amount} goes back. You see below when it has arrived.").format(amount=amount)


def _find_refund(request: StaffRequest, refund_id: int) -> Refund:
    rows = Refund.objects.filter(order__community=request.community)
    return found(rows.select_related("order"), refund_id)


@staff_view("refund")
@require_POST
@telling
def settle(request: StaffRequest, refund_id: int) -> HttpResponseBase:
    """A refund that needs a person: it was given back by hand, or is tried again."""
    row = _find_refund(request, refund_id)
    if request.POST.get("act") == "again":
        do_send_again(row, by=request.staff.actor)
        said = _("It is sent again.")
    else:
        do_confirm_refund(row, by=request.staff.actor)
        said = _("Noted: the money was given back by hand.")
    return done(request, said, "shop:order", row.order_id)


def count_back(seen: RefundPlan) -> int:
    """How many pieces come back."""
    return sum(line.quantity for line in seen.lines)
