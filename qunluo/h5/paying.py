"""Paying for an order: choosing how, being led there, coming back, and the sandbox's own page."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import segno
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from qunluo.campaigns.models import Purchase
from qunluo.commerce.models import Order
from qunluo.commerce.provider import (
    Begun,
    NoProviderError,
    PaymentProvider,
    Way,
    find_provider,
)
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import lang, page, told
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.members.models import Identity
from qunluo.payments.beginning import begin, list_ways, may_pay
from qunluo.payments.door import hear
from qunluo.payments.offline.actions import find_account
from qunluo.payments.sandbox import house
from qunluo.payments.sandbox.signing import Ticket, read_ticket

CODE_SALT = "qunluo.pay.code"
NAMES = {
    "sandbox": Text("Play money", "模拟付款"),
    "offline": Text("Bank transfer", "银行转账"),
    "wechat": Text("WeChat Pay", "微信支付"),
}
FORM = require_http_methods(["GET", "HEAD", "POST"])


def _find(request: HttpRequest, member_id: int, number: str) -> Order:
    rows = Order.objects.filter(member=find_own(request, member_id), elsewhere=False)
    return get_object_or_404(rows.select_related("community", "member"), number=number)


@FORM
@in_sentences
def pay(request: HttpRequest, member_id: int, number: str) -> HttpResponse:
    """What is to be paid and how; what became of it."""
    order = _find(request, member_id, number)
    if request.method == "POST" and may_pay(order):
        limit(request, "act", order.member_id)
        return _lead(request, order, request.POST.get("provider", ""))
    context = {
        "order": order, "amount": _money(order.total_minor, order.currency),
        "lines": order.lines.order_by("pk"), "payable": may_pay(order),
        "ways": [(p.name, _name(p), p.capabilities) for p in list_ways(order)],
        "back": "back" in request.GET, "failed": "failed" in request.GET,
        "returned": order.payments.exclude(verdict="taken").order_by("-pk").first(),
        "paid": order.state in ("paid", "fulfilled", "completed"),
        "origin": Purchase.objects.filter(order=order).select_related("campaign").first(),
    }  # fmt: skip
    return page(request, "pay.html", context)


def _name(provider: PaymentProvider) -> str:
    return NAMES.get(provider.name, Text(provider.name, provider.name))(lang())


def _money(minor: int, currency: str) -> str:
    return format_money(minor, currency, lang())


def _lead(request: HttpRequest, order: Order, name: str) -> HttpResponse:
    here = reverse("h5:pay", args=[order.member_id, order.number]) + "?back=1"
    account = _account(order) if name == "wechat" else ""
    begun = begin(
        order, name, return_url=request.build_absolute_uri(here),
        way=_way(request, find_provider(name), account), account=account,
        address=request.META.get("REMOTE_ADDR", ""), lang=lang(),
    )  # fmt: skip
    return _show(request, order, begun, here)


def _account(order: Order) -> str:
    """Who the payer is with WeChat, where we know."""
    rows = Identity.objects.filter(member=order.member_id, channel="wechat")
    return rows.order_by("-pk").values_list("external_id", flat=True).first() or ""


def _way(request: HttpRequest, provider: PaymentProvider, account: str) -> Way | None:
    """The easiest way for this browser among those the provider has."""
    agent = request.headers.get("User-Agent", "")
    inside, phone = "MicroMessenger" in agent, "Mobile" in agent
    wished: Way = "jsapi" if inside and account else "redirect" if phone else "qr"
    return wished if wished in provider.capabilities.ways else None


def _show(request: HttpRequest, order: Order, begun: Begun, here: str) -> HttpResponse:
    url = str(begun.data.get("url", ""))
    if begun.kind == "redirect" and not urlsplit(url).netloc:
        return redirect(url)
    context = {
        "order": order, "amount": _money(order.total_minor, order.currency), "url": url,
        "kind": begun.kind, "data": dict(begun.data), "here": here,
        "account": find_account(order.community),
        "code": signing.dumps(begun.data.get("text", ""), salt=CODE_SALT),
    }  # fmt: skip
    return page(request, "pay_on.html", context)


@require_safe
def code(request: HttpRequest, token: str) -> HttpResponse:
    """The picture of a code that only we could ask for."""
    try:
        text = signing.loads(token, salt=CODE_SALT)
    except signing.BadSignature:
        raise Http404 from None
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="svg", scale=6, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


# the sandbox


def _find_ticket(token: str) -> Ticket:
    found = read_ticket(token)
    try:
        find_provider(house.NAME)
    except NoProviderError:
        raise Http404 from None
    if found is None:
        raise Http404
    return found


@FORM
@in_sentences
def sandbox(request: HttpRequest, token: str) -> HttpResponse:
    """Where play money is paid; it looks like nobody's real checkout."""
    ticket = _find_ticket(token)
    if request.method == "POST":
        limit(request, "act", ticket.number)
        return _tap(request, ticket, request.POST.get("do", ""))
    context = {
        "ticket": ticket, "amount": _money(ticket.amount_minor, ticket.currency),
        "paid": house.is_paid(ticket.number),
    }  # fmt: skip
    response = page(request, "sandbox.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


def _tap(request: HttpRequest, ticket: Ticket, what: str) -> HttpResponse:
    if what == "fail":
        return redirect(f"{ticket.return_url}&failed=1")
    move = house.do_pay(ticket, late=what == "late")
    if what == "late":
        words = _("The money arrives a minute after the time to pay is over. Then it goes back "
                  "by itself.")  # fmt: skip
        return told(request, _("Late, as you wished"), words, me=True)
    house.tell(move, hear)
    return redirect(ticket.return_url)
