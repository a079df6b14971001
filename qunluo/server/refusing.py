"""Refusals in the room of who asked: members read members' words, staff the console's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from qunluo.console import views
from qunluo.h5 import refusals
from qunluo.h5.urls import urlpatterns

OF_MEMBERS = frozenset(str(page.pattern).partition("/")[0] for page in urlpatterns)


def _is_member(request: HttpRequest) -> bool:
    return request.path.split("/")[1] in OF_MEMBERS


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_member(request):
        return refusals.not_found(request)
    return views.not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    return refusals.broken(request) if _is_member(request) else views.broken(request)


def refuse_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    if _is_member(request):
        return refusals.forged(request)
    return views.refuse_forged(request, reason)
