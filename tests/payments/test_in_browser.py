"""Paying in a real browser: phone and desk, both languages, with names that mean harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.commerce.models import Order
from qunluo.commerce.provider import register, unregister
from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.payments.offline.actions import do_set_account
from qunluo.payments.offline.provider import OfflineProvider
from qunluo.payments.wechat.provider import WechatProvider
from tests.browser import browser as start_browser
from tests.cast import make_group, make_member
from tests.commerce.shop import buy, sell
from tests.h5.test_every_page import HOSTILE, LANGS, LONG, Reader
from tests.payments.wechat_house import WechatHouse

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, start_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop on this thread
        yield started


@pytest.fixture
def place(tea: Community, wechat: WechatProvider, house: WechatHouse) -> Iterator[Group]:
    """Every provider at once, and names that mean harm."""
    register(wechat)
    register(OfflineProvider())
    cache.clear()
    tea.name = f"{HOSTILE}{LONG}"[:80]
    tea.save()
    do_set_account(tea, f"{HOSTILE}\n{LONG}", by="staff:1")
    yield make_group(tea)
    unregister("wechat")
    unregister("offline")


def order_of(group: Group, reader: Reader, sku: str) -> Order:
    member = make_member(group.community, HOSTILE[:40])
    tea = sell(group.community, f"{sku}{reader.lang}", price_minor=123_456_789)
    tea.product.title = f"{HOSTILE}{LONG}"[:120]
    tea.product.save()
    reader.be(member)
    return buy(member, tea)


def see(reader: Reader, group: Group) -> None:
    order = order_of(group, reader, "a")
    there = f"/me/{order.member_id}/orders/{order.number}/pay"
    for provider in ("offline", "wechat"):
        reader.see("pay", there)
        reader.page.locator(f"form:has([value={provider}]) button").click()
        reader.see(f"pay-{provider}")
    expect(reader.page.locator("img.qr")).to_be_visible()
    see_sandbox(reader, there)
    see_late(reader, order_of(group, reader, "b"))


def to_sandbox(reader: Reader, there: str) -> None:
    reader.page.goto(reader.address + there)
    reader.page.locator("form:has([value=sandbox]) button").click()


def see_sandbox(reader: Reader, there: str) -> None:
    to_sandbox(reader, there)
    reader.see("sandbox")
    reader.page.locator("[value=fail]").click()
    reader.see("pay-failed")
    to_sandbox(reader, there)
    reader.page.locator("[value=pay]").click()
    expect(reader.page.locator("h1").first).to_be_visible()
    reader.see("paid")
    assert "back=1" in reader.page.url
    reader.page.go_back()
    reader.see("sandbox-paid")


def see_late(reader: Reader, order: Order) -> None:
    to_sandbox(reader, f"/me/{order.member_id}/orders/{order.number}/pay")
    reader.page.locator("[value=late]").click()
    reader.see("sandbox-late")
    Order.objects.filter(pk=order.pk).update(state="expired")
    reader.see("pay-over", f"/me/{order.member_id}/orders/{order.number}/pay")


def test_paying_fits_is_readable_and_runs_nothing(
    chromium: Browser, live_server: LiveServer, place: Group
) -> None:
    for lang in LANGS:
        context = chromium.new_context(locale=lang)
        reader = Reader(context.new_page(), live_server.url, lang)
        see(reader, place)
        context.close()
    assert Order.objects.filter(state="paid").count() == len(LANGS)
