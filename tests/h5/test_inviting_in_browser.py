"""The pages of invitations in a real browser: phone and desk, both languages, names that harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from qunluo.campaigns.fraud import note_acts
from qunluo.campaigns.invites import make_invite
from qunluo.campaigns.marks import do_mark
from qunluo.campaigns.models import Attribution, Campaign, Play, Suspicion
from qunluo.campaigns.reviewing import do_void_friend
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.members.models import Member
from tests.campaigns.running import act, done, run
from tests.cast import make_group, make_member
from tests.h5.test_every_page import HOSTILE, LONG, Reader, chromium
from tests.running import servers

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ASSIST = {"tiers": [{"helps": 1, "reward": {"unit": "points", "amount": 100}}], "tasks": 5}


def doubt(campaign: Campaign, owner: Member, friend: Member) -> None:
    """A friend of one browser with who gains, void after somebody looked."""
    done(act(campaign, owner))
    play = Play.objects.get(campaign=campaign, starter=owner).key
    done(act(campaign, friend, "help", play))
    for member in (owner, friend):
        do_mark(member, "device", "one")
    note_acts(list(Event.objects.order_by("pk")))
    do_void_friend(Suspicion.objects.get(), why=f"{HOSTILE}{LONG}"[:200], by="staff:1")


def test_a_member_invites_and_appeals(
    tea: Community, chromium: Browser, tmp_path: Path
) -> None:
    group, owner = make_group(tea), make_member(tea, HOSTILE[:40])
    friend = make_member(tea, LONG[:40])
    campaign = run(tea, "assist", ASSIST)
    Campaign.objects.update(name=HOSTILE[:80])
    Attribution.objects.create(
        community=tea,
        member=friend,
        inviter=owner,
        at=friend.made_at,
        touched_at=friend.made_at,
    )
    doubt(campaign, owner, friend)
    with servers(tmp_path) as running:
        for lang in ("en", "zh-CN"):
            context = chromium.new_context(locale=lang, color_scheme="dark")
            reader = Reader(context.new_page(), running.web.address, lang)
            see(reader, campaign, owner)
            reader.be(None)
            link = f"/j/{group.code}?i={make_invite(campaign, owner)}"
            reader.see("join-invited", link)
            context.close()


def see(reader: Reader, campaign: Campaign, owner: Member) -> None:
    reader.be(owner)
    reader.see("share", f"/c/{campaign.code}/invite")
    poster = reader.page.locator("img.poster")
    expect(poster).to_be_visible()
    assert poster.evaluate("image => image.complete && image.naturalWidth") == 750
    reader.see("invites", f"/me/{owner.pk}/invites")
    if reader.page.locator("textarea").count():  # one appeal, in the first language
        reader.page.locator("textarea").fill("We are sisters.")
        reader.press("appealed", "/appeal")
