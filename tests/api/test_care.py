"""Care by programs: what the console does there, under the same rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qunluo.care.gatherings import Plan, do_plan_gathering
from qunluo.care.models import Incident, SignUp
from qunluo.care.testimonies import (
    do_allow_testimony,
    do_approve_testimony,
    do_offer_testimony,
)
from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.api.calling import Program, program_of
from tests.cast import make_member, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(tea: Community) -> Program:
    return program_of(tea.staff.get())


@pytest.fixture
def bob(group: Group) -> Member:
    member = make_member(group.community)
    Membership.objects.create(group=group, member=member, joined_at=clock.now())
    return member


def test_a_wish_is_made_listed_and_answered_once(program: Program) -> None:
    made = program.post("wishes", {"title": "Small pots"})
    assert program.get("wishes?state=open")["items"] == [made]
    answer = {"kind": "no", "answer": "Too dear."}
    assert program.post(f"wishes/{made['id']}/answer", answer)["state"] == "no"
    again = program.refused("POST", f"wishes/{made['id']}/answer", answer)
    assert again == (409, "wish_closed")
    assert program.refused("POST", "wishes", {"title": " "})[0] == 422
    assert program.get("wishes?state=open")["items"] == []


def test_an_incident_is_opened_once_and_closed(program: Program, group: Group) -> None:
    made = program.post("incidents", {"why": "the shop is down", "group_id": group.pk})
    again = program.refused("POST", "incidents", {"why": "still", "group_id": group.pk})
    assert again == (409, "incident_open")
    closed = program.post(f"incidents/{made['id']}/close", {"outcome": "it is back"})
    assert (closed["state"], closed["outcome"]) == ("closed", "it is back")
    assert [i["id"] for i in program.get("incidents?state=closed")["items"]] == [made["id"]]


def test_an_exchange_and_an_attendance_are_noted(program: Program, bob: Member) -> None:
    noted = program.post(f"members/{bob.pk}/exchanges", {"text": "called"})
    assert noted["member_id"] == bob.pk
    start = clock.now() + timedelta(days=1)
    gathering = do_plan_gathering(
        bob.community,
        Plan("Tea", "Elm 7", start, start + timedelta(hours=1), 5),
        by="staff:1",
    )
    assert program.get("gatherings")["items"][0]["capacity"] == 5
    path = f"gatherings/{gathering.pk}"
    for _ in range(2):
        came = program.post(f"{path}/attendance", {"member_id": bob.pk})
    assert came["state"] == "extra"
    assert program.get(f"{path}/signups")["items"] == [came]
    assert SignUp.objects.count() == 1


def test_only_what_may_be_shown_is_told(program: Program, bob: Member) -> None:
    testimony = do_offer_testimony(bob, "Warm", may_show=True)
    assert program.get("testimonies")["items"] == []
    do_approve_testimony(testimony, by="staff:1")
    assert program.get("testimonies")["items"][0]["text"] == "Warm"
    do_allow_testimony(testimony, False)
    assert program.get("testimonies")["items"] == []


def test_what_is_of_another_community_is_not_there(group: Group, bob: Member) -> None:
    other = program_of(do_found("Coffee", make_user("dave")).staff.get())
    for path, body in (
        (f"members/{bob.pk}/exchanges", {"text": "x"}),
        ("incidents", {"why": "x", "group_id": group.pk}),
    ):
        assert other.refused("POST", path, body) == (404, "not_there")
    assert not Incident.objects.exists()
