"""Invitations in a browser: opened, remembered, one's own poster, friends, and an appeal."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from qunluo.campaigns import fonts
from qunluo.campaigns.fonts import find_face
from qunluo.campaigns.fraud import note_acts
from qunluo.campaigns.invites import COOKIE, make_invite
from qunluo.campaigns.models import Attribution, Campaign, Mark, Play, Suspicion, Visit
from qunluo.campaigns.posters import draw_png
from qunluo.campaigns.reviewing import do_void_friend
from qunluo.channels.web import sessions
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.members.models import Identity, Member
from tests.campaigns.running import act, done, run
from tests.cast import client_of, make_member

pytestmark = pytest.mark.django_db
REWARD = {"unit": "points", "amount": 100}
ASSIST = {"tiers": [{"helps": 1, "reward": REWARD}], "tasks": 5}


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def campaign(tea: Community) -> Campaign:
    return run(tea, "assist", ASSIST)


def browser_of(member: Member, lang: str = "en") -> Client:
    """A browser that is signed in as a member."""
    account = Identity.objects.get(member=member).external_id
    client = client_of(lang=lang)
    client.cookies[sessions.COOKIE] = sessions.do_open_session(account)[1]
    return client


def test_who_opens_a_poster_and_joins_was_brought_by_its_owner(
    campaign: Campaign, group: Group, bob: Member
) -> None:
    stranger = client_of()
    token = make_invite(campaign, bob, "poster")
    door = f"/j/{group.code}?i={token}"
    shown = stranger.get(door)
    assert bob.name in shown.content.decode()
    assert shown.cookies[COOKIE]["httponly"]
    visit = Visit.objects.get()
    assert (visit.inviter, visit.channel, visit.member) == (bob, "poster", None)
    # another's link later, and joining by it: the first touch counts
    ann = make_member(campaign.community, "Ann")
    other = f"/j/{group.code}?i={make_invite(campaign, ann)}"
    stranger.get(other)
    stranger.post(other, {"name": "Eve", "consent": "yes"})
    eve = Member.objects.get(name="Eve")
    found = Attribution.objects.get(member=eve)
    assert (found.inviter, found.campaign, found.channel) == (bob, campaign, "poster")
    assert Visit.objects.filter(member=eve).count() == 2
    assert set(Mark.objects.filter(member=eve).values_list("kind", flat=True)) == {"device"}


def test_a_forged_invitation_opens_the_page_and_counts_for_nobody(
    group: Group, bob: Member
) -> None:
    stranger = client_of()
    answer = stranger.get(f"/j/{group.code}?i=1.1.1.99999~forged")
    assert answer.status_code == 200
    assert COOKIE not in answer.cookies
    assert not Visit.objects.exists()


def test_a_member_gets_their_own_poster_and_nobody_elses(
    campaign: Campaign, bob: Member
) -> None:
    mine = browser_of(bob)
    address = f"/c/{campaign.code}/poster.png"
    shown = mine.get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert shown.content.startswith(b"\x89PNG")
    again = mine.get(address, headers={"if-none-match": shown["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ann = browser_of(make_member(campaign.community, "Ann")).get(address)
    assert ann["ETag"] != shown["ETag"]
    assert "private" in shown["Cache-Control"]
    for page in ("poster.png", "poster.svg", "invite"):
        assert client_of().get(f"/c/{campaign.code}/{page}").status_code == 404
        assert mine.get(f"/c/nothing/{page}").status_code == 404


def test_a_draft_has_no_poster(campaign: Campaign, bob: Member) -> None:
    Campaign.objects.update(state="draft")
    assert browser_of(bob).get(f"/c/{campaign.code}/poster.png").status_code == 404


def test_without_a_font_the_browser_is_sent_to_where_it_draws(
    campaign: Campaign, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "_list_paths", lambda bold: iter(()))
    for cached in (find_face, draw_png):
        cached.cache_clear()
    shown = browser_of(bob).get(f"/c/{campaign.code}/poster.png", follow=True)
    monkeypatch.undo()
    find_face.cache_clear()
    assert shown["Content-Type"] == "image/svg+xml"
    assert bob.name in shown.content.decode()


def test_the_page_of_a_campaign_has_link_and_poster_and_knows_the_browser(
    campaign: Campaign, bob: Member
) -> None:
    mine = browser_of(bob)
    shown = mine.get(f"/c/{campaign.code}/invite")
    assert make_invite(campaign, bob, "link") in shown.content.decode()
    assert f"/c/{campaign.code}/poster.png" in shown.content.decode()
    mine.get(f"/c/{campaign.code}/invite")
    assert Mark.objects.filter(member=bob, kind="device").count() == 1


def test_members_see_who_came_and_never_another_members_page(
    campaign: Campaign, bob: Member
) -> None:
    eve = make_member(campaign.community, "<b>Eve</b>")
    Attribution.objects.create(
        community=campaign.community, member=eve, inviter=bob, at=eve.made_at,
        touched_at=eve.made_at,
    )  # fmt: skip
    shown = browser_of(bob).get(f"/me/{bob.pk}/invites").content.decode()
    assert "&lt;b&gt;Eve&lt;/b&gt;" in shown
    assert "1 friend came" in shown
    assert campaign.name in shown
    assert browser_of(eve).get(f"/me/{bob.pk}/invites").status_code == 404
    assert client_of().get(f"/me/{bob.pk}/invites").status_code == 404


def test_a_member_reads_why_a_friend_does_not_count_and_appeals_once(
    campaign: Campaign, bob: Member
) -> None:
    ann, stranger = (make_member(campaign.community, name) for name in ("Ann", "Cid"))
    browser, phone = browser_of(bob), browser_of(ann)
    for client in (browser, phone):  # one browser for both
        client.cookies[COOKIE] = "the-same-browser"
        client.get(f"/c/{campaign.code}/invite")
    play = _helped(campaign, bob, ann)
    note_acts(list(Event.objects.order_by("pk")))
    found = Suspicion.objects.get(play=play)
    do_void_friend(found, why="one browser for both", by="staff:1")
    mine = browser.get(f"/me/{bob.pk}/invites").content.decode()
    assert "one browser for both" in mine
    assert "the same browser as who gains by it" in mine
    at = f"/me/{bob.pk}/invites/{found.pk}/appeal"
    assert browser.post(at, {"text": " "}).status_code == 400
    assert browser.post(at, {"text": "We share a flat."}).status_code == 200
    assert browser.post(at, {"text": "Again."}).status_code == 400
    found.refresh_from_db()
    assert (found.appeal, found.appealed_by) == ("We share a flat.", bob)
    other = browser_of(stranger).post(
        f"/me/{stranger.pk}/invites/{found.pk}/appeal", {"text": "x"}
    )
    assert other.status_code == 404
    assert "being looked at" in browser.get(f"/me/{bob.pk}/invites").content.decode()


def _helped(campaign: Campaign, owner: Member, friend: Member) -> str:
    done(act(campaign, owner))
    play = Play.objects.get(campaign=campaign, starter=owner).key
    done(act(campaign, friend, "help", play))
    return play
