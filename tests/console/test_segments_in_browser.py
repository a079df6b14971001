"""An operator finds “silent buyers of the last 90 days near store X who like coffee”."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.members.actions import do_tag
from qunluo.members.models import Member, Tag, TagGroup
from qunluo.segments.models import Segment
from qunluo.standing.models import Standing, Tally
from tests.browser import assert_fits
from tests.browser import browser as start_browser
from tests.cast import client_of, make_group, make_member, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_S = 60.0


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
    """Four members, of whom only Lin is silent, bought lately, lives near and likes coffee."""
    community = do_found("Tea friends", owner)
    make_group(community, "West Lake store", lat=30.25, lon=120.15)
    drink = TagGroup.objects.create(community=community, name="drink")
    coffee = Tag.objects.create(group=drink, name="coffee")
    today = date(2026, 3, 2)
    for name, lifecycle, ago, lat, likes in (
        ("Lin", "silent", 40, 30.26, True), ("Bob", "mature", 40, 30.26, True),
        ("Dan", "silent", 120, 30.26, True), ("Eve", "silent", 40, 31.9, True),
        ("Fay", "silent", 40, 30.26, False),
    ):  # fmt: skip
        member = make_member(community, name)
        Member.objects.filter(pk=member.pk).update(lat=lat, lon=120.15)
        Standing.objects.create(
            member=member, community=community, lifecycle=lifecycle, judged_on=today
        )
        Tally.objects.create(
            community=community, member_id=member.pk, origin_id=member.pk, kind="paid", n=1,
            day=today - timedelta(days=ago), amount_minor=100,
        )  # fmt: skip
        if likes:
            do_tag(member, coffee, by="system", why="")
    return community


def open_page(browser: Browser, server: LiveServer, owner: User, width: int, lang: str) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, locale=lang)
    cookie = client_of(owner).cookies["sessionid"].value
    assert SessionStore(cookie)
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


@pytest.mark.parametrize(("width", "lang"), [(1440, "en"), (390, "zh-CN")])
def test_silent_buyers_near_a_store_who_like_coffee_are_found_within_a_minute(
    browser: Browser,
    live_server: LiveServer,
    owner: User,
    shop: Community,
    width: int,
    lang: str,
) -> None:
    page, wrong = open_page(browser, live_server, owner, width, lang), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto(f"{live_server.url}/console/segments/")
    began = time.monotonic()
    page.locator("a[href$='/segments/new']").click()
    page.locator("[name='name']").fill("Silent coffee buyers")
    page.locator("[name='n.0.kind']").select_option("lifecycle")
    page.locator("[name='n.0:is'][value='silent']").check()
    add_row(page, 1, "did")
    page.locator("[name='n.1:what']").select_option("paid")
    page.locator("[name='n.1:days']").fill("90")
    add_row(page, 2, "near")
    page.locator("[name='n.2:place']").select_option(label="West Lake store")
    add_row(page, 3, "tag")
    page.locator("[name='n.3:tag']").select_option(label="drink · coffee")
    panel = page.locator("#panel")
    expect(panel.locator(".q-said")).to_contain_text("coffee", timeout=20_000)
    expect(panel).to_contain_text("Lin")
    expect(panel.locator(".q-much")).to_contain_text("1")
    for name in ("Bob", "Dan", "Eve", "Fay"):
        expect(panel).not_to_contain_text(name)
    assert_fits(page)
    page.locator("[data-save]").click()
    expect(page.locator("h1")).to_have_text("Silent coffee buyers")
    took = time.monotonic() - began
    assert took < MOST_S, took
    assert Segment.objects.get().tree["all"][1] == {"did": "paid", "at_least": 1, "days": 90}
    assert_fits(page)
    assert not wrong


def add_row(page: Page, number: int, kind: str) -> None:
    """Another condition; a new one asks for a tag."""
    page.locator("[id='row-n']").click()
    expect(page.locator(f"[name='n.{number}:tag']")).to_have_count(1)
    if kind != "tag":
        page.locator(f"[name='n.{number}.kind']").select_option(kind)
        expect(page.locator(f"[name='n.{number}:tag']")).to_have_count(0)


def test_the_form_is_worked_by_keys_alone(
    browser: Browser, live_server: LiveServer, owner: User, shop: Community
) -> None:
    """Enter keeps the segment; it does not press the first button in sight."""
    page = open_page(browser, live_server, owner, 1440, "en")
    page.goto(f"{live_server.url}/console/segments/new")
    page.locator("[name='n.0:tag']").focus()
    page.keyboard.press("ArrowDown")
    page.locator("[name='name']").focus()
    page.keyboard.type("Coffee")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Coffee")
    assert Segment.objects.get().name == "Coffee"
