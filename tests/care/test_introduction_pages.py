"""Introductions in the console: the list with its reasons, asking, dismissing, the outcome; and
ties on the pages of a member and a group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache

from qunluo.care.introductions import (
    do_accept,
    do_answer,
    do_dismiss,
    do_withdraw,
    make_token,
    measure_due,
)
from qunluo.care.models import Complement, Introduction
from qunluo.care.suggesting import do_suggest, measure
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.members.actions import do_merge, do_undo_merge
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery
from qunluo.standing.tasks import do_follow
from tests.care.test_introductions import make_tag, seat
from tests.cast import NOON, client_of, make_group, make_member, make_staff, make_user
from tests.h5.people import browser_of

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


# the first page


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "1 introduction is suggested"), ("zh-CN", "还没有任何关系")]
)
def test_the_first_page_says_how_many_wait_and_leads_there(
    alice: User, pair: Introduction, lang: str, words: str
) -> None:
    home = client_of(alice, lang).get("/console/").content.decode()
    assert words in home
    assert f'href="{PAGE}"' in home
    assert HOSTILE not in home
    do_dismiss(pair, why="they are sisters", by="staff:1")
    assert words not in client_of(alice, lang).get("/console/").content.decode()


def test_who_may_not_introduce_is_not_asked_to(pair: Introduction) -> None:
    helper = make_staff(pair.community, "store_staff").user
    assert (
        "introduction is suggested" not in client_of(helper).get("/console/").content.decode()
    )


# the member's own page


def ask(pair: Introduction) -> Introduction:
    do_accept(pair, note="You both like tea.", site="http://localhost", by="staff:1")
    pair.refresh_from_db()
    return pair


def test_a_member_sees_who_asks_and_may_take_a_yes_back(pair: Introduction) -> None:
    phone = browser_of(pair.one)
    assert "Introductions" not in phone.get("/me").content.decode()
    token = make_token(ask(pair), pair.one)
    page = phone.get("/me").content.decode()
    assert f"/i/{token}" in page
    assert "Your answer is asked for" in page
    assert HOSTILE not in page
    phone.post(f"/i/{token}/answer", {"say": "yes"})
    assert "waiting for the other answer" in phone.get("/me").content.decode()
    phone.post(f"/i/{token}/answer", {"say": "no"})
    assert "Introductions" not in phone.get("/me").content.decode()
    pair.refresh_from_db()
    assert pair.state == "refused"


def test_what_was_made_is_taken_back_and_nobody_is_told(pair: Introduction) -> None:
    ask(pair)
    for member in (pair.one, pair.other):
        do_answer(pair, member, yes=True)
    one, other = browser_of(pair.one), browser_of(pair.other)
    for phone in (one, other):
        assert "You were introduced to" in phone.get("/me").content.decode()
    token = make_token(pair, pair.one)
    assert 'value="withdraw"' in one.get(f"/i/{token}").content.decode()
    before = Delivery.objects.count()
    one.post(f"/i/{token}/answer", {"say": "withdraw"})
    pair.refresh_from_db()
    assert pair.state == "withdrawn"
    for phone in (one, other):
        assert "You were introduced to" not in phone.get("/me").content.decode()
    made = Delivery.objects.filter(cause__contains=":made:")
    assert set(made.values_list("state", flat=True)) == {"dropped"}
    assert Delivery.objects.count() == before
    told = Event.objects.filter(kind="introduction_withdrawn")
    assert told.get().member_id == pair.one_id
    assert "taken back" in other.get(f"/i/{make_token(pair, pair.other)}").content.decode()
    assert one.post(f"/i/{token}/answer", {"say": "withdraw"}).status_code == 400
    assert do_suggest(pair.community) == 0


def test_an_introduction_taken_back_is_measured_as_one_that_was_made(
    pair: Introduction,
) -> None:
    ask(pair)
    for member in (pair.one, pair.other):
        do_answer(pair, member, yes=True)
    pair.refresh_from_db()
    do_withdraw(pair, pair.other)
    with clock.use(clock.faster(0, NOON + timedelta(days=29))):
        assert measure_due()
    assert (measure(pair.community).introduced.n, measure(pair.community).others.n) == (1, 0)


def test_a_merged_member_still_sees_what_they_were_asked(pair: Introduction) -> None:
    ask(pair)
    phone, kept = browser_of(pair.one), make_member(pair.community, "Bobby")
    link = f"/i/{make_token(pair, pair.one)}"
    merge = do_merge(kept, pair.one, evidence={"kind": "hand"}, by="staff:1")
    assert f"/i/{make_token(pair, kept)}" in phone.get("/me").content.decode()
    client_of().post(f"{link}/answer", {"say": "yes"})
    pair.refresh_from_db()
    assert (pair.one_id, pair.one_said, pair.other_said) == (kept.pk, True, None)
    do_undo_merge(merge, by="staff:1")
    assert client_of().get(f"/i/{make_token(pair, kept)}").status_code == 404
    assert client_of().get(link).status_code == 200


def test_two_who_turn_out_to_be_one_are_introduced_to_nobody(pair: Introduction) -> None:
    ask(pair)
    phone, link = browser_of(pair.one), f"/i/{make_token(pair, pair.one)}"
    do_merge(pair.one, pair.other, evidence={"kind": "hand"}, by="staff:1")
    assert client_of().get(link).status_code == 404
    assert "Introductions" not in phone.get("/me").content.decode()


def test_nobody_else_reads_who_is_introduced_to_whom(pair: Introduction) -> None:
    ask(pair)
    other = make_member(pair.community, "Zoe")
    assert "Dora" not in browser_of(other).get("/me").content.decode()
