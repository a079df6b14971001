"""The shop as members meet it: what is on sale, one product, and the till with their coupons."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.campaigns.checkout import Choice, Till, do_buy, look
from qunluo.campaigns.errors import CouponTakenError, GiftGoneError, PriceChangedError
from qunluo.campaigns.gifts import Promise, titled
from qunluo.campaigns.mechanics.gift import FREE
from qunluo.channels.web.images import CONTENT_TYPE
from qunluo.channels.web.product_images import find_product_image
from qunluo.commerce.catalogue import list_products, list_stock
from qunluo.commerce.errors import SoldOutError
from qunluo.commerce.models import Product, Variant
from qunluo.commerce.ordering import MOST_OF_ONE, Ask, Delivery
from qunluo.commerce.pricing import PricedLine
from qunluo.commerce.words import PHASES
from qunluo.community.queries import settings_of
from qunluo.h5.limits import limit
from qunluo.h5.own import find_own, in_sentences
from qunluo.h5.pages import lang, one_line, page
from qunluo.h5.scenes.scene import say
from qunluo.kit.money import format_money
from qunluo.members.models import Member

SHOWN = 60
FEW = 10  # pieces left, of which a page says how many
MOVED = (PriceChangedError, CouponTakenError, GiftGoneError, SoldOutError)  # look again


# what there is


@require_safe
def shop(request: HttpRequest, member_id: int) -> HttpResponse:
    """All that is on sale, the newest first."""
    member = find_own(request, member_id)
    found = list(list_products(member.community, "on_sale")[:SHOWN])
    stock = list_stock([v for one in found for v in one.variants.all()])
    rows = [_listed(member, one, stock) for one in found]
    return page(request, "shop.html", {"member": member, "rows": [r for r in rows if r]})


def _listed(member: Member, row: Product, stock: Any) -> dict[str, Any] | None:
    """A product as the list shows it: from which price on, and whether there is any left."""
    active = [one for one in row.variants.all() if one.active]
    if not active:
        return None
    prices = [one.list_minor for one in active]
    return {
        "product": row, "price": _money(member, min(prices)),
        "from": min(prices) != max(prices),
        "left": any(stock[one.pk].available > 0 for one in active),
    }  # fmt: skip


def _money(member: Member, minor: int) -> str:
    return format_money(minor, settings_of(member.community).currency, lang())


def _find(member: Member, product_id: int) -> Product:
    return get_object_or_404(list_products(member.community, "on_sale"), pk=product_id)


@require_safe
def product(request: HttpRequest, member_id: int, product_id: int) -> HttpResponse:
    """One product, its variants and how many there are of each."""
    member = find_own(request, member_id)
    row = _find(member, product_id)
    active = [one for one in row.variants.all() if one.active]
    stock = list_stock(active)
    left = {one.pk: max(0, stock[one.pk].available) for one in active}
    first = next((one.pk for one in active if left[one.pk]), None)
    context = {
        "member": member, "product": row, "most": MOST_OF_ONE,
        "variants": [_offered(member, one, left[one.pk], one.pk == first) for one in active],
        "there": first is not None,
    }  # fmt: skip
    return page(request, "product.html", context)


def _offered(member: Member, row: Variant, left: int, first: bool) -> dict[str, Any]:
    few = say("{n} left", "仅剩 {n} 件", n=left) if left <= FEW else ""
    return {"row": row, "name": row.title or row.product.title, "first": first, "left": left,
            "price": _money(member, row.list_minor),
            "stock": few if left else say("Sold out", "已售罄")}  # fmt: skip


@require_safe
def picture(request: HttpRequest, member_id: int, product_id: int) -> HttpResponseBase:
    """The picture, as a picture and nothing else."""
    path = find_product_image(_find(find_own(request, member_id), product_id).image)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=300"
    return response


# the till


@require_safe
@in_sentences
def till(request: HttpRequest, member_id: int) -> HttpResponse:
    """What it costs with the best coupons, or with those that are ticked, and why."""
    member = find_own(request, member_id)
    return _show(request, member, request.GET)


def _show(
    request: HttpRequest, member: Member, given: QueryDict, why: str = ""
) -> HttpResponse:  # fmt: skip
    asks, chosen = _asks(member, given), _chosen(given)
    seen = look(member, asks, chosen=chosen)
    context = {
        "member": member, "ask": asks[0], "why": why, "key": secrets.token_urlsafe(12),
        "product": asks[0].variant.product, "chosen": seen.chosen, "most": MOST_OF_ONE,
        "lines": [_line(member, one, asks) for one in seen.priced.lines],
        "total": _money(member, seen.priced.total_minor), "minor": seen.priced.total_minor,
        "saved": _saved(member, seen, asks),
        "choices": [_choice(member, one) for one in seen.choices],
        "gifts": [_gift(member, one) for one in seen.promises],
    }  # fmt: skip
    return page(request, "till.html", context, 409 if why else 200)


def _asks(member: Member, given: QueryDict) -> list[Ask]:
    """What is to be bought: one variant, so many pieces."""
    rows = Variant.objects.filter(
        community=member.community_id, active=True, product__state="on_sale"
    )
    variant = get_object_or_404(
        rows.select_related("product"), pk=_number(given.get("variant"))
    )
    return [Ask(variant, _number(given.get("quantity")) or 1)]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else 0


def _chosen(given: QueryDict) -> Collection[int] | None:
    """The coupons that are ticked; None: whichever are best."""
    if "by_hand" not in given:
        return None
    return {_number(one) for one in given.getlist("coupon")}


def _line(member: Member, line: PricedLine, asks: Sequence[Ask]) -> dict[str, Any]:
    variant = next(ask.variant for ask in asks if str(ask.variant.pk) == line.line.key)
    whys = [(f"{PHASES[why.phase](lang())}: {why.words(lang())}", _signed(member, why.minor))
            for why in line.reasons]  # fmt: skip
    return {"title": variant.shown, "quantity": line.line.quantity, "whys": whys,
            "list": _money(member, line.line.whole_minor)}  # fmt: skip


def _signed(member: Member, minor: int) -> str:
    return f"−{_money(member, -minor)}" if minor < 0 else _money(member, minor)


def _saved(member: Member, seen: Till, asks: Sequence[Ask]) -> str:
    whole = sum(ask.quantity * ask.variant.list_minor for ask in asks)
    saved = whole - seen.priced.goods_minor
    return _money(member, saved) if saved > 0 else ""


def _choice(member: Member, one: Choice) -> dict[str, Any]:
    return {
        "row": one.coupon, "chosen": one.chosen, "usable": one.usable,
        "off": _signed(member, -one.off_minor) if one.off_minor else "",
        "why": one.why(lang()) if one.why else "",
    }  # fmt: skip


def _gift(member: Member, one: Promise) -> str:
    """What comes with it, or how much more it takes."""
    name = one.campaign.name
    if one.gift == FREE:
        return say("“{name}”: the {n} cheapest are free.", "“{name}”：最便宜的 {n} 件免费。",
                   name=name, n=one.quantity)  # fmt: skip
    if one.gift:
        return say("“{name}”: {gift} × {n} comes with it.", "“{name}”：随单赠 {gift} × {n}。",
                   name=name, gift=titled(member.community, one.gift), n=one.quantity)  # fmt: skip
    return say("“{name}”: {more} more, and a gift comes with it.",
               "“{name}”：再买 {more} 即可获赠品。", name=name,
               more=_money(member, one.missing_minor or 0))  # fmt: skip


@require_POST
@in_sentences
def order(request: HttpRequest, member_id: int) -> HttpResponse:
    """Orders at the price that the page showed, and leads on to paying. What changed meanwhile
    is shown first, and nothing is ordered."""
    member = find_own(request, member_id)
    limit(request, "act", member.pk)
    given = request.POST
    try:
        made = do_buy(
            member, _asks(member, given), key=one_line(given.get("key"), 60),
            total_minor=_number(given.get("total")), chosen=_chosen(given), by=member.actor,
            to=_delivery(given),
        )  # fmt: skip
    except MOVED as error:
        return _again(request, member, error.message(lang()))
    if made.state == "created":
        return redirect("h5:pay", member.pk, made.number)
    return redirect("h5:order", member.pk, made.pk)


def _delivery(given: QueryDict) -> Delivery:
    return Delivery(address=one_line(given.get("address"), 200),
                    note=one_line(given.get("note"), 200))  # fmt: skip


def _again(request: HttpRequest, member: Member, why: str) -> HttpResponse:
    """The till as it is now; what is sold out leads to its product, with the reason."""
    asks = _asks(member, request.POST)
    left = list_stock([ask.variant for ask in asks])[asks[0].variant.pk].available
    if left >= asks[0].quantity:
        return _show(request, member, _best(request.POST), why)
    context = {"title": _("That did not work"), "words": why, "me": True,
               "on": product_address(member, asks[0].variant)}  # fmt: skip
    return page(request, "told.html", context, 409)


def _best(given: QueryDict) -> QueryDict:
    """What was chosen may be gone: the best there is now."""
    fresh = given.copy()
    fresh.pop("by_hand", None)
    return fresh


def product_address(member: Member, row: Variant) -> str:
    return reverse("h5:product", args=[member.pk, row.product_id])


def till_address(member: Member, row: Variant, quantity: int = 1) -> str:
    """Straight to the till: one screen before paying, for who knows what they want."""
    query = urlencode({"variant": row.pk, "quantity": quantity})
    return f"{reverse('h5:till', args=[member.pk])}?{query}"
