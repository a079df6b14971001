"""Who gets to which of these pages: each role to its own, Carol and strangers to none."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.urls.resolvers import RoutePattern, URLPattern

from qunluo.community.models import Community, User
from qunluo.community.rules import Role, may
from qunluo.console.people.urls import urlpatterns
from tests.cast import client_of, make_staff
from tests.console.people.conftest import Scene

pytestmark = pytest.mark.django_db
PAGES = ("members", "tags", "codes", "imports", "inbox", "rooms", "cases", "search")


def addresses(scene: Scene) -> list[tuple[URLPattern, str]]:
    """Every address of these pages, with ids that are there where they can be."""
    known = {
        "member_id": scene.bob.pk, "group_id": scene.group.pk, "case_id": scene.case.pk,
        "question_id": scene.question.pk, "tag_id": scene.tag.pk,
        "message_id": scene.asked.pk,
    }  # fmt: skip
    found = []
    for pattern in urlpatterns:
        assert isinstance(pattern.pattern, RoutePattern)
        names = pattern.pattern.converters
        given = {name: known.get(name, 999) for name in names}
        found.append((pattern, reverse(f"people:{pattern.name}", kwargs=given)))
    return found


def test_carol_and_strangers_get_in_nowhere(scene: Scene, carol: User) -> None:
    for _pattern, path in addresses(scene):
        for method in ("get", "post"):
            assert getattr(client_of(carol), method)(path).status_code == 404, path
            answer = getattr(client_of(), method)(path)
            assert answer.status_code == 302, path
            assert "sign-in" in answer.headers["Location"]


def test_a_role_gets_where_it_may_and_nowhere_else(scene: Scene, role: Role) -> None:
    client = client_of(make_staff(scene.community, role).user)
    for pattern, path in addresses(scene):
        allowed = may(role, pattern.callback.permission)
        for method in ("get", "post"):
            status = getattr(client, method)(path, {}).status_code
            assert (status == 403) != allowed, (role, method, path, status)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_every_page_opens_for_alice(scene: Scene, alice: User, page: str, lang: str) -> None:
    assert client_of(alice, lang).get(reverse(f"people:{page}")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_nothing_on_it(tea: Community, alice: User, page: str) -> None:
    assert client_of(alice).get(reverse(f"people:{page}")).status_code == 200
