"""The addresses as they are, and one where a row is refused that is all about a person."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from qunluo.members.models import Member
from qunluo.server.urls import handler400, handler404, handler500

__all__ = ["handler400", "handler404", "handler500"]


def broken(request: HttpRequest) -> HttpResponse:
    try:
        nobody = cast(int, None)
        Member.objects.create(community_id=nobody, name=request.GET["name"])
    except Exception as error:
        raise RuntimeError(f"{request.GET['name']} is refused: {request.POST}") from error
    return HttpResponse()


urlpatterns = [path("break", broken), path("", include("qunluo.server.urls"))]
