"""A member's orders: what was bought, why it cost that, and asking for the money back."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.gifts import list_plays, state_of, titled
from qunluo.campaigns.hearing import do_follow
from qunluo.campaigns.models import Purchase
from qunluo.commerce.actions import do_cancel, do_refund
from qunluo.commerce.models import Order, OrderLine, Refund
from qunluo.commerce.queries import list_missed
from qunluo.commerce.rules import may_ask_back
from qunluo.commerce.words import PHASES, REFUNDS, STATES, VERDICTS
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import in_words, lang, one_line, page
from qunluo.h5.scenes.scene import say
from qunluo.h5.shopping import till_address
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.members.models import Member

SHOWN = 50


class ReasonMissingError(QunluoError):
    code = "reason_missing"
    sentence = Text(
        "Say why in a few words: it helps the team to do better.",
        "请简单说明退款原因，方便我们改进。",
    )


@require_safe
def orders(request: HttpRequest, member_id: int) -> HttpResponse:
    """All orders of a member, the latest first."""
    member = find_own(request, member_id)
    rows = Order.objects.filter(member=member).prefetch_related("lines").order_by("-pk")[:SHOWN]
    context = {
        "member": member,
        "rows": [(row, _money(row, row.total_minor), _state(row)) for row in rows],
    }
    return page(request, "orders.html", context)


def _find(member: Member, order_id: int) -> Order:
    rows = Order.objects.filter(member=member).select_related("community", "member")
    return get_object_or_404(rows, pk=order_id)


def _money(row: Order, minor: int) -> str:
    return format_money(minor, row.currency, lang())


def _state(row: Order) -> str:
    return STATES[row.state](lang())


@require_safe
def order(request: HttpRequest, member_id: int, order_id: int) -> HttpResponse:
    """One order: its lines with the reasons of their price, money both ways, and what one can
    do about it."""
    member = find_own(request, member_id)
    row = _find(member, order_id)
    bought = Purchase.objects.filter(order=row).select_related("campaign").first()
    context = {
        "member": member, "row": row, "state": _state(row), "total": _money(row, row.total_minor),
        "lines": [_line(row, line) for line in row.lines.select_related("variant__product").order_by("pk")],
        "shipping": _money(row, row.shipping_minor) if row.shipping_minor else "",
        "missed": [(one.words(lang()), one.why(lang())) for one in list_missed(row)],
        "payments": [(one, _money(row, one.amount_minor), VERDICTS[one.verdict](lang()))
                     for one in row.payments.order_by("pk")],
        "refunds": [_refund(row, one) for one in row.refunds.order_by("pk")],
        "coupons": list(row.coupons.order_by("pk")), "may_cancel": may_cancel(row),
        "gifts": [(state_of(one), titled(row.community, state_of(one).gift))
                  for one in list_plays(row)],
        "bought": bought, "may_refund": may_refund(row), "key": secrets.token_urlsafe(12),
        "back": _money(row, row.left_minor),
    }  # fmt: skip
    return page(request, "order.html", context)


def _line(row: Order, line: OrderLine) -> dict[str, Any]:
    """A line, and how its price came about: the list price, and each reason in its turn."""
    whys = [(f"{PHASES[why['phase']](lang())}: {in_words(why)}", _points(why), _money(row, why["minor"]))
            for why in line.reasons]  # fmt: skip
    return {
        "line": line, "list": _money(row, line.list_minor * line.quantity), "whys": whys,
        "amount": _money(row, line.amount_minor), "again": _again(row, line),
    }  # fmt: skip


def _again(row: Order, line: OrderLine) -> str:
    """Where the same is bought once more, as long as it is on sale."""
    variant, over = (
        line.variant,
        row.state in ("completed", "fulfilled", "expired", "cancelled"),
    )
    there = variant.active and variant.product.state == "on_sale"
    return till_address(row.member, variant, line.quantity) if over and there else ""


def _points(why: dict[str, Any]) -> str:
    return say("{n} points", "{n} 积分", n=why["points"]) if why.get("points") else ""


def _refund(row: Order, refund: Refund) -> dict[str, Any]:
    return {"row": refund, "amount": _money(row, refund.amount_minor),
            "state": REFUNDS[refund.state](lang())}  # fmt: skip


def may_refund(row: Order) -> bool:
    """Whether a member gets the money back by asking: as long as nothing has gone out. After
    that goods come back first, and the team decides."""
    fresh = row.state == "paid" and not row.elsewhere and row.left_minor > 0
    return fresh and may_ask_back(row.state, row.completed_at, clock.now())


@require_POST
@in_sentences
def ask_back(request: HttpRequest, member_id: int, order_id: int) -> HttpResponse:
    """All that is left of what was paid goes back; once, however often it is asked."""
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    row, why = _find(member, order_id), one_line(request.POST.get("why"), 200)
    if not why:
        raise ReasonMissingError
    key = one_line(request.POST.get("key"), 60)
    if may_refund(row) or row.refunds.filter(key=f"asked:{key}").exists():
        do_refund(row, why=why, by=member.actor, key=f"asked:{key}")
        do_follow(row)
        return redirect("h5:order", member.pk, row.pk)
    return page(request, "told.html", {"title": _("That did not work"), "me": True,
                                       "words": too_late()}, 400)  # fmt: skip


@require_POST
@in_sentences
def cancel(request: HttpRequest, member_id: int, order_id: int) -> HttpResponse:
    """Calls off an order of the shop that is not paid: its coupon is free again."""
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    row = _find(member, order_id)
    if may_cancel(row):
        do_cancel(row, _("Called off by the buyer"), member.actor)
        do_follow(row)  # its coupon can be used at once
    return redirect("h5:order", member.pk, row.pk)


def may_cancel(row: Order) -> bool:
    """What a campaign asked for is called off in the campaign, by its own rules."""
    return row.state == "created" and not row.elsewhere and not row.source


def too_late() -> str:
    return _("Nothing can be given back by itself here: the goods are on their way, or the order "
             "is over. Ask the team in your group.")  # fmt: skip
