"""Members' pages in a real browser, the size of a phone, on real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from qunluo.community.models import Community
from qunluo.groups.actions import do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post
from qunluo.messaging.models import Message
from tests.browser import assert_fits, browser
from tests.cast import make_group, make_member
from tests.running import Servers, servers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: dict[str, Any] = {"width": 390, "height": 780}
HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
TEXTS = ".item .text"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop on this thread
    with browser() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def started(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as both:
        yield both


@pytest.fixture
def running(transactional_db: None, started: Servers) -> Servers:
    started.revive()
    return started


@dataclass
class Phone:
    """A page of a size, and everything that went wrong on it."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def join(self, running: Servers, group: Group, name: str) -> None:
        self.page.goto(f"{running.web.address}/j/{group.code}")
        assert_fits(self.page)
        self.page.locator("[name=name]").fill(name)
        self.page.locator("[name=consent]").check()
        self.page.locator("form .main").click()
        expect(self.page.locator("[data-room]")).to_have_attribute("data-line", "live")

    def say(self, text: str) -> None:
        self.page.locator("[data-input]").fill(text)
        self.page.locator(".say .main").click()

    def texts(self) -> list[str]:
        return self.page.locator(TEXTS).all_inner_texts()


@contextmanager
def phone(chromium: Browser, lang: str = "en", **more: Any) -> Iterator[Phone]:
    context = chromium.new_context(viewport=PHONE, locale=lang, has_touch=True, **more)
    page = context.new_page()
    held = Phone(page)
    page.on("pageerror", lambda error: held.wrong.append(str(error)))
    page.on("dialog", lambda dialog: held.wrong.append("dialog"))
    try:
        yield held
    finally:
        context.close()
    assert held.wrong == []


def test_two_members_talk_without_a_reload(
    chromium: Browser, running: Servers, group: Group
) -> None:
    with phone(chromium) as dora, phone(chromium, "zh-CN") as eve:
        dora.join(running, group, "Dora")
        eve.join(running, group, "伊芙")
        dora.say("Hello, who is here?")
        expect(eve.page.locator(TEXTS, has_text="who is here?")).to_be_visible()
        eve.say("我在这里")
        expect(dora.page.locator(TEXTS, has_text="我在这里")).to_be_visible()
        expect(dora.page.locator(".waiting")).to_have_count(0)
        assert dora.texts() == eve.texts()
        assert len(dora.texts()) == 2
        for held in (dora, eve):
            assert_fits(held.page)


def test_reply_mention_reaction_and_recall_reach_the_other(
    chromium: Browser, running: Servers, group: Group
) -> None:
    with phone(chromium) as dora, phone(chromium) as eve:
        dora.join(running, group, "Dora")
        eve.join(running, group, "Eve")
        dora.say("Which tea?")
        item = eve.page.locator(".item", has_text="Which tea?")
        item.locator("summary").click()
        item.get_by_role("button", name="👍").click()
        expect(dora.page.locator(".reaction", has_text="👍 1")).to_be_visible()
        item.locator("summary").click()
        item.get_by_role("button", name="Reply").click()
        eve.page.locator("[data-input]").press_sequentially("Green @Do")
        eve.page.locator("[data-picker] button", has_text="Dora").click()
        eve.page.locator(".say .main").click()
        answer = dora.page.locator(".item.me", has_text="Green @Dora")
        expect(answer.locator(".quote")).to_contain_text("Which tea?")
        mine = dora.page.locator(".item.mine", has_text="Which tea?")
        mine.locator("summary").click()
        mine.get_by_role("button", name="Recall").click()
        expect(eve.page.locator(".gone")).to_have_text("This message was recalled.")


def test_hostile_names_words_and_links_do_nothing(
    chromium: Browser, running: Servers, group: Group
) -> None:
    Group.objects.filter(pk=group.pk).update(
        name=HOSTILE[:80], rules=HOSTILE, pinned=[{"title": HOSTILE, "text": HOSTILE}]
    )
    said = f"{HOSTILE} javascript:window.hurt=1 https://example.com/'onclick=window.hurt=1"
    with phone(chromium) as dora, phone(chromium) as eve:
        dora.join(running, group, '<b onclick="hurt()">Dora</b>')
        eve.join(running, group, "Eve")
        dora.say(said)
        expect(eve.page.locator(TEXTS, has_text="window.hurt")).to_be_visible()
        eve.page.reload()
        expect(eve.page.locator(TEXTS, has_text="window.hurt")).to_be_visible()
        for held in (dora, eve):
            assert held.page.evaluate("window.hurt") is None
            assert held.page.locator(".items img, .items b, .items script").count() == 0
            links = held.page.locator(".text a")
            assert [a.get_attribute("href") for a in links.all()] == ["https://example.com/"]


