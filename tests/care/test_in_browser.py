"""Care in a real browser: on a member's phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.care.wishes import do_answer_wish, do_make_wish, tell_supporters
from qunluo.channels.web.sessions import COOKIE
from qunluo.community.actions import do_found
from qunluo.members.actions import do_set_consent
from qunluo.messaging.outbox import try_deliver_one
from tests.browser import browser
from tests.cast import make_group, make_user
from tests.h5.people import seated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDER = "() => document.documentElement.scrollWidth - innerWidth"


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
    assert phone.evaluate(WIDER) <= 0
    assert wrong == []
    context.close()
