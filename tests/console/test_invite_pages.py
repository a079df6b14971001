"""The tree of invitations and the queue of friends in doubt, as staff see them."""

from __future__ import annotations

from datetime import datetime

import pytest

from qunluo.campaigns.fraud import note_acts
from qunluo.campaigns.marks import do_mark
from qunluo.campaigns.models import Attribution, Campaign, Play, Suspicion
from qunluo.campaigns.reviewing import do_appeal, do_void_friend
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.community.rules import Role, may
from qunluo.events.models import Event
from qunluo.members.models import Member
from tests.campaigns.running import act, done, run
from tests.cast import client_of, make_member, make_staff

pytestmark = pytest.mark.django_db
ASSIST = {"tiers": [{"helps": 3, "reward": {"unit": "points", "amount": 100}}], "tasks": 5}
PAGES = ("/console/campaigns/invites", "/console/campaigns/doubts")


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def campaign(tea: Community) -> Campaign:
    return run(tea, "assist", ASSIST)


@pytest.fixture
def doubts(campaign: Campaign, bob: Member) -> list[Suspicion]:
    """Bob and two friends, all with one browser."""
    done(act(campaign, bob))
    play = Play.objects.get(campaign=campaign).key
    do_mark(bob, "device", "one")
    for name in ("<i>Ann</i>", "Ben"):
        friend = make_member(campaign.community, name)
        do_mark(friend, "device", "one")
        done(act(campaign, friend, "help", play))
    note_acts(list(Event.objects.order_by("pk")))
    return list(Suspicion.objects.filter(state="open").order_by("pk"))


def test_the_queue_shows_the_evidence_and_names_are_only_words(
    alice: User, doubts: list[Suspicion]
) -> None:
    shown = client_of(alice).get("/console/campaigns/doubts").content.decode()
    assert "the same browser as who gains by it" in shown
    assert "&lt;i&gt;Ann&lt;/i&gt;" in shown
    assert "and 1 other of the same play" in shown
    home = client_of(alice).get("/console/").content.decode()
    assert "2 friends in doubt" in home
    chinese = client_of(alice, "zh-hans").get("/console/campaigns/doubts").content.decode()
    assert "与受益人使用同一浏览器" in chinese


def test_one_decision_can_be_for_all_of_a_play(alice: User, doubts: list[Suspicion]) -> None:
    client = client_of(alice)
    at = f"/console/campaigns/doubts/{doubts[0].pk}/decide"
    assert client.post(at, {"decision": "void", "why": " "}).status_code == 302
    assert Suspicion.objects.filter(state="open").count() == 2
    client.post(at, {"decision": "void", "why": "one browser for all", "all": "yes"})
    assert set(Suspicion.objects.values_list("state", flat=True)) == {"voided"}
    assert Play.objects.get().state["helps"][0]["void"] == "one browser for all"
    assert client.post(at, {"decision": "nonsense", "why": "x"}).status_code == 404
    shown = client.get("/console/campaigns/doubts?show=decided").content.decode()
    assert "one browser for all" in shown


def test_an_appeal_is_answered_by_restoring(
    alice: User, bob: Member, doubts: list[Suspicion]
) -> None:
    before = Play.objects.get().state
    do_void_friend(doubts[0], why="one browser", by="staff:1")
    do_appeal(doubts[0], "We are <b>sisters</b>", member=bob)
    client = client_of(alice)
    shown = client.get("/console/campaigns/doubts?show=appeals").content.decode()
    assert "We are &lt;b&gt;sisters&lt;/b&gt;" in shown
    at = f"/console/campaigns/doubts/{doubts[0].pk}/appeal"
    client.post(at, {"decision": "restore", "answer": "they are"})
    doubts[0].refresh_from_db()
    assert doubts[0].state == "restored"
    now = Play.objects.get().state
    assert [h["void"] for h in now["helps"]] == [h["void"] for h in before["helps"]]
    assert "Nothing waits" not in client.get("/console/campaigns/doubts").content.decode()


def test_the_tree_leads_from_member_to_member(
    alice: User, campaign: Campaign, bob: Member
) -> None:
    empty = client_of(alice).get("/console/campaigns/invites").content.decode()
    assert "Nobody has come by an invitation yet" in empty
    ann = make_member(campaign.community, "<i>Ann</i>")
    Attribution.objects.create(
        community=campaign.community, member=ann, inviter=bob, campaign=campaign,
        at=ann.made_at, touched_at=ann.made_at,
    )  # fmt: skip
    for address in ("", "?days=30", f"?days=all&campaign={campaign.pk}"):
        shown = client_of(alice).get(f"/console/campaigns/invites{address}")
        assert shown.status_code == 200
        assert f"/console/campaigns/invites/{bob.pk}" in shown.content.decode()
    branch = client_of(alice).get(f"/console/campaigns/invites/{bob.pk}").content.decode()
    assert "&lt;i&gt;Ann&lt;/i&gt;" in branch
    leaf = client_of(alice).get(f"/console/campaigns/invites/{ann.pk}").content.decode()
    assert "Has brought nobody yet" in leaf
    assert bob.name in leaf


def test_carol_sees_nothing_and_another_community_has_its_own(
    carol: User, doubts: list[Suspicion], bob: Member
) -> None:
    at = f"/console/campaigns/doubts/{doubts[0].pk}/decide"
    for page in (*PAGES, f"/console/campaigns/invites/{bob.pk}"):
        assert client_of(carol).get(page).status_code == 404
    assert client_of(carol).post(at, {"decision": "keep", "why": "x"}).status_code == 404
    do_found("Coffee", carol)
    assert client_of(carol).get(f"/console/campaigns/invites/{bob.pk}").status_code == 404
    assert client_of(carol).post(at, {"decision": "keep", "why": "x"}).status_code == 404
    shown = client_of(carol).get("/console/campaigns/doubts").content.decode()
    assert "Ben" not in shown
    assert Suspicion.objects.filter(state="open").count() == 2


def test_who_may_see_need_not_be_who_decides(
    tea: Community, doubts: list[Suspicion], role: Role
) -> None:
    client = client_of(make_staff(tea, role).user)
    seen = client.get("/console/campaigns/doubts").status_code
    assert seen == (200 if may(role, "see_campaigns") else 403)
    at = f"/console/campaigns/doubts/{doubts[0].pk}/decide"
    answer = client.post(at, {"decision": "keep", "why": "a family"}).status_code
    assert answer == (302 if may(role, "run_campaigns") else 403)
