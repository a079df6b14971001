"""Answers of these pages: a sentence that something went well or wrong, and where to go then."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from qunluo.console.access import StaffRequest
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
REFUSED = 400
LARGEST = 2**63 - 1  # of an id


def telling(view: View[P]) -> View[P]:
    """An error that a person can put right comes back as its sentence: as JSON to a script, on
    the page they came from to everybody else."""

    @wraps(view)
    def told(request: StaffRequest, *args: P.args, **named: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **named)
        except QunluoError as error:
            sentence = error.message(current_lang())
            if asks_as_script(request):
                return JsonResponse({"error": sentence, "code": error.code}, status=REFUSED)
            messages.error(request, sentence)
            return back(request)

    return cast(View[P], told)  # what `wraps` returns is a class of its own to the type checker


def asks_as_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def back(request: HttpRequest, otherwise: str = "people:members") -> HttpResponse:
    """To the page that asked, where it is one of ours."""
    came_from = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    return redirect(came_from if ours else otherwise)


def done(request: HttpRequest, sentence: str, to: str, *args: Any) -> HttpResponse:
    """Says that it went well, on the next page."""
    messages.success(request, sentence)
    return redirect(to, *args)


def found(rows: QuerySet[M], row_id: int | str) -> M:
    """The row with an id, or "not found": also for what is no id and for somebody else's row."""
    text = str(row_id)
    if not text.isascii() or not text.isdecimal() or int(text) > LARGEST:
        raise Http404
    row = rows.filter(pk=int(text)).first()
    if row is None:
        raise Http404
    return row


def number_in(request: HttpRequest, name: str) -> int | None:
    """A whole number in the address, or none."""
    text = request.GET.get(name, "")
    plain = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if plain else None
