"""Addresses of members' pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from qunluo.h5 import joining, looks, mine, out, rooms

app_name = "h5"

EVERYBODY = "everybody: an invitation, and what its page is made of"
SEATED = "members of the group, by the signed cookie of their session"
OWNER = "the member it is about, by the signed cookie of their session"

View = Callable[..., HttpResponseBase]


def _open(route: str, view: View, name: str, *, to: str) -> URLPattern:
    """An address that no role of the staff guards; `to` says who it is for and what guards it."""
    shown: Any = view
    shown.open_to = to
    return path(route, view, name=name)


urlpatterns = [
    _open("h5/<str:version>/<str:name>", looks.look, "look", to=EVERYBODY),
    _open("j/<slug:code>", joining.join, "join", to=EVERYBODY),
    _open("j/<slug:code>/qr.svg", joining.qr, "qr", to=EVERYBODY),
    _open("r/<slug:code>", rooms.room, "room", to=SEATED),
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
    _open("me", mine.me, "me", to=OWNER),
    _open("me/sign-out", mine.sign_out, "sign_out", to=OWNER),
    _open("me/cases/<int:case_id>/appeal", out.appeal, "appeal", to=OWNER),
    _open("me/<int:member_id>/name", mine.rename, "rename", to=OWNER),
    _open("me/<int:member_id>/consent", mine.consent, "consent", to=OWNER),
    _open("me/<int:member_id>/forget-place", mine.forget_place, "forget_place", to=OWNER),
    _open("me/<int:member_id>/opt-out", mine.opt_out, "opt_out", to=OWNER),
    _open("me/<int:member_id>/export", mine.export, "export", to=OWNER),
    _open("me/<int:member_id>/erase", mine.erase, "erase", to=OWNER),
    _open("me/<int:member_id>/leave/<int:seat_id>", mine.leave, "leave", to=OWNER),
]
