"""Introductions in the console: the list with its reasons, asking, dismissing, the outcome; and
ties on the pages of a member and a group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache

from qunluo.care.models import Complement, Introduction
from qunluo.care.suggesting import do_suggest
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.events.actions import record
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery
from qunluo.standing.tasks import do_follow
from tests.care.test_introductions import make_tag, seat
from tests.cast import NOON, client_of, make_group, make_staff, make_user

pytestmark = pytest.mark.django_db
PAGE = "/console/care/introductions"
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture(autouse=True)
def quick(noon: datetime) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def pair(group: Group) -> Introduction:
    tag = make_tag(group.community, HOSTILE[:60])
    for name in (HOSTILE, "Dora"):
        seat(group, name, tag, days=3)
    assert do_suggest(group.community) == 1
    return Introduction.objects.get()


@pytest.mark.parametrize(
    ("lang", "word"), [("en", "has no tie yet"), ("zh-CN", "还没有任何关系")]
)
def test_the_list_says_why_and_nothing_hostile_runs(
    alice: User, pair: Introduction, lang: str, word: str
) -> None:
    page = client_of(alice, lang).get(PAGE).content.decode()
    assert word in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_an_operator_asks_both(alice: User, pair: Introduction) -> None:
    desk = client_of(alice)
    desk.post(f"{PAGE}/{pair.pk}/accept", {"note": HOSTILE})
    pair.refresh_from_db()
    assert (pair.state, pair.site) == ("asked", "http://localhost")
    assert Delivery.objects.filter(kind="direct").count() == 2
    page = desk.get(f"{PAGE}?show=asked").content.decode()
    assert "this waits for" in page
    assert HOSTILE not in page
    answer = desk.post(f"{PAGE}/{pair.pk}/dismiss", {"why": "x"}, follow=True)
    assert "not open any more" in answer.content.decode()
    link = Delivery.objects.filter(member=pair.one).get().body["text"].split("localhost")[1]
    assert HOSTILE not in client_of().get(link).content.decode()


def test_an_operator_dismisses_with_a_reason(alice: User, pair: Introduction) -> None:
    desk = client_of(alice)
    desk.post(f"{PAGE}/{pair.pk}/dismiss", {"why": ""})
    pair.refresh_from_db()
    assert pair.state == "suggested"
    desk.post(f"{PAGE}/{pair.pk}/dismiss", {"why": "They quarrelled"})
    assert "They quarrelled" in desk.get(f"{PAGE}?show=over").content.decode()
    assert "No new pair" in desk.post(f"{PAGE}/look", follow=True).content.decode()


def test_the_outcome_has_its_number_interval_and_warning(
    alice: User, pair: Introduction
) -> None:
    page = client_of(alice).get(PAGE).content.decode()
    assert "none measured yet" in page
    assert "no experiment" in page
    made = NOON - timedelta(days=30)
    Introduction.objects.update(state="made", made_at=made, measured_at=NOON, tied=True)
    page = client_of(alice).get(PAGE).content.decode()
    assert "100 % (1 of 1; 95 % interval 21–100 %)" in page


def test_complements_are_set_and_removed(alice: User, group: Group) -> None:
    desk = client_of(alice)
    one, other = (make_tag(group.community, name) for name in ("sells", "looks for"))
    desk.post(f"{PAGE}/complements", {"one": one.pk, "other": other.pk})
    row = Complement.objects.get()
    assert "looks for" in desk.get(PAGE).content.decode()
    assert desk.post(f"{PAGE}/complements", {"one": one.pk}).status_code == 400
    desk.post(f"{PAGE}/complements/{row.pk}/remove")
    assert not Complement.objects.exists()


def test_carol_the_analyst_and_other_communities_see_nothing(
    carol: User, pair: Introduction
) -> None:
    stranger = make_user("dave")
    do_found("Coffee", stranger)
    viewer = make_staff(pair.community, "analyst").user
    for user in (None, carol, viewer):
        answer = client_of(user).get(PAGE)
        assert answer.status_code in (302, 403, 404)
        client_of(user).post(f"{PAGE}/{pair.pk}/accept", {})
    assert "Dora" not in client_of(stranger).get(PAGE).content.decode()
    assert client_of(stranger).post(f"{PAGE}/{pair.pk}/accept", {}).status_code == 404
    pair.refresh_from_db()
    assert pair.state == "suggested"


# ties on other pages


def test_a_newcomer_has_no_tie_yet_and_the_group_says_how_many(
    alice: User, group: Group
) -> None:
    bob = seat(group, HOSTILE)
    page = client_of(alice).get(f"/console/members/{bob.pk}").content.decode()
    assert "Has no tie yet" in page
    page = client_of(alice).get(f"/console/groups/{group.pk}").content.decode()
    assert "1 of 1: nobody turned to them" in page
    assert HOSTILE not in page
    empty = make_group(group.community, "Empty")
    page = client_of(alice).get(f"/console/groups/{empty.pk}").content.decode()
    assert "Nobody is in yet" in page


def talk(one: Member, other: Member) -> None:
    record("message_posted", community=one.community_id, member=one.pk, actor=one.actor,
           data={"label": "member", "to_member": other.pk}, at=clock.now())  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_ties_are_drawn_and_listed(alice: User, group: Group) -> None:
    bob = seat(group, "Bob")
    for n in range(12):
        talk(seat(group, f"{HOSTILE} {n}"), bob)
    while do_follow():
        pass
    page = client_of(alice).get(f"/console/members/{bob.pk}").content.decode()
    drawing = page[
        page.index('<svg class="q-graph') : page.index("</svg>", page.index("q-graph"))
    ]
    assert drawing.count("<circle") == 11
    assert "style=" not in drawing
    assert HOSTILE not in page
    assert page.count("replies: 1; since 2026-03-02, 1.0 a week") == 12
    page = client_of(alice, "zh-CN").get(f"/console/members/{bob.pk}").content.decode()
    assert "回复 1 次" in page
    page = client_of(alice).get(f"/console/groups/{group.pk}").content.decode()
    assert "Everybody here has a tie" in page
