"""How every operation is called: with a token of its scope, a limit, and once by its key."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import math
from collections.abc import Callable
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import QueryDict
from ninja import NinjaAPI, Router, Status
from ninja.errors import HttpError
from ninja.parser import Parser
from ninja.responses import NinjaJSONEncoder
from ninja.security import HttpBearer
from pydantic import TypeAdapter

from qunluo.api import errors
from qunluo.api.actions import do_count_call
from qunluo.api.models import Remembered, Token
from qunluo.api.problems import MEDIA_TYPE, Problem
from qunluo.api.queries import find_token
from qunluo.api.scopes import PERMISSION, Scope, allows
from qunluo.kit import clock

KEY_HEADER = "Idempotency-Key"
KEY_LENGTH = 120
PREFIX = "/api/v1/"
FILE = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
PROBLEMS = (400, 401, 403, 404, 409, 422, 429, 500)
View = Callable[..., Any]


class Call(HttpRequest):
    """A request that was let in."""

    auth: Token


class Bearer(HttpBearer):
    """Lets in a token of the scope; without a scope, nobody."""

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Token:
        """Raises `NoTokenError`, `TooManyCallsError`, `NoScopeError`."""
        found = find_token(token)
        if found is None:
            raise errors.NoTokenError
        wait = do_count_call(found)
        if wait is not None:
            raise errors.TooManyCallsError(limit=found.per_minute, wait_s=math.ceil(wait) or 1)
        if self.scope is None or not allows(found.scopes, found.staff.role, self.scope):
            raise errors.NoScopeError(scope=self.scope or "-")
        return found


class Area:
    """The operations of one noun. Each names its scope, which is its permission."""

    def __init__(self, tag: str) -> None:
        self.router = Router(tags=[tag])

    def get(self, path: str, scope: Scope, answer: Any) -> Callable[[View], View]:
        return self._operation("GET", path, scope, answer, 200)

    def post(
        self, path: str, scope: Scope, answer: Any, status: int = 200, *, kept: bool = True
    ) -> Callable[[View], View]:
        """`kept=False`: the answer is too personal to be remembered for its key."""
        return self._operation("POST", path, scope, answer, status, kept=kept)

    def patch(self, path: str, scope: Scope, answer: Any) -> Callable[[View], View]:
        return self._operation("PATCH", path, scope, answer, 200)

    def delete(self, path: str, scope: Scope) -> Callable[[View], View]:
        return self._operation("DELETE", path, scope, None, 204)

    def _operation(
        self,
        method: str,
        path: str,
        scope: Scope,
        answer: Any,
        status: int,
        *,
        kept: bool = True,
    ) -> Callable[[View], View]:
        def add(view: View) -> View:
            called = view if method == "GET" else once(view, answer, status, kept=kept)
            summary, _, description = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
            whole = {status: None if answer is bytes else answer}
            called.permission = PERMISSION[scope]  # type: ignore[attr-defined]  # said on the view
            called.scope = scope  # type: ignore[attr-defined]  # said on the view
            self.router.add_api_operation(
                path, [method], called, auth=Bearer(scope), operation_id=view.__name__,
                response={**whole, **dict.fromkeys(PROBLEMS, Problem)},
                summary=summary, description=description,
                openapi_extra={"x-permission": PERMISSION[scope], "x-scope": scope,
                               "x-file": answer is bytes},
            )  # fmt: skip
            return called

        return add


# once


def once(view: View, answer: Any, status: int, *, kept: bool = True) -> View:
    """The operation in one transaction; with a key, the same request again gets the same answer.

    The key's unique row comes first: of two at once, the second waits for the first, and finds
    its answer. What failed is not remembered, as nothing was done.
    """

    @functools.wraps(view)
    def called(request: Call, **values: Any) -> Any:
        key = request.headers.get(KEY_HEADER)
        with transaction.atomic():
            if key is None or not kept:
                return _with(status, view(request, **values))
            mine = _claim(request, key)
            if mine.status is None:
                body = _as_json(answer, view(request, **values))
                mine.status, mine.body = status, body
                mine.save(update_fields=["status", "body"])
            return _again(mine)

    called.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]  # ninja reads it
    return called


def _with(status: int, result: Any) -> Any:
    return result if isinstance(result, HttpResponse) else Status(status, result)


def _claim(request: Call, key: str) -> Remembered:
    """The row of this key; raises `WrongKeyError` and `KeyReusedError`."""
    if not 1 <= len(key) <= KEY_LENGTH or not all("!" <= sign <= "~" for sign in key):
        raise errors.WrongKeyError
    digest = _digest(request)
    try:
        with transaction.atomic():
            return Remembered.objects.create(
                token=request.auth, key=key, request_hash=digest, at=clock.now()
            )
    except IntegrityError:
        there = Remembered.objects.get(token=request.auth, key=key)
    if there.request_hash != digest:
        raise errors.KeyReusedError
    return there


def _digest(request: HttpRequest) -> str:
    whole = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(whole).hexdigest()


def _as_json(answer: Any, value: Any) -> Any:
    """The answer in plain values, as they would be sent."""
    if answer is None:
        return None
    adapter = TypeAdapter(answer)
    shown = adapter.dump_python(adapter.validate_python(value, from_attributes=True))
    return json.loads(json.dumps(shown, cls=NinjaJSONEncoder))


def _again(mine: Remembered) -> HttpResponse:
    status = mine.status or 200
    if mine.body is None:
        return HttpResponse(status=status)
    return JsonResponse(mine.body, status=status, safe=False)


# what comes in


class CleanParser(Parser):
    """JSON that every database can keep: no null characters, halves of signs, endless numbers."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            value = json.loads(request.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise HttpError(400, "body") from None
        _check(value)
        return value

    def parse_querydict(
        self, data: Any, list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for values in cast(QueryDict, data).lists():
            _check(list(values[1]))
        found: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        return found


def _refuse(word: str) -> None:
    raise ValueError(word)


def _check(value: Any) -> None:
    """Raises `HttpError`."""
    if isinstance(value, dict):
        _check([*value, *value.values()])
    elif isinstance(value, list):
        for part in value:
            _check(part)
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise HttpError(400, "signs")
    elif isinstance(value, float) and not math.isfinite(value):
        raise HttpError(400, "number")


# what it says of itself


class DescribedAPI(NinjaAPI):
    """Its document tells of problems and keys, too."""

    def get_openapi_schema(self, **more: Any) -> Any:
        document = super().get_openapi_schema(**{"path_prefix": PREFIX, **more})
        for path in document["paths"].values():
            for method, operation in path.items():
                _describe(method, operation)
        return document


def _describe(method: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400 and "application/json" in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
            response["description"] = "Why it was not done"
    if operation.pop("x-file", False):
        operation["responses"][200]["content"] = FILE
    if 429 in operation["responses"]:
        operation["responses"][429]["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}
        }
    if method != "get":
        operation.setdefault("parameters", []).append(
            {
                "name": KEY_HEADER, "in": "header", "required": False,
                "description": "The same key and request again get the same answer; kept a day.",
                "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH,
                           "pattern": "^[!-~]+$"},
            }
        )  # fmt: skip
