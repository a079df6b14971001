"""The wish list on both sides: members' pages and the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from qunluo.care.models import Support, Wish
from qunluo.care.wishes import do_answer_wish, do_make_wish
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.groups.models import Group
from tests.cast import client_of, make_staff, make_user
from tests.h5.people import seated

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_a_member_makes_a_wish_votes_and_takes_it_back(group: Group) -> None:
    client, bob = seated(group)
    made = client.post(f"/me/{bob.pk}/wishes/make", {"title": HOSTILE, "text": HOSTILE})
    assert made.status_code == 302
    wish = Wish.objects.get()
    for path in (f"/me/{bob.pk}/wishes", f"/me/{bob.pk}/wishes/{wish.pk}"):
        page = client.get(path).content.decode()
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page
    client.post(f"/me/{bob.pk}/wishes/{wish.pk}/vote", {"on": "no"})
    assert not Support.objects.exists()
    client.post(f"/me/{bob.pk}/wishes/{wish.pk}/vote", {"on": "yes", "from": "one"})
    assert Support.objects.get().member == bob


def test_nobody_votes_for_somebody_else(group: Group) -> None:
    _, bob = seated(group)
    dora, _ = seated(group, "Dora")
    wish = do_make_wish(group.community, title="Tea", by="staff:1")
    for client in (dora, client_of()):
        assert client.get(f"/me/{bob.pk}/wishes").status_code == 404
        assert client.post(f"/me/{bob.pk}/wishes/{wish.pk}/vote").status_code == 404
        answer = client.post(f"/me/{bob.pk}/wishes/make", {"title": "X"})
        assert answer.status_code == 404


def test_a_wish_of_another_community_is_not_there(group: Group) -> None:
    client, bob = seated(group)
    other = do_found("Coffee", make_user("dave"))
    wish = do_make_wish(other, title="Beans", by="staff:1")
    assert client.get(f"/me/{bob.pk}/wishes/{wish.pk}").status_code == 404


def test_what_can_not_be_done_is_said_in_a_sentence(group: Group) -> None:
    client, bob = seated(group)
    answer = client.post(f"/me/{bob.pk}/wishes/make", {"title": " "})
    assert answer.status_code == 400
    assert "Write it in a few words" in answer.content.decode()


def test_staff_answer_merge_and_take_it_back(alice: User, group: Group) -> None:
    desk, (_, bob) = client_of(alice), seated(group)
    one, other = (
        do_make_wish(group.community, title=title, member=bob, by=bob.actor)
        for title in ("Small pots", HOSTILE)
    )
    page = desk.get("/console/care/wishes").content.decode()
    assert "Small pots" in page
    assert HOSTILE not in page
    desk.post(f"/console/care/wishes/{other.pk}/merge", {"into": one.pk})
    other.refresh_from_db()
    assert other.state == "merged"
    merge = one.merges.get()
    assert "is part of it" in desk.get("/console/care/wishes").content.decode()
    desk.post(f"/console/care/wishes/merges/{merge.pk}/undo")
    desk.post(f"/console/care/wishes/{one.pk}/answer", {"kind": "no", "answer": "Too dear."})
    desk.post(f"/console/care/wishes/{other.pk}/aside", {"why": "an advertisement"})
    assert "Too dear." in desk.get("/console/care/wishes?show=answered").content.decode()
    desk.post(f"/console/care/wishes/{other.pk}/reopen")
    desk.post("/console/care/wishes/make", {"title": "Heard in the shop"})
    titles = Wish.objects.filter(state="open").values_list("title", flat=True)
    assert sorted(titles) == sorted([HOSTILE, "Heard in the shop"])


def test_store_staff_see_wishes_and_decide_none(tea: Community) -> None:
    desk = client_of(make_staff(tea, "store_staff").user)
    wish = do_make_wish(tea, title="Tea", by="staff:1")
    assert desk.get("/console/care/wishes").status_code == 200
    answer = desk.post(f"/console/care/wishes/{wish.pk}/answer", {"kind": "no", "answer": "x"})
    assert answer.status_code == 403


def test_staff_of_another_community_find_nothing(tea: Community) -> None:
    other = make_user("dave")
    do_found("Coffee", other)
    wish = do_make_wish(tea, title="Secret tea", by="staff:1")
    desk = client_of(other)
    assert "Secret tea" not in desk.get("/console/care/wishes").content.decode()
    assert desk.post(f"/console/care/wishes/{wish.pk}/aside").status_code == 404


def test_staff_open_an_answered_wish_again_with_a_reason(alice: User, group: Group) -> None:
    client, bob = seated(group)
    wish = do_make_wish(group.community, title="Pots", member=bob, by=bob.actor)
    do_answer_wish(wish, "no", "Too dear.", by="staff:1")
    desk, path = client_of(alice), f"/console/care/wishes/{wish.pk}/reopen"
    assert path in desk.get("/console/care/wishes?show=answered").content.decode()
    desk.post(path, {"why": ""})
    wish.refresh_from_db()
    assert wish.state == "no"
    desk.post(path, {"why": HOSTILE})
    for page in (
        desk.get("/console/care/wishes").content.decode(),
        client.get(f"/me/{bob.pk}/wishes/{wish.pk}").content.decode(),
    ):
        assert "Open again" in page
        assert "&lt;script&gt;" in page
        assert HOSTILE not in page
