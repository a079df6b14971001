"""A token opens what its scopes and its maker's role allow, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from qunluo.api.actions import do_make_token, do_revoke_token
from qunluo.api.api import AREAS, api
from qunluo.api.errors import NoTokenNameError, WrongScopesError
from qunluo.api.models import Token
from qunluo.api.operations import Area, Bearer
from qunluo.api.scopes import ALL_SCOPES, PERMISSION, allows, list_scopes
from qunluo.community.actions import do_appoint, do_found
from qunluo.community.models import Community, Staff
from qunluo.community.rules import PERMISSIONS, ROLES, Role, may
from qunluo.events.models import Event
from qunluo.kit import clock
from tests.api.calling import Program, program_of
from tests.cast import NOON, make_staff, make_user

pytestmark = pytest.mark.django_db


def operations() -> list[tuple[str, str, object]]:
    """Method, path and function of every operation there is."""
    return [
        (method, path, operation)
        for area in AREAS for path, view in area.router.path_operations.items()
        for operation in view.operations for method in operation.methods
    ]  # fmt: skip


@given(
    st.sets(st.sampled_from(ALL_SCOPES)), st.sampled_from(ROLES), st.sampled_from(ALL_SCOPES)
)
def test_a_scope_opens_only_with_the_role(scopes: set[str], role: Role, scope: object) -> None:
    opened = allows(scopes, role, scope)  # type: ignore[arg-type]
    assert opened == (scope in scopes and may(role, PERMISSION[scope]))  # type: ignore[index]


def test_only_the_hash_is_kept(program: Program) -> None:
    assert program.secret.startswith("qun_")
    stored = json.dumps(list(Token.objects.values()), default=str)
    assert program.secret not in stored


def test_making_and_revoking_is_on_record(program: Program) -> None:
    do_revoke_token(program.token, by="staff:1")
    do_revoke_token(program.token, by="staff:1")
    kinds = Event.objects.filter(kind__startswith="token").values_list("kind", flat=True)
    assert list(kinds.order_by("id")) == ["token_made", "token_revoked"]


def test_a_token_can_do_no_more_than_its_maker(tea: Community) -> None:
    analyst = make_staff(tea, "analyst")
    with pytest.raises(WrongScopesError):
        do_make_token(analyst, name="x", scopes=["members:erase"])
    with pytest.raises(WrongScopesError):
        do_make_token(analyst, name="x", scopes=[])
    with pytest.raises(NoTokenNameError):
        do_make_token(analyst, name=" ", scopes=["members:read"])


def test_a_maker_who_loses_the_role_takes_the_token_along(tea: Community) -> None:
    owner = make_staff(tea, "owner")
    program = program_of(owner, "webhooks:read")
    assert program.get("webhooks")["items"] == []
    do_appoint(tea, owner.user, "analyst", by="system")
    assert program.refused("GET", "webhooks") == (403, "no_scope")
    owner.user.is_active = False
    owner.user.save()
    assert program.refused("GET", "webhooks") == (401, "no_token")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer qun_x", "Basic eA==", "Bearer ☕"])
def test_without_a_token_nothing_opens(db: None, header: str) -> None:
    client = Client(headers={"host": "localhost", "authorization": header})
    answer = client.get("/api/v1/communities")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_opens_nothing(program: Program) -> None:
    do_revoke_token(program.token, by="staff:1")
    assert program.refused("GET", "communities") == (401, "no_token")


def test_every_operation_names_a_permission_and_asks_for_it(db: None) -> None:
    found = operations()
    assert found
    for method, path, operation in found:
        view = operation.view_func  # type: ignore[attr-defined]
        assert view.permission in PERMISSIONS, (method, path)
        assert PERMISSION[view.scope] == view.permission
        guard = operation.auth_callbacks[0]  # type: ignore[attr-defined]
        assert isinstance(guard, Bearer)
        assert guard.scope == view.scope


def test_every_operation_refuses_a_token_without_its_scope(tea: Community) -> None:
    owner = make_staff(tea, "owner")
    programs = {
        scope: program_of(owner, *[s for s in ALL_SCOPES if s != scope]) for scope in ALL_SCOPES
    }
    for method, path, operation in operations():
        where = path.strip("/")
        for name in ("webhook", "call", "group", "member", "message", "question", "case", "tag",
                     "delivery", "reply", "code", "request"):  # fmt: skip
            where = where.replace(f"{{{name}_id}}", "1")
        scope = operation.view_func.scope  # type: ignore[attr-defined]
        assert programs[scope].refused(method, where, {}) == (403, "no_scope"), where


GIVEN = {"/fit": "?stage=steady&decision=weeks&knowledge=some&value=high&intent=low"}
"""What an operation can't do without."""


def test_every_role_gets_in_only_where_it_may(tea: Community, role: Role) -> None:
    staff = make_staff(tea, role)
    token, secret = do_make_token(staff, name="x", scopes=list_scopes(role))
    Token.objects.update(scopes=list(ALL_SCOPES))  # as if the role had been higher
    program = Program(secret, token)
    for method, path, operation in operations():
        view = operation.view_func  # type: ignore[attr-defined]
        if method == "GET" and "{" not in path and "search" not in path:
            code = program.call("GET", path.strip("/") + GIVEN.get(path, "")).status_code
            assert (code == 200) == may(role, view.permission), path


def test_an_operation_without_a_scope_opens_for_nobody(program: Program) -> None:
    assert isinstance(api.auth, list)
    guard = api.auth[0]
    assert isinstance(guard, Bearer)
    assert guard.scope is None


def test_calls_are_limited_per_minute(program: Program) -> None:
    Token.objects.update(per_minute=2)
    with clock.use(clock.faster(1, NOON + timedelta(seconds=20))):
        assert [program.call("GET", "communities").status_code for _ in range(3)] == [
            200, 200, 429,
        ]  # fmt: skip
        answer = program.call("GET", "communities")
        assert 30 <= int(answer.headers["Retry-After"]) <= 40
        assert json.loads(answer.content)["code"] == "too_many_calls"
    with clock.use(clock.faster(0, NOON + timedelta(seconds=60))):
        assert program.call("GET", "communities").status_code == 200


def test_a_token_sees_its_own_community_only(program: Program) -> None:
    other = do_found("Coffee", make_user("mallory"))
    assert [c["name"] for c in program.get("communities")] == ["Tea friends"]
    assert [
        c["name"] for c in program_of(Staff.objects.get(community=other)).get("communities")
    ] == ["Coffee"]


def test_an_area_writes_the_permission_on_its_operations() -> None:
    area = Area("x")

    @area.get("/x", "groups:read", list[int])
    def some(request: object) -> list[int]:
        """Some."""
        return []

    assert some.permission == "see_groups"
