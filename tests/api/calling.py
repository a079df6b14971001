"""A program that calls the API with a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from qunluo.api.actions import do_make_token
from qunluo.api.models import Token
from qunluo.api.scopes import Scope, list_scopes
from qunluo.community.models import Staff


@dataclass
class Program:
    """Calls with a secret; the answer's JSON is what most tests look at."""

    secret: str
    token: Token

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", lang: str = "en"
    ) -> HttpResponse:
        headers = {"authorization": f"Bearer {self.secret}", "accept-language": lang,
                   "host": "localhost"}  # fmt: skip
        if key:
            headers["idempotency-key"] = key
        client = Client(headers=headers, raise_request_exception=False)
        data = "" if body is None else json.dumps(body)
        answer: HttpResponse = client.generic(
            method, f"/api/v1/{path}", data, content_type="application/json"
        )
        return answer

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.content
        return json.loads(answer.content)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._write("POST", path, body, key)

    def patch(self, path: str, body: Any = None) -> Any:
        return self._write("PATCH", path, body, "")

    def _write(self, method: str, path: str, body: Any, key: str) -> Any:
        answer = self.call(method, path, body, key=key)
        assert 200 <= answer.status_code < 300, answer.content
        return json.loads(answer.content)

    def refused(self, method: str, path: str, body: Any = None, **how: Any) -> tuple[int, str]:
        """Status and code of a problem."""
        answer = self.call(method, path, body, **how)
        assert answer.headers["Content-Type"] == "application/problem+json", answer.content
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code
        return answer.status_code, problem["code"]


def program_of(staff: Staff, *scopes: Scope) -> Program:
    """With these scopes, or all that the role allows."""
    token, secret = do_make_token(
        staff, name="shop", scopes=list(scopes) or list_scopes(staff.role)
    )
    return Program(secret, token)
