"""The shop in a real browser: full pages with names that mean harm, and a refund from a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.commerce.catalogue import (
    ProductForm,
    VariantForm,
    do_add_variant,
    do_change_stock,
    do_make_product,
)
from qunluo.commerce.imports import do_start_import
from qunluo.commerce.models import Order, Refund, Variant
from qunluo.commerce.noting import Sale, do_note_sale
from qunluo.commerce.offers import RuleForm, do_make_rule, points_offer
from qunluo.commerce.ordering import Delivery, do_cancel, do_fulfil
from qunluo.commerce.refunding import do_refund, do_settle_refund
from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.kit import clock
from tests.browser import WIDTHS, assert_fits, find_cut, shoot
from tests.browser import browser as start_browser
from tests.cast import client_of, make_member, make_user
from tests.commerce.shop import STAFF, buy, give_points, pay, pieces

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}很长很长的名字"
PAGES = (
    "", "orders?state=paid", "orders/{paid}", "orders/{open}", "orders/{back}",
    "orders/{elsewhere}", "products", "products?show=draft", "products/{product}",
    "products/{product}/edit", "products/{product}/variants", "variants/{variant}/edit",
    "prices", "imports", "imports/{import}",
)  # fmt: skip
SHEET = "order,phone,amount,date\nA-1,13800000001,12.5,2026-03-01\n<b>,1,1,x\n"
CUT = """() => [...document.querySelectorAll(
    'main :is(p, h1, h2, h3, input, select, textarea, button, .button, img, strong)')]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
            && !e.closest('[aria-hidden=true], .w-sr-only, .q-table'))
  .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
"""What is wider than the page although the page hides it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with start_browser() as started:
        yield started


def add(community: Community, title: str, sku: str, price: int, pieces: int) -> Variant:
    form = ProductForm(title, text=HOSTILE, role="hit")
    product = do_make_product(community, form, by=STAFF)
    variant = do_add_variant(
        product, VariantForm(sku, price, HOSTILE[:80], price // 3), by=STAFF
    )
    do_change_stock(variant, pieces, why="first delivery " + HOSTILE, by=STAFF, key="1")
    return variant


def fill(community: Community) -> dict[str, int]:
    """Orders in every state, with reasons, returns and trouble; what addresses name."""
    bob = make_member(community, HOSTILE[:60])
    tea, pot = add(community, "春茶", "TEA", 12_800, 20), add(community, HOSTILE, "POT", 99, 3)
    give_points(bob, 1_000)
    now = clock.now()
    do_make_rule(community, RuleForm(HOSTILE[:80], "campaign", "percent", 1_250, now,
                                     variants=[tea]), by=STAFF)  # fmt: skip
    do_make_rule(community, RuleForm("未达门槛", "coupon", "amount", 5_000, now,
                                     threshold_minor=10**7), by=STAFF)  # fmt: skip
    offer = points_offer(1_000, points_each=100, minor_each=100)
    to = Delivery(
        address=f"上海市静安区南京西路 100 号\n{HOSTILE}", note=HOSTILE, shipping_minor=800
    )
    paid = buy(bob, tea, pot, quantity=2, offers=[offer], to=to)
    pay(paid)
    pay(paid, key="twice")
    open_one = buy(bob, tea)
    back = buy(bob, tea)
    pay(back)
    do_refund(back, amount_minor=500, why=HOSTILE, by=STAFF, key="1")
    do_settle_refund(f"{back.number}-R1", "refund_failed", "account closed " + HOSTILE)
    do_fulfil(back, by=STAFF)
    do_cancel(buy(bob, pot), "x", STAFF)
    do_note_sale(community, bob, Sale("T-1", 990, now, [HOSTILE, "茶"], HOSTILE[:80]), by=STAFF)
    (Path(settings.QUNLUO.data) / "shop.csv").write_text(SHEET)
    found = do_start_import(community, "shop.csv", title=HOSTILE, by=STAFF)
    return {"paid": paid.pk, "open": open_one.pk, "back": back.pk, "variant": tea.pk,
            "elsewhere": Order.objects.get(number="T-1").pk, "product": tea.product_id,
            "import": found.pk}  # fmt: skip


def enter(browser: Browser, live: LiveServer, user: User, width: int, lang: str) -> Page:
    """A browser of somebody who is signed in."""
    context = browser.new_context(viewport={"width": width, "height": 844}, locale=lang)
    kept = client_of(user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": kept, "url": live.url}])
    return context.new_page()


def listen(page: Page) -> list[str]:
    """What the page complains of."""
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    return wrong


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_every_page_of_the_shop_fits_and_is_silent(
    browser: Browser, live_server: LiveServer, lang: str
) -> None:
    alice = make_user("alice")
    names = fill(do_found("Tea friends", alice))
    page = enter(browser, live_server, alice, 1440, lang)
    wrong = listen(page)
    for path in PAGES:
        address = f"{live_server.url}/console/shop/{path.format(**names)}"
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        name = "".join(sign if sign.isalnum() else "-" for sign in path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            assert_fits(page, f"{address} at {width}")
            assert find_cut(page, CUT) == [], f"{address} at {width}: sticks out"
            shoot(page, f"shop-{name}-{width}-{lang}")
        assert wrong == [], f"{path}: {wrong}"
    page.context.close()


def test_money_is_given_back_from_a_phone(browser: Browser, live_server: LiveServer) -> None:
    alice = make_user("alice")
    community = do_found("Tea friends", alice)
    tea = add(community, "Tea", "TEA", 5_000, 5)
    order = buy(make_member(community), tea, quantity=2)
    pay(order)
    page = enter(browser, live_server, alice, 390, "en")
    page.goto(f"{live_server.url}/console/shop/orders")
    page.locator("a.q-face").click()
    page.get_by_label("Pieces of Tea").fill("1")
    page.locator("#refund #why").fill("one was broken")
    page.get_by_role("button", name="Look at what would go back").click()
    expect(page.locator("#refund [role=status]")).to_contain_text("CN¥50.00 would go back.")
    page.get_by_role("button", name="Give it back").click()
    expect(page.locator("main")).to_contain_text("1 given back")
    assert Refund.objects.get().why == "one was broken"
    assert pieces(tea) == (4, 0, 1)
    page.context.close()
