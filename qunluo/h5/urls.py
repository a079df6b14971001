"""Addresses of members' pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from qunluo.h5 import (
    buying,
    campaigning,
    coming,
    drawing,
    introducing,
    inviting,
    joining,
    looks,
    mine,
    out,
    paying,
    praising,
    pressing,
    rooms,
    shopping,
    wallet,
    wishing,
)

app_name = "h5"

EVERYBODY = "everybody: an invitation, and what its page is made of"
SEATED = "members of the group, by the signed cookie of their session"
LINKED = "the member who was sent this link, by its signature"
PAYER = "who pays, by an address that only we could sign"
PLAYERS = "members the campaign is for, by the signed cookie of their session"
INVITED = "everybody who has its poster; of one for some members, those and who they invite"
ASKED = "members it is for, and who was sent the signed link of the member who began it"
OWNER = "the member it is about, by the signed cookie of their session"

View = Callable[..., HttpResponseBase]


def _open(route: str, view: View, name: str, *, to: str) -> URLPattern:
    """An address that no role of the staff guards; `to` says who it is for and what guards it."""
    shown: Any = view
    shown.open_to = to
    return path(route, view, name=name)


_PRAISE = "me/<int:member_id>/testimonies"
_COMING = "me/<int:member_id>/gatherings"
_PRODUCT = "me/<int:member_id>/shop/<int:product_id>"
_DOUBT = "me/<int:member_id>/invites/<int:suspicion_id>"
urlpatterns = [
    # where crowds come, first
    _open("c/<slug:code>/press", pressing.press, "press", to=PLAYERS),
    _open("c/<slug:code>/do", campaigning.act, "act", to=PLAYERS),
    _open("h5/<str:version>/<str:name>", looks.look, "look", to=EVERYBODY),
    _open("j/<slug:code>", joining.join, "join", to=EVERYBODY),
    _open(
        "j/<slug:code>/said/<int:testimony_id>",
        praising.shown_image,
        "shown_image",
        to=EVERYBODY,
    ),
    _open("j/<slug:code>/qr.svg", joining.qr, "qr", to=EVERYBODY),
    _open("r/<slug:code>", rooms.room, "room", to=SEATED),
    _open("r/<slug:code>/campaigns", rooms.strip, "strip", to=SEATED),
    _open("r/<slug:code>/news", rooms.news, "news", to=SEATED),
    _open("r/<slug:code>/before", rooms.before, "before", to=SEATED),
    _open("r/<slug:code>/search", rooms.search, "search", to=SEATED),
    _open("r/<slug:code>/people", rooms.people, "people", to=SEATED),
    _open("r/<slug:code>/say", rooms.say, "say", to=SEATED),
    _open("r/<slug:code>/image", rooms.image, "image", to=SEATED),
    _open("r/<slug:code>/media/<str:name>", rooms.media, "media", to=SEATED),
    _open("r/<slug:code>/react", rooms.react, "react", to=SEATED),
    _open("r/<slug:code>/recall", rooms.recall, "recall", to=SEATED),
    _open("r/<slug:code>/read", rooms.read, "read", to=SEATED),
    _open("r/<slug:code>/nickname", rooms.nickname, "nickname", to=SEATED),
    _open("i/<str:token>", introducing.introduction, "introduction", to=LINKED),
    _open("i/<str:token>/answer", introducing.answer, "introduction_answer", to=LINKED),
    _open("c/<slug:code>", campaigning.campaign, "campaign", to=INVITED),
    _open("c/<slug:code>/p/<str:key>", campaigning.play, "play", to=ASKED),
    _open("c/<slug:code>/draws", drawing.draws, "draws", to=INVITED),
    _open("c/<slug:code>/draws.json", drawing.draws_file, "draws_file", to=INVITED),
    _open("c/<slug:code>/invite", inviting.share, "share", to=OWNER),
    _open("c/<slug:code>/poster.png", inviting.poster, "poster", to=OWNER),
    _open("c/<slug:code>/poster.svg", inviting.poster_svg, "poster_svg", to=OWNER),
    _open("me/<int:member_id>/invites", inviting.invites, "invites", to=OWNER),
    _open(f"{_DOUBT}/appeal", inviting.appeal, "appeal_invite", to=OWNER),
    _open("me", mine.me, "me", to=OWNER),
    _open("me/sign-out", mine.sign_out, "sign_out", to=OWNER),
    _open("me/cases/<int:case_id>/appeal", out.appeal, "appeal", to=OWNER),
    _open("me/<int:member_id>/name", mine.rename, "rename", to=OWNER),
    _open("me/<int:member_id>/consent", mine.consent, "consent", to=OWNER),
    _open("me/<int:member_id>/forget-place", mine.forget_place, "forget_place", to=OWNER),
    _open("me/<int:member_id>/opt-out", mine.opt_out, "opt_out", to=OWNER),
    _open("me/<int:member_id>/export", mine.export, "export", to=OWNER),
    _open("me/<int:member_id>/erase", mine.erase, "erase", to=OWNER),
    _open("me/<int:member_id>/wishes", wishing.wishes, "wishes", to=OWNER),
    _open("me/<int:member_id>/wishes/make", wishing.make, "make_wish", to=OWNER),
    _open("me/<int:member_id>/wishes/<int:wish_id>", wishing.wish, "wish", to=OWNER),
    _open("me/<int:member_id>/wishes/<int:wish_id>/vote", wishing.vote, "vote", to=OWNER),
    _open(_PRAISE, praising.testimonies, "testimonies", to=OWNER),
    _open(f"{_PRAISE}/<int:testimony_id>/allow", praising.allow, "allow_testimony", to=OWNER),
    _open(
        f"{_PRAISE}/<int:testimony_id>/delete", praising.delete, "delete_testimony", to=OWNER
    ),
    _open(f"{_PRAISE}/<int:testimony_id>/image", praising.image, "testimony_image", to=OWNER),
    _open(_COMING, coming.gatherings, "gatherings", to=OWNER),
    _open(f"{_COMING}/<int:gathering_id>", coming.gathering, "gathering", to=OWNER),
    _open(f"{_COMING}/<int:gathering_id>/seat", coming.seat, "gathering_seat", to=OWNER),
    _open(f"{_COMING}/<int:gathering_id>/code", coming.attend, "attend", to=OWNER),
    _open("me/<int:member_id>/points", wallet.points, "points", to=OWNER),
    _open("me/<int:member_id>/coupons", wallet.coupons, "coupons", to=OWNER),
    _open("me/<int:member_id>/rewards", wallet.rewards, "rewards", to=OWNER),
    _open("me/<int:member_id>/orders", buying.orders, "orders", to=OWNER),
    _open("me/<int:member_id>/orders/<int:order_id>", buying.order, "order", to=OWNER),
    _open(
        "me/<int:member_id>/orders/<int:order_id>/refund", buying.ask_back, "ask_back", to=OWNER
    ),
    _open("me/<int:member_id>/orders/<int:order_id>/cancel", buying.cancel, "cancel", to=OWNER),
    _open("me/<int:member_id>/shop", shopping.shop, "shop", to=OWNER),
    _open(_PRODUCT, shopping.product, "product", to=OWNER),
    _open(f"{_PRODUCT}/picture", shopping.picture, "product_picture", to=OWNER),
    _open("me/<int:member_id>/till", shopping.till, "till", to=OWNER),
    _open("me/<int:member_id>/till/order", shopping.order, "order_now", to=OWNER),
    _open("me/<int:member_id>/orders/<slug:number>/pay", paying.pay, "pay", to=OWNER),
    _open("sandbox/<str:token>", paying.sandbox, "sandbox", to=PAYER),
    _open("paying/code/<str:token>", paying.code, "pay_code", to=PAYER),
    _open("me/<int:member_id>/leave/<int:seat_id>", mine.leave, "leave", to=OWNER),
]
