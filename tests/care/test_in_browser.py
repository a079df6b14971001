"""Care in a real browser: on a member's phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.care.wishes import do_answer_wish, do_make_wish, tell_supporters
from qunluo.channels.web.sessions import COOKIE
from qunluo.community.actions import do_found
from qunluo.members.actions import do_set_consent
from qunluo.messaging.outbox import try_deliver_one
from tests.browser import WIDTHS, assert_fits, browser, find_cut, shoot
from tests.care.filling import fill
from tests.cast import client_of, make_group, make_user
from tests.h5.people import browser_of, seated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK = (
    "", "care/wishes", "care/wishes?show=answered", "care/needs", "care/incidents",
    "care/incidents/{incident}", "care/triggers", "care/triggers/words", "care/patrols",
    "care/promises", "care/promises?who=Bob", "care/testimonies",
    "care/testimonies?show=approved", "care/gatherings", "care/gatherings/new",
    "care/gatherings/{gathering}", "care/gatherings/{gathering}/edit",
)  # fmt: skip
PHONE = (
    "me", "me/{member}/wishes", "me/{member}/wishes/{wish}", "me/{member}/testimonies",
    "me/{member}/gatherings", "me/{member}/gatherings/{gathering}",
    "i/{token}",
)  # fmt: skip
CUT = """() => [...document.querySelectorAll(
    'main :is(p, h1, h2, input, select, textarea, button, .button, img)')]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
            && !e.closest('[aria-hidden=true], .w-sr-only'))
  .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
"""What is wider than the page although the page hides it."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with browser() as started:
        yield started
        connections.close_all()  # those of the loop, which nobody else sees


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_a_member_votes_for_a_wish_and_hears_of_its_answer(
    chromium: Browser, live_server: LiveServer, noon: datetime, lang: str
) -> None:
    """From the room's own menu, on a phone, to the answer on the member's page."""
    community = do_found("Tea friends", make_user("alice"))
    group = make_group(community)
    client, bob = seated(group)
    do_set_consent(bob, "service", "web", True, words="yes", by=bob.actor)
    wish = do_make_wish(community, title="小一点的茶壶", by="staff:1")
    context = chromium.new_context(viewport={"width": 390, "height": 780}, locale=lang)
    cookie = client.cookies[COOKIE].value
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": live_server.url}])
    phone, wrong = context.new_page(), list[str]()
    phone.on("pageerror", lambda error: wrong.append(str(error)))
    phone.goto(f"{live_server.url}/r/{group.code}")
    phone.locator(".about > summary").click()
    phone.locator(f"a[href='/me/{bob.pk}/wishes']").click()
    vote = phone.locator(".vote button")
    expect(vote).to_have_attribute("aria-pressed", "false")
    vote.click()
    expect(phone.locator(".vote button")).to_have_attribute("aria-pressed", "true")
    expect(phone.locator(".vote button")).to_contain_text("1")
    do_answer_wish(wish, "product", "三月上市", by="staff:1")
    tell_supporters()
    while try_deliver_one():
        pass
    phone.goto(f"{live_server.url}/me")
    expect(phone.locator(".direct")).to_contain_text("三月上市")
    phone.goto(f"{live_server.url}/me/{bob.pk}/wishes/{wish.pk}")
    expect(phone.locator("section.card")).to_contain_text("三月上市")
    assert_fits(phone)
    assert wrong == []
    context.close()


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_every_page_of_care_fits_and_is_silent(
    chromium: Browser, live_server: LiveServer, lang: str
) -> None:
    alice = make_user("alice")
    filled = fill(do_found("Tea friends", alice))
    names = {"incident": filled.incident.pk, "gathering": filled.gathering.pk,
             "member": filled.member.pk, "wish": filled.wish.pk, "token": filled.token}  # fmt: skip
    context = chromium.new_context(locale=lang)
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    door = f"{live_server.url}/j/{filled.group.code}"  # for who is not in yet
    assert_good(page, door, f"door-{lang}")
    session = client_of(alice).cookies["sessionid"].value
    cookie = browser_of(filled.member).cookies[COOKIE].value
    context.add_cookies([
        {"name": "sessionid", "value": session, "url": live_server.url},
        {"name": COOKIE, "value": cookie, "url": live_server.url},
    ])  # fmt: skip
    for path in (*(f"console/{path}" for path in DESK), *PHONE):
        address = f"{live_server.url}/{path.format(**names)}"
        assert_good(page, address, f"{name_of(path)}-{lang}")
        assert wrong == [], f"{path}: {wrong}"
    context.close()


def name_of(path: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in path)


def assert_good(page: Page, address: str, name: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, f"{address}: {answer.status}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert_fits(page, f"{address} at {width}")
        assert find_cut(page, CUT) == [], f"{address} at {width}: sticks out"
        shoot(page, f"{name}-{width}")
