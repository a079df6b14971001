"""Introductions by programs: what waits and why, asking both, dismissing."""

from __future__ import annotations

from datetime import datetime

import pytest

from qunluo.care.models import Introduction
from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.messaging.models import Delivery
from tests.api.calling import Program, program_of
from tests.care.test_introductions import make_tag, suggested
from tests.cast import make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def program(tea: Community, noon: datetime) -> Program:
    return program_of(tea.staff.get())


@pytest.fixture
def pair(group: Group, noon: datetime) -> Introduction:
    return suggested(group, make_tag(group.community, "coffee"))


def test_what_waits_is_listed_with_its_reasons(program: Program, pair: Introduction) -> None:
    [item] = program.get("introductions")["items"]
    assert (item["one_id"], item["other_id"]) == (pair.one_id, pair.other_id)
    assert all(reason["en"] and reason["zh"] for reason in item["reasons"])
    assert program.get("introductions?state=made")["items"] == []
    assert program.get("introductions?state=any")["items"] == [item]


def test_both_are_asked_once(program: Program, pair: Introduction) -> None:
    path = f"introductions/{pair.pk}/accept"
    asked = program.post(path, {"note": "You both like coffee."}, key="k1")
    assert (asked["state"], asked["note"]) == ("asked", "You both like coffee.")
    assert program.post(path, {"note": "You both like coffee."}, key="k1") == asked
    assert program.refused("POST", path, {}) == (409, "introduction_gone")
    assert Delivery.objects.filter(cause__contains=":asked:").count() == 2
    assert "one_said" not in asked


def test_a_pair_is_dismissed_with_a_reason(program: Program, pair: Introduction) -> None:
    path = f"introductions/{pair.pk}/dismiss"
    assert program.refused("POST", path, {"why": " "})[0] == 422
    gone = program.post(path, {"why": "they are sisters"})
    assert (gone["state"], gone["why"]) == ("dismissed", "they are sisters")
    assert program.get("introductions")["items"] == []
    actors = Event.objects.filter(kind="introduction_dismissed").values_list("actor", flat=True)
    assert set(actors) == {program.token.actor}


def test_others_see_and_decide_nothing(tea: Community, pair: Introduction) -> None:
    stranger = do_found("Coffee", make_user("dave")).staff.get()
    theirs = program_of(stranger)
    assert theirs.get("introductions?state=any")["items"] == []
    for act, body in (("accept", {}), ("dismiss", {"why": "x"})):
        answer = theirs.refused("POST", f"introductions/{pair.pk}/{act}", body)
        assert answer[0] == 404
    analyst = program_of(make_staff(tea, "analyst"))
    assert analyst.refused("GET", "introductions")[0] == 403
