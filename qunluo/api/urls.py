"""Addresses of the API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from qunluo.api.api import api
from qunluo.api.errors import NotThereError, WrongMethodError
from qunluo.api.problems import as_problem

app_name = "api"
OPEN = "programs: each operation asks for a token of the scope it names"
View = Callable[..., HttpResponse]


def _with_problems(view: View) -> View:
    """A method that an address does not know is told as a problem, too."""

    @functools.wraps(view)
    def called(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        refusal = as_problem(request, WrongMethodError())
        refusal.headers["Allow"] = response.headers["Allow"]
        return refusal

    called.open_to = OPEN  # type: ignore[attr-defined]  # said on the view
    return called


@csrf_exempt
def not_there(request: HttpRequest) -> HttpResponse:
    """There is no such operation."""
    return as_problem(request, NotThereError())


not_there.open_to = "everybody: it says that there is nothing"  # type: ignore[attr-defined]  # said on the view


def _patterns() -> list[URLPattern]:
    found: list[URLPattern] = [p for p in api.urls[0] if isinstance(p, URLPattern)]
    for pattern in found:
        pattern.callback = _with_problems(pattern.callback)
    return found


urlpatterns = [*_patterns(), re_path("", not_there, name="not_there")]
