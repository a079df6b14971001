"""The whole of it in one walk: from the fit check to a corrected standing and an answered wish."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.care.wishes import tell_supporters
from qunluo.channels.web.sessions import COOKIE
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.members.actions import do_set_consent, do_tag
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.messaging.actions import do_post
from qunluo.messaging.outbox import try_deliver_one
from qunluo.segments.models import Segment
from qunluo.standing.actions import do_note_order, do_note_refund
from qunluo.standing.models import Correction, Standing
from qunluo.standing.words import NAMES
from tests.browser import PATIENCE_MS, WIDTHS, assert_fits, shoot
from tests.browser import browser as start_browser
from tests.cast import client_of, make_group, make_member, make_user
from tests.h5.people import browser_of
from tests.standing.test_member_page import judged

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_S = 60.0
WHY = "met her in the store today <b>"
ANSWER = "三月上市，谢谢你们。"


@dataclass
class Tab:
    """A page that complains about nothing."""

    page: Page
    site: str
    wrong: list[str]

    def go(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def look(self, name: str) -> None:
        """Nothing sticks out, at a desk or on a phone, and nothing was wrong so far."""
        own = self.page.viewport_size
        assert own is not None
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": own["height"]})
            assert_fits(self.page, f"{name} at {width}")
        self.page.set_viewport_size(own)
        shoot(self.page, f"walk-{name}")
        assert self.wrong == [], self.page.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with start_browser() as started:
        yield started
        connections.close_all()  # those of the loop, which nobody else sees


@pytest.fixture
def owner(transactional_db: None) -> User:
    return make_user("alice")


@pytest.fixture
def shop(owner: User, noon: datetime) -> Community:
    """Lin bought 40 days ago near the store, likes coffee and went silent; Bob talks to this day."""
    community = do_found("Tea friends", owner)
    store = make_group(community, "West Lake store", lat=30.25, lon=120.15)
    coffee = Tag.objects.create(
        group=TagGroup.objects.create(community=community, name="drink"), name="coffee"
    )
    for name, quiet_days in (("Lin", 40), ("Bob", 1)):
        member = live(community, store, name, noon, quiet_days)
        Member.objects.filter(pk=member.pk).update(lat=30.26, lon=120.15)
        do_tag(member, coffee, by="system", why="ordered two lattes")
    judged(community, member)
    return community


def live(community: Community, store: Group, name: str, now: datetime, quiet: int) -> Member:
    """Joined long ago, talked, bought, and had one of two orders paid back."""
    last = now - timedelta(days=quiet)
    with clock.use(clock.faster(0, now - timedelta(days=200))):
        member = make_member(community, name)
        do_join(store, member, by=member.actor)
    for said_at in (now - timedelta(days=45), now - timedelta(days=43), last):
        with clock.use(clock.faster(0, said_at)):
            do_post(store, text="hi", member=member, label="member")
    for number, paid_at in enumerate((now - timedelta(days=41), last)):
        do_note_order(community, order=f"{name}-{number}", member=member,
                      amount_minor=9900, paid_at=paid_at)  # fmt: skip
    do_note_refund(community, order=f"{name}-0", amount_minor=9900, refunded_at=last)
    return member


@pytest.fixture
def tabs(
    browser: Browser, live_server: LiveServer, owner: User
) -> Iterator[Callable[..., Tab]]:
    """Opens a browser of an operator or of a member."""
    opened: list[BrowserContext] = []

    def open_tab(lang: str, width: int, cookie: tuple[str, str]) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 844}, locale=lang)
        opened.append(context)
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": live_server.url}])
        page, wrong = context.new_page(), list[str]()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        return Tab(page, live_server.url, wrong)

    yield open_tab
    for context in opened:
        context.close()


@pytest.mark.parametrize(("width", "lang"), [(1440, "en"), (390, "zh-CN")])
def test_an_operator_walks_from_the_fit_check_to_a_corrected_chip_and_an_answered_wish(
    tabs: Callable[..., Tab], owner: User, shop: Community, width: int, lang: str
) -> None:
    desk = tabs(lang, width, ("sessionid", client_of(owner).cookies["sessionid"].value))
    name = f"{width}-{lang[:2]}"
    start_a_group(desk, name)
    find_people(desk, name)
    read_every_chip(desk, name)
    set_right(desk, name)
    lin = Member.objects.get(name="Lin")
    do_set_consent(lin, "service", "web", True, words="yes", by=lin.actor)
    phone = tabs(lang, 390, (COOKIE, browser_of(lin).cookies[COOKIE].value))
    vote_and_hear(desk, phone, lin, name)


def start_a_group(desk: Tab, name: str) -> None:
    """Five answers, a blueprint, a group with its checklist."""
    page = desk.page
    desk.go("/console/groups")
    page.locator("a[href$='/groups/start']").first.click()
    page.locator("a[href$='/groups/start/fit']").first.click()
    for question, answer in (("stage", "steady"), ("decision", "weeks"), ("knowledge", "some"),
                             ("value", "high"), ("intent", "low")):  # fmt: skip
        page.locator(f"[name='{question}'][value='{answer}']").check()
    page.locator("main form [type=submit], main form button").last.click()
    expect(page.locator(".l-why")).to_be_visible()
    desk.look(f"fit-{name}")
    page.locator("a.button[href*='/groups/start/']").first.click()
    page.locator("[name=capacity]").fill("80")
    page.locator("form:has([name=capacity]) button").last.click()
    expect(page.locator("#tasks")).to_be_visible()
    assert Group.objects.get(blueprint="seeding").capacity == 80
    desk.look(f"group-{name}")


def find_people(desk: Tab, name: str) -> None:
    """Silent buyers of the last 90 days near the store who like coffee: in under a minute."""
    page = desk.page
    desk.go("/console/segments/")
    began = time.monotonic()
    page.locator("a[href$='/segments/new']").click()
    page.locator("[name='name']").fill("Silent coffee buyers")
    page.locator("[name='n.0.kind']").select_option("lifecycle")
    page.locator("[name='n.0:is'][value='silent']").check()
    for number, (kind, field, value) in enumerate(
        (("did", "what", "paid"), ("near", "place", "West Lake store"),
         ("tag", "tag", "drink · coffee")), 1,
    ):  # fmt: skip
        page.locator("[id='row-n']").click()
        expect(page.locator(f"[name='n.{number}:tag']")).to_have_count(1)
        if kind != "tag":
            page.locator(f"[name='n.{number}.kind']").select_option(kind)
            expect(page.locator(f"[name='n.{number}:tag']")).to_have_count(0)
        chosen = {"value": value} if kind == "did" else {"label": value}
        page.locator(f"[name='n.{number}:{field}']").select_option(**chosen)
        if kind == "did":
            page.locator(f"[name='n.{number}:days']").fill("90")
    expect(page.locator("#panel")).to_contain_text("Lin")
    expect(page.locator("#panel")).not_to_contain_text("Bob")
    desk.look(f"segment-{name}")
    page.locator("[data-save]").click()
    expect(page.locator("h1")).to_have_text("Silent coffee buyers")
    took = time.monotonic() - began
    assert took < MOST_S, took
    assert Segment.objects.get().tree["all"][1] == {"did": "paid", "at_least": 1, "days": 90}
    page.locator(".q-rows a", has_text="Lin").click()
    expect(page.locator("h1")).to_have_text("Lin")


def read_every_chip(desk: Tab, name: str) -> None:
    """By keys alone: each chip opens to a sentence that gives its reason."""
    page, chips = desk.page, desk.page.locator(".q-standing > li > details")
    assert chips.count() == len(NAMES)
    chips.first.locator("> summary").focus()
    for number in range(chips.count()):
        chip, why = chips.nth(number), chips.nth(number).locator("> .q-why")
        tab_to(page, chip.locator("> summary").element_handle())
        page.keyboard.press("Enter")
        expect(why).to_be_visible()
        said = why.inner_text().strip()
        assert said[-1] in ".。)）", said
        assert len(said) > 5, said
        if number == 0:
            desk.look(f"chip-{name}")
    desk.look(f"chips-{name}")


def tab_to(page: Page, wanted: object, most: int = 12) -> None:
    """Presses Tab until it is there; what is no use in between is few."""
    for _ in range(most):
        if page.evaluate("e => e === document.activeElement", wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError("not reached by Tab")


def set_right(desk: Tab, name: str) -> None:
    """A wrong chip gets another value with a reason; the record tells who and why."""
    page = desk.page
    assert Standing.objects.get(member__name="Lin").lifecycle == "silent"
    chip = page.locator(".q-standing > li > details").first
    if chip.get_attribute("open") is None:
        chip.locator("> summary").click()
    chip.locator("details > summary").click()
    chip.locator("select").select_option("growing")
    chip.locator("[name$='why']").fill(WHY)
    desk.look(f"setting-{name}")
    chip.locator("form[action$='/standing/lifecycle'] button").click()
    expect(page.locator(".q-standing > li").first.locator("summary").first).to_contain_text(
        {"en": "by hand", "zh": "人工"}[name[-2:]]
    )
    desk.look(f"set-{name}")
    assert Correction.objects.get(lifted_at=None).value == "growing"
    desk.go("/console/record")
    entry = page.locator(".q-row", has=page.locator(".q-quote", has_text=WHY))
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("alice")
    expect(entry.locator("a", has_text="Lin")).to_be_visible()
    for word in {"en": ("silent", "growing"), "zh": ("沉默", "成长")}[name[-2:]]:
        expect(entry).to_contain_text(word)
    desk.look(f"record-{name}")
    assert Event.objects.filter(actor__startswith="staff:", data__why=WHY).count() == 1


def vote_and_hear(desk: Tab, phone: Tab, lin: Member, name: str) -> None:
    """Put on the list and answered at the desk; voted and heard on the phone."""
    page = desk.page
    desk.go("/console/care/wishes")
    page.locator("form[action$='/wishes/make'] [name=title]").fill("小一点的茶壶")
    page.locator("form[action$='/wishes/make'] button").click()
    expect(page.locator("article h2")).to_have_text("小一点的茶壶")
    phone.go("/me")
    phone.page.locator(f"a[href='/me/{lin.pk}/wishes']").first.click()
    phone.page.locator(".vote button").click()
    expect(phone.page.locator(".vote button")).to_have_attribute("aria-pressed", "true")
    phone.look(f"voted-{name}")
    desk.go("/console/care/wishes")
    page.locator("article details > summary").first.click()
    page.locator("article [name=answer]").fill(ANSWER)
    page.locator("form[action$='/answer'] button").click()
    expect(page.locator("article")).to_have_count(0)
    tell_supporters()
    while try_deliver_one():
        pass
    phone.go("/me")
    expect(phone.page.locator(".direct")).to_contain_text(ANSWER)
    phone.look(f"heard-{name}")
