"""An operator on a phone publishes a bargain and sees it live; every page fits, light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.campaigns.lifecycle import do_stop
from qunluo.campaigns.models import Campaign, Play
from qunluo.campaigns.playing import do_act
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.ledger.models import Account, Transfer
from tests.browser import PATIENCE_MS, assert_fits, find_cut, shoot
from tests.browser import browser as start_browser
from tests.campaigns.running import BARGAIN, act, done, run, work
from tests.cast import make_group, make_member, make_user
from tests.commerce.shop import sell
from tests.console.test_every_page import CUT, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK = (
    "campaigns/", "campaigns/?show=over", "campaigns/new?goal=new", "campaigns/new/bargain",
    "campaigns/new/group_buy", "campaigns/{run}", "campaigns/{run}/edit",
    "campaigns/{run}/plays", "campaigns/{run}/plays/{play}", "campaigns/{run}/stopping",
    "campaigns/{run}/draws", "campaigns/{over}/draws", "campaigns/{draft}/publish", "ledger",
    "ledger/accounts/{account}", "ledger/transfers/{transfer}", "ledger/audit", "",
)  # fmt: skip
CASES = [(390, "zh-CN", "dark"), (1440, "en", "light")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with start_browser() as started:
        yield started
        connections.close_all()  # those of the loop, which nobody else sees


@pytest.fixture
def owner(transactional_db: None) -> User:
    return make_user("alice")


@pytest.fixture
def shop(owner: User, noon: datetime) -> Community:
    community = do_found("Tea friends", owner)
    make_group(community)
    sell(community, "tea", price_minor=5_000, stock=20)
    return community


def open_page(
    chromium: Browser,
    live: LiveServer,
    user: User,
    *,
    width: int,
    lang: str,
    look: Literal["light", "dark"] = "light",
) -> tuple[Page, list[str]]:
    context = chromium.new_context(
        viewport={"width": width, "height": int(os.environ.get("QUNLUO_TALL", "844"))},
        locale=lang,
        color_scheme=look,
    )
    page, wrong = context.new_page(), list[str]()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(page, live, user)
    return page, wrong


def fill(page: Page, **words: str) -> None:
    for name, word in words.items():
        page.locator(f"[id='r.{name}']").fill(word)


def test_a_bargain_is_published_from_a_phone_and_seen_live(
    chromium: Browser, live_server: LiveServer, owner: User, shop: Community
) -> None:
    page, wrong = open_page(chromium, live_server, owner, width=390, lang="en")
    page.goto(f"{live_server.url}/console/campaigns/")
    page.get_by_role("link", name="New campaign").first.click()
    page.locator(".c-goals a[href='?goal=new']").click()
    page.locator("a.c-card[href*='/new/bargain']").click()
    page.locator("[id='r.sku']").select_option("tea")
    fill(page, start_minor="50", floor_minor="20", helpers="3", cut_min_minor="5",
         cut_max_minor="15")  # fmt: skip
    expect(page.locator("#bar")).to_contain_text("missing")
    fill(page, winners="10")
    expect(page.locator("#bar")).to_contain_text("CN¥300.00")
    expect(page.locator(".c-price")).to_contain_text("CN¥50.00")
    expect(page.locator("#panel")).to_contain_text("WeChat")
    page.get_by_role("button", name="Keep and look it over").click()
    whys = page.locator("input[name^='why:']")
    expect(whys).to_have_count(3)
    for why in whys.all():
        why.fill("in our own groups only")
    page.get_by_role("button", name="Set the budget aside and publish").click()
    expect(page.locator(".c-state")).to_have_text("running")
    expect(page.locator("#live")).to_contain_text("Reconciled")
    campaign = Campaign.objects.get()
    plays = page.locator("#live .c-figure").first.locator(".c-value")
    expect(plays).to_have_text("0")
    done(do_act(campaign, "open", member=make_member(shop, "Bob"), key="one"))
    expect(plays).to_have_text("1")  # it looks again every ten seconds
    assert wrong == []
    page.context.close()


def test_rows_come_and_go_by_keyboard_and_words_stay(
    chromium: Browser, live_server: LiveServer, owner: User, shop: Community
) -> None:
    page, wrong = open_page(chromium, live_server, owner, width=1440, lang="zh-CN")
    page.goto(f"{live_server.url}/console/campaigns/new/group_buy")
    fill(page, size="3")
    add = page.locator("[id='add-r.tiers']")
    add.focus()
    page.keyboard.press("Enter")
    people = page.locator("[id='r.tiers.0.people']")
    people.fill("5")
    page.locator("[id='add-r.tiers']").click()
    expect(page.locator("[id='r.tiers.1.people']")).to_be_visible()
    expect(people).to_have_value("5")
    expect(page.locator("[id='r.size']")).to_have_value("3")
    page.locator("button[value='drop:r.tiers.1']").click()
    expect(page.locator("[id='r.tiers.1.people']")).to_have_count(0)
    assert wrong == []
    page.context.close()


def fill_places(community: Community) -> dict[str, int]:
    """Ids of a campaign that runs, one that is over, a draft, and of what is in the books."""
    running, over = run(community, "bargain", BARGAIN), run(community, "bargain", BARGAIN)
    done(act(running, make_member(community, "Bob")))
    play = Play.objects.get(campaign=running)
    done(act(running, make_member(community, "很长很长的名字" * 4), "help", play.key))
    do_stop(over, why="enough", by="staff:1")
    work()
    draft = run(community, "bargain", BARGAIN)
    Campaign.objects.filter(pk=draft.pk).update(state="draft")
    account = Account.objects.get(owner=f"{running.pk}:budget")
    transfer = Transfer.objects.filter(entries__account=account).earliest("pk")
    return {"run": running.pk, "over": over.pk, "draft": draft.pk, "play": play.pk,
            "account": account.pk, "transfer": transfer.pk}  # fmt: skip


@pytest.mark.parametrize(("width", "lang", "look"), CASES)
def test_every_page_of_campaigns_fits(
    chromium: Browser, live_server: LiveServer, owner: User, shop: Community,
    width: int, lang: str, look: Literal["light", "dark"],
) -> None:  # fmt: skip
    places = fill_places(shop)
    page, wrong = open_page(chromium, live_server, owner, width=width, lang=lang, look=look)
    for number, path in enumerate(DESK):
        answer = page.goto(f"{live_server.url}/console/{path.format(**places)}")
        assert answer
        assert answer.ok, path
        shoot(page, f"c{number:02}-{width}-{lang}-{look}")
        assert_fits(page, path)
        assert find_cut(page, CUT) == [], path
        assert wrong == [], path
    page.context.close()