def test_a_killed_live_process_loses_and_doubles_nothing(
    chromium: Browser, running: Servers, group: Group
) -> None:
    with phone(chromium) as dora:
        dora.join(running, group, "Dora")
        do_post(group, text="one", label="auto")
        expect(dora.page.locator(TEXTS)).to_have_text(["one"])
        running.live.kill()
        do_post(group, text="two", label="auto")
        dora.say("three, from me")
        expect(dora.page.locator(TEXTS)).to_have_count(3)  # by asking for news
        running.live.start()
        expect(dora.page.locator("[data-room]")).to_have_attribute("data-line", "live")
        do_post(group, text="four", label="auto")
        expect(dora.page.locator(TEXTS)).to_have_text(["one", "two", "three, from me", "four"])


def test_what_could_not_be_sent_goes_out_later_once(
    chromium: Browser, running: Servers, group: Group
) -> None:
    with phone(chromium) as dora:
        dora.join(running, group, "Dora")
        running.web.kill()
        dora.say("patience")
        expect(dora.page.locator(".waiting small")).to_contain_text("Not sent yet")
        running.web.start()
        expect(dora.page.locator(".waiting")).to_have_count(0)
        expect(dora.page.locator(TEXTS)).to_have_text(["patience"])
        assert Message.objects.filter(text="patience").count() == 1


def test_who_is_removed_sees_why_and_appeals(
    chromium: Browser, running: Servers, group: Group
) -> None:
    with phone(chromium) as dora:
        dora.join(running, group, "Dora")
        do_leave(Membership.objects.get(member__name="Dora"), why="removed", by="system")
        do_post(group, text="moving on", label="auto")
        expect(dora.page.locator("h1")).to_contain_text("You were removed")
        assert_fits(dora.page)


def test_the_staff_and_the_automatic_are_told_apart(
    chromium: Browser, running: Servers, group: Group
) -> None:
    ghost = make_member(group.community, "Ghost")
    Member.objects.filter(pk=ghost.pk).update(simulated=True)
    Membership.objects.create(group=group, member=ghost, joined_at=clock.now())
    do_post(group, text="from a robot", label="auto")
    do_post(group, text="from the team", label="staff", name="Alice")
    do_post(group, text="from a ghost", label="member", member=ghost)
    with phone(chromium) as dora:
        dora.join(running, group, "Dora")
        expect(dora.page.locator(".label")).to_have_text(["Automatic", "Team", "Simulated"])


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_every_page_fits_a_phone(
    chromium: Browser, running: Servers, group: Group, lang: str
) -> None:
    with phone(chromium, lang) as dora:
        dora.join(running, group, "A rather long name " * 2)
        dora.say("anotherverylongwordwithoutanyblank" * 10)
        expect(dora.page.locator(TEXTS)).to_have_count(1)
        assert_fits(dora.page)
        dora.page.locator(".about > summary").click()
        assert_fits(dora.page)
        dora.page.goto(f"{running.web.address}/me")
        assert_fits(dora.page)


def test_a_phone_near_the_store_finds_the_way_in(
    chromium: Browser, running: Servers, tea: Community
) -> None:
    gate = {"kind": "near", "lat": 31.3, "lon": 120.62, "km": 3, "store": "Guanqian"}
    group = make_group(tea, "Store", gate=gate)
    place = {"latitude": 31.301, "longitude": 120.621}
    with phone(chromium, geolocation=place, permissions=["geolocation"]) as dora:
        dora.page.goto(f"{running.web.address}/j/{group.code}")
        dora.page.get_by_label("Use where I am now").check()
        expect(dora.page.locator("[data-found]")).to_be_visible()
        dora.page.locator("[name=name]").fill("Dora")
        dora.page.locator("[name=consent]").check()
        dora.page.locator("form .main").click()
        expect(dora.page.locator("[data-room]")).to_have_attribute("data-line", "live")
    with phone(chromium) as eve:  # which does not tell
        eve.page.goto(f"{running.web.address}/j/{group.code}")
        eve.page.get_by_label("Use where I am now").click()
        expect(eve.page.locator("[data-lost]")).to_be_visible()
        expect(eve.page.get_by_label("Use where I am now")).not_to_be_checked()
