"""Whatever goes wrong is told as a problem, in the caller's language, and tells no secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client

from qunluo.api import problems
from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member
from tests.api.calling import Program

pytestmark = pytest.mark.django_db


def read(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_a_problem_speaks_the_callers_language(program: Program) -> None:
    english = read(program.call("GET", "groups/9999", lang="en"))
    chinese = read(program.call("GET", "groups/9999", lang="zh-CN"))
    assert english["detail"] == "There is nothing here."
    assert chinese["detail"] == "这里没有内容。"
    assert english["type"] == chinese["type"] == "urn:qunluo:problem:not_there"


def test_wrong_values_are_named(program: Program) -> None:
    answer = program.call("POST", "groups", {"name": "", "capacity": "x", "purpose": "p"})
    assert answer.status_code == 422
    assert {e["where"] for e in read(answer)["errors"]} == {"body.name", "body.capacity"}


def test_an_unknown_address_and_a_wrong_method_are_problems(program: Program) -> None:
    assert program.refused("GET", "nothing/here") == (404, "not_there")
    assert program.refused("PUT", "groups") == (405, "wrong_method")
    assert set(program.call("PUT", "groups").headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    "body", ['{"name": "a\\u0000b"}', '{"name": "\\ud800"}', '{"x": 1e999}', "{", "[" * 9999, "NaN"]
)  # fmt: skip
def test_what_no_database_keeps_is_refused(program: Program, body: str) -> None:
    client = Client(headers={"authorization": f"Bearer {program.secret}", "host": "localhost"})
    answer = client.post("/api/v1/groups", body, content_type="application/json")
    assert answer.status_code == 400
    assert read(answer)["code"] == "wrong_body"


def test_a_body_that_is_too_large_is_a_problem_and_stays_unread(program: Program) -> None:
    client = Client(headers={"authorization": f"Bearer {program.secret}", "host": "localhost"})
    for size in (2_700_000, 10**13):
        answer = client.post("/api/v1/groups", "{}", content_type="application/json",
                             CONTENT_LENGTH=str(size))  # fmt: skip
        assert (answer.status_code, answer["Content-Type"]) == (413, problems.MEDIA_TYPE)
        assert read(answer)["code"] == "body_too_large"


def test_a_business_failure_keeps_its_code(program: Program, group: Group, bob: Member) -> None:
    group.capacity = 0
    group.save()
    where = f"groups/{group.pk}/memberships"
    assert program.refused("POST", where, {"member_id": bob.pk}) == (409, "group_full")
    assert program.refused("PATCH", f"groups/{group.pk}", {"nickname": "{"}) == (
        422, "wrong_nickname_template",
    )  # fmt: skip


def test_what_breaks_tells_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"the phone is {13_800_000_000}")

    monkeypatch.setattr("qunluo.groups.actions.do_found_group", break_down)
    with caplog.at_level(logging.ERROR):
        answer = program.call("POST", "groups", {"name": "x", "purpose": "y"})
    assert answer.status_code == 500
    assert read(answer)["code"] == "broken"
    assert "13800000000" not in answer.content.decode() + caplog.text
    assert "RuntimeError" in caplog.text


def _all(cls: type[QunluoError]) -> list[type[QunluoError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in _all(sub))]


def test_every_error_has_a_status(tea: Community) -> None:
    for cls in _all(QunluoError):
        error = cls.__new__(cls)
        assert 400 <= problems.status_of(error) <= 500, cls
