"""Everything that goes wrong, as problem+json (RFC 9457)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language, get_language_from_request
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from qunluo.api import errors
from qunluo.kit.errors import QunluoError

MEDIA_TYPE = "application/problem+json"
CONFLICT, UNPROCESSABLE = 409, 422
_STATUS = {
    "no_token": 401, "not_allowed": 403, "no_scope": 403, "no_community": 404, "not_there": 404,
    "wrong_method": 405, "wrong_body": 400, "too_many_calls": 429, "broken": 500,
    "banned": 403, "why_missing": 422, "empty_message": 422, "no_name": 422, "no_field": 422,
    "care_words_missing": 422, "care_why_missing": 422, "few_seats": 422,
    "no_order": 404, "body_too_large": 413, "no_purpose": 422, "other_community": 422, "no_token_name": 422,
    "no_task": 422, "segment_name": 422, "group_too_long": 422, "no_blueprint": 404,
    "forged": 400, "no_provider": 422,
}  # fmt: skip
_TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found",
    405: "Method not allowed", 409: "Conflict", 413: "Too large",
    422: "Can't be used", 429: "Too many requests", 500: "Internal error",
}  # fmt: skip
E = TypeVar("E", bound=Exception)
logger = logging.getLogger("qunluo.api")


class WrongPart(Schema):
    """One value of a request that can't be used."""

    where: str = Field(examples=["body.name"])
    message: str


class Problem(Schema):
    """Why a request was not done. `code` is stable and for programs, `detail` for people, in
    the language of Accept-Language (English or Chinese)."""

    type: str = Field(examples=["urn:qunluo:problem:not_there"])
    title: str
    status: int
    detail: str
    code: str
    errors: list[WrongPart] = Field(default_factory=list)


def status_of(error: QunluoError) -> int:
    """What fits a failure: 422 where the values are wrong, else 409 where things stand so."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    return UNPROCESSABLE if error.code.startswith("wrong_") else CONFLICT


def as_problem(
    request: HttpRequest, error: QunluoError, wrong: list[dict[str, str]] | None = None
) -> HttpResponse:
    status = status_of(error)
    lang = get_language() or get_language_from_request(request)
    body = {
        "type": f"urn:qunluo:problem:{error.code}", "title": _TITLES[status],
        "status": status, "detail": error.message(lang), "code": error.code,
        "errors": wrong or [],
    }  # fmt: skip
    response = JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyCallsError):
        response.headers["Retry-After"] = str(error.data["wait_s"])
    return response


def answer_problems(api: NinjaAPI) -> None:
    """Every error of an operation leaves as a problem."""
    _answer(api, QunluoError, as_problem)
    _answer(api, ValidationError, _wrong_values)
    _answer(api, AuthenticationError, _no_token)
    _answer(api, HttpError, _http)
    _answer(api, Http404, _not_there)
    _answer(api, DataError, _unstorable)
    _answer(api, IntegrityError, _broken)
    _answer(api, Exception, _broken)


def _answer(
    api: NinjaAPI, kind: type[E], handler: Callable[[HttpRequest, E], HttpResponse]
) -> None:
    """The library's own type says that a handler gets a class, too; it never does."""
    api.add_exception_handler(kind, cast(Any, handler))


def _wrong_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [
        {"where": ".".join(map(str, _place(e["loc"]))), "message": str(e["msg"])}
        for e in error.errors
    ]
    return as_problem(request, errors.WrongRequestError(count=len(wrong)), wrong)


def _place(loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where a value is for whoever sent it: without the name of our parameter."""
    return (loc[0], *loc[2:]) if len(loc) > 2 and loc[0] == "body" else loc


def _no_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return as_problem(request, errors.NoTokenError())


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 400:
        return as_problem(request, errors.WrongBodyError())
    return _broken(request, error)


def _not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    return as_problem(request, errors.NotThereError())


def _unstorable(request: HttpRequest, error: DataError) -> HttpResponse:
    return as_problem(request, errors.WrongBodyError())


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Logs where, never what: values in an exception's words may be personal."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s in %s %s\n%s", type(error).__name__, request.method, request.path, places)
    return as_problem(request, errors.BrokenError())
