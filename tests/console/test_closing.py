"""A group ends after its page has said what will happen; the next one is opened by hand, too."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from qunluo.community.models import Community, User
from qunluo.community.rules import ROLES, may
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_request
from qunluo.groups.models import Group, Membership
from qunluo.members.models import Member
from tests.cast import client_of, make_group, make_member, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(alice: User, tea: Community) -> Client:
    return client_of(alice)


@pytest.fixture
def full(group: Group, bob: Member, tea: Community) -> Group:
    """Bob and Dan are in it, Eve waits."""
    for member in (bob, make_member(tea, "Dan")):
        do_join(group, member, by="system")
    do_request(group, make_member(tea, "Eve"), "please")
    return group


def at(group: Group, act: str) -> str:
    return f"/console/groups/{group.pk}/{act}"


def read(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def last(kind: str) -> dict[str, Any]:
    data: dict[str, Any] = Event.objects.filter(kind=kind).latest("id").data
    return data


def test_the_page_tells_whom_it_touches_and_changes_nothing(desk: Client, full: Group) -> None:
    before = Event.objects.count(), Group.objects.values().get(pk=full.pk)
    page = read(desk.get(at(full, "close")))
    for words in ("2 memberships end when", "1 join request waits", "No group goes on after it",
                  "has reached its end" if full.community.lang == "en" else "已完成使命"):  # fmt: skip
        assert words in page
    assert (Event.objects.count(), Group.objects.values().get(pk=full.pk)) == before


def test_a_group_is_closed_and_then_dissolved_with_its_reason(
    desk: Client, full: Group, alice: User
) -> None:
    desk.post(at(full, "close"), {"why": "season over"})
    page = read(desk.get(at(full, "dissolve")))
    assert "2 memberships end at once" in page
    assert "Say why" in read(desk.post(at(full, "dissolve"), {"why": " "}, follow=True))
    assert Membership.objects.filter(left_at=None).count() == 2
    said = read(desk.post(at(full, "dissolve"), {"why": "all moved on"}, follow=True))
    assert "memberships that ended: 2" in said
    full.refresh_from_db()
    assert (full.state, full.taken) == ("dissolved", 0)
    assert last("group_dissolved") == {"members": 2, "why": "all moved on"}
    assert Event.objects.get(kind="group_dissolved").actor.startswith("staff:")
    assert at(full, "dissolve") not in read(desk.get(f"/console/groups/{full.pk}"))


def test_a_group_that_runs_is_not_dissolved_at_once(desk: Client, full: Group) -> None:
    for send in (desk.get, desk.post):
        answer = send(at(full, "dissolve"), {"why": "now"}, follow=True)
        assert "Only a group that is closing" in read(answer)
    full.refresh_from_db()
    assert (full.state, full.taken) == ("growing", 2)


def test_the_next_group_is_opened_once_and_carries_on(desk: Client, full: Group) -> None:
    read(desk.post(at(full, "successor"), follow=True))
    full.refresh_from_db()
    made = full.successor
    assert made is not None
    assert (made.name, made.purpose, made.state) == ("Tea 2", full.purpose, "growing")
    assert last("successor_opened") == {"next": made.pk, "replies": 0, "rules": 0}
    again = read(desk.post(at(full, "successor"), follow=True))
    assert "Tea 2” goes on after “Tea” already" in again
    assert Group.objects.count() == 2
    assert "Tea 2" in read(desk.get(at(full, "close")))


def test_nothing_goes_on_after_a_group_that_is_gone(desk: Client, tea: Community) -> None:
    gone = make_group(tea, "Gone", state="dissolved")
    desk.post(at(gone, "successor"))
    assert Group.objects.count() == 1


@pytest.mark.parametrize("act", ["close", "dissolve", "successor"])
def test_who_may_not_run_groups_neither_looks_nor_changes(
    full: Group, carol: User, act: str
) -> None:
    Group.objects.filter(pk=full.pk).update(state="closing")
    weak = [role for role in ROLES if not may(role, "run_groups")]
    staff = [make_staff(full.community, role).user for role in weak]
    before = Group.objects.values().get(pk=full.pk), Event.objects.count()
    for client in (client_of(), client_of(carol), *map(client_of, staff)):
        for send in (client.get, client.post):
            answer = send(at(full, act), {"why": "x"})
            assert answer.status_code in (302, 403, 404, 405), (act, answer.status_code)
    assert (Group.objects.values().get(pk=full.pk), Event.objects.count()) == before
    assert Group.objects.count() == 1
