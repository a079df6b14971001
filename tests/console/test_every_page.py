"""Every page of the console in a real browser: phone and desk, both languages. A new page joins
by one line in `PAGES`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.console.guards import PAGE_POLICY
from qunluo.groups.models import Group, JoinRequest, Membership
from qunluo.kit import clock
from qunluo.messaging.actions import do_post
from tests.browser import QUIET, WIDTHS, assert_fits, find_cut, shoot
from tests.browser import browser as start_browser
from tests.cast import client_of, make_group, make_member, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FITTING = (
    "/console/groups/start/fit?stage=steady&decision=weeks&knowledge=some&value=high&intent=low"
)
PAGES = (
    "/console/",
    "/console/groups",
    "/console/groups/new",
    "/console/groups/start",
    "/console/groups/start/fit",
    FITTING,
    "/console/groups/start/vip",
    "/console/groups/{group}",
    "/console/groups/{group}/edit",
    "/console/staff",
    "/console/record",
    "/console/settings",
    "/console/settings/standing",
    "/console/account",
    "/console/account/two-factor",
    "/console/choose",
    "/console/start/group",
    "/console/reports/",
    "/console/keys",
    "/console/keys/webhooks",
    "/console/transfers",
    "/console/segments/",
    "/console/segments/new",
    "/console/care/wishes",
    "/console/care/needs",
    "/console/care/incidents",
    "/console/care/patrols",
    "/console/care/promises",
    "/console/care/testimonies",
    "/console/care/gatherings",
    "/console/care/introductions",
    "/console/campaigns/",
    "/console/campaigns/new",
    "/console/campaigns/new/bargain",
    "/console/ledger",
    "/console/ledger/audit",
    "/console/shop/orders",
    "/console/shop/products",
    "/console/shop/products/new",
    "/console/shop/prices",
    "/console/shop/imports",
)
OPEN_PAGES = ("/console/sign-in",)
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}很长很长的名字" * 1


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with start_browser() as started:
        yield started


@pytest.fixture
def owner(transactional_db: None) -> User:
    return make_user("alice")


@pytest.fixture
def place(owner: User) -> Group:
    """A community with life in it, and names that mean harm."""
    community = do_found(HOSTILE[:60], owner)
    group = make_group(
        community, HOSTILE, gate={"kind": "approval"}, capacity=2, taken=2,
        pinned=[{"title": HOSTILE, "text": "长" * 200}], rules="x" * 200, gives="tea",
    )  # fmt: skip
    _fill(community, group)
    return group


def _fill(community: Community, group: Group) -> None:
    for name in ("Bob", HOSTILE):
        member = make_member(community, name)
        Membership.objects.create(group=group, member=member, joined_at=clock.now())
        do_post(group, text=f"Hello {name}", member=member, label="member")
    asker = make_member(community, "Cy")
    JoinRequest.objects.create(group=group, member=asker, text=HOSTILE, at=clock.now())


def sign_in(page: Page, live: LiveServer, user: User) -> None:
    """The session of a signed-in client, handed to the browser."""
    kept = client_of(user).cookies["sessionid"].value
    assert SessionStore(kept).exists(kept)
    page.context.add_cookies([{"name": "sessionid", "value": kept, "url": live.url}])


def assert_good(page: Page, address: str, name: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, f"{address}: {answer.status}"
    page.wait_for_function(QUIET)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert_fits(page, f"{address} at {width}")
        cut = find_cut(page, CUT)
        assert cut == [], f"{address} at {width}: sticks out: {cut}"
        shoot(page, f"{name}-{width}")


CUT = """() => [...document.querySelectorAll(
    'main :is(p, h1, h2, input, select, textarea, button, .button, img, .q-spark)')]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
            && !e.closest('[aria-hidden=true], .w-sr-only'))
  .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
"""What is wider than the page although the page hides it."""


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_every_page_fits_and_is_silent(
    browser: Browser, live_server: LiveServer, owner: User, place: Group, lang: str
) -> None:
    context = browser.new_context(locale=lang)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    for path in OPEN_PAGES:
        assert_good(page, live_server.url + path, _name(path, lang))
    sign_in(page, live_server, owner)
    for path in PAGES:
        there = live_server.url + path.format(group=place.pk)
        assert_good(page, there, _name(path, lang))
        assert complaints == [], f"{path}: {complaints}"
    context.close()


def _name(path: str, lang: str) -> str:
    return f"{path.strip('/').replace('/', '-')}-{lang}"


def test_the_console_needs_no_inline_script_or_style(owner: User, place: Group) -> None:
    answer = client_of(owner).get("/console/")
    assert answer["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
