"""Campaigns as members meet them: strangers are led in, friends help, buyers pay, and nobody
sees what is another's. Every button works without a script."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client

from qunluo.campaigns.invites import make_invite
from qunluo.campaigns.lifecycle import do_stop
from qunluo.campaigns.models import Campaign, Deed, Play
from qunluo.commerce.models import Order, Variant
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, STAFF, act, done, run, work
from tests.cast import client_of, make_member
from tests.commerce.shop import pay, sell
from tests.h5.test_inviting import browser_of

pytestmark = pytest.mark.django_db
HOSTILE = '<img src=x onerror="window.hurt=1">'


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def variant(tea: Community) -> Variant:
    return sell(tea, "tea", price_minor=5_000, stock=20)


@pytest.fixture
def bargain(tea: Community, variant: Variant) -> Campaign:
    return run(tea, "bargain", BARGAIN)


def forms(html: str) -> list[dict[str, str]]:
    """The forms of a play that a page has, as a browser would send them."""
    found = []
    for form in re.findall(r'<form class="press".*?</form>', html, re.S):
        fields = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form)
        found.append(dict(fields))
    return found


def form(html: str, kind: str) -> dict[str, str]:
    return next(one for one in forms(html) if one["kind"] == kind)


def press(client: Client, campaign: Campaign, page: str, kind: str, **data: str) -> str:
    """Presses a button of a page; what the next page says."""
    given = form(client.get(page).content.decode(), kind)
    answer = client.post(f"/c/{campaign.code}/do", {**given, **data}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def begin(campaign: Campaign, member: Member) -> str:
    done(act(campaign, member))
    key = Play.objects.filter(campaign=campaign, starter=member).latest("pk").key
    return f"/c/{campaign.code}/p/{key}"


def test_a_stranger_with_a_poster_is_led_in_and_helps_who_invited_them(
    bargain: Campaign, group: Group, bob: Member
) -> None:
    play = begin(bargain, bob)
    token = make_invite(bargain, bob, "poster")
    stranger = client_of()
    page = stranger.get(f"/c/{bargain.code}?i={token}", follow=True)
    assert page.redirect_chain[-1][0].startswith(play)
    text = page.content.decode()
    assert "Bob asks you to help" in text
    assert forms(text) == []
    door = re.search(r'href="(/j/[^"]+)"', text)
    assert door is not None
    joined = stranger.post(
        door[1].replace("&amp;", "&"), {"name": "Eve", "consent": "yes"}, follow=True
    )
    assert urlsplit(joined.redirect_chain[-1][0]).path == play
    said = press(stranger, bargain, play, "help")
    assert "You cut CN¥" in said
    assert "Eve" in said  # who helped, by name
    assert 'value="help"' not in said


def test_a_second_help_is_refused_with_a_friendly_reason_and_a_second_press_is_one(
    bargain: Campaign, bob: Member
) -> None:
    play = begin(bargain, bob)
    ann = browser_of(make_member(bob.community, "Ann"))
    given = form(ann.get(play).content.decode(), "help")
    do = f"/c/{bargain.code}/do"
    first, again = (ann.post(do, given, follow=True).content.decode() for _ in range(2))
    assert "You cut" in first
    assert "You cut" in again
    assert Deed.objects.filter(kind="help").count() == 1
    other = ann.post(do, {**given, "key": "other"}, follow=True).content.decode()
    assert "You have cut this price already. Begin a bargain of your own." in other
    chinese = browser_of(make_member(bob.community, "Cy"), "zh-hans")
    assert "砍掉了" in press(chinese, bargain, play, "help")
    assert "你已帮" in chinese.get(play).content.decode()


@pytest.mark.django_db(transaction=True)  # what is followed must be settled
def test_who_wins_buys_pays_comes_back_and_asks_for_the_money_back(
    bargain: Campaign, bob: Member
) -> None:
    mine = browser_of(bob)
    said = press(mine, bargain, f"/c/{bargain.code}", "open")
    assert "Your bargain has begun" in said
    play = Play.objects.get(starter=bob)
    page = f"/c/{bargain.code}/p/{play.key}"
    for n in range(3):
        done(act(bargain, make_member(bob.community, f"F{n}"), "help", play.key))
    given = form(mine.get(page).content.decode(), "buy")
    to_pay = mine.post(f"/c/{bargain.code}/do", given)
    order = Order.objects.get()
    assert to_pay["Location"] == f"/me/{bob.pk}/orders/{order.number}/pay"
    assert page in mine.get(to_pay["Location"]).content.decode()
    assert "Pay the order" in mine.get(page).content.decode()
    pay(order)
    work()
    assert "Bought" in mine.get(page).content.decode()
    bill = f"/me/{bob.pk}/orders/{order.pk}"
    text = mine.get(bill).content.decode()
    assert "Why this price?" in text
    assert "A bargain" in text
    assert "CN¥20.00" in text
    missing = mine.post(f"{bill}/refund", {"key": "a", "why": ""})
    assert missing.status_code == 400
    for _ in range(2):
        assert mine.post(f"{bill}/refund", {"key": "a", "why": "too big"}).status_code == 302
    assert order.refunds.count() == 1
    work()
    assert "too big" in mine.get(bill).content.decode()
    assert "given back" in mine.get(page).content.decode()
    assert order.number in mine.get(f"/me/{bob.pk}/orders").content.decode()


def test_strangers_see_the_rules_and_nobodys_play(
    bargain: Campaign, group: Group, bob: Member, carol: User
) -> None:
    play = begin(bargain, bob)
    stranger = client_of()
    shown = stranger.get(f"/c/{bargain.code}").content.decode()
    assert "The price begins at CN¥50.00" in shown
    assert "Bob" not in shown
    assert f"/j/{group.code}?to={bargain.code}" in shown
    other = make_member(do_found("Coffee", carol), "Carol")
    forged = f"{play}?i=1.1.1.99999~forged"
    for client in (stranger, browser_of(other)):
        assert client.get(play).status_code == 404
        assert client.get(forged).status_code == 404
        answer = client.post(f"/c/{bargain.code}/do", {"kind": "help", "key": "k"})
        assert answer.status_code == 403
    assert client_of().get("/c/nothing").status_code == 404
    Campaign.objects.update(state="draft")
    assert stranger.get(f"/c/{bargain.code}").status_code == 404


@pytest.mark.parametrize("what", ["orders", "points", "coupons", "rewards", "invites"])
def test_nobody_reads_what_another_has(bob: Member, what: str) -> None:
    ann = browser_of(make_member(bob.community, "Ann"))
    for client in (ann, client_of()):
        assert client.get(f"/me/{bob.pk}/{what}").status_code == 404
    assert browser_of(bob).get(f"/me/{bob.pk}/{what}").status_code == 200


def test_an_order_is_its_members_alone(bargain: Campaign, bob: Member) -> None:
    play = begin(bargain, bob)
    done(act(bargain, bob, "buy", play.rpartition("/")[2]))
    order = Order.objects.get()
    ann = make_member(bob.community, "Ann")
    bill = f"/me/{ann.pk}/orders/{order.pk}"
    assert browser_of(ann).get(bill).status_code == 404
    assert browser_of(ann).post(f"{bill}/refund", {"why": "x", "key": "x"}).status_code == 404


def test_a_sentence_is_read_by_whom_it_was_said_to(bargain: Campaign, bob: Member) -> None:
    mine = browser_of(bob)
    given = form(mine.get(f"/c/{bargain.code}").content.decode(), "open")
    led = mine.post(f"/c/{bargain.code}/do", given)["Location"]
    assert "has begun" in mine.get(led).content.decode()
    ann = browser_of(make_member(bob.community, "Ann"))
    assert "has begun" not in ann.get(led).content.decode()
    assert "Hello" not in mine.get(f"/c/{bargain.code}?said=Hello").content.decode()


def test_a_campaign_that_was_stopped_says_so_and_takes_nobody_in(
    bargain: Campaign, bob: Member
) -> None:
    mine = browser_of(bob)
    given = form(mine.get(f"/c/{bargain.code}").content.decode(), "open")
    do_stop(bargain, why="Sold out early", by=STAFF)
    refused = mine.post(f"/c/{bargain.code}/do", given, follow=True).content.decode()
    assert "is not running at the moment" in refused
    assert "Sold out early" in refused
    assert forms(refused) == []


def test_hostile_names_are_only_names(bargain: Campaign, group: Group, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(name=HOSTILE)
    Campaign.objects.update(name=HOSTILE, goal=HOSTILE)
    play = begin(bargain, bob)
    ann = browser_of(make_member(bob.community, HOSTILE))
    press(ann, bargain, play, "help")
    for page in (play, f"/c/{bargain.code}"):
        text = ann.get(page).content.decode()
        assert HOSTILE not in text
        assert "&lt;img" in text


def test_the_door_leads_back_to_campaigns_of_this_community_only(
    bargain: Campaign, group: Group, carol: User
) -> None:
    coffee = do_found("Coffee", carol)
    Campaign.objects.filter(pk=bargain.pk).update(community=coffee)
    for to in (bargain.code, "//evil.example", "https://evil.example"):
        joined = client_of().post(f"/j/{group.code}?to={to}", {"name": "Eve", "consent": "yes"})
        assert joined["Location"] == f"/r/{group.code}"


def test_who_waits_for_friends_is_led_to_share_and_finds_the_way_back_to_the_group(
    bargain: Campaign, group: Group, bob: Member
) -> None:
    do_join(group, bob, by=bob.actor)
    client = browser_of(bob)
    page = client.get(begin(bargain, bob)).content.decode()
    assert f'<a class="button wide" href="/r/{group.code}">' in page
    share = f'href="/c/{bargain.code}/invite">'
    assert f'<a class="button wide main" {share}' in page
    assert page.count("wide main") == 1  # one main action
